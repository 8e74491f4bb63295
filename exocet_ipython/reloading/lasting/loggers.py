"""The loggers and handlers of `logging`, which is not imported for that."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterator, Sequence
from typing import Any

__all__ = ["all_loggers", "handlers", "last_handler", "loggers_with"]


def all_loggers() -> Iterator[Any]:
    """Yield the root logger and all others; none where logging was never imported."""
    logging: Any = sys.modules.get("logging")
    if logging is None:
        return
    yield logging.root
    for logger in list(logging.root.manager.loggerDict.values()):
        if hasattr(logger, "handlers"):  # a placeholder has none
            yield logger


def loggers_with(handler: Any) -> frozenset[str]:
    """Return the names of the loggers that have a handler."""
    return frozenset(logger.name for logger in all_loggers() if handler in logger.handlers)


def handlers() -> Sequence[weakref.ref[Any]]:
    """Return logging's own list of all handlers, oldest first; none where logging was never imported."""
    return getattr(sys.modules.get("logging"), "_handlerList", ())


def last_handler() -> weakref.ref[Any] | None:
    """Return the weak reference of `logging` to the handler that was made last; None where there is none."""
    known = handlers()[-1:]  # in one step: other threads make handlers too
    return known[0] if known else None
