"""Functions that a cell has put something else in front of: it may have kept them, to call them from what it put there.

Their module and their class don't have them any more, so that they are found by their globals.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from types import FunctionType

from exocet_ipython.reloading.collector import referrers_of
from exocet_ipython.reloading.holding.contents import dict_of
from exocet_ipython.reloading.holding.paths import owner_of, value_at
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.reloading.retired import functions_in
from exocet_ipython.survivors.matching.succession import Succession

__all__ = ["covered_functions"]


def covered_functions(succession: Succession) -> list[tuple[FunctionType, FunctionType]]:
    """Return the functions of retired modules that were replaced there, each with what the new module defines.

    That is replaced in turn when this is called, and still held by what takes it back. Nearly always there are none,
    and the heap is not looked at.
    """
    old, new = succession.old, succession.new
    covered = {name: paths for name, record in old.items() if name in new and (paths := dict(_covered(record)))}
    if not covered:
        return []
    spaces = {name: (dict_of(old[name].module) or {}, dict_of(new[name]) or {}) for name in covered}
    both = [space for pair in spaces.values() for space in pair]
    functions = [found for found in referrers_of(both) if type(found) is FunctionType]
    functions.sort(key=lambda function: function.__code__.co_firstlineno)
    places = {id(function): function for function in functions}
    known = defaultdict[tuple[int, str], list[FunctionType]](list)  # a property has several of one name
    for function in functions:
        known[id(function.__globals__), function.__qualname__].append(function)
    found: list[tuple[FunctionType, FunctionType]] = []
    for name, paths in covered.items():
        record = succession.records.get(name)
        for path, was in paths.items():
            before, now = places.get(was), places.get(_left_at(record, path) if record is not None else 0)
            if before is not None and now is not None and _are_of_one_statement(before, now, spaces[name]):
                found.append((before, now))
                continue
            olds, news = (known[id(space), path] for space in spaces[name])
            if len(olds) == len(news):
                found += zip(olds, news, strict=True)
    return found


def _are_of_one_statement(before: FunctionType, now: FunctionType, spaces: tuple[object, object]) -> bool:
    """Say whether a function is what another one was, and not another, which has its place in memory by now.

    Args:
        before: what is at the place of the one that may be gone.
        now: the other one.
        spaces: the globals of the old module and of the new one.
    """
    meant = spaces[1] if before.__globals__ is spaces[0] else before.__globals__
    return before.__qualname__ == now.__qualname__ and now.__globals__ is meant


def _left_at(record: ModuleRecord, path: str) -> int:
    """Return the id of what a module's body has left on a path; 0 where there was nothing."""
    owner, _, name = path.rpartition(".")
    return (record.contents.get(owner, {}) if owner else record.values).get(name, 0)


def _covered(record: ModuleRecord) -> Iterator[tuple[str, int]]:
    """Yield where something else is now than the module's body left, and can be called, with the id of that."""
    for name, value in record.assigned().items():
        if name in record.values and callable(value):
            yield name, record.values[name]
    space = dict_of(record.module) or {}
    for name, known in record.contents.items():
        of_class = issubclass(type(space.get(owner_of(name))), type)
        if of_class and issubclass(type(cls := value_at(space, name)), type):
            changed = [(part, vars(cls).get(part)) for part in known if id(vars(cls).get(part)) != known[part]]
            yield from ((f"{name}.{part}", known[part]) for part, now in changed if callable(now) or functions_in(now))
