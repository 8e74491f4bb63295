"""Modules that become current again: given back as they were, and put where what retires now had put itself."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import ModuleType

from exocet_ipython.reloading.building.build import Built, Surroundings, build_lowest
from exocet_ipython.reloading.building.kept import kept_values
from exocet_ipython.reloading.building.plan import Plan
from exocet_ipython.reloading.building.registries import containers_of
from exocet_ipython.reloading.generation import Generation, Journal
from exocet_ipython.reloading.ladder.revision import put_back
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.reloading.retired import retired_module
from exocet_ipython.survivors.matching.pairs import pair_modules
from exocet_ipython.survivors.moving.holders import replace_references

__all__ = ["build_rest", "give_back", "register_again"]


def build_rest(built: Built, around: Surroundings) -> tuple[Plan, Built]:
    """Make what is left to make beside modules that return, which are as they were meanwhile; see `build_lowest`.

    One whose registries are filled by that, or whose state is in its way, is made with it and does not return.
    """
    returned = {name: record.module for name, record in built.again.items()}
    beside = replace(around, current=around.current.adopting(built.again), returned=returned)
    with _lent(built, around.current):
        plan, rest = build_lowest(built.rest, beside)
    again = built.returned - rest.made.keys() - rest.gone
    made = {name: built.made[name] for name in again} | {**rest.made}
    revised = tuple(one for one in built.revised if one.record.name in again)
    return plan, replace(rest, made=made, returned=again, revised=revised)


@contextlib.contextmanager
def _lent(built: Built, current: Generation) -> Iterator[None]:
    """Have modules that return be as they were when they were current, for the block; an error in it changes none."""
    old = {name: current.records[name] for name in built.returned & current.records.keys()}
    spaces = [vars(record.module) for record in built.again.values()]
    before = [dict(space) for space in spaces]
    journal = Journal()
    try:
        give_back(old, built.again, {**current.records, **built.again}, journal)
        put_back(built.revised, journal)
        yield
    except BaseException:
        journal.undo()
        for space, had in zip(spaces, before, strict=True):
            for name in space.keys() - had.keys():
                del space[name]
            space.update(had)
        raise
    journal.undo()


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
        if parent not in made:
            continue
        space = vars(made[parent].module)
        # It was loaded or made anew since, or was taken away from the package while that was current.
        if child not in space or (space[child] is not record.module and issubclass(type(space[child]), ModuleType)):
            journal.set_attribute(made[parent].module, child, record.module)
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
    pairs = pair_modules({name: record for name, record in old.items() if name in made}, modules)
    holders = [container for name, record in after.items() if name not in made for container in containers_of(record)]
    replace_references(pairs.objects, pairs.own, holders, journal)
