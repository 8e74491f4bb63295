"""What definitions that are gone have left: they may be back some day, by an undo or a repair, as other objects.

Classes and functions whose definition is gone are survivors like others. This is about the objects that a module's
body made of them, which the person may hold, and about what the person's cells had put into its containers and
registered with its generic functions: a restart would run those cells again.
"""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import FunctionType, ModuleType
from typing import Any

from exocet_ipython.loading.names import is_dunder
from exocet_ipython.loading.references import OwnReference
from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.reloading.holding.contents import (
    ATOM_IDS,
    attributes_of,
    fingerprint,
    is_registry,
    is_shared,
)
from exocet_ipython.reloading.holding.items import count_of
from exocet_ipython.reloading.holding.paths import attribute_at
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.lasting.originals import origins_of
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.survivors.carrying.ownership import Ownership
from exocet_ipython.survivors.carrying.registrations import registered_by_cells
from exocet_ipython.survivors.definitions import is_definition
from exocet_ipython.survivors.finding.generations import RetiredGeneration
from exocet_ipython.survivors.repeating.entries import MANY, changed_entries, put_into
from exocet_ipython.survivors.storing.readings import ReadStores
from exocet_ipython.survivors.storing.stores import read_stores
from exocet_ipython.survivors.wrapped import has_own_name

__all__ = ["Gains", "LostDefinitions", "LostValue", "find_lost"]

_Reference = Callable[[], Any]
_ITEMS = frozenset(map(id, (list, set, deque, weakref.WeakSet)))  # they have keys only
# A dotted path within a module, the container that it leads to, and what cells have put into that, by key and value.
_Left = tuple[str, Any, list[tuple[Any, Any]]]


@dataclass(frozen=True, slots=True)
class LostValue:
    """An instance that a module has made; its mark tells whether the person has changed it since.

    One that is given had been changed before, and what took its place has all that was put into it.
    """

    module: str
    path: str
    reference: weakref.ref[Any]
    known: int
    is_given: bool = False
    mark: Callable[[Any], int] = fingerprint

    def may_be_back(self, modules: Mapping[str, ModuleType]) -> bool:
        """Say whether nobody has changed it, and another object is under its name, or may be elsewhere by now."""
        living, now = self.reference(), attribute_at(modules.get(self.module), self.path)
        if living is None or now is living or (now is None and not has_own_name(living)):
            return False
        return self.mark(living) == self.known


@dataclass(frozen=True, slots=True)
class _Entries:
    """What cells put into a container, a generic function or a module: keys and values."""

    module: str
    path: str
    kind: type
    items: tuple[tuple[_Reference, _Reference], ...]

    def put_back(self, module: ModuleType, journal: Journal) -> None:
        """Put what lives of it into what a module has under its name, if that is of the same kind."""
        now: Any = attribute_at(module, self.path)
        if type(now) is not self.kind:
            return
        for key, value in [(key(), value()) for key, value in self.items]:
            if key is None or (value is None and id(type(now)) not in _ITEMS):
                continue  # it is gone
            if now is module:
                journal.set_attribute(module, key, value)
            elif is_registry(now):
                put_into(now, key, value, journal)
            elif hasattr(now, "register"):
                now.register(key, value)


@dataclass(frozen=True, slots=True)
class Gains:
    """What a module has by now that it did not have from the first.

    Attributes:
        generation: the number of the one in which it was loaded first.
        changed: when its file was put or saved in its place that it was loaded from first, in nanoseconds.
        names: those that edits have brought since.
    """

    generation: int
    changed: int
    names: frozenset[str] = frozenset()

    @classmethod
    def of(cls, record: ModuleRecord) -> Gains:
        """Return those of a module that was loaded, and not made anew since."""
        return cls(record.generation, 0 if record.snapshot.stamp is None else record.snapshot.stamp.changed)


@dataclass(slots=True)
class LostDefinitions:
    """What is remembered of definitions that are gone. It holds no object alive but plain functions of cells.

    Attributes:
        values: the instances that modules had made.
        tracked: those of replaced modules that have a counterpart, as long as nobody has asked for what lives to move.
        entries: what cells had put into containers.
        former: dotted name of a class or function -> the one before it was moved or renamed: it may be back there.
        gained: dotted name of a module that was made anew -> what it has gained.

    >>> LostDefinitions().returning({}, 1)
    []
    """

    values: list[LostValue] = field(default_factory=list)
    tracked: list[LostValue] = field(default_factory=list)
    entries: list[_Entries] = field(default_factory=list)
    former: dict[str, str] = field(default_factory=dict)
    gained: dict[str, Gains] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<{len(self.values)} lost values, {len(self.entries)} lost containers>"

    def update(self, more: LostDefinitions, modules: Mapping[str, ModuleType]) -> None:
        """Take in what a publish has lost, and forget what is there again, or itself gone.

        Args:
            more: what was lost.
            modules: dotted name -> module that is current now.
        """
        self.former |= more.former
        for name, gains in more.gained.items():
            known = self.gained.get(name, gains)
            self.gained[name] = replace(known, names=known.names | gains.names)
        self.gained = {name: gains for name, gains in self.gained.items() if name in modules}
        self.values = [value for value in (*self.values, *more.values) if value.reference() is not None]
        self.tracked = [value for value in (*self.tracked, *more.tracked) if value.reference() is not None]
        entries = {(one.module, one.path): one for one in (*self.entries, *more.entries)}
        self.entries = [lost for lost in entries.values() if attribute_at(modules.get(lost.module), lost.path) is None]

    def put_back(self, made: Mapping[str, ModuleType], journal: Journal) -> None:
        """Put what cells had put into containers into those of new modules that are there again."""
        for entries in self.entries:
            if entries.module in made:
                entries.put_back(made[entries.module], journal)

    def returning(self, modules: Mapping[str, ModuleType], number: int) -> list[RetiredGeneration]:
        """Return the instances whose definition is back, or was only replaced, as survivors of a generation; or none.

        Args:
            modules: dotted name -> module that is current now.
            number: of the generation.
        """
        back = [value for value in (*self.values, *self.tracked) if value.may_be_back(modules)]
        if not back:
            return []
        named = {id(part) for module in modules.values() for part in list(globals_of(module).values())}
        found = [value for value in back if id(value.reference()) not in named]  # others only had it from elsewhere
        return [RetiredGeneration(number, [("instance", f"{v.module}.{v.path}", v.reference) for v in found])]


