"""Small edits of real source files, of the kinds that people make while they explore: drawn at random."""

from __future__ import annotations

import ast
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

__all__ = ["edit_files"]

_TRIES = 50  # draws, until one can be made in the file that was drawn


def edit_files(files: Sequence[Path], count: int, draw: random.Random) -> list[str]:
    """Make some edits in some of the files; return what was done, a line each.

    Args:
        files: Python sources, which are written.
        count: of edits; fewer are made where none can be drawn.
        draw: where chance comes from.
    """
    done: list[str] = []
    for _ in range(count * _TRIES):
        path, kind = draw.choice(files), draw.choice(tuple(_KINDS))
        before = path.read_text("utf-8")
        after = _KINDS[kind](Source(before), draw)
        if after and after != before and _compiles(after):
            path.write_text(after, "utf-8")
            done.append(f"{path.name}: {kind}")
        if len(done) == count:
            break
    return done


def _compiles(text: str) -> bool:
    try:
        compile(text, "edited.py", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


@dataclass(frozen=True)
class Source:
    """A text, with the places in it that can be edited."""

    text: str

    @cached_property
    def _nodes(self) -> list[ast.AST]:
        return list(ast.walk(ast.parse(self.text)))

    @cached_property
    def _lines(self) -> list[bytes]:
        return self.text.encode().splitlines(keepends=True)

    @cached_property
    def functions(self) -> list[ast.FunctionDef]:
        """The functions whose body begins on a line of its own."""
        return [node for node in self._nodes if isinstance(node, ast.FunctionDef) and node.body[0].lineno > node.lineno]

    @cached_property
    def classes(self) -> list[ast.ClassDef]:
        """The classes whose body begins on a line of its own."""
        return [node for node in self._nodes if isinstance(node, ast.ClassDef) and node.body[0].lineno > node.lineno]

    @cached_property
    def top(self) -> list[ast.FunctionDef | ast.ClassDef]:
        """The definitions of the module itself, in their order."""
        body = ast.parse(self.text).body
        return [node for node in body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]

    def constants(self, kind: type) -> list[ast.Constant]:
        """The constants of a type, but for docstrings and what is in f-strings."""
        other = {id(part) for node in self._nodes if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
        other |= {id(node.value) for node in self._nodes if isinstance(node, ast.Expr)}
        found = (node for node in self._nodes if isinstance(node, ast.Constant) and type(node.value) is kind)
        return [node for node in found if id(node) not in other]

    @property
    def docstrings(self) -> list[ast.Constant]:
        """The docstrings of functions and classes."""
        owners: list[ast.FunctionDef | ast.ClassDef] = [*self.functions, *self.classes]
        values = [first.value for first in (node.body[0] for node in owners) if isinstance(first, ast.Expr)]
        return [node for node in values if isinstance(node, ast.Constant) and isinstance(node.value, str)]

    def replaced(self, node: ast.expr, new: str) -> str:
        """Return the text with another expression in the place of one."""
        start, end = self._offset(node.lineno, node.col_offset), self._offset(node.end_lineno, node.end_col_offset)
        raw = self.text.encode()
        return (raw[:start] + new.encode() + raw[end:]).decode()

    def inserted(self, after: int, new: str) -> str:
        """Return the text with new lines below the line of a number."""
        lines = [*self._lines[:after], f"{new}\n".encode(), *self._lines[after:]]
        return b"".join(lines).decode()

    def lines_of(self, node: ast.FunctionDef | ast.ClassDef) -> slice:
        """Return the lines of a definition, its decorators included."""
        return slice(min([node.lineno, *(one.lineno for one in node.decorator_list)]) - 1, node.end_lineno)

    def without(self, node: ast.FunctionDef | ast.ClassDef) -> str:
        """Return the text without a definition."""
        lines = list(self._lines)
        del lines[self.lines_of(node)]
        return b"".join(lines).decode()

    def swapped(self, first: ast.FunctionDef | ast.ClassDef, second: ast.FunctionDef | ast.ClassDef) -> str:
        """Return the text with a definition behind the one that follows it."""
        ours, theirs = self.lines_of(first), self.lines_of(second)
        lines = self._lines
        turned = [*lines[ours.stop : theirs.stop], b"\n", *lines[ours]]
        return b"".join([*lines[: ours.start], *turned, *lines[theirs.stop :]]).decode()

    def _offset(self, line: int | None, column: int | None) -> int:
        return sum(map(len, self._lines[: (line or 1) - 1])) + (column or 0)


def _change_constant(kind: type, change: Callable[[Any], str]) -> Callable[[Source, random.Random], str | None]:
    def edit(source: Source, draw: random.Random) -> str | None:
        found = source.constants(kind)
        if not found:
            return None
        node = draw.choice(found)
        return source.replaced(node, change(node.value))

    return edit


def _add_to_body(line: str) -> Callable[[Source, random.Random], str | None]:
    def edit(source: Source, draw: random.Random) -> str | None:
        if not source.functions:
            return None
        first = draw.choice(source.functions).body[0]
        indent = " " * first.col_offset
        at = (first.end_lineno or 0) if isinstance(first, ast.Expr) else first.lineno - 1
        return source.inserted(at, indent + line)

    return edit


def _add_to_class(text: str) -> Callable[[Source, random.Random], str | None]:
    def edit(source: Source, draw: random.Random) -> str | None:
        if not source.classes:
            return None
        cls = draw.choice(source.classes)
        indent = " " * cls.body[0].col_offset
        return source.inserted(cls.end_lineno or 0, "\n".join(indent + line for line in text.splitlines()))

    return edit


def _change_docstring(source: Source, draw: random.Random) -> str | None:
    found = source.docstrings
    if not found:
        return None
    node = draw.choice(found)
    return source.replaced(node, repr(f"A new text. {node.value!s}"))


def _delete_definition(source: Source, draw: random.Random) -> str | None:
    return source.without(draw.choice(source.top)) if source.top else None


def _move_definition(source: Source, draw: random.Random) -> str | None:
    if len(source.top) < 2:
        return None
    place = draw.randrange(len(source.top) - 1)
    return source.swapped(source.top[place], source.top[place + 1])


def _add_constant(source: Source, draw: random.Random) -> str | None:
    return f"{source.text}\n\nADDED_{draw.randint(0, 99)} = {draw.randint(0, 99)}\n"


# The commonest edits stand more than once, in other forms.
_KINDS: dict[str, Callable[[Source, random.Random], str | None]] = {
    "another number": _change_constant(int, lambda value: str(value + 1)),
    "another string": _change_constant(str, lambda value: repr(f"{value}x")),
    "another truth value": _change_constant(bool, lambda value: str(not value)),
    "a comment": _add_to_body("# a comment"),
    "a statement": _add_to_body("_marker = 1"),
    "a loop": _add_to_body("_marker = [item for item in (1, 2)]"),
    "a check": _add_to_body("assert True is not False"),
    "a method": _add_to_class("def added(self):\n    return 1"),
    "a class attribute": _add_to_class("added = 1"),
    "a global": _add_constant,
    "another docstring": _change_docstring,
    "a definition deleted": _delete_definition,
    "a definition moved": _move_definition,
}
