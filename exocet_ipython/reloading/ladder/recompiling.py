"""The code of a text from that of an earlier one: where only a few functions differ, only these are compiled.

A text is cut where `def`, `class` or a decorator begins a line. What the compiler makes of a part depends on the rest
of the module in nothing but what is imported and where the lines are, once it is certain that a statement begins where
the part does, and that one ends where it does: in the earlier text, since a code object says that a definition begins
at that line; in the new one, since all before it is as it was and the part compiles by itself. The module's body must
do what it did. Where any of that is in doubt, the whole text is to be compiled: what is returned equals what the
compiler makes of it, constants and positions included.
"""

from __future__ import annotations
import __future__

import dis
import io
import re
import tokenize
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import accumulate
from operator import or_
from types import CodeType
from typing import Any

from exocet_ipython.loading.trees import nested
from exocet_ipython.reloading.ladder.operations import is_same_constant, iter_operations
from exocet_ipython.reloading.ladder.positions import Position, moved, read_positions, with_positions

__all__ = ["recompile"]

_BEGINS = re.compile(rb"\n(?:(@)|def[ \t]|class[ \t]|async[ \t])")  # `^` would be tried at each character
_GLOBALS = re.compile(rb"\bglobal\b[^\n]*")
_GENERIC = "<generic parameters of "
_FUTURES = reduce(or_, (getattr(__future__, name).compiler_flag for name in __future__.all_feature_names))
_IMPORTS = frozenset((dis.opmap["IMPORT_NAME"], dis.opmap["IMPORT_FROM"]))
_BETWEEN = frozenset((dis.opmap["SWAP"], dis.opmap["POP_TOP"]))  # and the store, in `import a.b as c`
_STORES = frozenset((dis.opmap["STORE_NAME"], dis.opmap["STORE_GLOBAL"]))


class _InDoubtError(Exception):
    """The text is to be compiled whole."""


def recompile(code: CodeType, before: bytes, after: bytes) -> CodeType | None:
    r"""Return what a text compiles to, from the code of another; None where that has to be compiled whole.

    Args:
        code: of the module, compiled from the other text.
        before: that text.
        after: the one to compile.

    >>> before, after = (b"def f():\n    return %d\n\ndef g():\n    return f()\n" % number for number in (1, 2))
    >>> code = compile(before, "m.py", "exec")
    >>> made = recompile(code, before, after)
    >>> made == compile(after, "m.py", "exec"), made.co_consts[1] is code.co_consts[1]
    (True, True)
    """
    try:
        return _Recompiler(code, before, after).recompile()
    except (_InDoubtError, SyntaxError, ValueError):  # what is broken is reported when the whole is compiled
        return None


@dataclass(frozen=True, slots=True)
class _Part:
    """A definition and what follows it up to the next one.

    Attributes:
        text: the new one.
        first: its first line in the earlier text.
        end: the first line after it there.
        first_now: its first line in the new text.
        end_now: the first line after it there.
        is_last: whether nothing follows.
    """

    text: bytes
    first: int
    end: int
    first_now: int
    end_now: int
    is_last: bool


class _Recompiler:
    """Puts other definitions into the code of a module."""

    def __init__(self, code: CodeType, before: bytes, after: bytes) -> None:
        self._code = code
        self._parts = list(_changed_parts(code, before, after))
        self._ends = [part.end for part in self._parts]
        self._operations = list(iter_operations(code))
        self._spans, self._positions = read_positions(code, self._operations)
        self._lines = _first_lines(self._spans, self._positions)
        self._made: dict[int, CodeType] = {}  # id of a code object -> what takes its place

    def recompile(self) -> CodeType:
        """Return the code of the new text."""
        replaced = [self._compile(part) for part in self._parts]
        if len(set(map(id, self._made.values()))) < len(self._made):
            raise _InDoubtError  # equal lambdas in one line are one constant
        for inner in nested(self._code):
            if id(inner) not in self._made and (shift := self._shift(inner.co_firstlineno)):
                self._made[id(inner)] = moved(inner, shift)
        consts = tuple(self._made.get(id(const), const) for const in self._code.co_consts)
        positions = list(self._positions)
        if any(part.end != part.end_now for part in self._parts):
            positions = [_moved_position(one, self._shift(one[0] or 0)) for one in positions]
        for place, own in replaced:
            for (start, stop), position in zip(self._spans[place : place + len(own)], own, strict=True):
                positions[start:stop] = [position] * (stop - start)
        code = self._code.replace(co_consts=consts)
        return code if positions == self._positions else with_positions(code, self._spans, positions)

    def _shift(self, line: int) -> int:
        """Return by how many lines what stands at a line of the earlier text, outside of the parts, has moved."""
        before = bisect_right(self._ends, line)
        return self._parts[before - 1].end_now - self._ends[before - 1] if before else 0

    def _compile(self, part: _Part) -> tuple[int, list[Position]]:
        """Compile a part; return the place of its first operation in the module's body, and the positions of all."""
        flags = self._code.co_flags & _FUTURES
        compiled = compile(self._alone(part), self._code.co_filename, "exec", flags, dont_inherit=True)
        operations = list(iter_operations(compiled))
        spans, positions = read_positions(compiled, operations)
        first, last = _bounds(self._lines, part.first, part.end)
        first_now, last_now = _bounds(_first_lines(spans, positions), part.first_now, part.end_now)
        if last - first != last_now - first_now or (last == len(self._lines)) != part.is_last:
            raise _InDoubtError
        pairs = zip(self._operations[first:last], operations[first_now:last_now], strict=True)
        for (_, operation, was), (_, other, now) in pairs:
            if operation != other:
                raise _InDoubtError
            if type(was) is CodeType and type(now) is CodeType and was.co_name == now.co_name:
                if self._made.setdefault(id(was), now) is not now:
                    raise _InDoubtError
            elif not is_same_constant(was, now):
                raise _InDoubtError
        return first, [positions[start] for start, _ in spans[first_now:last_now]]

    def _alone(self, part: _Part) -> bytes:
        """Return a text in which a part is compiled as it is in the module.

        It has the module's imports, since a method of what is imported is called otherwise (CPython
        `Python/compile.c`, `is_import_originated`), and something follows where something follows in the module: what
        it returns from is its last statement.
        """
        names = [name for word in _imported(self._operations) if (name := word.encode()) in part.text]
        imports = b"import " + b",".join(names) if names else b"_"
        if not part.is_last:
            return b"\n" * (part.first_now - 1) + part.text + imports + b"\n"
        return imports + b"\n" * (part.first_now - 1) + part.text


