"""What modules have, kept to be compared by identity with what they have later."""

from __future__ import annotations

import itertools
import sys

__all__ = ["Exports"]


class Exports:
    """Some current modules and all their attributes, alive and by identity.

    Migrating replaces references in lists, dicts and even weak references. An `itertools.repeat` it can't change.

    Args:
        names: of the modules.
    """

    __hash__ = None  # type: ignore[assignment] # so the data model has it

    def __init__(self, *names: str) -> None:
        found = {
            f"{name}.{key}": value
            for name in names
            for key, value in [("", sys.modules[name]), *vars(sys.modules[name]).items()]
            if not key.startswith("__")
        }
        self._ids = {name: id(value) for name, value in found.items()}
        self._holders = [itertools.repeat(value) for value in found.values()]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Exports) and self._ids == other._ids

    def __repr__(self) -> str:
        return f"<exports: {self._ids}>"
