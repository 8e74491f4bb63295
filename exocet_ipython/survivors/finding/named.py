"""Which old objects a person's names lead to: the names themselves, and what is in containers and attributes.

It looks forward from the names, breadth first, at a bounded number of objects: the heap is not scanned.
"""

from __future__ import annotations

import builtins
import gc
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from types import CodeType, FrameType, FunctionType, GetSetDescriptorType, ModuleType
from typing import Any

from exocet_ipython.reloading.collector import referents_of
from exocet_ipython.reloading.holding.contents import dict_of
from exocet_ipython.reloading.holding.held import CELLS, home_of
from exocet_ipython.survivors.definitions import Kind
from exocet_ipython.survivors.finding.generations import RetiredGeneration
from exocet_ipython.survivors.finding.records import Survivor, named_values
from exocet_ipython.survivors.finding.steps import Places, express

__all__ = ["Named", "find_named"]

_MOST = 500  # objects that are looked into
_FOUND = 1_500  # parts of these that are looked at: in less than a millisecond
_WIDE = 30  # parts of one object that are looked at
_DEEP = 5  # references from a name
_LISTED = 6  # names and expressions for one definition
# Not gone through, but for classes of cells: what they hold, they hold anyway.
_CLOSED = (ModuleType, type, CodeType, FrameType, GetSetDescriptorType)
_OUTPUTS = ("_", "__", "___")
_FACTORY: Any = defaultdict.__dict__["default_factory"]  # past what a subclass makes of it
_BASES: Any = type.__dict__["__bases__"]  # likewise
_BUILTINS = vars(builtins)
_Label = tuple[int, Kind, str]  # generation, kind, dotted name


@dataclass(frozen=True, slots=True, eq=False)
class Named:
    """What was found.

    Attributes:
        survivors: what lives of each definition, and where; the nearest expressions first.
        instances: the instances found, by generation and dotted name of their class.
    """

    survivors: tuple[Survivor, ...] = ()
    instances: Mapping[tuple[int, str], list[Any]] = field(default_factory=dict)


# An object on the way; the step before it, or the name that leads to it; how many references it is away.
_Step = tuple[Any, Any, int]


def find_named(generations: Sequence[RetiredGeneration], namespace: Mapping[str, Any], *, most: int = _MOST) -> Named:
    """Find what the names of a namespace lead to of retired generations.

    Args:
        generations: the retired generations.
        namespace: the person's names; `Out` and the last results among them.
        most: how many objects to look into.

    >>> find_named([], {"x": 1}).survivors
    ()
    """
    known, kinds = _labels(generations)
    if not known:
        return Named()
    found: dict[_Label, list[_Step]] = {}
    waiting: list[_Step] = [(value, name, 1) for name, value in _names(namespace)]
    seen = {id(namespace), id(namespace.get("Out")), id(namespace.get("__builtins__"))}
    looked, enough = 0, len(waiting) + _FOUND
    for step in waiting:  # grows while it is walked
        value, _, depth = step
        label = known.get(id(value)) or kinds.get(id(type(value)))
        if label is not None:
            found.setdefault(label, []).append(step)
        elif (
            looked < most
            and len(waiting) < enough
            and depth <= _DEEP
            and gc.is_tracked(value)
            and id(value) not in seen
        ):
            seen.add(id(value))
            if not issubclass(type(value), _CLOSED) or _is_of_cells(value):
                looked += 1
                parts = [part for part in _parts(value) if gc.is_tracked(part) or id(type(part)) in kinds]
                if parts:
                    once = {id(part): part for part in parts}.values()  # one place of each is enough
                    waiting += [(part, step, depth + 1) for part in once]
    survivors = tuple(_survivor(label, found[label]) for label in sorted(found))
    instances = {
        (number, name): list({id(step[0]): step[0] for step in steps}.values())
        for (number, kind, name), steps in found.items()
        if kind == "instance"
    }
    return Named(survivors, instances)


def _expression(step: _Step, places: Places) -> str:
    """Return the Python that reaches what a step came to."""
    chain, before = [step[0]], step[1]
    while type(before) is tuple:
        chain.insert(0, before[0])
        before = before[1]
    return express(before, chain, places)


def _labels(generations: Sequence[RetiredGeneration]) -> tuple[dict[int, _Label], dict[int, _Label]]:
    """Return what is known by id: what retired itself, and the classes whose instances count, subclasses included."""
    known: dict[int, _Label] = {}
    kinds: dict[int, _Label] = {}
    classes: list[type] = []
    for generation in generations:
        for kind, name, value in generation.living():
            known[id(value)] = generation.number, kind, name
            if kind == "class":
                kinds[id(value)] = generation.number, "instance", name
                classes.append(value)
    for cls in classes:  # grows while it is walked
        derived: list[type] = type.__subclasses__(cls)
        for below in derived:
            if id(below) not in kinds:
                kinds[id(below)] = kinds[id(cls)]
                classes.append(below)
    return known, kinds


def _names(namespace: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the person's names, the entries of `Out`, and the last results."""
    yield from named_values(namespace)
    yield from ((name, namespace[name]) for name in _OUTPUTS if name in namespace)


def _is_of_cells(value: Any) -> bool:
    """Say whether a value is a class that a cell has made: what it holds is the person's, as what an instance holds."""
    return issubclass(type(value), type) and home_of(value) == CELLS


def _parts(value: Any) -> Iterable[Any]:
    """Return what an object refers to, as far as the search goes: of a function or class only what is its own."""
    kind = type(value)
    if kind is list or kind is tuple:
        return value[:_WIDE]  # type: ignore[no-any-return] # a list or a tuple, as the line above has asked
    if kind is dict:
        return [*islice(value.values(), _WIDE), *islice(value, _WIDE)]
    if kind is FunctionType or issubclass(kind, type):
        return _own_parts(value)
    if issubclass(kind, (list, tuple, set, frozenset)):
        base = next(base for base in (list, tuple, set, frozenset) if issubclass(kind, base))
        return [*islice(base.__iter__(value), _WIDE), *_attributes(value)]
    if issubclass(kind, dict):
        factory = [_FACTORY.__get__(value)] if issubclass(kind, defaultdict) else []
        return [*islice(dict.values(value), _WIDE), *islice(dict.__iter__(value), _WIDE), *_attributes(value), *factory]
    return referents_of(value)[:_WIDE]


def _own_parts(value: Any) -> list[Any]:
    """Return what makes up a function, without what it shares with others; of a class, its namespace and its bases."""
    if type(value) is FunctionType:
        space = value.__globals__
        parts = [part for part in referents_of(value) if type(part) is tuple or type(part) is dict]
        return [part for part in parts if part is not space and part is not _BUILTINS]
    bases: tuple[type, ...] = _BASES.__get__(value)
    return [*(part for part in referents_of(value) if type(part) is dict), bases if len(bases) > 1 else bases[0]]


def _attributes(value: Any) -> list[Any]:
    """Return the attributes of an instance of a subclass of a container."""
    return list((dict_of(value) or {}).values())[:_WIDE]


def _survivor(label: _Label, steps: Sequence[_Step]) -> Survivor:
    places: Places = {}
    return Survivor(*label, tuple(_expression(step, places) for step in steps[:_LISTED]), max(0, len(steps) - _LISTED))
