"""Modules that become current again: given back as they were, and put where what retires now had put itself."""

from __future__ import annotations

from collections.abc import Mapping

from exocet_ipython.reloading.generation import Journal
from exocet_ipython.reloading.kept import kept_values
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.reloading.registries import containers_of
from exocet_ipython.reloading.retired import retired_module
from exocet_ipython.survivors.holders import replace_references
from exocet_ipython.survivors.pairs import pair_modules

__all__ = ["give_back", "register_again"]


def give_back(
    old: Mapping[str, ModuleRecord],
    made: Mapping[str, ModuleRecord],
    after: Mapping[str, ModuleRecord],
    journal: Journal,
) -> bool:
    """Give retired modules back as they were when they were current; say whether their survivors had been moved.

    Where they had been, they have to be moved back: their instances are of the classes that retire now.

    Args:
        old: dotted name -> record of a module that retires.
        made: dotted name -> record of a module that becomes current again.
        after: the records of all modules that are current then.
        journal: how it is taken back.
    """
    migrated = False
    for name, record in made.items():
        retired = retired_module(vars(record.module))
        if retired is not None:
            migrated |= retired.migrated
            retired.give_back(journal)
        if name in old:
            for attribute, value in kept_values(old[name].module, record.module).items():
                journal.set_attribute(record.module, attribute, value)
    for name, record in after.items():
        parent, _, child = name.rpartition(".")
        if parent in made and name not in made and vars(made[parent].module).get(child) is not record.module:
            journal.set_attribute(made[parent].module, child, record.module)  # it was loaded since
    return migrated


def register_again(
    old: Mapping[str, ModuleRecord],
    made: Mapping[str, ModuleRecord],
    after: Mapping[str, ModuleRecord],
    journal: Journal,
) -> None:
    """Put what comes back where what retires had registered itself: into the containers of modules that go on.

    A body that runs does that itself; these don't run.

    Args:
        old: dotted name -> record of a module that retires.
        made: dotted name -> record of a module that becomes current again.
        after: the records of all modules that are current then.
        journal: how it is taken back.
    """
    modules = {name: record.module for name, record in after.items()}
    pairs = pair_modules(old, modules)
    holders = [container for name, record in after.items() if name not in made for container in containers_of(record)]
    replace_references(pairs.objects, pairs.own, holders, journal)
