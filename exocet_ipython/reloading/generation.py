"""Generations: consistent sets of modules, and the one step that makes a set current.

Publishing happens under one lock for the process, because there is one `sys.modules`, and writes a journal: whatever
stops it half-way, every name is put back.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.machinery import ModuleSpec
from types import MappingProxyType, ModuleType

from exocet_ipython.errors import ModuleNotLoadedError
from exocet_ipython.loading.source import is_namespace, require_spec
from exocet_ipython.loading.spaces import is_package
from exocet_ipython.loading.standin import PRESENCE
from exocet_ipython.reloading.failed import FailedLoad
from exocet_ipython.reloading.graph import ImportGraph
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.recording import ModuleRecord

__all__ = ["PUBLISHING", "Generation", "publish_modules"]

PUBLISHING = threading.RLock()


@dataclass(frozen=True, slots=True, eq=False)
class Generation:
    """One consistent, immutable set of modules.

    Attributes:
        number: from 1 for the first set that was loaded; 0 is the empty one.
        records: dotted name -> record.
        newest: the highest number that a generation of the session has: one that became current again has a lower one.
        gone: names of modules that earlier generations had, whose source is no more.
        revision: how often new code was put into its modules without running them.

    >>> Generation()
    <generation 0: 0 modules>
    """

    number: int = 0
    records: Mapping[str, ModuleRecord] = field(default_factory=lambda: MappingProxyType({}))
    newest: int = 0
    gone: frozenset[str] = frozenset()
    revision: int = 0
    _graph: list[ImportGraph] = field(default_factory=list, init=False, repr=False)  # made when it is asked for first
    _failed: list[dict[str, FailedLoad]] = field(default_factory=list, init=False, repr=False)  # likewise

    def __repr__(self) -> str:
        return f"<generation {self.number}: {len(self.records)} modules>"

    @property
    def modules(self) -> dict[str, ModuleType]:
        """Dotted name -> module."""
        return {name: record.module for name, record in self.records.items()}

    @property
    def next_number(self) -> int:
        """The number of the generation that is made next."""
        return max(self.number, self.newest) + 1

    def updated(
        self, made: Mapping[str, ModuleRecord], gone: frozenset[str] = frozenset(), number: int | None = None
    ) -> Generation:
        """Return the generation that follows: this one with records added or replaced, and without the gone ones.

        Args:
            made: dotted name -> record.
            gone: dotted names.
            number: of an earlier generation that becomes current again; by default it is the next new one.
        """
        kept = {name: record for name, record in self.records.items() if name not in gone}
        number = self.next_number if number is None else number
        newest = max(number, self.number, self.newest)
        return Generation(number, MappingProxyType({**kept, **made}), newest, (self.gone | gone) - made.keys())

    def revised(self, made: Mapping[str, ModuleRecord]) -> Generation:
        """Return the next revision: the same modules, some of which run other code now."""
        after = replace(self, records=MappingProxyType({**self.records, **made}), revision=self.revision + 1)
        is_known = self._graph and all("held" in vars(record) for record in self.records.values())
        if is_known and all(_imports_alike(self.records[name], record) for name, record in made.items()):
            graph = self._graph[0].with_texts(after._locator(), made)  # noqa: SLF001 - one of ours
            after._graph.append(graph)  # noqa: SLF001 - likewise
        return after

    def adopting(self, made: Mapping[str, ModuleRecord]) -> Generation:
        """Return the same generation with modules that Python had loaded before: nothing of them was made anew."""
        return replace(self, records=MappingProxyType({**self.records, **made}), gone=self.gone - made.keys())

    def without(self, names: Collection[str]) -> Generation:
        """Return the same generation without these modules: they go on as they are, and are nobody's to reload."""
        kept = {name: record for name, record in self.records.items() if name not in names}
        return replace(self, records=MappingProxyType(kept))

    def require_spec(self, name: str) -> ModuleSpec:
        """Return where the source of a module is now: of one of this generation, seen from where it was found.

        Raises:
            SourceNotFoundError: no finder has it.
        """
        record = self.records.get(name)
        return require_spec(name, getattr(record.module, "__spec__", None) if record is not None else None)

    @property
    def next_order(self) -> int:
        """The place that the next module gets in the order in which modules began to run."""
        return 1 + max((record.order for record in self.records.values()), default=-1)

    @property
    def order(self) -> Mapping[str, int]:
        """Dotted name -> place in the order in which the modules began to run."""
        return {name: record.order for name, record in self.records.items()}

    def choose(self, names: Sequence[str]) -> list[str]:
        """Return the loaded modules that the given names stand for; a package stands for its submodules too.

        Raises:
            ModuleNotLoadedError: one of the names stands for none.
        """
        loaded = list(self.records)
        if not names:
            return loaded
        chosen = []
        for name in names:
            found = [module for module in loaded if module == name or module.startswith(name + ".")]
            if not found:
                owner = self.records.get(name.rpartition(".")[0])
                if owner is not None and not is_package(owner.module):  # game.world.Room, or game/world.py
                    advice = f"a module is named by itself: %exoreload {owner.name}"
                else:
                    advice = f"load it with %exoload {name}, or see what is loaded with %exostatus"
                shared = "it was imported as usual, since it is installed or excluded" if name in sys.modules else ""
                raise ModuleNotLoadedError(f"{name!r} was never loaded here", where=shared, advice=advice)
            chosen += found
        return chosen

    def is_bypassed(self, names: Collection[str]) -> bool:
        """Say whether somebody has put another module by hand in the place of one of those with these names."""
        records = self.records
        return any(name in records and records[name].module is not PRESENCE.current(name) for name in names)

    @property
    def failed(self) -> Mapping[str, FailedLoad]:
        """The modules, by dotted name, that others could not import, and went on without."""
        if not self._failed:
            failed = {one.name: one for record in self.records.values() for one in record.failed}
            self._failed.append({name: one for name, one in failed.items() if name not in self.records})
        return self._failed[0]

    def graph(self) -> ImportGraph:
        """Return who imports whom in this generation, with evidence."""
        if not self._graph:
            self._graph.append(self._graph_of({name: record.held for name, record in self.records.items()}))
        return self._graph[0]

    def with_dependants(self, names: Collection[str]) -> set[str]:
        """Return the names, and those of the modules that depend on these."""
        return self.graph().with_dependants(names) if names else set()

    def graph_without_given(self) -> ImportGraph:
        """Return the same but for what others have put into containers of modules that go on: it can be taken out."""
        if not any(record.given for record in self.records.values()):
            return self.graph()
        return self._graph_of({name: record.held_itself for name, record in self.records.items()})

    def _graph_of(self, held: Mapping[str, frozenset[str]]) -> ImportGraph:
        failed = self.failed
        records: Mapping[str, ModuleRecord | FailedLoad] = {**self.records, **failed}
        needs = {name: record.needs for name, record in records.items()}
        return ImportGraph.of(needs, held, self._locator(), frozenset(failed))

    def _locator(self) -> Callable[[str, int], tuple[str, str]]:
        """Return what gives the file of a module and the text of a line.

        It doesn't hold this object: a graph that holds its generation would be a circle, for the collector to find.
        """
        return partial(_locate, self.records, self.failed)


