"""Containers of one instance that tell of the same things: a map, and the keys of it in the order of their use, say.

What was carried into one of them is in the others as well, or their methods would find half of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from exocet_ipython.reloading.holding.contents import is_plain, is_registry
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.survivors.repeating.entries import count_in, entries, hold_alike, is_map, put_into

__all__ = ["carry_beside"]


def carry_beside(parts: Iterable[tuple[str, Any]], known: Mapping[str, Any], journal: Journal) -> None:
    """Put keys that a new map of an instance has from the old one into its other containers, where the old ones were.

    Args:
        parts: the attributes of the old instance.
        known: those of the new one, by the same names.
        journal: how it is taken back.

    >>> from collections import deque
    >>> lexer, queue = object(), deque()
    >>> old = {"entries": {"a": lexer, "b": object()}, "queue": deque("ba")}
    >>> carry_beside(old.items(), {"entries": {"a": lexer}, "queue": queue}, Journal())
    >>> queue
    deque(['a'])
    """
    pairs: list[tuple[Any, Any]] = [(part, known.get(name)) for name, part in parts if is_registry(part)]
    pairs = [(before, now) for before, now in pairs if now is not before and hold_alike(before, now)]
    for before, now in pairs if len(pairs) > 1 else ():
        held = {key: value for key, value in entries(before) if is_map(before) and is_plain(key)}
        carried = {
            key
            for key, value in (entries(now) if held else ())
            if is_plain(key) and not is_plain(value) and held.get(key) is value
        }
        for other, place in pairs if carried else ():
            for key, value in entries(other):
                is_meant = place is not now and is_plain(key) and key in carried and is_plain(value)
                if is_meant and (key not in place if is_map(place) else not count_in(place, key)):
                    put_into(place, key, value, journal)
