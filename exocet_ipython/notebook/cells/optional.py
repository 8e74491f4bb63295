"""Imports that cells can do without: their statements run again when these come out otherwise than they did.

After a restart `try: import fast`, `except ImportError: fast = None` takes the other branch once the file is there, or
is gone. Only statements that bind names and do nothing else run again.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any

from exocet_ipython.loading.cells import texts_of_cells
from exocet_ipython.notebook.names.again import import_again, import_state, is_loaded
from exocet_ipython.notebook.names.events import CellImport
from exocet_ipython.notebook.names.optional import OptionalImport, names_bound, read_optional, statements_binding
from exocet_ipython.notebook.names.sources import Source, is_bound

__all__ = ["OptionalImports"]


@dataclass(frozen=True, slots=True)
class _Known:
    """A statement that ran, and the name under which its text is kept for tracebacks.

    Attributes:
        missed: what is equal as long as the import that failed would fail again; None where all succeeded.
        before: what its names were before the run of ours in which all succeeded; None where that was the cell's own.
    """

    statement: OptionalImport
    file: str
    missed: frozenset[object] | None
    before: dict[str, Any] | None = None


class OptionalImports:
    """The imports that cells have tried, and can do without.

    Args:
        namespace: the notebook's names.
        is_own: says of a file whether it is the person's.

    >>> OptionalImports({}, bool)
    <0 optional imports>
    """

    def __init__(self, namespace: dict[str, Any], is_own: Callable[[str], bool]) -> None:
        self._namespace = namespace
        self._is_own = is_own
        self._known: list[_Known] = []

    def __repr__(self) -> str:
        return f"<{len(self._known)} optional imports>"

    def __bool__(self) -> bool:
        return bool(self._known)

    def note(self, cell: str) -> None:
        """Note the optional imports of a cell that ran, and forget those whose names it has bound otherwise.

        Args:
            cell: its text.
        """
        if self._known:
            bound = names_bound(cell)
            self._known = [one for one in self._known if one.statement.agrees_with(bound)]
        found = list(read_optional(cell))
        file = _file_of(cell) if found else ""
        self._known += [_Known(one, file, self._state(one) if self._is_missing(one) else None) for one in found]

    def retry(self) -> tuple[list[CellImport], list[CellImport]]:
        """Run again the statements that take another branch by now; return the imports that succeed, and that fail."""
        known, self._known = self._known, []
        gained: list[CellImport] = []
        lost: list[CellImport] = []
        for one in known:
            fell_back = one.missed is not None
            is_same = self._state(one.statement) == one.missed if fell_back else not self._is_missing(one.statement)
            succeeds = not fell_back if is_same else all(map(_succeeds, one.statement.imports))
            before = self._values(one) if fell_back else one.before
            if succeeds == fell_back:
                if self._runs_again(one):
                    (gained if succeeds else lost).extend(one.statement.imports)
                else:
                    succeeds = False
            if succeeds:
                self._known.append(replace(one, missed=None, before=before))
            else:
                self._known.append(replace(one, missed=self._state(one.statement), before=None))
        return gained, lost

    def _runs_again(self, known: _Known) -> bool:
        """Run a statement; say whether it ran to its end. Where it did not, its names are what they were.

        One that succeeded finds them as they were before.
        """
        before = self._values(known)
        if known.before is not None:
            self._set(known, known.before)
        elif known.missed is None:
            self._say_again(known)
        try:
            exec(compile(known.statement.text, known.file, "exec", dont_inherit=True), self._namespace)  # noqa: S102 - the statement of the cell
        except Exception:  # noqa: BLE001 - what its handlers don't take: the cell would show it, not we
            self._set(known, before)
            return False
        return True

    def _values(self, known: _Known) -> dict[str, Any]:
        """Return what the names of a statement are."""
        return {name: self._namespace[name] for name in known.statement.names & self._namespace.keys()}

    def _set(self, known: _Known, values: dict[str, Any]) -> None:
        for name in known.statement.names & self._namespace.keys() - values.keys():
            del self._namespace[name]
        self._namespace.update(values)

    def _say_again(self, known: _Known) -> None:
        """Give the names of a statement what cells had given them when it ran, as far as their texts say it.

        `fast = None` in front of it, or in a cell before.
        """
        cells = {name: "".join(lines) for name, lines in reversed([*texts_of_cells()])}
        earlier = [text for _, text in takewhile(lambda cell: cell[0] != known.file, cells.items())]
        own = cells.get(known.file, "").splitlines(keepends=True)[: known.statement.line - 1]
        names = known.statement.names
        for text in statements_binding([*earlier, "".join(own)], names):
            bound = names_bound(text).keys() - names
            others = {name: self._namespace[name] for name in bound & self._namespace.keys()}
            with suppress(Exception):  # what it asks for is another by now
                exec(compile(text, known.file, "exec", dont_inherit=True), self._namespace)  # noqa: S102 - a cell's own
            self._namespace.update(others)

    def _state(self, statement: OptionalImport) -> frozenset[object]:
        return import_state((name for one in statement.imports for name in one.modules), self._is_own)

    def _is_missing(self, statement: OptionalImport) -> bool:
        """Say whether one of its imports has not given the notebook what it gives."""
        return not all(
            is_loaded(one) and is_bound(self._namespace, one.name, Source(one.module, one.attribute))
            for one in statement.imports
        )


def _succeeds(statement: CellImport) -> bool:
    try:
        import_again(statement)
    except Exception:  # noqa: BLE001 - whatever a body raises: the statement's own handlers are for it
        return False
    return True


def _file_of(cell: str) -> str:
    """Return the name under which IPython keeps the text of a cell for tracebacks."""
    return next((name for name, lines in texts_of_cells() if "".join(lines) == cell), "<cell>")
