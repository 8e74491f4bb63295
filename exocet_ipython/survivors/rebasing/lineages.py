"""The order in which bases list the classes below them: who asks these one by one takes the first that fits.

A class goes to the end of the lists of all its bases when these are set, and one that is made anew begins there.
"""

from __future__ import annotations

import weakref
from collections.abc import Container, Iterator, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

from exocet_ipython.loading.classes import set_attribute
from exocet_ipython.reloading.holding.held import home_of

__all__ = ["Lineage", "bases_of", "lineages_of", "put_in_order", "with_successors"]


class Lineage(NamedTuple):
    """A base, and what derives from it, in an order; it holds no class alive but the base."""

    base: type
    below: tuple[weakref.ref[type], ...]

    def living(self) -> list[type]:
        """Return those that derive from the base still."""
        known = set(map(id, type.__subclasses__(self.base)))
        return [cls for reference in self.below if (cls := reference()) is not None and id(cls) in known]


def bases_of(cls: type, session: Container[str]) -> list[type]:
    """Return the bases of a class that modules of the session have."""
    bases: tuple[type, ...] = type.__getattribute__(cls, "__bases__")
    return [base for base in bases if home_of(base) in session]


def lineages_of(retired: Sequence[type], session: Container[str]) -> list[Lineage]:
    """Return the lineages that retired classes are in, and those that others in these are in as well."""
    gone = set(map(id, retired))
    found: dict[int, Lineage] = {}
    waiting = [base for cls in retired for base in bases_of(cls, session)]
    while waiting:
        base = waiting.pop()
        if id(base) not in gone and id(base) not in found:
            below: list[type] = type.__subclasses__(base)
            found[id(base)] = Lineage(base, tuple(map(weakref.ref, below)))
            waiting += [other for cls in below for other in bases_of(cls, session)]
    return list(found.values())


def with_successors(lineage: Lineage, retired: Container[int]) -> Lineage:
    """Return a lineage with the classes of modules that were made anew in the places of the `retired` ones, by id."""
    below = [cls for reference in lineage.below if (cls := reference()) is not None]
    new: dict[str, list[type]] = {home_of(cls): [] for cls in below if id(cls) in retired}
    for cls in below:
        if id(cls) not in retired and home_of(cls) in new:
            new[home_of(cls)].append(cls)
    found: list[type] = []
    homes = frozenset(new)
    for cls in below:
        if id(cls) in retired:
            found += new.pop(home_of(cls), [])
        elif home_of(cls) not in homes:
            found.append(cls)
    return Lineage(lineage.base, tuple(map(weakref.ref, found)))


def put_in_order(lineages: Sequence[Lineage]) -> None:
    """Have bases list the classes below them in the order of their lineages, unless two of these disagree."""
    wanted = [lineage.living() for lineage in lineages]
    late: dict[int, type] = {}
    for lineage, order in zip(lineages, wanted, strict=True):
        late |= {id(cls): cls for cls in _out_of_place(lineage.base, order)}
    count = 0
    while len(late) > count:  # what comes after a class that goes to the end of a list has to follow it
        count = len(late)
        for order in wanted:
            late |= {id(cls): cls for cls in _from_first(order, late)}
    try:
        for key in _merged([[id(cls) for cls in order if id(cls) in late] for order in wanted]):
            set_attribute(late[key], "__bases__", type.__getattribute__(late[key], "__bases__"))
    except CycleError:
        return


def _merged(orders: Sequence[Sequence[int]]) -> Iterator[int]:
    """Yield what is in the orders, so that it is in each of them.

    >>> list(_merged([[1, 2, 4], [2, 3, 4]]))
    [1, 2, 3, 4]

    Raises:
        CycleError: two of them disagree.
    """
    sorter = TopologicalSorter[int]()
    for order in orders:
        for at, key in enumerate(order):
            sorter.add(key, *order[:at][-1:])
    return iter(tuple(sorter.static_order()))


def _out_of_place(base: type, order: Sequence[type]) -> Sequence[type]:
    known = set(map(id, order))
    below: list[type] = type.__subclasses__(base)
    there = [cls for cls in below if id(cls) in known]
    return next((order[at:] for at, cls in enumerate(order) if cls is not there[at]), ())


def _from_first(order: Sequence[type], late: Container[int]) -> Sequence[type]:
    return next((order[at:] for at, cls in enumerate(order) if id(cls) in late), ())
