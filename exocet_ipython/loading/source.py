"""Where the source of a dotted name is, and a snapshot of it.

Nothing here imports a module: finders are asked directly, so looking for `a.b` does not run `a`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    BuiltinImporter,
    ExtensionFileLoader,
    FrozenImporter,
    ModuleSpec,
    PathFinder,
    SourceFileLoader,
)
from importlib.util import spec_from_file_location
from typing import Any

from exocet_ipython.errors import SourceNotFoundError
from exocet_ipython.loading.digests import ANOTHER_DIGEST, SOURCE_SUFFIXES, digest_of
from exocet_ipython.loading.files import FileStamp, read_file, stamp_file
from exocet_ipython.loading.listings import forget_listings
from exocet_ipython.loading.names import with_packages

__all__ = [
    "Snapshot",
    "extension_files",
    "find_by_path",
    "find_search_path",
    "find_spec",
    "find_spec_again",
    "is_extension",
    "is_namespace",
    "is_package_file",
    "read_snapshot",
    "require_spec",
]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The source of one module as it was read at one moment.

    Attributes:
        name: dotted name of the module.
        path: file the text came from; None for a namespace package, a built-in or an extension module.
        data: the bytes read; None where there is no text.
        digest: of `data`, hexadecimal; empty where there is no text, or where the text that ran is unknown.
        stamp: of the file, taken before it was read, so that a later save always differs from it.
        read_at: the clock in nanoseconds at that moment, comparable with the stamp.
    """

    name: str
    path: str | None = None
    data: bytes | None = None
    digest: str = ""
    stamp: FileStamp | None = None
    read_at: int = 0

    @property
    def version(self) -> tuple[str | None, str, bool]:
        """What tells it from other texts of the module: its file, its digest, and whether there is a text at all."""
        return self.path, self.digest, self.data is None

    @property
    def text(self) -> bytes | None:
        """The bytes that ran; None where there is no text, or where it may have been another."""
        return self.data if self.digest not in ("", ANOTHER_DIGEST) else None

    def is_known(self) -> bool:
        """Say whether a file can be compared with it; one in an archive has no stamp."""
        return self.path is None or (bool(self.digest) and self.stamp is not None)

    def line(self, number: int) -> str:
        """Return what is written in a line of the text, counted from 1; nothing where there is no such line."""
        lines = (self.data or b"").splitlines()
        return lines[number - 1].strip().decode("utf-8", "replace") if 0 < number <= len(lines) else ""

    def __repr__(self) -> str:
        size = "no text" if self.data is None else f"{len(self.data)} bytes"
        return f"<Snapshot of {self.name}: {size}>"


def find_spec(name: str, search: Sequence[str] | None = None) -> ModuleSpec | None:
    """Ask the finders on `sys.meta_path` for the spec of `name`, without importing anything.

    Args:
        name: absolute dotted name.
        search: the parent package's `__path__`; None for a top-level name.

    A finder of ours is passed over (it would answer with the module that is being loaded). A module that is frozen
    into the interpreter is given with its source file where that exists: a frozen module can't be loaded twice.

    >>> find_spec("json").origin.endswith("__init__.py")
    True
    >>> find_spec("no_such_module") is None
    True
    """
    for finder in list(sys.meta_path):
        if getattr(finder, "is_exocet", False) or not hasattr(finder, "find_spec"):
            continue
        try:
            spec: ModuleSpec | None = finder.find_spec(name, search, None)
        except (ImportError, OSError):
            forget_listings()  # an archive is another one by now than the finder remembers, or is gone
            spec = finder.find_spec(name, search, None)
        if spec is not None:
            loader: Any = spec.loader
            if loader is FrozenImporter:
                return PathFinder.find_spec(name, search) or spec
            return spec
    return None


def find_search_path(package: str) -> Sequence[str] | None:
    """Return where the submodules of `package` are looked for, without importing it; None where it is no package.

    >>> find_search_path("json")[0].endswith("json")
    True
    """
    loaded: Any = sys.modules.get(package)
    if loaded is not None:
        return getattr(loaded, "__path__", None)
    spec = find_spec_of(package)
    return None if spec is None else spec.submodule_search_locations


def find_spec_of(name: str) -> ModuleSpec | None:
    """Return the spec of a dotted name of any depth, without importing its parents."""
    parent = name.rpartition(".")[0]
    if not parent:
        return find_spec(name)
    search = find_search_path(parent)
    return None if search is None else find_spec(name, search)


def find_spec_again(name: str, known: ModuleSpec | None) -> ModuleSpec | None:
    """Return the spec of a module that was loaded, without importing its parents.

    A top-level one is found where it was found then, when the entry of `sys.path` that led there doesn't any more: it
    stands for the working folder, which has changed, or `%run` had it there for the time of a script. One that was
    loaded by the path of its file (`spec_from_file_location`), past all finders, is found at that path.

    Args:
        name: absolute dotted name.
        known: what was found then; None where that is unknown.
    """
    spec = find_spec_of(name)
    if spec is None and (by_path := find_by_path(known)) is not None:
        return by_path
    home = _home(known) if isinstance(known, ModuleSpec) and "." not in name else None
    if known is None or home is None:
        return spec
    found = None if spec is None else _home(spec)
    if spec is not None and found in sys.path and spec.origin != known.origin:
        return find_by_path(known) or spec
    if home in sys.path:
        return spec
    return spec if found == home or found in sys.path else find_spec(name, [home]) or spec


