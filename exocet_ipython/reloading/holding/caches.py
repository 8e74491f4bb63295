"""What a `functools.lru_cache` is made of, past the names that its dict has for it."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

__all__ = ["entries_of_cache", "function_of_cache", "table_of_cache"]


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


def _mark_in(parts: list[Any]) -> int:
    """Return the place of the mark before the names of a call: behind the entries, the table and the function.

    In the order of `lru_cache_tp_traverse`, in CPython's `Modules/_functoolsmodule.c`.
    """
    return max(place for place, part in enumerate(parts) if type(part) is object)
