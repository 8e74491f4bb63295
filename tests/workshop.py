"""A temporary project for tests; leaving it proves that nothing of it leaked into the process.

A test writes the person's files, loads and edits them as a person would, and asserts what they would see. Leaving the
workshop restores what a session of imports changes, after it has checked what no session may leave behind.
"""

from __future__ import annotations

import builtins
import gc
import importlib
import os
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Self

from exocet_ipython.loading.standin import StandIn

__all__ = ["Workshop", "pass_a_tick", "standin_names"]


class Workshop:
    """A folder on `sys.path` with files to load, for the time of a `with` block.

    Attributes:
        folder: where the files are; first on `sys.path` inside the block.

    Leaving the block raises AssertionError when a stand-in is left in `sys.modules`, when a finder, a path hook, a
    thread or an entry in `builtins` came or went. Then `sys.path`, `sys.meta_path`, `sys.path_hooks`,
    `sys.path_importer_cache` and `sys.modules` are what they were, but for modules from elsewhere (the standard
    library, installed packages) that were imported meanwhile: these can't be taken back and stay.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._names: set[str] = set()

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._path = list(sys.path)
        self._meta_path = list(sys.meta_path)
        self._path_hooks = list(sys.path_hooks)
        self._importers = dict(sys.path_importer_cache)
        self._modules = dict(sys.modules)
        self._threads = set(threading.enumerate())
        self._builtins = dict(vars(builtins))
        # Test files lie where a person's own code may lie, and import what tests write: without a spec they are in
        # no scope, and no session makes them anew.
        self._specs = {name: module.__spec__ for name, module in self._modules.items() if _is_test(name)}
        for name in self._specs:
            self._modules[name].__spec__ = None
        sys.path.insert(0, str(self.folder))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        leaks = self.find_leaks()
        self._restore()
        if error is None and leaks:
            raise AssertionError("left behind: " + "; ".join(leaks))

    def write(self, files: Mapping[str, str]) -> Path:
        """Write the person's files and return the folder; texts are dedented.

        Args:
            files: path relative to the folder -> text. Missing folders are made.

        importlib lists a folder again when its time stamp changed, which two writes within one tick of the kernel's
        clock don't do: so it is told.
        """
        for path, text in files.items():
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(_dedent(text), encoding="utf-8")
            self._names.add(path.partition("/")[0].removesuffix(".py"))
        importlib.invalidate_caches()
        return self.folder

    def edit(self, path: str, text: str, *, same_time: bool = False) -> Path:
        """Save a new text over an existing file and return its path; the text is dedented.

        Args:
            path: relative to the folder.
            text: the whole new text.
            same_time: keep the modification time, as two saves within one tick of the clock do.
        """
        target = self.folder / path
        before = target.stat()
        target.write_text(_dedent(text), encoding="utf-8")
        if same_time:
            os.utime(target, ns=(before.st_atime_ns, before.st_mtime_ns))
        return target

    def path(self, path: str) -> str:
        """Return the absolute path of a file of the workshop, as tracebacks and `__file__` show it."""
        return str(self.folder / path)

    def find_leaks(self) -> list[str]:
        """Say what is in the process by now that no use of this package may leave there, one text each."""
        threads = set(threading.enumerate())
        found = [
            *(f"stand-in for {name!r} in sys.modules" for name in standin_names()),
            *_differences("sys.meta_path", self._meta_path, list(sys.meta_path)),
            *_differences("sys.path_hooks", self._path_hooks, list(sys.path_hooks)),
            *(f"thread {thread.name} started" for thread in threads - self._threads),
            *(f"thread {thread.name} gone" for thread in self._threads - threads),
        ]
        current = vars(builtins)
        # IPython and doctest's display hook keep their last value in `_`.
        names = sorted((self._builtins.keys() | current.keys()) - {"_"})
        found += [f"builtins.{name} changed" for name in names if self._builtins.get(name) is not current.get(name)]
        return found

    def _restore(self) -> None:
        sys.path[:] = self._path
        sys.meta_path[:] = self._meta_path
        sys.path_hooks[:] = self._path_hooks
        for name, module in list(sys.modules.items()):
            if name not in self._modules and self._is_mine(name, module):
                del sys.modules[name]
        sys.modules.update(self._modules)
        for name, spec in self._specs.items():
            self._modules[name].__spec__ = spec
        sys.path_importer_cache.clear()
        sys.path_importer_cache.update(self._importers)

    def _is_mine(self, name: str, module: ModuleType | None) -> bool:
        """Say whether a module came from this workshop: by name, or by the file it was loaded from."""
        if type(module) is StandIn or name.partition(".")[0] in self._names:
            return True
        return str(getattr(module, "__file__", None) or "").startswith(str(self.folder) + os.sep)


def living_standins() -> list[StandIn]:
    """Return the stand-ins that exist anywhere in the process; a package loaded by an earlier test may keep one."""
    gc.collect()
    return [thing for thing in gc.get_objects() if type(thing) is StandIn]


def standin_names() -> list[str]:
    """Return the names for which `sys.modules` holds a stand-in: none, unless a batch is under way."""
    # type() and not isinstance(): a stand-in that is asked for its class answers for the module.
    return [name for name, module in list(sys.modules.items()) if type(module) is StandIn]


def pass_a_tick() -> None:
    """Wait until a file saved from now on is younger, by the file system's clock, than one saved before."""
    # More than the margin for that clock (`moves._TICK`): what was saved before is old by then.
    ticked, end = time.time_ns() + 40_000_000, time.monotonic() + 5
    with tempfile.TemporaryFile(buffering=0) as probe:
        while os.fstat(probe.fileno()).st_ctime_ns <= ticked:
            assert time.monotonic() < end, "the file system's clock stands still"
            probe.write(b".")


def _is_test(name: str) -> bool:
    return name.partition(".")[0] in ("tests", "conftest", "notebooks")


def _differences(what: str, before: Sequence[object], after: Sequence[object]) -> list[str]:
    """Compare two lists of hooks by identity and order."""
    if [id(hook) for hook in before] == [id(hook) for hook in after]:
        return []
    return [f"{what} was {before} and is {after}"]


def _dedent(text: str) -> str:
    return textwrap.dedent(text).lstrip("\n")
