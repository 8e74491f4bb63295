"""Imports of cells that failed: made again, for the names that they left out, when what stood in their way is another.

After a restart these cells would run on the files of now. Only cells that do nothing but import are looked at, and
statements that do without an import that fails: of others nobody knows what would have come after the import.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from exocet_ipython.loading.names import with_packages
from exocet_ipython.loading.source import Snapshot
from exocet_ipython.notebook.cells.optional import OptionalImports
from exocet_ipython.notebook.names.again import import_again, import_state, is_loaded
from exocet_ipython.notebook.names.cells import read_cell
from exocet_ipython.notebook.names.events import CellImport
from exocet_ipython.reloading.datafiles.wanted import find_wanted
from exocet_ipython.reloading.joining.afterwards import only_imports

__all__ = ["AwaitedImports", "Retried", "say_bound"]


@dataclass(frozen=True, slots=True)
class _Awaited:
    """An import that failed, the files that its error came from, and how they and its module's were then.

    Among the modules is the one that another module asked for in vain, or for something of it; `data` may have been
    wanted.
    """

    statement: CellImport
    files: frozenset[str]
    data: tuple[Snapshot, ...]
    sought: str
    state: frozenset[object]


@dataclass(frozen=True, slots=True)
class Retried:
    """What came of trying imports again.

    Attributes:
        bound: what failed before.
        optional: what failed before, and the cell did without.
        lost: what succeeded before, and the cell does without now.
    """

    bound: Sequence[CellImport] = ()
    optional: Sequence[CellImport] = ()
    lost: Sequence[CellImport] = ()


class AwaitedImports:
    """The imports that cells have tried in vain, and those that they can do without.

    Args:
        namespace: the notebook's names.
        is_own: says of a file whether it is the person's.
        follow: told which data files the imports that failed may have wanted.

    >>> AwaitedImports({}, bool, bool)
    <0 imports that failed>
    """

    def __init__(
        self,
        namespace: dict[str, Any],
        is_own: Callable[[str], bool],
        follow: Callable[[tuple[Snapshot, ...]], object],
    ) -> None:
        self._namespace = namespace
        self._is_own = is_own
        self._follow = follow
        self._awaited: list[_Awaited] = []
        self._data: tuple[Snapshot, ...] = ()
        self._optional = OptionalImports(namespace, is_own)

    def __repr__(self) -> str:
        return f"<{len(self._awaited)} imports that failed>"

    def __bool__(self) -> bool:
        return bool(self._awaited or self._optional)

    def note(self, cell: str, error: BaseException | None) -> None:
        """Note the imports of a cell that failed, or may fail, and forget those whose names cells have bound since.

        Args:
            cell: its text.
            error: what it raised; None where it ran to its end.
        """
        self._optional.note(cell)
        self._awaited = [one for one in self._awaited if self._is_missing(one.statement)]
        if isinstance(error, Exception) and only_imports(cell):
            found = [one for one in read_cell(cell) if isinstance(one, CellImport) and self._is_missing(one)]
            known = {one.name for one in found}
            self._awaited = [one for one in self._awaited if one.statement.name not in known]
            self._await(found, error)
        self._follow_data()

    def retry(self) -> Retried:
        """Import what can be imported by now, and bind it; run again what takes another branch by now."""
        waiting, self._awaited = self._awaited, []
        bound: list[CellImport] = []
        for one in waiting:
            if not self._is_missing(one.statement):
                continue
            if self._state(one.statement, one.files, one.sought) == one.state:
                self._awaited.append(one)
                continue
            try:
                value = import_again(one.statement)
            except Exception as error:  # noqa: BLE001 - whatever a body raises: the cell would show it, not we
                self._await([one.statement], error)
            else:
                self._namespace[one.statement.name] = value
                bound.append(one.statement)
        if waiting:
            self._follow_data()
        return Retried(bound, *self._optional.retry())

    def _is_missing(self, statement: CellImport) -> bool:
        return statement.name not in self._namespace or not is_loaded(statement)

    def _await(self, statements: Iterable[CellImport], error: Exception) -> None:
        data = find_wanted(error, self._is_own)
        files = frozenset(file for file in _files_of(error) if self._is_own(file))
        files |= {str(snapshot.path) for snapshot in data}
        sought = (isinstance(error, ImportError) and error.name) or ""
        self._awaited += [
            _Awaited(one, files, data, sought, self._state(one, files, sought)) for one in statements if one.name != "*"
        ]

    def _follow_data(self) -> None:
        data = tuple({id(snapshot): snapshot for one in self._awaited for snapshot in one.data}.values())
        if data != self._data:
            self._data = data
            self._follow(data)

    def _state(self, statement: CellImport, files: Collection[str], sought: str) -> frozenset[object]:
        return import_state([*statement.modules, *(with_packages(sought) if sought else ())], self._is_own, files)


def say_bound(retried: Retried) -> None:
    """Tell the person which names have been bound.

    >>> say_bound(Retried([CellImport("tools", "tools")], [], [CellImport("run", "fast", "run")]))
    imported now, which failed before: tools
    can no longer be imported, so that the cell does without it: run
    """
    if names := ", ".join(one.submodule or one.name for one in (*retried.bound, *retried.optional)):
        print(f"imported now, which failed before: {names}")  # noqa: T201 - for the person
    if names := ", ".join(one.submodule or one.name for one in retried.lost):
        print(f"can no longer be imported, so that the cell does without it: {names}")  # noqa: T201 - likewise


def _files_of(error: BaseException | None) -> Iterator[str]:
    """Yield the files that an error came from, those of the errors that it followed among them."""
    while error is not None:
        if isinstance(error, SyntaxError) and error.filename:
            yield error.filename
        trace = error.__traceback__
        while trace is not None:
            yield trace.tb_frame.f_code.co_filename
            trace = trace.tb_next
        error = error.__cause__ or error.__context__
