"""Moving the instances of retired classes, also those that the person's code makes while it is asked for hashes."""

from __future__ import annotations

from typing import Any

from exocet_ipython.reloading.collector import referrers_of
from exocet_ipython.reloading.holding.contents import dict_of
from exocet_ipython.survivors.matching.counterparts import Pairs
from exocet_ipython.survivors.rebasing.naming import name_again
from exocet_ipython.survivors.replacing.instances import Moving

__all__ = ["move_instances"]


def move_instances(holders: list[Any], pairs: Pairs, moving: Moving) -> None:
    """Move the instances among the holders of retired classes, and those that a `__hash__` has made and kept since.

    A look through the heap for the latter is taken only where code of the person's was asked.

    Args:
        holders: what refers to the retired classes, as it was found before anything was moved.
        pairs: what retired.
        moving: what is moved.
    """
    moving.move(holders, pairs.classes, pairs.objects)
    name_again(holders, pairs, moving)
    if not moving.rehashing.has_asked:
        return
    known, classes = set(map(id, holders)), [cls for cls, _ in pairs.classes]
    retired = set(map(id, classes))
    late = [one for one in referrers_of(classes) if id(type(one)) in retired and id(one) not in known]
    if late:
        spaces = [space for one in late if (space := dict_of(one)) is not None]
        moving.replace(pairs.objects, pairs.own, [*late, *spaces])
        moving.move(late, pairs.classes, pairs.objects)
