"""Entries that are taken out of containers, and put there again otherwise: each at its turn, between those that stay.

A restart runs the cells in their order: what they register, and what they put there by hand. What is told once more,
a decorator or a hook, puts its entry where the one of before was, and finds there what was there before it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from exocet_ipython.reloading.holding.contents import is_registry
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.survivors.rebasing.putting import Entry, Inside, put_entry, refill, take_out_entry
from exocet_ipython.survivors.repeating.entries import emptied, entries, is_map

__all__ = ["Replay"]


@dataclass(slots=True)
class _Held:
    """A container out of which something is taken.

    Attributes:
        container: it.
        marks: turn -> how many of the entries that stay stand before what was taken out for it.
        taken: turn -> that.
        waiting: the entries behind the first mark, while the turns last; they go back as these come.
        put: how many of the entries that stay are there.
    """

    container: Any
    marks: dict[int, int] = field(default_factory=dict)
    taken: defaultdict[int, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    waiting: list[Entry] = field(default_factory=list)
    put: int = 0

    def note(self, turn: int, place: int, entry: Entry, *, is_gone: bool) -> None:
        """Note that an entry was taken out of a place, or something out of what it has there."""
        if is_gone:
            self.marks |= {other: count - 1 for other, count in self.marks.items() if count > place}
            self.taken[turn].append(entry)
        else:
            place += 1
        self.marks[turn] = min(place, self.marks.get(turn, place))

    def begin(self, journal: Journal) -> None:
        """Take out what stands behind the first mark, where the container has an order."""
        self.put = min(self.marks.values())
        content, other = list(entries(self.container)), emptied(self.container)
        if other is None:
            return
        journal.add(partial(refill, self.container, content))
        if len(content) > self.put and (is_map(other) or hasattr(other, "append")):
            self.waiting = content[self.put :]
            refill(self.container, content[: self.put])

    def put_back(self, count: int) -> None:
        """Put back what waits, until so many of the entries that stay are there."""
        while self.waiting and self.put < count:
            put_entry(self.container, self.waiting.pop(0))
            self.put += 1


class Replay:
    """Takes entries out of containers, and has others put there at their turns.

    Args:
        journal: how it is taken back.

    >>> names, replay = ["a", "mine", "b"], Replay(Journal())
    >>> replay.take_out(names, ("mine", None), 1)
    >>> for turn in replay.turns([1]): names.append("MINE")
    >>> names
    ['a', 'MINE', 'b']
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._held: dict[int, _Held] = {}

    def take_out(self, container: Any, entry: Entry, turn: int) -> None:
        """Take an entry out of a container that has this very one, or what is `Inside` of it."""
        if not is_registry(container):
            return
        held = self._held.setdefault(id(container), _Held(container))
        (key, value), before = entry, [one for one, _ in entries(container)]
        if type(value) is Inside and is_map(container) and key in container:
            value = container[key]
            for inner in entry[1]:
                self.take_out(value, inner, turn)
        is_left = type(entry[1]) is Inside and bool(value)
        if not is_left:
            take_out_entry(container, (key, value), self._journal)
        after = [one for one, _ in entries(container)]
        if is_left:
            held.note(turn, next(at for at, one in enumerate(before) if one == key), entry, is_gone=False)
        elif len(after) < len(before):
            place = next((at for at, one in enumerate(after) if one is not before[at]), len(after))
            held.note(turn, place, (key, value), is_gone=True)

    def place_of(self, turn: int) -> float:
        """Return how many entries that stay are before the first that was taken out for a turn; infinite for none."""
        return min((held.marks[turn] for held in self._held.values() if turn in held.marks), default=math.inf)

    def turns(self, turns: Iterable[int]) -> Iterator[int]:
        """Yield the turns, when what stands before what was taken out for each is there, and no more."""
        concerned = [held for held in self._held.values() if held.marks]
        for held in concerned:
            held.begin(self._journal)
        try:
            for turn in turns:
                for held in concerned:
                    held.put_back(held.marks.get(turn, 0))
                yield turn
        finally:
            for held in concerned:
                held.put_back(held.put + len(held.waiting))

    def restore(self, *turns: int) -> None:
        """Put back what was taken out for turns."""
        for held in self._held.values():
            for entry in (entry for turn in turns for entry in held.taken[turn]):
                put_entry(held.container, entry)
