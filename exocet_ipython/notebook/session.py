"""The session: the only owner of mutable state, and the verbs as plain functions.

It needs a namespace, which is a dict, and no IPython: scripts and tests use it as the magics do.
"""

from __future__ import annotations

import importlib
import weakref
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from types import ModuleType
from typing import TYPE_CHECKING, Any

from exocet_ipython.loading.extensions import refuse_extension_core
from exocet_ipython.loading.listings import forget_listings
from exocet_ipython.loading.names import require_attribute, with_packages
from exocet_ipython.loading.source import is_extension
from exocet_ipython.notebook.attempts import Unsettled
from exocet_ipython.notebook.cells.awaited import AwaitedImports, Retried
from exocet_ipython.notebook.describing import describe_plan, describe_steps
from exocet_ipython.notebook.executor import OPEN, Executor
from exocet_ipython.notebook.managed import ManagedModules
from exocet_ipython.notebook.names.bindings import Bindings
from exocet_ipython.notebook.names.cells import may_bind
from exocet_ipython.notebook.names.events import CellImport
from exocet_ipython.notebook.names.sources import star_names
from exocet_ipython.notebook.old.verbs import OldObjects, Remains
from exocet_ipython.notebook.published import Names
from exocet_ipython.notebook.report import ReloadReport
from exocet_ipython.notebook.revising import Ladder
from exocet_ipython.reloading.farewells import print_error
from exocet_ipython.reloading.generation import PUBLISHING, Generation
from exocet_ipython.reloading.ladder.revision import Refusal
from exocet_ipython.reloading.noticing.changes import Detector, StatSweep, Suspicion
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.survivors.finding.records import Survivor

if TYPE_CHECKING:
    from exocet_ipython.notebook.old.status import StatusReport

__all__ = ["Session"]


