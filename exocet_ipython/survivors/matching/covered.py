"""Functions that a cell has put something else in front of: it may have kept them, to call them from what it put there.

Their module and their class don't have them any more, so that they are found by their globals.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import FunctionType

from exocet_ipython.reloading.collector import referrers_of
from exocet_ipython.reloading.holding.contents import dict_of
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.survivors.matching.succession import Succession

__all__ = ["covered_functions"]


def covered_functions(succession: Succession) -> list[tuple[FunctionType, FunctionType]]:
    """Return the functions of retired modules that were replaced there, each with what the new module defines.

    That is replaced in turn when this is called, and still held by what takes it back. Nearly always there are none,
    and the heap is not looked at.
    """
    old, new = succession.old, succession.new
    covered = {name: paths for name, record in old.items() if name in new and (paths := set(_covered(record)))}
    if not covered:
        return []
    spaces = {name: (dict_of(old[name].module) or {}, dict_of(new[name]) or {}) for name in covered}
    both = [space for pair in spaces.values() for space in pair]
    functions = [found for found in referrers_of(both) if type(found) is FunctionType]
    known = {(id(function.__globals__), function.__qualname__): function for function in functions}
    found = []
    for name, paths in covered.items():
        for path in paths:
            before, now = (known.get((id(space), path)) for space in spaces[name])
            if before is not None and now is not None:
                found.append((before, now))
    return found


def _covered(record: ModuleRecord) -> Iterator[str]:
    """Yield the dotted names of what is something else now than the module's body left, and can be called."""
    for name, value in record.assigned().items():
        if name in record.values and callable(value):
            yield name
    space = dict_of(record.module) or {}
    for name, known in record.contents.items():
        if issubclass(type(cls := space.get(name)), type):
            parts = vars(cls)
            yield from (
                f"{name}.{part}" for part in known if id(now := parts.get(part)) != known[part] and callable(now)
            )
