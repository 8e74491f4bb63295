"""How modules that Python imports by itself join a generation: claimed while they load, or adopted as they are."""

from __future__ import annotations

import importlib
import importlib.util
import marshal
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from typing import Any

from exocet_ipython.loading.files import FileStamp
from exocet_ipython.loading.listings import forget_listings
from exocet_ipython.loading.loader import bytecode_is_safe, compile_module
from exocet_ipython.loading.source import Snapshot, find_spec, read_snapshot
from exocet_ipython.loading.standin import PRESENCE
from exocet_ipython.reloading.baseline import take_baseline
from exocet_ipython.reloading.generation import Generation
from exocet_ipython.reloading.graph import read_imports
from exocet_ipython.reloading.joining.bystanders import Bystanders
from exocet_ipython.reloading.joining.nesting import Known, KnownModules, Nesting
from exocet_ipython.reloading.joining.noting import LoadNotes
from exocet_ipython.reloading.recording import ModuleRecord, record_module
from exocet_ipython.reloading.scope import Scope

__all__ = ["Claims", "adopt_modules", "run_again"]


def _is_folder_new() -> bool:
    """Say whether a folder of `sys.path` was not there when Python looked for it: it would not look again."""
    return any(finder is None and os.path.isdir(folder) for folder, finder in list(sys.path_importer_cache.items()))


