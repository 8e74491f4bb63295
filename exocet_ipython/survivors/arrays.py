"""Numpy's arrays of objects: what is in them the collector doesn't show. Numpy is not imported for it."""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["is_array", "items_of"]


def is_array(kind: type) -> bool:
    """Say whether a class is that of numpy's arrays, or derived from it."""
    base = getattr(sys.modules.get("numpy"), "ndarray", None)
    return base is not None and issubclass(kind, base)


def items_of(array: Any) -> list[Any]:
    """Return the items of an array of objects, in order; none of one of numbers."""
    items: list[Any] = array.ravel().tolist() if array.dtype.kind == "O" else []
    return items
