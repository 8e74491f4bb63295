"""Counting, which goes on in new code that begins where the old one did.

It may be written out: `N = N + 1` is `N += 1`, and `SEEN[word] = SEEN.get(word, 0) + 1` is `SEEN[word] += 1`. So is the
best so far: `best = max(best, x)`, or `if best is None or x > best: best = x`.
"""

from __future__ import annotations

import ast
import re

__all__ = ["BEST", "goes_on", "shorten_counting"]

# Most texts have none. Looked for where statements begin: from each letter on, a long text in quotes would take hours.
_WRITTEN_OUT = re.compile(
    rb"(?:^|[;:])[ \t]*([\w.\[\]'\"]+)[ \t]*=[ \t]*\1[ \t]*[-+*/|&%]|\.get\([^()]*\)\s*[-+]"
    rb"|=[ \t]*(?:max|min)\(|^[ \t]*(?:el)?if\b.*[<>]",
    re.MULTILINE,
)
BEST = ast.Pow  # how "the best so far" is written: nothing is put into a container that way
_NOTED = (ast.Attribute, ast.Constant, ast.Name, ast.Subscript)
_EQUALLING = (ast.Eq, ast.NotEq, ast.In, ast.NotIn)  # `if key != last: last, answer = key, compute(key)`
_COMPARING = (ast.BoolOp, ast.boolop, ast.Compare, ast.cmpop, ast.UnaryOp, ast.Not, ast.expr_context)


def shorten_counting(tree: ast.AST, text: bytes) -> ast.AST:
    """Return the tree of a text with each assignment that only adds to what is there written as such.

    The tree itself is changed.

    >>> text = b"N = N + 1; SEEN[word] = SEEN.get(word, 0) + 1"
    >>> print(ast.unparse(shorten_counting(ast.parse(text), text)))
    N += 1
    SEEN[word] += 1
    >>> text = b"if best is None or x > best: best = x"
    >>> print(ast.unparse(shorten_counting(ast.parse(text), text)))
    if best is None or x > best:
        best **= x
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
            case ast.Assign(
                targets=[ast.Name() | ast.Attribute() | ast.Subscript() as target],
                value=ast.Call(func=ast.Name(id="max" | "min"), args=[_, _] as args),
            ):
                others = [part for part in args if ast.unparse(part) != ast.unparse(target)]
                if len(others) == 1:
                    return ast.copy_location(_added(target, others[0]), node)
        return node

    def visit_If(self, node: ast.If) -> ast.stmt:
        """Shorten what a comparison of a name with its next value decides: that, and what is noted along with it.

        Not where that is computed: `if changed > last: last, text = changed, read(path)` keeps an answer.
        """
        self.generic_visit(node)
        assigned = [one for one in node.body if isinstance(one, ast.Assign)]
        is_noted = all(isinstance(one.value, _NOTED) for one in assigned)
        if is_noted and any(_compares_only(node.test, one.targets[0], one.value) for one in assigned):
            for one in assigned:
                match one.targets:
                    case [ast.Name() | ast.Attribute() | ast.Subscript() as target]:
                        best = ast.copy_location(_added(target, one.value), one)
                        node.body[node.body.index(one)] = best
        return node


def _added(target: ast.Name | ast.Attribute | ast.Subscript, value: ast.expr) -> ast.AugAssign:
    return ast.AugAssign(target, BEST(), value)


def _compares_only(test: ast.expr, target: ast.expr, value: ast.expr) -> bool:
    """Say whether a test compares what is assigned to with its next value, and with nothing but constants else."""
    known = {ast.unparse(target), ast.unparse(value)}
    waiting: list[ast.AST] = [test]
    compared = set[str]()
    while waiting:
        part = waiting.pop()
        if isinstance(part, ast.expr) and (written := ast.unparse(part)) in known:
            compared.add(written)
        elif isinstance(part, _COMPARING) and not isinstance(part, _EQUALLING):
            waiting += ast.iter_child_nodes(part)
        elif not isinstance(part, ast.Constant):
            return False
    return compared == known and len(known) > 1


def _is_read(value: ast.expr, target: ast.expr) -> bool:
    """Say whether an expression reads what is assigned to, or a constant where there is nothing yet."""
    match value, target:
        case (
            ast.Call(func=ast.Attribute(value=held, attr="get"), args=[key, ast.Constant()], keywords=[]),
            ast.Subscript(value=container, slice=place),
        ):
            return ast.unparse(held) == ast.unparse(container) and ast.unparse(key) == ast.unparse(place)
    return ast.unparse(value) == ast.unparse(target)
