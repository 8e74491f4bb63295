"""The folders on the way to a file, each watched: a path means something else when any of them does.

A place is a folder by the path it is spoken of with. It depends on the place before it, for its entry there, and a link
on the place it points to as well. So renaming a folder far above, or pointing a link elsewhere, is an event of a watch.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable
from enum import Enum

from exocet_ipython.reloading.followed import FollowedFile, may_be_module
from exocet_ipython.reloading.inotify import ARRIVED, IS_FOLDER, MOVES, SELF, WATCH_FILE, WATCH_FOLDER, Watches
from exocet_ipython.reloading.mounts import REPORTING, Mounts

__all__ = ["News", "Place", "Places", "Unwatched", "WatchedFile"]

_MOST_LINKS = 40  # as the kernel follows


class Unwatched(Enum):
    """Why a place or file has no watch."""

    MISSING = "there is nothing to watch"  # its appearing is an event of the place before it
    UNREADABLE = "they can't be read"
    FOREIGN = "their file system is not known to report changes"
    TANGLED = "their links point in a circle"
    FULL = "the system refuses more watches"


class News:
    """What events and the disk say has to be looked at."""

    def __init__(self) -> None:
        self.files: set[WatchedFile] = set()
        self.places: set[Place] = set()
        # (place, entry) -> whether it was there before, and whether it is a folder
        self.entries: dict[tuple[Place, str], tuple[bool, bool]] = {}

    def module_appeared(self) -> bool:
        """Say whether one of the entries appeared, vanished, or is another folder by now."""
        appeared = False
        for (place, name), (existed, is_folder) in self.entries.items():
            exists = os.path.lexists(os.path.join(place.path, name))
            (place.known.add if exists else place.known.discard)(name)
            appeared |= existed != exists or (existed and is_folder)
        return appeared


class Place:
    """One folder by one path; see `Places` for how it comes to be.

    Attributes:
        wd: the watch on the folder itself.
        unwatched: why there is none.
        certain: whether every change of what the path leads to is an event.
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
        self.inode = 0  # of what is no folder: an archive on sys.path
        self.searched = 0
        self.users = 0
        self.inner: dict[str, Place] = {}
        self.links: set[Place] = set()
        self.files: dict[str, set[WatchedFile]] = {}
        self.known: set[str] = set()

    def __repr__(self) -> str:
        return f"<place {self.path}>"

    @property
    def refusal(self) -> Unwatched | None:
        """Why what is in it has to be looked at instead; None where events are enough."""
        if self.unwatched in (None, Unwatched.MISSING):
            return None if self.certain else self._refusal_above()
        return self.unwatched

    def _refusal_above(self) -> Unwatched:
        above = [place.refusal for place in (self.parent, self.target) if place is not None]
        return next((refusal for refusal in above if refusal is not None), Unwatched.UNREADABLE)

    def state(self) -> tuple[object, ...]:
        """Return what has to be equal for it to be the same place as before."""
        return self.wd, self.unwatched, self.target, self.certain, self.inode

    def hear(self, mask: int, name: str, news: News) -> None:
        """Take an event of the folder into the news."""
        if mask & SELF or not name:
            news.places.add(self)
            return
        if (inner := self.inner.get(name)) is not None:
            news.places.add(inner)
        if (files := self.files.get(name)) is not None:
            news.files |= files
        elif inner is None and self.searched and mask & MOVES and may_be_module(name):
            is_folder = bool(mask & IS_FOLDER)
            # Without a suffix only a folder is imported, or a link to one, which the event doesn't call a folder.
            if is_folder or "." in name or os.path.isdir(os.path.join(self.path, name)):
                existed = name in self.known or not mask & ARRIVED
                news.entries.setdefault((self, name), (existed, is_folder))


class WatchedFile(FollowedFile):
    """A followed file with the watch on it, and the places where its name, and those of links to it, are entries."""

    __slots__ = ("heard_at", "refusal", "spots", "wd")

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.wd: int | None = None
        self.spots: list[tuple[Place, str]] = []
        self.refusal: Unwatched | None = None
        self.heard_at = 0  # clock in nanoseconds: of a later change there is an event that is not read yet

    def hear(self, _mask: int, _name: str, news: News) -> None:
        """Take an event of the file into the news."""
        news.files.add(self)


