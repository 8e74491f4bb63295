"""Going back: where the sources are again what a living generation ran, its very modules become current again."""

from __future__ import annotations

import linecache
import time
from collections.abc import Callable, Collection, Container, Mapping
from dataclasses import replace
from types import MappingProxyType, ModuleType
from typing import Any

from exocet_ipython.loading.listings import forget_listings
from exocet_ipython.loading.source import Snapshot, find_spec, find_spec_again, read_snapshot
from exocet_ipython.loading.standin import PRESENCE
from exocet_ipython.reloading.building.build import Built
from exocet_ipython.reloading.building.plan import Plan, Step, in_order
from exocet_ipython.reloading.generation import Generation
from exocet_ipython.reloading.history import History
from exocet_ipython.reloading.holding.held import home_of
from exocet_ipython.reloading.ladder.bodies import names_in
from exocet_ipython.reloading.ladder.propagation import has_stale_values
from exocet_ipython.reloading.ladder.revision import Earlier, match_earlier
from exocet_ipython.reloading.lasting.likeness import set_alike
from exocet_ipython.reloading.moves import appeared_imports
from exocet_ipython.reloading.noticing.changes import StatSweep
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.reloading.retired import retired_of
from exocet_ipython.reloading.scope import Scope
from exocet_ipython.reloading.texts import Texts
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

    What that generation did not have, or has in common with the current one, may have changed as well. Where nothing
    that comes back imports it, it is left to be made beside that: the generation with the fewest of these is taken.

    What the person asked to be made anew is never brought back.

    Args:
        plan: what is to be made anew, and why.
        current: the current generation.
        history: the earlier ones.
        scope: which modules are the person's own code.
        texts: what has been read of the plan's modules already.
    """
    if plan.anew or (texts and not may_return({name: text.snapshot.digest for name, text in texts.items()}, history)):
        return None  # as a rule, and told without a look at the disk
    search = _Search(plan, current, scope, history.values)
    best: Built | None = None
    for number, modules in history.generations():
        found = search.match(modules, number)
        if found is not None and (best is None or len(found.rest.steps) < len(best.rest.steps)):
            best = found
            if not found.rest.steps:
                break
    for record in best.made.values() if best is not None else ():
        linecache.cache.pop(record.snapshot.path or "", None)  # it has the text of what retires now
    return best


def may_return(digests: Mapping[str, str], history: History) -> bool:
    """Say whether a living generation had modules of these texts, so that it is worth searching.

    Args:
        digests: dotted name -> digest of the text on disk, of the modules that changed. One that a generation did not
            have, or has in common with the current one, keeps nothing of it from coming back.
        history: the earlier generations.
    """
    return any(
        all(_had(modules.get(name), digest) for name, digest in digests.items()) for _, modules in history.generations()
    )


def _had(reference: Callable[[], ModuleType | None] | None, digest: str) -> bool:
    """Say whether a generation had a module of a text, or nothing in the present one's stead."""
    if reference is None:
        return True
    module = reference()
    record = None if module is None else _retired_record(module)
    return record is not None and _ran(record, digest)


def _ran(record: ModuleRecord, digest: str) -> bool:
    return digest in (record.snapshot.digest, *record.revisions)


