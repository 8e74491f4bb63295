"""Carrying over what is local to a context or a thread: values of context variables, attributes of thread-locals."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from exocet_ipython.loading.spaces import copy_space

__all__ = ["CONTEXTS"]

_missing = object()


def _carry_context(before: ContextVar[Any], now: ContextVar[Any], returned: bool) -> None:  # noqa: FBT001 - one table
    """Carry the value that a context variable has, unless the new body has set one."""
    value = before.get(_missing)
    if value is not _missing and (returned or now.get(_missing) is _missing):
        now.set(value)


def _carry_local(before: threading.local, now: threading.local, returned: bool) -> None:  # noqa: FBT001 - likewise
    """Carry what is local to the present thread."""
    for name, value in copy_space(vars(before)).items():
        if returned or name not in vars(now):
            vars(now)[name] = value


CONTEXTS: dict[type, Callable[[Any, Any, bool], None]] = {ContextVar: _carry_context, threading.local: _carry_local}
