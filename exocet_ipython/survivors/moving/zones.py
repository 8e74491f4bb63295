"""Time zones of retired modules: a datetime keeps for good the one that it has, and nothing shows that it has it."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from exocet_ipython.loading.classes import set_attribute
from exocet_ipython.loading.references import OwnReference
from exocet_ipython.reloading.holding.contents import dict_of
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.retired import retired_class
from exocet_ipython.survivors.rebuilt import MISSING, Replacement, counterpart
from exocet_ipython.survivors.replacing.states import attributes_of_instance, set_class

__all__ = ["renew_zones"]


@dataclass(frozen=True, slots=True)
class _Was:
    """What a time zone was while it was current; it refers to that itself, as what counts references expects."""

    zone: tzinfo
    kind: type
    attributes: Mapping[str, Any]

    def __call__(self, journal: Journal) -> None:
        _become(self.zone, self.kind, self.attributes, journal)


# Zones that were given what another one has, each with that: both may retire again, and go on as one.
_stand_ins: list[tuple[OwnReference[tzinfo], OwnReference[tzinfo]]] = []


def renew_zones(held: Iterable[Any], replacement: Replacement, journal: Journal) -> None:
    """Have the time zones that something still has answer as those that took their place.

    Args:
        held: what something outside of the retired side holds.
        replacement: id of a retired object -> the object and its counterpart.
        journal: how it is taken back.
    """
    living = [pair for pair in _stand_ins if pair[0]() is not None and pair[1]() is not None]
    retiring = [(zone, counterpart(zone, replacement)) for zone in held if issubclass(type(zone), tzinfo)]
    retiring += [(zone(), counterpart(model(), replacement)) for zone, model in living]
    for zone, now in retiring:
        before = type(zone)
        retired = None if now is MISSING else retired_class(before)
        if retired is None or type(now) is not counterpart(before, replacement):
            continue
        attributes = dict(attributes_of_instance(zone))
        try:
            living.append((OwnReference(zone), OwnReference(now)))
            _become(zone, type(now), dict(attributes_of_instance(now)), journal)
        except TypeError:
            continue  # laid out otherwise, or without weak references: for what has it for good it stays what it was
        retired.remember_effect(_Was(zone, before, attributes))
    _stand_ins[:] = {id(zone()): (zone, model) for zone, model in living}.values()


def _become(zone: tzinfo, kind: type, attributes: Mapping[str, Any], journal: Journal) -> None:
    before, had = type(zone), dict(attributes_of_instance(zone))
    set_class(zone, kind)
    journal.add(functools.partial(_become, zone, before, had, Journal()))
    for name, value in attributes.items():
        set_attribute(zone, name, value)
    space = dict_of(zone) or {}
    for name in space.keys() - attributes.keys():
        del space[name]
