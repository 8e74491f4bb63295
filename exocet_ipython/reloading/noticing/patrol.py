"""Looking at files in turn: the remedy for changes that are no event."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from exocet_ipython.loading.files import FileStamp
from exocet_ipython.reloading.noticing.listeners import WatchedFile

__all__ = ["Patrol"]

_NANOSECONDS = 200_000


class Patrol:
    """Goes round the watched files, and on from where it was at the next look."""

    def __init__(self) -> None:
        self._round: Iterator[WatchedFile] = iter(())

    def look(self, files: Mapping[str, WatchedFile]) -> Iterator[tuple[WatchedFile, FileStamp | None]]:
        """Yield those whose stamp is another one, with the one before: of one file at least, and as time allows.

        Args:
            files: path -> file, all that there are.
        """
        deadline = time.perf_counter_ns() + _NANOSECONDS
        clock = time.time_ns()
        laps = looked = 0
        while not looked or time.perf_counter_ns() < deadline:
            file = next(self._round, None)
            if file is None:
                if laps or not files:
                    return
                laps += 1
                self._round = iter(tuple(files.values()))
                continue
            looked += 1
            before = file.stamp
            if file.refusal is None and file.users and file.restamp(clock):
                yield file, before
