"""What a detector follows: files and folders with what was last seen of them, and the suspicions not yet given.

Shared by the detectors, which differ only in how they learn that it is time to look again.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from exocet_ipython.loading.files import FileStamp, stamp_file
from exocet_ipython.loading.source import Snapshot
from exocet_ipython.reloading.noticing.entries import list_modules, module_stem

__all__ = [
    "FollowedFile",
    "FollowedFolder",
    "Following",
    "Observed",
    "Pending",
    "Suspicion",
    "absolute_path",
    "is_settled",
]

# The coarsest clock among usual file systems is FAT's: 2 seconds. ext4's tick is 1 to 10 milliseconds.
_YOUNG_NANOSECONDS = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What may have changed on disk since it was last asked: a hint where to look, never proof of a change.

    Attributes:
        names: dotted names of the modules whose file may differ.
        appeared: a file or folder appeared, vanished or moved where modules are looked for. A module may have become a
            package, an import that failed may succeed, a namespace package may have gained a portion.
        everything: nothing is certain: compare all, whether or not it is in `names`.
        stems: what appeared or vanished, as parts of dotted names; None where it may be anything.

    It is false when there is nothing to look at.

    >>> bool(Suspicion()), bool(Suspicion(appeared=True))
    (False, True)
    """

    names: frozenset[str] = frozenset()
    appeared: bool = False
    everything: bool = False
    stems: frozenset[str] | None = field(default=frozenset(), compare=False)

    def __bool__(self) -> bool:
        return self.appeared or self.everything or bool(self.names)

    def __or__(self, other: Suspicion) -> Suspicion:
        return Suspicion(
            self.names | other.names,
            self.appeared or other.appeared,
            self.everything or other.everything,
            None if self.stems is None or other.stems is None else self.stems | other.stems,
        )


NOTHING = Suspicion()


class Pending:
    """The suspicions that are not yet given, and the names that are not to be forgotten.

    >>> pending = Pending()
    >>> pending.distrust({"a"})
    >>> bool(pending.give())
    False
    >>> pending.names.add("b")
    >>> sorted(pending.give().names), bool(pending.give())
    (['a', 'b'], False)
    """

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.distrusted: set[str] = set()
        self.appeared = False
        self.everything = False
        self._stems: set[str] | None = set()

    def __bool__(self) -> bool:
        return self.appeared or self.everything or bool(self.names)

    def add(self, suspicion: Suspicion) -> None:
        """Take in what another detector suspects."""
        self.names |= suspicion.names
        self.everything |= suspicion.everything
        if suspicion.appeared:
            self.add_appeared(suspicion.stems)

    def add_appeared(self, stems: Iterable[str] | None) -> None:
        """Take in that modules with these parts in their names may have come or gone; any, where that is None."""
        self.appeared = True
        if stems is None:
            self._stems = None
        elif self._stems is not None:
            self._stems.update(stems)

    def distrust(self, names: Iterable[str]) -> None:
        """Remember names for the next suspicion there is."""
        self.distrusted.update(names)

    def give(self) -> Suspicion:
        """Return all that is suspected, and forget it."""
        if not self:
            return NOTHING
        stems = None if self._stems is None else frozenset(self._stems)
        suspicion = Suspicion(frozenset(self.names | self.distrusted), self.appeared, self.everything, stems)
        self.names, self.distrusted, self.appeared, self.everything, self._stems = set(), set(), False, False, set()
        return suspicion


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
        self.remember(FileStamp(now.st_mtime_ns, now.st_ctime_ns, now.st_size, now.st_ino), clock)
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


class Following:
    """The snapshots and folders that a detector was told to follow; tells what a new set adds and leaves out."""

    def __init__(self) -> None:
        # By identity: two snapshots of the same text are two readings, and hashing one hashes its text.
        self.snapshots: dict[int, Snapshot] = {}
        self.folders: dict[str, None] = {}

    def replace_snapshots(self, snapshots: Iterable[Snapshot]) -> tuple[list[Snapshot], list[Snapshot]]:
        """Take a new set of snapshots; return those that are gone and those that are new, in order."""
        before, self.snapshots = self.snapshots, {id(snapshot): snapshot for snapshot in snapshots}
        gone = [before[key] for key in before.keys() - self.snapshots.keys()]
        new = self.snapshots.keys() - before.keys()  # in C: mostly there is nothing new
        return gone, [snapshot for key, snapshot in self.snapshots.items() if key in new] if new else []

    def replace_folders(self, folders: Iterable[str]) -> tuple[list[str], list[str]]:
        """Take a new set of folders; return those that are gone and those that are new, as absolute paths."""
        before, self.folders = self.folders, dict.fromkeys(absolute_path(folder) for folder in folders)
        return [path for path in before if path not in self.folders], [p for p in self.folders if p not in before]


def is_settled(stamp: FileStamp, read_at: int, now: FileStamp) -> bool:
    """Say whether a reading made at `read_at` still stands: same stamp, and old enough that a later save shows."""
    return stamp == now and max(now.modified, now.changed) + _YOUNG_NANOSECONDS < read_at


def followed_path(snapshot: Snapshot) -> str | None:
    """Return the file whose change is a change of the module: its own, or the archive that it is in.

    A path with a slash at its end is that of a folder, whose entries count.

    >>> followed_path(Snapshot("sys")) is None
    True
    """
    if snapshot.path is None:
        return None
    path = absolute_path(snapshot.path)
    if snapshot.stamp is not None:
        return path + os.sep if snapshot.path.endswith(os.sep) else path
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
