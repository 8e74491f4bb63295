"""What was noticed on disk and is not dealt with, so that it is tried again with the next change, and said once."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from exocet_ipython.loading.digests import read_digest
from exocet_ipython.loading.interrupts import deferred_interrupt
from exocet_ipython.notebook.managed import ManagedModules
from exocet_ipython.notebook.report import ReloadReport
from exocet_ipython.reloading.moves import Wanted
from exocet_ipython.reloading.noticing.changes import Change
from exocet_ipython.reloading.noticing.followed import absolute_path
from exocet_ipython.reloading.noticing.suspicions import EVERYTHING, NOTHING, Suspicion

__all__ = ["Attempt", "Unsettled", "sign_changes"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One reload that left the session behind the files.

    Attributes:
        signature: of the changes, as `sign_changes` gives it.
        is_open: whether it is to be tried again with the next change; what is frozen stays as it is.
        needs_module: whether it failed for want of a module, which may appear.
    """

    signature: frozenset[object] = frozenset()
    is_open: bool = False
    needs_module: bool = False

    @classmethod
    def of(cls, report: ReloadReport, signature: frozenset[object]) -> Attempt:
        """Return what to remember of a reload; nothing where nothing was left undone."""
        is_open = report.error is not None or bool(report.waiting)
        if not (is_open or report.skipped):
            return cls()
        return cls(signature, is_open=is_open, needs_module=isinstance(report.error, ImportError))

    def is_repeated(self, signature: frozenset[object], noticed: Suspicion) -> bool:
        """Say whether a reload of these changes would come to the same."""
        return signature == self.signature and not (noticed.appeared and self.needs_module)


class Unsettled:
    """What was noticed and is not dealt with: a failure is tried again together with the next thing that changes.

    Args:
        managed: the modules of the session.
    """

    def __init__(self, managed: ManagedModules) -> None:
        self._managed = managed
        self._noticed = NOTHING
        self._signature = sign_changes(())  # of what was found last
        self._last = Attempt()
        self._interrupted: frozenset[object] | None = None  # what was being reloaded at the last interrupt
        self._seen = self._surroundings()  # when everything was looked at last

    def __repr__(self) -> str:
        return f"<unsettled: {self._noticed!r}>"

    def find(self, noticed: Suspicion, wanted: Wanted) -> list[Change] | None:
        """Return what really changed; None where the last reload would come to the same again.

        Args:
            noticed: where to look, beside what is not dealt with.
            wanted: what cells have imported.
        """
        self._noticed |= noticed
        changes = self._managed.look_into(self._noticed, wanted)
        self._signature = sign_changes(changes)
        if self._last.is_repeated(self._signature, noticed) and self._managed.files.stand_as_tried():
            self._forget()
            return None
        self._last = Attempt()
        return changes

    def find_all(self, wanted: Wanted, chosen: Collection[str] | None = None) -> list[Change]:
        """Return what has changed since all was dealt with, for one who asks and expects something.

        Where nothing that was noticed is a change, everything is looked at; so it is where what is noticed is for the
        next cell.

        Args:
            wanted: what cells have imported.
            chosen: only these modules are of interest; None for all.
        """
        places = [EVERYTHING]
        if not self._managed.follows:
            self._take_notice()
            places[:0] = [] if self._noticed.everything else [self._noticed]
        changes: list[Change] = []
        while places and not changes:
            found = self._managed.look_into(places.pop(0), wanted)
            changes = [change for change in found if chosen is None or change.name in chosen]
        self._signature, self._last = sign_changes(changes), Attempt()
        return changes

    def _take_notice(self) -> None:
        with deferred_interrupt():  # what was noticed is given once
            self._noticed |= self._managed.files.suspects()
        if (now := self._surroundings()) != self._seen:
            self._managed.follow()
            self._noticed |= EVERYTHING
            self._seen = now

    def settle(self, report: ReloadReport, *, with_skipped: bool = False) -> None:
        """Note that all that was found is dealt with, unless a reload has failed or was not done.

        Args:
            report: of the reload.
            with_skipped: whether what is frozen is to be found again.
        """
        self._last = Attempt.of(report, self._signature)
        if not (with_skipped and report.skipped):
            self._forget()

    def keep_texts(self, report: ReloadReport) -> None:
        """Note what goes on running although its file says something else, so that tracebacks can show it."""
        records = self._managed.generation.records
        is_undone = report.error is not None or report.waiting or report.skipped
        names = {name for name, _, _ in self._signature if name in records} if is_undone else ()
        self._managed.files.shown.prepare(records[name].snapshot for name in names)

    def note_interrupt(self) -> bool:
        """Note that the reload of what was found last was interrupted; return whether it is not to be tried again.

        That is so the second time: a body that never ends would keep each cell from running, the one that mends it too.
        """
        is_second = self._signature == self._interrupted
        if is_second:
            self._last = Attempt(self._signature, is_open=True)
        self._interrupted = self._signature
        return is_second

    def reopen(self) -> None:
        """Forget what the last reload left undone: the next one may come to something else with the same files."""
        self._last = Attempt()

    def _forget(self) -> None:
        if not self._last.is_open:
            self._noticed = NOTHING

    def _surroundings(self) -> tuple[object, ...]:
        """Return what is equal as long as what has changed has been noticed."""
        return (self._managed.files.blanks, *map(absolute_path, sys.path))


def sign_changes(changes: Iterable[Change]) -> frozenset[tuple[str, str, str]]:
    """Return what two sets of changes have in common only when the files' contents are the same as well.

    >>> sign_changes([])
    frozenset()
    """
    return frozenset((change.name, change.kind, _digest(change.path)) for change in changes)


def _digest(path: str) -> str:
    try:
        return read_digest(path)
    except (OSError, ValueError):  # ValueError: a null character
        return ""
