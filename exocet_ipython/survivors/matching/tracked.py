"""How modules are left that are replaced while what lives of them is only tracked, and what they have made.

Classes and functions of theirs are survivors. This is about instances, and functions that calls of others have made: a
compiled pattern, a type variable, what a decorator has made. Nothing in them refers to their module, which may be gone
when the person asks for what lives to move.
"""

from __future__ import annotations

import sys
from collections.abc import Container, Iterable, Iterator, Mapping
from types import ModuleType
from typing import Any

from exocet_ipython.loading.names import is_dunder
from exocet_ipython.loading.references import OwnReference
from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.reloading.holding.contents import attributes_of, fingerprint, is_shared
from exocet_ipython.reloading.holding.held import home_of
from exocet_ipython.reloading.holding.leaving import Leaving
from exocet_ipython.reloading.holding.paths import attribute_at
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.reloading.retired import RetiredModule, retired_of
from exocet_ipython.survivors.carrying.lost import LostValue
from exocet_ipython.survivors.definitions import is_definition
from exocet_ipython.survivors.matching.moved import was_made
from exocet_ipython.survivors.matching.values import inner_values

__all__ = ["leave_tracked", "pass_on"]


def leave_tracked(
    old: Mapping[str, ModuleRecord], modules: Mapping[str, ModuleType], given: Container[int]
) -> list[LostValue]:
    """Note how modules are left that are replaced; return the instances that they have made.

    Args:
        old: dotted name -> record of a module that retires.
        modules: dotted name -> module that is current then.
        given: the ids of what was changed, and of which the successors have all that was put into it.
    """
    for record in old.values():
        if (retired := retired_of(record.module)) is not None:
            retired.leaving = Leaving.of(record, given)
    return [value for name, record in old.items() for value in _values_lost(record, modules.get(name), given)]


def pass_on(
    earlier: Iterable[RetiredModule],
    values: Iterable[LostValue],
    old: Mapping[str, ModuleRecord],
    given: Container[int],
) -> list[LostValue]:
    """Have what modules that retired earlier had given on only count where the next ones give it on as well.

    Args:
        earlier: these modules.
        values: what they had made.
        old: dotted name -> record of a module that retires now.
        given: as `leave_tracked` takes it.

    Returns:
        The values without those that had been changed, and of which what is current now has not all.
    """
    for retired in earlier:
        if retired.leaving is not None and (record := old.get(retired.record.name)) is not None:
            retired.leaving = retired.leaving.passed_on(record, given)
    return [value for value in values if not value.is_given or _is_given_on(value, old, given)]


def _is_given_on(value: LostValue, old: Mapping[str, ModuleRecord], given: Container[int]) -> bool:
    record = old.get(value.module)
    return record is None or id(attribute_at(record.module, value.path)) in given


def _values_lost(record: ModuleRecord, new: ModuleType | None, given: Container[int]) -> Iterator[LostValue]:
    """Yield the instances, and the functions that calls have made, that a module or a class of it has as before."""
    space = copy_space(globals_of(record.module))
    parts = [("", name, value) for name, value in space.items()]
    for owner, value in space.items():
        if issubclass(type(value), type) and owner in record.contents:
            known = record.contents[owner]
            parts += [(f"{owner}.", name, part) for name, part in attributes_of(value) if known.get(name) == id(part)]
    for owner, name, value in parts:
        path = f"{owner}{name}"
        if is_dunder(name) or not type.__getattribute__(type(value), "__weakrefoffset__"):
            continue  # a list, say: nothing may hold it
        if is_shared(value):
            continue
        if is_definition(value) and (home_of(value) == record.name or not was_made(value, sys.modules)):
            continue  # no function of another module has made it
        is_as_left = fingerprint(value) == record.fingerprints.get(path, 0)
        if not (is_as_left or id(value) in given):
            continue
        if (now := attribute_at(new, path)) is not None and now is not value:
            yield LostValue(record.name, path, OwnReference(value), _mark_of(value), not is_as_left, _mark_of)


def _mark_of(value: Any) -> int:
    """Return a number that changes when something is put into an instance, or into what is in it."""
    return hash((fingerprint(value), *map(fingerprint, inner_values([value]))))
