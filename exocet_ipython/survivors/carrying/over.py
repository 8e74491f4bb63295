"""Carrying over from all modules that retire in one publish."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import ModuleType

from exocet_ipython.reloading.generation import Journal
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.survivors.carrying.carrier import Carrier
from exocet_ipython.survivors.storing.readings import ReadStores

__all__ = ["carry_over"]


def carry_over(
    old: Mapping[str, ModuleRecord],
    new: Mapping[str, ModuleType],
    read: ReadStores,
    journal: Journal,
    *,
    returned: Collection[str] = (),
) -> frozenset[int]:
    """Bring what cells put into retiring modules into the new ones.

    Args:
        old: dotted name -> record of a module that retires.
        new: dotted name -> the module that takes its place; only these are written.
        read: what the functions of the session's modules store, and what cells have assigned there.
        journal: how each write is taken back.
        returned: the names of those that become current again, and have values of their own.

    Returns:
        The ids of the containers and instances whose successors have all that was put into them: these are whole.
    """
    whole: set[int] = set()
    after = {name: new.get(name) for name in old}
    for name, record in old.items():
        if (module := new.get(name)) is not None:
            whole |= Carrier(record, read, after, journal, returned=name in returned).carry(module)
    return frozenset(whole)
