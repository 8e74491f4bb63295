"""Taking keys out of dicts and putting them back, where they are looked for by another hash from now on."""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import Callable, Container
from contextlib import AbstractContextManager
from typing import Any

__all__ = ["put_again", "put_unfound_again"]


def put_again(
    holder: dict[Any, Any],
    members: list[Any],
    taken: Callable[[], AbstractContextManager[object]] = contextlib.nullcontext,
    put: Callable[[], AbstractContextManager[object]] = contextlib.nullcontext,
) -> None:
    """Take keys out of a dict and put them back behind all others, hashed as they are within these contexts."""
    kind = _kind_of(holder)
    with taken():
        entries = [(member, kind.__getitem__(holder, member)) for member in members]  # all are found, or none is taken
        for member in members:
            kind.__delitem__(holder, member)
    with put():
        for member, value in entries:
            kind.__setitem__(holder, member, value)


def put_unfound_again(holder: dict[Any, Any], changed: Container[int]) -> None:
    """Put keys in order that a dict doesn't find as they were before, taking them from its end.

    They had no hash for a while, say, after an edit that gave their class an `__eq__` alone. Nothing is to be taken
    back: it would find none of them then.

    Args:
        holder: the dict.
        changed: ids of what is hashed otherwise now.

    Raises:
        Exception: a key has no hash still; nothing was taken out.

    >>> class Point:
    ...     def __init__(self, x): self.x = x
    ...     def __hash__(self): return self.x
    >>> point = Point(1)
    >>> known = {point: "p", "q": 2}
    >>> point.x = 5
    >>> point in known
    False
    >>> put_unfound_again(known, {id(point)})
    >>> known[point], list(known.values())
    ('p', ['p', 2])
    """
    waiting = {id(key) for key in dict.keys(holder) if id(key) in changed}
    for key in dict.keys(holder):
        hash(key)
    kind = _kind_of(holder)
    entries: list[tuple[Any, Any]] = []
    try:
        while waiting:
            entries.append(kind.popitem(holder))  # by the hash that it keeps
            waiting.discard(id(entries[-1][0]))
    finally:
        for key, value in reversed(entries):
            kind.__setitem__(holder, key, value)


def _kind_of(holder: dict[Any, Any]) -> Any:
    """Return the class whose methods change a dict: a subclass may refuse."""
    return OrderedDict if isinstance(holder, OrderedDict) else dict
