"""The folders on the way to a file, each watched: a path means something else when any of them does.

A place is a folder by the path it is spoken of with. It depends on the place before it, for its entry there, and a link
on the place it points to as well. So renaming a folder far above, or pointing a link elsewhere, is an event of a watch.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Iterable

from exocet_ipython.reloading.noticing.inotify import WATCH_FILE, WATCH_FOLDER, Watches
from exocet_ipython.reloading.noticing.listeners import News, Place, Unwatched, WatchedFile
from exocet_ipython.reloading.noticing.mounts import REPORTING, Mounts

__all__ = ["Places"]

_MOST_LINKS = 40  # as the kernel follows


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

    def search(self, path: str) -> Place:
        """Return the place of a folder whose new entries matter, with one more user."""
        place = self.need(path)
        place.searched += 1
        return place

    def leave(self, place: Place) -> None:
        """Take from a place one who cared for its new entries."""
        place.searched -= 1
        self.release(place)

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
        """Watch the file that is at the path now, and each entry on the way to it; then look at it."""
        self._enter(file, (self._spot(file.path),))
        self._watch_file(file)
        try:
            status = os.lstat(file.path)
        except (OSError, ValueError):  # ValueError: a null character
            status = None
        if status is None or not stat.S_ISLNK(status.st_mode):
            file.see(status, file.heard_at)
            return
        self._enter(file, self._linked_spots(file.path))
        self._watch_file(file)
        file.restamp(file.heard_at)

    def detach(self, file: WatchedFile) -> None:
        """Watch a file no longer."""
        self._watches.remove(file)
        self._enter(file, ())

    def _spot(self, path: str) -> tuple[Place, str]:
        """Return where the name of a file is an entry, with one more user."""
        head, _, name = path.rpartition(os.sep)
        return self.need(head or os.sep), name

    def _linked_spots(self, path: str) -> tuple[tuple[Place, str], ...]:
        """Return the spots of a link and of all that it leads to."""
        spots: list[tuple[Place, str]] = []
        while len(spots) < _MOST_LINKS:
            spot = self._spot(path)
            if spot in spots:  # links that point in a circle
                self.release(spot[0])
                break
            spots.append(spot)
            linked = _linked_path(path)
            if linked is None:
                break
            path = linked
        return tuple(spots)

    def _enter(self, file: WatchedFile, spots: tuple[tuple[Place, str], ...]) -> None:
        """Enter a file into places that it now uses, and take it from those of before."""
        before, file.spots = file.spots, spots
        for place, name in before:
            left = tuple(other for other in place.files[name] if other is not file)
            if left:
                place.files[name] = left
            else:
                del place.files[name]
        for place, name in spots:
            place.files[name] = (*place.files.get(name, ()), file)
        # Modules are looked for where the file is spoken of, not where a link to it points.
        for place, _ in spots[:1]:
            place.searched += 1
        for place, _ in before[:1]:
            place.searched -= 1
        for place, _ in before:
            self.release(place)

    def _watch_file(self, file: WatchedFile) -> None:
        file.refusal = None
        for place, _ in file.spots:
            if place.refusal is not None:
                file.refusal = place.refusal
                break
        last, name = file.spots[-1]
        if self.mounts.foreign_file(last.real, name):
            file.refusal = Unwatched.FOREIGN
        if file.path.endswith(os.sep):  # its watch, if there is one, cares for modules
            file.refusal = Unwatched.LISTED
        if file.refusal is not None:
            self._watches.remove(file)
            file.heard_at = time.time_ns()
            return
        try:
            self._watches.add(file, file.path, WATCH_FILE)
        except OSError as error:
            # A file that is missing or unreadable is an event of its folder when it is there or readable.
            if _reason(error) is Unwatched.FULL:
                file.refusal = Unwatched.FULL
        file.heard_at = time.time_ns()

    def _resolve(self, place: Place) -> bool:
        """Find out what a path leads to now and watch it; return whether that differs from before."""
        before = place.state()
        parent = place.parent
        place.inode = 0
        status = None
        unwatched: Unwatched | None = None
        try:
            status = os.stat(place.path)
        except (OSError, ValueError) as error:
            unwatched = _reason(error)
        # In a circle the targets would need each other.
        self._point(place, None if unwatched is Unwatched.TANGLED else _linked_path(place.path))
        if place.target is not None:
            place.real = place.target.real
        elif parent is not None:
            place.real = os.path.normpath(os.path.join(parent.real, place.name))
        if status is not None:
            unwatched = self._watch(place, status)
        if unwatched is not None:
            self._watches.remove(place)
        place.unwatched = unwatched
        place.certain = _is_certain(place)
        place.refusal = _refusal(place)
        if place.refusal is None:
            self.refused.pop(place, None)
        else:
            self.refused[place] = None
        if place.state() == before:
            return False
        place.known.clear()  # what was learnt of another folder's entries
        place.plain.clear()
        return True

    def _watch(self, place: Place, status: os.stat_result) -> Unwatched | None:
        if not stat.S_ISDIR(status.st_mode):
            place.inode = status.st_ino
            return Unwatched.MISSING
        if self._watches.error is not None:
            return Unwatched.FULL
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


def _refusal(place: Place) -> Unwatched | None:
    if place.unwatched not in (None, Unwatched.MISSING):
        return place.unwatched
    if place.certain:
        return None
    above = (before.refusal for before in (place.parent, place.target) if before is not None)
    return next((refusal for refusal in above if refusal is not None), Unwatched.UNREADABLE)


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
