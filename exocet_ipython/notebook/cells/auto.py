"""Automatic reloading: ordinary imports join the session, and each cell runs on the code that is on disk.

IPython calls `before_cell` also for a cell inside a running one (`%%capture`), in subshell threads while the main
shell runs a cell, and its calls before and after a cell don't pair up. So a cell that is not alone publishes nothing:
what was noticed is kept for the next one that is.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from exocet_ipython.loading.tracebacks import where_raised
from exocet_ipython.notebook.cells.autoreload import AutoreloadGuard
from exocet_ipython.notebook.cells.awaited import say_bound
from exocet_ipython.notebook.cells.running import CellRunning, RunningCells
from exocet_ipython.notebook.cells.stopper import CellStopper
from exocet_ipython.notebook.executor import OPEN
from exocet_ipython.notebook.report import ReloadReport
from exocet_ipython.notebook.session import Session
from exocet_ipython.notebook.settings import Exocet
from exocet_ipython.reloading.generation import PUBLISHING
from exocet_ipython.reloading.joining.afterwards import only_imports
from exocet_ipython.reloading.noticing.suspicions import EVERYTHING, NOTHING, Suspicion
from exocet_ipython.survivors.finding.records import Survivor

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["AutoReload", "AutoState", "as_in_cell"]

_FAILED = (
    "the reload before it failed, and c.Exocet.on_error is 'stop'. Repair the file, or run the cell again on old code"
)
_INTERRUPTED = "the reload before it was interrupted{}. All is as it was; run the cell again to reload"
_INTERRUPTED_AGAIN = (
    "the reload before it was interrupted{} once more. All is as it was, and cells run on old code from now on; "
    "the next change of a file reloads, and so does %exoreload"
)
_INTERRUPTED_LATE = "it was interrupted when the reload before it was done. Run the cell again"


@dataclass(frozen=True, slots=True)
class AutoState:
    """Whether automatic reloading is on: what `%exoauto` returns, which may stay in `Out` and holds nothing.

    Attributes:
        is_on: that.
        waiting: the old instances that were only tracked before it was turned on, as far as names hold them.

    >>> AutoState(is_on=True)
    <automatic reloading: on>
    """

    is_on: bool
    waiting: tuple[Survivor, ...] = ()

    def __bool__(self) -> bool:
        return self.is_on

    def __repr__(self) -> str:
        waiting = "; ".join(map(str, self.waiting))
        until = f"; {waiting}, until the next reload or %exomigrate" if waiting else ""
        return f"<automatic reloading: {'on' if self.is_on else 'off'}{until}>"


class AutoReload:
    """Reloads before each cell what changed on disk, while it is on.

    Args:
        session: what reloads.
        settings: whether survivors move, and what happens to a cell after a failure.
        show_report: shows a report of a reload that did something.
        show_error: shows an error as the shell does.
        at_work: puts around module bodies what a cell finds around it.
        guard: keeps IPython's `%autoreload` off the modules of the session while it is on.
        transformers: the shell's `ast_transformers`; among them is what stops a cell.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of a shell that it needs, and no shell
        self,
        session: Session,
        settings: Exocet,
        show_report: Callable[[ReloadReport], object],
        show_error: Callable[[BaseException], object],
        at_work: Callable[[], AbstractContextManager[object]],
        guard: AutoreloadGuard,
        transformers: list[Any],
    ) -> None:
        self.stopper = CellStopper(transformers)
        self._session = session
        self._settings = settings
        self._show_report = show_report
        self._show_error = show_error
        self._at_work = at_work
        self._guard = guard
        self._cells = RunningCells()
        self._lock = threading.Lock()  # of the one below
        self._noticed = NOTHING
        self._has_news = False  # for imports that failed: something has changed since they were tried

    def __repr__(self) -> str:
        return repr(AutoState(self.is_on))

    @property
    def is_on(self) -> bool:
        """Whether it is on."""
        return self._session.managed.follows

    def turn_on(self) -> None:
        """Let first imports join the session from now on, and follow the files of all own modules."""
        self._session.managed.start_following(self._guard.looked_at())
        self._guard.keep_off(self._session.managed.names)

    def turn_off(self) -> None:
        """Stop; what was loaded stays as it is."""
        self._session.managed.stop_following()
        self._guard.let_go()
        self._noticed = NOTHING

    def reconsider(self) -> None:
        """Look at everything before the next cell, and try again what was left undone: a setting is another one."""
        self._session.reconsider()
        self._keep(EVERYTHING)

    def before_cell(self, info: Any) -> None:
        """Reload what changed, if the cell that is about to run is alone."""
        self.stopper.relent()
        is_inner = self._cells.begin(info)
        managed = self._session.managed
        managed.begin_cell("" if is_inner else info.raw_cell)
        if not managed.follows:
            return
        before = managed.generation.number
        try:
            self._bring_up_to_date(info)
        except KeyboardInterrupt as error:
            if managed.generation.number != before:
                self.stopper.stop(_INTERRUPTED_LATE)
                return
            where = where_raised(error, partial(managed.scope.includes, ""))
            reason = _INTERRUPTED_AGAIN if self._session.note_interrupt() else _INTERRUPTED
            self.stopper.stop(reason.format(f" at {where}" if where else ""))

    def after_cell(self, result: Any) -> None:
        """Note what the cell has imported; it joins the session before the next cell.

        Args:
            result: what IPython tells of the cell; None for one that awaited something and was interrupted.
        """
        self._cells.end(None if result is None else result.info)
        managed = self._session.managed
        managed.end_cell()
        if managed.follows:
            self._guard.keep_off(managed.names)

    def catch_up(self) -> BaseException | None:
        """Reload at once what changed: the rest of the cell that has turned it on runs on the code on disk, too.

        While another thread runs a cell, it is left for the next one.

        Returns:
            the error for which the cell is to stop, if there is one; it was shown.
        """
        return self._reload(OPEN) if self._notices() and self._cells.is_alone(None, within=True) else None

    def _notices(self) -> bool:
        """Note what changed since the last cell; say whether that, or what was kept, is to be reloaded."""
        self._session.managed.collect_claims()
        if noticed := self._session.managed.files.suspects():
            self._keep(noticed)
        return bool(self._noticed)

    def _bring_up_to_date(self, info: Any) -> None:
        """Reload what changed before a cell, or keep it for the next one that is alone."""
        if self._notices():
            self._has_news = True
            if self._cells.is_alone(info) and PUBLISHING.acquire(blocking=False):
                try:
                    if self._reload(self._cells.alone(info)) is not None:
                        self.stopper.stop(_FAILED)
                finally:
                    PUBLISHING.release()
        if self._has_news and self._session.awaits and not only_imports(info.raw_cell) and self._cells.is_alone(info):
            self._has_news = False
            with self._at_work():
                bound = self._session.import_awaited()
            if self._settings.report != "quiet":
                say_bound(bound)

    def _keep(self, noticed: Suspicion) -> None:
        with self._lock:
            self._noticed |= noticed

    def _reload(self, gate: AbstractContextManager[object]) -> BaseException | None:
        """Reload what was noticed; return the error for which a cell is to stop, if there is one."""
        with self._lock:
            noticed, self._noticed = self._noticed, NOTHING
        migrating = self._settings.instances != "track"
        try:
            with self._at_work():
                report = self._session.refresh(
                    noticed, migrating=migrating, limit=self._settings.rerun_limit, gate=gate
                )
        except CellRunning:
            self._keep(noticed)
            return None
        except BaseException:
            self._keep(noticed)
            raise
        if report.error is not None:
            self._show_error(report.error)
        self._session.managed.files.shown.show()  # for the cell, which may run on old code
        if report.error is not None and self._settings.on_error == "stop":
            return report.error
        if (report or report.error is not None) and self._settings.report != "quiet":
            self._show_report(report)
        return None


@contextmanager
def as_in_cell(shell: InteractiveShell) -> Iterator[None]:
    """Let the block find what a cell finds around it: IPython's builtins, and its hooks for results and errors.

    What the block makes the hook for errors is put back, as after a cell: see `InteractiveShell.run_code`.
    """
    with shell.builtin_trap, shell.display_trap:
        before, sys.excepthook = sys.excepthook, shell.excepthook
        try:
            yield
        finally:
            sys.excepthook = before
