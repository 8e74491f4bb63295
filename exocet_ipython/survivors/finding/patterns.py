"""Compiled patterns: `re` keeps them by their texts, and gives one to all who ask for the same text."""

from __future__ import annotations

import re
import sys
from collections.abc import Container, Iterable
from typing import Any

from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.reloading.holding.held import CELLS
from exocet_ipython.reloading.retired import living_retired, spaces_in

__all__ = ["cells_may_compile", "is_pattern", "pattern_caches", "spaces_with_patterns"]

_CACHES = ("_cache", "_cache2")  # Python 3.12 and later have both


def pattern_caches() -> list[dict[Any, Any]]:
    """Return the dicts in which `re` keeps patterns: nobody knows one by these alone, and these are not written.

    >>> pattern = re.compile("a pattern of this example")
    >>> any(pattern is kept for cache in pattern_caches() for kept in cache.values())
    True
    """
    return [cache for name in _CACHES if type(cache := vars(re).get(name)) is dict]


def is_pattern(value: Any) -> bool:
    """Say whether a value is a compiled pattern."""
    return issubclass(type(value), re.Pattern)


def spaces_with_patterns(values: Iterable[Any], known: Container[int] = ()) -> list[Any]:
    """Return the namespaces of modules and classes that retired before, where a pattern is among some values.

    `re` gives a new body what it has compiled before: what is left of these has it too, and may be much.

    Args:
        values: what they may have.
        known: ids of the globals of modules that are no matter.
    """
    if not any(map(is_pattern, values)):
        return []
    left = [found for found in living_retired() if id(globals_of(found.record.module)) not in known]
    return [space for found in left for space in spaces_in(found)]


def cells_may_compile() -> bool:
    """Say whether cells have `re` themselves: a pattern that they hold may be theirs, of a module's text."""
    names = copy_space(globals_of(sys.modules.get(CELLS)))
    return any(value is re or value is re.compile for value in names.values())
