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
from exocet_ipython.reloading.plan import Plan, Step
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.survivors.caches import clear_caches
from exocet_ipython.survivors.carry import carry_over
from exocet_ipython.survivors.migrate import Migration, migrate
from exocet_ipython.survivors.records import RetiredGeneration, Survivor
from exocet_ipython.survivors.withdrawal import withdraw_effects

__all__ = ["Published", "describe_reload", "describe_steps", "publish"]


@dataclass(frozen=True, slots=True, eq=False)
class Published:
    """What a publish did: the generation that is current now, what retired, and what happened to names and objects."""

    generation: Generation
    replaced: tuple[ModuleRecord, ...]
    retired: RetiredGeneration
    rebound: tuple[Rebinding, ...]
    kept: tuple[Kept, ...]
    migration: Migration


def publish(  # noqa: PLR0913 - the parts of a session that a publish touches
    built: Built,
    current: Generation,
    bindings: Bindings,
    namespace: dict[str, Any],
    *,
    mirrors: Iterable[dict[str, Any]] = (),
    moving: Sequence[RetiredGeneration] | None = None,
) -> Published:
    """Make what was built current; on any error everything is as it was.

    The caller holds back Ctrl-C until it has noted the generation that is current now.

    Args:
        built: the new modules.
        current: the generation that they are to follow.
        bindings: which names of the namespace point where.
        namespace: the notebook's names.
        mirrors: where the shell notes the names of its output cache a second time.
        moving: what lives of earlier generations, to move to the new modules together with what retires now; None
            where nothing is to move.
    """
    after = current.updated(built.made, built.gone)
    old = {name: current.records[name] for name in (*built.made, *built.gone) if name in current.records}
    modules = {name: record.module for name, record in after.records.items()}
    made = {name: record.module for name, record in built.made.items()}
    journal = Journal()
    carried = carry_over(old, made, current.records, journal)
    # What was only tracked until now stays with the names that hold it; asked to move, they take what equals a restart.
    whole = carried if moving is not None else frozenset()
    rebound, kept = bindings.plan(namespace, old, modules, whole)
    retired = RetiredGeneration(current.number)
    for name, record in old.items():
        retired.add(record.module, name)
    migration = Migration()
    try:
        publish_modules(journal, made, {name: old[name].module for name in built.gone if name in old})
        for binding in rebound:
            journal.set_item(namespace, binding.name, binding.value)
        replace_in_modules(journal, after.records, old, modules)
        replace_outputs(journal, namespace, mirrors, old, modules)
        if moving is not None:
            spaces = [namespace, *(vars(module) for module in modules.values() if hasattr(module, "__dict__"))]
            withdraw_effects(old, after.records, journal)
            clear_caches(spaces, made, {id(value) for _, _, value in retired.living()})
            migration = migrate(old, modules, journal, moving, whole)
    except BaseException:
        journal.undo()
        raise
    bindings.confirm(rebound, kept, namespace)
    return Published(after, tuple(old.values()), retired, rebound, kept, migration)


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
    return ReloadReport(
        done.generation.number,
        tuple(
            ReloadedModule(record.name, reasons.get(record.name, "imported for the first time"), record.seconds)
            for record in sorted(built.made.values(), key=lambda record: record.order)
        ),
        tuple(sorted(built.gone)),
        tuple(Rebound(binding.name, str(binding.source)) for binding in done.rebound),
        done.kept,
        survivors,
        skipped=describe_steps(plan.skipped),
        moved=tuple(done.migration.moved.items()),
        stuck=done.migration.stuck,
        rung=plan.rung,
        duration=duration,
    )


def describe_steps(steps: Iterable[Step]) -> tuple[ReloadedModule, ...]:
    """Return the modules of a plan and why they are in it, for a report."""
    return tuple(ReloadedModule(step.name, step.reason) for step in steps)
