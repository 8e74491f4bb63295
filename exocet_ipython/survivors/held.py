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
from collections.abc import Iterable
from functools import cached_property
from types import CellType, CodeType, FunctionType, GetSetDescriptorType, MemberDescriptorType
from typing import Any

__all__ = ["Ownership"]

# What classes and functions are made of: walked when reached from one, since nothing else refers to it.
_PARTS = (
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
)
_CALLER = 2  # the caller's variable, and the argument of getrefcount


class Ownership:
    """How often each retired object is referred to from the retired side and from our own records.

    Args:
        retired: the objects asked about; the list itself counts as a record.
        roots: the dicts of the retired modules, and our own records; what they refer to directly is counted.

    >>> value = object()
    >>> space = {"value": value}
    >>> Ownership([value], [space]).is_held(value)
    False
    >>> somewhere = [value]
    >>> Ownership([value], [space]).is_held(value)
    True
    """

    def __init__(self, retired: list[Any], roots: Iterable[Any]) -> None:
        self._retired = retired  # kept, since its references were counted
        self._counts = {id(item): 0 for item in retired}
        seen = {id(None)}
        waiting: list[tuple[Any, bool]] = [(retired, False), *((root, False) for root in roots)]
        waiting += [(item, isinstance(item, (type, FunctionType, CodeType))) for item in retired]
        while waiting:
            node, is_part = waiting.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            for part in _referents(node):
                if id(part) in self._counts:
                    self._counts[id(part)] += 1
                elif is_part and type(part) in _PARTS:
                    waiting.append((part, True))

    def is_held(self, item: Any) -> bool:
        """Say whether something else than the retired side, our records and the caller's variable refers to `item`.

        On a build that defers reference counts (free threading) the answer is always yes.
        """
        if not getattr(sys, "_is_gil_enabled", lambda: True)():
            return True
        return sys.getrefcount(item) - self._counts[id(item)] > _CALLER + 1  # and this method's variable


def _referents(node: Any) -> Iterable[Any]:
    """Return what an object refers to; of a function and its code only what is its own."""
    if isinstance(node, CodeType):
        return [const for const in node.co_consts if isinstance(const, CodeType)]
    found = gc.get_referents(node)
    if isinstance(node, FunctionType):
        shared = {id(node.__globals__), id(getattr(node, "__builtins__", None))}  # typeshed lacks the second
        return [part for part in found if id(part) not in shared]
    return found