def find_by_path(known: ModuleSpec | None) -> ModuleSpec | None:
    """Return the spec of a module that was loaded by the path of its file, if that is there: no finder has led to it.

    Args:
        known: the spec that it has.
    """
    path = known.origin if isinstance(known, ModuleSpec) and known.has_location else None
    if known is None or path is None or not os.path.isfile(path):
        return None
    named = os.path.dirname(path) if is_package_file(path) else path
    is_named_so = os.path.basename(named).partition(".")[0] == known.name.rpartition(".")[2]
    if is_named_so and _home(known) in sys.path_importer_cache:
        return None
    search = known.submodule_search_locations
    folders = None if search is None else list(search)
    return spec_from_file_location(known.name, path, loader=known.loader, submodule_search_locations=folders)


def _home(spec: ModuleSpec) -> str | None:
    """Return the folder that a top-level module was found in, where it was found in one."""
    place = next(iter(spec.submodule_search_locations or ()), spec.origin if spec.has_location else None)
    return None if place is None else os.path.dirname(place)


def require_spec(name: str, known: ModuleSpec | None = None) -> ModuleSpec:
    """Return the spec of a dotted name, or say that there is none; `known` is what `find_spec_again` takes.

    Raises:
        SourceNotFoundError: no finder has it; `name` is the first component that is missing, as Python reports it.
    """
    spec = find_spec_again(name, known) if all(name.split(".")) else None
    if spec is None:
        raise missing_source(name)
    return spec


def missing_source(name: str) -> SourceNotFoundError:
    """Return the error for a name that no finder has, naming the outermost component that is missing."""
    for package in with_packages(name)[:-1]:
        if not package or find_spec_of(package) is None:
            return SourceNotFoundError(f"No module named {package!r}", advice=_LOOK_AT_PATH, name=package)
        if find_search_path(package) is None:
            what = f"No module named {name!r}; {package!r} is not a package"
            part = name[len(package) + 1 :].partition(".")[0]
            advice = "a module is named without its ending: {}" if part == "py" else f"use: from {{}} import {part}"
            return SourceNotFoundError(what, advice=advice.format(package), name=name)
    return SourceNotFoundError(f"No module named {name!r}", advice=_LOOK_AT_PATH, name=name)


_LOOK_AT_PATH = "check the spelling, and that its folder is on sys.path"


def is_namespace(spec: ModuleSpec) -> bool:
    """Say whether the spec is a namespace package (PEP 420): folders, and no file that runs."""
    return spec.origin is None and spec.submodule_search_locations is not None


def is_package_file(path: str | None) -> bool:
    """Say whether a module that ran from this file is a package.

    >>> is_package_file("/app/__init__.py"), is_package_file("/app/words.py")
    (True, False)
    """
    return path is not None and os.path.basename(path).startswith("__init__.")


def is_extension(spec: ModuleSpec) -> bool:
    """Say whether the module can be made only once per process: an extension, built-in or frozen module.

    >>> is_extension(find_spec("sys")), is_extension(find_spec("json"))
    (True, False)
    """
    loader: Any = spec.loader
    return isinstance(loader, ExtensionFileLoader) or loader in (BuiltinImporter, FrozenImporter)


def extension_files(locations: Iterable[str]) -> tuple[str, ...]:
    """Return the extension modules below the folders of a package, as paths."""
    suffixes = tuple(EXTENSION_SUFFIXES)
    return tuple(
        os.path.join(folder, file)
        for location in locations
        for folder, _, files in os.walk(location)
        for file in files
        if file.endswith(suffixes)
    )


def read_snapshot(spec: ModuleSpec, clock: int) -> Snapshot:
    """Read the text of the module that `spec` describes; empty for a file that only its own loader can read.

    Args:
        spec: as a finder gave it.
        clock: the present time in nanoseconds (`time.time_ns()`).

    Raises:
        OSError: the file can't be read.
    """
    loader: Any = spec.loader
    path = spec.origin
    stamp: FileStamp | None
    if type(loader) is SourceFileLoader and path is not None:
        stamp, data = read_file(path)
    else:
        if path is None or is_extension(spec):
            return Snapshot(spec.name, path if path and os.path.isfile(path) else None)
        get_data = getattr(loader, "get_data", None)
        if get_data is None or not (path.endswith(SOURCE_SUFFIXES) or isinstance(loader, SourceFileLoader)):
            return _read_foreign(spec, path, clock)
        try:
            stamp = stamp_file(path)
        except OSError:
            stamp = None  # a file inside an archive has none of its own; one that is gone is its reader's to report
        data = get_data(path)
    return Snapshot(spec.name, path, data, digest_of(data), stamp, clock)


def _read_foreign(spec: ModuleSpec, path: str, clock: int) -> Snapshot:
    """Return a snapshot of a file that is no Python text, or has a loader of its own (a notebook): whether it changed.

    What has no file that could be compared has nothing to tell.
    """
    if not spec.has_location or not os.path.isfile(path):
        return Snapshot(spec.name, None)
    stamp, data = read_file(path)
    return Snapshot(spec.name, path, b"", digest_of(data), stamp, clock)
