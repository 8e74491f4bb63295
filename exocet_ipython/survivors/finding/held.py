"""Which retired objects something outside of the retired side still holds, without looking at the heap.

The references that the retired modules, classes and functions have to each other are found by walking them; what the
reference count says beyond that comes from outside. Most reloads retire hundreds of functions that nobody holds, and
`gc.get_referrers` compares every reference in the process with each object it is asked for: asking only for those that
are held is what keeps a migration cheap. There is no constant to subtract instead: a module's functions are referred
to by its classes, decorators, closures and defaults, a different number each.
"""

from __future__ import annotations

import gc
import sys
import weakref
from collections import Counter
from collections.abc import Collection, Container, Iterable
from dataclasses import dataclass
from functools import cached_property
from types import CellType, CodeType, FunctionType, GetSetDescriptorType, MemberDescriptorType
from typing import Any

from exocet_ipython.loading.classes import class_for
from exocet_ipython.reloading.collector import counts_are_exact, referents_of, referrers_of
from exocet_ipython.reloading.holding.contents import dict_of
from exocet_ipython.survivors.classes import with_subclasses

__all__ = ["Witness", "count_outside", "find_held", "find_used", "find_witness", "namespaces_of", "shared_cells"]

# What classes and functions are made of: walked when reached from one, since nothing else refers to it.
_PARTS = frozenset(
    map(
        id,
        (
            tuple,
            dict,
            CellType,
            CodeType,
            FunctionType,
            staticmethod,
            classmethod,
            property,
            cached_property,
            GetSetDescriptorType,
            MemberDescriptorType,
        ),
    )
)
_WALKED = (type, FunctionType, CodeType, CellType)
# What a call of getrefcount by map() itself adds.
_UNHELD = next(map(sys.getrefcount, [object()])) - 1


def find_held(retired: list[Any], roots: Iterable[Any]) -> list[Any]:
    """Return the retired objects that something else than the retired side and our own records refers to.

    On a build that defers reference counts (free threading) these are all.

    Args:
        retired: the objects asked about; the list itself counts as a record.
        roots: the dicts of the retired modules, and our own records; what they refer to directly is counted.

    >>> value = object()
    >>> space = {"value": value}
    >>> find_held([value], [space, locals()])
    []
    >>> somewhere = [value]
    >>> find_held([value], [space, locals()]) == somewhere
    True
    """
    return count_outside(retired, roots).held


@dataclass(frozen=True, slots=True, eq=False)
class _Outside:
    """What references from elsewhere lead to.

    Attributes:
        held: the retired objects that are referred to from elsewhere.
        numbers: id of each of these -> how many references from there lead to it; 0 where counts are deferred.
        within: ids of all the references of which count as the retired side's own.
    """

    held: list[Any]
    numbers: dict[int, int]
    within: set[int]


def count_outside(retired: list[Any], roots: Iterable[Any]) -> _Outside:
    """Return the retired objects that references from elsewhere lead to, with their numbers.

    Takes what `find_held` takes.
    """
    if not counts_are_exact():
        return _Outside(retired.copy(), dict.fromkeys(map(id, retired), 0), set())
    inner, within = _count_references(retired, roots)
    counts = list(map(sys.getrefcount, retired))
    outside = [(item, count - inner[id(item)] - _UNHELD) for item, count in zip(retired, counts, strict=True)]
    held = [item for item, number in outside if number > 0]
    return _Outside(held, {id(item): number for item, number in outside if number > 0}, within)


def find_used(
    classes: list[type], held: Container[int], retired: list[Any], records: list[Any], replaced: Container[int] = ()
) -> set[int]:
    """Return the ids of the classes that something outside of the retired side uses, or an instance or a subclass of.

    What the retired side alone holds of these keeps a class alive, and is no use of it. Nor is what is derived from
    them by way of a class that another one takes the place of.

    Args:
        classes: classes of the retired side.
        held: ids of what is held, by whatever.
        retired: all that retired.
        records: our own containers of these.
        replaced: ids of the classes that others take the place of.
    """
    if not any(id(cls) in held for cls in classes):
        return set()
    known = {id(item) for item in retired}
    family = list(with_subclasses(classes))
    derived = [cls for cls in family if id(cls) not in known]
    kinds = {id(cls) for cls in family}
    instances = [holder for holder in referrers_of(family) if id(type(holder)) in kinds]
    asked = [*retired, *derived, *instances]
    found = find_held(asked, [records, *records, classes, retired, family, derived, instances])
    waiting = list(map(class_for, found))
    used: set[int] = set()
    while waiting:
        cls = waiting.pop()
        if id(cls) not in used and id(cls) not in replaced:
            used.add(id(cls))
            waiting += type.__getattribute__(cls, "__bases__")
    return used & set(map(id, classes))


def find_witness(retired: list[Any], roots: Iterable[Any]) -> tuple[Any, int]:
    """Return the retired object that most references from elsewhere lead to, and their number; None and 0 if none do.

    One that can be referred to weakly is preferred. Takes what `find_held` takes.
    """
    found = count_outside(retired, roots)
    pairs = ((item, found.numbers[id(item)]) for item in found.held)
    return max(pairs, key=lambda pair: (type(pair[0]).__weakrefoffset__ > 0, pair[1]), default=(None, 0))


