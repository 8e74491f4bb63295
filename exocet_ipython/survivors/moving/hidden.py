"""What refers to an object and is not shown by the collector: tuples and dicts of plain data, and numpy's arrays.

Neither numpy nor pandas, which builds on these, is imported for it.
"""

from __future__ import annotations

import functools
import gc
import sys
from collections import Counter
from types import CodeType, FunctionType, ModuleType
from typing import Any

from exocet_ipython.reloading.contents import dict_of
from exocet_ipython.reloading.generation import Journal
from exocet_ipython.survivors.arrays import items_of
from exocet_ipython.survivors.rebuilt import MISSING, Replacement, counterpart

__all__ = ["find_arrays", "find_hidden_holders", "replace_in_array"]

_HIDDEN = frozenset(map(id, (tuple, dict)))
_OURS = 3  # references: the list, the variable, the argument of getrefcount


def find_hidden_holders(objects: list[Any]) -> list[Any]:
    """Return the tuples and dicts that hold one of the objects and that the collector doesn't follow.

    Nothing in them can be part of a circle: a sentinel that is an `object()`, numbers, text. They are looked for in
    defaults, in arguments of partials and in containers, and only where one of the objects is of that kind.
    """
    # Code is replaced in what runs it, which are functions.
    wanted = {id(item) for item in objects if not gc.is_tracked(item) and type(item) is not CodeType}
    found: dict[int, Any] = {}
    for holder in gc.get_objects() if wanted else ():
        kind = type(holder)
        if kind is FunctionType:
            parts: Any = (holder.__defaults__, holder.__kwdefaults__)
        elif kind is functools.partial:
            parts = (holder.args, holder.keywords)
        elif kind is list or kind is tuple or kind is dict:
            parts = holder.values() if kind is dict else holder
            if _HIDDEN.isdisjoint(map(id, map(type, parts))):
                continue
        else:
            continue
        for part in list(parts):
            if id(type(part)) in _HIDDEN and not gc.is_tracked(part):
                items = part.values() if type(part) is dict else part
                if not wanted.isdisjoint(map(id, items)):
                    found[id(part)] = part
    return list(found.values())


def find_arrays(objects: list[Any], holders: list[Any]) -> list[Any]:
    """Return the arrays that may hold one of the objects: where more refers to one than its holders do.

    Args:
        objects: what is looked for.
        holders: all that the collector knows to refer to one of them, without the list of them.
    """
    if not hasattr(sys.modules.get("numpy"), "ndarray"):
        return []
    counts = Counter(map(id, gc.get_referents(*_without_modules(holders))))
    if all(sys.getrefcount(item) - counts[id(item)] <= _OURS for item in objects):
        return []
    base = sys.modules["numpy"].ndarray
    found: dict[int, Any] = {}
    holding = _without_modules(gc.get_objects())
    while holding:
        parts = gc.get_referents(*holding)
        # What has nothing but arrays, and data, is not followed either.
        holding = [part for part in parts if id(type(part)) in _HIDDEN and not gc.is_tracked(part)]
        for part in parts:
            while issubclass(type(part), base) and part.dtype.kind == "O" and id(part) not in found:
                found[id(part)] = part
                part = part.base  # noqa: PLW2901 - of a view, the array that has its items, which nothing else may name
    return list(found.values())


def _without_modules(objects: list[Any]) -> list[Any]:
    """Leave out modules: what they hold their dicts do, and one of them must not be asked; see `referents_of`."""
    return [item for item in objects if type(item) is not ModuleType]


def replace_in_array(array: Any, replacement: Replacement, journal: Journal) -> None:
    """Replace items of an array of objects; an index of pandas that is made of it looks them up anew."""
    items = items_of(array)
    if replacement.keys().isdisjoint(map(id, items)):
        return
    places = zip(sys.modules["numpy"].ndindex(array.shape), items, strict=True)
    changed = [(place, item, now) for place, item in places if (now := counterpart(item, replacement)) is not MISSING]
    _assign(array, [(place, now) for place, _, now in changed])
    journal.add(functools.partial(_assign, array, [(place, item) for place, item, _ in changed]))


def _assign(array: Any, items: list[tuple[tuple[int, ...], Any]]) -> None:
    was_writeable = array.flags.writeable
    array.flags.writeable = True
    for place, item in items:
        array[place] = item
    array.flags.writeable = was_writeable
    for owner in gc.get_referrers(array):
        if (cache := (dict_of(owner) or {}).get("_cache")) and getattr(type(owner), "_engine", None) is not None:
            cache.clear()  # the hash table of an index, among others; all is computed again
