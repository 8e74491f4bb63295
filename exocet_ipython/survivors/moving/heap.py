"""What refers to an object and is not shown by the collector."""

from __future__ import annotations

import functools
import gc
from types import FunctionType
from typing import Any

__all__ = ["find_hidden_holders"]

_HIDDEN = frozenset((tuple, dict))


def find_hidden_holders(objects: list[Any]) -> list[Any]:
    """Return the tuples and dicts that hold one of the objects and that the collector doesn't follow.

    Nothing in them can be part of a circle: a sentinel that is an `object()`, numbers, text. They are looked for in
    defaults, in arguments of partials and in containers, and only where one of the objects is of that kind.
    """
    wanted = {id(item) for item in objects if not gc.is_tracked(item)}
    found: dict[int, Any] = {}
    for holder in gc.get_objects() if wanted else ():
        kind = type(holder)
        if kind is FunctionType:
            parts: Any = (holder.__defaults__, holder.__kwdefaults__)
        elif kind is functools.partial:
            parts = (holder.args, holder.keywords)
        elif kind in (list, tuple, dict):
            parts = holder.values() if kind is dict else holder
            if _HIDDEN.isdisjoint(map(type, parts)):
                continue
        else:
            continue
        for part in list(parts):
            if type(part) in _HIDDEN and not gc.is_tracked(part):
                items = part.values() if type(part) is dict else part
                if not wanted.isdisjoint(map(id, items)):
                    found[id(part)] = part
    return list(found.values())
