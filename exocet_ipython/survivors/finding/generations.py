"""One retired generation: weak references to what a publish replaced, and whether anything holds it.

A record is never the reason why an old object lives. What can't be referenced weakly is counted and said, never hidden.
"""

from __future__ import annotations

import gc
import sys
import weakref
from collections import deque
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from types import FunctionType, ModuleType
from typing import Any

from exocet_ipython.loading.names import is_dunder
from exocet_ipython.loading.references import OwnReference
from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.reloading.holding.contents import BOUND_IDS
from exocet_ipython.reloading.holding.paths import attribute_at
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.reloading.retired import RetiredModule, retired_module, retired_of
from exocet_ipython.survivors.definitions import Kind, definitions
from exocet_ipython.survivors.finding.garbage import is_garbage
from exocet_ipython.survivors.finding.held import Witness, find_witness, namespaces_of, shared_cells
from exocet_ipython.survivors.wrapped import wrapped_functions

__all__ = ["RetiredGeneration", "take_up_tracked", "tracked_modules"]

_CONTAINERS = frozenset(map(id, (dict, list, set, tuple, frozenset, deque)))
_WRAPPERS = BOUND_IDS | {id(property)}


@dataclass(slots=True)
class RetiredGeneration:
    """Weak references to what one publish replaced.

    Attributes:
        number: of the generation in which these definitions were current last.
        references: what retired, as (kind, dotted name, weak reference).
        unreferenced: how many definitions can't be referenced weakly and are not tracked.
    """

    number: int
    references: list[tuple[Kind, str, weakref.ref[Any]]] = field(default_factory=list)
    unreferenced: int = 0
    _witness: Witness | None = field(default=None, init=False, repr=False, compare=False)

    def __repr__(self) -> str:
        return f"<retired generation {self.number}: {sum(1 for _ in self.living())} of {len(self.references)} alive>"

    def add(self, module: ModuleType, name: str) -> None:
        """Record a module and the classes and functions that it defined."""
        self._add("module", name, module)
        for kind, path, value in definitions(module, name):
            self._add(kind, f"{name}.{path}", value)

    def living(self) -> Iterator[tuple[Kind, str, Any]]:
        """Yield what is still alive: kind, dotted name, object."""
        for kind, name, reference in self.references:
            value = reference()
            if value is not None:
                yield kind, name, value

    def has(self, value: Any) -> bool:
        """Say whether a value is one of its definitions, or an instance of one of its classes itself."""
        return any(part is value or part is type(value) for _, _, part in self.living())

    def without(self, current: Container[int]) -> RetiredGeneration:
        """Return the same generation without what is current again, known by its id."""
        kept = [entry for entry in self.references if id(entry[2]()) not in current]
        return RetiredGeneration(self.number, kept, self.unreferenced)

    def lost(self, current: Mapping[str, ModuleType]) -> RetiredGeneration:
        """Return the same generation with only what has no counterpart: it may be defined again some day.

        Args:
            current: dotted name -> module that is current now.
        """
        kept = [entry for entry in self.references if not _is_defined(entry[1], current)]
        return RetiredGeneration(self.number, kept, self.unreferenced)

    def is_held(
        self, ours: Iterable[object] = (), others: Sequence[object] = (), *, by_what_is_used: bool = False
    ) -> bool:
        """Say whether anything outside of this generation refers to it; what nothing does is garbage, if not yet gone.

        Its methods, the members of its enumerations and the containers that its modules name are its own as well, but
        not what is in other objects.

        Args:
            ours: what refers to it for our own sake, and for a moment.
            others: what else belongs to it.
            by_what_is_used: whether what is garbage itself doesn't count: instances and caches of its own, say.
        """
        values, roots = self._own(others)
        witness: list[Any] = [*find_witness(values, [*roots, *ours])]
        roots += [values, witness]
        if witness[0] is None or (by_what_is_used and is_garbage(values, roots)):
            return False
        del values, roots
        if type(witness[0]).__weakrefoffset__ and not (ours or others):
            outside = witness.pop()
            self._witness = Witness(OwnReference(witness.pop()), outside)
        return True

    def _own(self, others: Sequence[object]) -> tuple[list[Any], list[object]]:
        """Return what belongs to this generation, and our own records that refer to it."""
        living = [*self.living()]
        values: list[Any] = [*(value for _, _, value in living), *others]
        spaces = [vars(value) for kind, _, value in living if kind == "module" and hasattr(value, "__dict__")]
        spaces += namespaces_of(values)
        spaces = list({id(space): space for space in spaces}.values())
        own = {id(space) for space in spaces}
        # No loops here: their variables would hold what is asked about.
        named = [{name: part for name, part in copy_space(space).items() if not is_dunder(name)} for space in spaces]
        values += [part for space, names in zip(spaces, named, strict=True) for part in _own_containers(space, names)]
        classes: Any = [
            (value, [*copy_space(vars(value)).values()]) for value in values if issubclass(type(value), type)
        ]
        values += [part for cls, inside in classes for part in inside if type(part) is cls]
        parts: list[Any] = [part for _, inside in classes for part in inside]
        parts += gc.get_referents(*(part for part in parts if id(type(part)) in _WRAPPERS))
        values += [part for part in parts if type(part) is FunctionType and id(part.__globals__) in own]
        values += wrapped_functions([*values, *chain.from_iterable(map(dict.values, named)), *parts], own)
        values += shared_cells(part for part in values if type(part) is FunctionType)
        del living, named, parts, classes
        records = [part for space in spaces for part in _parts_of(retired_module(space))]
        return [*values, *spaces], [values, spaces, others, *records]

    @property
    def seems_held(self) -> bool:
        """Whether what was held when `is_held` looked last is held still: told at once, and mostly so."""
        return self._witness is not None and self._witness.is_held

    def doubt(self) -> None:
        """Forget what tells that it is held: the references that its own side has to it are others now."""
        self._witness = None

    def prune(self) -> None:
        """Forget the references whose object is gone."""
        self.references = [entry for entry in self.references if entry[2]() is not None]

    def _add(self, kind: Kind, name: str, value: Any) -> None:
        try:
            self.references.append((kind, name, OwnReference(value)))
        except TypeError:
            self.unreferenced += 1


