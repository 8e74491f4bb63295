"""Calls that leave the globals of a module what they were: a decorator that counts has counted before."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dis import opmap
from types import FunctionType
from typing import Any

from exocet_ipython.loading.trees import whole
from exocet_ipython.reloading.ladder.operations import iter_operations

__all__ = ["sparing_globals"]

_STORES = frozenset(map(opmap.__getitem__, ("STORE_GLOBAL", "DELETE_GLOBAL")))
_missing = object()


@contextlib.contextmanager
def sparing_globals(maker: Any) -> Iterator[None]:
    """Let a block call a function; the globals that it assigns to are what they were when the block ends.

    >>> def count():
    ...     global COUNT
    ...     COUNT = 1
    >>> with sparing_globals(count): count()
    >>> "COUNT" in count.__globals__
    False
    """
    codes = whole(maker.__code__) if type(maker) is FunctionType else ()
    names = {name for code in codes for _, operation, name in iter_operations(code) if operation in _STORES}
    space: dict[str, Any] = maker.__globals__ if names else {}
    before = {name: space.get(name, _missing) for name in names}
    try:
        yield
    finally:
        for name, value in before.items():
            if value is _missing:
                space.pop(name, None)
            else:
                space[name] = value
