"""The texts of cells, which IPython keeps for tracebacks."""

from __future__ import annotations

import linecache
from collections.abc import Iterator
from typing import Any, TypeGuard

from exocet_ipython.loading.spaces import copy_space

__all__ = ["text_of_cell", "texts_of_cells"]


def texts_of_cells() -> Iterator[tuple[str, list[str]]]:
    """Yield the file name of each cell with its lines, the latest first.

    Others that have no time stamp are among them: texts of retired modules, once they were read.

    >>> linecache.cache["<a cell>"] = 5, None, ["x = 1"], "<a cell>"
    >>> next(texts_of_cells())
    ('<a cell>', ['x = 1'])
    >>> del linecache.cache["<a cell>"]
    """
    for name, entry in reversed(copy_space(linecache.cache).items()):
        if _is_of_cell(entry):
            yield name, entry[2]


def text_of_cell(file: str) -> str | None:
    """Return the text of the cell that has a file name; None where that is no cell's.

    >>> linecache.cache["<a cell>"] = 5, None, ["x = 1"], "<a cell>"
    >>> text_of_cell("<a cell>"), text_of_cell("<another>")
    ('x = 1', None)
    >>> del linecache.cache["<a cell>"]
    """
    entry = linecache.cache.get(file)
    return "".join(entry[2]) if entry is not None and _is_of_cell(entry) else None


def _is_of_cell(entry: Any) -> TypeGuard[tuple[int, None, list[str], str]]:
    return len(entry) == 4 and entry[1] is None  # noqa: PLR2004 - as linecache has it; one to be read yet has one part
