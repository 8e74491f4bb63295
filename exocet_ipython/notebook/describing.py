"""Reports of what was planned, done, or came to nothing, made from the values that say it."""

from __future__ import annotations

from collections.abc import Iterable

from exocet_ipython.notebook.published import Published
from exocet_ipython.notebook.report import Rebound, ReloadedModule, ReloadReport
from exocet_ipython.reloading.building.build import Built
from exocet_ipython.reloading.building.plan import Plan, Step
from exocet_ipython.reloading.generation import Generation
from exocet_ipython.reloading.graph import ImportEdge
from exocet_ipython.survivors.finding.records import Survivor

__all__ = ["describe_failure", "describe_plan", "describe_reload", "describe_steps"]


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
        refused=built.refused,
        unneeded=tuple(ReloadedModule(name, f"nothing imports it; {why}") for name, why in built.unneeded.items()),
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