def _changed_parts(code: CodeType, before: bytes, after: bytes) -> Iterator[_Part]:
    """Yield the parts that differ, where they are a small part of the text and begin and end for certain."""
    if any(map(_is_unusual, (before, after))):
        raise _InDoubtError
    parts, parts_now = list(_cut(before)), list(_cut(after))
    if len(parts) != len(parts_now) or parts[0] != parts_now[0]:
        raise _InDoubtError
    differing = [place for place, (part, now) in enumerate(zip(parts, parts_now, strict=True)) if part != now]
    if sum(len(parts_now[place]) for place in differing) * 2 > len(after):
        raise _InDoubtError
    lines, lines_now = ([*accumulate((part.count(b"\n") for part in texts), initial=1)] for texts in (parts, parts_now))
    certain = {inner.co_firstlineno for inner in nested(code) if _is_definition(inner)}
    for place in differing:
        part, now, is_last = parts[place], parts_now[place], place == len(parts) - 1
        if lines[place] not in certain or not (is_last or lines[place + 1] in certain):
            raise _InDoubtError
        if _GLOBALS.findall(part) != _GLOBALS.findall(now) or now.endswith((b"\\\n", b"\\\r\n")):
            raise _InDoubtError  # a global statement leaves no trace in a body; a line that goes on has no end here
        yield _Part(now, lines[place], lines[place + 1], lines_now[place], lines_now[place + 1], is_last)


def _is_definition(code: CodeType) -> bool:
    """Say whether code in a module's body begins a line of its own: that of a lambda or a comprehension need not."""
    return not code.co_name.startswith("<") or code.co_name.startswith(_GENERIC)


def _imported(operations: Iterable[tuple[int, int, Any]]) -> Iterable[str]:
    """Return the names that import statements give to something."""
    names: dict[str, None] = {}
    is_import = False
    for _, operation, argument in operations:
        if operation in _STORES and is_import:
            names[argument] = None
        is_import = operation in _IMPORTS or (is_import and operation in _BETWEEN)
    return names


def _is_unusual(text: bytes) -> bool:
    """Say whether lines or characters of a text may not be what they seem to be."""
    if text.count(b"\r") != text.count(b"\r\n") or b"\f" in text:
        return True
    if (head := text[:1000]).isascii() and b"coding" not in head:
        return False
    return tokenize.detect_encoding(io.BytesIO(head).readline)[0] not in ("utf-8", "utf-8-sig")


def _first_lines(spans: Iterable[tuple[int, int]], positions: Sequence[Position]) -> list[int]:
    """Return the line of each operation; 0 for one that has none."""
    return [positions[start][0] or 0 for start, _ in spans]


def _bounds(lines: Sequence[int], first: int, end: int) -> tuple[int, int]:
    """Return from which place to before which other the lines are those of a part."""
    inside = [place for place, line in enumerate(lines) if first <= line < end]
    if not inside or inside[-1] - inside[0] >= len(inside):
        raise _InDoubtError
    return inside[0], inside[-1] + 1


def _cut(text: bytes) -> Iterator[bytes]:
    """Yield what stands before the first definition of a text, then each definition with what follows it."""
    start, is_decorated = 0, False
    for found in _BEGINS.finditer(b"\n" + text):
        if not is_decorated:
            yield text[start : found.start()]
            start = found.start()
        is_decorated = bool(found[1])
    yield text[start:]


def _moved_position(position: Position, shift: int) -> Position:
    line, end_line, column, end_column = position
    if not shift or line is None or end_line is None:
        return position
    return line + shift, end_line + shift, column, end_column
