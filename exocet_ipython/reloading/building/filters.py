"""Keeping the filters of warnings in order: those that cells have put before a module's stay before it."""

from __future__ import annotations

import contextlib
import itertools
import operator
import warnings
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from typing import Any

from exocet_ipython.reloading.lasting.filters import change_warnings, filter_key

__all__ = ["kept_filters"]


@contextlib.contextmanager
def kept_filters(known: Collection[tuple[Any, ...]]) -> Iterator[None]:
    """Have the filters that bodies put in front, in the block, take the places of those that they had put there before.

    Where it fails, all filters are as they were.

    Args:
        known: what `filter_key` says of those that the same modules had put there.
    """
    before = list(warnings.filters)
    try:
        yield
    except BaseException:
        _set_filters(before)
        raise
    if known:
        _set_filters(_in_order(before, list(warnings.filters), known))


def _in_order(before: Sequence[Any], now: Sequence[Any], known: Collection[tuple[Any, ...]]) -> list[Any]:
    """Return the filters of now, each new one where one like it was, or before the first that the modules have.

    >>> old, cells, new, more = (("ignore", text, Warning, None, 0) for text in ("a", "b", "a", "c"))
    >>> [entry[1] for entry in _in_order([cells, old], [more, new, cells], [filter_key(old)])]
    ['b', 'c', 'a']
    """
    staying = set(map(id, before)) & set(map(id, now))
    first = list(itertools.takewhile(lambda entry: id(entry) not in staying, now))
    added = {filter_key(entry): entry for entry in first}
    found, place = list[Any](), None
    for entry in before:
        key = filter_key(entry)
        if id(entry) in staying or key in added:
            place = len(found) if place is None and key in known else place
            found.append(entry if id(entry) in staying else added.pop(key))
    found[place or 0 : place or 0] = [entry for entry in first if added.get(filter_key(entry)) is entry]
    return [*found, *(entry for entry in now[len(first) :] if id(entry) not in staying)]


def _set_filters(filters: list[Any]) -> None:
    known: list[Any] = warnings.filters  # type: ignore[assignment]  # it is a list, and documented to be changed
    if len(filters) != len(known) or not all(map(operator.is_, filters, known)):
        change_warnings(partial(known.__setitem__, slice(None), filters))
