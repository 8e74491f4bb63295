"""What refers to an object and is not shown by the collector: tuples and dicts of plain data, structs, numpy's arrays.

Neither numpy nor pandas, which builds on these, is imported for it.
"""

from __future__ import annotations

import functools
import gc
import operator
import sys
from collections.abc import Collection, Iterable, Iterator
from itertools import chain, compress
from types import CodeType, FunctionType, ModuleType
from typing import Any

from exocet_ipython.loading.classes import is_static
from exocet_ipython.reloading.holding.contents import dict_of
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.survivors.arrays import items_of
from exocet_ipython.survivors.classes import with_subclasses
from exocet_ipython.survivors.finding.held import find_held
from exocet_ipython.survivors.rebuilt import MISSING, Replacement, counterpart

__all__ = ["find_hidden_holders", "replace_in_array"]

_HIDDEN = frozenset(map(id, (tuple, dict)))
_AT_ONCE = 10_000  # objects: that many have some hundred thousand parts


def find_hidden_holders(objects: list[Any], holders: list[Any], retired: Iterable[Any] = ()) -> list[Any]:
    """Return what holds one of the objects and is not among the holders that the collector shows.

    Tuples and dicts of plain data can't be part of a circle, so that it doesn't follow them: only a sentinel that is an
    `object()`, numbers and text can be in them. So it is with a struct of msgspec, which refers to its class. Arrays
    show it nothing. The heap is looked over for any of these only where more refers to one of the objects than what is
    known; nobody keeps code in one of them but other code.

    Args:
        objects: what is looked for.
        holders: all that the collector knows to refer to one of them, without the list of them.
        retired: its functions keep their defaults, which go with the constants of their modules.
    """
    has_arrays = hasattr(sys.modules.get("numpy"), "ndarray")
    structs = {id(item) for item in objects if _has_hidden_instances(type(item))}
    asked = [
        item
        for item in objects
        if type(item) is not CodeType and (has_arrays or id(item) in structs or not gc.is_tracked(item))
    ]
    functions = [item for item in retired if type(item) is FunctionType] if asked else []
    defaults = {id(part): part for part in gc.get_referents(*functions) if _is_hidden(part)}
    if not (asked and find_held(asked, chain([objects, holders, functions], holders, defaults.values()))):
        return []
    wanted = {id(item) for item in asked if not gc.is_tracked(item)}
    found: dict[int, Any] = {}
    for part in _hidden_parts() if wanted else ():
        if not wanted.isdisjoint(map(id, part.values() if type(part) is dict else part)):
            found[id(part)] = part
    hidden = [part for key, part in found.items() if key not in defaults]
    return [*hidden, *(_instances_of(structs) if structs else ()), *(_arrays() if has_arrays else ())]


def _hidden_parts() -> Iterator[Any]:
    """Yield the tuples and dicts that the collector doesn't follow, as far as something that it follows has them."""
    for holder in gc.get_objects():
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
        yield from filter(_is_hidden, list(parts))


def _is_hidden(part: Any) -> bool:
    return id(type(part)) in _HIDDEN and not gc.is_tracked(part)


def _has_hidden_instances(kind: Any) -> bool:
    """Say whether classes of a kind have instances that the collector need not follow: its metaclass is no Python code.

    >>> _has_hidden_instances(type)
    False
    """
    return bool(issubclass(kind, type) and kind is not type and is_static(kind))


def _instances_of(classes: Collection[int]) -> list[Any]:
    """Return the instances of classes, by their ids, that the collector doesn't follow and that something has."""
    return [*{id(part): part for part in _parts_of_kinds(classes, classes)}.values()]


def _arrays() -> list[Any]:
    """Return the arrays of objects that something has, also in what has nothing but arrays, and data."""
    base = sys.modules["numpy"].ndarray
    found: dict[int, Any] = {}
    for part in _parts_of_kinds({id(kind) for kind in with_subclasses([base])}):
        while issubclass(type(part), base) and part.dtype.kind == "O" and id(part) not in found:
            found[id(part)] = part
            part = part.base  # noqa: PLW2901 - of a view, the array that has its items, which nothing else may name
    return list(found.values())


def _parts_of_kinds(kinds: Collection[int], hidden: Collection[int] = ()) -> Iterator[Any]:
    """Yield what objects have of some types, by their ids, also through what the collector doesn't follow.

    In passes of C: a notebook's objects have millions of parts.

    Args:
        kinds: ids of the types.
        hidden: ids of types of which instances are looked into that the collector doesn't follow, beside containers.
    """
    holding = [item for item in gc.get_objects() if type(item) is not ModuleType]  # what these hold their dicts do
    followed = _HIDDEN | {*hidden}
    while holding:
        inner: list[Any] = []
        for start in range(0, len(holding), _AT_ONCE):
            parts = gc.get_referents(*holding[start : start + _AT_ONCE])
            types = list(map(id, map(type, parts)))
            yield from compress(parts, map(kinds.__contains__, types))
            inner += compress(parts, map(followed.__contains__, types))
        holding = [*compress(inner, map(operator.not_, map(gc.is_tracked, inner)))]


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
