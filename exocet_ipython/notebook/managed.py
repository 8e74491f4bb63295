"""The modules of a session: which there are, how they join, and which of them are to be made anew."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from exocet_ipython.loading.source import Snapshot
from exocet_ipython.loading.spaces import globals_of
from exocet_ipython.loading.standin import PRESENCE
from exocet_ipython.loading.witness import WITNESS
from exocet_ipython.notebook.files import ManagedFiles
from exocet_ipython.notebook.names.sources import star_names
from exocet_ipython.notebook.stale import StaleModules
from exocet_ipython.reloading.building.build import Built
from exocet_ipython.reloading.building.plan import Plan, plan_reload
from exocet_ipython.reloading.collector import paused_collector
from exocet_ipython.reloading.generation import PUBLISHING, Generation
from exocet_ipython.reloading.history import History
from exocet_ipython.reloading.joining.adoption import adopt_module, adopt_modules, leave_modules, run_again
from exocet_ipython.reloading.joining.afterwards import may_load
from exocet_ipython.reloading.joining.bystanders import Bystanders
from exocet_ipython.reloading.joining.claims import Claims
from exocet_ipython.reloading.moves import Wanted, find_moves
from exocet_ipython.reloading.noticing.changes import Change, Detector, Suspicion
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.reloading.returning import find_living
from exocet_ipython.reloading.scope import Scope, matches, read_patterns
from exocet_ipython.reloading.texts import Texts

__all__ = ["ManagedModules"]


class ManagedModules:
    """The current generation and the scope of a session, and how modules come into it.

    Args:
        detector: finds out which files changed.
        newest: the highest number that a generation of an earlier session had.

    Attributes:
        generation: the current one.
        scope: which modules are the person's own code.
        history: the generations of before.
        files: of the modules, with what differs by now.
        stale: modules that were frozen while what they import was made anew.
        follows: whether first imports of own code join the session by themselves, and their files are followed.
        note_left: told of the records of modules that the person has imported anew by hand, as other objects.
    """

    def __init__(self, detector: Detector, newest: int = 0) -> None:
        self.generation = Generation(newest)
        self.note_left: Callable[[list[ModuleRecord]], object] = bool
        self._scope = Scope()
        self._frozen: tuple[str, ...] = ()
        self.stale = StaleModules()
        self.files = ManagedFiles(detector)
        self.follows = self._notes = False
        self._claims = self._make_claims()
        self.history = History()
        self._bystanders = Bystanders()
        self._bystanders.find_own(self._scope)  # now, and not while a person waits for their first reload
        WITNESS.open()

    def __repr__(self) -> str:
        return f"<managed modules of {self.generation!r}>"

    @property
    def scope(self) -> Scope:
        """Which modules are the person's own code."""
        return self._scope

    @scope.setter
    def scope(self, scope: Scope) -> None:
        self._scope = scope
        self._claims.scope = scope

    def configure(self, include: Iterable[str], exclude: Iterable[str], frozen: Iterable[str]) -> None:
        """Take other patterns for what is own code, and for what is never made anew unless asked for by name."""
        with PUBLISHING:
            self.collect_claims()  # of the running cell, which may exclude what it has just imported
            self._frozen = read_patterns(frozen)
            self.scope = replace(self.scope, include=read_patterns(include), exclude=read_patterns(exclude))
            records = self.generation.records
            left = [name for name, record in records.items() if not self.scope.includes(name, record.snapshot.path)]
            if left:
                leave_modules(records[name] for name in left)
                self.generation = self.generation.without(left)
            if self.follows:
                self.adopt()
            self.follow()

    def adopt(self, *names: str) -> None:
        """Bring own code that Python imported by itself into the generation, as it is.

        Unless all own code is followed: what was imported since the session began, and what has to do with `names`.
        """
        self.collect_claims()
        if joining := adopt_modules(self.generation, self.scope, None if self.follows else names, self._bystanders):
            self._take(joining)
            self.follow()
            self.files.blanks += 1

    def join(self, name: str) -> None:
        """Bring a loaded module that a person names into the generation as it is, also one that is excluded."""
        self._take(adopt_module(self.generation, name))

    @contextlib.contextmanager
    def claiming(self, cell: str = "") -> Iterator[None]:
        """Let the first imports of own code, in the present thread, join the current generation; `cell` makes them."""
        self.expect()
        (claims := self._make_claims(threading.get_ident())).put_on()
        claims.begin_cell(cell)
        try:
            yield
        finally:
            claims.take_off()
            with PUBLISHING:
                self._take(claims.records(self.generation))
                self.follow()

    def _make_claims(self, thread: int | None = None) -> Claims:
        claims = Claims(self.scope, thread, lambda: self.generation)
        claims.known.add(*self.generation.records)
        return claims

    def _take(self, records: Mapping[str, ModuleRecord]) -> None:
        if records:
            known = self.generation.records
            left = [known[name] for name in records.keys() & known if known[name].module is not records[name].module]
            if left:
                self.note_left(left)
            self.generation = self.generation.adopting(records)
            self._claims.known.add(*records)

    def advance(self, after: Generation, touched: Iterable[str]) -> None:
        """Take the generation that a publish has made current, which made or took away the modules `touched`."""
        before, self.generation = self.generation, after
        self.history.note(before.number, before.records, touched)

    def start_following(self, patched: Collection[str] = ()) -> None:
        """Let first imports of own code join the session, whoever imports, and follow the files of all own modules.

        Of the `patched` modules others have changed in place what their files say anew by now.
        """
        with PUBLISHING:
            if not self.follows:
                self._take(run_again(self.generation, {change.name for change in self.changes(list(patched))}))
                self.follows = True
                self._claims.put_on()
                self.files.forget()
                self.files.expects = True
            self.adopt()
            self.follow()

    def stop_following(self) -> None:
        """Stop; what was loaded stays as it is, and its files are followed for whoever asks."""
        with PUBLISHING:
            if self.follows:
                self.collect_claims()
                self.follows = False
                self.files.blanks += 1
                self.follow()
            self._notes = False
            self._claims.take_off()

    def note_imports(self) -> None:
        """From the running cell on, note what cells import: where nothing is followed, it joins at the next reload."""
        self._notes = True
        self._claims.put_on()

    def begin_cell(self, cell: str) -> None:
        """Note what a cell is about to run; see `Claims.begin_cell`."""
        if self._notes and not self.follows and may_load(cell):
            self._claims.put_on()
        self._claims.begin_cell(cell)

    def end_cell(self) -> None:
        """Note of the own modules that a cell has imported what a moment later could be another.

        They join the generation when something is asked of it, at the next cell at the latest: an import is to cost
        what it costs.
        """
        if not self.follows:
            self._claims.leave()
            return
        # While another thread reloads it waits for nobody.
        if ((claims := self._claims).found_some or claims.may_have_missed) and PUBLISHING.acquire(blocking=False):
            try:
                if claims.may_have_missed:
                    self.adopt()
                self.follow()
            finally:
                PUBLISHING.release()
        claims.end_cell()

    def names(self) -> list[str]:
        """Return the dotted names of the own modules that are loaded, also of those that have only been noted."""
        return list(dict.fromkeys([*self.generation.records, *filter(sys.modules.__contains__, self._claims.names)]))

    def collect_claims(self) -> None:
        """Bring the own modules that were imported since the last call into the current generation.

        While another thread reloads it waits for nobody: they join with the next call.
        """
        if self._claims.found_some and PUBLISHING.acquire(blocking=False):
            try:
                with paused_collector():
                    self._take(self._claims.records(self.generation))
                    self.follow()
                self.files.blanks += not self.follows
            finally:
                PUBLISHING.release()

    def expect(self) -> None:
        """Follow the folders of `sys.path` from before the first load on: what comes there meanwhile is noticed."""
        if not self.files.expects:
            with PUBLISHING:
                self.files.expects = True
                self.follow()

    def follow(self) -> None:
        """Follow the files and folders of all modules as they are now."""
        self.files.follow(self.generation.records.values(), self._claims, self.scope)

    def follow_tried(self, snapshots: Iterable[Snapshot]) -> None:
        """Follow also what the last reload has read and did not load."""
        self.files.note_tried(snapshots, self.generation.records.values())
        self.follow()

    def follow_revised(self, records: Iterable[ModuleRecord]) -> None:
        """Follow the files of modules that were revised as they have been read now; `records` had the texts before."""
        if self.files.tried:
            self.follow_tried(())
        else:
            before = list(records)
            after = (self.generation.records[record.name].snapshot for record in before)
            self.files.exchange((record.snapshot for record in before), after)

    def abandon(self) -> None:
        """Take the finder off for a shell that is gone; wherever the collector comes by, so it waits for nothing."""
        self._claims.abandon()

    def close(self) -> None:
        """Stop following, and give back what the detector holds."""
        self.stop_following()
        self.files.close()
        WITNESS.close()

    def changes(self, names: Sequence[str]) -> list[Change]:
        """Return the changes of the files of these modules, and of the data files they read, by content."""
        return self.files.changes(names, self.generation.records)

    def look_into(self, noticed: Suspicion, wanted: Wanted) -> list[Change]:
        """Return what really changed of what was noticed; `wanted` is what cells have imported."""
        if self.generation.is_bypassed(noticed.names):
            self.adopt()
        records = self.generation.records
        changes = self.changes([name for name in records if noticed.everything or name in noticed.names])
        failed = [one for one in self.generation.failed.values() if noticed.everything or one.name in noticed.names]
        changes += self.files.changes_of_failed(failed) if failed else []
        if stale := self.stale.changes(records):
            known = {*self.frozen(), *(change.name for change in changes)}
            changes += [change for change in stale if change.name not in known]
        # What was read and did not load, or was looked for in vain, may be there by now.
        sought = {name for name in noticed.names if name not in records} | self.files.tried
        if not (noticed.appeared or noticed.everything or sought):
            return changes
        stems = noticed.stems  # parts of dotted names; None where it may be any
        stems = None if noticed.everything or stems is None else stems.union(*(name.split(".") for name in sought))
        return [*find_moves(self.generation, self.scope, stems, wanted), *changes]

    def plan(self, changes: Iterable[Change], asked: Iterable[str] = ()) -> Plan:
        """Return which modules to make anew for these changes, and for what the person asked."""
        with paused_collector():
            return plan_reload(self.generation.order, self.generation.graph(), changes, asked, self.frozen())

    def find_living(self, plan: Plan, texts: Texts) -> Built | None:
        """Return the living modules of an earlier generation that are what a plan would make, if there are."""
        return find_living(plan, self.generation, self.history, self.scope, texts)

    def frozen(self, names: Iterable[str] | None = None) -> list[str]:
        """Return the modules, of some or of all, that are never made anew unless they are asked for by name."""
        records = self.generation.records
        return [
            name
            for name in (records if names is None else names)
            if matches(self._frozen, name, records[name].snapshot.path)
            or globals_of(records[name].module).get("__exo_frozen__") is True
        ]

    def public_names(self, name: str) -> tuple[str, ...]:
        """Return the names that `from NAME import *` binds; none for a module that isn't the person's own."""
        module = PRESENCE.current(name)
        return star_names(module) if module is not None and self.scope.includes_module(name, module) else ()
