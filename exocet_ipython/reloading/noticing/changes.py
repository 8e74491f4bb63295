"""What differs on disk from what was loaded: the content decides, time stamps are only a hint.

`git checkout` sets time stamps back, two saves can fall within one tick of the file system's clock, and a save without
a change is no change. So a differing stamp leads to reading the file, and a stamp that is too young to be trusted
does as well (git calls such an entry "racily clean", see its `Documentation/technical/racy-git.txt`).

A detector answers two questions. `suspects` is cheap and comes before every cell: where is it worth looking? `changed`
is thorough and comes only then: what differs, by content?
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

from exocet_ipython.loading.digests import digest_file, digest_of
from exocet_ipython.loading.files import NO_FILE, FileStamp, stamp_file
from exocet_ipython.loading.source import Snapshot
from exocet_ipython.reloading.noticing.followed import (
    Difference,
    FollowedFile,
    FollowedFolder,
    Following,
    followed_path,
    is_settled,
)
from exocet_ipython.reloading.noticing.suspicions import Pending, Suspicion

__all__ = ["Change", "Detector", "StatSweep", "Suspicion"]


@dataclass(frozen=True, slots=True)
class Change:
    """One file that is not what was loaded.

    Attributes:
        name: dotted name of the module.
        kind: `modified`, `deleted`, `unreadable` when the file is there and can't be read, `moved` when the module's
            source is another file now, `appeared` when an import of the module that failed could succeed, `stale` when
            the module was frozen while what it imports was made anew.
        path: the file.
    """

    name: str
    kind: Literal["modified", "deleted", "unreadable", "moved", "appeared", "data", "stale"]
    path: str

    def __str__(self) -> str:
        return f"{self.path} {_WORDS[self.kind]}"


_WORDS = {
    "modified": "was modified",
    "deleted": "was deleted",
    "unreadable": "can't be read",
    "moved": "is where the source is now",
    "appeared": "can be imported now",
    "data": "is not what the module has read",
    "stale": "imports what is another by now",
}


class Detector(Protocol):
    """Finds out which of the loaded files differ on disk. All methods may be called from any thread."""

    @property
    def limits(self) -> tuple[str, ...]:
        """What is noticed in a slower way than it could be, and why; one sentence each, none when all is well."""
        ...

    def follow(self, snapshots: Iterable[Snapshot], folders: Iterable[str] = ()) -> None:
        """Follow the files of these snapshots from now on, and no others.

        Args:
            snapshots: what was loaded. A file that differs from its snapshot already is suspected.
            folders: further folders in which a module may appear, from now on; they need not exist. The folders of
                the files count anyway. A relative path is seen from the present working folder.
        """
        ...

    def exchange(self, gone: Iterable[Snapshot], new: Iterable[Snapshot]) -> None:
        """Follow the files of the snapshots `new` instead of those of `gone`, and all else as before.

        It takes as long as there are snapshots in these two, not as there are modules.
        """
        ...

    def suspects(self) -> Suspicion:
        """Return what may have changed since it was last asked; cheap. Each suspicion is given once."""
        ...

    def changed(self, snapshots: Iterable[Snapshot]) -> tuple[Change, ...]:
        """Return a change for each snapshot whose file differs by now; snapshots without text never do."""
        ...

    def close(self) -> None:
        """Give back what is held. Nothing is followed or suspected any more; twice is harmless."""
        ...


class StatSweep:
    """The detector that is right everywhere: `os.stat` of each file and folder, 1 to 4 microseconds each.

    A file saved within the last two seconds is suspected at every call, since a later save need not show in its stamp.

    Args:
        limits: why this detector was chosen over a faster one, one sentence each.

    >>> StatSweep().changed([])
    ()
    >>> bool(StatSweep().suspects())
    False
    """

    def __init__(self, limits: tuple[str, ...] = ()) -> None:
        # path -> the digest its content had, and the stamp and clock of that reading
        self._read: dict[str, tuple[str, FileStamp, int]] = {}
        self._lock = threading.Lock()
        self._limits = limits
        self._closed = False
        self._following = Following()
        self._files: dict[str, FollowedFile] = {}
        self._by_snapshot: dict[int, FollowedFile] = {}
        self._folders: dict[str, FollowedFolder] = {}
        self._pending = Pending()

    def __repr__(self) -> str:
        return f"<sweep over {len(self._files)} files in {len(self._folders)} folders>"

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to stat."""
        return not (self._files or self._folders)

    @property
    def limits(self) -> tuple[str, ...]:
        """Why this detector was chosen over a faster one."""
        return self._limits

    def follow(self, snapshots: Iterable[Snapshot], folders: Iterable[str] = ()) -> None:
        """Follow the files of these snapshots from now on, and no others; see `Detector.follow`."""
        with self._lock:
            if not self._closed:
                self._take(self._following.replace(snapshots, folders))

    def exchange(self, gone: Iterable[Snapshot], new: Iterable[Snapshot]) -> None:
        """Follow the files of the snapshots `new` instead of those of `gone`; see `Detector.exchange`."""
        with self._lock:
            if not self._closed:
                self._take(self._following.exchange(gone, new))

    def _take(self, difference: Difference) -> None:
        clock = time.time_ns()
        # What is new comes first: a folder whose last module was made anew stays the one it was.
        for snapshot in difference.new:
            self._add(snapshot, clock)
        for path in difference.new_folders:
            self._use(path, clock)
        for snapshot in difference.gone:
            self._drop(snapshot)
        for path in difference.gone_folders:
            self._release(path)

    def suspects(self) -> Suspicion:
        """Stat each file and folder and return what may have changed since it was last asked."""
        with self._lock:
            clock = time.time_ns()
            pending = self._pending
            for file in self._files.values():
                if file.may_differ(clock):
                    pending.names.update(file.users.values())
            for folder in self._folders.values():
                stems = folder.moved_stems(clock)
                if stems or stems is None:
                    pending.add_appeared(stems)
            return pending.give()

    def changed(self, snapshots: Iterable[Snapshot]) -> tuple[Change, ...]:
        """Return a change for each snapshot whose file differs by now; snapshots without text never do."""
        return tuple(change for snapshot in snapshots if (change := self._compare(snapshot)) is not None)

    def close(self) -> None:
        """Follow nothing any more."""
        self.follow(())
        with self._lock:
            self._closed = True
            self._pending = Pending()

    def _add(self, snapshot: Snapshot, clock: int) -> None:
        path = followed_path(snapshot)
        if path is None:
            return
        file = self._files.get(path)
        if file is None:
            file = self._files[path] = FollowedFile(path)
            self._use(os.path.dirname(path), clock)
        file.users[id(snapshot)] = snapshot.name
        self._by_snapshot[id(snapshot)] = file
        if snapshot.stamp is None:
            file.restamp(clock)
        else:
            # The snapshot is what the file has to be compared with, not what it is by now.
            file.remember(snapshot.stamp, snapshot.read_at)

    def _drop(self, snapshot: Snapshot) -> None:
        file = self._by_snapshot.pop(id(snapshot), None)
        if file is None:
            return
        del file.users[id(snapshot)]
        if not file.users:
            del self._files[file.path]
            self._release(os.path.dirname(file.path))

    def _use(self, path: str, clock: int) -> None:
        folder = self._folders.get(path)
        if folder is None:
            folder = self._folders[path] = FollowedFolder(path, clock)
        folder.users += 1

    def _release(self, path: str) -> None:
        folder = self._folders[path]
        folder.users -= 1
        if not folder.users:
            del self._folders[path]

    def _compare(self, snapshot: Snapshot) -> Change | None:
        path, stamp = snapshot.path, snapshot.stamp
        if path is None or stamp is None or snapshot.data is None:
            return None
        try:
            now = stamp_file(path)
            if is_settled(stamp, snapshot.read_at, now):
                return None
            known = self._read.get(path)
            if known is None or not is_settled(known[1], known[2], now):
                clock = time.time_ns()
                known = self._read[path] = (digest_file(path, now), now, clock)
        except (FileNotFoundError, NotADirectoryError):
            return None if stamp == NO_FILE else Change(snapshot.name, "deleted", path)
        except OSError:
            return None if stamp == NO_FILE else Change(snapshot.name, "unreadable", path)
        # Where the text that ran is unknown, a text other than the one first seen is a change for certain.
        digest = snapshot.digest or digest_of(snapshot.data)
        return None if known[0] == digest else Change(snapshot.name, "modified", path)
