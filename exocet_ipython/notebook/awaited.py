"""Imports of cells that failed: made again, for the names that they left out, when what stood in their way is another.

After a restart these cells would run on the files of now. Only cells that do nothing but import are looked at: of
others nobody knows what would have come after the import.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from exocet_ipython.loading.files import stamp_file
from exocet_ipython.loading.listings import forget_listings
from exocet_ipython.loading.names import with_packages
from exocet_ipython.loading.source import find_spec_of
from exocet_ipython.notebook.names.cells import read_cell
from exocet_ipython.notebook.names.events import CellImport
from exocet_ipython.reloading.joining.afterwards import only_imports

__all__ = ["AwaitedImports", "say_bound"]


@dataclass(frozen=True, slots=True)
class _Awaited:
    """An import that failed, the files that its error came from, and how they and its module's were then.

    Among the modules is the one that another module asked for in vain, or for something of it.
    """

    statement: CellImport
    files: frozenset[str]
    sought: str
    state: frozenset[object]


class AwaitedImports:
    """The imports that cells have tried in vain.

    Args:
        namespace: the notebook's names.
        is_own: says of a file whether it is the person's.

    >>> AwaitedImports({}, bool)
    <0 imports that failed>
    """

    def __init__(self, namespace: dict[str, Any], is_own: Callable[[str], bool]) -> None:
        self._namespace = namespace
        self._is_own = is_own
        self._awaited: list[_Awaited] = []

    def __repr__(self) -> str:
        return f"<{len(self._awaited)} imports that failed>"

    def __bool__(self) -> bool:
        return bool(self._awaited)

    def note(self, cell: str, error: BaseException | None) -> None:
        """Note the imports of a cell that has failed, and forget those whose names cells have bound since.

        Args:
            cell: its text.
            error: what it raised; None where it ran to its end.
        """
        self._awaited = [one for one in self._awaited if one.statement.name not in self._namespace]
        if isinstance(error, Exception) and only_imports(cell):
            found = [one for one in read_cell(cell) if isinstance(one, CellImport) and one.name not in self._namespace]
            known = {one.name for one in found}
            self._awaited = [one for one in self._awaited if one.statement.name not in known]
            self._await(found, error)

    def retry(self) -> list[CellImport]:
        """Import what can be imported by now, and bind it; return what was bound."""
        waiting, self._awaited = self._awaited, []
        bound = []
        for one in waiting:
            if one.statement.name in self._namespace:
                continue
            if self._state(one.statement, one.files, one.sought) == one.state:
                self._awaited.append(one)
                continue
            try:
                value = _value_of(one.statement)
            except Exception as error:  # noqa: BLE001 - whatever a body raises: the cell would show it, not we
                self._await([one.statement], error)
            else:
                self._namespace[one.statement.name] = value
                bound.append(one.statement)
        return bound

    def _await(self, statements: Iterable[CellImport], error: Exception) -> None:
        files = frozenset(file for file in _files_of(error) if self._is_own(file))
        sought = (isinstance(error, ImportError) and error.name) or ""
        self._awaited += [
            _Awaited(one, files, sought, self._state(one, files, sought)) for one in statements if one.name != "*"
        ]

    def _state(self, statement: CellImport, files: Collection[str], sought: str) -> frozenset[object]:
        """Return what is equal as long as an import would come to the same, by the stamps of the person's files."""
        forget_listings()
        attribute = () if statement.attribute is None else (f"{statement.module}.{statement.attribute}",)
        names = (*with_packages(statement.module), *attribute, *(with_packages(sought) if sought else ()))
        specs = [find_spec_of(name) for name in names]
        origins = {spec.origin for spec in specs if spec is not None and spec.origin is not None}
        return frozenset((file, _stamp(file)) for file in {*files, *filter(self._is_own, origins)})


def say_bound(names: Collection[str]) -> None:
    """Tell the person which names have been bound.

    >>> say_bound(["tools", "run"])
    imported now, which failed before: tools, run
    """
    if names:
        print(f"imported now, which failed before: {', '.join(names)}")  # noqa: T201 - for the person


def _value_of(statement: CellImport) -> Any:
    """Return what an import statement binds.

    Raises:
        Exception: whatever comes of importing it.
    """
    space: dict[str, Any] = {}
    name, module, attribute = statement.name, statement.module, statement.attribute
    exec(  # noqa: S102 - the statement of the cell
        f"import {module} as {name}" if attribute is None else f"from {module} import {attribute} as {name}", space
    )
    return space[name]


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


def _stamp(file: str) -> object:
    try:
        return stamp_file(file) if os.path.isabs(file) else None
    except OSError:
        return None
