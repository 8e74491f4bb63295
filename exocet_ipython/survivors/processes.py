"""Processes that this one has started: what they have imported stays in them, and no reload of ours reaches it.

A pickle only names a function, and the worker of a pool looks for it among its own modules. After a restart there would
be no such worker. Those that joblib shares between its calls are held by nobody, so they are let go while they have
nothing to do: its next call starts others. A pool that the person has made is told of.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterator
from typing import Any

__all__ = ["StartedProcesses"]

# Where loky keeps the one executor that it shares, as joblib has it and by itself.
_SHARED = ("joblib.externals.loky.reusable_executor", "loky.reusable_executor")


class StartedProcesses:
    """The living processes that were started with `multiprocessing`, as this process knows them; each is told once.

    >>> StartedProcesses().tell()
    ()
    """

    def __init__(self) -> None:
        self._told: weakref.WeakSet[Any] = weakref.WeakSet()

    def tell(self) -> tuple[str, ...]:
        """Let go of the workers that joblib shares, and return the names of the other processes that are newly found.

        To be called when the code of this process has become another.
        """
        module: Any = sys.modules.get("multiprocessing.process")
        if module is None:
            return ()
        shared = {id(process) for executor in _shared_executors() for process in _let_go(executor)}
        found = [one for one in module.active_children() if one not in self._told and id(one) not in shared]
        self._told.update(found)
        return tuple(sorted(one.name for one in found))


def _shared_executors() -> Iterator[Any]:
    """Yield the executors that have nothing to do; one that is at work would take no more of it."""
    for module in filter(None, map(sys.modules.get, _SHARED)):
        executor = getattr(module, "_executor", None)
        if executor is not None and not getattr(executor, "_pending_work_items", None):
            yield executor


def _let_go(executor: Any) -> list[Any]:
    """Have an executor end its workers, and return these."""
    workers = list((getattr(executor, "_processes", None) or {}).values())
    executor.shutdown(wait=False)
    return workers
