"""Instances of which the collector shows all that they hold: one look in C tells whether anything is to be replaced.

There may be a hundred thousand of a class, which are its holders and are found by it, and hold nothing else that is
replaced. What they have has not to be asked for one by one then, nor made into a dict where Python keeps it inline.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable
from itertools import chain
from types import MemberDescriptorType
from typing import Any

from exocet_ipython.loading.classes import mro_of
from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.survivors.rebuilt import Replacement
from exocet_ipython.survivors.replacing.holders import has_attributes_only

__all__ = ["ShownHolders"]


class ShownHolders:
    """Tells which holders have nothing in them that is replaced, of those of which it can be told at once.

    Their class itself is nothing that is in them: they change it elsewhere. Classes are known by their ids: it is for
    one pass over holders, which keep theirs alive.

    Args:
        replacement: what is replaced.

    >>> class Cat: pass
    >>> tom, lost = Cat(), object()
    >>> tom.mouse = lost
    >>> shown = ShownHolders({id(lost): (lost, object())})
    >>> shown.have_nothing(tom), shown.have_nothing(Cat())
    (False, True)
    >>> len(shown.without([tom, [lost]])), shown.without([Cat(), Cat()])
    (2, [])
    """

    def __init__(self, replacement: Replacement) -> None:
        self._replaced = replacement.keys()
        self._known: dict[int, bool] = {}

    def have_nothing(self, holder: Any) -> bool:
        """Say whether a holder certainly has nothing in it that is replaced."""
        return self._is_shown(type(holder)) and self._nothing_in([holder])

    def without(self, holders: Iterable[Any]) -> list[Any]:
        """Return holders in order, but for those of classes of which none has anything in it that is replaced."""
        holders = list(holders)
        groups: dict[int, list[Any]] = {}
        for holder in holders:
            groups.setdefault(id(type(holder)), []).append(holder)
        having_none = {
            kind for kind, group in groups.items() if self._is_shown(type(group[0])) and self._nothing_in(group)
        }
        return [holder for holder in holders if id(type(holder)) not in having_none] if having_none else holders

    def _is_shown(self, kind: type) -> bool:
        known = self._known.get(id(kind))
        if known is None:
            known = self._known[id(kind)] = has_attributes_only(kind) and _are_slots_named(kind)
        return known

    def _nothing_in(self, group: list[Any]) -> bool:
        """Say whether nothing that is replaced is in any instance of a class; all the loops are in C."""
        parts = gc.get_referents(*group)
        ids, kind = [*map(id, parts)], id(type(group[0]))
        # The dict of their attributes is what the collector shows once there is one.
        spaces = [part for part in parts if type(part) is dict]
        try:
            inside = map(id, chain.from_iterable(map(dict.values, spaces)))
            is_disjoint = self._replaced.isdisjoint(filter(kind.__ne__, ids)) and self._replaced.isdisjoint(inside)
        except RuntimeError:  # another thread gives one an attribute
            return False
        return is_disjoint and ids.count(kind) <= len(group)


def _are_slots_named(kind: type) -> bool:
    """Say whether a class has its slots by `__slots__`, which the collector shows; those of a library in C it need not.

    >>> class Cat:
    ...     __slots__ = ("age",)
    >>> _are_slots_named(Cat), _are_slots_named(type(object.__init__))
    (True, False)
    """
    spaces = [copy_space(vars(base)) for base in mro_of(kind)]
    return all(
        "__slots__" in space or not any(type(part) is MemberDescriptorType for part in space.values())
        for space in spaces
    )
