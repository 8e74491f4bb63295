"""The entries that containers have, and how paths write their keys and places."""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Iterator
from typing import Any

from exocet_ipython.loading.classes import module_said_by
from exocet_ipython.reloading.holding.contents import ATOM_IDS
from exocet_ipython.reloading.holding.items import count_of, items_of, pairs_of, values_of

__all__ = ["entries_beside", "entries_of", "place_of", "values_by_place"]

_MANY = 1_000


def entries_of(container: Any) -> list[tuple[Any, Any]]:
    """Return what a container has under keys that have a name, or at its places, but for atoms.

    These are plain keys, classes, members of enumerations, and tuples of them.

    >>> entries_of({"a": [], "b": 1}), entries_of((0, {}))
    ([('a', [])], [(1, {})])
    """
    kind = type(container)
    if issubclass(kind, dict):
        if count_of(container) > _MANY or ATOM_IDS.issuperset(map(id, map(type, values_of(container)))):
            return []
        entries = [entry for entry in pairs_of(container) if _is_named(entry[0])]
    elif issubclass(kind, (list, tuple, deque)):
        if count_of(container) > _MANY or ATOM_IDS.issuperset(map(id, map(type, items := items_of(container)))):
            return []
        entries = list(enumerate(items))
    else:
        return []
    return [entry for entry in entries if id(type(entry[1])) not in ATOM_IDS]


def entries_beside(before: Any, now: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Yield the entries of a container as key and part, each with what its counterpart has there; None for nothing.

    Under a class, or a member of an enumeration, that is the one under its own successor: it has that's name.

    >>> list(entries_beside({"a": [], "b": {}}, {"a": [1]}))
    [('a', [], [1]), ('b', {}, None)]
    """
    is_map = issubclass(type(now), dict)
    named: dict[str, Any] = {}
    for key, part in entries_of(before):
        try:
            found = dict.get(now, key) if is_map else now[key]  # a method of a subclass may make the entry
        except (LookupError, TypeError):
            found = None
        if found is None and is_map and id(type(key)) not in ATOM_IDS:
            named = named or values_by_place(now)
            found = named.get(place_of(key))
        yield key, part, found


def values_by_place(container: dict[Any, Any]) -> dict[str, Any]:
    """Return what a dict has under keys that have a name, by how a path writes that.

    >>> values_by_place({int: 1, object(): 2})
    {'[builtins:int]': 1}
    """
    return {place_of(key): value for key, value in list(dict.items(container)) if _is_named(key)}


def place_of(key: Any) -> str:
    """Return how a path writes the key or place of a container's entry.

    >>> place_of("a"), place_of(0), place_of(dict), place_of((0, "a"))
    ("['a']", '[0]', '[builtins:dict]', "[(0, 'a',)]")
    """
    return f"[{_written(key)}]"


def _is_named(key: Any) -> bool:
    """Say whether a key has a name that tells it in every version of its module: not what only has an identity."""
    kind = type(key)
    if id(kind) in ATOM_IDS or issubclass(kind, (type, enum.Enum)):
        return True
    return issubclass(kind, (tuple, frozenset)) and all(map(_is_named, items_of(key)))


def _written(key: Any) -> str:
    kind = type(key)
    if issubclass(kind, type):
        return _name_of(key)
    if issubclass(kind, enum.Enum):
        return f"{_name_of(kind)}:{vars(key).get('_name_')}"
    if issubclass(kind, (tuple, frozenset)):
        parts = list(map(_written, items_of(key)))
        return f"({', '.join(parts if issubclass(kind, tuple) else sorted(parts))},)"
    return repr(key) if id(kind) in ATOM_IDS else object.__repr__(key)  # it may ask for what isn't there yet


def _name_of(cls: Any) -> str:
    """Return the name of a class, whatever its metaclass says; without dots, which separate attributes in a path."""
    home, name = module_said_by(cls), type.__getattribute__(cls, "__qualname__")
    return f"{home}:{name}".replace(".", ":")
