"""What modules had that retired before the one that retires now, and are not gone yet: nobody asks them any more.

What was carried over from one to the next they all refer to, until the collector finds them, or for as long as
something holds a function of theirs.
"""

from __future__ import annotations

from typing import Any

from exocet_ipython.loading.spaces import globals_of
from exocet_ipython.reloading.holding.contents import state_of
from exocet_ipython.reloading.holding.paths import value_at
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.reloading.retired import living_retired

__all__ = ["count_earlier", "earlier_at"]


def earlier_at(record: ModuleRecord, path: str) -> list[Any]:
    """Return what earlier modules in the place of one have at a path, each once; for an empty path their globals."""
    earlier = (retired.record.module for retired in living_retired(record.name))
    spaces = [globals_of(module) for module in earlier if module is not record.module]
    found = {id(part): part for space in spaces if (part := value_at(space, path) if path else space) is not None}
    return list(found.values())


def count_earlier(record: ModuleRecord, path: str, name: str, value: Any) -> int:
    """Return how many of these refer to a value by a name: as a global, or as an attribute of what is at the path."""
    own = value_at(globals_of(record.module), path) if path else None
    others = (part for part in earlier_at(record, path) if part is not own)
    return sum((dict(state_of(part)) if path else part).get(name) is value for part in others)
