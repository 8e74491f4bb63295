"""Who listens to watches: a place, which is a folder by one path, and a followed file; and the news they take in."""

from __future__ import annotations

import os
from enum import Enum

from exocet_ipython.reloading.noticing.entries import may_be_module, module_stem
from exocet_ipython.reloading.noticing.followed import FollowedFile
from exocet_ipython.reloading.noticing.inotify import ARRIVED, IS_FOLDER, MOVES, SELF

__all__ = ["News", "Place", "Unwatched", "WatchedFile"]


class Unwatched(Enum):
    """Why a place or file has no watch."""

    MISSING = "there is nothing to watch"  # its appearing is an event of the place before it
    UNREADABLE = "they can't be read"
    FOREIGN = "their file system is not known to report changes"
    TANGLED = "their links point in a circle"
    LISTED = "a module has read the list of their entries"
    FULL = "the system refuses more watches"

    def explain(self, count: int, error: OSError | None) -> str:
        """Say what follows for so many files and folders; `error` tells why there is no descriptor."""
        text = f"files and folders that are looked at one by one: {count}, since {self.value}"
        if self is not Unwatched.FULL:
            return text
        if error is not None:
            return f"{text} ({error}); raise fs.inotify.max_user_instances or the limit of open files"
        return f"{text}; raise fs.inotify.max_user_watches"


class News:
    """What events and the disk say has to be looked at."""

    def __init__(self) -> None:
        self.files: set[WatchedFile] = set()
        self.places: set[Place] = set()
        # (place, entry) -> whether it was there as a module before; None where that is unknown
        self.entries: dict[tuple[Place, str], bool | None] = {}

    def moved_stems(self) -> set[str]:
        """Return which of the entries appeared or vanished, as parts of dotted names."""
        return {
            module_stem(place.path, name)
            for (place, name), existed in self.entries.items()
            if place.settle(name) is not existed
        }


class Place:
    """One folder by one path; see `Places` for how it comes to be.

    Attributes:
        wd: the watch on the folder itself.
        unwatched: why there is none.
        certain: whether every change of what the path leads to is an event.
        refusal: why what is in it has to be looked at instead; None where events are enough.
        searched: how many reasons there are to care for new entries that may be modules.
        users: how many places, links, files and reasons need it.
    """

    def __init__(self, path: str, name: str, parent: Place | None) -> None:
        self.path = path
        self.name = name
        self.parent = parent
        self.real = path
        self.target: Place | None = None
        self.wd: int | None = None
        self.unwatched: Unwatched | None = Unwatched.MISSING
        self.certain = False
        self.refusal: Unwatched | None = None
        self.inode = 0  # of what is no folder: an archive on sys.path
        self.searched = 0
        self.users = 0
        self.inner: dict[str, Place] = {}
        self.links: set[Place] = set()
        self.files: dict[str, tuple[WatchedFile, ...]] = {}
        self.known: set[str] = set()  # entries that came, and are modules
        self.plain: set[str] = set()  # entries that came, and are none

    def __repr__(self) -> str:
        return f"<place {self.path}>"

    def state(self) -> tuple[object, ...]:
        """Return what has to be equal for it to be the same place as before."""
        return self.wd, self.unwatched, self.target, self.certain, self.inode

    def hear(self, mask: int, name: str, news: News) -> None:
        """Take an event of the folder into the news."""
        if mask & SELF or not name:
            news.places.add(self)
            return
        inner, files = self.inner.get(name), self.files.get(name)
        if inner is not None:
            news.places.add(inner)
        if files is not None:
            news.files.update(files)
        if inner is not None or files is not None:  # these tell whether it is there, as long as they are followed
            self.known.discard(name)
            self.plain.discard(name)
        elif self.searched and mask & MOVES and may_be_module(name):
            self._note(mask, name, news)

    def _note(self, mask: int, name: str, news: News) -> None:
        """Note that an entry that may be a module came or went."""
        is_folder = bool(mask & IS_FOLDER)
        existed: bool | None = None
        if name in self.known or (is_folder and not mask & ARRIVED):
            existed = True
        elif mask & ARRIVED or name in self.plain:
            existed = False
        elif is_folder or "." in name:
            existed = True
        news.entries.setdefault((self, name), existed)

    def settle(self, name: str) -> bool:
        """Say whether an entry may be a module by now, and remember it; without a suffix only a folder may."""
        path = os.path.join(self.path, name)
        exists = os.path.lexists(path) if "." in name else os.path.isdir(path)
        self.known.discard(name)
        self.plain.discard(name)
        if exists:
            self.known.add(name)
        elif os.path.lexists(path):
            self.plain.add(name)
        return exists


class WatchedFile(FollowedFile):
    """A followed file with the watch on it, and the places where its name, and those of links to it, are entries."""

    __slots__ = ("heard_at", "refusal", "spots", "wd")

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.wd: int | None = None
        self.spots: tuple[tuple[Place, str], ...] = ()
        self.refusal: Unwatched | None = None
        self.heard_at = 0  # clock in nanoseconds: of a later change there is an event that is not read yet

    def hear(self, _mask: int, _name: str, news: News) -> None:
        """Take an event of the file into the news."""
        news.files.add(self)
