"""What is in a container, past what its class makes of it: one that is asked may count it, load it or raise."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Any

__all__ = ["count_of", "items_of", "pairs_of", "values_of"]

_BASES: tuple[Any, ...] = (OrderedDict, dict, list, set, tuple, frozenset, deque)
_IDS = frozenset(map(id, _BASES))


def items_of(container: Any) -> list[Any]:
    """Return the items of a list, tuple, set or deque, and the keys of a map, in one step; of any other what it gives.

    >>> class Upper(list):
    ...     def __iter__(self): return map(str.upper, list.__iter__(self))
    >>> items_of(Upper("ab")), list(Upper("ab")), items_of({"a": 1})
    (['a', 'b'], ['A', 'B'], ['a'])
    """
    return [*_base_of(container).__iter__(container)]


def values_of(container: Any) -> list[Any]:
    """Return the values of a map, in the order of its keys.

    >>> values_of({"a": 1, "b": 2})
    [1, 2]
    """
    return [*_base_of(container).values(container)]


def pairs_of(container: Any) -> list[tuple[Any, Any]]:
    """Return the keys of a map, each with its value, in one step.

    >>> pairs_of({"a": 1})
    [('a', 1)]
    """
    return [*_base_of(container).items(container)]


def count_of(container: Any) -> int:
    """Return how many items, or keys, a container has.

    >>> count_of((1, 2)), count_of({"a": 1})
    (2, 1)
    """
    count: int = _base_of(container).__len__(container)
    return count


def _base_of(container: Any) -> Any:
    kind = type(container)
    if id(kind) in _IDS:
        return kind
    return next((base for base in _BASES if issubclass(kind, base)), kind)
