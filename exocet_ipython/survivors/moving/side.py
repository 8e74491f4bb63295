"""The retired side of a migration: what it is made of, and what of it is held from elsewhere."""

from __future__ import annotations

import gc
import sys
from collections.abc import Container, Sequence
from typing import Any

from exocet_ipython.loading.spaces import globals_of
from exocet_ipython.reloading.holding.contents import dict_of
from exocet_ipython.reloading.holding.held import CELLS
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.retired import living_retired, retired_module
from exocet_ipython.survivors.finding.counting import count_outside
from exocet_ipython.survivors.finding.generations import RetiredGeneration
from exocet_ipython.survivors.finding.held import namespaces_of, shared_cells
from exocet_ipython.survivors.finding.near import find_near
from exocet_ipython.survivors.finding.patterns import pattern_caches, spaces_with_patterns
from exocet_ipython.survivors.matching.counterparts import Pairs
from exocet_ipython.survivors.matching.succession import Succession

__all__ = ["RetiredSide"]


class RetiredSide:
    """What retires; its modules are noted as migrated.

    Args:
        succession: which modules retire.
        older: what lives of earlier generations.
        pairs: what retires, with what takes its place; what is of this side is noted as its own.
        journal: how it is taken back; it refers to what retires for our own sake.

    Attributes:
        objects: all whose holders must be found.
        spaces: ids of the namespaces of its modules and functions.
        records: what refers to it for our own sake.
        held: what is held from elsewhere; nothing else of ours refers to it.
        numbers: id of each of these -> how many references come from there.
        within: ids of what references don't come from there.
    """

    def __init__(
        self, succession: Succession, older: Sequence[RetiredGeneration], pairs: Pairs, journal: Journal
    ) -> None:
        self.objects = pairs.retired()
        self.objects += shared_cells(before for before, _, _ in pairs.functions)
        spaces = _spaces_of(succession, older, pairs.spent) + namespaces_of(self.objects)
        self.spaces = {id(space) for space in spaces}
        self.records = _records_of(succession, spaces) + pairs.containers() + journal.references()
        pairs.own |= {id(self.records), id(self.objects), *map(id, self.records)}
        pairs.own |= {id(dict_of(one)) for one, _ in pairs.objects.values() if id(type(one)) in pairs.objects}
        self._own = pairs.own
        self._count()

    def __repr__(self) -> str:
        return f"<retired side: {len(self.held)} of {len(self.objects)} held>"

    def find_near(self) -> list[Any] | None:
        """Return all that holds something of this side, if that is near the notebook's names; None where it is not.

        What is held by young garbage alone is not held any more then: a dataclass with slots leaves a class behind.
        """
        near = self._search()
        if near is None and (left := spaces_with_patterns(self.held, self.spaces)):
            self.records += left
            self._own.update(map(id, self.records))
            self._count()
            near = self._search()
        if near is None and gc.collect(1):
            self._count()
            near = self._search()
        return near

    def _search(self) -> list[Any] | None:
        return find_near(self.held, self.numbers, globals_of(sys.modules.get(CELLS)), self.within)

    def _count(self) -> None:
        self.held = list[Any]()  # which was found before refers to it
        outside = count_outside(self.objects, [self.records, *self.records])
        self.held, self.numbers = outside.held, outside.numbers
        self.within = outside.within | self._own


def _spaces_of(
    succession: Succession, older: Sequence[RetiredGeneration], spent: Container[int]
) -> list[dict[str, Any]]:
    """Return the namespaces of retired modules, of which it is noted that they are migrated, and some of them spent."""
    modules = [record.module for record in succession.old.values()]
    modules += [value for generation in older for kind, _, value in generation.living() if kind == "module"]
    spaces = [vars(module) for module in modules if hasattr(module, "__dict__")]
    for found in [found for space in spaces if (found := retired_module(space)) is not None]:
        found.migrated = True
        found.is_spent |= id(globals_of(found.record.module)) in spent
    return spaces


def _records_of(succession: Succession, spaces: list[dict[str, Any]]) -> list[Any]:
    """Return the namespaces, and what of ours refers to what retires."""
    remembered = living_retired()  # also of what was let go of before: what it was is what an undo brings back
    old = [record for version in succession.versions() for record in version.old.values()]
    # A record that has read its module's imports has a dict of its own, which is what holds the module then.
    records = [spaces, *spaces, *old, *map(vars, old)]
    return [*records, *pattern_caches(), remembered, *(part for found in remembered for part in found.parts())]
