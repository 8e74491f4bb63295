"""Carrying over what no attribute shows: values of context variables and thread-locals, and progress."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable
from contextvars import Context, ContextVar
from typing import Any

from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.reloading.collector import counts_are_exact, instances_of
from exocet_ipython.survivors.carrying.progress import PROGRESS

__all__ = ["carry_context"]

_missing = object()
_UNSET = 2  # references more than to the new variable, where no context has a value: who asks for this lists the old


def _carry_variable(before: ContextVar[Any], now: ContextVar[Any], returned: bool) -> None:  # noqa: FBT001 - one table
    """Carry the values that a context variable has, here and in copies of contexts, unless the new body has set one."""
    is_set = not counts_are_exact() or sys.getrefcount(before) - sys.getrefcount(now) > _UNSET
    value = before.get(_missing)
    if value is not _missing and (returned or now.get(_missing) is _missing):
        now.set(value)
    if not is_set:
        return  # the pass over the heap is for those that something else than their module refers to
    for context in instances_of(Context):
        if before in context and (returned or now not in context):
            with contextlib.suppress(RuntimeError):  # it is entered: the present one, or another thread's
                context.run(now.set, context[before])


def _carry_local(before: threading.local, now: threading.local, returned: bool) -> None:  # noqa: FBT001 - likewise
    """Carry what is local to the present thread."""
    for name, value in copy_space(vars(before)).items():
        if returned or name not in vars(now):
            vars(now)[name] = value


_CONTEXTS: dict[int, Callable[[Any, Any, bool], None]] = {
    id(ContextVar): _carry_variable,
    id(threading.local): _carry_local,
    **PROGRESS,
}


def carry_context(before: Any, now: Any, *, returned: bool) -> None:
    """Carry what no attribute of a value shows to its counterpart, if it is of such a kind.

    Args:
        before: what a retired module has.
        now: what has its place.
        returned: whether that has been there before, and has what cells had made of it.
    """
    if type(before) is type(now) and (carry := _CONTEXTS.get(id(type(now)))) is not None:
        carry(before, now, returned)
