"""What a forked child does with what it inherits.

A hook of `os.register_at_fork` can't be taken off: one is set for the process at first use, and holds nothing alive.
"""

from __future__ import annotations

import functools
import os
import weakref
from typing import Protocol

__all__ = ["Heir", "call_in_children"]


class Heir(Protocol):
    """An object that a forked child inherits."""

    def leave_parent(self) -> None:
        """Give back what is shared with the parent; called in the child, before anything else runs there."""
        ...


def call_in_children(heir: Heir) -> None:
    """Let `leave_parent` of this object be called in each forked child, as long as the object lives."""
    _hook_forks()
    _HEIRS.add(heir)


_HEIRS: weakref.WeakSet[Heir] = weakref.WeakSet()


def _leave_parents() -> None:
    for heir in list(_HEIRS):
        heir.leave_parent()


@functools.cache
def _hook_forks() -> None:
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_leave_parents)