class Session:
    """Loads modules, reloads what changed, and replaces the names of one namespace.

    All verbs may be called from any thread; they take turns under one lock for the process.

    Attributes:
        old: the verbs on what lives of replaced generations.

    Args:
        namespace: the notebook's names; only names whose value came from a reloaded module are written.
        mirrors: where the shell notes the names of its output cache (`_`, `_5`) a second time.
        detector: finds out which files changed; by default `os.stat` of each.
        show_error: shows the error of an `on_retire` callback, which stops nothing; by default on standard error.
        remains: what an earlier session with this namespace has left; by default there was none.

    >>> space = {}
    >>> session = Session(space)
    >>> session.status()
    nothing is loaded; load a module with %exoload NAME
    """

    def __init__(
        self,
        namespace: dict[str, Any],
        *,
        mirrors: Sequence[dict[str, Any]] = (),
        detector: Detector | None = None,
        show_error: Callable[[BaseException], object] = print_error,
        remains: Remains | None = None,
    ) -> None:
        self.namespace = namespace
        self.bindings = Bindings()
        remains = remains or Remains()
        self.managed = ManagedModules(detector or StatSweep(), remains.newest)
        names = Names(namespace, self.bindings, tuple(mirrors))
        self.old = OldObjects(names, lambda: self.managed.generation, remains.retirement)
        self._ladder = Ladder(self.managed, self.old, namespace, self.bindings)
        self._executor = Executor(self.managed, self.old, self._ladder, names, show_error)
        # A finder on `sys.meta_path` leads to the modules, and may not keep a shell that is dropped.
        note_left = weakref.WeakMethod(self._note_left)
        self.managed.note_left = lambda records: (note := note_left()) and note(records)
        self._unsettled = Unsettled(self.managed)
        follow = self.managed.files.note_awaited
        self._awaited = AwaitedImports(namespace, lambda file: self.managed.scope.includes("", file), follow)

    def __repr__(self) -> str:
        return f"<session at {self.generation!r}>"

    @property
    def awaits(self) -> bool:
        """Whether there are imports that failed."""
        return bool(self._awaited)

    @property
    def generation(self) -> Generation:
        """The current generation."""
        return self.managed.generation

    def load(self, name: str, attributes: Sequence[str] = ()) -> ModuleType:
        """Make a new module object for `name`, and for the loaded modules that import it; return it.

        The first load brings what `name` imports of the person's own code. On any error nothing has changed.

        Args:
            name: dotted name of the module.
            attributes: what the module must have, or be able to load as submodules; `*` for all that it exports.

        Raises:
            ModuleNotFoundError: there is no such module.
            ImportError: it lacks one of the attributes.
            ExtensionPackageError: the package can't be loaded twice.
            BaseException: whatever the code itself raises.
        """
        scope = self.managed.scope.with_root(name)
        forget_listings()
        spec = self.generation.require_spec(name)
        if is_extension(spec):
            return importlib.import_module(name)  # loads once per process: its one object is shared
        refuse_extension_core(self.generation.require_spec(name.partition(".")[0]))
        with PUBLISHING:
            self.managed.expect()
            before = self.managed.scope, self.managed.generation
            self.managed.scope = scope
            try:
                return self._load(name, attributes)
            except BaseException:
                self.managed.scope, self.managed.generation = before
                raise

    def load_from(self, name: str, wanted: Sequence[tuple[str, str]]) -> None:
        """Load `name` anew and bind attributes of it, as `from NAME import A as B` does.

        Args:
            name: dotted name of the module.
            wanted: pairs of an attribute and its notebook name; the attribute `*` stands for all public names.

        Raises:
            ImportError: the module has no such attribute; nothing is bound then.
        """
        module = self.load(name, [attribute for attribute, _ in wanted])
        values: dict[str, Any] = {}
        for attribute, alias in wanted:
            if attribute == "*":
                public = getattr(module, "__all__", None) or star_names(module)
                values |= {exported: getattr(module, exported) for exported in public}
            else:
                values[alias] = require_attribute(module, name, attribute)
        self.namespace.update(values)
        for attribute, alias in wanted:
            self.bindings.add(CellImport(alias, name, attribute), self.managed.public_names)

    def bind(self, alias: str, name: str) -> None:
        """Bind a notebook name to a module that was loaded."""
        self.namespace[alias] = importlib.import_module(name)  # what is current; an extension is in no generation
        self.bindings.add(CellImport(alias, name), self.managed.public_names)

    def reload(
        self, names: Sequence[str] = (), *, force: bool = False, dry_run: bool = False, migrate: bool = False
    ) -> ReloadReport:
        """Make the modules whose file changed, and all that import them, anew, and replace the notebook's names.

        All of it runs aside first: on any error nothing has changed, and the report has the error.

        Args:
            names: dotted names of modules or packages to look at; all loaded modules by default.
            force: make them anew whether or not their file changed.
            dry_run: only plan.
            migrate: move what survives of the replaced modules to the new ones.

        Raises:
            ModuleNotLoadedError: one of the names was never loaded.
            KeyboardInterrupt: when it is interrupted; all is old then, or all is new.
        """
        with PUBLISHING:
            self.managed.adopt(*self.bindings.modules())
            chosen = self.generation.choose(names)
            # A frozen module runs for those who name it.
            asked = set(self.managed.frozen(name for name in names if name in self.generation.records))
            if force:
                asked |= set(chosen) if names else set(chosen) - set(self.managed.frozen())
            changes = self._unsettled.find_all(self.bindings.wanted(), chosen if names else None)
            found = Refusal() if asked else self._ladder.find(changes, migrating=migrate)
            if isinstance(found, Refusal):
                plan = self._ladder.explain(self._ladder.plan(changes, asked), found)
                if dry_run:
                    return replace(describe_plan(plan, self.generation), survivors=self.survivors())
                report = self._executor.carry_out(plan, migrating=migrate)
            elif dry_run:
                return replace(self._ladder.describe(found), survivors=self.survivors(), dry_run=True)
            else:
                report = replace(self._ladder.take(found, migrating=migrate, gate=OPEN), survivors=self.survivors())
            self._unsettled.keep_texts(report)
            if not names:
                self._unsettled.settle(report, with_skipped=True)
            if report or report.error is not None:
                return report
            records = self.generation.records
            return replace(report, unknown=tuple(name for name in chosen if not records[name].snapshot.is_known()))

    def status(self, *, scan: bool = False) -> StatusReport:
        """Return the loaded modules with their state on disk, and what lives of replaced generations.

        Args:
            scan: count all that lives, with one scan of the heap; else what weak records and names know.
        """
        from exocet_ipython.notebook.old.status import StatusReport, describe_modules  # noqa: PLC0415 - only commands need it

        with PUBLISHING:
            self.managed.adopt(*self.bindings.modules())
            changes = self.managed.changes(list(self.generation.records))
            changes += self.managed.stale.changes(self.generation.records)
            modules = describe_modules(self.generation, changes, self.managed.frozen())
            retired, gone = self.old.describe(scan=scan)
            return StatusReport(self.generation.number, modules, retired, self.managed.files.limits, gone)

    def survivors(self) -> tuple[Survivor, ...]:
        """Return what the notebook's names and `Out` hold of replaced generations."""
        return self.old.named()

    def refresh(
        self,
        noticed: Suspicion,
        *,
        migrating: bool = False,
        limit: float | None = None,
        gate: AbstractContextManager[object] = OPEN,
    ) -> ReloadReport:
        """Reload what really changed of what was noticed; as `reload` does, with the error in the report.

        What failed or was left undone is not tried again, nor said again, while the files are the same.

        Args:
            noticed: where to look.
            migrating: move what survives of the replaced modules to the new ones.
            limit: seconds; what took longer when it ran last is left for `reload`, and the report says so.
            gate: entered to publish; what it raises then leaves everything as it was.
        """
        with PUBLISHING:
            changes = self._unsettled.find(noticed, self.bindings.wanted())
            if changes is None:
                return ReloadReport(self.generation.number)
            found = self._ladder.find(changes, migrating=migrating)
            if isinstance(found, Refusal):
                plan = self._ladder.explain(self._ladder.plan(changes), found)
                if waiting := self._ladder.would_take(plan, limit):
                    report = ReloadReport(self.generation.number, skipped=describe_steps(plan.skipped), waiting=waiting)
                else:
                    report = self._executor.carry_out(plan, migrating=migrating, gate=gate)
            else:
                report = self._ladder.take(found, migrating=migrating, gate=gate)
            self._unsettled.keep_texts(report)
            self._unsettled.settle(report)
            return report

    def note_interrupt(self) -> bool:
        """Note that a `refresh` was interrupted; return whether these files are left for `reload`: the second time."""
        return self._unsettled.note_interrupt()

    def reconsider(self) -> None:
        """Let the next `refresh` try again what failed or was left undone: by other settings it may be done."""
        self._unsettled.reopen()

    def learn(self, cell: str, *, failed: bool = False, error: BaseException | None = None) -> None:
        """Learn from the text of a cell that ran, to its end or not, which names it bound.

        Args:
            cell: its text.
            failed: whether it may have failed.
            error: what it raised; an import that failed is tried again by `import_awaited`.
        """
        if may_bind(cell):
            self.bindings.learn(cell, self.managed.public_names, self.namespace, failed=failed or error is not None)
            self._awaited.note(cell, error)

    def import_awaited(self) -> Retried:
        """Bind what cells could not import when they ran, where that is possible by now; return what came of it."""
        retried = self._awaited.retry()
        for statement in (*retried.bound, *retried.optional):
            self.bindings.add(statement, self.managed.public_names, is_needed=statement in retried.bound)
        return retried

    def _note_left(self, records: list[ModuleRecord]) -> None:
        self.old.note_left(records)
        self._ladder.left_behind = True

    def _load(self, name: str, attributes: Sequence[str]) -> ModuleType:
        packages = with_packages(name)
        self.managed.adopt(*packages)
        self.managed.join(name)
        wanted = [package for package in packages if package not in self.generation.records]
        plan = self._ladder.plan(self.managed.changes([name]), [name, *wanted])
        report = self._executor.carry_out(replace(plan, wanted=tuple((name, attribute) for attribute in attributes)))
        if report.error is not None:
            raise report.error
        return self.generation.records[name].module