def _imports_alike(before: ModuleRecord, now: ModuleRecord) -> bool:
    """Say whether a module names the same others in the same lines, has objects of the same, and lacks the same."""
    return before.needs == now.needs and before.held == now.held and before.failed == now.failed


def _locate(
    records: Mapping[str, ModuleRecord], failed: Mapping[str, FailedLoad], name: str, line: int
) -> tuple[str, str]:
    """Return the file of a module, and what is written in one of its lines (from 1)."""
    snapshot = (records.get(name) or failed[name]).snapshot
    return snapshot.path or "", snapshot.line(line)


def publish_modules(journal: Journal, made: Mapping[str, ModuleType], gone: Mapping[str, ModuleType]) -> None:
    """Make new modules current in `sys.modules` and as attributes of their packages, and take the gone ones away.

    Args:
        journal: takes everything back if a later part of the publishing fails.
        made: dotted name -> new module.
        gone: dotted name -> old module whose source is no more.
    """
    for name, module in gone.items():
        parent, _, child = name.rpartition(".")
        package = PRESENCE.current(parent) if parent else None
        journal.set_module(name, None)
        if package is not None and parent not in made and vars(package).get(child) is module:
            journal.delete_attribute(package, child)
    before = {name: PRESENCE.current(name) for name in made}
    for name, module in made.items():
        journal.set_module(name, module)
        spec = getattr(module, "__spec__", None)
        if isinstance(spec, ModuleSpec) and is_namespace(spec):
            # The path of its own, which finds new portions by way of `sys.modules`: while it was made that had another.
            journal.set_item(vars(module), "__path__", spec.submodule_search_locations)
    for name, module in made.items():
        parent, _, child = name.rpartition(".")
        package = PRESENCE.current(parent) if parent and parent not in made else None
        # A package that has something else under the name of a submodule that was there goes on having it.
        if package is not None and (before[name] is None or vars(package).get(child, before[name]) is before[name]):
            journal.attach(package, child, module)
