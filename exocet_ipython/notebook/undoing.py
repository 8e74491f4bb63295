"""Undo: the modules of an earlier generation that come back, and what is done in place beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from exocet_ipython.notebook.managed import ManagedModules
from exocet_ipython.reloading.building.build import Built
from exocet_ipython.reloading.building.plan import Plan
from exocet_ipython.reloading.ladder.codes import CodePair
from exocet_ipython.reloading.ladder.judge import Judge
from exocet_ipython.reloading.ladder.revision import Refusal, Revision, plan_revisions
from exocet_ipython.reloading.ladder.routes import Starts, UnfitError
from exocet_ipython.reloading.noticing.changes import Change
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.reloading.returning import may_return
from exocet_ipython.reloading.texts import Texts

__all__ = ["find_living_beside"]


def find_living_beside(plan: Plan, managed: ManagedModules, texts: Texts, judge: Judge | None) -> Built | None:
    """Return the living modules of an earlier generation that are what a plan would make, if there are.

    Where something else has changed as well, that is done beside them: in place, if it needs nothing to run once they
    are back.

    Args:
        plan: what would be made anew, and why.
        managed: the modules of the session.
        texts: what was read and compiled a moment ago.
        judge: says whether living functions may run other code; None where that is out of the question.
    """
    built = managed.find_living(plan, texts)
    changes = [step.because for step in plan.steps if isinstance(step.because, Change)]
    is_whole = built is not None and not built.rest.steps
    if is_whole or plan.anew or len(changes) == 1 or not may_return({}, managed.history):
        return built
    left = plan.names if built is None else built.rest.names
    fit, unsure = _find_fitting([change for change in changes if change.name in left], managed, judge)
    for beside in [fit, fit + unsure] if unsure else [fit]:
        inside = {one.record.name for one in beside}
        others = [change for change in changes if change.name not in inside]
        if not beside or not others:
            continue
        rest = {change.name: texts[change.name] for change in others if change.name in texts}
        whole = managed.find_living(managed.plan(others), rest)
        if whole is None or whole.rest.steps or not inside.isdisjoint(whole.made):
            continue  # what comes back has no module in place of the one that would take the new code
        records = managed.generation.updated(whole.made, whole.gone).records
        if judge is None or not any(judge.why_not(records, one.record, one.match.changed) for one in beside):
            return replace(whole, beside=tuple(beside))
    return built


def _find_fitting(
    changes: list[Change], managed: ManagedModules, judge: Judge | None
) -> tuple[list[Revision], list[Revision]]:
    """Return which changes could be done in place, and which could if other modules were current beside them."""
    records = managed.generation.records
    unsure: set[str] = set()

    def note(record: ModuleRecord, pairs: list[CodePair]) -> str:
        if judge is not None and judge.why_not(records, record, pairs):
            unsure.add(record.name)
        return ""

    found = (
        plan_revisions([change], managed.generation, {}, None if judge is None else note, _refuse_values)
        for change in changes
    )
    fitting = [one for revisions in found if not isinstance(revisions, Refusal) for one in revisions]
    sure = [one for one in fitting if one.record.name not in unsure]
    return sure, [one for one in fitting if one.record.name in unsure]


def _refuse_values(_: Starts) -> Mapping[str, Mapping[str, Any]]:
    raise UnfitError("other constants are put in place alone")
