"""What a container, a class or an instance holds at one moment, as numbers: nothing is held alive."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary, WeakValueDictionary

from exocet_ipython.reloading.holding.contents import is_registry, state_of
from exocet_ipython.reloading.holding.marks import is_marked, mark_of

__all__ = ["ids_by_name", "ids_in_order", "parts_of", "size_of"]

_MANY = 1_000  # entries; of a larger container none is noted


def parts_of(value: Any) -> dict[Any, int]:
    """Return the entries of a container, or the attributes of a class or an instance, by identity; or its mark.

    Of a map that is the id of a key -> that of its value, of a set the id of an item -> 0. Of a list it is the id of an
    item -> its places, as the bits of a number, and that negative, so that it is nothing's id.

    >>> [list(parts_of(value).values()) for value in ({"a", "b"}, ["a", "b", "a"])]
    [[0, 0], [-5, -2]]
    """
    kind = type(value)
    if is_marked(value):
        return {"": mark_of(value)}
    if not is_registry(value):
        return {name: id(part) for name, part in state_of(value)}
    if len(value) > _MANY:
        return {}
    if issubclass(kind, dict) or kind is WeakKeyDictionary or kind is WeakValueDictionary:
        return {id(key): id(part) for key, part in list(value.items())}
    if not issubclass(kind, (list, deque)):
        return {id(item): 0 for item in list(value)}
    places = dict[Any, int]()
    for place, item in enumerate(list(value)):
        places[id(item)] = places.get(id(item), 0) + (-1 << place)
    return places


def size_of(parts: Mapping[Any, int]) -> int:
    """Return how many entries a container had of which these were the parts.

    >>> size_of(parts_of(["a", "b", "a"])), size_of(parts_of({"a": 1}))
    (3, 1)
    """
    return sum(places.bit_count() if places < 0 else 1 for places in parts.values())


def ids_by_name(space: Mapping[str, Any], parts: Mapping[Any, int] | None) -> dict[str, int]:
    """Return the ids of what a dict of attributes had, by name, given its parts then; None for what it has now.

    >>> space = {"a": 1}
    >>> known = parts_of(space)
    >>> space |= {"b": 2}
    >>> ids_by_name(space, known) == {"a": id(1)}, ids_by_name(space, None) == {"a": id(1), "b": id(2)}
    (True, True)
    """
    space = dict(space)
    known = parts_of(space) if parts is None else parts
    return {name: known[id(name)] for name in space if id(name) in known}


def ids_in_order(parts: Mapping[int, int]) -> list[int]:
    """Return the ids of the items of a list in their order, given its parts.

    Nothing where not all places are known: what a later import has put there has been added to what the body had.

    >>> ids_in_order(parts_of(["a", "b", "a"])) == [id("a"), id("b"), id("a")], ids_in_order({id("a"): -2})
    (True, [])
    """
    found: dict[int, int] = {}
    for item, places in parts.items():
        left = -places
        while left > 0:
            last = left.bit_length() - 1
            found[last] = item
            left -= 1 << last
    return [found[place] for place in range(len(found))] if len(found) == max(found, default=-1) + 1 else []
