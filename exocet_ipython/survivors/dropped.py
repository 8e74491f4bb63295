"""Variables of the call that made a closure which its new code does without.

The closure keeps them itself, as it has kept them before: where a line is commented out, and is back with the next
edit, nothing else knows what that call was given.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import CellType, FunctionType
from typing import Any

from exocet_ipython.loading.references import OwnReference

__all__ = ["dropped_by", "dropped_values", "keep_dropped"]

_PLACE = "__exocet_dropped__"  # in the dict of a function


@dataclass(slots=True, eq=False, repr=False)
class _Dropped:
    """What a function keeps; `functools.wraps` gives the same to a wrapper, which is none of it."""

    owner: OwnReference[FunctionType]
    cells: Mapping[str, CellType]

    def __repr__(self) -> str:
        return f"<variables: {', '.join(self.cells)}>"

    def __reduce__(self) -> tuple[type[object], tuple[()]]:
        return object, ()  # elsewhere no edit asks for it


def dropped_by(function: FunctionType) -> Mapping[str, CellType]:
    """Return the variables that the code of a function does without, and that code of its has had before.

    >>> def show(): return "shown"
    >>> keep_dropped(show, {"n": CellType(2)})
    >>> dropped_by(show)["n"].cell_contents, dropped_by(lambda: None)
    (2, {})
    """
    found = vars(function).get(_PLACE)
    return found.cells if type(found) is _Dropped and found.owner() is function else {}


def dropped_values(function: FunctionType) -> dict[str, Any]:
    """Return what these variables are; one that was never assigned is left out."""
    found = {}
    for name, cell in dropped_by(function).items():
        with contextlib.suppress(ValueError):
            found[name] = cell.cell_contents
    return found


def keep_dropped(function: FunctionType, cells: Mapping[str, CellType]) -> None:
    """Have a function keep variables that its code does without, and no others."""
    vars(function).pop(_PLACE, None)
    if cells:
        vars(function)[_PLACE] = _Dropped(OwnReference(function), cells)
