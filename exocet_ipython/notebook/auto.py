"""Automatic reloading: ordinary imports join the session, and each cell runs on the code that is on disk.

IPython calls `before_cell` also for a cell inside a running one (`%%capture`), in subshell threads while the main
shell runs a cell, and its calls before and after a cell don't pair up. So a cell that is not alone publishes nothing:
what was noticed is kept for the next one that is.
"""

from __future__ import annotations

import ast
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any
from weakref import WeakSet

from IPython.core.error import InputRejected
from IPython.core.interactiveshell import InteractiveShell

from exocet_ipython.notebook.report import ReloadReport
from exocet_ipython.notebook.session import Session
from exocet_ipython.notebook.settings import Exocet
from exocet_ipython.reloading.changes import Suspicion
from exocet_ipython.reloading.generation import PUBLISHING

__all__ = ["AutoReload", "CellStopper"]

_FAILED = "the reload before it failed, and c.Exocet.on_error is 'stop'. Repair the file and run the cell again"
_RUNS_CELL = InteractiveShell.run_code.__code__


class CellStoppedError(InputRejected):
    """A cell was not run; rendered as the one line that says why."""

    def _render_traceback_(self) -> list[str]:
        return [f"The cell did not run: {self}"]


class CellStopper(ast.NodeTransformer):
    """Stops the next cell, when it was told to, before any of it runs.

    An exception in an event callback is swallowed and the cell runs all the same; IPython lets InputRejected pass,
    and keeps the transformer that raised it.
    """

    def __init__(self) -> None:
        self.reason = ""

    def visit(self, node: ast.AST) -> ast.AST:
        """Return the cell as it is, or reject it once."""
        if self.reason:
            reason, self.reason = self.reason, ""
            raise CellStoppedError(reason)
        return node


class AutoReload:
    """Reloads before each cell what changed on disk, while it is on.

    Args:
        session: what reloads.
        settings: whether survivors move, and what happens to a cell after a failure.
        show_report: shows a report of a reload that did something.
        show_error: shows an error as the shell does.
    """

    def __init__(
        self,
        session: Session,
        settings: Exocet,
        show_report: Callable[[ReloadReport], object],
        show_error: Callable[[BaseException], object],
    ) -> None:
        self.stopper = CellStopper()
        self._session = session
        self._settings = settings
        self._show_report = show_report
        self._show_error = show_error
        self._noticed = Suspicion()
        self._running: WeakSet[Any] = WeakSet()

    def __repr__(self) -> str:
        return f"<automatic reloading: {'on' if self.is_on else 'off'}>"

    @property
    def is_on(self) -> bool:
        """Whether it is on."""
        return self._session.managed.follows

    def turn_on(self) -> None:
        """Let first imports join the session from now on, and follow the files of all own modules."""
        self._session.managed.start_following()

    def turn_off(self) -> None:
        """Stop; what was loaded stays as it is."""
        self._session.managed.stop_following()
        self._noticed = Suspicion()

    def before_cell(self, info: Any) -> None:
        """Reload what changed, if the cell that is about to run is alone."""
        self._running.add(info)
        if not self.is_on:
            return
        noticed = self._noticed = self._noticed | self._session.managed.suspects()
        if not noticed:
            return
        alone = len(self._running) == 1 and not _other_cells()
        if not alone or not PUBLISHING.acquire(blocking=False):
            return
        try:
            self._noticed = Suspicion()
            self._refresh(noticed)
        except KeyboardInterrupt:
            self._noticed = noticed
            self.stopper.reason = "the reload before it was interrupted. All is as it was; run the cell again to reload"
        finally:
            PUBLISHING.release()

    def after_cell(self, result: Any) -> None:
        """Bring what the cell imported into the session."""
        self._running.discard(result.info)
        if self.is_on:
            self._session.managed.collect_claims()

    def _refresh(self, noticed: Suspicion) -> None:
        report = self._session.refresh(
            noticed, migrating=self._settings.instances != "track", limit=self._settings.rerun_limit
        )
        if report.error is not None:
            # Tried again with the next file that is saved: the repair may be in another one.
            self._session.managed.distrust(noticed)
            self._show_error(report.error)
            if self._settings.on_error == "stop":
                self.stopper.reason = _FAILED
            return
        if report.waiting:
            self._session.managed.distrust(noticed)
        if report and self._settings.report != "quiet":
            self._show_report(report)


def _other_cells() -> bool:
    """Say whether a cell is running in another thread, or around the one that is about to run."""
    own = threading.get_ident()
    for thread, top in list(sys._current_frames().items()):  # noqa: SLF001 - the documented way to see other threads
        frame: FrameType | None = sys._getframe() if thread == own else top  # noqa: SLF001 - likewise
        while frame is not None:
            if frame.f_code is _RUNS_CELL:
                return True
            frame = frame.f_back
    return False
