"""Publishing what was built: `sys.modules`, parents' attributes and the notebook's names, all or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.notebook.names.spaces import replace_in_modules, replace_outputs
from exocet_ipython.notebook.published import Names, Published
from exocet_ipython.reloading.building.build import Built
from exocet_ipython.reloading.generation import Generation, publish_modules
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.ladder.revision import apply_revisions, put_back
from exocet_ipython.reloading.retired import retire_modules
from exocet_ipython.survivors.accessors import withdraw_accessors
from exocet_ipython.survivors.carrying.lost import LostDefinitions, find_lost
from exocet_ipython.survivors.carrying.ordering import put_cells_last
from exocet_ipython.survivors.carrying.over import carry_over
from exocet_ipython.survivors.decorating.redecorating import Redecorating
from exocet_ipython.survivors.decorating.registering import Registering
from exocet_ipython.survivors.definitions import objects_of
from exocet_ipython.survivors.finding.generations import RetiredGeneration, take_up_tracked, tracked_modules
from exocet_ipython.survivors.labels import label_replaced
from exocet_ipython.survivors.matching.left import LeftClasses
from exocet_ipython.survivors.matching.lent import Staying
from exocet_ipython.survivors.matching.succession import Succession, in_layers
from exocet_ipython.survivors.matching.tracked import leave_tracked, pass_on
from exocet_ipython.survivors.moving.caches import clear_caches, compile_again
from exocet_ipython.survivors.moving.migrate import Migration, migrate
from exocet_ipython.survivors.moving.returned import give_back, register_again, unregister
from exocet_ipython.survivors.moving.running import share_state
from exocet_ipython.survivors.moving.traces import forget_traces
from exocet_ipython.survivors.moving.unheld import let_go
from exocet_ipython.survivors.refusals import Refusals
from exocet_ipython.survivors.storing.readings import ReadStores
from exocet_ipython.survivors.storing.renamings import note_renamings
from exocet_ipython.survivors.withdrawal import withdraw_effects

__all__ = ["publish"]


def publish(  # noqa: PLR0913 - the parts of a session that a publish touches
    built: Built,
    current: Generation,
    names: Names,
    *,
    lost: LostDefinitions,
    left: LeftClasses,
    living: Sequence[RetiredGeneration] = (),
    migrating: bool = False,
    rebuild: bool = True,
) -> Published:
    """Make what was built current; on any error everything is as it was.

    The caller holds back Ctrl-C until it has noted the generation that is current now.

    Args:
        built: the new modules.
        current: the generation that they are to follow.
        names: the notebook's.
        lost: what is remembered of definitions that are gone.
        left: the classes of which instances could not move to what was current.
        living: what lives of earlier generations.
        migrating: whether that, and what survives of what retires now, is moved to the new modules. Where nothing was
            built it moves to the current ones.
        rebuild: whether an instance whose class can't be exchanged gets a successor, which takes its place.
    """
    publication = _Publication(built, current, names, lost, list(living), left=left, migrating=migrating)
    try:
        publication.retire()
        publication.bring_back()
        publication.take_up()
        publication.carry_over()
        publication.rebind()
        publication.withdraw()
        publication.move(rebuild=rebuild)
        publication.label()
        publication.leave()
    except BaseException:
        publication.journal.undo()
        raise
    return publication.confirm()


class _Publication:
    """One publish as it goes on: what takes the place of what, and all that was written so far.

    Its steps are called in the order in which they stand here.
    """

    def __init__(  # noqa: PLR0913 - as above
        self,
        built: Built,
        current: Generation,
        names: Names,
        lost: LostDefinitions,
        living: list[RetiredGeneration],
        *,
        left: LeftClasses,
        migrating: bool,
    ) -> None:
        self.journal = Journal()
        self._built, self._current, self._names, self._lost, self._living = built, current, names, lost, living
        self._left, self._migrating = left, migrating
        self._assigned = names.bindings.assigned()
        self._after = current.updated(built.made, built.gone, built.back_to) if built else current
        self._old = {name: current.records[name] for name in (*built.made, *built.gone) if name in current.records}
        self._modules = self._after.modules
        self._made = {name: record.module for name, record in built.made.items()}
        self._retired = RetiredGeneration(current.number)
        for name, record in self._old.items():
            self._retired.add(record.module, name)
        self._again: frozenset[int] = frozenset()  # ids
        self._compiled: list[Any] = []
        self._migration = Migration()
        self._refusals = Refusals()
        self._registering = Registering(self.journal, self._refusals)
        self._redecorating = Redecorating(self.journal, self._refusals)

    def retire(self) -> None:
        """Put new code in place where that is enough, and take the modules that are replaced out of their lives."""
        if self._built.beside:
            self._after = self._after.revised(apply_revisions(self._built.beside, self.journal))
        are_spent = bool(self._built.taken) or self._built.sets_others
        retire_modules(self._old, self._current.number, self.journal, are_spent=are_spent)
        note_renamings(self._old, self._after.records, self._assigned)
        self._lost_now = find_lost(self._old, self._modules, ReadStores(self._current.records, self._assigned))

    def bring_back(self) -> None:
        """Make modules of an earlier generation what they were."""
        built = self._built
        if built.returned:
            self._migrating |= give_back(self._old, built.again, self._after.records, self.journal)
            put_back(built.revised, self.journal)
            unregister(self._after.records, self.journal)
            self._again = frozenset(id(value) for record in built.again.values() for value in objects_of(record))
            self._living = [generation.without(self._again) for generation in self._living]

    def take_up(self) -> None:
        """Take modules of which what lives was only tracked until now for what they were when they retired."""
        self._waiting = take_up_tracked(self._living, self.journal) if self._migrating else {}
        versions = self._waiting | {name: [one, *self._waiting.get(name, ())] for name, one in self._old.items()}
        self._replaced, *self._earlier = in_layers(versions)
        for earlier in in_layers(self._waiting):
            note_renamings(earlier, self._after.records, self._assigned)

    def carry_over(self) -> None:
        """Give the new modules what cells have put into the old ones, and what lost definitions had."""
        read = ReadStores(self._current.records, self._assigned, self._after.records, moves=self._migrating)
        again = {name: self._after.records[name] for name in self._built.returned if name in self._after.records}
        self._carried = carry_over(self._old, self._made, read, self.journal, refusals=self._refusals, again=again)
        self._lost.put_back(self._made, self.journal)
        put_cells_last(self._after.records, self.journal)

    def rebind(self) -> None:
        """Have `sys.modules`, the notebook's names, other modules' and the output cache point at what is current."""
        records = self._after.records
        # What was only tracked until now stays with the names that hold it, unless asked to move.
        whole = self._carried if self._migrating else frozenset()
        staying = Staying(self._replaced, records, self._made)
        staying.names += self.journal.references()
        more = self._lost.former, records, self._lost.gained, self._earlier
        self._succession = Succession(self._replaced, self._modules, whole, staying, *more)
        gone = {name: self._old[name].module for name in self._built.gone if name in self._old}
        publish_modules(self.journal, self._made, gone)
        # What a module's `__getattr__` gives may come from a module that is current only by now.
        bindings, namespace = self._names.bindings, self._names.namespace
        self._rebound, self._kept = bindings.plan(namespace, self._succession)
        staying.names += [namespace, *self._rebound]
        for binding in self._rebound:
            self.journal.set_item(namespace, binding.name, binding.value)
        replace_in_modules(self.journal, records, self._succession)
        replace_outputs(self.journal, namespace, self._names.mirrors, self._succession)
        returned = self._built.returned
        if returned:
            replaced = {name: self._old[name] for name in returned & self._old.keys()}
            register_again(replaced, self._built.again, records, self.journal)
        self._registering.withdraw(self._old, self._made, namespace, migrating=self._migrating)
        self._redecorating.find(self._replaced, self._modules if self._migrating else {}, namespace)

    def withdraw(self) -> None:
        """Take back what the old modules have added to lists of the process, and forget the answers of old code."""
        records = self._after.records
        withdraw_effects(self._old, records, self.journal)
        withdraw_accessors(self._old, records, self.journal)
        fresh = self._made.keys() - self._built.returned
        if not (fresh or self._built.beside):
            fresh = {*self._made}  # all is as it was
        revised = [revision.record.name for revision in self._built.beside if revision.rung]
        answering = {*self._made, *self._waiting, *self._after.with_dependants(revised)}
        forget_traces(answering, records)
        self._compiled = clear_caches(
            self._names.namespace,
            records.values(),
            answering,
            {id(value) for generation in (self._retired, *self._living) for _, _, value in generation.living()},
            [self._built.made[name] for name in fresh],
            earlier=[records[name] for name in self._waiting.keys() - self._made.keys() if name in records],
            moving=self._migrating,
            refusals=self._refusals,
        )

    def move(self, *, rebuild: bool) -> None:
        """Let go of what nobody holds of the old modules, and have the rest take the new one's place."""
        parts = self._retired, self._succession, self.journal
        older = list(self._living)
        if self._migrating:
            older += self._lost.returning(self._modules, self._current.number)
        is_needless = not (self._migrating and older) and not self._is_named()
        self._is_free = is_needless and let_go(*parts, may_be_meant=self._migrating)
        if self._migrating and not self._is_free:
            staying = self._left.staying(self._succession)
            self._migration = migrate(self._succession, self.journal, older, staying=staying, rebuild=rebuild)
            self._is_free = not self._migration.stuck and let_go(*parts)  # as a rule: all has moved
        if self._migrating:
            share_state(self._succession, self.journal)
        self._redecorating.decorate(self._names.namespace)
        self._registering.register()
        compile_again(self._compiled)

    def _is_named(self) -> bool:
        """Say whether a name of the notebook has an instance of what retires: told at once, and held for certain."""
        classes = {id(value) for kind, _, value in self._retired.living() if kind == "class"}
        return any(id(type(value)) in classes for value in copy_space(self._names.namespace).values())

    def label(self) -> None:
        """Give what is old, and lives on, names that say so."""
        old = self._replaced | {revision.record.name: revision.record for revision in self._built.beside}
        self._labelled = label_replaced(old, self._after.records, self._living, self.journal, is_free=self._is_free)

    def leave(self) -> None:
        """Note how the old modules are left with what lives of them, which the person may move later."""
        if self._migrating:
            return
        self._lost.tracked = pass_on(tracked_modules(self._living), self._lost.tracked, self._old, self._carried)
        if not self._is_free:
            self._lost_now.tracked = leave_tracked(self._old, self._modules, self._carried)

    def confirm(self) -> Published:
        """Return what was done, which stays so."""
        self.journal.confirm()
        retired, unheld = self._retired, None
        if self._is_free or (self._migrating and not self._migration.held):
            retired, unheld = retired.lost(self._modules), retired  # nothing else of it is there to be tracked
        self._lost_now.former |= self._migration.former
        news = self._names.bindings.confirm(self._rebound, self._kept, self._names.namespace)
        return Published(
            self._after,
            tuple(self._old.values()),
            retired,
            unheld,
            self._again,
            tuple(self._labelled),
            self._rebound,
            news,
            replace(self._migration, stuck=(*self._migration.stuck, *self._refusals.stuck)),
            self._lost_now,
            is_tracked=not self._migrating,
        )
