"""Weak references of ours, which are told from those of everybody else."""

from __future__ import annotations

import weakref
from typing import TypeVar

__all__ = ["OwnReference"]

_Referent = TypeVar("_Referent")


class OwnReference(weakref.ref[_Referent]):
    """A weak reference to something of a person's code, for our own records.

    Python gives one plain reference to all who ask for one: whoever replaces those that a person holds would replace
    ours as well.

    >>> thing = type("Thing", (), {})
    >>> OwnReference(thing)() is thing, OwnReference(thing) is weakref.ref(thing)
    (True, False)
    """

    __slots__ = ()
