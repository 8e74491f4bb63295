"""Retired classes of which instances could not move: these are not tried again while the new class is the same."""

from __future__ import annotations

from collections.abc import Iterable

from exocet_ipython.loading.classes import mro_of
from exocet_ipython.loading.references import OwnReference
from exocet_ipython.reloading.holding.held import dotted_name
from exocet_ipython.survivors.matching.succession import Succession

__all__ = ["Left", "LeftClasses"]

# A retired class, and the one that its instances could not move to.
Left = tuple[OwnReference[type], OwnReference[type]]


class LeftClasses:
    """Weak records of retired classes of which instances have stayed, with what these could not move to.

    Each reload of something else would come to the same with each of them again, and say so again.

    >>> LeftClasses().staying(Succession({}, {}))
    frozenset()
    """

    def __init__(self) -> None:
        self._known: list[Left] = []

    def __repr__(self) -> str:
        return f"<{len(self._known)} classes that were left>"

    def note(self, found: Iterable[Left]) -> None:
        """Note classes of which an instance has stayed now; what is gone by now is forgotten."""
        self._known = [left for left in (*self._known, *found) if left[0]() is not None]

    def staying(self, succession: Succession) -> frozenset[int]:
        """Return the ids of the classes, and of their bases, whose instances could not move to what is current now."""
        pairs = ((before(), now()) for before, now in self._known)
        return frozenset(
            id(base)
            for before, now in pairs
            if before is not None and now is not None and succession.find(dotted_name(now)) is now
            for base in mro_of(before)
        )
