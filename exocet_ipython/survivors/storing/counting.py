"""Counting, which goes on in new code that begins where the old one did.

It may be written out: `N = N + 1` is `N += 1`, and `SEEN[word] = SEEN.get(word, 0) + 1` is `SEEN[word] += 1`.
"""

from __future__ import annotations

import ast
import re

__all__ = ["goes_on", "shorten_counting"]

# Most texts have none. Looked for where statements begin: from each letter on, a long text in quotes would take hours.
_WRITTEN_OUT = re.compile(
    rb"(?:^|[;:])[ \t]*([\w.\[\]'\"]+)[ \t]*=[ \t]*\1[ \t]*[-+*/|&%]|\.get\([^()]*\)\s*[-+]", re.MULTILINE
)


def shorten_counting(tree: ast.AST, text: bytes) -> ast.AST:
    """Return the tree of a text with each assignment that only adds to what is there written as such.

    The tree itself is changed.

    >>> text = b"N = N + 1; SEEN[word] = SEEN.get(word, 0) + 1"
    >>> print(ast.unparse(shorten_counting(ast.parse(text), text)))
    N += 1
    SEEN[word] += 1
    """
    shortened: ast.AST = _Shortening().visit(tree) if _WRITTEN_OUT.search(text) is not None else tree
    return shortened


def goes_on(target: ast.expr, value: ast.expr) -> bool:
    """Say whether a value is made of what was there under the name that it gets: the next state of something.

    Not where that decides whether anything new is made: `conn = conn or connect()`.

    >>> [goes_on(one.targets[0], one.value) for one in ast.parse("s = NEXT[s]; s = s or make(); t = NEXT[s]").body]
    [True, False, False]
    """
    if isinstance(value, (ast.BoolOp, ast.IfExp)) or not isinstance(target, (ast.Name, ast.Attribute)):
        return False
    written = ast.unparse(target)
    return any(type(part) is type(target) and ast.unparse(part) == written for part in ast.walk(value))


class _Shortening(ast.NodeTransformer):
    def visit_Assign(self, node: ast.Assign) -> ast.stmt:
        """Shorten one assignment."""
        match node:
            case ast.Assign(targets=[target], value=ast.BinOp(left=left, op=op, right=right)):
                if isinstance(target, (ast.Name, ast.Attribute, ast.Subscript)) and _is_read(left, target):
                    return ast.copy_location(ast.AugAssign(target, op, right), node)
        return node


def _is_read(value: ast.expr, target: ast.expr) -> bool:
    """Say whether an expression reads what is assigned to, or a constant where there is nothing yet."""
    match value, target:
        case (
            ast.Call(func=ast.Attribute(value=held, attr="get"), args=[key, ast.Constant()], keywords=[]),
            ast.Subscript(value=container, slice=place),
        ):
            return ast.unparse(held) == ast.unparse(container) and ast.unparse(key) == ast.unparse(place)
    return ast.unparse(value) == ast.unparse(target)
