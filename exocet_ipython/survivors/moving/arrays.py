"""numpy's arrays of objects, and what pandas builds on them: the collector doesn't see what they hold.

Neither library is imported for it.
"""

from __future__ import annotations

import functools
import gc
import sys
from collections import Counter
from types import ModuleType
from typing import Any

from exocet_ipython.reloading.contents import dict_of
from exocet_ipython.reloading.generation import Journal
from exocet_ipython.survivors.rebuilt import MISSING, Replacement, counterpart

__all__ = ["find_arrays", "is_array", "replace_in_array"]

_OURS = 3  # references: the list, the variable, the argument of getrefcount


def is_array(kind: type) -> bool:
    """Say whether a class is that of numpy's arrays, or derived from it."""
    base = getattr(sys.modules.get("numpy"), "ndarray", None)
    return base is not None and issubclass(kind, base)


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
    for part in gc.get_referents(*_without_modules(gc.get_objects())):
        while issubclass(type(part), base) and part.dtype.kind == "O" and id(part) not in found:
            found[id(part)] = part
            part = part.base  # noqa: PLW2901 - of a view, the array that has its items, which nothing else may name
    return list(found.values())


def _without_modules(objects: list[Any]) -> list[Any]:
    """Leave out modules: what they hold their dicts do, and one of them must not be asked; see `referents_of`."""
    return [item for item in objects if type(item) is not ModuleType]


def replace_in_array(array: Any, replacement: Replacement, journal: Journal) -> None:
    """Replace items of an array of objects; an index of pandas that is made of it looks them up anew."""
    if array.dtype.kind != "O":
        return
    items = array.ravel().tolist()
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
