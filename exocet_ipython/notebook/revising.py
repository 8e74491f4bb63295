"""The two lowest rungs of a reload, carried out: new code in living functions, and no module runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any

from exocet_ipython.loading.interrupts import deferred_interrupt
from exocet_ipython.loading.source import Snapshot
from exocet_ipython.notebook.managed import ManagedModules
from exocet_ipython.notebook.names.bindings import Bindings, Rebinding
from exocet_ipython.notebook.names.valued import plan_values
from exocet_ipython.notebook.old.moving import MigrationReport
from exocet_ipython.notebook.old.verbs import OldObjects
from exocet_ipython.notebook.report import Rebound, ReloadedModule, ReloadReport
from exocet_ipython.notebook.undoing import find_living_beside
from exocet_ipython.notebook.wording import format_seconds, join_names
from exocet_ipython.reloading.building.build import Built, Surroundings, build_lowest
from exocet_ipython.reloading.building.circles import moved_circles
from exocet_ipython.reloading.building.plan import Plan
from exocet_ipython.reloading.collector import paused_collector
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.ladder.bodies import names_in
from exocet_ipython.reloading.ladder.codes import CodePair
from exocet_ipython.reloading.ladder.judge import Judge
from exocet_ipython.reloading.ladder.propagation import note_values
from exocet_ipython.reloading.ladder.revision import Refusal, Revision, apply_revisions, plan_revisions
from exocet_ipython.reloading.ladder.routes import Starts
from exocet_ipython.reloading.noticing.changes import Change
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.reloading.returning import may_return
from exocet_ipython.reloading.texts import ReadText
from exocet_ipython.survivors.carrying.keepers import find_filled
from exocet_ipython.survivors.carrying.reruns import find_reruns
from exocet_ipython.survivors.moving.caches import clear_caches, compile_again, holds_caches
from exocet_ipython.survivors.moving.returned import build_rest
from exocet_ipython.survivors.moving.traces import forget_traces, holds_traces
from exocet_ipython.survivors.origins import is_put_again
from exocet_ipython.survivors.refusals import Refusals, Stuck
from exocet_ipython.survivors.replacing.generators import renew_generators
from exocet_ipython.survivors.storing.readings import ReadStores

__all__ = ["Ladder"]

_HIGHER = Refusal()


@dataclass(slots=True)
class Ladder:
    """Finds the lowest rung for a set of changes, and takes the two that run nothing.

    Attributes:
        managed: the modules of the session.
        old: what lives of its earlier generations.
        namespace: the notebook's names.
        bindings: where these point.
        texts: what the last look has read and compiled, for the rung that is taken instead.
        began: when the last look began, in seconds of the performance counter.
        left_behind: whether old objects were only tracked, and are to move when the person asks for it.
        judge: says whether living functions may run other code.
    """

    managed: ManagedModules
    old: OldObjects
    namespace: dict[str, Any]
    bindings: Bindings
    texts: dict[str, ReadText] = field(default_factory=dict)
    began: float = 0.0
    left_behind: bool = False
    judge: Judge = field(default_factory=Judge)

    @paused_collector()
    def find(self, changes: Sequence[Change], *, migrating: bool) -> tuple[Revision, ...] | Refusal:
        """Return what the lowest rungs would do for these changes, or why they can't be taken.

        Args:
            changes: the files that differ.
            migrating: whether living functions may run other code.
        """
        self.texts, self.began = {}, time.perf_counter()
        names = {change.name for change in changes}
        if not names or not names <= self.managed.generation.records.keys() or self.managed.frozen(names):
            return _HIGHER
        if reruns := self._note_reruns(names):
            return Refusal(reruns[0], "importlib.reload has run it since")
        self.judge.keep(names)
        why_not = self._why_not if migrating else None
        found = plan_revisions(changes, self.managed.generation, self.texts, why_not, self._find_values)
        if not isinstance(found, Refusal) and self.managed.frozen(one.record.name for one in found if one.values):
            return _HIGHER  # what is frozen is left stale, and that is said
        if not isinstance(found, Refusal) and self._had_others(changes):
            return _HIGHER
        return found if isinstance(found, Refusal) else self._retried(found) or self._set_as_it_was(found) or found

    def _set_as_it_was(self, revisions: Iterable[Revision]) -> Refusal | None:
        """Say which of the new values would cover one that a cell has set, though it is what the body left; or None."""
        assigned = self.bindings.assigned()
        for one in revisions:
            said = assigned.get(one.record.name, ()) if one.values else ()
            for name in one.values.keys() & said:
                value = vars(one.record.module).get(name)
                if one.record.values.get(name) == id(value) and is_put_again(name, value, said):
                    return Refusal(one.record.name, f"a cell has set {name}")
        return None

    def _retried(self, revisions: Iterable[Revision]) -> Refusal | None:
        """Say which of the revisions could let a module be imported that failed, or what was gone; None if none."""
        generation = self.managed.generation
        texts = [(one.record, self.texts[one.record.name]) for one in revisions if one.record.name in self.texts]
        new = [(record, text) for record, text in texts if _imports_more(record, text)]
        lost = {name for _, name in self.old.without_definition()} if new else set()
        for record, text in new:
            if not lost.isdisjoint(names_in(text.code)):
                return Refusal(record.name, "it imports what may take the place of what is gone")
        for one in revisions if (failed := generation.failed) else ():
            for name in generation.graph().absent_dependants([one.record.name]) if one.rung else ():
                names = {*one.values, *(pair.outer.rpartition(".")[2] for pair in one.match.changed)}
                if not (failed[name].lacks_module and names.isdisjoint(failed[name].names)):
                    return Refusal(one.record.name, f"{name}, which could not be imported, imports it")
        return None

    def plan(self, changes: Iterable[Change], asked: Iterable[str] = ()) -> Plan:
        """Return which modules to make anew for these changes, and for what the person asked.

        Among them are those in which functions of the others have put away what they have computed, and circles of
        imports that begin somewhere else by now. For what is asked for, no look has just read the files.
        """
        self.texts = {} if (asked := tuple(asked)) else self.texts
        plan, generation = self.managed.plan(changes, asked), self.managed.generation
        with paused_collector():
            roots = self.bindings.modules()
            plan = self._with(plan, moved_circles(plan, generation, self.texts, roots, self.managed.scope))
            read = ReadStores(generation.records, self.bindings.assigned())
            while (more := self._with(plan, find_filled(plan.names, read))) is not plan:
                plan = more
        return plan

    def _with(self, plan: Plan, found: Collection[str]) -> Plan:
        """Return a plan that makes these and what imports them anew as well; the same where all are frozen."""
        if not (found := set(found).difference(self.managed.frozen(found))):
            return plan
        generation = self.managed.generation
        return plan.together_with(found, generation.order, generation.graph())

    def build(self, plan: Plan, note_read: Callable[[Snapshot], object], *, migrating: bool) -> tuple[Plan, Built]:
        """Make the modules of a plan, or bring back what lives of them and make the rest; return what was carried out.

        What the last look has read and compiled is used once, since a file may be saved again any time.

        Args:
            plan: what to make, and why.
            note_read: called with each text that is read again, before it runs.
            migrating: whether living functions may run other code.

        Raises:
            BaseException: whatever a module's body raises; everything that was made is dropped then.
        """
        texts, self.texts = self.texts, {}
        given = self.managed.generation, self.managed.scope, note_read, texts
        bound = self.bindings
        around = Surroundings(
            *given, imported=bound.imported(), roots=bound.modules(), lost=self.old.without_definition()
        )
        living = find_living_beside(plan, self.managed, texts, self.judge if migrating else None)
        if living is None:
            return build_lowest(plan, around)
        return build_rest(living, around) if living.rest.steps else (plan, living)

    def would_take(self, plan: Plan, limit: float | None) -> str:
        """Say how long the bodies of a plan's modules took when they ran last, if longer than `limit` seconds."""
        seconds = self._seconds(plan)
        if limit is not None and seconds > limit and (living := self.managed.find_living(plan, {})) is not None:
            seconds = self._seconds(living.rest)
        is_short = limit is None or seconds <= limit
        return "" if is_short else f"{join_names(sorted(plan.names))} would take {format_seconds(seconds)}"

    def _seconds(self, plan: Plan) -> float:
        records = self.managed.generation.records
        return sum(records[name].seconds for name in plan.names if name in records)

    def explain(self, plan: Plan, refusal: Refusal) -> Plan:
        """Return a plan whose steps say why no lower rung was taken."""
        self._note_reruns(plan.names)
        steps = (replace(step, refusal=refusal.reason) if step.name == refusal.name else step for step in plan.steps)
        return replace(plan, steps=tuple(steps))

    def _had_others(self, changes: Sequence[Change]) -> bool:
        """Say whether the texts that were read had objects of their own, which are alive and fit to all the rest.

        Where the current ones had these texts before they were revised, no others had them later.
        """
        records = self.managed.generation.records
        digests = {name: text.snapshot.digest for name, text in self.texts.items()}
        if all(digest in records[name].revisions for name, digest in digests.items()):
            return False
        if not may_return(digests, self.managed.history):
            return False  # what most edits come to, without a plan
        living = self.managed.find_living(self.managed.plan(changes), self.texts)
        return living is not None and not living.rest.steps

    def _note_reruns(self, names: Iterable[str]) -> list[str]:
        """Take what `importlib.reload` has made of these modules for what it is; return which it has run."""
        reruns = find_reruns(self.managed.generation, names)
        if reruns:
            self.managed.generation = self.managed.generation.adopting(reruns)
            self.old.note_runs(reruns.values())
        return list(reruns)

    def describe(self, revisions: Sequence[Revision]) -> ReloadReport:
        """Return the report of what the lowest rungs would do."""
        return ReloadReport(
            self.managed.generation.number,
            revised=tuple(ReloadedModule(revision.record.name, revision.reason) for revision in revisions),
            rung=max(revision.rung for revision in revisions),
        )

    def take(
        self, revisions: Sequence[Revision], *, migrating: bool, gate: AbstractContextManager[Any]
    ) -> ReloadReport:
        """Put the new code in place, all or nothing, and return the report.

        Args:
            revisions: what is to be done.
            migrating: whether objects that were only tracked until now move as well.
            gate: entered to publish; what it raises then leaves everything as it was.
        """
        with deferred_interrupt():
            with gate:
                rebound = self._publish(revisions)
            refused = self._clear_caches(revisions)
            moved = self._move() if migrating and self.left_behind else MigrationReport(0)
            self.managed.follow_revised(revision.record for revision in revisions)
        report = self.describe(revisions)
        return replace(
            report,
            processes=self.old.processes() if report.rung else (),
            rebound=tuple(Rebound(binding.name, str(binding.source)) for binding in rebound),
            moved=moved.moved,
            stuck=(*moved.stuck, *refused),
            duration=time.perf_counter() - self.began,
        )

    def _publish(self, revisions: Sequence[Revision]) -> Sequence[Rebinding]:
        """Make the revisions current with the names that take a new value, all or nothing; return these."""
        generation = self.managed.generation
        values = {revision.record.name: revision.values for revision in revisions if revision.values}
        rebound = plan_values(self.bindings, self.namespace, generation.records, values) if values else ()
        journal = Journal()
        made = apply_revisions(revisions, journal)
        try:
            for binding in rebound:
                journal.set_item(self.namespace, binding.name, binding.value)
            renew_generators(
                ((pair.old, one.runners.of(pair.old)) for one in revisions for pair in one.match.changed), journal
            )
            self.old.label({name: generation.records[name] for name in made}, made, journal)
        except BaseException:
            journal.undo()
            raise
        journal.confirm()
        for name, changed in values.items():
            note_values(generation.records[name], changed)
        self.managed.history.note_values(values)
        self.managed.generation = generation.revised(made)
        return rebound

    def _find_values(self, starts: Starts) -> Mapping[str, Mapping[str, Any]]:
        return self.judge.find_values(self.managed.generation.records, starts)

    def _move(self) -> MigrationReport:
        self.left_behind = False
        return self.old.migrate()

    def _clear_caches(self, revisions: Sequence[Revision]) -> tuple[Stuck, ...]:
        """Clear the caches of functions of cells that may have asked what answers differently now; say what refused."""
        refusals = Refusals()
        changed = [revision.record.name for revision in revisions if revision.rung]
        are_held = holds_caches(self.namespace)
        if not changed or not (are_held or holds_traces()):
            return ()
        generation = self.managed.generation
        answering = generation.with_dependants(changed)
        forget_traces(answering, generation.records)
        if are_held:
            # A cache of a module that holds answers of the old code is a reason to make the module anew.
            records = generation.records.values()
            compile_again(clear_caches(self.namespace, (), answering, (), records, refusals=refusals))
        return refusals.stuck

    def _why_not(self, record: ModuleRecord, pairs: list[CodePair]) -> str:
        return self.judge.why_not(self.managed.generation.records, record, pairs)


def _imports_more(record: ModuleRecord, text: ReadText) -> bool:
    """Say whether a new text imports a module that the module has not needed until now."""
    names = {name for statement in text.imports for name in statement.names}
    return bool(names - record.needs.keys() - {record.name})
