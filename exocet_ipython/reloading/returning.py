"""Going back: where the sources are again what a living generation ran, its very modules become current again."""

from __future__ import annotations

import linecache
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from types import MappingProxyType, ModuleType
from typing import Any

from exocet_ipython.loading.source import Snapshot, find_spec, find_spec_again, forget_listings, read_snapshot
from exocet_ipython.loading.standin import PRESENCE
from exocet_ipython.reloading.batch import Texts
from exocet_ipython.reloading.build import Built
from exocet_ipython.reloading.changes import StatSweep
from exocet_ipython.reloading.codes import Match
from exocet_ipython.reloading.generation import Generation
from exocet_ipython.reloading.history import History
from exocet_ipython.reloading.moves import appeared_imports
from exocet_ipython.reloading.plan import Plan
from exocet_ipython.reloading.propagation import has_stale_values
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.reloading.retired import retired_module
from exocet_ipython.reloading.revision import match_earlier
from exocet_ipython.reloading.scope import Scope
from exocet_ipython.reloading.wishes import wishes_of

__all__ = ["find_living", "may_return"]


def find_living(
    plan: Plan, current: Generation, history: History, scope: Scope, texts: Texts = MappingProxyType({})
) -> Built | None:
    """Return the modules of an earlier generation that are what a plan would make, if all of them are alive.

    All means every module in which that generation differs from the current one, those included whose text did not
    change: what they imported they hold, so a module taken from one generation beside one from another would have two
    versions of what both import. Where one of them is gone, nothing of the person's uses it any more, and what is
    alive of the others are survivors as after any other reload; so all is made anew then, as usual.

    What the person asked to be made anew is never brought back.

    Args:
        plan: what is to be made anew, and why.
        current: the current generation.
        history: the earlier ones.
        scope: which modules are the person's own code.
        texts: what has been read of the plan's modules already.
    """
    if plan.anew or (texts and not may_return({name: text.digest for name, (text, _) in texts.items()}, history)):
        return None  # as a rule, and told without a look at the disk
    search = _Search(plan, current, scope, history.values)
    for number, modules in history.generations():
        found = search.match(modules)
        if found is not None:
            for record in found[0].values():
                linecache.cache.pop(record.snapshot.path or "", None)  # it has the text of what retires now
            return Built(*found, back_to=number, revised=tuple(search.revised))
    return None


def may_return(digests: Mapping[str, str], history: History) -> bool:
    """Say whether a living generation had modules of these texts, so that it is worth searching.

    Args:
        digests: dotted name -> digest of the text on disk, of the modules that changed.
        history: the earlier generations.
    """
    for _, modules in history.generations():
        living = {name: module for name in digests if (module := _referred(modules.get(name))) is not None}
        if living.keys() == digests.keys():
            records = {name: _retired_record(module) for name, module in living.items()}
            if all(record is not None and _ran(record, digests[name]) for name, record in records.items()):
                return True
    return False


def _ran(record: ModuleRecord, digest: str) -> bool:
    return digest in (record.snapshot.digest, *record.revisions)


def _referred(reference: Callable[[], ModuleType | None] | None) -> ModuleType | None:
    return None if reference is None else reference()


