"""What is remembered of an automatic reload that failed or was left undone, so that it is said once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from exocet_ipython.loading.source import digest_of
from exocet_ipython.notebook.report import ReloadReport
from exocet_ipython.reloading.noticing.changes import Change, Suspicion

__all__ = ["Attempt", "sign_changes"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One reload that left the session behind the files.

    Attributes:
        signature: of the changes, as `sign_changes` gives it.
        is_open: whether it is to be tried again with the next change; what is frozen stays as it is.
        needs_module: whether it failed for want of a module, which may appear.
    """

    signature: frozenset[object] = frozenset()
    is_open: bool = False
    needs_module: bool = False

    @classmethod
    def of(cls, report: ReloadReport, signature: frozenset[object]) -> Attempt:
        """Return what to remember of a reload; nothing where nothing was left undone."""
        is_open = report.error is not None or bool(report.waiting)
        if not (is_open or report.skipped):
            return cls()
        return cls(signature, is_open=is_open, needs_module=isinstance(report.error, ImportError))

    def is_repeated(self, signature: frozenset[object], noticed: Suspicion) -> bool:
        """Say whether a reload of these changes would come to the same."""
        return signature == self.signature and not (noticed.appeared and self.needs_module)


def sign_changes(changes: Iterable[Change]) -> frozenset[object]:
    """Return what two sets of changes have in common only when the files' contents are the same as well.

    >>> sign_changes([])
    frozenset()
    """
    return frozenset((change.name, change.kind, _digest(change.path)) for change in changes)


def _digest(path: str) -> str:
    try:
        return digest_of(Path(path).read_bytes())
    except (OSError, ValueError):  # ValueError: a null character
        return ""