class Witness:
    """Tells by one reference count whether something that was held is held still, so that nothing need be walked.

    That is certain while the retired side refers to the object as often as it did; what of it goes only adds a doubt.

    Args:
        reference: to the object, to which nothing of ours refers any more.
        outside: how many references to it come from elsewhere.

    >>> holders = [type("Old", (), {})]
    >>> witness = Witness(weakref.ref(holders[0]), 1)
    >>> witness.is_held
    True
    >>> holders.clear()
    >>> witness.is_held
    False
    """

    def __init__(self, reference: weakref.ref[Any], outside: int) -> None:
        self._reference = reference
        self._inner = self._count() - outside

    @property
    def is_held(self) -> bool:
        """Whether references from elsewhere remain; False also where that is uncertain."""
        return self._count() > self._inner

    def _count(self) -> int:
        value = self._reference()
        return 0 if value is None else sys.getrefcount(value)


def namespaces_of(functions: Iterable[Any]) -> list[dict[str, Any]]:
    """Return the globals of retired functions, whose module object may be gone by now.

    Those of a module that is current are left out; so are those of another module's decorator that made the function.
    """
    found = {
        id(function.__globals__): function.__globals__
        for function in functions
        if type(function) is FunctionType and function.__globals__.get("__name__", "") == function.__module__
    }
    current = {id(getattr(sys.modules.get(space["__name__"]), "__dict__", None)) for space in found.values()}
    return [space for key, space in found.items() if key not in current]


def shared_cells(functions: Iterable[FunctionType]) -> list[CellType]:
    """Return the variables around functions that others may have as well: what their calls made, a frame that waits.

    That by which the methods of a class know it for `super()` is no such variable.

    >>> def traced(function): return lambda: lambda: function
    >>> outer = traced(len)
    >>> shared_cells([outer])
    []
    >>> made = outer()
    >>> [cell.cell_contents for cell in shared_cells([outer])]
    [<built-in function len>]
    """
    cells = [
        cell
        for function in functions
        if function.__closure__
        for name, cell in zip(function.__code__.co_freevars, function.__closure__, strict=True)
        if name != "__class__"
    ]
    counts, own = list(map(sys.getrefcount, cells)), Counter(map(id, cells))
    found = [
        cell
        for cell, count in zip(cells, counts, strict=True)
        if not counts_are_exact() or count - _UNHELD > 2 * own[id(cell)]  # by the closure, and by the list
    ]
    return list({id(cell): cell for cell in found}.values())


def _count_references(retired: list[Any], roots: Iterable[Any]) -> tuple[Counter[int], set[int]]:
    """Return by id how often the retired objects are referred to from roots and from one another, and whose counted.

    In whole layers, each in a few calls of C: there are tens of references for each function and class.
    """
    wanted = {id(item) for item in retired}
    counts: Counter[int] = Counter()
    # The C module behind asyncio must not be asked; see `referents_of`.
    seen = {id(None), id(retired), id(sys.modules.get("_asyncio")), *map(id, retired)}
    walked = {id(item): item for item in retired if issubclass(type(item), _WALKED)}
    others = {id(item): item for item in retired if id(item) not in walked}
    # The dict of a member of an enumeration is its own, asked for before or not.
    dicts = [dict_of(item) for item in others.values() if id(type(item)) in wanted]
    dicts += [space for item in others.values() if (space := _shown_dict(item)) is not None]
    _count([retired, *others.values(), *_unseen([*roots, *dicts], seen)], wanted, counts)
    parts = list(walked.values())
    # The globals of a function are a root, or another module's; nothing is its own of the builtins.
    functions = [part for part in parts if type(part) is FunctionType]
    seen.update(id(function.__globals__) for function in functions)
    seen.update(id(getattr(function, "__builtins__", None)) for function in functions)
    has_codes = any(type(item) is CodeType for item in retired)
    kinds = _PARTS if has_codes else _PARTS - {id(CodeType)}
    layer = parts
    while layer:
        found = _count(layer, wanted, counts)
        if has_codes:  # the collector does not look into code
            inner = [c for part in layer if type(part) is CodeType for c in part.co_consts if type(c) is CodeType]
            counts.update(key for key in map(id, inner) if key in wanted)
            found += inner
        layer = _unseen([part for part in found if id(type(part)) in kinds], seen)
        for part in layer:
            if type(part) is FunctionType:
                seen |= {id(part.__globals__), id(getattr(part, "__builtins__", None))}
    return counts, seen


def _shown_dict(item: Any) -> dict[Any, Any] | None:
    """Return the dict of an object's attributes where the collector sees it in place of these."""
    if not any(type(part) is dict for part in referents_of(item)):
        return None
    space = dict_of(item)  # which may just have made it: then it is seen from now on
    return space if any(part is space for part in referents_of(item)) else None


def _count(layer: list[Any], wanted: Collection[int], counts: Counter[int]) -> list[Any]:
    """Add to the counts what the objects of a layer refer to, and return it."""
    found = gc.get_referents(*layer)
    counts.update(filter(wanted.__contains__, map(id, found)))
    return found


def _unseen(items: Iterable[Any], seen: set[int]) -> list[Any]:
    """Return the items that were not seen before, each once, and note them."""
    new = {key: item for item in items if (key := id(item)) not in seen}
    seen.update(new)
    return list(new.values())