class _Search:
    """Compares earlier generations with what is on disk, reading each file once.

    Attributes:
        revised: of the generation that was compared last: what must run the code of an earlier text again.
    """

    def __init__(self, plan: Plan, current: Generation, scope: Scope, values: Collection[tuple[str, str]]) -> None:
        self._changed, self._names = plan.changed, plan.names
        self._frozen = frozenset(step.name for step in plan.skipped)
        self._current = current
        self._scope = scope
        self._values = values
        self._is_listed = False
        self.revised: list[tuple[ModuleRecord, Match]] = []
        self._read: dict[tuple[str, str], Snapshot | None] = {}

    def match(
        self, modules: Mapping[str, Callable[[], ModuleType | None] | None]
    ) -> tuple[dict[str, ModuleRecord], frozenset[str]] | None:
        """Return the modules to bring back, as records, and the names that go; None where that isn't right.

        Args:
            modules: dotted name -> reference to the module that the earlier generation had; None where it had none.
        """
        self.revised = []
        differing = self._differing(modules)
        if differing is None or not self._names <= differing.keys():
            return None
        since = {name for name, module in differing.items() if module is None}
        gone = since & self._names
        if any(self._spec_of(name, differing) is not None for name in gone):
            return None  # it is of the new files, and can only be made
        made: dict[str, ModuleRecord] = {}
        # What was edited comes first: as a rule it is another text, and nothing else has to be looked at.
        for name in sorted(differing.keys() - since, key=lambda name: name not in self._changed):
            record = self._as_on_disk(name, differing)
            if record is None:
                return None
            made[name] = record
        if not self._fits(made, gone, since - gone):
            return None
        return made, frozenset(gone)

    def _differing(
        self, modules: Mapping[str, Callable[[], ModuleType | None] | None]
    ) -> dict[str, ModuleType | None] | None:
        """Return where the generation differs from the current one; None where one of its modules is gone."""
        differing: dict[str, ModuleType | None] = {}
        for name, reference in modules.items():
            module = None if reference is None else reference()
            if reference is not None and module is None:
                return None
            record = self._current.records.get(name)
            if module is not (None if record is None else record.module):
                differing[name] = module
        return differing

    def _as_on_disk(self, name: str, differing: Mapping[str, ModuleType | None]) -> ModuleRecord | None:
        """Return a module's record with the time stamps of the present files; None where they aren't what it read."""
        module = differing[name]
        record = None if module is None else _retired_record(module)
        if module is None or record is None:
            return None
        wishes, known = wishes_of(module), self._current.records.get(name)
        # What its author has let go of with `on_retire` would be missing; what left the session is nobody's to reload.
        if (wishes is not None and wishes.is_retired) or (known is None and PRESENCE.current(name) is not None):
            return None
        if known is not None and name not in self._changed:
            snapshot: Snapshot | None = known.snapshot
        else:
            snapshot = self._snapshot_of(name, module, differing)
        if snapshot is None or StatSweep().changed(record.data):
            return None
        data = known.data if known is not None and _files(known) == _files(record) else record.data
        if not _same_source(record.snapshot, snapshot):
            match = match_earlier(record, snapshot) if record.snapshot.path == snapshot.path else None
            if match is None:
                return None
            self.revised.append((record, match))
            return replace(record.revised(snapshot, match.code), data=data)
        fresh = replace(record, snapshot=snapshot, data=data)
        vars(fresh).update({key: value for key, value in vars(record).items() if key not in vars(fresh)})
        return fresh

    def _snapshot_of(
        self, name: str, module: ModuleType, differing: Mapping[str, ModuleType | None]
    ) -> Snapshot | None:
        """Read what is on disk for a module; None where that is another place than the module came from."""
        spec = self._spec_of(name, differing)
        before = module.__spec__
        if spec is None or before is None or spec.origin != before.origin:
            return None
        if list(spec.submodule_search_locations or ()) != list(before.submodule_search_locations or ()):
            return None
        key = name, spec.origin or ""
        if key not in self._read:
            try:
                self._read[key] = read_snapshot(spec, time.time_ns())
            except OSError:
                self._read[key] = None
        return self._read[key]

    def _spec_of(self, name: str, differing: Mapping[str, ModuleType | None]) -> Any:
        """Return where a module's source is, seen through its package of that generation."""
        if not self._is_listed:
            forget_listings()
            self._is_listed = True
        package = differing.get(name.rpartition(".")[0])
        if package is None:
            module = differing.get(name)
            return find_spec_again(name, None if module is None else module.__spec__)
        search = getattr(package, "__path__", None)
        return None if search is None else find_spec(name, search)

    def _fits(self, made: Mapping[str, ModuleRecord], gone: set[str], since: set[str]) -> bool:
        """Say whether the modules that go on fit to those that come back.

        None of them may hold what retires, and what came to be since may change no import of those that come back.
        """
        dependants = self._current.graph().dependants({*made, *gone}, stop=self._frozen).keys()
        if dependants - made.keys() - gone - self._frozen:
            return False
        after = self._current.updated(made)
        modules = {name: record.module for name, record in after.records.items()}
        if any(has_stale_values(record, modules, self._values) for record in made.values()):
            return False
        for record in made.values():
            names = {name for statement in record.imports for name in statement.names}
            before = _retired_record(record.module)
            if not names.isdisjoint(since) or before is None or any(appeared_imports(before, after, self._scope)):
                return False
        return True


def _retired_record(module: ModuleType) -> ModuleRecord | None:
    retired = retired_module(vars(module))
    return None if retired is None else retired.record


def _files(record: ModuleRecord) -> list[tuple[str | None, str]]:
    return [(file.path, file.digest) for file in record.data]


def _same_source(before: Snapshot, now: Snapshot) -> bool:
    return (before.path, before.digest, before.data is None) == (now.path, now.digest, now.data is None)