def tracked_modules(living: Iterable[RetiredGeneration]) -> list[RetiredModule]:
    """Return the modules of which what lives was only tracked until now, in the order of the generations."""
    modules = (value for generation in living for kind, _, value in generation.living() if kind == "module")
    found = (retired for module in modules if (retired := retired_of(module)) is not None)
    return [retired for retired in found if not retired.migrated]


def take_up_tracked(living: Iterable[RetiredGeneration], journal: Journal) -> dict[str, list[ModuleRecord]]:
    """Make modules of which what lives was only tracked what they were when they retired.

    Args:
        living: what lives of the generations, oldest first.
        journal: how it is taken back.

    Returns:
        Dotted name -> the records of the modules of that name, the newest first.
    """
    versions: dict[str, list[ModuleRecord]] = {}
    for retired in tracked_modules(living):
        retired.restore(journal)
        record = retired.record if retired.leaving is None else retired.leaving.since(retired.record)
        versions.setdefault(record.name, []).insert(0, record)
    return versions


def _is_defined(name: str, modules: Mapping[str, ModuleType]) -> bool:
    """Say whether a dotted name of a definition means something among the given modules."""
    module, found = name, modules.get(name)
    while found is None and "." in module:
        module = module.rpartition(".")[0]
        found = modules.get(module)
    return attribute_at(found, name[len(module) + 1 :]) is not None


def _own_containers(space: Mapping[str, Any], named: Mapping[str, Any]) -> list[Any]:
    """Return the containers that a retired module names, and that the current one has not taken over."""
    current = globals_of(sys.modules.get(space.get("__name__", "")))
    return [
        part
        for name, part in named.items()
        if id(type(part)) in _CONTAINERS
        if gc.is_tracked(part) and current.get(name) is not part  # not `()`, say, nor what both have imported
    ]


def _parts_of(retired: RetiredModule | None) -> Iterable[object]:
    return () if retired is None else retired.parts()
