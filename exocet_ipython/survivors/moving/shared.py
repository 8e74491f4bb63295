"""Variables that a retired function shares with closures that go on: these get what takes the place of what is there.

A decorator's inner function made something of its own: `plus5 = curried(5)`. Both have one cell with the function that
was decorated. A closure's cells can't be exchanged, and what retired is to be as it was when it is current again: so
the cell gets the new value, and it is remembered what it had.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from types import CellType
from typing import Any

from exocet_ipython.reloading.holding.contents import variables_around
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.retired import living_retired, retired_module
from exocet_ipython.survivors.matching.counterparts import Pairs
from exocet_ipython.survivors.rebuilt import MISSING, counterpart

__all__ = ["renew_shared"]


@dataclass(frozen=True, slots=True)
class _Filled:
    """What a cell had while its function was current; it refers to both itself, as what counts references expects."""

    cell: CellType
    value: Any

    def __call__(self, journal: Journal) -> None:
        now = self.cell.cell_contents
        self.cell.cell_contents = self.value
        journal.add(partial(setattr, self.cell, "cell_contents", now))


def renew_shared(held: Iterable[Any], pairs: Pairs, journal: Journal) -> None:
    """Have the cells of retired functions that something else has as well hold what is current.

    Args:
        held: what something outside of the retired side holds: the cells among it are meant.
        pairs: what retired, and its counterparts.
        journal: how it is taken back.
    """
    cells = {id(item): item for item in held if type(item) is CellType}
    parts = (part for retired in living_retired() for part in retired.parts()) if cells else ()
    known = {id(part.cell) for part in parts if type(part) is _Filled}  # since it was current, by an earlier reload
    for before, _, space in pairs.functions if cells else ():
        around = variables_around(before)
        for name, cell in zip(before.__code__.co_freevars, before.__closure__ or (), strict=False):
            now = counterpart(around.get(name), pairs.objects)
            retired = retired_module(before.__globals__) or retired_module(space)
            if now is MISSING or retired is None or cells.pop(id(cell), None) is None:
                continue
            if id(cell) not in known:
                retired.remember_effect(_Filled(cell, around[name]))
            journal.add(partial(setattr, cell, "cell_contents", around[name]))
            cell.cell_contents = now
