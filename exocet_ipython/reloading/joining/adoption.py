"""How modules that Python has imported by itself join a generation as they are: nothing runs again."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import marshal
import os
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import Any
from weakref import WeakKeyDictionary

from exocet_ipython.loading.bytecode import HEADER, has_stamp
from exocet_ipython.loading.files import read_file
from exocet_ipython.loading.loader import bytecode_is_safe, compile_module
from exocet_ipython.loading.source import Snapshot, read_snapshot
from exocet_ipython.loading.spaces import spec_of
from exocet_ipython.loading.standin import PRESENCE
from exocet_ipython.reloading.generation import Generation
from exocet_ipython.reloading.holding.guessed import guess_baseline
from exocet_ipython.reloading.holding.inventory import take_baseline
from exocet_ipython.reloading.joining.bystanders import Bystanders
from exocet_ipython.reloading.joining.noting import LoadNotes, as_changed
from exocet_ipython.reloading.recording import ModuleRecord, record_module
from exocet_ipython.reloading.scope import Scope

__all__ = ["adopt_module", "adopt_modules", "leave_modules", "make_records", "run_again"]

# What modules ran from, by module, of sessions that have let go of them.
_LEFT: WeakKeyDictionary[Any, tuple[Snapshot, CodeType | None, tuple[Snapshot, ...], Any]] = WeakKeyDictionary()


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
        related: only these modules and what Python imported since `bystanders` was made, what imports one of them or of
            the generation, or is imported by one, directly or through others, and what is of one package with them;
            None for all.
        bystanders: what earlier calls found out of the modules that don't join.
    """
    bystanders = bystanders or Bystanders()
    strange = bystanders.find_own(scope, generation.records)
    if not strange:
        return {}
    if related is None:
        return _adopted(generation, strange)
    wanted = {*generation.records, *(strange.keys() & related), *bystanders.find_newcomers(strange)}
    case = frozenset((name, id(module)) for name, module in strange.items()), frozenset(wanted)
    if bystanders.is_left(case):
        return {}
    records = _adopted(generation, strange)
    joining = _related(generation.adopting(records), records, wanted)
    if not joining:
        bystanders.leave(case)
    return joining


def adopt_module(generation: Generation, name: str) -> dict[str, ModuleRecord]:
    """Return a record of a module that is loaded and not in the generation, whoever's it is; none of what is no module.

    Args:
        generation: the current one.
        name: dotted name of the module.
    """
    module = PRESENCE.current(name)
    is_strange = name not in generation.records and spec_of(name, module) is not None
    return _adopted(generation, {name: module}) if is_strange else {}


def leave_modules(records: Iterable[ModuleRecord]) -> None:
    """Note what modules have run from that a session lets go of: they may be adopted again after their next edit."""
    for record in records:
        with contextlib.suppress(TypeError):  # an object in a module's stead that can't be referred to weakly
            _LEFT[record.module] = record.snapshot, record.code, record.data, record.spec


def run_again(generation: Generation, names: Iterable[str]) -> dict[str, ModuleRecord]:
    """Return new records of modules that others have run again, or patched, in place."""
    records = [generation.records[name] for name in names]
    return {record.name: record.after_running_again(take_baseline(record.module)) for record in records}


def _adopted(generation: Generation, found: Mapping[str, Any]) -> dict[str, ModuleRecord]:
    loaded = {name: _left(module) or _read_loaded(spec_of(name, module)) for name, module in found.items()}
    for name, notes in loaded.items():
        notes.baseline = guess_baseline(found[name], notes.code)
    return make_records(generation, loaded)


def _left(module: Any) -> LoadNotes | None:
    """Return what an earlier session knew of a module, unless it has been run again since."""
    try:
        snapshot, code, data, spec = _LEFT[module]
    except (KeyError, TypeError):  # TypeError: as above
        return None
    if spec is None or spec() is not getattr(module, "__spec__", None):
        return None
    notes = LoadNotes(snapshot, code)
    notes.data = data
    return notes


