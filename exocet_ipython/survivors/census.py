"""Counting what lives of retired generations: instances, subclasses, classes, functions and modules, and their size.

One scan of the heap finds the instances: each refers to its class. What the scan can't find is named in `Census`.
"""

from __future__ import annotations

import gc
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import Any

from exocet_ipython.survivors.records import RetiredGeneration

__all__ = ["Census", "Count", "take_census"]


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

    Not found are instances that `gc.freeze` has set aside. Others are, whether or not they can be referenced weakly.

    Attributes:
        number: of the generation.
        instances: dotted name of a retired class -> its instances, those of subclasses from elsewhere included.
        subclasses: how many classes that are current, made in cells as a rule, derive from a retired one.
        classes: how many of its own classes live.
        functions: how many of its functions.
        modules: how many of its modules.
    """

    number: int
    instances: Mapping[str, Count] = field(default_factory=dict)
    subclasses: Count = Count()
    classes: Count = Count()
    functions: Count = Count()
    modules: Count = Count()

    @property
    def total(self) -> Count:
        """All of it."""
        parts = [*self.instances.values(), self.subclasses, self.classes, self.functions, self.modules]
        return sum(parts, Count())


def take_census(
    generations: Iterable[RetiredGeneration], found: Mapping[tuple[int, str], Sequence[Any]] | None = None
) -> tuple[Census, ...]:
    """Count what lives of retired generations, with one scan of the heap for all of them.

    Args:
        generations: the retired generations.
        found: the instances to count, by generation and dotted name of their class; then the heap is not scanned.

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
    counted = _count_instances(classes, owners) if found is None else _count_found(found)
    return tuple(
        Census(number, counted.get(number, {}), Count(subclasses[number], sizes[number]), **_count_definitions(entries))
        for number, entries in living
    )


def _is_current(cls: type) -> bool:
    """Say whether a class is a cell's, or what its module has by its name: else it is garbage of a reload before."""
    home = type.__getattribute__(cls, "__module__")
    if home == _CELLS:
        return True
    found: Any = sys.modules.get(home)
    for part in type.__getattribute__(cls, "__qualname__").split("."):
        found = getattr(found, "__dict__", {}).get(part)
    return found is cls


def _count_instances(classes: list[type], owners: Mapping[int, tuple[int, str]]) -> dict[int, dict[str, Count]]:
    counts: dict[int, list[int]] = {}  # id of a class -> number, bytes
    for found in gc.get_referrers(*classes) if classes else ():
        if id(type(found)) in owners:
            count = counts.setdefault(id(type(found)), [0, 0])
            count[0] += 1
            count[1] += _size_of(found)
    named: dict[int, dict[str, Count]] = {}
    for owner, (number, size) in counts.items():
        generation, name = owners[owner]
        of_generation = named.setdefault(generation, {})
        of_generation[name] = of_generation.get(name, Count()) + Count(number, size)
    return named


def _count_found(found: Mapping[tuple[int, str], Sequence[Any]]) -> dict[int, dict[str, Count]]:
    named: dict[int, dict[str, Count]] = {}
    for (generation, name), instances in found.items():
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
    return size + _POINTER * len(gc.get_referents(value))


_CELLS = "__main__"
_POINTER = 8  # bytes
_MEASURED = 30  # definitions of one kind
