"""Which of some values something else than themselves holds: what refers to itself in circles is held by nobody."""

from __future__ import annotations

import gc
import sys
from collections import Counter, deque
from collections.abc import Collection, Sequence
from types import BuiltinFunctionType, CodeType, FrameType, ModuleType
from typing import Any

from exocet_ipython.reloading.collector import counts_are_exact, own_referents_of

__all__ = ["held_elsewhere"]

_SHARED = (ModuleType, type, BuiltinFunctionType, CodeType, FrameType)  # what leads to everything
_MOST, _EACH = 1_000, 20  # objects looked at, and so many more for each value: circles are small


def held_elsewhere(values: Sequence[Any], holders: Sequence[Any], known: int = 0, most: int = 0) -> Collection[int]:
    """Return the ids of those values that references from elsewhere lead to, directly or through other objects.

    As the collector finds what is garbage: of what can be reached from the values, it is counted how many references
    come from inside. What is not looked at, being too far away, is elsewhere. On a build that defers reference counts
    these are all values.

    Args:
        values: what is asked about; the sequence itself counts as a holder.
        holders: what holds them and is not elsewhere, such as the container that they are in.
        known: so many further references to each value don't count.
        most: so many objects are looked at, no more; 0 for as many as fit the number of values.

    >>> alone, held = [], []
    >>> alone.append(alone)
    >>> held.append(held)
    >>> container = [alone, held]
    >>> del alone
    >>> held_elsewhere(container, []) == {id(held)}
    True
    """
    wanted = set(map(id, values))
    if not wanted or not counts_are_exact():
        return wanted
    near = [values, *holders]
    reached: dict[int, Any] = {0: []} | {id(item): item for item in (*values, *near)}  # nobody else holds the first
    edges: dict[int, list[int]] = {}
    most = most or _MOST + _EACH * len(wanted)
    waiting = deque(reached)
    while waiting and len(edges) < most:
        key = waiting.popleft()  # the nearest first
        edges[key] = []
        for part in own_referents_of(reached[key]):
            edges[key].append(id(part))
            if id(part) not in reached and gc.is_tracked(part) and not issubclass(type(part), _SHARED):
                reached[id(part)] = part
                waiting.append(id(part))
    part = None
    inside = Counter(target for targets in edges.values() for target in targets)
    inside.update(dict.fromkeys(wanted, known))
    counts = {key: sys.getrefcount(value) for key, value in reached.items()}
    spared = {0, *map(id, near)}
    led_to = {key for key in reached if key not in spared and counts[key] - counts[0] > inside[key]}
    following = [*led_to]
    while following:
        new = {target for target in edges.get(following.pop(), ()) if target in reached} - led_to - spared
        led_to |= new
        following += new
    return wanted & led_to