class _Search:
    """Compares earlier generations with what is on disk, reading each file once."""

    def __init__(self, plan: Plan, current: Generation, scope: Scope, values: Mapping[str, Container[str]]) -> None:
        self._plan, self._changed = plan, plan.changed
        self._frozen = frozenset(step.name for step in plan.skipped)
        self._current = current
        self._scope = scope
        self._values = values
        self._is_listed = False
        self._revised: list[Earlier] = []
        self._read: dict[tuple[str, str], Snapshot | None] = {}

    def match(self, modules: Mapping[str, Callable[[], ModuleType | None] | None], number: int) -> Built | None:
        """Return the modules to bring back, the names that go, and what is left to make; None where that isn't right.

        Args:
            modules: dotted name -> reference to the module that the earlier generation had; None where it had none.
            number: of that generation.
        """
        self._revised = []
        differing = self._differing(modules)
        if differing is None:
            return None
        # What was imported later, and is gone again, was nothing then; no publish has noted that.
        later = [name for name in differing.keys() & self._changed if _is_younger(differing[name], number)]
        differing |= {name: None for name in later if self._spec_of(name, differing) is None}
        # What it did not have, or has in common with the current generation.
        apart = {name for name in self._plan.names if differing.get(name) is None}
        gone = {name for name in apart & self._changed if self._spec_of(name, differing) is None}
        since = {name for name, module in differing.items() if module is None}
        if not self._changed & (gone | (differing.keys() - since)):
            return None  # nothing that was edited comes back
        made: dict[str, ModuleRecord] = {}
        # What was edited comes first: as a rule it is another text, and nothing else has to be looked at.
        for name in sorted(differing.keys() - since, key=lambda name: name not in self._changed):
            record = self._as_on_disk(name, differing)
            if record is None:
                return None
            made[name] = record
        steps = self._left(made, gone)
        rest = {step.name for step in steps}
        others = (since ^ gone) | (rest - gone)  # what it did not have and is gone again is as it was
        is_whole = rest <= gone <= since  # exactly that generation, and not only much of it
        if not self._fits(made, others) or not (is_whole or made.keys() & self._changed):
            return None
        plan = replace(self._plan, steps=steps) if rest - gone else Plan()
        back_to = number if is_whole else None
        return Built(made, frozenset(gone), frozenset(made), back_to, tuple(self._revised), rest=plan)

    def _left(self, made: Mapping[str, ModuleRecord], gone: Collection[str]) -> tuple[Step, ...]:
        """Return what a plan has to do where some modules come back: others, and those that import what retires.

        A registry that goes on is not among them where what retires has put itself there since: it is taken out.
        """
        graph, itself = self._current.graph(), self._current.graph_without_given()
        edges = graph.dependants({*made, *gone}, stop=self._frozen)
        going_on: set[str] = set()
        if itself is not graph:
            needed = itself.dependants({*made, *gone}, stop=self._frozen)
            needed |= graph.dependants({*needed, *self._changed} - made.keys(), stop=self._frozen)
            going_on = edges.keys() - needed.keys()
            edges = needed
        planned = {step.name: step for step in self._plan.steps if step.name not in going_on}
        steps = {name: Step(name, edge) for name, edge in edges.items() if name not in self._frozen} | planned
        left = [replace(step, gone=True) if step.name in gone else step for step in steps.values()]
        return in_order((step for step in left if step.name not in made), self._current.order)

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
        # What its author has let go of with `on_retire` would be missing; what left the session is nobody's to reload;
        # and what a body sets outside of it only that sets again.
        is_other = PRESENCE.current(name) is not None if known is None else not set_alike(record, known)
        if is_other or (wishes is not None and wishes.is_retired):
            return None
        if known is not None and name not in self._changed:
            snapshot: Snapshot | None = known.snapshot
        else:
            snapshot = self._snapshot_of(name, module, differing)
        if snapshot is None or StatSweep().changed(record.data):
            return None
        data = known.data if known is not None and _files(known) == _files(record) else record.data
        if record.snapshot.version != snapshot.version:
            earlier = match_earlier(record, snapshot) if record.snapshot.path == snapshot.path else None
            if earlier is None:
                return None
            self._revised.append(earlier)
            now = {name: vars(module)[name] for name in earlier.values}
            return replace(record.revised(snapshot, earlier.match.code, now), data=data)
        fresh = replace(record, snapshot=snapshot, data=data)
        vars(fresh).update({**vars(record), **vars(fresh)})
        return fresh

    def _snapshot_of(
        self, name: str, module: ModuleType, differing: Mapping[str, ModuleType | None]
    ) -> Snapshot | None:
        """Read what is on disk for a module; None where that is another place than the module came from."""
        spec = self._spec_of(name, differing)
        before = getattr(module, "__spec__", None)  # an object in a module's stead may have none
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
            return find_spec_again(name, getattr(module, "__spec__", None))
        search = getattr(package, "__path__", None)
        return None if search is None else find_spec(name, search)

    def _fits(self, made: Mapping[str, ModuleRecord], others: Collection[str]) -> bool:
        """Say whether modules can come back: nothing that they import is another one by now.

        Args:
            made: dotted name -> record of a module to bring back.
            others: dotted names of what their generation did not have, and of what goes or is made beside them.
        """
        after = self._current.updated(made)
        modules = after.modules
        if any(has_stale_values(record, modules, self._values) for record in made.values()):
            return False
        if any(_is_used(earlier, after) for earlier in self._revised):
            return False
        for record in made.values():
            names = {name for statement in record.imports for name in statement.names}
            before = _retired_record(record.module)
            # What its functions have put away since, as a lazy `__getattr__` does: with a class there may be a number.
            names |= {home_of(value) for value in record.assigned().values()} if others else set()
            if not names.isdisjoint(others) or (others and not record.held.isdisjoint(others)):
                return False
            if before is None or any(appeared_imports(before, after, self._scope)):
                return False
        return True


def _is_younger(module: ModuleType | None, number: int) -> bool:
    """Say whether a retired module was made or joined in a later generation than one of this number."""
    record = None if module is None else _retired_record(module)
    return record is not None and record.generation > number


def _is_used(earlier: Earlier, after: Generation) -> bool:
    """Say whether another module may have made something of the values that a module is to have again."""
    names, home = earlier.values.keys(), earlier.record.name
    others = [record for record in after.records.values() if names and record.name != home and home in record.needs]
    for other in others:
        code = other.readable_code
        if code is None or not names.isdisjoint((*getattr(other.module, "__dict__", ()), *names_in(code))):
            return True
    return False


def _retired_record(module: ModuleType) -> ModuleRecord | None:
    retired = retired_of(module)
    return None if retired is None or retired.is_spent else retired.record


def _files(record: ModuleRecord) -> list[tuple[str | None, str]]:
    return [(file.path, file.digest) for file in record.data]
