"""What instances have in slots, beside the dict of their attributes or in its stead."""

from __future__ import annotations

import struct
import sys
import weakref
from collections.abc import Iterator
from types import MemberDescriptorType
from typing import Any

from exocet_ipython.loading.classes import module_said_by
from exocet_ipython.loading.spaces import copy_space

__all__ = ["filled_slots", "has_slots", "slots_of", "with_slots"]

_POINTER = struct.calcsize("P")  # bytes


def has_slots(kind: type) -> bool:
    """Say whether a class, or one that it derives from, names slots, be it none; not those of Python's library.

    What these have in theirs are answers that they keep: a path how it is written.

    >>> class Cat:
    ...     __slots__ = ("age",)
    >>> import pathlib
    >>> has_slots(Cat), has_slots(pathlib.PurePath)
    (True, False)
    """
    lines: tuple[type, ...] = type.__getattribute__(kind, "__mro__")
    for base in lines:  # no generator: this is asked of each instance that a module has
        space = type.__getattribute__(base, "__dict__")
        if "__slots__" in space and str(space.get("__module__")).partition(".")[0] not in sys.stdlib_module_names:
            return True
    return False


def slots_of(kind: type) -> Iterator[Any]:
    """Yield the descriptors of the slots that an instance of a class has, in the order in which constructors fill them.

    >>> list(slots_of(weakref.ref))
    []
    """
    for base in reversed(kind.__mro__):
        if module_said_by(base) != "builtins" and base is not weakref.ref:  # the callback of one can't be set
            yield from (part for part in copy_space(vars(base)).values() if type(part) is MemberDescriptorType)


def filled_slots(instance: Any) -> list[tuple[Any, Any]]:
    """Return the slots of an instance that are not empty: the descriptor of each, and what is in it.

    >>> class Cat:
    ...     __slots__ = ("age", "name")
    >>> tom = Cat(); tom.name = "Tom"
    >>> [(slot.__name__, value) for slot, value in filled_slots(tom)]
    [('name', 'Tom')]
    """
    found: list[tuple[Any, Any]] = []
    if not _has_room(type(instance)):
        return found
    for slot in slots_of(type(instance)):
        try:
            found.append((slot, slot.__get__(instance, type(instance))))
        except AttributeError:  # an empty one
            continue
    return found


def _has_room(kind: type) -> bool:
    """Say whether instances of a class have room for more than a dict and weak references: quickly, for many of them.

    >>> class Cat: pass
    >>> class Dog:
    ...     __slots__ = ("age",)
    >>> _has_room(Cat), _has_room(Dog), _has_room(type("Many", (list,), {}))
    (False, True, True)
    """
    room: int = type.__getattribute__(kind, "__basicsize__") - object.__basicsize__
    for offset in ("__dictoffset__", "__weakrefoffset__"):
        if room > 0 and type.__getattribute__(kind, offset) > 0:
            room -= _POINTER
    return room > 0


def with_slots(value: Any, space: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the dict of an instance's attributes, or another one with those in slots; None where it has neither.

    Args:
        value: the instance.
        space: its dict, if it has one.
    """
    if not has_slots(type(value)):
        return space  # nearly all
    slotted = {slot.__name__: part for slot, part in filled_slots(value)}
    return {**slotted, **(space or {})} if slotted else space
