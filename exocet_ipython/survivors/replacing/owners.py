"""Whose attributes a dict among holders has: the instances that are to be noted before one of them is replaced.

What refers to an attribute is the instance, until Python has made a dict of its attributes: somebody has looked at
`vars(instance)`. From then on it is the dict (3.13 gives both), and nothing leads from there to the instance.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Collection, Iterable
from functools import cached_property
from itertools import chain, islice
from types import FunctionType
from typing import Any
from weakref import WeakValueDictionary

from exocet_ipython.loading.classes import mro_of
from exocet_ipython.loading.references import OwnReference
from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.reloading.collector import referents_of
from exocet_ipython.reloading.holding.contents import dict_of
from exocet_ipython.survivors.classes import living_classes
from exocet_ipython.survivors.finding.held import find_held
from exocet_ipython.survivors.forwarders import TARGET
from exocet_ipython.survivors.replacing.libraries import is_adapter
from exocet_ipython.survivors.replacing.rehashing import hashes_itself

__all__ = ["find_owners", "may_be_attributes", "owners_among", "remember_owner"]

_TELLING = 8  # keys: few dicts begin with so many names of one class's attributes and are another's
# What functions have and nothing else: one that `functools.wraps` has made, and a forwarder, its default too.
_OF_FUNCTIONS = ("__wrapped__", TARGET)
# The id of a dict of attributes -> the instance: what has been found needs no pass over the heap again.
_known: WeakValueDictionary[int, Any] = WeakValueDictionary()


def remember_owner(attributes: dict[Any, Any], instance: Any) -> None:
    """Note whose attributes a dict has that Python has made of them just now."""
    with contextlib.suppress(TypeError):  # one that can't be referred to weakly
        _known[id(attributes)] = instance


def find_owners(
    holders: Collection[Any], own: Collection[int], ours: Callable[[], Iterable[Any]] = tuple
) -> tuple[dict[int, Any], dict[int, dict[Any, Any]]]:
    """Return the instances of classes that are concerned, by the ids of the dicts of their attributes.

    These hash themselves, are adapters, or keep what a `cached_property` has answered.

    Args:
        holders: what holds what is replaced; the dicts among them are looked at.
        own: ids of those to leave alone.
        ours: returns our own records, which refer to holders too; asked where that tells.

    Returns:
        The instances that are known; and the dicts of which only a pass over the heap tells whose they are, if any:
        see `may_be_attributes` and `owners_among`. Both by the ids of the dicts.
    """
    spaces = {id(one): one for one in holders if type(one) is dict and id(one) not in own and _is_of_names(one)}
    found = {key: owner for key in spaces if (owner := _known.get(key)) is not None and dict_of(owner) is spaces[key]}
    if spaces.keys() - found.keys():
        found |= owners_among(holders, spaces)
    left = [space for key, space in spaces.items() if key not in found]
    return found, {id(one): one for one in _of_others(left, [*ours(), holders, spaces], holders)} if left else {}


def _of_others(spaces: list[dict[Any, Any]], ours: list[Any], holders: Collection[Any]) -> list[dict[Any, Any]]:
    """Return those that not only the holders and the notebook's names have: most registries are values of these."""
    return find_held(spaces, chain(ours, [vars(sys.modules["__main__"])], holders))


def may_be_attributes(spaces: Collection[dict[Any, Any]]) -> bool:
    """Say whether one begins with names which a class that is concerned gives attributes: others are plain dicts."""
    begins = [tuple(islice(space, _TELLING)) for space in spaces]
    wanted = frozenset(key for begin in begins for key in begin if type(key) is str)
    lines = [mro_of(cls)[:-1] for cls in _JUDGED.concerned()]
    bases = {id(base): base for line in lines for base in line}  # many classes have the same
    known = {key: named for key, base in bases.items() if (named := _named_by(base, wanted))}
    # Most bases name none of them: thousands of classes differ in few ways.
    ways = {tuple(key for key in map(id, line) if key in known) for line in lines}
    names = {frozenset[str]().union(*map(known.__getitem__, way)) for way in ways}
    return any(all(type(key) is str and key in one for key in begin) for begin in begins for one in names)


def _named_by(cls: type, wanted: frozenset[str]) -> frozenset[str]:
    """Return which of some names a class gives attributes: in its annotations, or in the code of a method."""
    space = copy_space(type.__getattribute__(cls, "__dict__"))
    annotations = space.get("__annotations__")
    answers = {name: part.func for name, part in space.items() if type(part) is cached_property}
    functions = [part for part in (*space.values(), *answers.values()) if type(part) is FunctionType]
    codes = [function.__code__.co_names for function in functions]
    return wanted.intersection(chain(annotations if type(annotations) is dict else (), answers, *codes))


def _is_concerned(cls: type, keeping: dict[int, bool]) -> bool:
    """Say whether instances of a class are looked after when their attributes are replaced.

    Args:
        cls: the class.
        keeping: whether a class has a `cached_property` of its own, by its id; filled on the way.
    """
    if is_adapter(cls) or hashes_itself(cls):
        return True
    for base in mro_of(cls):
        if (key := id(base)) not in keeping:
            parts = copy_space(type.__getattribute__(base, "__dict__")).values()
            keeping[key] = any(type(part) is cached_property for part in parts)
        if keeping[key]:
            return True
    return False


def owners_among(holders: Iterable[Any], spaces: dict[int, Any]) -> dict[int, Any]:
    """Return the instances of classes that are concerned among holders, by the ids of the dicts of their attributes."""
    kinds, keeping = dict[int, bool](), dict[int, bool]()  # few classes may have a million instances
    found = {}
    for holder in holders:
        kind = type(holder)
        if id(kind) not in kinds:
            kinds[id(kind)] = _is_concerned(kind, keeping)
        # Python would make a dict for who asks, and what the attributes hold would be hidden in that.
        if not kinds[id(kind)] or spaces.keys().isdisjoint(map(id, referents_of(holder))):
            continue
        if id(attributes := dict_of(holder)) in spaces:
            found[id(attributes)] = holder
            remember_owner(spaces[id(attributes)], holder)
    return found


def _is_of_names(space: dict[Any, Any]) -> bool:
    """Say whether a dict may be that of an instance, and not a module's or a class's, of which there is one each."""
    if "__builtins__" in space or "__spec__" in space:
        return False
    if "__module__" in space and "__wrapped__" not in space and "__origin__" not in space:  # as `typing`'s aliases have
        return False
    first = next(iter(space), None)
    return type(first) is str and first.isidentifier() and not (len(space) == 1 and first in _OF_FUNCTIONS)


class _JudgedClasses:
    """The classes that there are, each judged once: of thousands hardly one is another by the next reload."""

    def __init__(self) -> None:
        self._known: dict[int, OwnReference[type]] = {}
        self._concerned: set[int] = set()

    def concerned(self) -> list[type]:
        """Return the classes whose instances are looked after when their attributes are replaced."""
        living = {id(cls): cls for cls in living_classes()}
        keeping: dict[int, bool] = {}
        for key in self._known.keys() - living.keys():
            self._forget(key)
        for key, cls in living.items():
            if (known := self._known.get(key)) is None or known() is not cls:
                self._forget(key)
                self._known[key] = OwnReference(cls)
                if _is_concerned(cls, keeping):
                    self._concerned.add(key)
        return [living[key] for key in self._concerned]

    def _forget(self, key: int) -> None:
        self._known.pop(key, None)
        self._concerned.discard(key)


_JUDGED = _JudgedClasses()