def find_lost(old: Mapping[str, ModuleRecord], modules: Mapping[str, ModuleType], read: ReadStores) -> LostDefinitions:
    """Return what modules that retire leave, of that which has no counterpart, and what those in their place gain.

    Args:
        old: dotted name -> record of a module that retires.
        modules: dotted name -> module that is current then.
        read: what the functions of the session's modules store, and what cells have assigned there.
    """
    lost = LostDefinitions()
    for name, record in old.items():
        new = modules.get(name)
        if new is not None:
            names = globals_of(new).keys() - globals_of(record.module).keys()
            lost.gained[name] = replace(Gains.of(record), names=frozenset(names))
        gone = [*_lost_names(record, new, read.renamed_in(name))]
        lost.values += _lost_values(record, gone)
        left = [*_lost_entries(record, gone, read), *_lost_registrations(gone), *_lost_attributes(record, new)]
        lost.entries += [
            _Entries(name, path, type(container), tuple(items))
            for path, container, entries in left
            if (items := list(_referred(entries)))
        ]
    return lost


def _lost_names(record: ModuleRecord, new: ModuleType | None, renamed: Container[str]) -> Iterator[tuple[str, Any]]:
    """Yield what a module has under names that the new one has not, unless it has others for that."""
    space = copy_space(globals_of(record.module))
    for name in space.keys() - globals_of(new).keys():
        if not (is_dunder(name) or name in renamed):
            yield name, space[name]


def _lost_values(record: ModuleRecord, gone: Iterable[tuple[str, Any]]) -> Iterator[LostValue]:
    """Yield the instances that a module has made; those that can't be referenced weakly, lists say, are left out."""
    for name, value in gone:
        if is_definition(value) or is_shared(value):
            continue
        mark = fingerprint(value)
        if mark != record.fingerprints.get(name, 0):
            continue  # the person's by now
        try:
            yield LostValue(record.name, name, OwnReference(value), mark)
        except TypeError:
            continue


def _lost_entries(record: ModuleRecord, gone: Sequence[tuple[str, Any]], read: ReadStores) -> Iterator[_Left]:
    """Yield what cells put into those containers of a module that have no counterpart, its classes' included.

    What the module has imported is another's, which has it still.
    """
    owned, code = Ownership(record, read), record.body_code
    imported = origins_of(code) if gone and code is not None else {}
    for name, value in gone:
        if name in imported:
            continue
        parts = [(name, value)]
        if issubclass(type(value), type) and name in record.contents:
            baseline = record.contents[name]
            parts = [(f"{name}.{n}", part) for n, part in attributes_of(value) if baseline.get(n) == id(part)]
        for path, part in parts:
            if is_registry(part) and count_of(part) <= MANY:
                changed = changed_entries(part, record.contents.get(path, {}))
                found = [
                    entry for entry in changed if not owned.is_modules(path, *entry) and owned.is_persons(path, *entry)
                ]
                if found:
                    yield path, part, found


def _lost_registrations(gone: Iterable[tuple[str, Any]]) -> Iterator[_Left]:
    for name, value in gone:
        if type(value) is FunctionType and (registered := registered_by_cells(value)):
            yield name, value, registered


def _lost_attributes(record: ModuleRecord, new: ModuleType | None) -> Iterator[_Left]:
    """Yield what cells have assigned to a module that is gone; what its own functions assign is a cache."""
    assigned = record.assigned() if new is None else {}
    if assigned:
        computed = read_stores(record.snapshot.data or b"").globals
        kept = [(name, value) for name, value in assigned.items() if not is_dunder(name) and name not in computed]
        yield "", record.module, [item for item in kept if not issubclass(type(item[1]), ModuleType)]


def _referred(entries: Iterable[tuple[Any, Any]]) -> Iterator[tuple[_Reference, _Reference]]:
    for key, value in entries:
        try:
            yield _refer(key), _refer(value)
        except TypeError:
            continue  # a list, say: holding it would keep it alive


def _refer(value: Any) -> _Reference:
    """Return what gives a value as long as it lives; values that hold nothing are simply kept."""
    is_plain = type(value) is FunctionType and not (value.__closure__ or value.__defaults__ or value.__kwdefaults__)
    return (lambda: value) if id(type(value)) in ATOM_IDS or is_plain else OwnReference(value)
