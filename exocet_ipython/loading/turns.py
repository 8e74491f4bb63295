"""Taking turns without deadlock: a lock that a thread does not wait for when its owner waits for that thread."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import ClassVar

__all__ = ["Turn"]

# What a thread waits for may wait for it in a way that can't be seen from here (a lock of importlib's). A module that
# is loaded twice, or seen half-way, is better than a deadlock.
_PATIENCE_SECONDS = 60.0


class Turn:
    """A re-entrant lock that gives way: `held()` yields False where waiting would never end.

    >>> turn = Turn()
    >>> with turn.held() as held, turn.held() as again:
    ...     held, again
    (True, True)
    """

    _changed: ClassVar[threading.Condition] = threading.Condition()
    _waiting: ClassVar[dict[int, Turn]] = {}

    def __init__(self) -> None:
        self._owner: int | None = None
        self._depth = 0

    @contextlib.contextmanager
    def held(self) -> Iterator[bool]:
        """Hold the lock for the block, or run it without: yields which."""
        held = self._acquire(threading.get_ident())
        try:
            yield held
        finally:
            if held:
                with self._changed:
                    self._depth -= 1
                    if not self._depth:
                        self._owner = None
                        self._changed.notify_all()

    def is_held_by(self, thread: int) -> bool:
        """Say whether a thread holds the lock; only of the present thread is the answer still true when it is given."""
        return self._owner == thread

    def _acquire(self, thread: int) -> bool:
        with self._changed:
            end = time.monotonic() + _PATIENCE_SECONDS
            try:
                while self._owner not in (None, thread):
                    self._waiting[thread] = self
                    remaining = end - time.monotonic()
                    if self._waits_for(thread) or remaining <= 0:
                        return False
                    self._changed.wait(remaining)
            finally:
                self._waiting.pop(thread, None)
            self._owner = thread
            self._depth += 1
            return True

    def _waits_for(self, thread: int) -> bool:
        """Say whether this lock's owner waits, by way of others perhaps, for `thread`."""
        seen: set[int] = set()
        owner = self._owner
        while owner is not None and owner not in seen:
            if owner == thread:
                return True
            seen.add(owner)
            following = self._waiting.get(owner)
            owner = None if following is None else following._owner  # noqa: SLF001 - of its own class
        return False
