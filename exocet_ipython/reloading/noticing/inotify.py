"""One inotify descriptor, and who listens to each of its watches.

The kernel queues an event at the write itself, so what is read here is never late: no thread, no waiting. It merges an
event only with an equal one that is last in the queue.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

__all__ = ["ARRIVED", "IS_FOLDER", "MOVES", "SELF", "WATCH_FILE", "WATCH_FOLDER", "Event", "Watches"]

# inotify(7); written out, since importing inotify_simple for its names costs milliseconds where nothing is watched.
_MODIFY, _ATTRIB, _CLOSE_WRITE = 0x2, 0x4, 0x8
_MOVED_FROM, _MOVED_TO, _CREATE, _DELETE = 0x40, 0x80, 0x100, 0x200
_DELETE_SELF, _MOVE_SELF, _UNMOUNT, _OVERFLOW, _IGNORED = 0x400, 0x800, 0x2000, 0x4000, 0x8000
_ONLY_FOLDERS, _MASK_ADD = 0x1000000, 0x20000000

IS_FOLDER = 0x40000000
ARRIVED = _MOVED_TO | _CREATE
MOVES = ARRIVED | _MOVED_FROM | _DELETE
SELF = _DELETE_SELF | _MOVE_SELF | _UNMOUNT | _IGNORED
# A folder tells of its entries, a file of its content. A folder would tell of content as well, but only of writes
# through its own entry, not through another hard link, and then of every log file that a cell writes in it.
WATCH_FOLDER = MOVES | _ATTRIB | _DELETE_SELF | _MOVE_SELF | _ONLY_FOLDERS | _MASK_ADD
# Where a folder has the path of a followed file by now, its watch has both masks: they add up.
# A file that is written through a mapping tells of it when the mapping goes: that is a close after writing.
WATCH_FILE = _MODIFY | _ATTRIB | _CLOSE_WRITE | _DELETE_SELF | _MOVE_SELF | _MASK_ADD


class Event(Protocol):
    """What `inotify_simple` gives for each event."""

    wd: int
    mask: int
    name: str


News_contra = TypeVar("News_contra", contravariant=True)


class Listener(Protocol[News_contra]):
    """What is told of the events of a watch; `wd` is the watch, None while there is none."""

    wd: int | None

    def hear(self, mask: int, name: str, news: News_contra) -> None:
        """Take an event into the news."""
        ...


class Watches(Generic[News_contra]):
    """The watches of one descriptor; the same file by two names is one watch with two listeners.

    Attributes:
        error: why there is no descriptor; None when there is one, or when none was asked for yet.
    """

    def __init__(self) -> None:
        self.error: OSError | None = None
        self.has_events: Callable[[], object] = _has_none
        self._inotify: Any = None
        self._listeners: dict[int, tuple[Listener[News_contra], ...]] = {}

    def __del__(self) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._listeners)

    def open(self) -> None:
        """Take a descriptor unless there is one; without it `add` refuses everything."""
        if self._inotify is not None or self.error is not None:
            return
        import inotify_simple  # noqa: PLC0415 - loads ctypes: only where something is watched

        try:
            # IN_CLOEXEC is its default.
            self._inotify = inotify_simple.INotify(nonblocking=True)
        except OSError as error:
            self.error = error
        else:
            # Asking costs a cell that runs after it a third of what reading does, in caches that it finds cold.
            poller = select.poll()
            poller.register(self._inotify, select.POLLIN)
            self.has_events = partial(poller.poll, 0)

    def close(self) -> None:
        """Give the descriptor back, unread; twice is harmless. The kernel forgets its watches with the last user."""
        self.has_events = _has_none
        self._listeners = {}
        if self._inotify is not None:
            self._inotify.close()

    def add(self, listener: Listener[News_contra], path: str, mask: int) -> None:
        """Watch what is at a path now for this listener, instead of what it listened to before.

        Raises:
            OSError: as inotify_add_watch(2) does, and EMFILE where there is no descriptor; nothing is watched then.
        """
        try:
            if self._inotify is None:
                raise self.error or OSError(errno.EMFILE, os.strerror(errno.EMFILE))
            wd: int = self._inotify.add_watch(path, mask)
        except (OSError, ValueError) as error:  # ValueError: a null character
            self.remove(listener)
            if isinstance(error, OSError):
                raise
            raise OSError(errno.ENOENT, str(error)) from error
        if wd != listener.wd:
            if listener.wd is not None:
                self.remove(listener)
            listener.wd = wd
            self._listeners[wd] = (*self._listeners.get(wd, ()), listener)

    def remove(self, listener: Listener[News_contra]) -> None:
        """Stop watching for this listener; harmless when it listens to nothing."""
        wd, listener.wd = listener.wd, None
        listeners = self._listeners.get(wd, ()) if wd is not None else ()
        if wd is None or listener not in listeners:
            return
        left = tuple(other for other in listeners if other is not listener)
        if left:
            self._listeners[wd] = left
            return
        del self._listeners[wd]
        # Refused where the kernel removed it with the file, and says so in an event that is not read yet.
        with contextlib.suppress(OSError):
            self._inotify.rm_watch(wd)

    def read(self) -> Sequence[Event]:
        """Return all events that wait."""
        return tuple(self._inotify.read(timeout=0))

    def tell(self, events: Iterable[Event], news: News_contra) -> bool:
        """Let the listeners take events into the news; return whether events were lost."""
        lost = False
        for event in events:
            if event.mask & _OVERFLOW:
                lost = True
                continue
            listeners = self._listeners.get(event.wd, ())
            if event.mask & _IGNORED:
                self._listeners.pop(event.wd, None)
            for listener in listeners:
                if event.mask & _IGNORED:
                    listener.wd = None
                listener.hear(event.mask, event.name, news)
        return lost


def _has_none() -> bool:
    """Answer as a descriptor that never has anything."""
    return False
