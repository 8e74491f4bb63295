"""Locks, events and queues: threads and tasks that go on wait at them, and cells are to wake them by the same names.

So the new module goes on with the very object, unless it has given its own to something else already: a condition, an
instance, a thread.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from exocet_ipython.reloading.collector import counts_are_exact
from exocet_ipython.reloading.holding.marks import is_waited_at
from exocet_ipython.reloading.holding.paths import value_at

__all__ = ["find_alone"]

_ALONE = 2  # references: of what has it in the module, and of the call that counts them


def find_alone(contents: Mapping[str, Mapping[Any, int]], space: dict[str, Any]) -> frozenset[str]:
    """Return the paths in a module at which there is something to wait at that nothing else refers to.

    On a build that defers reference counts there is none.

    Args:
        contents: of the baseline of the module that retires: what is there else has come later.
        space: the globals of the new module, which nobody has seen yet.

    >>> import threading
    >>> space = {"stop": threading.Event(), "lock": threading.Lock(), "items": []}
    >>> space["ready"] = threading.Condition(space["lock"])
    >>> sorted(find_alone({name: {"": 0} for name in space}, space))
    ['stop']
    """
    if not counts_are_exact():
        return frozenset()
    marked = [path for path, parts in contents.items() if "" in parts and is_waited_at(value_at(space, path))]
    return frozenset(path for path in marked if _is_alone(path, space))


def _is_alone(path: str, space: dict[str, Any]) -> bool:
    if sys.getrefcount(value_at(space, path)) != _ALONE:
        return False
    value = value_at(space, path)
    if (lock := getattr(value, "_lock", None)) is None:
        return True
    own = type(value)()  # a condition: it may have been given the lock
    return sys.getrefcount(lock) - 1 == sys.getrefcount(own._lock)  # noqa: SLF001 - nothing else tells
