"""What goes on itself in the new module: locks, events and queues, at which threads and tasks wait, buffers and loops.

Unless the new module has given its own to something else already: a condition, an instance, a thread.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Mapping
from types import ModuleType
from typing import Any

from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.reloading.collector import counts_are_exact
from exocet_ipython.reloading.holding.contents import fingerprint
from exocet_ipython.reloading.holding.marks import may_go_on
from exocet_ipython.reloading.holding.paths import value_at
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.survivors.carrying.assigning import assign

__all__ = ["GoingOn", "find_alone"]

_ALONE = 2  # references: of what has it in the module, and of the call that counts them
_OWN = {"_UnixSelectorEventLoop": 2}  # more: it has a handle for what wakes it


class GoingOn:
    """Puts what goes on in the place of what a new module has made; to its baseline that is what its body has made.

    Args:
        record: of the new module.
        alone: ids of what the new modules have made and may do without, as `find_alone` gives them.
        journal: how it is taken back.
    """

    def __init__(self, record: ModuleRecord | None, alone: Collection[int], journal: Journal) -> None:
        self._record, self._alone, self._journal = record, alone, journal

    def replaces(self, now: Any) -> bool:
        """Say whether another one may go on in the place of what a new module has made."""
        return id(now) in self._alone

    def put(self, path: str, place: tuple[Any, str], both: tuple[Any, Any], carried: Collection[int]) -> None:
        """Put what goes on in the place of what a new module has made; where that stays, nothing happens.

        Args:
            path: of what has it; nothing for the module itself.
            place: what has it, the module itself, or a class or an instance, and its name there.
            both: what goes on, and what the new module has made.
            carried: ids of what was carried whole; the first is among them, or stays where it was.
        """
        value, now = both
        if self.replaces(now) and id(value) in carried:
            self.keep(path, place, value)

    def keep(self, path: str, place: tuple[Any, str], value: Any) -> None:
        """Put a value in the place of a new one, whatever it is.

        Args:
            path: as above.
            place: as above.
            value: it.
        """
        owner, name = place
        before = fingerprint(owner)
        if issubclass(type(owner), ModuleType):
            self._journal.set_attribute(owner, name, value)
        else:
            assign(owner, name, value, self._journal)
        if self._record is not None:
            baseline = self._record.baseline.without_gone()
            known: dict[Any, int] = baseline.contents.get(path, {}) if path else baseline.values
            if name in known:  # else a cell would seem to have assigned it
                self._journal.set_item(known, name, id(value))
                baseline.ties.hold([value])
                baseline.ties.refer(value)
            if baseline.fingerprints.get(path) == before:
                self._journal.set_item(baseline.fingerprints, path, fingerprint(owner))


def find_alone(
    contents: Mapping[str, Mapping[Any, int]], space: dict[str, Any], spaces: Collection[Mapping[str, Any]] = ()
) -> frozenset[int]:
    """Return the ids of what a new module has made of which the old one may go on, and that nothing else refers to.

    On a build that defers reference counts there is none.

    Args:
        contents: of the baseline of the module that retires: what is there else has come later.
        space: the globals of the new module, which nobody has seen yet.
        spaces: those of all that are made anew with it; what one has imported from another goes on in both.

    >>> import threading
    >>> space = {"stop": threading.Event(), "lock": threading.Lock(), "items": []}
    >>> space["ready"] = threading.Condition(space["lock"])
    >>> find_alone({name: {"": 0} for name in space}, space) == {id(space["stop"])}
    True
    """
    if not counts_are_exact():
        return frozenset()
    marked = [path for path, parts in contents.items() if "" in parts and "[" not in path]
    alone = [path for path in marked if may_go_on(value_at(space, path)) and _is_alone(path, space, spaces)]
    return frozenset(id(value_at(space, path)) for path in alone)


def _is_alone(path: str, space: dict[str, Any], spaces: Iterable[Mapping[str, Any]]) -> bool:
    count, value = sys.getrefcount(value_at(space, path)), value_at(space, path)
    named = sum(part is value for other in spaces for part in copy_space(other).values())
    if count != _ALONE + max(0, named - 1) + _OWN.get(type(value).__qualname__, 0):
        return False
    if type(value).__qualname__ != "Condition":
        return True
    own = type(value)()  # that one may have been given its lock
    return sys.getrefcount(value._lock) == sys.getrefcount(own._lock)  # noqa: SLF001 - nothing else tells
