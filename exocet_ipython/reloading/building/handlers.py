"""Logging handlers of modules that are made anew: the new bodies don't see them, all other threads do.

`logging.basicConfig(...)` and `if not logger.handlers: logger.addHandler(...)` do nothing where handlers are there. In
a restarted process they aren't, so the thread that runs the new bodies sees the loggers as if the old ones had none.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator
from typing import Any, SupportsIndex, overload

from exocet_ipython.reloading.lasting.loggers import all_loggers
from exocet_ipython.reloading.recording import ModuleRecord

__all__ = ["hidden_handlers"]


@contextlib.contextmanager
def hidden_handlers(retiring: Iterable[ModuleRecord]) -> Iterator[None]:
    """Let the present thread not see, for the block, the handlers that the bodies of these modules had added.

    Args:
        retiring: records of the modules whose new bodies run in the block.
    """
    made = [one.reference() for record in retiring for one in record.effects.handlers]
    hidden = {id(handler) for handler in made if handler is not None}
    views: list[tuple[Any, list[Any], _Handlers]] = []
    for logger in all_loggers() if hidden else ():
        if any(id(handler) in hidden for handler in logger.handlers):
            view = _Handlers(logger.handlers, hidden)
            views.append((logger, logger.handlers, view))
            logger.handlers = view
    try:
        yield
    finally:
        for logger, before, view in views:
            if logger.handlers is view:  # else a body has put a list of its own there
                before[:] = view.everything()
                logger.handlers = before


class _Handlers(list[Any]):
    """The handlers of one logger, some of which one thread doesn't see."""

    def __init__(self, handlers: list[Any], hidden: set[int]) -> None:
        super().__init__(handlers)
        self._hidden = hidden
        self._thread = threading.get_ident()

    def everything(self) -> list[Any]:
        """Return all handlers, the hidden ones among them."""
        return list(super().__iter__())

    def __iter__(self) -> Iterator[Any]:
        if threading.get_ident() != self._thread:
            return super().__iter__()
        return iter([handler for handler in super().__iter__() if id(handler) not in self._hidden])

    def __len__(self) -> int:
        return super().__len__() if threading.get_ident() != self._thread else sum(1 for _ in self)

    def __reversed__(self) -> Iterator[Any]:
        return iter(list(self)[::-1])

    def __contains__(self, handler: object) -> bool:
        return any(handler is known or handler == known for known in self)

    @overload
    def __getitem__(self, index: SupportsIndex, /) -> Any: ...
    @overload
    def __getitem__(self, index: slice, /) -> list[Any]: ...
    def __getitem__(self, index: SupportsIndex | slice, /) -> Any:
        return [*self][index]

    def copy(self) -> list[Any]:
        """Return the handlers that are seen."""
        return [*self]

    def clear(self) -> None:
        """Remove the handlers that are seen."""
        for handler in [*self]:
            self.remove(handler)
