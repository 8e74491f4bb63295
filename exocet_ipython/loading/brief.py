"""Texts of bounded length, for reprs and messages about things that may be many or long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["clip", "few"]

_LONGEST = 80  # characters
_MOST = 3


def few(things: Sequence[Any]) -> str:
    """Name up to three things, strings as they are, and say how many more there are.

    >>> few(["a", "b", "c", "d"]), few([])
    ('a, b, c and 1 more', 'nothing')
    """
    named = ", ".join(clip(thing if isinstance(thing, str) else repr(thing)) for thing in things[:_MOST])
    more = f" and {len(things) - _MOST} more" if len(things) > _MOST else ""
    return named + more if things else "nothing"


def clip(text: str) -> str:
    """Cut a text to at most 80 characters, with dots for what was cut.

    >>> len(clip("long " * 100)), clip("short")
    (80, 'short')
    """
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
