"""Ctrl-C that stops a person's code at once, and ours only where nothing is half done."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any, TypeVar

from exocet_ipython.loading.tracebacks import OWN_FOLDER

__all__ = ["act_on_interrupt", "deferred_interrupt", "interruptible"]

_Function = TypeVar("_Function", bound=Callable[..., Any])
_LATE = "it was held back until what was under way, and stops only as a whole, had ended"
_interruptible: set[CodeType] = set()
_deferrals: list[_Deferral] = []  # of the main thread: at most one


def interruptible(function: _Function) -> _Function:
    """Mark a function of ours that calls a person's code, or Python's import, and has nothing to clean up itself."""
    _interruptible.add(function.__code__)
    return function


@contextlib.contextmanager
def deferred_interrupt() -> Iterator[None]:
    """Hold back Ctrl-C in the main thread for the block, but for the code that interruptible functions call.

    What was held back acts in `act_on_interrupt`, or when the block is done, and says so then. Other threads don't
    receive it, and a block inside of another changes nothing.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or isinstance(before, _Deferral):
        yield
        return
    deferral = _Deferral(before)
    signal.signal(signal.SIGINT, deferral)
    _deferrals.append(deferral)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        _deferrals.remove(deferral)
        try:
            deferral.release()
        except KeyboardInterrupt as error:
            error.add_note(_LATE)
            raise


def act_on_interrupt() -> None:
    """Let a Ctrl-C that was held back act now; raises KeyboardInterrupt then."""
    # Not signal.getsignal(), which tries each answer as an enum: this is asked for every module that is built.
    for deferral in _deferrals:
        if deferral.is_waiting and threading.current_thread() is threading.main_thread():
            deferral.release()


class _Deferral:
    """A handler of SIGINT that hands the signal on at once in a person's code, and later in ours."""

    def __init__(self, before: Any) -> None:
        self._before = before
        self._waiting: list[tuple[int, FrameType | None]] = []

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self._waiting = [(number, frame)]
        while frame is not None and not frame.f_code.co_filename.startswith(OWN_FOLDER):
            frame = frame.f_back
        if frame is None or frame.f_code in _interruptible:
            self.release()

    @property
    def is_waiting(self) -> bool:
        """Whether a signal is held back."""
        return bool(self._waiting)

    def release(self) -> None:
        """Hand on the signal that waits, if one does; one that the person ignores stays ignored."""
        waiting, self._waiting = self._waiting, []
        if waiting and callable(self._before):
            self._before(*waiting[0])
