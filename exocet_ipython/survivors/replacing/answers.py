"""Answers that instances keep of a `cached_property` or its like, and whether the new code would give the same."""

from __future__ import annotations

import dis
from collections.abc import Collection, Mapping
from functools import partial
from types import FunctionType
from typing import Any

from exocet_ipython.loading.classes import first_named, mro_of
from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.loading.trees import whole
from exocet_ipython.reloading.holding.contents import dict_of
from exocet_ipython.reloading.holding.slots import filled_slots
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.ladder.operations import iter_operations
from exocet_ipython.reloading.retired import functions_in
from exocet_ipython.survivors.comparison import Beside, Comparison, class_attributes
from exocet_ipython.survivors.repeating.kept import kept_answers_of

__all__ = ["KeptAnswers", "drop_answers", "stale_answers"]

_missing = object()
_STORE_ATTR = dis.opmap["STORE_ATTR"]


def stale_answers(before: type, now: type, beside: Beside | None) -> tuple[str, ...]:
    """Return the names under which instances may keep answers of a `cached_property`, say, that would be others now.

    Where the new class has no such property, they would hide what it has, or be there where nothing is; but for one
    that assigns an attribute of this name itself, as an eager form of the property does: they stand for that.

    Args:
        before: a retired class.
        now: the new one.
        beside: what else is another now.
    """
    found = [
        name
        for name, part in class_attributes(before).items()
        if (kept := kept_answers_of(part)) and _is_stale(name, kept, Comparison(before, now, beside=beside), now)
    ]
    slotted, known = _kept_in_slots(before), _kept_in_slots(now)
    is_same = Comparison(before, now, beside=beside).is_same
    stale = {name for name, part in slotted.items() if not is_same(part, known.get(name))}
    for _ in slotted if stale else ():  # one may ask another
        stale |= {name for name, part in slotted.items() if not stale.isdisjoint(part.__code__.co_names)}
    return (*found, *stale)


def _kept_in_slots(cls: type) -> dict[str, FunctionType]:
    """Return the functions of the `cached_property`s of which attrs has made slots, and a `__getattr__` that asks them.

    >>> _kept_in_slots(int)
    {}
    """
    found: dict[str, FunctionType] = {}
    for base in reversed(mro_of(cls)):
        asking = vars(base).get("__getattr__")
        if type(asking) is FunctionType and "_cached_setattr_get" in asking.__globals__:
            found |= asking.__globals__["cached_properties"]
    return found


def drop_answers(instance: Any, names: Collection[str]) -> None:
    """Take answers off an instance that keeps them under these names, in its dict or in slots."""
    for name in names:
        (dict_of(instance) or {}).pop(name, None)
    for slot, _ in filled_slots(instance) if names else ():
        if slot.__name__ in names:
            slot.__delete__(instance)


class KeptAnswers:
    """Answers that instances keep (`cached_property`) of attributes whose values are replaced.

    >>> from functools import cached_property
    >>> class Circle:
    ...     def __init__(self, size): self.size = size
    ...     radius = cached_property(lambda self: self.size / 2)
    ...     area = cached_property(lambda self: 3 * self.radius**2)
    >>> circle, answers = Circle(2), KeptAnswers()
    >>> circle.area
    3.0
    >>> answers.note(circle)
    >>> circle.size = 4
    >>> answers.drop(Journal())
    >>> circle.area
    12.0
    """

    def __init__(self) -> None:
        self._kinds: dict[int, dict[str, list[FunctionType]]] = {}  # few classes may have a million instances
        self._noted: list[tuple[Any, dict[str, Any]]] = []

    def note(self, instance: Any) -> None:
        """Note the attributes of an instance that may keep answers, before one of them is replaced."""
        if self._kept_by(type(instance)) and (attributes := dict_of(instance)) is not None:
            self._noted.append((instance, copy_space(attributes)))

    def drop(self, journal: Journal) -> None:
        """Take off the answers that were made of attributes which are others now."""
        for instance, before in self._noted:
            attributes = dict_of(instance) or {}
            pairs = {name: (value, attributes.get(name)) for name, value in before.items()}
            changed = {name: pair for name, pair in pairs.items() if pair[0] is not pair[1]}
            if any(_has(cls, instance) for pair in changed.values() for cls in pair):
                continue  # what a library has noted of a class, whose turn it is again when an edit is undone
            kind = type(instance)
            for name in _stale_names(kind, self._kept_by(kind), changed):
                if name in attributes:
                    journal.add(partial(attributes.__setitem__, name, attributes.pop(name)))

    def _kept_by(self, kind: type) -> dict[str, list[FunctionType]]:
        """Return the functions whose answers instances of a class keep, by the names of these."""
        if id(kind) not in self._kinds:
            parts = class_attributes(kind).items()
            self._kinds[id(kind)] = {name: found for name, part in parts if (found := kept_answers_of(part))}
        return self._kinds[id(kind)]


def _has(cls: Any, instance: Any) -> bool:
    """Say whether something is a class that has an instance as an attribute."""
    return issubclass(type(cls), type) and any(part is instance for part in copy_space(vars(cls)).values())


def _stale_names(
    kind: type, kept: Mapping[str, list[FunctionType]], changed: Mapping[str, tuple[Any, Any]]
) -> list[str]:
    """Return the names of the answers that functions of a class have made of what has changed, each way round."""
    bases = mro_of(kind)
    is_same, stale = Comparison(kind, kind).is_same, list[str]()
    others = {name for name, pair in changed.items() if not (is_same(*pair) and is_same(*map(type, pair)))}
    count = -1
    while count != len(stale):
        count = len(stale)
        stale += [name for name in kept if name not in stale and not others.isdisjoint(_named_by(kept[name], bases))]
        others |= {*stale}
    return stale


def _named_by(functions: list[FunctionType], bases: tuple[type, ...]) -> set[str]:
    """Return what functions of a class name, and what its functions that they name do."""
    named, waiting = set[str](), list(functions)
    while waiting:
        names = {name for code in whole(waiting.pop().__code__) for name in code.co_names} - named
        named |= names
        waiting += [found for name in names for found in functions_in(first_named(name, bases))]
    return named


def _is_stale(name: str, functions: list[FunctionType], comparison: Comparison, now: type) -> bool:
    current = class_attributes(now).get(name, _missing)
    if others := kept_answers_of(current):
        return len(functions) != len(others) or not all(map(comparison.is_same, functions, others))
    return current is not _missing or name not in _assigned(now)


def _assigned(cls: type) -> set[str]:
    """Return the names of the attributes that the methods of a class and its bases assign, and of its fields."""
    fields = {name for base in mro_of(cls) for name in vars(base).get("__annotations__", ())}
    functions = [function for part in class_attributes(cls).values() for function in functions_in(part)]
    codes = [code for function in functions for code in whole(function.__code__)]
    return fields | {name for code in codes for _, operation, name in iter_operations(code) if operation == _STORE_ATTR}
