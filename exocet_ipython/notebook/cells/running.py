"""The cells that run: in subshell threads, one inside another, or waiting for something while others begin."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any
from weakref import ref

from IPython.core.interactiveshell import InteractiveShell

from exocet_ipython.reloading.collector import current_frames

__all__ = ["CellRunning", "RunningCells"]

_RUNS_CELL = InteractiveShell.run_code.__code__


class CellRunning(BaseException):
    """Another cell runs: nothing can be published. No Exception: these are reported as failures of the reload."""


class RunningCells:
    """Tells whether a cell is alone.

    IPython's calls before and after a cell don't pair up, so a cell whose end nobody has told of counts until what
    IPython tells of it is gone.

    >>> RunningCells()
    <0 running cells>
    """

    def __init__(self) -> None:
        # Held for moments and to publish, so that no cell begins under a publish or waits for a body.
        self._lock = threading.RLock()
        self._running: dict[int, tuple[ref[Any], int]] = {}  # id of what IPython tells of a cell -> that, its thread

    def __repr__(self) -> str:
        return f"<{len(self._cells())} running cells>"

    def begin(self, info: Any) -> bool:
        """Note that a cell begins in this thread.

        Args:
            info: what IPython tells of it.

        Returns:
            whether it does so inside another one.
        """
        own = threading.get_ident()
        with self._lock:
            is_inner = bool(self._running) and any(thread == own for _, thread in self._cells())
            self._running[id(info)] = ref(info), own
        return is_inner

    def end(self, info: Any) -> None:
        """Note that a cell has ended.

        Args:
            info: what IPython tells of it; None for one that awaited something in this thread and was interrupted.
        """
        with self._lock:
            if info is not None:
                self._running.pop(id(info), None)
            else:
                own = threading.get_ident()
                self._running = {key: cell for key, cell in self._running.items() if cell[1] != own}

    @contextmanager
    def alone(self, info: Any) -> Iterator[None]:
        """Let no other cell begin within the block.

        Raises:
            CellRunning: one has begun while modules ran; it is to go on with what it began with.
        """
        with self._lock:
            if not self.is_alone(info):
                raise CellRunning
            yield

    def is_alone(self, info: Any, *, within: bool = False) -> bool:
        """Say whether no other cell runs: none on a thread's stack, and none that awaits something in another thread.

        Of the cells of this thread none awaits: the next one has begun.

        Args:
            info: what IPython tells of the cell that asks.
            within: whether it runs itself, in this thread.
        """
        own = threading.get_ident()
        frames = current_frames()
        try:
            if any(_runs_cell(frame) for thread, frame in frames.items() if not (within and thread == own)):
                return False
            with self._lock:
                return not any(
                    other is not info and thread != own and thread in frames for other, thread in self._cells()
                )
        finally:
            frames.clear()  # this call's own is among them, which would keep what the cell has for the collector

    def _cells(self) -> list[tuple[Any, int]]:
        return [(info, thread) for cell, thread in self._running.values() if (info := cell()) is not None]


def _runs_cell(frame: FrameType | None) -> bool:
    """Say whether a cell is among a frame and its callers."""
    while frame is not None:
        if frame.f_code is _RUNS_CELL:
            return True
        frame = frame.f_back
    return False
