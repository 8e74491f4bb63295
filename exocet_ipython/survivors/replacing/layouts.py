"""What Python doesn't ask when an instance changes class, or a class its bases.

The fields of a named tuple, the memory of `ctypes`, a `__new__` that is gone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import BuiltinFunctionType
from typing import Any

from exocet_ipython.loading.classes import first_named, module_said_by, mro_of

__all__ = [
    "has_other_fields",
    "is_laid_out_otherwise",
    "loses_new",
    "require_same_fields",
    "require_same_memory",
]


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


def loses_new(cls: type, bases: Iterable[type]) -> bool:
    """Say whether a class inherits a `__new__` of Python code, and would inherit none from other bases.

    Python goes on to look for it, and refuses then what the constructor is given.

    >>> class Made:
    ...     def __new__(cls, *args): return object.__new__(cls)
    >>> class One(Made): pass
    >>> loses_new(One, (object,)), loses_new(One, (Made,)), loses_new(Made, (object,))
    (True, False, False)
    """
    found = [first_named("__new__", mro_of(one)) for one in (cls, *bases)]
    is_pythons = [type(one) is BuiltinFunctionType for one in found]
    return "__new__" not in vars(cls) and not is_pythons[0] and all(is_pythons[1:])


def _layout(cls: Any) -> tuple[int, str] | None:
    """Return how much memory an instance has, and of what kind in which order; None where it has no such memory."""
    if not any(module_said_by(base) == "_ctypes" for base in type(cls).__mro__):
        return None
    size = sys.modules["ctypes"].sizeof
    try:
        return size(cls), str(memoryview(cls.from_buffer(bytearray(size(cls)))).format)
    except TypeError:
        return None  # it has no fields yet
