"""Retired classes that nobody uses any more, taken off the lists of subclasses of bases that live on."""

from __future__ import annotations

import functools
import sys
from collections.abc import Container, Iterator, Sequence
from operator import methodcaller
from types import new_class
from typing import Any

from exocet_ipython.loading.classes import is_static, set_attribute
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
    free = [before for before, now in pairs.classes if dotted_name(now) not in stuck]
    return free + [cls for cls in pairs.orphans if id(cls) not in held]


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
    for cls in listed:
        _detach(cls, journal)
    retired = set(map(id, listed))
    put_in_order([with_successors(lineage, retired) for lineage in lineages])


def _detach(cls: type, journal: Journal) -> None:
    before = type.__getattribute__(cls, "__bases__")
    home = retired_class(cls)
    if home is not None:
        home.remember(cls)
    standard = _standard_base(cls)
    for layout in ({}, {"__slots__": ()}, {"__slots__": _slots_above(cls)}):
        try:
            body = {"__orig_bases__": (), **layout}  # `Generic` asks for them
            # As a class statement does: an enumeration takes no other namespace than its own.
            nothing = new_class("Retired", standard, exec_body=methodcaller("update", body))
            set_attribute(cls, "__bases__", (nothing,))
        except TypeError:
            continue  # another layout
        journal.add(functools.partial(set_attribute, cls, "__bases__", before))
        break


def _standard_base(cls: type) -> tuple[type, ...]:
    """Return the class of Python's own, or one made in C, that a class is laid out like; none where that is `object`.

    >>> import abc
    >>> class Shape(abc.ABC): pass
    >>> _standard_base(Shape), _standard_base(type("Circle", (), {}))
    ((<class 'abc.ABC'>,), ())
    """
    # No hook of one that is made in C asks to be told of what derives from it.
    found = next((base for base in _line_of(cls) if is_static(base) or _is_standard(base)), None)
    return () if found is None else (found,)


def _is_standard(cls: type) -> bool:
    return cls.__module__.partition(".")[0] in sys.stdlib_module_names


def _slots_above(cls: type) -> tuple[str, ...]:
    """Return the slots of the next base that has some: a class only changes to bases that have the same.

    >>> class Point: __slots__ = ("x", "y")
    >>> _slots_above(type("Named", (Point,), {"__slots__": ()}))
    ('x', 'y')
    """
    slots: Iterator[Any] = (vars(base).get("__slots__", ()) for base in _line_of(cls))
    found = next(filter(None, slots), ())
    return (found,) if type(found) is str else tuple(found)


def _line_of(cls: type) -> Iterator[type]:
    """Yield the bases that give a class its layout, without `object`."""
    base: Any = type.__getattribute__(cls, "__base__")
    while base is not object:
        yield base
        base = type.__getattribute__(base, "__base__")


def _listed(classes: Sequence[type], session: Container[str]) -> Iterator[type]:
    """Yield the classes that a base lists which is of the session and none of these."""
    retired = {id(cls) for cls in classes}
    for cls in classes:
        if any(id(base) not in retired for base in bases_of(cls, session)):
            yield cls
