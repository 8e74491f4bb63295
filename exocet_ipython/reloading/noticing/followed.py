"""What a detector follows: files and folders with what was last seen of them.

Shared by the detectors, which differ only in how they learn that it is time to look again.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import NamedTuple

from exocet_ipython.loading.files import FileStamp, stamp_file, stamp_of
from exocet_ipython.loading.source import Snapshot
from exocet_ipython.reloading.noticing.entries import list_modules, module_stem

__all__ = [
    "Difference",
    "FollowedFile",
    "FollowedFolder",
    "Following",
    "Observed",
    "absolute_path",
    "is_settled",
]

# The coarsest clock among usual file systems is FAT's: 2 seconds. ext4's tick is 1 to 10 milliseconds.
_YOUNG_NANOSECONDS = 2_000_000_000


class Observed:
    """A path and what `os.stat` last said of it.

    Attributes:
        path: absolute; links in it are followed.
        stamp: the last one; None when there was nothing to stat.
    """

    __slots__ = ("_settled", "path", "stamp")

    def __init__(self, path: str, stamp: FileStamp | None = None, seen_at: int = 0) -> None:
        self.path = path
        self.remember(stamp, seen_at)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.path}>"

    def remember(self, stamp: FileStamp | None, seen_at: int) -> None:
        """Take `stamp`, seen at the clock `seen_at` in nanoseconds, as what is known."""
        self.stamp = stamp
        self._settled = stamp is None or is_settled(stamp, seen_at, stamp)

    def restamp(self, clock: int) -> bool:
        """Look again, at the clock `clock`, and say whether the stamp differs from the last one."""
        try:
            now = os.stat(self.path)
        except (OSError, ValueError):  # ValueError: a null character
            now = None
        return self.see(now, clock)

    def see(self, now: os.stat_result | None, clock: int) -> bool:
        """Take what was found at the clock `clock`, and say whether the stamp differs from the last one."""
        known = self.stamp
        if now is None:
            self.remember(None, clock)
            return known is not None
        if (
            known is not None
            and now.st_mtime_ns == known.modified
            and now.st_ctime_ns == known.changed
            and now.st_size == known.size
            and now.st_ino == known.inode
        ):
            if not self._settled:
                self.remember(known, clock)
            return False
        self.remember(stamp_of(now), clock)
        return True

    def may_differ(self, clock: int) -> bool:
        """Look again and say whether it may differ: another stamp, or the last one too young to show a later save."""
        young = not self._settled
        return self.restamp(clock) or young


class FollowedFile(Observed):
    """A file, and by the `id` of each snapshot that was read from it the dotted name of the module."""

    __slots__ = ("users",)

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.users: dict[int, str] = {}

    @property
    def stem(self) -> str:
        """The part of a dotted name that the file stands for."""
        return module_stem(*os.path.split(self.path))


class FollowedFolder(Observed):
    """A folder and the entries in it that may be modules."""

    __slots__ = ("entries", "users")

    def __init__(self, path: str, clock: int) -> None:
        super().__init__(path)
        self.users = 0  # followed files in it, and one more when it was named itself
        self.restamp(clock)
        self.entries = list_modules(path)

    def moved_stems(self, clock: int) -> frozenset[str] | None:
        """Look again and return what appeared or vanished; None where it may be anything, as the folder is another."""
        before = self.stamp
        if not self.may_differ(clock):
            return frozenset()
        entries, self.entries = self.entries, list_modules(self.path)
        now = self.stamp
        if before is None and now is None:
            return frozenset()
        if entries is None and before == now:  # an archive on sys.path: what is in it may be anything
            return frozenset()
        if entries is None or self.entries is None or before is None or now is None or before.inode != now.inode:
            return None
        return frozenset(module_stem(self.path, entry) for entry in entries ^ self.entries)


class Difference(NamedTuple):
    """What is to be followed no longer and what from now on: snapshots, and absolute paths of folders."""

    gone: list[Snapshot]
    new: list[Snapshot]
    gone_folders: list[str]
    new_folders: list[str]


class Following:
    """The snapshots and folders that a detector was told to follow.

    >>> first, second = Snapshot("a"), Snapshot("a")
    >>> following = Following()
    >>> following.replace([first], ()).new == [first]
    True
    >>> following.exchange([first], [second]).gone == [first]
    True
    """

    def __init__(self) -> None:
        # By identity: two snapshots of the same text are two readings, and hashing one hashes its text.
        self.snapshots: dict[int, Snapshot] = {}
        self.folders: dict[str, None] = {}

    def replace(self, snapshots: Iterable[Snapshot], folders: Iterable[str]) -> Difference:
        """Take a new set of each, and return how they differ from those of before, in order."""
        before, self.snapshots = self.snapshots, {id(snapshot): snapshot for snapshot in snapshots}
        gone = [before[key] for key in before.keys() - self.snapshots.keys()]
        new = self.snapshots.keys() - before.keys()  # in C: mostly there is nothing new
        were, self.folders = self.folders, dict.fromkeys(absolute_path(folder) for folder in folders)
        return Difference(
            gone,
            [snapshot for key, snapshot in self.snapshots.items() if key in new] if new else [],
            [path for path in were if path not in self.folders],
            [path for path in self.folders if path not in were],
        )

    def exchange(self, gone: Iterable[Snapshot], new: Iterable[Snapshot]) -> Difference:
        """Take some snapshots for others, and return what of that was not so before: all else is not looked at."""
        wanted = {id(snapshot): snapshot for snapshot in new}
        dropped = [one for one in gone if id(one) not in wanted and self.snapshots.pop(id(one), None) is not None]
        added = [snapshot for key, snapshot in wanted.items() if key not in self.snapshots]
        self.snapshots.update(wanted)
        return Difference(dropped, added, [], [])


def is_settled(stamp: FileStamp, read_at: int, now: FileStamp) -> bool:
    """Say whether a reading made at `read_at` still stands: same stamp, and old enough that a later save shows."""
    return stamp == now and max(now.modified, now.changed) + _YOUNG_NANOSECONDS < read_at


def followed_path(snapshot: Snapshot) -> str | None:
    """Return the file whose change is a change of the module: its own, or the archive that it is in.

    A path with a slash at its end, or two, is that of a folder, whose entries count.

    >>> followed_path(Snapshot("sys")) is None
    True
    """
    if snapshot.path is None:
        return None
    path = absolute_path(snapshot.path)
    if snapshot.stamp is not None:
        return path + snapshot.path[len(snapshot.path.rstrip(os.sep)) :]
    parent = path
    while parent != os.path.dirname(parent):
        try:
            stamp_file(parent)
        except NotADirectoryError:
            parent = os.path.dirname(parent)
        except (OSError, ValueError):
            break
        else:
            return parent
    return path


def absolute_path(path: str) -> str:
    """Return a path without slashes at its end, seen from the root; `..` stays, for a link may precede it.

    >>> absolute_path("/a/link/../b/")
    '/a/link/../b'
    """
    if not os.path.isabs(path):
        try:
            path = os.path.join(os.getcwd(), path)
        except OSError:  # the working folder was deleted
            path = os.path.join(os.sep, path)
    return path.rstrip(os.sep) or os.sep
