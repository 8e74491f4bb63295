"""The filters of `warnings`: what tells one from others, and changing their list."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

__all__ = ["change_warnings", "filter_key"]


def filter_key(entry: Any) -> tuple[Any, ...]:
    """Return what tells a filter of `warnings` from others; its category by name, so that no class is held.

    >>> filter_key(("ignore", None, UserWarning, None, 0))
    ('ignore', None, 'builtins', 'UserWarning', None, 0)
    """
    action, message, category, module, line = entry
    patterns = [getattr(pattern, "pattern", pattern) for pattern in (message, module)]
    names = [getattr(category, name, "") for name in ("__module__", "__qualname__")]
    return action, patterns[0], *names, patterns[1], line


def change_warnings(change: Callable[[], object]) -> None:
    """Change the list of filters, and have `warnings` forget what it has derived from it."""
    change()
    with warnings.catch_warnings():
        pass
