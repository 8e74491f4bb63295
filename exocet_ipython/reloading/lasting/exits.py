"""The functions that are to be called at exit, which `atexit` lists nowhere."""

from __future__ import annotations

import atexit
import sys
from collections.abc import Callable
from typing import Any

__all__ = ["count_exits", "exit_functions"]

count_exits: Callable[[], int] = getattr(atexit, "_ncallbacks", int)  # CPython's own; none elsewhere


class _Spy:
    """Equal to nothing, and shown everything that it is compared with."""

    __slots__ = ("shown",)

    def __init__(self) -> None:
        self.shown: list[Any] = []

    def __eq__(self, other: object) -> bool:
        self.shown.append(other)
        return False

    __hash__ = None  # type: ignore[assignment] # so the data model has it


def exit_functions() -> list[Any]:
    """Return the functions that are to be called at exit, in the order in which they were registered.

    `atexit` lists them nowhere, but compares each with what it is asked to take off; from the newest one on 3.14.
    """
    spy = _Spy()
    atexit.unregister(spy)  # type: ignore[arg-type] # it is compared, never called
    return spy.shown[::-1] if sys.version_info >= (3, 14) else spy.shown
