"""Attributes of libraries' classes that a retired body had registered, under names that the new text doesn't have.

`@pd.api.extensions.register_dataframe_accessor("geo")` gives pandas' class an attribute that leads to a class of the
module. When an edit renames it or takes it out, a restart has none of the old name.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

from exocet_ipython.loading.classes import delete_attribute, module_said_by, set_attribute
from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.reloading.building.registries import literals_of
from exocet_ipython.reloading.holding.contents import attributes_of
from exocet_ipython.reloading.holding.held import CELLS, home_of
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.reloading.retired import retired_of
from exocet_ipython.survivors.classes import living_classes, own_attributes
from exocet_ipython.survivors.definitions import is_definition

__all__ = ["withdraw_accessors"]


def withdraw_accessors(old: Mapping[str, ModuleRecord], new: Mapping[str, ModuleRecord], journal: Journal) -> None:
    """Take such attributes off the classes of libraries, and their names out of the sets that these classes have.

    Args:
        old: dotted name -> record of a module that retires.
        new: dotted name -> record of each module that is current now.
        journal: how it is taken back.
    """
    dropped = {name: found for name, record in old.items() if (found := _dropped(record, new.get(name)))}
    if not dropped:
        return
    names = frozenset[str]().union(*dropped.values())
    owners = [
        (cls, shared)
        for cls in living_classes()
        if (shared := names & type.__getattribute__(cls, "__dict__").keys())
        and module_said_by(cls) not in (*new, CELLS)
    ]
    for name, gone in dropped.items() if owners else ():
        record = old[name]
        values = copy_space(globals_of(record.module)).values()
        own = {id(value) for value in values if is_definition(value) and home_of(value) == name}
        for cls, shared in owners:
            for attribute in sorted(shared & gone):
                value = copy_space(vars(cls))[attribute]
                if any(id(part) in own for part in (value, *own_attributes(value).values())):
                    _withdraw(cls, attribute, value, record, journal)


def _dropped(record: ModuleRecord, successor: ModuleRecord | None) -> frozenset[str]:
    """Return the names that a body has registered something under, as its text shows, and that the new one lacks."""
    if successor is not None and successor.code is record.code:
        return frozenset()
    text = (record.snapshot.data or b"").decode(errors="replace")
    lines = [line for line in text.splitlines() if ("@" in line or "register" in line) and ('"' in line or "'" in line)]
    if not lines:
        return frozenset()
    names = literals_of(record.readable_code) - literals_of(successor.readable_code if successor is not None else None)
    return frozenset(name for name in names if name.isidentifier() and any(name in line for line in lines))


def _withdraw(cls: type, name: str, value: Any, record: ModuleRecord, journal: Journal) -> None:
    listing = [part for _, part in attributes_of(cls) if type(part) is set and name in part]  # for `dir()`
    _take(cls, name, listing)
    journal.add(partial(_give, cls, name, value, listing))
    if (retired := retired_of(record.module)) is not None:
        retired.remember_effect(partial(_give_again, cls, name, value, listing))


def _take(cls: type, name: str, listing: Collection[set[str]]) -> None:
    delete_attribute(cls, name)
    for names in listing:
        names.discard(name)


def _give(cls: type, name: str, value: Any, listing: Collection[set[str]]) -> None:
    set_attribute(cls, name, value)
    for names in listing:
        names.add(name)


def _give_again(cls: type, name: str, value: Any, listing: Collection[set[str]], journal: Journal) -> None:
    if name not in vars(cls):
        _give(cls, name, value, listing)
        journal.add(partial(_take, cls, name, listing))
