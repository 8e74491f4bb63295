"""What Python doesn't ask when an instance changes class: the fields of a named tuple, the memory of `ctypes`."""

from __future__ import annotations

import sys
from typing import Any

from exocet_ipython.loading.classes import module_said_by

__all__ = ["has_other_fields", "is_laid_out_otherwise", "require_same_fields", "require_same_memory"]


def require_same_fields(before: Any, now: Any) -> None:
    """Refuse a named tuple whose class has other fields by now: Python would let it change class, and its items stay.

    Raises:
        TypeError: the fields differ.
    """
    if has_other_fields(before, now):
        message = "its fields are others now"
        raise TypeError(message)


def has_other_fields(before: Any, now: Any) -> bool:
    """Say whether a class of named tuples has other fields than the one whose place it takes.

    >>> from collections import namedtuple
    >>> has_other_fields(namedtuple("Row", "a"), namedtuple("Row", "a b")), has_other_fields(tuple, tuple)
    (True, False)
    """
    return issubclass(now, tuple) and getattr(now, "_fields", None) != getattr(before, "_fields", None)


def require_same_memory(before: Any, now: Any) -> None:
    """Refuse an instance of `ctypes` whose class has another layout by now.

    Raises:
        TypeError: the layouts differ.
    """
    if is_laid_out_otherwise(before, now):
        message = "its memory is laid out otherwise by now"
        raise TypeError(message)


def is_laid_out_otherwise(before: Any, now: Any) -> bool:
    """Say whether two classes of `ctypes` lay out the memory of their instances differently; False of all others.

    An instance has as much of it as its class said when it was made. Python lets it have the other class nonetheless,
    and a subclass the other base: they would then read and write what is not theirs.

    >>> import ctypes
    >>> class Point(ctypes.Structure): _fields_ = [("x", ctypes.c_int)]
    >>> class Place(ctypes.Structure): _fields_ = [("x", ctypes.c_int), ("y", ctypes.c_int)]
    >>> is_laid_out_otherwise(Point, Place), is_laid_out_otherwise(Point, Point), is_laid_out_otherwise(Point, object)
    (True, False, True)
    """
    return before is not now and _layout(before) != _layout(now)


def _layout(cls: Any) -> tuple[int, str] | None:
    """Return how much memory an instance has, and of what kind in which order; None where it has no such memory."""
    if not any(module_said_by(base) == "_ctypes" for base in type(cls).__mro__):
        return None
    size = sys.modules["ctypes"].sizeof
    try:
        return size(cls), str(memoryview(cls.from_buffer(bytearray(size(cls)))).format)
    except TypeError:
        return None  # it has no fields yet
