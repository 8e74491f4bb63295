"""Holders that are near the person's names: found from these forward, where reference counts tell that they are all.

`gc.get_referrers` looks at every reference in the process: 4 ms in a small notebook, 200 with ten million objects.
Most instances of an edited class, and most functions that cells hold, are a step or two from a name of the notebook.
Each found reference is one of those that were counted from outside; when none is left, nothing else can hold what is
searched for.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from types import BuiltinFunctionType, CodeType, MethodType, ModuleType
from typing import Any

from exocet_ipython.loading.classes import module_said_by
from exocet_ipython.loading.spaces import globals_of
from exocet_ipython.reloading.collector import counts_are_exact, referents_of, referrers_of
from exocet_ipython.reloading.holding.contents import ATOM_IDS
from exocet_ipython.reloading.holding.held import CELLS
from exocet_ipython.survivors.finding.counting import count_outside

__all__ = ["find_holders", "find_near", "without_gone"]

# Objects that are looked at, and references of theirs: it takes less than the pass over the heap that it may spare.
_NEAR = 2_000
_REFERENCES = 10_000
_MANY = 500  # of one object
_SIZED = frozenset(map(id, (dict, frozenset, list, set, tuple)))
_SHELLS = ("IPython", "ipykernel")  # they lead to all there is
_FIXED = (tuple, frozenset, MethodType)
_APART = (ModuleType, CodeType)  # as do modules


def find_holders(objects: list[Any], ours: Iterable[Any]) -> list[Any]:
    """Return what refers to any of the objects, but for what they have themselves and what is ours.

    Only where something elsewhere does, the notebook's names are searched, and where that is not all, the heap.

    Args:
        objects: what is looked for; the list itself counts as ours.
        ours: what refers to them for our own sake.

    >>> places = [[object()]]
    >>> any(found is places[0] for found in find_holders([places[0][0]], []))
    True
    >>> find_holders([places[0][0]], [places[0]])
    []
    """
    outside = count_outside(objects, ours)
    if not outside.held:
        return []
    near = find_near(outside.held, outside.numbers, globals_of(sys.modules.get(CELLS)), outside.within)
    return referrers_of(objects) if near is None else near


def without_gone(holders: list[Any], ours: Iterable[Any]) -> list[Any]:
    """Return the holders but for the tuples and the like that nothing has any more: others took their place.

    >>> kept, gone = (object(), "kept"), (object(), "gone")
    >>> holders, names = [kept, gone], {"kept": kept}
    >>> del kept, gone
    >>> [tag for _, tag in without_gone(holders, [])]
    ['kept']
    """
    fixed = {id(holder): holder for holder in holders if issubclass(type(holder), _FIXED)}
    waiting = count_outside([*fixed.values()], [holders, fixed, *ours]).held if fixed else []
    left = {id(holder): holder for holder in holders if id(holder) not in fixed}
    while waiting:
        holder = waiting.pop()
        if id(holder) not in left:
            left[id(holder)] = holder
            waiting += [part for part in referents_of(holder) if id(part) in fixed]
    return [*left.values()]


def find_near(
    held: Collection[Any], numbers: Mapping[int, int], names: Mapping[str, Any], within: Collection[int]
) -> list[Any] | None:
    """Return all that refers to retired objects from outside, if that is near some names; None where it is not.

    Args:
        held: what is held of the retired side.
        numbers: id of each -> how many references to it come from outside of that side.
        names: the namespace to begin with.
        within: ids of what the references of are no such: one that was not counted must not explain another.

    >>> class Cat: pass
    >>> cats = [Cat(), Cat()]
    >>> set(find_near([Cat], {id(Cat): 2}, {"cats": cats}, ())) == set(cats)
    True
    >>> find_near([Cat], {id(Cat): 3}, {"cats": cats}, ()) is None
    True
    """
    if not counts_are_exact():
        return None
    left = Counter(numbers)
    seen = {id(names), id(held), id(None), id(sys.modules.get("_asyncio")), *left, *within}
    inner = [value for name, value in list(names.items()) if not name.startswith("__")]
    layer, found = [names], list[Any]()
    while layer and len(seen) < _NEAR + len(within):
        for holder in layer:
            parts = referents_of(holder)
            if len(parts) > _MANY or len(inner) > _REFERENCES:  # what else there is comes first
                continue
            here = [key for key in map(id, parts) if key in left]
            if here:
                found.append(holder)
                left.subtract(here)
            inner += parts if holder is not names else []
        if not any(left.values()):
            return found
        if len(inner) >= _REFERENCES:
            break
        layer, inner = _followed(inner, seen), []
    return None


def _followed(parts: Iterable[Any], seen: set[int]) -> list[Any]:
    """Return the parts from which the search goes on, each once, and note all."""
    found: list[Any] = []
    for part in parts:
        kind = type(part)
        if id(kind) in ATOM_IDS or id(part) in seen:
            continue
        seen.add(id(part))
        is_class = issubclass(kind, type)
        owner = type(part.__self__) if kind is MethodType else part if is_class else kind
        home = str(module_said_by(owner))
        if kind is BuiltinFunctionType and issubclass(type(part.__self__), ModuleType):
            continue
        is_large = id(kind) in _SIZED and len(part) > _MANY  # asked for its parts it would list them all
        if is_large or issubclass(kind, _APART) or home.partition(".")[0] in _SHELLS or (is_class and home != CELLS):
            continue
        found.append(part)
    return found
