"""Stand-ins that outlive the batch that they were made for: the modules take their places in what holds them."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from exocet_ipython.loading.place import Builder, StandIn, place_of
from exocet_ipython.loading.spaces import copy_space

__all__ = ["abandoned_by", "built_by", "settle", "settle_own"]


def built_by(builder: Builder, name: str) -> ModuleType | None:
    """Return what the builder made of a name, or None when it failed or never began."""
    made: dict[str, ModuleType] = getattr(builder, "modules", {})
    return made.get(name)


def abandoned_by(builder: Builder, name: str) -> ModuleType | None:
    """Return the module that failed in the builder, and which others may have taken half-way; None where none did."""
    failed: dict[str, ModuleType] = getattr(builder, "abandoned", {})
    return failed.get(name)


def settle(leaked: list[tuple[StandIn, Builder]]) -> None:
    """Replace stand-ins that outlived their batch in the containers that hold them, found in one look at the heap.

    Whoever else holds one (a tuple, a C structure) keeps an object that goes on answering for the right module.
    """
    if not leaked:
        return
    builders = {id(builder): builder for _, builder in leaked}.values()
    modules = [module for builder in builders for module in getattr(builder, "modules", {}).values()]
    own = {id(vars(module)) for module in modules if type(module) is not StandIn}
    meant: dict[int, tuple[ModuleType | None, ModuleType | None]] = {}  # what each stands for there, and elsewhere
    for standin, builder in leaked:
        place = place_of(standin)
        current = place.final or place.current
        built = place.original or built_by(builder, place.name) or abandoned_by(builder, place.name)
        meant[id(standin)] = built or current, current
    for holder in gc.get_referrers(*(standin for standin, _ in leaked)):
        _settle_in(holder, {key: both[id(holder) not in own] for key, both in meant.items()})


def settle_own(standin: StandIn, builder: Builder) -> None:
    """Replace a stand-in that another thread still builds behind in the globals of this builder's modules."""
    name = place_of(standin).name
    built = built_by(builder, name) or abandoned_by(builder, name)
    modules = getattr(builder, "modules", {}).values()
    for namespace in [vars(module) for module in modules if type(module) is ModuleType]:
        _settle_in(namespace, {id(standin): built})


def _settle_in(holder: Any, meant: Mapping[int, ModuleType | None]) -> None:
    """Put modules in the places of stand-ins in a dict, also as its keys, a list or a set; no order changes."""

    def now(value: Any) -> Any:
        found = meant.get(id(value)) if type(value) is StandIn else None
        return value if found is None else found

    kind = type(holder)
    if kind is dict:
        _settle_in_dict(holder, now)
    elif kind is list:
        for place, value in enumerate(holder.copy()):
            if now(value) is not value:
                holder[place] = now(value)
    elif kind is set:
        for value in [value for value in holder.copy() if now(value) is not value]:
            holder.discard(value)
            holder.add(now(value))


def _settle_in_dict(holder: dict[Any, Any], now: Callable[[Any], Any]) -> None:
    is_late = False  # what comes after a key that is another one has to go behind it
    for key, value in list(copy_space(holder).items()):
        is_late = is_late or now(key) is not key
        if is_late:
            holder[now(key)] = now(holder.pop(key))
        elif now(value) is not value:
            holder[key] = now(value)
