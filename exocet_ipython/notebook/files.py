"""The files of a session's modules: which are followed, and which of them differ on disk by now."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from exocet_ipython.loading.source import Snapshot
from exocet_ipython.loading.spaces import globals_of
from exocet_ipython.reloading.failed import FailedLoad
from exocet_ipython.reloading.joining.claims import Claims
from exocet_ipython.reloading.moves import is_gone
from exocet_ipython.reloading.noticing.changes import Change, Detector, Suspicion
from exocet_ipython.reloading.noticing.followed import absolute_path
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.reloading.scope import Scope
from exocet_ipython.reloading.shown import ShownTexts
from exocet_ipython.survivors.storing.keeping import find_keepers

__all__ = ["ManagedFiles"]


class ManagedFiles:
    """The files of a session, and the detector that follows them.

    Attributes:
        expects: whether the folders of `sys.path` are followed also while no module is loaded.
        blanks: how often there was a time of which the detector knows nothing.
        shown: the texts that tracebacks show in place of what is on disk.
        suspects: returns what may have changed on disk since the last call; cheap, and each suspicion is given once.

    Args:
        detector: tells what may have changed, and what has.
    """

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self.suspects: Callable[[], Suspicion] = detector.suspects  # asked before each cell
        self.shown = ShownTexts()
        self._tried: tuple[Snapshot, ...] = ()
        self._awaited: tuple[Snapshot, ...] = ()
        self.expects = False
        self.blanks = 0

    def __repr__(self) -> str:
        return f"<managed files of {self._detector!r}>"

    def follow(self, records: Iterable[ModuleRecord], claims: Claims, scope: Scope) -> None:
        """Tell the detector which files and folders to follow from now on.

        Args:
            records: of the current generation.
            claims: the own modules that join it later.
            scope: which folders have own code.
        """
        records = list(records)
        texts, folders = claims.texts, claims.folders
        for record in records:
            if "__path__" in (space := globals_of(record.module)):
                folders.update(space["__path__"])
        if records or self.expects:
            folders.update(folder for folder in map(absolute_path, sys.path) if scope.includes("", folder))
        loaded = [snapshot for record in records for snapshot in (record.snapshot, *record.data)]
        loaded += [failed.snapshot for record in records for failed in record.failed]
        self._detector.follow([*loaded, *texts, *self._tried, *self._awaited], folders)

    def forget(self) -> None:
        """Follow nothing: what differs by the next `follow` is suspected then, whoever was told of it before."""
        self._detector.follow(())

    def note_tried(self, snapshots: Iterable[Snapshot], records: Iterable[ModuleRecord]) -> None:
        """Note what the last reload has read and did not load, to be followed as well: the repair may be in a new file.

        Args:
            snapshots: what it has read.
            records: of the current generation.
        """
        tried = list(snapshots)
        records = list(records) if tried else ()
        loaded = {id(record.snapshot) for record in records}
        loaded |= {id(failed.snapshot) for record in records for failed in record.failed}
        self._tried = tuple(snapshot for snapshot in tried if id(snapshot) not in loaded)

    @property
    def tried(self) -> frozenset[str]:
        """The dotted names of the modules that the last reload has read and did not load."""
        return frozenset(snapshot.name for snapshot in self._tried)

    def stand_as_tried(self) -> bool:
        """Say whether all that the last reload has read and did not load is on disk as it was then."""
        return not self._detector.changed(self._tried)

    def note_awaited(self, data: tuple[Snapshot, ...]) -> None:
        """Follow also the data files that imports of cells which failed may have wanted; those of before no longer."""
        before, self._awaited = self._awaited, data
        self._detector.exchange(before, data)

    def exchange(self, before: Iterable[Snapshot], after: Iterable[Snapshot]) -> None:
        """Follow files as they have been read now, of which others were followed before."""
        self._detector.exchange(before, after)

    def changes(self, names: Iterable[str], session: Mapping[str, ModuleRecord]) -> list[Change]:
        """Return the changes of the files of modules, and of the data files they read, by content.

        Args:
            names: of the modules; those that are not in the session have no files.
            session: dotted name -> record. Modules whose functions have read such a file for one of these, and keep
                what was in it, have changed as well.
        """
        records = [session[name] for name in names if name in session]
        changes = list(self._detector.changed(record.snapshot for record in records))
        changes += [Change(record.name, "deleted", str(record.snapshot.path)) for record in records if is_gone(record)]
        data = list(self._detector.changed(snapshot for record in records for snapshot in record.data))
        for change in list(data):
            data += [replace(change, name=name) for name in find_keepers(change.name, session)]
        # What reads a file at import has to run again, also where its own text could change in place.
        known = {change.name for change in changes if change.kind != "modified"}
        return changes + [replace(change, kind="data") for change in dict.fromkeys(data) if change.name not in known]

    def changes_of_failed(self, loads: Iterable[FailedLoad]) -> list[Change]:
        """Return the changes of the files of what could not be imported."""
        return list(self._detector.changed(load.snapshot for load in loads))

    @property
    def limits(self) -> tuple[str, ...]:
        """What of a change is noticed in a slower way than it could be, and why; one sentence each."""
        return self._detector.limits

    def close(self) -> None:
        """Give back what the detector holds."""
        self._detector.close()
        self.shown.let_go()
