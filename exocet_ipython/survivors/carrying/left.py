"""What cells put into containers of a module that it lacks by now, for when their definition is back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.reloading.contents import attributes_of, is_registry
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.survivors.carrying.entries import MANY, changed_entries
from exocet_ipython.survivors.carrying.ownership import Ownership
from exocet_ipython.survivors.carrying.readings import ReadStores

__all__ = ["Left", "find_left"]

# A dotted path within a module, the container that it leads to, and what cells have put into that, by key and value.
Left = tuple[str, Any, list[tuple[Any, Any]]]


def find_left(record: ModuleRecord, new: ModuleType | None, session: Mapping[str, ModuleRecord]) -> Iterator[Left]:
    """Yield what cells put into those containers of a retiring module that have no counterpart, its classes' included.

    Args:
        record: of the module.
        new: what takes its place; None where nothing does.
        session: all modules of the session until now.
    """
    owned = Ownership(record, ReadStores(session), {})
    space: dict[str, Any] = copy_space(getattr(record.module, "__dict__", {}))
    for name in space.keys() - getattr(new, "__dict__", {}).keys():
        value = space[name]
        parts = [(name, value)]
        if issubclass(type(value), type) and name in record.contents:
            baseline = record.contents[name]
            parts = [(f"{name}.{n}", part) for n, part in attributes_of(value) if baseline.get(n) == id(part)]
        for path, part in parts:
            if is_registry(part) and len(part) <= MANY:
                changed = changed_entries(part, record.contents.get(path, {}))
                found = [entry for entry in changed if not owned.is_modules(*entry) and owned.is_persons(path, *entry)]
                if found:
                    yield path, part, found
