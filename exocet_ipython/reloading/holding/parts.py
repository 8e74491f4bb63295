"""What a container, a class or an instance holds at one moment, as numbers: nothing is held alive."""

from __future__ import annotations

import operator
from collections import deque
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary, WeakValueDictionary

from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.reloading.holding.contents import is_registry, state_of
from exocet_ipython.reloading.holding.items import count_of, items_of, pairs_of
from exocet_ipython.reloading.holding.marks import is_marked, mark_of

__all__ = [
    "Copy",
    "copy_of",
    "has_entries",
    "ids_by_name",
    "ids_by_place",
    "ids_in_order",
    "parts_of",
    "size_of",
    "without",
]

_MANY = 1_000  # entries; of a larger container none is noted
_LARGE = 10_000  # entries; of a larger one not even its fingerprint tells which they are


def has_entries(value: Any) -> bool:
    """Say whether a value is a container of which a baseline notes the entries: one that changes, or a tuple.

    >>> has_entries(()), has_entries([]), has_entries("ab")
    (True, True, False)
    """
    return type(value) is tuple or is_registry(value)


def parts_of(value: Any) -> dict[Any, int]:
    """Return the entries of a container, or the attributes of a class or an instance, by identity; or its mark.

    Of a map that is the id of a key -> that of its value, of a set the id of an item -> 0. Of a list or a tuple it is
    the id of an item -> its places, as the bits of a number, and that negative, so that it is nothing's id.

    >>> [list(parts_of(value).values()) for value in ({"a", "b"}, ["a", "b", "a"])]
    [[0, 0], [-5, -2]]
    """
    return copy_of(value).parts()


class Copy(NamedTuple):
    """What a value held at one moment, and holds alive: for as long as nobody's code may see it.

    Attributes:
        held: a list of it, the keys of a map before its values; a number for a mark, and for what nobody looks at as it
            has so many entries.
        read: makes its parts.
    """

    held: Any
    read: Callable[[Any], dict[Any, int]]

    def parts(self) -> dict[Any, int]:
        """Return what `parts_of` gave for the value then."""
        return self.read(self.held)

    def is_like(self, other: Copy) -> bool:
        """Say whether both hold the same objects in the same order."""
        first, second = self.held, other.held
        if self.read is not other.read:
            return False
        if type(first) is int or type(second) is int:
            return bool(first == second)
        return len(first) == len(second) and all(map(operator.is_, first, second))

    def tells(self, *, entries: bool) -> bool:
        """Say whether it holds the entries of a container, or the attributes of an object: all of them."""
        return type(self.held) is list and (self.read is not _attributes) == entries


def copy_of(value: Any) -> Copy:
    """Return a copy of what a value holds.

    >>> items = ["a"]
    >>> before = copy_of(items)
    >>> items.append("b")
    >>> before.is_like(copy_of(items)), before.is_like(copy_of(["a"]))
    (False, True)
    """
    if is_marked(value):
        return Copy(mark_of(value), _mark)
    if is_registry(value):
        return _copy_of_container(value)
    if type(value) is tuple:
        return Copy(list(value), _places if len(value) <= _MANY else _nothing)
    return Copy(_halves(state_of(value)), _attributes)


def _copy_of_container(value: Any) -> Copy:
    kind = type(value)
    if (count := count_of(value)) > _LARGE:
        return Copy(count, _nothing)
    if kind is dict:
        space = copy_space(value)
        return Copy([*space, *space.values()], _pairs if count <= _MANY else _nothing)
    if issubclass(kind, dict) or kind is WeakKeyDictionary or kind is WeakValueDictionary:
        return Copy(_halves(pairs_of(value)), _pairs if count <= _MANY else _nothing)
    if count > _MANY:
        return Copy(items_of(value), _nothing)
    return Copy(items_of(value), _places if issubclass(kind, (list, deque)) else _items)


def _halves(entries: Sequence[tuple[Any, Any]]) -> list[Any]:
    return [*(key for key, _ in entries), *(value for _, value in entries)]


def _mark(held: int) -> dict[Any, int]:
    return {"": held}


def _nothing(_: object) -> dict[Any, int]:
    return {}


def _attributes(held: list[Any]) -> dict[Any, int]:
    middle = len(held) // 2
    return dict(zip(held[:middle], map(id, held[middle:]), strict=True))


def _pairs(held: list[Any]) -> dict[Any, int]:
    middle = len(held) // 2
    return dict(zip(map(id, held[:middle]), map(id, held[middle:]), strict=True))


def _items(held: list[Any]) -> dict[Any, int]:
    return dict.fromkeys(map(id, held), 0)


def _places(held: list[Any]) -> dict[Any, int]:
    places = dict[Any, int]()
    for place, item in enumerate(held):
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
    found = ids_by_place(parts)
    return [*found.values()] if len(found) == max(found, default=-1) + 1 else []


def ids_by_place(parts: Mapping[int, int]) -> dict[int, int]:
    """Return the ids of the items of a list by their places, in the order of these, as far as they are known.

    >>> ids_by_place({5: -1, 7: -6})
    {0: 5, 1: 7, 2: 7}
    """
    found: dict[int, int] = {}
    for item, places in parts.items():
        left = -places
        while left > 0:
            last = left.bit_length() - 1
            found[last] = item
            left -= 1 << last
    return dict(sorted(found.items()))


def without(parts: Mapping[Any, int], gone: Container[int]) -> dict[Any, int]:
    """Return the parts of a container where some of what it had is gone: that was there, but no id names it now.

    >>> without({5: -1, 7: -6}, {7}), without({"a": 5, "b": 7}, {7})
    ({5: -1, -7: -6}, {'a': 5, 'b': 0})
    """
    return {
        -key if type(key) is int and key in gone else key: 0 if value in gone else value for key, value in parts.items()
    }
