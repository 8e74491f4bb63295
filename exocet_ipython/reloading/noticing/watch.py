"""Noticing changes on Linux with watches: a cell costs microseconds, however many modules there are.

inotify by itself misses some changes. Their remedies, each with a test:

- a write through another hard link: each file is watched itself, not only its folder;
- a folder or link on the way renamed, made again or pointed elsewhere: each of them is a `Place` that is watched;
- a write through a mapping, which is an event only when the mapping goes, and a file system mounted over a folder:
  files are looked at in turn, for 200 microseconds, at a cell that follows a second without one;
- what is not reported (network shares), or where the system refuses more watches: looked at with each question, and
  `limits` says so;
- events that were lost in an overflow or an interrupt: all starts over, and everything is suspected;
- a forked child would eat its parent's events: it closes the inherited descriptor, unread, and starts over as well.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable

from exocet_ipython.loading.source import Snapshot
from exocet_ipython.reloading.noticing.changes import Change, StatSweep
from exocet_ipython.reloading.noticing.followed import Difference, Following, followed_path, is_settled
from exocet_ipython.reloading.noticing.forks import call_in_children
from exocet_ipython.reloading.noticing.inotify import Watches
from exocet_ipython.reloading.noticing.listeners import News, Place, WatchedFile
from exocet_ipython.reloading.noticing.mounts import Mounts, read_mounts
from exocet_ipython.reloading.noticing.patrol import Patrol
from exocet_ipython.reloading.noticing.places import Places
from exocet_ipython.reloading.noticing.suspicions import NOTHING, Pending, Suspicion
from exocet_ipython.reloading.noticing.waiting import Waiting

__all__ = ["InotifyWatch"]

_IDLE_SECONDS = 1.0


class InotifyWatch:
    """The detector that waits for nothing: one inotify descriptor, read without blocking, by no thread of its own.

    The descriptor is taken when there is something to follow, and given back by `close`.

    Args:
        clock: seconds, only ever growing; tells how long no cell has run.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._following = Following()
        self._pending = Pending()
        self._sweep = StatSweep()  # for what is not watched
        self._closed = False
        self._last = clock()
        self._forget()
        call_in_children(self)

    def _forget(self) -> None:
        self._watches: Watches[News] = Watches()
        self._places = Places(self._watches, Mounts({}))
        self._files: dict[str, WatchedFile] = {}
        self._by_snapshot: dict[int, WatchedFile] = {}
        self._named: dict[str, Place] = {}
        self._waiting = Waiting()
        self._refused: dict[WatchedFile, None] = {}
        self._patrol_of_files = Patrol()
        self._doubt = False
        self._settle()

    def __repr__(self) -> str:
        return f"<{len(self._watches)} watches for {len(self._files)} files>"

    @property
    def limits(self) -> tuple[str, ...]:
        """What is looked at with each question since it can't be watched, and why; one sentence a reason."""
        with self._lock:
            self._catch_up()
            refusals = [file.refusal for file in self._refused]
            refusals += [place.refusal for place in self._places.refused if place.searched]
            error = self._watches.error
            return tuple(refusal.explain(count, error) for refusal, count in Counter(refusals).items() if refusal)

    def follow(self, snapshots: Iterable[Snapshot], folders: Iterable[str] = ()) -> None:
        """Follow the files of these snapshots from now on, and no others; see `Detector.follow`."""
        self._take(lambda following: following.replace(snapshots, folders))

    def exchange(self, gone: Iterable[Snapshot], new: Iterable[Snapshot]) -> None:
        """Follow the files of the snapshots `new` instead of those of `gone`; see `Detector.exchange`."""
        self._take(lambda following: following.exchange(gone, new))

    def _take(self, change: Callable[[Following], Difference]) -> None:
        with self._lock:
            if self._closed:
                return
            try:
                difference = change(self._following)
                if not self._doubt:
                    self._add_folders(difference.new_folders)
                    self._add(difference.new)
                    self._drop(difference.gone, difference.gone_folders)
                    self._settle()
            except BaseException:
                self._doubt, self._calm = True, False
                raise

    def suspects(self) -> Suspicion:
        """Return what may have changed since it was last asked; one system call when nothing did."""
        with self._lock:
            try:
                now = self._clock()
                idle = now - self._last >= _IDLE_SECONDS
                self._last = now
                has_events = self._has_events()
                if self._calm and not (has_events or idle):
                    return NOTHING
                return self._look(has_events=bool(has_events), idle=idle)
            except BaseException:
                # Interrupted: events may have been read and not taken in.
                self._doubt, self._calm = True, False
                raise

    def changed(self, snapshots: Iterable[Snapshot]) -> tuple[Change, ...]:
        """Return a change for each snapshot whose file differs by now; snapshots without text never do."""
        return self._sweep.changed(snapshots)

    def close(self) -> None:
        """Give the descriptor back and follow nothing any more; twice is harmless."""
        with self._lock:
            self._closed = True
            self._watches.close()
            self._following = Following()
            self._pending = Pending()
            self._sweep.follow(())
            self._forget()

    def leave_parent(self) -> None:
        """Give back, unread, the descriptor that a forked child has inherited; all starts over at the next cell."""
        self._lock = threading.Lock()  # another thread of the parent may have held it
        self._watches.close()
        self._has_events = self._watches.has_events
        if not self._closed:
            self._doubt, self._calm = True, False

    def _look(self, *, has_events: bool, idle: bool) -> Suspicion:
        if has_events and not self._doubt:
            self._take_events()
        elif idle:
            self._patrol()
        if self._doubt:
            self._start_over()
        self._catch_up()
        if not self._sweep.is_empty:
            self._pending.add(self._sweep.suspects())
        suspicion = self._pending.give()
        self._rest()
        return suspicion

    def _take_events(self) -> None:
        news = News()
        if self._watches.tell(self._watches.read(), news):
            self._doubt = True
            return
        if news.places:
            self._places.mounts = read_mounts()
        for place in self._places.refresh(news.places):
            # An entry of the folder before it, or what its own entries are looked for in, is another one.
            if place.searched or (place.parent is not None and place.parent.searched):
                self._pending.add_appeared(None)
            news.files.update(*place.files.values())
        for file in news.files:
            existed = file.stamp is not None
            self._attach(file)
            self._suspect(file)
            if existed != (file.stamp is not None):
                self._pending.add_appeared({file.stem})
        if stems := news.moved_stems():
            self._pending.add_appeared(stems)

    def _start_over(self) -> None:
        """Watch everything anew, with a new descriptor, and suspect everything: what happened meanwhile is unknown."""
        self._watches.close()
        self._forget()
        self._add_folders(list(self._following.folders))
        self._add(list(self._following.snapshots.values()))
        self._pending.everything = True
        self._pending.add_appeared(None)

    def _patrol(self) -> None:
        for file, before in self._patrol_of_files.look(self._files):
            if before is not None and file.stamp is not None and before.inode == file.stamp.inode:
                self._suspect(file)
            else:
                # Another file, and no event told of it: something is mounted there by now, so no watch is trusted.
                self._doubt = True
                return

    def _open(self) -> None:
        self._watches.open()
        self._places.mounts = read_mounts()

    def _add_folders(self, folders: list[str]) -> None:
        if folders:
            self._open()
        for folder in folders:
            self._named[folder] = self._places.search(folder)

    def _add(self, snapshots: list[Snapshot]) -> None:
        """Watch the folders of what is new, and the files when the next question is asked; none twice."""
        new = []
        for snapshot in snapshots:
            if snapshot.path in self._files:
                self._add_file(snapshot.path, snapshot)
            else:
                new.append(snapshot)
        if new:
            self._open()
            self._waiting.add(new, self._places)

    def _catch_up(self) -> None:
        """Watch what waits for it."""
        if self._waiting:
            self._open()
            for snapshot in self._waiting.take():
                if (path := followed_path(snapshot)) is not None:
                    self._add_file(path, snapshot)
            self._waiting.leave(self._places)
        self._settle()

    def _add_file(self, path: str, snapshot: Snapshot) -> None:
        file = self._files.get(path)
        if file is None:
            file = self._files[path] = WatchedFile(path)
            self._attach(file)
        elif file.restamp(time.time_ns()) and file.users:
            self._suspect(file)
        file.users[id(snapshot)] = snapshot.name
        self._by_snapshot[id(snapshot)] = file
        stamp = snapshot.stamp
        if stamp == file.stamp:
            file.stamp = stamp  # one object for both
        # A stamp that is too young to show a later save will do when the watch is older than the reading.
        if stamp is None or (
            stamp == file.stamp and (file.heard_at < snapshot.read_at or is_settled(stamp, snapshot.read_at, stamp))
        ):
            return
        self._pending.names.add(snapshot.name)

    def _drop(self, snapshots: list[Snapshot], folders: list[str]) -> None:
        for snapshot in snapshots:
            self._waiting.snapshots.pop(id(snapshot), None)
            file = self._by_snapshot.pop(id(snapshot), None)
            if file is not None:
                del file.users[id(snapshot)]
                if not file.users:
                    del self._files[file.path]
                    self._refused.pop(file, None)
                    self._places.detach(file)
        self._waiting.leave(self._places)
        for folder in folders:
            self._places.leave(self._named.pop(folder))

    def _attach(self, file: WatchedFile) -> None:
        self._places.attach(file)
        if file.refusal is None:
            self._refused.pop(file, None)
        else:
            self._refused[file] = None

    def _suspect(self, file: WatchedFile) -> None:
        self._pending.names.update(file.users.values())

    def _settle(self) -> None:
        """Let the sweep follow what is not watched."""
        if self._refused or self._places.refused or not self._sweep.is_empty:
            snapshots = self._following.snapshots
            self._sweep.follow(
                (snapshots[key] for file in self._refused for key in file.users),
                (place.path for place in self._places.refused if place.searched),
            )
        self._rest()

    def _rest(self) -> None:
        """Find out whether a cell has nothing to do but to ask for events."""
        self._has_events = self._watches.has_events
        self._calm = self._sweep.is_empty and not (self._doubt or self._pending or self._waiting)
