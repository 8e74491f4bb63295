"""Carrying out a plan: all of it is built aside, then published, then reported."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial

from exocet_ipython.loading.interrupts import act_on_interrupt, deferred_interrupt
from exocet_ipython.loading.source import Snapshot
from exocet_ipython.loading.tracebacks import trim_traceback, where_ours
from exocet_ipython.notebook.describing import describe_failure, describe_reload, describe_steps
from exocet_ipython.notebook.managed import ManagedModules
from exocet_ipython.notebook.old.verbs import OldObjects
from exocet_ipython.notebook.published import Names, Published
from exocet_ipython.notebook.publishing import publish
from exocet_ipython.notebook.report import ReloadReport
from exocet_ipython.notebook.revising import Ladder
from exocet_ipython.reloading.building.build import Built
from exocet_ipython.reloading.building.plan import Plan
from exocet_ipython.reloading.collector import paused_collector
from exocet_ipython.reloading.datafiles.wanted import find_wanted
from exocet_ipython.reloading.farewells import call_farewells

__all__ = ["OPEN", "Executor"]

OPEN = nullcontext()  # a gate that lets all through
_UNFORESEEN = (
    "The modules ran, but exocet_ipython could not make them current ({}), and has put everything back. Please report"
    " this. To get the new code, edit it in another way, or restart the kernel."
)


@dataclass(frozen=True, slots=True)
class Executor:
    """Makes what a plan says, and makes it current.

    Attributes:
        managed: the modules of the session.
        old: what lives of its earlier generations.
        ladder: builds, by the lowest rung that runs modules.
        names: the notebook's.
        show_error: shows the error of an `on_retire` callback, which stops nothing.
    """

    managed: ManagedModules
    old: OldObjects
    ladder: Ladder
    names: Names
    show_error: Callable[[BaseException], object]

    def carry_out(
        self, plan: Plan, *, migrating: bool = False, gate: AbstractContextManager[object] = OPEN
    ) -> ReloadReport:
        """Build what a plan says aside and publish it; an error in its code goes into the report.

        Args:
            plan: what to make, and why.
            migrating: move what survives of the replaced modules to the new ones.
            gate: entered to publish; what it raises then leaves everything as it was, and an Exception is reported.

        Raises:
            KeyboardInterrupt: when it is interrupted; all is old then, or all is new.
        """
        if not plan.steps:
            self.old.generations()  # finds out what is gone
            return ReloadReport(
                self.managed.generation.number,
                skipped=describe_steps(plan.skipped),
                survivors=self.old.named(),
                collected=self.old.gone(),
            )
        with deferred_interrupt():
            return self._build_and_publish(plan, migrating=migrating, gate=gate)

    def _build_and_publish(self, plan: Plan, *, migrating: bool, gate: AbstractContextManager[object]) -> ReloadReport:
        # No generation in a local variable: the frames of a kept error lead here, and would hold its modules.
        began = time.perf_counter()
        tried: list[Snapshot] = []
        try:
            plan, built = self.ladder.build(plan, tried.append, migrating=migrating)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever a module's body raised, SystemExit too, is reported
            trim_traceback(error)
            self.managed.follow_tried([*tried, *find_wanted(error, partial(self.managed.scope.includes, ""))])
            return describe_failure(error, plan, self.managed.generation, time.perf_counter() - began)
        done = self._publish(built, migrating=migrating, gate=gate)
        if isinstance(done, Exception):
            done.add_note(_UNFORESEEN.format(where_ours(done)))
            trim_traceback(done)
            return describe_failure(done, plan, self.managed.generation, time.perf_counter() - began)
        self.old.retire(done)
        self.managed.stale.note(plan)
        self.ladder.left_behind = not migrating
        self.managed.follow_tried(tried)
        call_farewells(done.replaced, self.show_error)
        report = describe_reload(plan, built, done, self.old.named(), time.perf_counter() - began)
        return replace(report, collected=self.old.gone(), processes=self.old.processes())

    def _publish(self, built: Built, *, migrating: bool, gate: AbstractContextManager[object]) -> Published | Exception:
        """Make what was built current, or leave everything as it was and return what stood in the way."""
        living = self.old.generations(quickly=True)
        try:
            act_on_interrupt()
            with gate, paused_collector():
                done = publish(
                    built,
                    self.managed.generation,
                    self.names,
                    lost=self.old.lost,
                    left=self.old.left,
                    living=living,
                    migrating=migrating,
                )
                self.managed.advance(done.generation, (*built.made, *built.gone))
        except BaseException as error:
            built.drop()
            if isinstance(error, Exception):
                return error  # it is reported, once; raised it would come with every cell
            raise
        return done
