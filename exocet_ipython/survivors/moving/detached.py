"""Retired classes that nobody uses any more, taken off the lists of subclasses of bases that live on."""

from __future__ import annotations

import functools
from collections.abc import Container, Iterator, Sequence

from exocet_ipython.loading.classes import mro_of, set_attribute
from exocet_ipython.reloading.detaching import detach
from exocet_ipython.reloading.holding.held import dotted_name
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.retired import retired_class
from exocet_ipython.survivors.matching.counterparts import Pairs
from exocet_ipython.survivors.rebasing.lineages import bases_of, lineages_of, put_in_order, with_successors
from exocet_ipython.survivors.replacing.instances import Moving

__all__ = ["detach_retired", "free_classes"]


def free_classes(pairs: Pairs, held: set[int], moving: Moving) -> list[type]:
    """Return the retired classes that are no longer used.

    Args:
        pairs: what retired.
        held: ids of what something outside the retired side held.
        moving: what could not move.
    """
    stuck = {entry.name for entry in moving.stuck}
    replaced = {id(before) for before, _ in pairs.classes}
    kept = [cls for cls in pairs.orphans if id(cls) in held and id(cls) not in replaced]
    above = {id(base) for cls in kept for base in mro_of(cls)}  # what has an instance of one goes on calling these
    free = [before for before, now in pairs.classes if dotted_name(now) not in stuck and id(before) not in above]
    return free + [cls for cls in pairs.orphans if id(cls) not in above]


def detach_retired(free: Sequence[type], session: Container[str], journal: Journal) -> None:
    """Take retired classes off the lists of subclasses of bases that live on: a registry by inheritance reads them.

    Until the collector comes by they would be there beside the new ones. These take their places in the lists.

    Args:
        free: classes that are no longer used.
        session: names of the session's modules; only their classes are cleared.
        journal: how it is taken back.
    """
    listed = list(_listed(free, session))
    lineages = lineages_of(listed, session)
    journal.add(functools.partial(put_in_order, lineages))
    unused = set(map(id, free))
    for cls in listed:
        _detach(cls, unused, journal)
    retired = set(map(id, listed))
    put_in_order([with_successors(lineage, retired) for lineage in lineages])


def _detach(cls: type, free: Container[int], journal: Journal) -> None:
    before = type.__getattribute__(cls, "__bases__")
    home = retired_class(cls)
    if home is not None:
        home.remember(cls)
    is_detached = detach(cls)
    if not is_detached:  # Python finds no order for the bases of a class below it then, of which it is but one
        subclasses: list[type] = type.__subclasses__(cls)
        for subclass in subclasses:
            if id(subclass) in free:
                _detach(subclass, free, journal)
        is_detached = detach(cls)
    if is_detached:
        journal.add(functools.partial(set_attribute, cls, "__bases__", before))


def _listed(classes: Sequence[type], session: Container[str]) -> Iterator[type]:
    """Yield the classes that a base lists which is of the session and none of these."""
    retired = {id(cls) for cls in classes}
    for cls in classes:
        if any(id(base) not in retired for base in bases_of(cls, session)):
            yield cls
