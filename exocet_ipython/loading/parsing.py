"""Texts read as Python does, where one that it can't read says nothing."""

from __future__ import annotations

import ast

__all__ = ["parse_text"]


def parse_text(text: str | bytes) -> ast.Module:
    """Return a text as a tree; one without statements where it is none: a cell with a magic, a file half edited.

    >>> ast.unparse(parse_text("x=1")), parse_text("%matplotlib").body
    ('x = 1', [])
    """
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError):  # null bytes are no error of syntax on 3.11
        return ast.Module([], [])
