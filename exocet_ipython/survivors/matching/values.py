"""Instances and containers that retire: which names are theirs, and what is in them beside what is in the new ones.

A name that only points at another module's object, and at another one of these in the next edit, says nothing about
either of them.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from exocet_ipython.loading.classes import defines
from exocet_ipython.reloading.holding.contents import (
    BOUND_IDS,
    attributes_of,
    dict_of,
    fingerprint,
    is_registry,
    is_shared,
)
from exocet_ipython.reloading.holding.entries import entries_beside, entries_of, place_of
from exocet_ipython.reloading.holding.parts import parts_of
from exocet_ipython.reloading.holding.wiring import is_as_made
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.survivors.definitions import is_definition
from exocet_ipython.survivors.former import renamed_by, under_old_names
from exocet_ipython.survivors.matching.lent import find_lent, home_first, is_foreign
from exocet_ipython.survivors.matching.succession import Succession

__all__ = ["Value", "Values", "inner_values", "parts_beside"]

_MANY = 1_000


@dataclass(frozen=True, slots=True)
class Value:
    """An instance or container that a retired module has somewhere, and what the new one has there."""

    record: ModuleRecord
    path: str
    before: Any
    now: Any


class Values:
    """What modules and classes name that retires with them.

    Args:
        succession: which modules retire, and which are current now.
    """

    def __init__(self, succession: Succession) -> None:
        self._succession = succession
        self._whole = succession.whole
        self._staying = succession.staying
        self._found: dict[int, list[Value]] = {}
        self._foreign: tuple[list[Any], list[Any]] = [], []  # lists: pairs would be one more that refers to each
        self._around: list[Any] = []  # the new containers and instances that some of these are in

    def note(self, value: Value) -> None:
        """Take in what a module or a class has, if that is as the module's body left it."""
        if self.is_own(value) and not self.note_foreign(value.before, value.now):
            self._found.setdefault(id(value.before), []).append(value)

    def own(self) -> Iterator[Value]:
        """Yield what was taken in, each under the name that is its own."""
        for candidates in self._found.values():
            yield candidates[home_first([(value.record, value.path) for value in candidates])]

    def foreign(self) -> Iterator[tuple[Any, Any]]:
        """Yield the instances of others' classes, but for those that their modules only had from elsewhere."""
        before, now = self._foreign
        lent = find_lent(now, self._succession.new.values(), [*self._staying.names, *self._around]) if now else ()
        for index, value in enumerate(before):
            if id(now[index]) not in lent:
                yield value, now[index]

    def is_own(self, value: Value) -> bool:
        """Say whether something is what its module's body left, to be replaced whole."""
        before = value.before
        if is_shared(before) or issubclass(type(before), enum.Enum) or self.is_elsewhere(before):
            return False  # members go with their class
        if id(before) in self._whole or _is_decorated(value):
            return True
        if value.path in value.record.fingerprints:
            return is_as_made(value.record, value.path, before)
        known = value.record.contents.get(value.path)
        return fingerprint(before) == 0 if known is None else known == parts_of(before)

    def is_elsewhere(self, value: Any) -> bool:
        """Say whether a module that stays has a value."""
        return id(value) in self._staying

    def note_attribute(
        self, record: ModuleRecord | None, cls: type, name: str, both: tuple[Any, Any], around: Any = None
    ) -> bool:
        """Take in what a class has, if it is in the class's own baseline; say whether it is.

        Args:
            record: of the module of the class, if that retires.
            cls: that.
            name: of the attribute.
            both: what the class has there, and what takes its place.
            around: the static method that has it; None where the class itself does.
        """
        before, path = both[0], f"{cls.__qualname__}.{name}"
        is_fixed = is_shared(before) or (defines(type(before), "__get__") if around is None else is_definition(before))
        if record is None or is_fixed or id(type(both[1])) in BOUND_IDS:
            return False
        known = record.contents.get(path)
        if record.contents.get(cls.__qualname__, {}).get(name) != id(before if around is None else around):
            return False
        if known is not None and known != parts_of(before) and id(before) not in self._whole:
            return False
        if not self.note_foreign(*both) and not self.is_elsewhere(before):
            self._found.setdefault(id(before), []).append(Value(record, path, *both))
        return True

    def note_foreign(self, before: Any, now: Any, around: Any = None) -> bool:
        """Take in an instance of another's class; say whether it is one.

        Args:
            before: what the retired module has.
            now: what the new one has there.
            around: the container or instance of the new one that has it; None where a module or a class does.
        """
        found = is_foreign(before, self._succession)
        if found:
            self._foreign[0].append(before)
            self._foreign[1].append(now)
            self._around += around, dict_of(around)
        return found


def _is_decorated(value: Value) -> bool:
    """Say whether a decorator has made an instance of the function that its name was given to by `def`.

    It stands for that, and what it puts away beside is a cache.
    """
    parts = [part for _, part in attributes_of(value.before) if type(part) is FunctionType]
    return any(part.__qualname__ == value.path and part.__module__ == value.record.name for part in parts)


def inner_values(values: Iterable[Any]) -> list[Any]:
    """Return the containers and instances that are in others, all the way down, as far as a thousand of them tell.

    >>> inner_values([{"a": [1, {"b": 2}]}])
    [[1, {'b': 2}], {'b': 2}]
    """
    found: dict[int, Any] = {}
    waiting = list(values)
    while waiting and len(found) < _MANY:
        value = waiting.pop()
        entries = entries_of(value) or ([] if is_registry(value) else attributes_of(value))
        for _, part in entries:
            if id(part) not in found and not is_definition(part) and not is_shared(part):
                found[id(part)] = part
                waiting.append(part)
    return list(found.values())


def parts_beside(value: Value) -> Iterator[Value]:
    """Yield what an instance or container holds, each beside what its counterpart has in the same place."""
    for key, part, now in entries_beside(value.before, value.now):
        if now is not None and now is not part:
            yield Value(value.record, f"{value.path}{place_of(key)}", part, now)
    if not is_registry(value.before):
        record, known = value.record, under_old_names(dict(attributes_of(value.now)), renamed_by(value.record.module))
        for name, part in attributes_of(value.before):
            path, now = f"{value.path}.{name}", known.get(name)
            is_noted = path in record.contents or path in record.fingerprints  # a tuple has the latter alone
            is_noted = is_noted or record.contents.get(value.path, {}).get(name) == id(part)  # and an array neither
            if is_noted and now is not None and now is not part:
                yield Value(record, path, part, now)
