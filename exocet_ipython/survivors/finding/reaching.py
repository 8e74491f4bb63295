"""Which of some values lead to an old object: searched forward from them, along what the collector follows."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from types import FrameType, ModuleType
from typing import Any

from exocet_ipython.loading.classes import module_said_by
from exocet_ipython.reloading.collector import referents_of
from exocet_ipython.reloading.holding.held import CELLS

__all__ = ["leads_to_old"]

_MOST = 1_000_000  # objects looked at for one value


def leads_to_old(value: Any, old: Collection[int], spaces: Collection[int]) -> bool:
    """Say whether a value is, contains or refers to an old object or an instance of an old class.

    Modules, the namespaces given and classes of others are not gone through: what they hold, they hold anyway.

    Args:
        value: where to start.
        old: ids of the retired modules, classes and functions that are alive.
        spaces: ids of the dicts of modules and of the notebook.

    >>> class Old: pass
    >>> leads_to_old([{"a": Old()}], {id(Old)}, set()), leads_to_old([1, "a"], {id(Old)}, set())
    (True, False)
    """
    seen: set[int] = set(spaces)
    waiting: list[Any] = [value]
    while waiting and len(seen) < _MOST:
        found = waiting.pop()
        if id(found) in seen:
            continue
        seen.add(id(found))
        if id(found) in old or id(type(found)) in old:
            return True
        waiting += _parts(found)
    return False


def _parts(value: Any) -> Iterable[Any]:
    """Return what a value refers to, as far as the search goes."""
    if issubclass(type(value), ModuleType):
        return ()
    if issubclass(type(value), type) and module_said_by(value) != CELLS:
        return ()
    if type(value) is FrameType:
        # Not the frame that called it: that leads to the shell, and so to everything.
        return value.f_locals.values() if value.f_locals is not value.f_globals else ()
    return referents_of(value)
