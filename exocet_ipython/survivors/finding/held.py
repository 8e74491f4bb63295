"""Which retired objects something outside of the retired side still holds, without looking at the heap.

Most reloads retire hundreds of functions that nobody holds, and `gc.get_referrers` compares every reference in the
process with each object it is asked for: asking only for those that are held is what keeps a migration cheap.
"""

from __future__ import annotations

import sys
import weakref
from collections import Counter
from collections.abc import Container, Iterable
from types import CellType, FunctionType
from typing import Any

from exocet_ipython.loading.classes import class_for
from exocet_ipython.reloading.collector import counts_are_exact, referrers_of
from exocet_ipython.survivors.classes import with_subclasses
from exocet_ipython.survivors.finding.counting import UNHELD, count_outside

__all__ = ["Witness", "find_held", "find_used", "find_witness", "namespaces_of", "shared_cells"]


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
        if not counts_are_exact() or count - UNHELD > 2 * own[id(cell)]  # by the closure, and by the list
    ]
    return list({id(cell): cell for cell in found}.values())
