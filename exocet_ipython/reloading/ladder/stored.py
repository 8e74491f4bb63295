"""Answers of old code that modules have stored since they were imported.

New code in old functions leaves a module's state as it is. After a restart the cells run again, and what they had
functions compute and store is computed by the new code. So state counts that differs from what it was after import,
where a function that has to do with the changed one may have stored it: one that may change a thing of that name, and
either is among those that can name the changed function, or among what these can name, or calls what it was handed.
Then the module is made anew, as on any other edit: what its own functions had stored is gone, what cells had put there
is carried over. A person's own objects keep what is in them on every rung, but for such answers of their own methods.

Two things differ where a look at identities can't tell: what is inside of the items of a container, and objects of
other libraries. These count as changed.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextvars import ContextVar
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

from exocet_ipython.loading.classes import library_of, module_said_by
from exocet_ipython.loading.names import is_dunder
from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.loading.trees import whole
from exocet_ipython.reloading.holding.contents import ATOM_IDS, attributes_of, is_registry
from exocet_ipython.reloading.holding.entries import entries_of, place_of
from exocet_ipython.reloading.holding.held import CELLS, home_of
from exocet_ipython.reloading.holding.parts import parts_of
from exocet_ipython.reloading.holding.paths import attribute_at, owner_of
from exocet_ipython.reloading.ladder.remembering import find_remembering, may_remember
from exocet_ipython.reloading.ladder.uses import Definition
from exocet_ipython.reloading.recording import ModuleRecord

__all__ = ["find_kept"]

_DEFINITIONS = (type, FunctionType, BuiltinFunctionType, ModuleType)
_ADDED = ("__dict__", "__doc__", "__weakref__")
_MANY = 1_000
# What the import system puts into every module: no answer of a function, however often functions name it.
_OF_IMPORT = frozenset(("__cached__", "__doc__", "__file__", "__loader__", "__name__", "__package__", "__path__"))
_missing = object()


def find_kept(
    called: Sequence[Definition], records: Mapping[str, ModuleRecord], filling: Sequence[Definition] = ()
) -> str:
    """Say what may hold answers of the old code, be it state, a default or what cells define; nothing where none does.

    Args:
        called: functions that may have kept them.
        records: the modules of the generation.
        filling: functions that may only have put them into the modules' state.
    """
    kept = _kept_in_defaults(called, records) or _kept_in_instances(called, records) or _find_marked(called)
    return kept or _find_stored((*called, *filling), records)


def _find_stored(writers: Iterable[Definition], records: Mapping[str, ModuleRecord]) -> str:
    """Say what of the modules' state may hold answers of the old code; nothing where none does.

    Args:
        writers: the functions that may have stored them.
        records: the modules of the generation.
    """
    written: dict[str, Definition] = {}
    for writer in writers:
        for name in writer.writes:
            written.setdefault(name, writer)
    if not written:
        return ""
    for record in records.values():
        name, what = next(_changes(record, written.keys(), records), ("", ""))
        if name:
            return (
                f"{record.name}.{what} changed since the import, `{written[name].path}` may have stored answers there"
            )
    return ""


def _changes(
    record: ModuleRecord, written: AbstractSet[str], records: Mapping[str, ModuleRecord]
) -> Iterator[tuple[str, str]]:
    """Yield what of a module's state differs from what its body left, of the names in question: name and path."""
    space = globals_of(record.module)
    for name in written & space.keys():
        if _is_changed(record, name, space[name], records):
            yield name, name
    for name, value in copy_space(space).items():
        is_bare = type(value) is FunctionType and name not in record.contents  # it had no attributes
        if is_bare and value.__dict__ and value.__module__ == record.name:
            yield from ((kept, f"{name}.{kept}") for kept in written & value.__dict__.keys())
    for name in dict.fromkeys(map(owner_of, record.contents)):
        yield from _changes_within(record, (name,), name, space.get(name), written, records)


def _changes_within(  # noqa: PLR0913, PLR0917 - a place in a module, and what is asked of it
    record: ModuleRecord,
    names: tuple[str, ...],
    path: str,
    value: Any,
    written: AbstractSet[str],
    records: Mapping[str, ModuleRecord],
) -> Iterator[tuple[str, str]]:
    """Yield what of a class, an instance or a container differs from what the body left, and of what these have."""
    before = record.contents.get(path)
    if before is None:
        return
    if is_registry(value):
        of_others = [name for name in names[1:] if name in written]  # a global has been looked at
        if of_others and (record.is_adopted or _is_filled(value, before, records)):
            yield of_others[-1], path
        parts = [(f"{path}{place_of(key)}", names, part) for key, part in entries_of(value)]
    else:
        attributes = list(attributes_of(value))
        for name, part in attributes:
            is_same = before.get(name) == id(part) and not record.is_adopted
            if name in written and not is_same and not issubclass(type(part), _DEFINITIONS):
                yield name, f"{path}.{name}"
        parts = [(f"{path}.{name}", (*names, name), part) for name, part in attributes]
    for inner, way, part in parts:
        if inner in record.contents:  # few are
            yield from _changes_within(record, way, inner, part, written, records)


