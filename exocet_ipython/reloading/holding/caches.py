"""What a `functools.lru_cache` is made of, past the names that its dict has for it."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

__all__ = ["call_of_key", "entries_of_cache", "function_of_cache", "table_of_cache"]


def function_of_cache(cache: Any) -> Any:
    """Return the function that a cache asks: `__wrapped__` in its dict may have been replaced.

    >>> import functools
    >>> function_of_cache(functools.lru_cache(divmod))
    <built-in function divmod>
    """
    parts = gc.get_referents(cache)
    return parts[_mark_in(parts) - 1]


def table_of_cache(cache: Any) -> dict[Any, Any]:
    """Return the table of a cache, by the keys that it makes of arguments; a bounded one has links in it.

    >>> import functools
    >>> both = functools.cache(divmod)
    >>> _ = both(7, 2)
    >>> table_of_cache(both)
    {(7, 2): (3, 1)}
    """
    parts = gc.get_referents(cache)
    table: dict[Any, Any] = parts[_mark_in(parts) - 2]
    return table


def entries_of_cache(cache: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the keys that a cache makes of arguments, with what it has given for them.

    >>> import functools
    >>> both = functools.lru_cache(lambda key: {key: key})
    >>> _ = both(1), both(2)
    >>> list(entries_of_cache(both))
    [(1, {1: 1}), (2, {2: 2})]
    """
    if cache.cache_parameters()["maxsize"] is None:
        yield from list(table_of_cache(cache).items())
        return
    # Links tell nothing: the cache itself tells of each its type, its key and what was given, in the order of use.
    parts = gc.get_referents(cache)
    linked = parts[: _mark_in(parts) - 2]
    yield from zip(linked[1::3], linked[2::3], strict=False)  # its own type ends them, or begins them


def call_of_key(key: Any, *, typed: bool = False) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments that a cache has made a key of, and those with names; as `functools._make_key` puts them.

    Args:
        key: of the table of a cache.
        typed: whether the cache tells arguments by their types as well.

    >>> import functools
    >>> given = functools.lru_cache(typed=True)(lambda *given, **named: None)
    >>> given(1, (2,), a=3, b="c"), given(1.5), given(a=4)
    (None, None, None)
    >>> [call_of_key(key, typed=True) for key in table_of_cache(given)]
    [((1, (2,)), {'a': 3, 'b': 'c'}), ((1.5,), {}), ((), {'a': 4})]
    """
    parts = key if type(key) is tuple else (key,)  # one number or string is its own key
    mark = next((place for place, part in enumerate(parts) if type(part) is object), None)
    if mark is None:
        return (parts[: len(parts) // 2] if typed else parts), {}
    named = parts[mark + 1 :]  # names and values in turn; then the types of all values, if these count
    count = (len(named) - mark) // 3 if typed else len(named) // 2
    return parts[:mark], dict(zip(named[: 2 * count : 2], named[1 : 2 * count : 2], strict=True))


def _mark_in(parts: list[Any]) -> int:
    """Return the place of the mark before the names of a call: behind the entries, the table and the function.

    In the order of `lru_cache_tp_traverse`, in CPython's `Modules/_functoolsmodule.c`.
    """
    return max(place for place, part in enumerate(parts) if type(part) is object)
