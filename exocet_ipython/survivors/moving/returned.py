"""Modules that become current again: given back as they were, and put where what retires now had put itself."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from types import FunctionType, ModuleType
from typing import Any

from exocet_ipython.loading.references import OwnReference
from exocet_ipython.reloading.building.build import Built, Surroundings, build_lowest
from exocet_ipython.reloading.building.kept import kept_values
from exocet_ipython.reloading.building.packages import gives_another
from exocet_ipython.reloading.building.plan import Plan
from exocet_ipython.reloading.building.registries import container_at, containers_of
from exocet_ipython.reloading.generation import Generation
from exocet_ipython.reloading.holding.held import definitions_shown
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.ladder.revision import put_back
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.reloading.retired import RetiredModule, retired_class, retired_module, retired_of
from exocet_ipython.survivors.matching.pairs import pair_modules
from exocet_ipython.survivors.matching.succession import Succession
from exocet_ipython.survivors.repeating.entries import entries, put_into, take_out
from exocet_ipython.survivors.replacing.references import replace_references

__all__ = ["build_rest", "give_back", "register_again", "unregister"]


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
    migrated, before = False, {**after, **old}
    for name, record in made.items():
        retired = retired_of(record.module)
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
        package = made[parent].module
        space = vars(package)
        if child in space:
            is_missing = space[child] is not record.module and issubclass(type(space[child]), ModuleType)
        else:
            is_missing = not gives_another(package, child, before)
        if is_missing:  # it was loaded or made anew since, or was taken away from the package while that was current
            journal.attach(package, child, record.module)
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
    again = {name: record for name, record in old.items() if name in made}
    pairs = pair_modules(Succession(again, modules, records=after))
    holders = [
        container for name, record in after.items() if name not in made for _, container in containers_of(record)
    ]
    replace_references(pairs.objects, pairs.own, holders, journal)


def unregister(after: Mapping[str, ModuleRecord], journal: Journal) -> None:
    """Take out of the containers of what comes back, or goes on, what modules have put there that are not current.

    These are later versions, or versions of modules that what comes back did not have. One that comes back itself some
    day puts it there again.

    Args:
        after: the records of all modules that are current when others come back.
        journal: how it is taken back.
    """
    for record in after.values():
        for path, container in containers_of(record) if record.given else ():
            for key, value in list(entries(container)):
                put = [part for part in (key, value) if record.given.get(id(part))]
                retired = next((home for part in put if (home := _retired_home(part)) is not None), None)
                if retired is not None:
                    take_out(container, key, journal)
                    retired.remember_effect(partial(_put_again, OwnReference(record.module), path, key, value))
        if record.given:
            record.look_again()


def _put_again(module: Callable[[], ModuleType | None], path: str, key: Any, value: Any, journal: Journal) -> None:
    if (container := container_at(module(), path)) is not None:
        put_into(container, key, value, journal)


def _retired_home(value: Any) -> RetiredModule | None:
    """Return what is remembered of the retired module that a value shows to come from; None for one of current ones."""
    for definition in definitions_shown(value):
        is_function = type(definition) is FunctionType
        found = retired_module(definition.__globals__) if is_function else retired_class(definition)
        if found is not None:
            return found
    return None
