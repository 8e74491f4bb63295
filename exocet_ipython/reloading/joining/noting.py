"""Noting what a module runs from while Python's own import loads it: its text, its code, and how long it took."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import CodeType, ModuleType
from typing import Any

from exocet_ipython.loading.bytecode import read_bytecode
from exocet_ipython.loading.digests import ANOTHER_DIGEST
from exocet_ipython.loading.files import FileStamp, stamp_file
from exocet_ipython.loading.loader import bytecode_is_safe, compile_module
from exocet_ipython.loading.source import Snapshot, read_snapshot
from exocet_ipython.loading.spaces import globals_of
from exocet_ipython.loading.tracebacks import as_importlibs
from exocet_ipython.loading.witness import WITNESS
from exocet_ipython.reloading.datafiles.snapshots import find_data_files
from exocet_ipython.reloading.failed import FailedLoad, lacks_module
from exocet_ipython.reloading.holding.baseline import Baseline
from exocet_ipython.reloading.imports import ImportStatement
from exocet_ipython.reloading.joining.nesting import Nesting
from exocet_ipython.reloading.lasting.effects import NO_EFFECTS, EffectsNote
from exocet_ipython.reloading.lasting.originals import Originals
from exocet_ipython.reloading.lasting.settings import Setting

__all__ = ["LoadNotes", "as_changed", "can_be_shadowed"]

_EXEC_MODULE = SourceFileLoader.exec_module
_TICK, _COARSE_TICK = 10**8, 2 * 10**9  # nanoseconds: a save that comes sooner after another may have the same stamp
_DELETED = FileStamp(0, 0, 0, 1)  # no file has it, so the file that was there counts as changed


class LoadNotes:
    """What is known of one load.

    Attributes:
        snapshot: the text that was on disk before the module ran; None while it is not about to run, or was not read
            yet.
        stamp: of the file when the module was about to run; None where its text was read at once.
        began: when that was, in nanoseconds; 0 while it is not known.
        code: what ran; None for a loader that runs its module in its own way.
        seconds: how long the body took, without the modules it imported.
        ended: whether its body is known to have run, to its end or not.
        effects: what the body added to lists of the whole process.
        failed: what it could not import and went on without, and what that could not.
        data: snapshots of the data files that its code shows; None while nobody has looked.
        baseline: what the module held when the import that brought it was done: before the cell goes on to change it,
            and after the modules that it imports, or is imported by, have registered with it.
        is_nested: whether another module's body has brought it.
        imports: its import statements, where they were looked at.
        settings: what it had set elsewhere then.
        spec: the one that it had then; it has another one when others have run its body again.
    """

    __slots__ = (
        "_nesting",
        "_originals",
        "_spec",
        "baseline",
        "began",
        "code",
        "data",
        "effects",
        "ended",
        "failed",
        "imports",
        "is_nested",
        "seconds",
        "settings",
        "snapshot",
        "spec",
        "stamp",
    )

    def __init__(self, snapshot: Snapshot | None = None, code: CodeType | None = None) -> None:
        self.snapshot = snapshot
        self.stamp: FileStamp | None = None
        self.began = 0
        self.code = code
        self.seconds = 0.0
        self.ended = False
        self.effects = NO_EFFECTS
        self.failed: list[FailedLoad] = []
        self.is_nested = False
        self.data: tuple[Snapshot, ...] | None = None
        self.baseline: Baseline | None = None
        self.imports: tuple[ImportStatement, ...] | None = None
        self.settings: dict[Setting, int] | None = None
        self.spec: Any = None
        self._originals = Originals()

    def watch(self, spec: ModuleSpec, nesting: Nesting) -> None:
        """Read the text of a module when it is about to be loaded, and have its loader hand us its code and its time.

        The loader is the finder's own object, made for this spec; methods of it are shadowed until each is called.

        Args:
            spec: of the module.
            nesting: what the thread is running.
        """
        loader: Any = spec.loader
        self._spec = spec
        if can_be_shadowed(loader):
            self._nesting = nesting
            loader.exec_module = self._run
        else:
            self.snapshot = _read_text(spec, time.time_ns())

    @property
    def folders(self) -> Sequence[str]:
        """Where the submodules of a package are looked for."""
        return self._spec.submodule_search_locations or ()

    def text(self) -> Snapshot:
        """Return the text that ran; of a module that was looked for and not loaded, the one that is there.

        A file that was written to since its module began to run has another one: the difference is a change, as of a
        module that was imported before us.
        """
        if self.snapshot is None:
            found = _read_text(self._spec, self.began or time.time_ns())
            same = self.stamp is None or self.stamp == found.stamp
            self.snapshot = found if same else replace(as_changed(found), data=b"")
        return self.snapshot

    def note_data(self, since: int = 0) -> None:
        """Look at the data files that the code of a body shows which has run.

        Args:
            since: what was saved later counts as changed, in nanoseconds; 0 for now.
        """
        if self.data is None and self.ended:
            space = globals_of(sys.modules.get(self._spec.name))
            self.data = find_data_files(self.text(), self.code, space, since=since)

    def _prepare(self) -> None:
        """Read the code where the `.pyc` is certain to be of the text; otherwise have the loader hand it us.

        A `.pyc` that could be older than the text is passed over, as Python would not. The text itself is only needed
        once it is asked for. Where its file would show that it was written to, it is read then.
        """
        loader: Any = self._spec.loader
        stamp = None
        if type(loader) is SourceFileLoader:
            try:
                stamp = stamp_file(self._spec.origin or "")
            except OSError:
                pass  # the import itself will say what is wrong
            else:
                self.code = read_bytecode(self._spec, stamp)
        began = self.began = time.time_ns()
        if self.code is None or stamp is None or _is_young(stamp, began):
            self.snapshot = _read_text(self._spec, began)
            if self.snapshot.stamp != stamp:
                self.code = None
        else:
            self.stamp, self.snapshot = stamp, None
        if self.code is None:
            loader.get_code = self._get_code
        else:
            self._look_ahead(self.code)

    @as_importlibs
    def _get_code(self, name: str) -> CodeType | None:
        loader: Any = self._spec.loader
        del loader.get_code
        self.code = loader.get_code(name) if bytecode_is_safe(self._spec) else compile_module(self._spec, self.text())
        if self.code is not None:
            self._look_ahead(self.code)
        return self.code

    def _look_ahead(self, code: CodeType) -> None:
        """Look at what the body is about to import, and at what it is about to set; watch what runs."""
        WITNESS.watch(code)
        self.imports = self._nesting.look_at_imports(self._spec, code)
        self._originals.read(code, lambda: self.text().data)

    @as_importlibs
    def _run(self, module: ModuleType) -> None:
        loader: Any = self._spec.loader
        nesting = self._nesting
        seconds = nesting.seconds
        del loader.exec_module
        self._prepare()
        self.is_nested = len(seconds) > 1
        seconds.append(0.0)
        nesting.failed.append(self.failed)
        note = EffectsNote(self._originals)
        began = time.perf_counter()
        WITNESS.begin_load()
        try:
            if self.code is not None:
                exec(self.code, module.__dict__)  # noqa: S102 - as importlib does
            else:
                loader.exec_module(module)
        except BaseException as error:
            own = FailedLoad(self._spec.name, self.text(), self.code, lacks_module=lacks_module(error))
            nesting.failed[-2].extend([own, *self.failed])
            raise
        finally:
            WITNESS.end_load()
            nesting.failed.pop()
            took = time.perf_counter() - began
            self.seconds = took - seconds.pop()
            seconds[-1] += took
            self.effects = note.effects()
            self.ended = True
            nesting.end(self, module)
            nesting.tell()


def can_be_shadowed(loader: Any) -> bool:
    """Say whether a loader runs modules by the method of Python's own, so that its instance may have another for once.

    >>> can_be_shadowed(SourceFileLoader("m", "m.py")), can_be_shadowed(None)
    (True, False)
    """
    return getattr(type(loader), "exec_module", None) is _EXEC_MODULE


def _is_young(stamp: FileStamp, clock: int) -> bool:
    """Say whether a save that comes next need not show in the stamp of a file: what it has then would be unknown."""
    is_fine = stamp.changed % 10**6 != 0  # the clock of the file system tells more than milliseconds
    return max(stamp.changed, stamp.modified) > clock - (_TICK if is_fine else _COARSE_TICK)


def as_changed(found: Snapshot) -> Snapshot:
    """Return a snapshot of what a module did not run from, whose file counts as changed: what ran is not known.

    >>> as_changed(Snapshot("m", "/m.py", b"x = 2", "digest")).digest
    'another content'
    """
    if found.data is None:  # it is no more
        return replace(found, data=b"", digest=ANOTHER_DIGEST, stamp=_DELETED, read_at=0)
    return replace(found, digest=ANOTHER_DIGEST, read_at=0)


def _read_text(spec: ModuleSpec, clock: int) -> Snapshot:
    """Read a module's text, of which it is said that it was read at `clock`, in nanoseconds."""
    try:
        return read_snapshot(spec, clock)
    except OSError:
        return Snapshot(spec.name, spec.origin)  # the import itself will say what is wrong
