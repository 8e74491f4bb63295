"""Carrying over from all modules that retire in one publish."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from types import MappingProxyType, ModuleType
from typing import Any

from exocet_ipython.loading.classes import mro_of
from exocet_ipython.loading.names import is_dunder
from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.reloading.holding.held import home_of
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.survivors.carrying.carrier import Carrier
from exocet_ipython.survivors.carrying.chance import keep_chances
from exocet_ipython.survivors.carrying.deletions import delete_again
from exocet_ipython.survivors.carrying.going_on import find_alone
from exocet_ipython.survivors.carrying.library_state import write_again
from exocet_ipython.survivors.definitions import is_definition
from exocet_ipython.survivors.former import under_old_names
from exocet_ipython.survivors.refusals import Refusals
from exocet_ipython.survivors.storing.readings import ReadStores

__all__ = ["carry_over"]


def carry_over(  # noqa: PLR0913 - what retires, what takes its place, and what is known of both
    old: Mapping[str, ModuleRecord],
    new: Mapping[str, ModuleType],
    read: ReadStores,
    journal: Journal,
    *,
    refusals: Refusals,
    again: Mapping[str, ModuleRecord] = MappingProxyType({}),
) -> frozenset[int]:
    """Bring what cells put into retiring modules into the new ones.

    Args:
        old: dotted name -> record of a module that retires.
        new: dotted name -> the module that takes its place; only these are written.
        read: what the functions of the session's modules store, and what cells have assigned there.
        journal: how each write is taken back.
        refusals: what is noted of what libraries refuse.
        again: dotted name -> record of those that become current again, and have values of their own.

    Returns:
        The ids of the containers and instances whose successors have all that was put into them: these are whole.
    """
    whole: set[int] = set()
    retiring = read.retiring({name: _under_old_names(new.get(name), read.renamed_in(name)) for name in old})
    spaces = {name: globals_of(module) for name, module in new.items()}
    alone = {
        one for name in old.keys() & new.keys() for one in find_alone(old[name].contents, spaces[name], spaces.values())
    }
    for name, record in old.items():
        paths, space = read.assigned_in(name), globals_of(record.module)
        if (module := new.get(name)) is not None:
            carrier = Carrier(record, retiring, journal, again.get(name))
            whole |= carrier.carry(module, alone=alone)
            if heirs := _find_heirs(record, module, read.renamed_in(name)):
                aside = ModuleType(name)
                vars(aside).update(heirs)
                whole |= carrier.carry(aside, heirs)
            keep_chances(record, module, retiring, journal)
            write_again(name, paths, space, globals_of(module), refusals)
            delete_again(record, module, journal)
        for home, names in _find_moved(record, old, new, read.renamed_in(name)):
            there = {**retiring.after, name: new[home]}
            whole |= Carrier(record, read.retiring(there), journal, again.get(home)).carry(new[home], names)
            write_again(name, paths, {one: space[one] for one in names}, globals_of(new[home]), refusals)
    return frozenset(whole)


def _under_old_names(module: ModuleType | None, renamed: Mapping[str, str]) -> ModuleType | None:
    """Return a module, or another that has what it has under the names of before."""
    if module is None or not renamed:
        return module
    aside = ModuleType(module.__name__)
    vars(aside).update(under_old_names(globals_of(module), renamed))
    return aside


def _find_heirs(record: ModuleRecord, module: ModuleType, renamed: Container[str]) -> dict[str, Any]:
    """Return the classes of a module that are gone, by name, each with what the one that derived from it is now.

    Such a base may have been folded into it; of several each would have a part.
    """
    space, now = copy_space(globals_of(record.module)), globals_of(module)
    gone = [name for name in space.keys() - now.keys() if name not in renamed]  # hardly ever any
    gone = [name for name in gone if _is_own_class(space[name], record.name)]
    classes = {name: part for name, part in space.items() if _is_own_class(part, record.name)} if gone else {}
    found = {}
    for name in gone:
        base = classes[name]
        heirs = [key for key, cls in classes.items() if cls is not base and any(one is base for one in mro_of(cls))]
        if len(heirs) == 1 and issubclass(type(heir := now.get(heirs[0])), type):
            found[name] = heir
    return found


def _is_own_class(value: Any, home: str) -> bool:
    return issubclass(type(value), type) and home_of(value) == home


def _find_moved(
    record: ModuleRecord, old: Mapping[str, ModuleRecord], new: Mapping[str, ModuleType], renamed: Mapping[str, str]
) -> Iterator[tuple[str, list[str]]]:
    """Yield the modules to which functions and classes of a module have moved with what they use, and its names.

    Args:
        record: of the module that retires.
        old: dotted name -> record of a module that retires.
        new: dotted name -> the module that takes its place.
        renamed: the names for which there are others now, each with that one.
    """
    space = copy_space(globals_of(record.module))
    gone = space.keys() - under_old_names(globals_of(new.get(record.name)), renamed).keys()
    gone = {name for name in gone if not (is_dunder(name) or issubclass(type(space[name]), ModuleType))}
    own = [name for name, value in space.items() if _is_own(value, record.name)] if gone else []
    gone = {name for name in gone if name in own or not is_definition(space[name])}
    for home, module in new.items() if own and gone else ():
        there = under_old_names(globals_of(module), renamed)
        before = globals_of(old[home].module) if home in old else {}
        moved = (name for name in own if _is_own(there.get(name), home) and not _is_own(before.get(name), home))
        names = [name for name in gone if name in there and name not in before]
        if home != record.name and names and any(moved):
            yield home, names
            gone.difference_update(names)  # a module that imports them from there is made after it


def _is_own(value: Any, home: str) -> bool:
    return is_definition(value) and home_of(value) == home
