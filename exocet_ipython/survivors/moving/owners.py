"""Whose attributes a dict among holders has: the instances that are to be noted before one of them is replaced.

What refers to an attribute is the instance, until Python has made a dict of its attributes: somebody has looked at
`vars(instance)`. From then on it is the dict (3.13 gives both), and nothing leads from there to the instance.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable
from types import FunctionType
from typing import Any
from weakref import WeakValueDictionary

from exocet_ipython.loading.classes import mro_of
from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.reloading.collector import referrers_of
from exocet_ipython.reloading.contents import dict_of
from exocet_ipython.survivors.classes import living_classes
from exocet_ipython.survivors.moving.libraries import is_adapter
from exocet_ipython.survivors.moving.rehashing import hashes_itself

__all__ = ["find_owners", "remember_owner"]

# The id of a dict of attributes -> the instance: what has been found needs no pass over the heap again.
_known: WeakValueDictionary[int, Any] = WeakValueDictionary()


def remember_owner(attributes: dict[Any, Any], instance: Any) -> None:
    """Note whose attributes a dict has that Python has made of them just now."""
    with contextlib.suppress(TypeError):  # one that can't be referred to weakly
        _known[id(attributes)] = instance


def find_owners(holders: Collection[Any], own: Collection[int]) -> dict[int, Any]:
    """Return the instances that hash themselves, and adapters, by the ids of the dicts of their attributes.

    Args:
        holders: what holds what is replaced; the dicts among them are looked at.
        own: ids of those to leave alone.
    """
    spaces = {id(one): one for one in holders if type(one) is dict and id(one) not in own and _is_of_names(one)}
    found = {key: owner for key in spaces if (owner := _known.get(key)) is not None and dict_of(owner) is spaces[key]}
    if spaces.keys() - found.keys():
        found |= _owners_among(holders, spaces)
    left = [space for key, space in spaces.items() if key not in found]
    if left and (left := _may_be_attributes(left)):  # another pass over the heap
        found |= _owners_among(referrers_of(left), spaces)
    return found


def _may_be_attributes(spaces: list[dict[Any, Any]]) -> list[dict[Any, Any]]:
    """Return those that have only names which a class that is concerned gives attributes: others are plain dicts."""
    lines = [mro_of(cls)[:-1] for cls in living_classes() if is_adapter(cls) or hashes_itself(cls)]
    bases = {id(base): base for line in lines for base in line}  # many classes have the same
    known = {key: _attributes_named_by(base) for key, base in bases.items()}
    names = [[known[id(base)] for base in line] for line in lines]
    return [space for space in spaces if any(all(any(key in one for one in line) for key in space) for line in names)]


def _attributes_named_by(cls: type) -> set[str]:
    space = copy_space(type.__getattribute__(cls, "__dict__"))
    annotations = space.get("__annotations__")
    names = set(annotations if type(annotations) is dict else ())
    return names.union(*(part.__code__.co_names for part in space.values() if type(part) is FunctionType))


def _owners_among(holders: Iterable[Any], spaces: dict[int, Any]) -> dict[int, Any]:
    kinds: dict[int, bool] = {}  # few classes may have a million instances
    found = {}
    for holder in holders:
        kind = type(holder)
        if id(kind) not in kinds:
            kinds[id(kind)] = is_adapter(kind) or hashes_itself(kind)
        if kinds[id(kind)] and id(attributes := dict_of(holder)) in spaces:
            found[id(attributes)] = holder
            remember_owner(spaces[id(attributes)], holder)
    return found


def _is_of_names(space: dict[Any, Any]) -> bool:
    """Say whether a dict may be that of an instance, and not a module's or a class's, of which there is one each."""
    if "__builtins__" in space or "__spec__" in space or ("__module__" in space and "__wrapped__" not in space):
        return False
    first = next(iter(space), None)
    return type(first) is str and first.isidentifier()