class Claims:
    """A finder that notes which own modules are imported for the first time, and what they ran from.

    It loads nothing itself: each module is found and run by the loader that Python would use.

    Args:
        scope: which modules are own code.
        thread: the only thread whose imports are noted; None for all.
        generation: returns the current one, into whose modules a new one may put something.

    Attributes:
        scope: as given; it may be replaced while the finder is on.
        known: the own modules that are loaded.
    """

    is_exocet = True

    def __init__(
        self, scope: Scope, thread: int | None = None, generation: Callable[[], Generation] = Generation
    ) -> None:
        self.scope = scope
        self.known = KnownModules(self._find_known)
        self._thread = thread
        self._loaded: dict[str, LoadNotes] = {}
        self._news = False
        self._generation = generation
        self._nesting = Nesting(self.known)

    def put_on(self) -> None:
        """Put the finder before all others on `sys.meta_path`."""
        forget_listings()
        sys.meta_path.insert(0, self)

    def take_off(self) -> None:
        """Take the finder off; harmless when it is off."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    @property
    def found_some(self) -> bool:
        """Whether modules were noted, or have ended loading, since `records` was asked for."""
        return self._news

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:  # noqa: ARG002 - protocol
        """Note the text of an own module that is about to be loaded, and have its loader hand us the code."""
        if self._thread not in (None, threading.get_ident()):
            return None
        spec = find_spec(name, path)
        if spec is None and _is_folder_new():
            forget_listings()
            spec = find_spec(name, path)
        if spec is None or not self.scope.includes_spec(spec):
            return spec  # not None: the other finders need not look for it again
        notes = self._loaded[name] = LoadNotes()
        notes.watch(spec, self._nesting, self._tell)
        self._news = True
        return spec

    @property
    def names(self) -> list[str]:
        """The modules that were noted and that nobody has asked for by `records`."""
        return list(self._loaded)

    def note(self) -> None:
        """Look at the data files of what was noted, for a save that comes later is a change."""
        for notes in list(self._loaded.values()):
            notes.note_data()

    @property
    def unloaded(self) -> list[Snapshot]:
        """The texts of modules that were noted and are not loaded: their import failed, or goes on."""
        return [notes.text() for notes in list(self._loaded.values())]

    def _find_known(self, name: str) -> Known | None:
        """Return a module that another is about to import, with its baseline and imports, if it has been loaded."""
        notes, module = self._loaded.get(name), PRESENCE.current(name)
        if notes is not None and notes.baseline is not None and module is not None:
            if notes.imports is None and notes.code is not None:
                notes.imports = read_imports(notes.code, name, is_package=hasattr(module, "__path__"))
            return module, notes.baseline, notes.imports or ()
        record = self._generation().records.get(name)
        if record is None:
            return None
        record.look_again()
        return record.module, record.baseline, record.imports

    def _tell(self) -> None:
        self._news = True

    def records(self, generation: Generation) -> dict[str, ModuleRecord]:
        """Return the records of the modules that were noted, are loaded, and are not in the generation as they are.

        Another thread may be loading one of them: it is asked for again when it is done. A module that is in the
        generation and was loaded again (taken out of `sys.modules`, or by `importlib.reload`) gets a new record.
        """
        self._news = False
        loaded = {}
        for name in list(self._loaded):
            module = PRESENCE.current(name)
            if module is None:
                continue  # its import failed, has not begun yet, or was only a question: with the next news it shows
            if getattr(getattr(module, "__spec__", None), "_initializing", False):
                self._tell()
                continue
            notes, known = self._loaded.pop(name), generation.records.get(name)
            if known is not None and known.module is module and notes.baseline is not None:
                notes.baseline = known.after_running_again(notes.baseline, notes.code).baseline
            if known is None or known.module is not module or notes.ended:
                loaded[name] = notes
        return _records(generation, loaded)


def adopt_modules(
    generation: Generation,
    scope: Scope,
    related: Iterable[str] | None = None,
    bystanders: Bystanders | None = None,
) -> dict[str, ModuleRecord]:
    """Return records of own modules that are loaded and in no generation yet, as they are: nothing runs again.

    The text they ran from is that of the file when their `.pyc` says so, another one when it says that, else unknown.

    Args:
        generation: the current one.
        scope: which modules are own code.
        related: only these modules, what imports one of them, or is imported by one, directly or through others, and
            what is of one package with them; None for all.
        bystanders: what earlier calls found out of the modules that don't join.
    """
    bystanders = bystanders or Bystanders()
    own = bystanders.find_own(scope)
    strange = {name: module for name, module in own.items() if not _is_known(name, module, generation)}
    if not strange:
        return {}
    if related is None:
        return _adopted(generation, strange)
    wanted = [name for name in related if name in strange or name in generation.records]
    case = frozenset((name, id(module)) for name, module in strange.items()), frozenset(wanted)
    if bystanders.is_left(case):
        return {}
    records = _adopted(generation, strange)
    joining = _related(generation.adopting(records), records, wanted)
    if not joining:
        bystanders.leave(case)
    return joining


def run_again(generation: Generation, names: Iterable[str]) -> dict[str, ModuleRecord]:
    """Return new records of modules that others have run again, or patched, in place."""
    records = [generation.records[name] for name in names]
    return {record.name: record.after_running_again(take_baseline(record.module)) for record in records}


def _adopted(generation: Generation, found: Mapping[str, Any]) -> dict[str, ModuleRecord]:
    return _records(generation, {name: _read_loaded(module.__spec__) for name, module in found.items()})


def _is_known(name: str, module: Any, generation: Generation) -> bool:
    """Say whether a generation has a module; a person may have taken it out of `sys.modules` and imported it again."""
    record = generation.records.get(name)
    return record is not None and record.module is module


def _related(whole: Generation, records: dict[str, ModuleRecord], wanted: Iterable[str]) -> dict[str, ModuleRecord]:
    """Return those of the records that import one of the names or are imported by one, or are of one package with it.

    A submodule that is only imported by a function, or by a cell, needs its package all the same.
    """
    roots = {name.partition(".")[0] for name in wanted}
    chosen = {*wanted, *(name for name in records if name.partition(".")[0] in roots)}
    chosen |= whole.graph().dependants(chosen).keys()
    waiting = list(chosen)
    while waiting:
        record = whole.records[waiting.pop()]
        needed = {name for statement in record.imports for name in statement.names} | record.held
        waiting += needed & records.keys() - chosen
        chosen |= needed & records.keys()
    return {name: record for name, record in records.items() if name in chosen}


def _records(generation: Generation, found: Mapping[str, LoadNotes]) -> dict[str, ModuleRecord]:
    first = generation.next_order
    return {
        name: record_module(
            module,
            loaded.text(),
            loaded.code,
            name=name,
            order=first + place,
            number=generation.number,
            seconds=loaded.seconds,
            effects=loaded.effects,
            like=generation.records.get(name),
            data=loaded.data,
            baseline=loaded.baseline,
            is_adopted=not loaded.ended,
        )
        for place, (name, loaded) in enumerate(found.items())
        if (module := PRESENCE.current(name)) is not None
    }


def _read_loaded(spec: Any) -> LoadNotes:
    """Return the text and code that a loaded module ran from, where its `.pyc` proves that the file still has them.

    A `.pyc` that could be of another text is compared by its code: a file that was only touched has not changed, and
    one that was edited since has, although its size and second are the same. A file that is no more was deleted since.
    """
    try:
        snapshot = read_snapshot(spec, time.time_ns())
    except (OSError, AttributeError) as error:
        if isinstance(error, FileNotFoundError):
            snapshot = Snapshot(spec.name, spec.origin, b"", _ANOTHER, _DELETED)
        else:
            snapshot = Snapshot(spec.name, spec.origin if spec.has_location else None)
        return LoadNotes(snapshot)
    if snapshot.stamp is None:
        return LoadNotes(snapshot)
    loader: Any = spec.loader
    cached = _read_bytecode(spec)
    if cached is not None and bytecode_is_safe(spec) and _has_stamp(cached, snapshot.stamp):
        same = type(loader).get_code is SourceFileLoader.get_code
        return LoadNotes(snapshot, loader.get_code(spec.name) if same else None)
    if cached is None or getattr(type(loader), "exec_module", None) is not SourceFileLoader.exec_module:
        return LoadNotes(replace(snapshot, digest=""))
    try:
        code = compile_module(spec, snapshot)
    except (SyntaxError, ValueError):
        code = None
    if code == marshal.loads(cached[_HEADER:]):  # noqa: S302 - the file that Python itself has just run
        return LoadNotes(snapshot, code)
    return LoadNotes(replace(snapshot, digest=_ANOTHER, read_at=0))


def _read_bytecode(spec: ModuleSpec) -> bytes | None:
    """Return the `.pyc` that the import of a module wrote or read, if it is there and of this Python."""
    try:
        cached = Path(spec.cached).read_bytes() if spec.cached is not None else b""
    except OSError:
        return None
    return cached if cached.startswith(importlib.util.MAGIC_NUMBER) and len(cached) > _HEADER else None


def _has_stamp(cached: bytes, stamp: FileStamp) -> bool:
    """Say whether a `.pyc` has a file's time and size in its header (PEP 552)."""
    fields = (0, stamp.modified // 10**9 & 0xFFFFFFFF, stamp.size & 0xFFFFFFFF)
    return cached[4:_HEADER] == b"".join(field.to_bytes(4, "little") for field in fields)


_HEADER = 16  # bytes
_ANOTHER = "another text"  # equals no digest
_DELETED = FileStamp(0, 0, 0, 1)  # no file has it, so the file that was there counts as changed
