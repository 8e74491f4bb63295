"""Attributes of classes, read and written as Python itself does, whatever a metaclass of somebody's makes of it."""

from __future__ import annotations

from collections.abc import Iterable
from types import WrapperDescriptorType
from typing import Any

__all__ = ["delete_from_class", "first_named", "mro_of", "set_in_class"]


def set_in_class(cls: type, name: str, value: Any) -> None:
    """Give a class an attribute.

    A metaclass that is written in Python is not asked. One that is written in C is, as those of `ctypes` are: it may
    keep more of a class than its attributes, and `type.__setattr__` refuses to go past it.

    >>> import ctypes
    >>> class Point(ctypes.Structure): pass
    >>> set_in_class(Point, "origin", (0, 0))
    >>> Point.origin
    (0, 0)

    Raises:
        AttributeError, TypeError: it can't be given that.
    """
    _own_method(cls, "__setattr__")(cls, name, value)


def delete_from_class(cls: type, name: str) -> None:
    """Take an attribute from a class, in the same way.

    Raises:
        AttributeError: it has none of this name.
    """
    _own_method(cls, "__delattr__")(cls, name)


def mro_of(cls: type) -> tuple[type, ...]:
    """Return a class and its bases, in the order in which attributes are looked up in them."""
    found: tuple[type, ...] = type.__getattribute__(cls, "__mro__")
    return found


def first_named(name: str, classes: Iterable[type]) -> Any:
    """Return what the first of these classes has that itself has something of a name; None where none has.

    >>> first_named("real", mro_of(bool)) is vars(int)["real"], first_named("real", mro_of(str))
    (True, None)
    """
    spaces = (type.__getattribute__(cls, "__dict__") for cls in classes)
    return next((space[name] for space in spaces if name in space), None)


def _own_method(cls: type, name: str) -> Any:
    """Return the nearest method of this name in the metaclass of a class that is written in C; `type` has one."""
    spaces = (type.__getattribute__(base, "__dict__") for base in mro_of(type(cls)))
    return next(found for space in spaces if type(found := space.get(name)) is WrapperDescriptorType)
