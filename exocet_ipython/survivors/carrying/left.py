"""What cells put into containers of a module that it lacks by now, for when their definition is back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.reloading.contents import attributes_of, is_registry
from exocet_ipython.reloading.generation import Journal
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.survivors.carrying.carrier import MANY, Carrier
from exocet_ipython.survivors.carrying.entries import is_as_before
from exocet_ipython.survivors.carrying.readings import ReadStores
from exocet_ipython.survivors.carrying.refilled import entries, is_map

__all__ = ["Left", "find_left"]

# A dotted path within a module, the container that it leads to, and what cells have put into that, by key and value.
Left = tuple[str, Any, list[tuple[Any, Any]]]


def find_left(record: ModuleRecord, new: ModuleType | None, session: Mapping[str, ModuleRecord]) -> Iterator[Left]:
    """Yield what cells put into those containers of a retiring module that have no counterpart.

    Args:
        record: of the module.
        new: what takes its place; None where nothing does.
        session: all modules of the session until now.
    """
    return _Finder(record, ReadStores(session), Journal(), returned=False).find_left(new)


class _Finder(Carrier):
    """Finds what is left of one module."""

    def find_left(self, module: ModuleType | None) -> Iterator[Left]:
        """Yield what cells put into containers that the new module lacks, those of its classes included."""
        space: dict[str, Any] = copy_space(getattr(self._record.module, "__dict__", {}))
        for name in space.keys() - getattr(module, "__dict__", {}).keys():
            value = space[name]
            parts = [(name, value)]
            if issubclass(type(value), type) and name in self._record.contents:
                baseline = self._record.contents[name]
                parts = [(f"{name}.{n}", part) for n, part in attributes_of(value) if baseline.get(n) == id(part)]
            for path, part in parts:
                if is_registry(part) and (found := self._entries_of_cells(path, part)):
                    yield path, part, found

    def _entries_of_cells(self, path: str, container: Any) -> list[tuple[Any, Any]]:
        baseline = self._record.contents.get(path, {})
        if len(container) > MANY:
            return []
        changed = (entry for entry in entries(container) if not is_as_before(entry, baseline, is_map(container)))
        return [entry for entry in changed if not self._is_modules(*entry) and self._is_persons(path, *entry)]
