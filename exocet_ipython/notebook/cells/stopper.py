"""Stopping a cell before any of it runs: after a reload that failed or was interrupted."""

from __future__ import annotations

import ast
import threading
from typing import Any

from IPython.core.error import InputRejected

__all__ = ["CellStopper"]


class CellStoppedError(InputRejected):
    """A cell was not run; rendered as the one line that says why."""

    def _render_traceback_(self) -> list[str]:
        return [f"The cell did not run: {self}"]


class CellStopper(ast.NodeTransformer):
    """Stops the next cell of a thread, when it was told to, before any of it runs.

    An exception in an event callback is swallowed and the cell runs all the same; IPython lets InputRejected pass,
    and keeps the transformer that raised it. It is among the transformers only while a cell is to be stopped: with
    one there, IPython goes through each cell's tree once more.

    Args:
        transformers: the shell's `ast_transformers`.
    """

    def __init__(self, transformers: list[Any]) -> None:
        self._transformers = transformers
        self._reasons: dict[int, str] = {}  # thread -> why its next cell is not to run

    def stop(self, reason: str) -> None:
        """Let the cell that is about to run in this thread not run."""
        self._reasons[threading.get_ident()] = reason
        if self not in self._transformers:
            self._transformers.append(self)

    def relent(self) -> None:
        """Let the next cell of this thread run: the one that was to be stopped didn't parse, and never came here."""
        if self._reasons:
            self._withdraw()

    def visit(self, node: ast.AST) -> ast.AST:
        """Return the cell as it is, or reject it once."""
        if reason := self._withdraw():
            raise CellStoppedError(reason)
        return node

    def take_off(self) -> None:
        """Stop no cell any more."""
        self._reasons.clear()
        self._withdraw()

    def _withdraw(self) -> str:
        """Return why this thread's cell is not to run, and forget it."""
        reason = self._reasons.pop(threading.get_ident(), "")
        if not self._reasons:
            self._transformers[:] = [other for other in self._transformers if other is not self]
        return reason
