"""Where the operations of a code object stand in its text: read, moved to other lines, and written.

The table is described in CPython's `Objects/locations.md`, and written as `Python/assemble.c` does.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from types import CodeType
from typing import Any, TypeAlias

from exocet_ipython.reloading.ladder.operations import is_class_body, iter_operations

__all__ = ["Position", "moved", "read_positions", "with_positions"]

# First and last line, first and last column; None where there is none.
Position: TypeAlias = tuple[int | None, int | None, int | None, int | None]
_IS_MERGED = sys.version_info >= (3, 12)  # operations that stand at one place share an entry
_NOTES_LINES = sys.version_info >= (3, 13)  # a class has the line where it begins as a constant
_LINE = "__firstlineno__"
# Kinds of entries, by the number in their head; below the first, that number is part of a column.
_ONE_LINE, _NO_COLUMNS, _LONG, _NOTHING = 10, 13, 14, 15
_SHORT_COLUMN, _SHORT_WIDTH = 80, 16  # before these, an entry on the same line takes two bytes
_NEAR_LINES, _NEAR_COLUMN = 3, 128  # before these, one on the same line or soon after takes three
_MORE = 0x40  # the numbers of the others have six bits to a byte, this one where more follow
_CACHE = 0
_UNITS = 8  # of two bytes each, at most, in one entry


def read_positions(
    code: CodeType, operations: Iterable[tuple[int, int, Any]]
) -> tuple[list[tuple[int, int]], list[Position]]:
    """Return where each operation of a code object begins and ends, in units of two bytes, and each unit's position.

    What extends an argument, and what follows for specialisation, belongs to an operation.

    Args:
        code: the code object.
        operations: those of it; see `iter_operations`.
    """
    raw, spans, start = code.co_code, [], 0
    for offset, _, _ in operations:
        stop = offset + 2
        while stop < len(raw) and raw[stop] == _CACHE:
            stop += 2
        spans.append((start, stop // 2))
        start = stop // 2
    return spans, list(code.co_positions())


def with_positions(code: CodeType, spans: Sequence[tuple[int, int]], positions: Sequence[Position]) -> CodeType:
    """Return code whose operations stand elsewhere; see `read_positions`."""
    if _IS_MERGED:
        entries = [(position, len(list(units))) for position, units in groupby(positions)]
    else:
        entries = [(positions[start], stop - start) for start, stop in spans]
    return code.replace(co_linetable=b"".join(_encode(entries, code.co_firstlineno)))


def moved(code: CodeType, shift: int) -> CodeType:
    r"""Return code as it is compiled from a text where it stands some lines further down, or up.

    Raises:
        ValueError: a class's line can't be told from another constant of its body.

    >>> code = compile("def f():\n    return 1", "m.py", "exec").co_consts[0]
    >>> moved(code, 2) == compile("\n\ndef f():\n    return 1", "m.py", "exec").co_consts[0]
    True
    """
    consts = [moved(const, shift) if type(const) is CodeType else const for const in code.co_consts]
    if _NOTES_LINES and is_class_body(code) and _LINE in code.co_names:
        _move_noted(code, consts, shift)
    return code.replace(co_firstlineno=code.co_firstlineno + shift, co_consts=tuple(consts))


def _move_noted(code: CodeType, consts: list[object], shift: int) -> None:
    """Put the line of a class in its place among the constants of its body."""
    line = code.co_firstlineno
    loads = [argument for _, _, argument in iter_operations(code) if type(argument) is int and argument == line]
    places = [place for place, const in enumerate(consts) if type(const) is int and const in (line, line + shift)]
    if len(places) != 1 or len(loads) != 1:
        raise ValueError(line)
    consts[places[0]] = line + shift


def _encode(entries: Sequence[tuple[Position, int]], before: int) -> Iterator[bytes]:
    """Yield a table of positions; `before` is the line that the first one is relative to."""
    for (line, end_line, column, end_column), units in entries:
        for done in range(0, units, _UNITS):
            size = min(units - done, _UNITS)
            if line is None:
                yield _head(_NOTHING, size)
            else:
                yield _entry(size, line - before, (end_line or line) - line, column, end_column)
                before = line


@lru_cache(10_000)
def _entry(size: int, ahead: int, more: int, column: int | None, end_column: int | None) -> bytes:
    """Return one entry: of how many units, how many lines ahead of the last one, and how many lines more it takes."""
    if column is None or end_column is None:
        return _head(_NO_COLUMNS, size) + _signed(ahead)
    if not more and not ahead and column < _SHORT_COLUMN and 0 <= end_column - column < _SHORT_WIDTH:
        return _head(column >> 3, size) + bytes([(column & 7) << 4 | (end_column - column)])
    if not more and 0 <= ahead < _NEAR_LINES and max(column, end_column) < _NEAR_COLUMN:
        return _head(_ONE_LINE + ahead, size) + bytes([column, end_column])
    return _head(_LONG, size) + _signed(ahead) + b"".join(map(_varint, (more, column + 1, end_column + 1)))


def _head(kind: int, size: int) -> bytes:
    return bytes([0x80 | kind << 3 | (size - 1)])


def _signed(number: int) -> bytes:
    return _varint(-number << 1 | 1 if number < 0 else number << 1)


def _varint(number: int) -> bytes:
    parts = bytearray()
    while number >= _MORE:
        parts.append(_MORE | number & (_MORE - 1))
        number >>= 6
    parts.append(number)
    return bytes(parts)
