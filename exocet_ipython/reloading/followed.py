"""What a detector follows: files and folders with what was last seen of them, and the suspicions not yet given.

Shared by the detectors, which differ only in how they learn that it is time to look again.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.machinery import all_suffixes

from exocet_ipython.loading.source import FileStamp, Snapshot, stamp_file

__all__ = ["FollowedFile", "FollowedFolder", "Following", "Observed", "Pending", "Suspicion", "is_settled"]

# The coarsest clock among usual file systems is FAT's: 2 seconds. ext4's tick is 1 to 10 milliseconds.
_YOUNG_NANOSECONDS = 2_000_000_000
_MODULE_SUFFIXES = frozenset((*all_suffixes(), ".pyw"))


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What may have changed on disk since it was last asked: a hint where to look, never proof of a change.

    Attributes:
        names: dotted names of the modules whose file may differ.
        appeared: a file or folder appeared, vanished or moved where modules are looked for. A module may have become a
            package, an import that failed may succeed, a namespace package may have gained a portion.
        everything: nothing is certain: compare all, whether or not it is in `names`.

    It is false when there is nothing to look at.

    >>> bool(Suspicion()), bool(Suspicion(appeared=True))
    (False, True)
    """

    names: frozenset[str] = frozenset()
    appeared: bool = False
    everything: bool = False

    def __bool__(self) -> bool:
        return self.appeared or self.everything or bool(self.names)

    def __or__(self, other: Suspicion) -> Suspicion:
        return Suspicion(self.names | other.names, self.appeared or other.appeared, self.everything or other.everything)


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

    def __bool__(self) -> bool:
        return self.appeared or self.everything or bool(self.names)

    def add(self, suspicion: Suspicion) -> None:
        """Take in what another detector suspects."""
        self.names |= suspicion.names
        self.appeared |= suspicion.appeared
        self.everything |= suspicion.everything

    def distrust(self, names: Iterable[str]) -> None:
        """Remember names for the next suspicion there is."""
        self.distrusted.update(names)

    def give(self) -> Suspicion:
        """Return all that is suspected, and forget it."""
        if not self:
            return NOTHING
        suspicion = Suspicion(frozenset(self.names | self.distrusted), self.appeared, self.everything)
        self.names, self.distrusted, self.appeared, self.everything = set(), set(), False, False
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
        known = self.stamp
        try:
            now = os.stat(self.path)
        except (OSError, ValueError):  # ValueError: a null character
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


class FollowedFolder(Observed):
    """A folder and the entries in it that may be modules."""

    __slots__ = ("entries", "users")

    def __init__(self, path: str, clock: int) -> None:
        super().__init__(path)
        self.users = 0  # followed files in it, and one more when it was named itself
        self.restamp(clock)
        self.entries = _list_modules(path)

    def modules_moved(self, clock: int) -> bool:
        """Look again and say whether modules may have appeared or vanished, or the folder is another one."""
        before = self.stamp
        if not self.may_differ(clock):
            return False
        entries, self.entries = self.entries, _list_modules(self.path)
        if before is None or self.stamp is None:
            return before is not self.stamp
        if entries is None:  # an archive on sys.path: what is in it may be anything
            return before != self.stamp
        return entries != self.entries or before.inode != self.stamp.inode


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

    >>> followed_path(Snapshot("sys")) is None
    True
    """
    if snapshot.path is None:
        return None
    path = absolute_path(snapshot.path)
    if snapshot.stamp is not None:
        return path
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


def may_be_module(entry: str) -> bool:
    """Say whether a folder's entry of this name may be imported; without a dot only a folder can be.

    >>> [may_be_module(name) for name in ("a.py", "pkg", "a.abi3.so", "a.pyc")]
    [True, True, True, True]
    >>> [may_be_module(name) for name in (".a.py.swp", "4913", "a.py~", ".#a.py", "a.py.tmp", "__pycache__", "a-b.py")]
    [False, False, False, False, False, False, False]
    """
    stem, dot, rest = entry.partition(".")
    return stem.isidentifier() and stem != "__pycache__" and (not dot or dot + rest in _MODULE_SUFFIXES)


def _list_modules(folder: str) -> frozenset[str] | None:
    """Return the entries of a folder that may be modules; None where it can't be listed."""
    try:
        with os.scandir(folder) as entries:
            return frozenset(
                entry.name for entry in entries if may_be_module(entry.name) and ("." in entry.name or entry.is_dir())
            )
    except (OSError, ValueError):
        return None
