"""Calls that leave globals, and what is noted elsewhere, as they were: a decorator has counted, and noted, before."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dis import opmap
from types import FunctionType, ModuleType
from typing import Any

from exocet_ipython.loading.trees import whole
from exocet_ipython.reloading.holding.contents import dict_of, is_registry, refill
from exocet_ipython.reloading.ladder.operations import iter_operations
from exocet_ipython.reloading.lasting.settings import is_of_own_code, is_own
from exocet_ipython.survivors.repeating.entries import emptied, entries

__all__ = ["sparing_globals"]

_STORES = frozenset(map(opmap.__getitem__, ("STORE_GLOBAL", "DELETE_GLOBAL")))
_MANY = 20  # functions that one calls
_LARGE = 10_000  # entries
_missing = object()


@contextlib.contextmanager
def sparing_globals(maker: Any, former: Any = None) -> Iterator[None]:
    """Let a block call a function; the globals that it assigns to are what they were when the block ends.

    So is what it has noted by methods of objects and by other functions, as `bus.connect(f)` does, where `former` has.

    Args:
        maker: the function.
        former: what has made it before; by default the function itself.

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
    known = {name for name, _ in _noting(maker if former is None else former)}
    contents = [found for name, part in _noting(maker) if name in known for found in _contents_of(part)]
    try:
        yield
    finally:
        for held, content in contents:
            if _ids_in(held) != _ids_in(content):
                refill(held, content)
        for name, value in before.items():
            if value is _missing:
                space.pop(name, None)
            else:
                space[name] = value


def _noting(maker: Any) -> Iterator[tuple[str, Any]]:
    """Yield the objects of own classes that a function names, and what functions name that it calls, containers too.

    A container that it names itself is for its caller to look after.
    """
    waiting, seen = [maker], set[int]()
    while waiting and len(seen) < _MANY:
        function = waiting.pop()
        if type(function) is not FunctionType or id(function) in seen or not is_of_own_code(function):
            continue
        seen.add(id(function))
        found = [(name, function.__globals__.get(name)) for name in function.__code__.co_names]
        waiting += [part for _, part in found]
        for name, part in found:
            is_object = is_own(part) and not issubclass(type(part), (type, FunctionType, ModuleType))
            if is_object or (is_registry(part) and function is not maker):
                yield name, part


def _contents_of(part: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the containers in which an object keeps what it has, and those in these, each with what is in it."""
    space = dict_of(part)
    waiting, seen = [part, space, *(space or {}).values()], set[int]()
    while waiting and len(seen) < _LARGE:
        held = waiting.pop()
        if id(held) not in seen and emptied(held) is not None and len(held) < _LARGE:
            seen.add(id(held))
            content = held.copy()
            yield held, content
            waiting += [inner for entry in entries(content) for inner in entry if is_registry(inner)]


def _ids_in(container: Any) -> list[int]:
    return [id(part) for entry in entries(container) for part in entry]
