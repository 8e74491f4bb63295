"""The text of a source file, with the places in it that can be edited."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

__all__ = ["Definition", "Placed", "Source"]

Definition = ast.FunctionDef | ast.ClassDef
Placed = ast.expr | ast.stmt | ast.arg
Node = TypeVar("Node", bound=ast.AST)


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
    def top(self) -> list[Definition]:
        """The definitions of the module itself, in their order."""
        body = ast.parse(self.text).body
        return [node for node in body if isinstance(node, Definition)]

    def nodes(self, *kinds: type[Node]) -> list[Node]:
        """Return the nodes of some kinds, from the outside inwards."""
        return [node for node in self._nodes if isinstance(node, kinds)]

    def constants(self, kind: type) -> list[ast.Constant]:
        """The constants of a type, but for docstrings and what is in f-strings."""
        other = {id(part) for node in self._nodes if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
        other |= {id(node.value) for node in self._nodes if isinstance(node, ast.Expr)}
        found = (node for node in self._nodes if isinstance(node, ast.Constant) and type(node.value) is kind)
        return [node for node in found if id(node) not in other]

    @property
    def docstrings(self) -> list[ast.Constant]:
        """The docstrings of functions and classes."""
        owners: list[Definition] = [*self.functions, *self.classes]
        values = [first.value for first in (node.body[0] for node in owners) if isinstance(first, ast.Expr)]
        return [node for node in values if isinstance(node, ast.Constant) and isinstance(node.value, str)]

    def replaced(self, node: Placed, new: str) -> str:
        """Return the text with something else in the place of a node."""
        start, end = self._span(node)
        raw = self.text.encode()
        return (raw[:start] + new.encode() + raw[end:]).decode()

    def followed(self, node: Placed, new: str) -> str:
        """Return the text with something right behind a node."""
        return self.replaced(node, f"{self.of(node)}{new}")

    def of(self, node: Placed) -> str:
        """Return the text of a node."""
        start, end = self._span(node)
        return self.text.encode()[start:end].decode()

    def fills_its_lines(self, node: Placed) -> bool:
        """Say whether nothing else stands on the lines of a node."""
        first, last = self._lines[node.lineno - 1], self._lines[(node.end_lineno or 1) - 1]
        return not first[: node.col_offset].strip() and not last[node.end_col_offset :].strip()

    def inserted(self, after: int, new: str) -> str:
        """Return the text with new lines below the line of a number."""
        lines = [*self._lines[:after], f"{new}\n".encode(), *self._lines[after:]]
        return b"".join(lines).decode()

    def lines_of(self, node: Definition) -> slice:
        """Return the lines of a definition, its decorators included."""
        return slice(min([node.lineno, *(one.lineno for one in node.decorator_list)]) - 1, node.end_lineno)

    def without(self, node: Definition) -> str:
        """Return the text without a definition."""
        lines = list(self._lines)
        del lines[self.lines_of(node)]
        return b"".join(lines).decode()

    def swapped(self, first: Definition, second: Definition) -> str:
        """Return the text with a definition behind the one that follows it."""
        ours, theirs = self.lines_of(first), self.lines_of(second)
        lines = self._lines
        turned = [*lines[ours.stop : theirs.stop], b"\n", *lines[ours]]
        return b"".join([*lines[: ours.start], *turned, *lines[theirs.stop :]]).decode()

    def _span(self, node: Placed) -> tuple[int, int]:
        return self._offset(node.lineno, node.col_offset), self._offset(node.end_lineno, node.end_col_offset)

    def _offset(self, line: int | None, column: int | None) -> int:
        return sum(map(len, self._lines[: (line or 1) - 1])) + (column or 0)