class Places:
    """All places that are needed, each resolved and watched."""

    def __init__(self, watches: Watches[News], mounts: Mounts) -> None:
        self.mounts = mounts
        self._watches = watches
        self._places: dict[str, Place] = {}
        self.refused: dict[Place, None] = {}

    def need(self, path: str) -> Place:
        """Return the place of a path, made if need be, with one more user."""
        place = self._places.get(path)
        if place is None:
            head, name = os.path.split(path)
            parent = self.need(head) if name else None
            place = self._places[path] = Place(path, name, parent)
            if parent is not None:
                parent.inner[name] = place
            self._resolve(place)
        place.users += 1
        return place

    def release(self, place: Place) -> None:
        """Take one user from a place; without any it is forgotten."""
        place.users -= 1
        if place.users:
            return
        del self._places[place.path]
        self.refused.pop(place, None)
        self._watches.remove(place)
        self._point(place, None)
        if place.parent is not None:
            del place.parent.inner[place.name]
            self.release(place.parent)

    def refresh(self, places: Iterable[Place]) -> set[Place]:
        """Resolve places anew, and what depends on those that differ; return all that differ."""
        differing: set[Place] = set()
        waiting = sorted(places, key=lambda place: len(place.path), reverse=True)
        while waiting:
            place = waiting.pop()
            if self._places.get(place.path) is place and self._resolve(place):
                differing.add(place)
                waiting += (*place.inner.values(), *place.links)
        return differing

    def attach(self, file: WatchedFile) -> None:
        """Watch the file that is at the path now, and each entry on the way to it."""
        spots = []
        path = file.path
        for _ in range(_MOST_LINKS):
            head, name = os.path.split(path)
            spots.append((self.need(head), name))
            if not os.path.islink(path):
                break
            path = _linked_path(path) or path
        self._place(file, spots)
        last, name = spots[-1]
        file.refusal = next((refusal for place, _ in spots if (refusal := place.refusal) is not None), None)
        if not self.mounts.may_hold(os.path.join(last.real, name)):
            file.refusal = Unwatched.FOREIGN
        if file.refusal is not None:
            self._watches.remove(file)
            return
        try:
            self._watches.add(file, file.path, WATCH_FILE)
        except OSError as error:
            # A file that is missing or unreadable is an event of its folder when it is there or readable.
            if _reason(error) is Unwatched.FULL:
                file.refusal = Unwatched.FULL

    def detach(self, file: WatchedFile) -> None:
        """Watch a file no longer."""
        self._watches.remove(file)
        self._place(file, [])

    def _place(self, file: WatchedFile, spots: list[tuple[Place, str]]) -> None:
        """Enter a file into places that it now uses, and take it from those of before."""
        before, file.spots = file.spots, spots
        for place, name in before:
            place.files[name].discard(file)
            if not place.files[name]:
                del place.files[name]
        for place, name in spots:
            place.files.setdefault(name, set()).add(file)
        # Modules are looked for where the file is spoken of, not where a link to it points.
        for place, _ in spots[:1]:
            place.searched += 1
        for place, _ in before[:1]:
            place.searched -= 1
        for place, _ in before:
            self.release(place)

    def _resolve(self, place: Place) -> bool:
        """Find out what a path leads to now and watch it; return whether that differs from before."""
        before = place.state()
        parent = place.parent
        place.inode = 0
        try:
            status = os.stat(place.path)
        except (OSError, ValueError) as error:
            status = None
            place.unwatched = _reason(error)
        linked = _linked_path(place.path) if place.unwatched is not Unwatched.TANGLED else None
        self._point(place, linked)
        if place.target is not None:
            place.real = place.target.real
        elif parent is not None:
            place.real = os.path.normpath(os.path.join(parent.real, place.name))
        if status is not None:
            place.unwatched = self._watch(place, status)
        if place.unwatched is not None:
            self._watches.remove(place)
        place.certain = _is_certain(place)
        if place.refusal is None:
            self.refused.pop(place, None)
        else:
            self.refused[place] = None
        return place.state() != before

    def _watch(self, place: Place, status: os.stat_result) -> Unwatched | None:
        if not stat.S_ISDIR(status.st_mode):
            place.inode = status.st_ino
            return Unwatched.MISSING
        if self.mounts.system_of(place.real, status.st_dev) not in REPORTING:
            return Unwatched.FOREIGN
        try:
            self._watches.add(place, place.path, WATCH_FOLDER)
        except OSError as error:
            return _reason(error)
        return None

    def _point(self, place: Place, path: str | None) -> None:
        """Make a place depend on the one that it links to, and no longer on the one of before."""
        before = place.target
        if (before.path if before else None) == path:
            return
        place.target = None if path is None else self.need(path)
        if place.target is not None:
            place.target.links.add(place)
        if before is not None:
            before.links.discard(place)
            self.release(before)


def _is_certain(place: Place) -> bool:
    parent, target = place.parent, place.target
    if parent is None:
        return True
    if not parent.certain or (target is not None and not target.certain):
        return False
    if parent.wd is not None or parent.unwatched is Unwatched.MISSING:
        return True
    # The folder before it says nothing of its entries. The folder itself tells when it is moved or deleted, and where
    # another file system is mounted its name can't be: enough for a folder, not for a link.
    return place.wd is not None and target is None and parent.unwatched in (Unwatched.UNREADABLE, Unwatched.FOREIGN)


def _linked_path(path: str) -> str | None:
    """Return the path that a link points to; None where there is no link."""
    try:
        link = os.readlink(path)
    except (OSError, ValueError):
        return None
    return os.path.join(os.path.dirname(path), link).rstrip(os.sep) or os.sep


def _reason(error: OSError | ValueError) -> Unwatched:
    match getattr(error, "errno", errno.ENOENT):
        case errno.ENOENT | errno.ENOTDIR | errno.ENAMETOOLONG | errno.EINVAL:
            return Unwatched.MISSING
        case errno.EACCES | errno.EPERM:
            return Unwatched.UNREADABLE
        case errno.ELOOP:
            return Unwatched.TANGLED
        case _:
            return Unwatched.FULL
