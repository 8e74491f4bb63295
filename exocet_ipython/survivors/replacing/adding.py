"""What an instance gets that its class's new constructor gives to new ones."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from exocet_ipython.loading.classes import mro_of, set_attribute
from exocet_ipython.reloading.holding.contents import dict_of
from exocet_ipython.survivors.replacing.libraries import lacks
from exocet_ipython.survivors.storing.constructing.arguments import Remade, is_covered
from exocet_ipython.survivors.storing.constructing.constructors import Maker

__all__ = ["Additions", "add_attributes"]

_missing = object()


@dataclass(frozen=True, slots=True)
class Additions:
    """The attributes that the new constructor of a class gives to new instances: looked up once for all that move.

    Attributes:
        makers: the name of each attribute, with its maker.
        covered: those of which a property or a descriptor of the class decides what setting them does.

    >>> additions = Additions.of(dict, {"seen": set})
    >>> bool(additions), additions.said_itself().makers, bool(Additions.of(dict, {}))
    (True, {'seen': <class 'set'>}, False)
    """

    makers: Mapping[str, Maker]
    covered: frozenset[str]

    @classmethod
    def of(cls, kind: type, makers: Mapping[str, Maker]) -> Additions:
        """Look up what a class does with attributes."""
        return cls(makers, frozenset(name for name in makers if is_covered(name, mro_of(kind))))

    def __bool__(self) -> bool:
        return bool(self.makers)

    def said_itself(self) -> Additions:
        """Return those that the constructor makes of nothing that an instance has; a hook may need what is left."""
        said = {name: make for name, make in self.makers.items() if not isinstance(make, Remade)}
        return Additions(said, self.covered)


def add_attributes(instance: Any, additions: Additions, old: Any) -> None:
    """Give an instance attributes that it lacks, and take off those that have another name by now.

    Args:
        instance: it.
        additions: what it may get.
        old: what the makers are given: the instance, or that in whose place it is.
    """
    needed = {name: make for name, make in additions.makers.items() if _needs(instance, name, old, additions.covered)}
    later = {name: make for name, make in needed.items() if isinstance(make, Remade) and make.asks_itself}
    news = {name: value for name in needed if name not in later and (value := _made(needed[name], old)) is not _missing}
    former = {name: made.former for name in news if isinstance(made := needed[name], Remade) and made.former}
    if former:
        _set_in_place(instance, news, former)
    else:
        for name, value in news.items():
            set_attribute(instance, name, value)
    for name, make in later.items():
        value = _made(make, instance)
        if value is not _missing:
            set_attribute(instance, name, value)


def _set_in_place(instance: Any, news: Mapping[str, Any], former: Mapping[str, frozenset[str]]) -> None:
    """Set attributes, some where those stood that had former names, which are taken off."""
    space = dict_of(instance) or {}
    before = list(space)
    for name in frozenset[str]().union(*former.values()):
        space.pop(name, None)
    placed: dict[str, list[str]] = {}  # former name -> what has come into the dict in its place
    for name, value in news.items():
        known = {*space}
        set_attribute(instance, name, value)
        place = next((one for one in before if one in former.get(name, ())), "")
        placed.setdefault(place, []).extend(one for one in space if one not in known)
    _order(space, before, placed)


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


def _needs(instance: Any, name: str, old: Any, covered: Container[str]) -> bool:
    """Say whether an instance lacks an attribute, or has it where a property or descriptor of now doesn't look."""
    if name not in covered:
        return lacks(instance, name)
    try:
        return name in (dict_of(old) or {}) or lacks(instance, name)
    except Exception:  # noqa: BLE001 - whatever a person's descriptor raises that finds nothing
        return True
