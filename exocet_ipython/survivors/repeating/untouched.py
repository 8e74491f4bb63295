"""Containers that an edit left as they were, which take whole what cells made of the old ones."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from functools import partial
from types import ModuleType
from typing import Any

from exocet_ipython.reloading.holding.contents import ATOM_IDS, refill
from exocet_ipython.reloading.holding.entries import place_of
from exocet_ipython.reloading.holding.held import home_of
from exocet_ipython.reloading.holding.items import count_of
from exocet_ipython.reloading.holding.parts import ids_in_order
from exocet_ipython.reloading.holding.paths import attribute_at
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.survivors.definitions import is_definition
from exocet_ipython.survivors.repeating.entries import entries, is_map

__all__ = [
    "begins_filled_alike",
    "is_alike",
    "is_as_it_was",
    "is_filled_alike",
    "is_refillable",
    "take_whole",
]

_KINDS = frozenset(map(id, (dict, list, set, deque)))


def take_whole(
    before: Any, now: Any, baseline: Mapping[Any, int], constants: Mapping[int, Any], journal: Journal
) -> bool:
    """Give a new container the content of an old one, in its order and without what was deleted; say whether that was.

    Only where the new body has filled it as the old one did, with the same constants; these are the new text's own, as
    its baseline has them.

    Args:
        before: the container of the retired module.
        now: that of the new one, which nobody sees yet.
        baseline: what the first one held when its body had run, by identity.
        constants: of what ran then, by their ids.
        journal: how it is taken back.

    >>> from exocet_ipython.reloading.holding.parts import parts_of
    >>> old, new = ["b", "mine"], ["a", "b"]
    >>> take_whole(old, new, parts_of(["a", "b"]), {}, Journal()), new
    (True, ['b', 'mine'])
    """
    renewed = _renewed(now, baseline, constants)
    if renewed is None:
        return False
    journal.add(partial(refill, now, dict(now) if is_map(now) else now.copy()))
    items = [tuple(renewed.get(id(part), part) for part in entry) for entry in entries(before)]
    refill(now, dict(items) if is_map(now) else [item for item, _ in items])
    return True


def is_filled_alike(now: Any, baseline: Mapping[Any, int], constants: Mapping[int, Any]) -> bool:
    """Say whether a new container is filled with what the old one held when its body had run.

    >>> is_filled_alike(["a"], {id("a"): 0}, {}), is_filled_alike(["b"], {id("a"): 0}, {}), is_filled_alike("a", {}, {})
    (True, False, False)
    """
    return _renewed(now, baseline, constants) is not None


def begins_filled_alike(
    path: str, now: Any, contents: Mapping[str, Mapping[Any, int]], constants: Mapping[int, Any]
) -> bool:
    """Say the same of a container, and of those in it.

    Args:
        path: of the container in its module.
        now: that of the new one.
        contents: path -> what the old one held when its body had run, by identity.
        constants: of the old body, by their ids.

    >>> rows = {"b": {7: -1}, "b[0]": {id("a"): -1}}
    >>> [begins_filled_alike("b", now, rows, {}) for now in ([["a"]], [["b"]], [["a"], []], ["a"])]
    [True, False, False, False]
    """
    pairs = _with_ids(now, contents[path]) if path in contents else None
    if pairs is None:
        return False
    for place, (entry, ids) in enumerate(pairs):
        inner = f"{path}{place_of(entry[0] if is_map(now) else place)}"
        for part, was in zip(entry, ids, strict=True):
            if was and not (
                is_as_it_was(part, was, constants) or begins_filled_alike(inner, part, contents, constants)
            ):
                return False
    return True


def is_alike(before: Any, now: Any, after: Mapping[str, ModuleType | None]) -> bool:
    """Say whether a new container has what an old one has, in its order, so that who takes it instead loses nothing.

    Args:
        before: what a retired module has.
        now: what is in its place.
        after: dotted name -> what takes the place of a module that retires.

    >>> is_alike([1, {"a": [len]}], [1, {"a": [len]}], {}), is_alike([1, 2], [2, 1], {})
    (True, False)
    """
    kind = type(before)
    if before is now or kind is not type(now) or id(kind) in ATOM_IDS:
        return before is now or (kind is type(now) and bool(before == now))
    if is_definition(before):
        home = after.get(home_of(before))
        return home is not None and attribute_at(home, before.__qualname__) is now
    if not (is_refillable(kind) or kind is tuple) or count_of(before) != count_of(now):
        return False
    if kind is set:
        return bool(before == now)
    pairs = zip(entries(before), entries(now), strict=True)
    return all(is_alike(part, other, after) for had, has in pairs for part, other in zip(had, has, strict=True))


def _renewed(now: Any, baseline: Mapping[Any, int], constants: Mapping[int, Any]) -> dict[int, Any] | None:
    """Return what a new container has in the place of what an old one held; None where it is filled otherwise."""
    pairs = _with_ids(now, baseline)
    if pairs is None:
        return None
    renewed: dict[int, Any] = {}
    for entry, ids in pairs:
        if not all(is_as_it_was(part, was, constants) for part, was in zip(entry, ids, strict=True) if was):
            return None
        renewed |= {was: part for part, was in zip(entry, ids, strict=True) if was}
    return renewed


def _with_ids(now: Any, baseline: Mapping[Any, int]) -> list[tuple[tuple[Any, Any], tuple[int, int]]] | None:
    """Return the entries of a new container with the ids of what the old one held; None where it held more or less."""
    if not is_refillable(type(now)):
        return None
    content = list(entries(now))
    then = list(baseline.items()) if is_map(now) else [(was, 0) for was in ids_in_order(baseline) or baseline]
    return list(zip(content, then, strict=True)) if len(content) == len(then) else None


def is_as_it_was(value: Any, was: int, constants: Mapping[int, Any]) -> bool:
    """Say whether a value is what had an id, or the constant that the text has now in its place.

    >>> constants = {1: "a"}
    >>> is_as_it_was("a", 1, constants), is_as_it_was("b", 1, constants)
    (True, False)
    """
    if id(value) == was:
        return True
    is_atom = was in constants and type(constants[was]) is type(value) and id(type(value)) in ATOM_IDS
    return is_atom and bool(constants[was] == value)


def is_refillable(kind: type) -> bool:
    """Say whether containers of a type are Python's own that hold what is in them, or maps that derive from these."""
    return id(kind) in _KINDS or issubclass(kind, dict)
