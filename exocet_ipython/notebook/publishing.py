"""Publishing what was built: `sys.modules`, parents' attributes and the notebook's names, all or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from exocet_ipython.notebook.bindings import Bindings, Kept, Rebinding
from exocet_ipython.notebook.report import Rebound, ReloadedModule, ReloadReport
from exocet_ipython.notebook.spaces import replace_in_modules, replace_outputs
from exocet_ipython.reloading.build import Built
from exocet_ipython.reloading.generation import Generation, Journal, publish_modules
from exocet_ipython.reloading.graph import ImportEdge
from exocet_ipython.reloading.plan import Plan, Step
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.reloading.retired import RetiredModule, retire_modules
from exocet_ipython.reloading.revision import apply_revisions, put_back
from exocet_ipython.survivors.caches import clear_caches
from exocet_ipython.survivors.carry import carry_over
from exocet_ipython.survivors.definitions import objects_of
from exocet_ipython.survivors.labels import label_replaced
from exocet_ipython.survivors.lent import Staying
from exocet_ipython.survivors.lost import LostDefinitions, find_lost
from exocet_ipython.survivors.migrate import Migration, let_go, migrate
from exocet_ipython.survivors.records import RetiredGeneration, Survivor
from exocet_ipython.survivors.returned import give_back, register_again
from exocet_ipython.survivors.withdrawal import withdraw_effects

__all__ = ["Published", "describe_failure", "describe_plan", "describe_reload", "describe_steps", "publish"]


@dataclass(frozen=True, slots=True, eq=False)
class Published:
    """What a publish did.

    Attributes:
        generation: what is current now.
        replaced: the records of the modules that retired.
        retired: what they defined.
        again: the ids of what is current again.
        labelled: the retired modules whose code was labelled.
        rebound: the notebook names that have a new value.
        kept: those that keep theirs although its source was replaced, as far as that is news.
        migration: what became of survivors.
        lost: what definitions that are gone have left.
    """

    generation: Generation
    replaced: tuple[ModuleRecord, ...]
    retired: RetiredGeneration
    again: frozenset[int]
    labelled: tuple[RetiredModule, ...]
    rebound: tuple[Rebinding, ...]
    kept: tuple[Kept, ...]
    migration: Migration
    lost: LostDefinitions


def publish(  # noqa: PLR0913 - the parts of a session that a publish touches
    built: Built,
    current: Generation,
    bindings: Bindings,
    namespace: dict[str, Any],
    *,
    lost: LostDefinitions,
    mirrors: Iterable[dict[str, Any]] = (),
    living: Sequence[RetiredGeneration] = (),
    migrating: bool = False,
) -> Published:
    """Make what was built current; on any error everything is as it was.

    The caller holds back Ctrl-C until it has noted the generation that is current now.

    Args:
        built: the new modules.
        current: the generation that they are to follow.
        bindings: which names of the namespace point where.
        namespace: the notebook's names.
        lost: what is remembered of definitions that are gone.
        mirrors: where the shell notes the names of its output cache a second time.
        living: what lives of earlier generations.
        migrating: whether that, and what survives of what retires now, is moved to the new modules.
    """
    after = current.updated(built.made, built.gone, built.back_to)
    old = {name: current.records[name] for name in (*built.made, *built.gone) if name in current.records}
    modules = {name: record.module for name, record in after.records.items()}
    made = {name: record.module for name, record in built.made.items()}
    journal = Journal()
    retired = RetiredGeneration(current.number)
    for name, record in old.items():
        retired.add(record.module, name)
    lost_now = find_lost(old, modules, current.records)
    migration = Migration()
    again: frozenset[int] = frozenset()
    try:
        if built.beside:
            after = after.revised(apply_revisions(built.beside, journal))
        retire_modules(old, current.number, journal)
        if built.returned:
            migrating |= give_back(old, built.again, after.records, journal)
            put_back(built.revised, journal)
            again = frozenset(id(value) for record in built.again.values() for value in objects_of(record))
            living = [generation.without(again) for generation in living]
        carried = carry_over(old, made, current.records, journal, returned=built.returned)
        lost.put_back(made, journal)
        # What was only tracked until now stays with the names that hold it; asked to move, they take what equals a
        # restart.
        whole = carried if migrating else frozenset()
        staying = Staying(old, after.records)
        publish_modules(journal, made, {name: old[name].module for name in built.gone if name in old})
        # What a module's `__getattr__` gives may come from a module that is current only by now.
        rebound, kept = bindings.plan(namespace, old, modules, whole, staying)
        for binding in rebound:
            journal.set_item(namespace, binding.name, binding.value)
        replace_in_modules(journal, after.records, old, modules, staying)
        replace_outputs(journal, namespace, mirrors, old, modules)
        if built.returned:
            register_again(
                {name: old[name] for name in built.returned & old.keys()}, built.again, after.records, journal
            )
        if migrating:
            spaces = [namespace, *(vars(module) for module in modules.values() if hasattr(module, "__dict__"))]
            withdraw_effects(old, after.records, journal)
            clear_caches(
                spaces, {*made, *_answering_anew(built, after)}, {id(value) for _, _, value in retired.living()}
            )
        older = [*living, *(lost.returning(modules, current.number) if migrating else ())]
        is_free = not (migrating and older) and let_go(retired, old, modules, journal)
        if migrating and not is_free:
            migration = migrate(old, modules, journal, older, whole, staying=staying)
            is_free = not migration.stuck and let_go(retired, old, modules, journal)  # as a rule: all has moved
        labelled = label_replaced(old, after.records, living, journal, is_free=is_free)
    except BaseException:
        journal.undo()
        raise
    if is_free or (migrating and not migration.held):
        retired = retired.lost(modules)  # nothing else of it is there to be tracked
    news = bindings.confirm(rebound, kept, namespace)
    return Published(after, tuple(old.values()), retired, again, tuple(labelled), rebound, news, migration, lost_now)


def _answering_anew(built: Built, after: Generation) -> Iterable[str]:
    """Return the modules whose functions run new code in place, and those that import them."""
    changed = [revision.record.name for revision in built.beside if revision.rung]
    return {*changed, *after.graph().dependants(changed)} if changed else ()


def describe_reload(
    plan: Plan, built: Built, done: Published, survivors: tuple[Survivor, ...], duration: float
) -> ReloadReport:
    """Return the report of a reload that was published.

    Args:
        plan: what was to be made anew, and why.
        built: what was made.
        done: what the publish did.
        survivors: what the notebook's names hold of replaced generations now.
        duration: seconds that it took.
    """
    reasons = {step.name: step.reason for step in plan.steps}
    records = sorted(built.made.values(), key=lambda record: record.order)
    made = tuple(
        ReloadedModule(record.name, reasons.get(record.name, "imported for the first time"), record.seconds)
        for record in records
        if record.name not in built.returned
    )
    return ReloadReport(
        done.generation.number,
        made,
        tuple(sorted(built.gone)),
        tuple(Rebound(binding.name, str(binding.source)) for binding in done.rebound),
        done.kept,
        survivors,
        skipped=describe_steps(plan.skipped),
        moved=tuple(done.migration.moved.items()),
        stuck=done.migration.stuck,
        rung=plan.rung,
        duration=duration,
        returned=tuple(record.name for record in records if record.name in built.returned),
        revised=tuple(ReloadedModule(revision.record.name, revision.reason) for revision in built.beside),
    )


def describe_failure(error: BaseException, plan: Plan, current: Generation, duration: float) -> ReloadReport:
    """Return the report of a reload that came to nothing.

    Args:
        error: what a module's body raised; its traceback has the person's frames.
        plan: what was to be made anew, and why.
        current: the generation that stays current.
        duration: seconds that it took.
    """
    files = {current.records[step.name].snapshot.path: step for step in plan.steps if step.name in current.records}
    trace, step = error.__traceback__, None
    while trace is not None:
        code = trace.tb_frame.f_code
        step = files.get(code.co_filename, step) if code.co_name == "<module>" else step
        trace = trace.tb_next
    if isinstance(error, SyntaxError):
        step = files.get(error.filename, step)  # the file was never run
    is_importer = step is not None and isinstance(step.because, ImportEdge)
    broken = ReloadedModule(step.name, step.reason) if step is not None and is_importer else None
    return ReloadReport(current.number, error=error, broken=broken, duration=duration)


def describe_plan(plan: Plan, current: Generation) -> ReloadReport:
    """Return the report of what a plan would do."""
    return ReloadReport(
        current.number,
        describe_steps((step for step in plan.steps if not step.gone), current),
        tuple(step.name for step in plan.steps if step.gone),
        skipped=describe_steps(plan.skipped),
        rung=plan.rung,
        dry_run=True,
    )


def describe_steps(steps: Iterable[Step], current: Generation = Generation()) -> tuple[ReloadedModule, ...]:  # noqa: B008 - frozen
    """Return the modules of a plan and why they are in it, for a report; with the seconds that they took last."""
    records = current.records
    return tuple(
        ReloadedModule(step.name, step.reason, records[step.name].seconds if step.name in records else 0.0)
        for step in steps
    )
