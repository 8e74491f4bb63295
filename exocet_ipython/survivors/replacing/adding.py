"""What an instance gets that its class's new constructor gives to new ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from exocet_ipython.loading.classes import mro_of, set_attribute
from exocet_ipython.reloading.holding.contents import dict_of
from exocet_ipython.survivors.replacing.libraries import lacks
from exocet_ipython.survivors.storing.constructing.arguments import Remade, is_covered
from exocet_ipython.survivors.storing.constructing.constructors import Maker

__all__ = ["add_attributes", "said_of"]

_missing = object()


def add_attributes(instance: Any, added: Mapping[str, Maker], old: Any) -> None:
    """Give an instance attributes that it lacks, and take off those that have another name by now.

    Args:
        instance: it.
        added: the name of each attribute, with its maker.
        old: what the makers are given: the instance, or that in whose place it is.
    """
    needed = {name: make for name, make in added.items() if _needs(instance, name, old)}
    later = {name: make for name, make in needed.items() if isinstance(make, Remade) and make.asks_itself}
    news = {name: value for name in needed if name not in later and (value := _made(needed[name], old)) is not _missing}
    former: dict[str, frozenset[str]] = {name: getattr(needed[name], "former", frozenset()) for name in news}
    space = dict_of(instance) or {}
    before = list(space)
    for name in frozenset[str]().union(*former.values()):
        space.pop(name, None)
    placed: dict[str, list[str]] = {}  # former name -> what has come into the dict in its place
    for name, value in news.items():
        known = {*space}
        set_attribute(instance, name, value)
        place = next((one for one in before if one in former[name]), "")
        placed.setdefault(place, []).extend(one for one in space if one not in known)
    if any(former.values()):
        _order(space, before, placed)
    for name, make in later.items():
        value = _made(make, instance)
        if value is not _missing:
            set_attribute(instance, name, value)


def said_of(added: Mapping[str, Maker]) -> dict[str, Maker]:
    """Return the attributes that a constructor makes of nothing that an instance has; a hook may need what is left.

    >>> said_of({"rate": Remade.renamed("lr", ()), "seen": set})
    {'seen': <class 'set'>}
    """
    return {name: make for name, make in added.items() if not isinstance(make, Remade)}


def _order(space: dict[str, Any], before: Iterable[str], placed: Mapping[str, Iterable[str]]) -> None:
    """Have attributes stand where those stood that had their place before, as if the constructor had set them."""
    for former in [*before, ""]:
        for name in (former, *placed.get(former, ())):
            if name in space:
                space[name] = space.pop(name)


def _made(make: Maker, old: Any) -> Any:
    """Return what a maker makes of an instance, or that it is missing: it may not show what it was given."""
    try:
        return make(old)
    except Exception:  # a person's code may refuse that as well
        if isinstance(make, Remade):
            return _missing
        raise


def _needs(instance: Any, name: str, old: Any) -> bool:
    """Say whether an instance lacks an attribute, or has it where a property or descriptor of now doesn't look."""
    if not is_covered(name, mro_of(type(instance))):
        return lacks(instance, name)
    try:
        return name in (dict_of(old) or {}) or lacks(instance, name)
    except Exception:  # noqa: BLE001 - whatever a person's descriptor raises that finds nothing
        return True