def _related(whole: Generation, records: dict[str, ModuleRecord], wanted: Iterable[str]) -> dict[str, ModuleRecord]:
    """Return those of the records that import one of the names or are imported by one, or are of one package with it.

    A submodule that is only imported by a function, or by a cell, needs its package all the same.
    """
    roots = {name.partition(".")[0] for name in wanted}
    chosen = whole.with_dependants({*wanted, *(name for name in records if name.partition(".")[0] in roots)})
    waiting = list(chosen)
    while waiting:
        record = whole.records[waiting.pop()]
        needed = {name for statement in record.imports for name in statement.names} | record.held
        waiting += needed & records.keys() - chosen
        chosen |= needed & records.keys()
    return {name: record for name, record in records.items() if name in chosen}


def make_records(generation: Generation, found: Mapping[str, LoadNotes]) -> dict[str, ModuleRecord]:
    """Return the records of loaded modules, by dotted name, in the order in which they were found."""
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
            failed=loaded.failed,
            is_nested=loaded.is_nested,
            like=generation.records.get(name),
            data=loaded.data,
            baseline=loaded.baseline,
            settings=loaded.settings,
            spec=loaded.spec,
            is_adopted=not loaded.ended,
        )
        for place, (name, loaded) in enumerate(found.items())
        if (module := PRESENCE.current(name)) is not None
    }


def _read_loaded(spec: Any) -> LoadNotes:
    """Return the text and code that a loaded module ran from, where its `.pyc` proves that the file still has them.

    A `.pyc` that could be of another text is compared by its code: a file that was only touched has not changed, and
    one that was edited since has, although its size and second are the same. Of that one the `.pyc` has the code that
    ran, where the import would have written another. A file that is no more was deleted since.
    """
    try:
        snapshot = read_snapshot(spec, time.time_ns())
    except (OSError, AttributeError) as error:
        snapshot = Snapshot(spec.name, spec.origin if spec.has_location else None)
        return LoadNotes(as_changed(snapshot) if isinstance(error, FileNotFoundError) else snapshot)
    if snapshot.stamp is None:
        return LoadNotes(snapshot)
    loader: Any = spec.loader
    cached = _read_bytecode(spec)
    if cached is not None and bytecode_is_safe(spec) and has_stamp(cached, snapshot.stamp):
        same = type(loader).get_code is SourceFileLoader.get_code
        return LoadNotes(snapshot, loader.get_code(spec.name) if same else None)
    if cached is None or getattr(type(loader), "exec_module", None) is not SourceFileLoader.exec_module:
        return LoadNotes(_as_unknown(snapshot))
    try:
        code = compile_module(spec, snapshot)
    except (SyntaxError, ValueError):
        code = None
    ran = marshal.loads(cached[HEADER:])  # noqa: S302 - the file that Python itself has just run
    if code == ran:
        return LoadNotes(snapshot, code)
    return LoadNotes(as_changed(snapshot), ran if _is_written(spec.cached) else None)


def _as_unknown(snapshot: Snapshot) -> Snapshot:
    """Return a snapshot of what a module may not have run from: what its file has later, and not now, is a change."""
    data = snapshot.data or (read_file(snapshot.path)[1] if snapshot.path is not None else b"")
    return replace(snapshot, data=data, digest="")


def _is_written(path: str) -> bool:
    """Say whether an import writes the `.pyc` where that is of another text."""
    return not sys.dont_write_bytecode and os.access(os.path.dirname(path), os.W_OK)


def _read_bytecode(spec: ModuleSpec) -> bytes | None:
    """Return the `.pyc` that the import of a module wrote or read, if it is there and of this Python."""
    try:
        cached = Path(spec.cached).read_bytes() if spec.cached is not None else b""
    except OSError:
        return None
    return cached if cached.startswith(importlib.util.MAGIC_NUMBER) and len(cached) > HEADER else None
