"""Registries that a build fills: containers of modules that it imports and doesn't make anew.

A module that runs again adds its entries again: to a list twice, under a new name beside the old one. What is a class
or a function shows where it comes from, and its registry is made anew with it; a name or a number doesn't. So
containers are looked at before and after a build, and where one was given such entries, its module must be made anew
as well.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

from exocet_ipython.reloading.contents import ATOMS
from exocet_ipython.reloading.generation import Generation
from exocet_ipython.reloading.plan import Plan
from exocet_ipython.reloading.recording import ModuleRecord

__all__ = ["Registries", "containers_of"]

_MANY = 1_000


class Registries:
    """The containers of living modules that a plan's modules import, as they are before a build.

    Args:
        plan: what is to be made anew.
        current: the generation whose other modules go on.
    """

    def __init__(self, plan: Plan, current: Generation) -> None:
        self._before: list[tuple[str, Any, Any]] = [
            (name, container, dict(container) if isinstance(container, dict) else list(container))
            for name in _imported(plan, current)
            for container in containers_of(current.records[name])
        ]

    def filled(self) -> frozenset[str]:
        """Return the names of the modules whose containers were given entries that don't tell where they are from."""
        return frozenset(name for name, container, before in self._before if _was_filled(container, before))

    def restore(self) -> None:
        """Put the containers back: what was built is dropped, and made together with their modules."""
        for _, container, before in self._before:
            if isinstance(container, dict):
                for key in container.keys() - before.keys():
                    del container[key]
                container.update(before)
            elif isinstance(container, set):
                container.intersection_update(before)
            else:
                while len(container) > len(before):
                    container.pop()


def _imported(plan: Plan, current: Generation) -> set[str]:
    """Return the modules that go on and that those of a plan import, directly or through others."""
    known, made = current.records.keys(), plan.names
    found = set(made & known)
    waiting = list(found)
    while waiting:
        new = (current.records[waiting.pop()].needs.keys() & known) - found
        waiting += new
        found |= new
    return found - made


def containers_of(record: ModuleRecord) -> Iterator[Any]:
    """Yield the containers that a module, its classes and its instances had when its body had run, and still have."""
    for path in record.contents:
        container: Any = record.module
        for part in path.split("."):
            container = vars(container).get(part) if hasattr(container, "__dict__") else None
        if type(container) in (dict, list, set, deque) and len(container) <= _MANY:
            yield container


def _was_filled(container: Any, before: Any) -> bool:
    if isinstance(container, dict):
        return any(type(container[key]) in ATOMS for key in container.keys() - before.keys())
    if isinstance(container, set):
        return any(type(item) in ATOMS for item in container.difference(before))
    return any(type(item) in ATOMS for item in list(container)[len(before) :])
