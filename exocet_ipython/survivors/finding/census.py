"""Counting what lives of retired generations: instances, subclasses, classes, functions and modules, and their size.

One scan of the heap finds the instances: each refers to its class. What the scan can't find is named in `Census`.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from types import FunctionType, ModuleType
from typing import Any

from exocet_ipython.reloading.collector import count_frozen, referents_of, referrers_of
from exocet_ipython.reloading.holding.held import CELLS, home_of
from exocet_ipython.survivors.classes import is_defined
from exocet_ipython.survivors.finding.freed import Freed, find_freed
from exocet_ipython.survivors.finding.generations import RetiredGeneration

__all__ = ["Census", "Count", "take_census"]

_POINTER = 8  # bytes
_MEASURED = 30  # definitions of one kind
_Found = Mapping[tuple[int, str], list[Any]]  # generation, dotted name of a class -> instances


@dataclass(frozen=True, slots=True)
class Count:
    """How many there are of one thing, and their size in bytes, without what they refer to: an estimate.

    >>> Count(2, 96) - Count(1, 48)
    Count(number=1, size=48)
    """

    number: int = 0
    size: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(self.number + other.number, self.size + other.size)

    def __sub__(self, other: Count) -> Count:
        return Count(self.number - other.number, self.size - other.size)


@dataclass(frozen=True, slots=True)
class Census:
    """What lives of one retired generation.

    Of the instances that `gc.freeze` has set aside, only those are found that names lead to. Others are, whether or not
    they can be referenced weakly.

    Attributes:
        number: of the generation.
        instances: dotted name of a retired class -> its instances, those of subclasses from elsewhere included. In the
            order of the names, wherever on the heap an instance is.
        subclasses: how many classes that are current, made in cells as a rule, derive from a retired one.
        classes: how many of its own classes live.
        functions: how many of its functions.
        modules: how many of its modules.
        freed: how large all of it is with what only it holds; None where the heap was not scanned.
        frozen: how many objects `gc.freeze` has set aside; there may be further instances among them.
    """

    number: int
    instances: Mapping[str, Count] = field(default_factory=dict)
    subclasses: Count = Count()
    classes: Count = Count()
    functions: Count = Count()
    modules: Count = Count()
    freed: Freed | None = None
    frozen: int = 0

    @property
    def total(self) -> Count:
        """All of it, by itself."""
        parts = [*self.instances.values(), self.subclasses, self.classes, self.functions, self.modules]
        return sum(parts, Count())


def take_census(
    generations: Iterable[RetiredGeneration], named: _Found | None = None, *, scan: bool = True
) -> tuple[Census, ...]:
    """Count what lives of retired generations, with one scan of the heap for all of them.

    Args:
        generations: the retired generations.
        named: the instances that names lead to, by generation and dotted name of their class.
        scan: whether to scan the heap for all instances; else those count that names lead to.

    >>> take_census([])
    ()
    """
    living = [(generation.number, list(generation.living())) for generation in generations]
    owners: dict[int, tuple[int, str]] = {}  # id of a class -> the generation and the name that its instances count for
    classes: list[type] = []
    subclasses: Counter[int] = Counter()
    sizes: Counter[int] = Counter()
    for number, entries in living:
        for kind, name, value in entries:
            if kind == "class":
                owners[id(value)] = number, name
                classes.append(value)
    for cls in classes:  # grows while it is walked
        derived: list[type] = type.__subclasses__(cls)
        for below in derived:
            if id(below) not in owners and _is_current(below):
                number, name = owners[id(below)] = owners[id(cls)]
                classes.append(below)
                subclasses[number] += 1
                sizes[number] += _size_of(below)
    frozen = count_frozen()
    found = _find_instances(classes, owners) if scan else dict(named or {})
    if scan and frozen:
        _add_named(found, named or {})
    counted = _count_found(found)
    return tuple(
        Census(
            number,
            counted.get(number, {}),
            Count(subclasses[number], sizes[number]),
            **_count_definitions(entries),
            freed=_freed(number, entries, found) if scan else None,
            frozen=frozen,
        )
        for number, entries in living
    )


def _is_current(cls: type) -> bool:
    """Say whether a class is a cell's, or what its module has by its name: else it is garbage of a reload before."""
    return home_of(cls) == CELLS or is_defined(cls, sys.modules)


def _find_instances(classes: list[type], owners: Mapping[int, tuple[int, str]]) -> dict[tuple[int, str], list[Any]]:
    """Return the instances of classes, by generation and dotted name."""
    instances: dict[tuple[int, str], list[Any]] = {}
    for found in referrers_of(classes):
        if id(type(found)) in owners:
            instances.setdefault(owners[id(type(found))], []).append(found)
    return instances


def _add_named(found: dict[tuple[int, str], list[Any]], named: _Found) -> None:
    """Add to the instances that a scan has found those that names lead to: `gc.freeze` hides some from the scan."""
    for key, instances in named.items():
        known = {id(one) for one in found.get(key, ())}
        found.setdefault(key, []).extend(one for one in instances if id(one) not in known)


def _freed(
    number: int, entries: Iterable[tuple[str, str, Any]], found: Mapping[tuple[int, str], Sequence[Any]]
) -> Freed:
    targets = [value for _, _, value in entries]
    targets += [value for (generation, _), values in found.items() if generation == number for value in values]
    return find_freed(targets, _size_of)


def _count_found(found: _Found) -> dict[int, dict[str, Count]]:
    named: dict[int, dict[str, Count]] = {}
    for (generation, name), instances in sorted(found.items(), key=itemgetter(0)):
        named.setdefault(generation, {})[name] = Count(len(instances), sum(map(_size_of, instances)))
    return named


def _count_definitions(entries: Iterable[tuple[str, str, Any]]) -> dict[str, Count]:
    found: dict[str, list[Any]] = {"class": [], "function": [], "module": []}
    for kind, _, value in entries:
        found[kind].append(value)
    names = {"class": "classes", "function": "functions", "module": "modules"}
    return {names[kind]: Count(len(values), _size_of_all(values)) for kind, values in found.items()}


def _size_of_all(values: Sequence[Any]) -> int:
    """Return the size of all objects; where there are many, as if the others were as large as the first ones."""
    measured = values[:_MEASURED]
    return sum(map(_size_of, measured)) * len(values) // max(1, len(measured))


def _size_of(value: Any) -> int:
    """Return the size of an object with the room for its attributes, in bytes.

    The dict of an instance is not asked for: that would make one, where the attributes are inline.
    """
    try:
        size = sys.getsizeof(value)
    except Exception:  # noqa: BLE001 - a person's own `__sizeof__`
        size = object.__sizeof__(value)
    if type(value) is FunctionType:
        return size + sys.getsizeof(value.__code__)
    if issubclass(type(value), (type, ModuleType)):
        return size + sys.getsizeof(dict(vars(value)))
    return size + _POINTER * len(referents_of(value))
