"""What has parts that are carried one by one, and what cells have registered in those of a library's object.

A library changes its objects itself, in ways that only it knows: `manager.hook.run`, `app.router`. What is a cell's own
in them, it has from the cell.
"""

from __future__ import annotations

from functools import cached_property
from types import FunctionType
from typing import Any

from exocet_ipython.reloading.holding.contents import ATOM_IDS, CACHE, CARRIERS, attributes_of, is_registry
from exocet_ipython.reloading.holding.entries import entries_beside, place_of
from exocet_ipython.reloading.holding.inventory import is_own_function
from exocet_ipython.reloading.holding.items import count_of, items_of, values_of
from exocet_ipython.reloading.holding.parts import has_entries
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.survivors.carrying.fitted import is_of_library
from exocet_ipython.survivors.origins import is_from_cell, is_instance_of
from exocet_ipython.survivors.repeating.entries import MANY, changed_entries, hold_alike, is_map, place_in, put_into
from exocet_ipython.survivors.storing.readings import ReadStores
from exocet_ipython.survivors.wrapped import has_own_name

__all__ = ["carry_registered", "has_parts", "have_parts"]

_MANY = 100  # parts of what a library has made of what it was given


def has_parts(record: ModuleRecord, name: str, value: Any, now: Any) -> bool:
    """Say whether a value is a class, an instance or a function of a module's own, and its counterpart too.

    A function is one as well where it is remembered what it answers, or a decorator has made something else of it.

    Args:
        record: of the module.
        name: where in the module the value is.
        value: it.
        now: its counterpart.
    """
    if type(value) is FunctionType or (type(value) is CACHE and has_own_name(value)):
        is_called_alike = type(now) is FunctionType or has_own_name(now)
        return is_called_alike and is_own_function(value, record.name)
    is_as_left = name in record.contents and record.values.get(name, id(value)) == id(value)
    return is_as_left and issubclass(type(value), type) == issubclass(type(now), type)


def have_parts(before: Any, now: Any, read: ReadStores) -> bool:
    """Say the same of what was in a container or an instance when the body ran, and of its counterpart.

    Args:
        before: it.
        now: its counterpart.
        read: what is known of the session's modules.

    >>> have_parts(lambda: 0, lambda: 1, ReadStores({})), have_parts([], [], ReadStores({}))
    (True, False)
    """
    kind = type(before)
    are_survivors = is_instance_of(before, read.session) and is_instance_of(now, read.new)
    is_carrier = (id(kind) in CARRIERS or kind is FunctionType) and kind is type(now)
    return is_carrier or are_survivors or (issubclass(kind, type) and issubclass(type(now), type))


def carry_registered(
    path: str, pair: tuple[Any, Any], record: ModuleRecord, read: ReadStores, journal: Journal
) -> None:
    """Put what cells have registered in an object of a library, and in its parts, into another one of its class.

    Args:
        path: where in its module the object is.
        pair: the one of the retired module, and that of the new one.
        record: of the module.
        read: what is known of the session's modules.
        journal: how each write is taken back.
    """
    _Registered(record, read, journal).carry(path, *pair)


class _Registered:
    """Carries what cells have registered; what a library's object had when its module's body had run is none of it."""

    def __init__(self, record: ModuleRecord, read: ReadStores, journal: Journal) -> None:
        self._record = record
        self._contents = record.contents
        self._read = read
        self._journal = journal

    def carry(self, path: str, before: Any, now: Any) -> None:
        """Carry it from one object, on a path, to another one; from what is no library's own object, nothing."""
        if path not in self._contents or now is None or now is before:
            return
        if is_registry(before):
            if hold_alike(before, now) and count_of(before) <= MANY:
                self._carry_entries(path, before, now)
        elif type(before) is type(now) and is_of_library(before, self._read.session):
            known = dict(attributes_of(now))
            for name, part in attributes_of(before):
                self.carry(f"{path}.{name}", part, known.get(name))

    @cached_property
    def _noted(self) -> set[int]:
        """The ids of what the module had: asked for only where something has come to an object of a library."""
        return {*self._record.values.values(), *(one for part in self._contents.values() for one in part.values())}

    def _carry_entries(self, path: str, before: Any, now: Any) -> None:
        baseline = self._contents[path]
        for key, value in changed_entries(before, baseline, now, self._read.after):
            if self._is_cells(value if is_map(before) else key):
                put_into(now, key, value, self._journal, place=place_in(before, key, baseline))
        for key, part, counterpart in entries_beside(before, now):
            self.carry(f"{path}{place_of(key)}", part, counterpart)

    def _is_cells(self, value: Any) -> bool:
        """Say whether what has come to a library's object is a cell's, or leads there: `(rule, Route(function))`."""
        waiting, seen = [value], set[int]()
        while waiting and len(seen) < _MANY:
            part = waiting.pop()
            if id(part) in seen or id(part) in self._noted or id(type(part)) in ATOM_IDS:
                continue
            seen.add(id(part))
            if is_from_cell(part):
                return True
            if has_entries(part):
                waiting += values_of(part) if is_map(part) else items_of(part)
            elif is_of_library(part, self._read.session):
                waiting += [inner for _, inner in attributes_of(part)]
        return False
