"""Functions of cells that a decorator gave back as they were, and of which it makes something else by now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from exocet_ipython.reloading.collector import referrers_of
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.survivors.decorating.called import Call
from exocet_ipython.survivors.replacing.references import replace_references

__all__ = ["GivenBack"]


class GivenBack:
    """Puts what decorators have made in the place of what they were given, in all that held this before.

    Args:
        given: the functions, of which something else will be made.
        journal: how it is taken back.
    """

    def __init__(self, given: Sequence[Any], journal: Journal) -> None:
        self._journal = journal
        self._made: dict[int, tuple[Any, Any]] = {}
        # What the decorators make holds them as well, and goes on with it.
        self._holders = referrers_of([*given]) if given else []

    def take_latest(self, call: Call) -> None:
        """Have a call be given what the decorators below it have made."""
        call.replace_given(lambda one: self._made.get(id(one), (one, one))[1])

    def note(self, call: Call, made: Any) -> None:
        """Note what the call of a decorator has made."""
        before = next((old for old, now in self._made.values() if now is call.given), call.given)
        if made is not None and made is not before:
            self._made[id(before)] = before, made

    def replace(self) -> None:
        """Put it in its place."""
        if self._made:
            own = {id(self._made), *map(id, self._made.values())}
            replace_references(self._made, own, self._holders, self._journal)
