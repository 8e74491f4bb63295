"""Holding back the cyclic garbage collector while what is allocated is kept."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

__all__ = ["paused_collector"]


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