def _find_marked(writers: Iterable[Definition]) -> str:
    """Say which of some functions may have set an attribute of what cells define, as decorators do; nothing where none.

    Where a module is made anew, what cells have decorated is decorated again.
    """
    marks = {name for name in _marks_of(globals_of(sys.modules.get(CELLS))) if not is_dunder(name)}
    path = next((writer.path for writer in writers if marks and not marks.isdisjoint(writer.writes)), "")
    return path and f"`{path}` may have marked what cells define"


def _marks_of(space: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of what the functions and classes of cells have been given since they were made."""
    for value in list(space.values()):
        if not issubclass(type(value), (type, FunctionType)) or home_of(value) != CELLS:
            continue
        if type(value) is FunctionType:
            yield from value.__dict__
            continue
        attributes = copy_space(type.__getattribute__(value, "__dict__"))
        yield from (mark for part in attributes.values() if type(part) is FunctionType for mark in part.__dict__)
        names = [*attributes]  # what Python adds when it has made a class comes after what its body has assigned
        yield from names[max((names.index(name) for name in _ADDED if name in attributes), default=-1) + 1 :]


def _kept_in_defaults(definitions: Iterable[Definition], records: Mapping[str, ModuleRecord]) -> str:
    """Say which of the functions keeps something in an argument's default; nothing where none does."""
    for definition in definitions:
        if definition.writes and (record := records.get(definition.module)) is not None:
            value = attribute_at(record.module, definition.path)
            defaults = getattr(value, "__defaults__", None) or ()
            keywords = getattr(value, "__kwdefaults__", None) or {}
            if any(is_registry(default) and len(default) for default in (*defaults, *keywords.values())):
                return f"`{definition.path}` may keep old answers in a default"
    return ""


def _kept_in_instances(definitions: Iterable[Definition], records: Mapping[str, ModuleRecord]) -> str:
    """Say which of the functions answers from what it has put into its instance; nothing where none does."""
    for definition in definitions:
        record = records.get(definition.module)
        is_possible = record is not None and any(map(may_remember, whole(definition.code)))
        for path, names in find_remembering(record.snapshot.data or b"").items() if record and is_possible else ():
            if f"{path}.".startswith(f"{definition.path}."):
                return f"`{path}` may have put old answers into `{min(names)}` of instances"
    return ""


def _is_changed(record: ModuleRecord, name: str, value: Any, records: Mapping[str, ModuleRecord]) -> bool:
    """Say whether what a global names differs from what it was after the module's body, as far as one can see."""
    kind = type(value)
    if issubclass(kind, _DEFINITIONS):
        return False
    if record.values.get(name) != id(value) or (record.is_adopted and name not in _OF_IMPORT):
        return True
    if is_registry(value):
        return _is_filled(value, record.contents.get(name, {}), records)
    if kind is ContextVar:
        return value.get(_missing) is not _missing
    is_known = id(kind) in ATOM_IDS or library_of(kind) in _known(records)
    return bool(vars(value)) if issubclass(kind, threading.local) else not is_known


def _known(records: Mapping[str, ModuleRecord]) -> frozenset[str]:
    """Return the packages whose objects are looked at by their attributes, or hold no answers: ours, and Python's."""
    return sys.stdlib_module_names | {CELLS} | {name.partition(".")[0] for name in records}


def _is_filled(container: Any, before: Mapping[Any, int], records: Mapping[str, ModuleRecord]) -> bool:
    """Say whether a container has other entries than it had, or entries that may have others inside."""
    if not is_registry(container):
        return False
    if len(container) > _MANY or parts_of(container) != before:
        return True
    parts = list(container.values()) if isinstance(container, dict) else list(container)
    return any(_may_differ_inside(part, records) for part in parts)


def _may_differ_inside(part: Any, records: Mapping[str, ModuleRecord]) -> bool:
    """Say whether an item that is the same object may hold something else by now."""
    if is_registry(part):
        return len(part) > 0
    if isinstance(part, tuple) and not getattr(part, "__dict__", None):
        return any(_may_differ_inside(inner, records) for inner in part)
    kind = type(part)
    return id(kind) not in ATOM_IDS and not issubclass(kind, _DEFINITIONS) and module_said_by(kind) in records
