"""Cells whose text is read when it is needed: most never are, as nothing is reloaded, and parsing is what costs."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["UnreadCells"]

_SHORT = 200  # characters: read at once, which takes a few microseconds
_MOST = 20_000  # characters: read in a few milliseconds


class UnreadCells:
    """What is still to be read, in order.

    >>> unread, read = UnreadCells(), []
    >>> unread.add(500, lambda: read.append("long"))
    >>> read
    []
    >>> unread.add(5, lambda: read.append("short"))
    >>> read
    ['long', 'short']
    """

    def __init__(self) -> None:
        self._reads: list[Callable[[], object]] = []
        self._length = 0

    def add(self, length: int, read: Callable[[], object]) -> None:
        """Read a text of so many characters later; a short one now, and what is still to be read before it."""
        self._reads.append(read)
        self._length += length
        if length < _SHORT or self._length > _MOST:
            self.catch_up()

    def catch_up(self) -> None:
        """Read all that is still to be read; harmless while that is done."""
        if self._reads:
            reads, self._reads, self._length = self._reads, [], 0
            for read in reads:
                read()
