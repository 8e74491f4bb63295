"""What takes the place of what in one publish: all that follows from it asks this."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import FunctionType, MethodType, ModuleType
from typing import Any

from exocet_ipython.loading.spaces import attribute_of, globals_of
from exocet_ipython.reloading.holding.contents import is_shared
from exocet_ipython.reloading.holding.held import CELLS, home_of
from exocet_ipython.reloading.holding.paths import attribute_at
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.survivors.carrying.lost import Gains
from exocet_ipython.survivors.matching.lent import Staying

__all__ = ["Succession", "in_layers"]


@dataclass(frozen=True, slots=True, eq=False)
class Succession:
    """The modules that retire, and those that are current from then on.

    Attributes:
        old: dotted name -> record of a module that retires.
        new: dotted name -> the module that is current then, of all modules; without those that are gone.
        whole: ids of changed containers and instances whose counterparts have all that was put into them.
        staying: the ids of what modules that stay have: retiring ones have it from them.
        former: dotted name of a class or function -> the one it had before it was moved or renamed.
        records: dotted name -> record of a module that is current then.
        gained: dotted name of a module that was made anew before -> what it has gained since it was loaded.
        earlier: the records of modules that retired before those, and of which what lives was only tracked until now.

    >>> Succession({}, {}).old
    {}
    """

    old: Mapping[str, ModuleRecord]
    new: Mapping[str, ModuleType]
    whole: frozenset[int] = frozenset()
    staying: Staying = field(default_factory=Staying)
    former: Mapping[str, str] = field(default_factory=dict)
    records: Mapping[str, ModuleRecord] = field(default_factory=dict)
    gained: Mapping[str, Gains] = field(default_factory=dict)
    earlier: Sequence[Mapping[str, ModuleRecord]] = ()

    def versions(self) -> Iterator[Succession]:
        """Yield this one, then one for each earlier version of the modules, the latest first."""
        yield self
        yield from (replace(self, old=records, earlier=()) for records in self.earlier)

    def records_of_both(self) -> tuple[list[ModuleRecord], list[ModuleRecord]]:
        """Return the records of the modules that retire, and of those that take their places."""
        return [*self.old.values()], [self.records[name] for name in self.old if name in self.records]

    def __contains__(self, name: object) -> bool:
        """Say whether a dotted name is that of a module of the session, or of one that is gone now."""
        return name in self.new or name in self.old

    def place_of(self, name: str) -> tuple[str, str]:
        """Return the dotted name of the module that a dotted name leads into, and the path there."""
        module, path = name, ""
        while module not in self.new and "." in module:
            module, _, last = module.rpartition(".")
            path = f"{last}.{path}".rstrip(".")
        return module, path

    def find(self, name: str) -> Any:
        """Return what a dotted name means from then on; None if nothing."""
        module, path = self.place_of(name)
        found: Any = self.new.get(module)
        for part in path.split(".") if path else ():
            found = attribute_of(found, part, None)
        return found

    def was_there(self, value: Any) -> bool:
        """Say whether a value is older than the new modules: Python's own, or that of a module which goes on.

        >>> succession = Succession({}, {}, staying=Staying(made=["shapes"]))
        >>> [succession.was_there(value) for value in (len, (dict, 1), dict.get, lambda: 0, object())]
        [True, True, True, False, False]
        """
        kind = type(value)
        if not self.staying.made or is_shared(value):
            return True
        if kind is tuple:
            return all(map(self.was_there, value))
        if kind is MethodType:
            return self.was_there(value.__func__)
        if issubclass(kind, weakref.ref):
            return self.was_there(value())
        if issubclass(kind, (type, FunctionType)):
            home = home_of(value)
            named = attribute_at(sys.modules.get(home), value.__qualname__)
            return home not in (*self.staying.made, CELLS) and named is value
        return id(value) in self.staying

    def has_gained(self, home: str, name: str, lost: ModuleRecord | int | None) -> bool:
        """Say whether a module has a name that it did not have when something of that name was lost, or long before.

        Args:
            home: its dotted name.
            name: of what it has.
            lost: the record of the module that has lost it; where it was lost earlier, the number of the last
                generation that had it; None where that is unknown.
        """
        was, record = self.old.get(home), self.records.get(home)
        is_new = home in self.staying.made if was is None else name not in globals_of(was.module)
        if is_new or record is None:
            return is_new or was is None  # nothing else is known of it
        gains = self.gained.get(home) or Gains.of(was or record)
        if name in gains.names or lost is None:
            return name in gains.names
        if isinstance(lost, int):
            return gains.generation > lost
        return gains.changed > lost.snapshot.read_at

    def find_latest(self, name: str) -> Any:
        """Return what has a dotted name now, or the latest of those that what has it had before; None for nothing."""
        return next((found for found in map(self.find, self.names(name)) if found is not None), None)

    def names(self, name: str) -> Iterator[str]:
        """Yield a dotted name, then those that what has it had before, the latest first.

        >>> list(Succession({}, {}, former={"core.Box": "shapes.Box"}).names("core.Box"))
        ['core.Box', 'shapes.Box']
        """
        seen = set[str]()
        while name and name not in seen:
            yield name
            seen.add(name)
            name = self.former.get(name, "")


def in_layers(versions: Mapping[str, Sequence[ModuleRecord]]) -> list[dict[str, ModuleRecord]]:
    """Return the first records of all names, then the second ones, and so on; at least one layer.

    >>> in_layers({})
    [{}]
    """
    depth = max(map(len, versions.values()), default=1)
    return [{name: found[place] for name, found in versions.items() if place < len(found)} for place in range(depth)]
