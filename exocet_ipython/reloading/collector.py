"""The memory of this build: when the collector may run, and whether reference counts tell who holds something."""

from __future__ import annotations

import contextlib
import gc
import sys
from collections.abc import Iterator
from typing import Any

__all__ = ["counts_are_exact", "paused_collector", "referents_of"]


def counts_are_exact() -> bool:
    """Say whether a reference count is the number of references: a build without the global lock defers some."""
    return bool(getattr(sys, "_is_gil_enabled", lambda: True)())


def referents_of(thing: Any) -> list[Any]:
    """Return what an object refers to, as the collector sees it; of the C module behind asyncio, nothing.

    That one shows the collector objects that it has freed and keeps for later (CPython 3.12,
    `Modules/_asynciomodule.c`, `module_traverse`). Who takes hold of them frees them once more, and the next collection
    never ends.

    >>> referents_of(["a"]), referents_of(sys.modules.get("_asyncio", {}))
    (['a'], [])
    """
    return [] if thing is sys.modules.get("_asyncio") else gc.get_referents(thing)


@contextlib.contextmanager
def paused_collector() -> Iterator[None]:
    """Let no automatic collection run within the block.

    Loading, planning, recording and publishing allocate much and keep it, and all that retires is still referred to:
    collections would be many, go over the whole heap, and find nothing. What is garbage afterwards goes with the next
    one. While a person's code runs it is never held back.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
