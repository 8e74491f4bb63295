"""Texts read as Python does, where one that it can't read says nothing."""

from __future__ import annotations

import ast
from typing import Any, TypeVar

__all__ = ["copy_node", "parse_text"]

_Node = TypeVar("_Node", bound=ast.AST)


def parse_text(text: str | bytes) -> ast.Module:
    """Return a text as a tree; one without statements where it is none: a cell with a magic, a file half edited.

    >>> ast.unparse(parse_text("x=1")), parse_text("%matplotlib").body
    ('x = 1', [])
    """
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError):  # null bytes are no error of syntax on 3.11
        return ast.Module([], [])


def copy_node(node: _Node) -> _Node:
    """Return a copy of a part of a tree.

    Not of what others have put on its nodes, as `copy.deepcopy` does: the `ctx` of an expression is one object in all
    trees, and IPython's tracebacks write the `parent` of each node on it. So it leads to all of another file's tree.

    >>> ast.unparse(copy_node(ast.parse("a.b = [*c]")))
    'a.b = [*c]'
    """
    copied = {name: _copy_field(value) for name, value in ast.iter_fields(node)}
    return ast.copy_location(type(node)(**copied), node)


def _copy_field(value: Any) -> Any:
    if isinstance(value, list):
        return [_copy_field(one) for one in value]
    return copy_node(value) if isinstance(value, ast.AST) else value
