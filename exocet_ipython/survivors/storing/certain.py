"""What a function assigns whatever happens: looking at it afterwards tells nothing of what was there before."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

__all__ = [
    "END",
    "assigned_by",
    "attributes_assigned",
    "begin_of",
    "certain_in",
    "certain_parts",
    "key_of",
    "name_of",
    "names_of",
]

END = (sys.maxsize, 0)  # behind all lines


def assigned_by(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield the targets of a statement, each with its value."""
    match node:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                    yield from zip(target.elts, value.elts, strict=False)
                yield target, value
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            yield target, value


def attributes_assigned(node: ast.AST, own: str) -> Iterator[tuple[str, ast.expr]]:
    """Yield the attributes of an instance that a statement of a method sets, each with its value.

    Args:
        node: the statement.
        own: what the method calls the instance.

    >>> [name for name, _ in attributes_assigned(ast.parse("self.x, other.y = 1, 2").body[0], "self")]
    ['x']
    >>> [name for name, _ in attributes_assigned(ast.parse("object.__setattr__(self, 'x', 1)").body[0], "self")]
    ['x']
    """
    match node:
        case ast.Expr(
            ast.Call(
                func=ast.Attribute(value=ast.Name(id="object"), attr="__setattr__"),
                args=[ast.Name(id=name), ast.Constant(str(attribute)), value],
            )
            | ast.Call(
                func=ast.Attribute(value=ast.Call(func=ast.Name(id="super" as name)), attr="__setattr__"),
                args=[ast.Constant(str(attribute)), value],
            )
        ) if name in (own, "super"):
            yield attribute, value
    for target, value in assigned_by(node):
        match target:
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name == own:
                yield attribute, value


def certain_in(function: ast.AST, nodes: list[ast.AST]) -> dict[str, tuple[int, int]]:
    """Return what a function assigns whatever happens, each with where looks at it count no longer.

    By its name, and of an attribute by that behind a dot.

    That is where it is assigned; from the beginning where nothing is returned before, and where what is assigned is
    neither a constant nor, as any other name, made of what was there: such a look decides nothing.
    """
    returns = [begin_of(node) for node in nodes if isinstance(node, ast.Return)]
    used = {name for node in nodes for _, value in assigned_by(node) for name in names_of(value)}
    found = {}
    for name, (statement, values) in _assigned_for_certain(getattr(function, "body", None)).items():
        is_renewed = name not in used and all(map(names_of, values)) and min(returns, default=END) > begin_of(statement)
        found[name] = (0, 0) if is_renewed else (statement.end_lineno or 0, statement.end_col_offset or 0)
    return found


def certain_parts(function: ast.AST, nodes: list[ast.AST]) -> dict[int, ast.AST]:
    """Return, by id, what is in the statements that a function runs whatever it finds.

    Not where it may have left before. Of an assignment that makes a choice, none of which is what was there, the
    statement alone.

    Args:
        function: it.
        nodes: all that is in it, but for other functions.
    """
    leaving = [node.lineno for node in nodes if isinstance(node, (ast.Return, ast.Continue, ast.Break))]
    inside: dict[int, ast.AST] = {}
    for statement in _certain_statements(getattr(function, "body", None)):
        parts = list(ast.walk(statement))
        if min(leaving, default=statement.lineno) < statement.lineno:
            continue
        if not any(map(_is_choice, parts)):
            inside |= {id(part): part for part in parts}
        elif all(key_of(target) not in {"", *names_of(value)} for target, value in assigned_by(statement)):
            inside[id(statement)] = statement
    return inside


def names_of(value: ast.expr) -> set[str]:
    """Return the names in an expression; those of attributes behind a dot.

    >>> sorted(names_of(ast.parse("a.b + c", mode="eval").body))
    ['.b', 'a', 'c']
    """
    return {key_of(node) for node in ast.walk(value) if isinstance(node, (ast.Name, ast.Attribute))}


def key_of(target: ast.expr) -> str:
    """Return the name of what is assigned to, an attribute's behind a dot; an empty one where there is none."""
    match target:
        case ast.Name(id=name):
            return name
        case ast.Attribute(attr=name):
            return f".{name}"
    return ""


def name_of(target: ast.expr) -> str:
    """Return the same without the dot.

    >>> [name_of(node) for node in ast.parse("a.b, c, d[e]", mode="eval").body.elts]
    ['b', 'c', '']
    """
    return key_of(target).lstrip(".")


def _assigned_for_certain(body: object) -> dict[str, tuple[ast.stmt, list[ast.expr]]]:
    """Return the names that statements assign whatever happens, each with the one that does, and the values."""
    found: dict[str, tuple[ast.stmt, list[ast.expr]]] = {}
    for statement in body if isinstance(body, list) else ():
        match statement:
            case ast.With(body=inner) | ast.AsyncWith(body=inner):
                assigned = _assigned_for_certain(inner)
            case ast.If(body=inner, orelse=other):
                assigned = _assigned_in_all(statement, [inner, other])
            case ast.Try(body=inner, orelse=other, handlers=handlers):
                assigned = _assigned_in_all(statement, [[*inner, *other], *(handler.body for handler in handlers)])
            case _:
                assigned = {key_of(target): (statement, [value]) for target, value in assigned_by(statement)}
        found = assigned | found
    return found


def _assigned_in_all(statement: ast.stmt, blocks: list[list[ast.stmt]]) -> dict[str, tuple[ast.stmt, list[ast.expr]]]:
    """Return what each of a statement's blocks assigns whatever happens, but for those that leave the function."""
    going_on = [block for block in blocks if not (block and isinstance(block[-1], (ast.Raise, ast.Return)))]
    found = [_assigned_for_certain(block) for block in going_on]
    names = set.intersection(*map(set, found)) if found else set[str]()
    return {name: (statement, [value for one in found for value in one[name][1]]) for name in names}


def begin_of(node: ast.expr | ast.stmt) -> tuple[int, int]:
    """Return the line and the column at which an expression or a statement begins."""
    return node.lineno, node.col_offset


def _certain_statements(body: object) -> Iterator[ast.stmt]:
    for statement in body if isinstance(body, list) else ():
        if isinstance(statement, (ast.With, ast.AsyncWith, ast.For, ast.AsyncFor)):
            yield from _certain_statements(statement.body)
        elif isinstance(statement, ast.While):
            asked = names_of(statement.test)
            yield from (inner for inner in _certain_statements(statement.body) if asked.isdisjoint(_filled_by(inner)))
        elif isinstance(statement, (ast.AnnAssign, ast.Assign, ast.AugAssign, ast.Expr)):
            yield statement


def _is_choice(node: ast.AST) -> bool:
    is_setdefault = isinstance(node, ast.Attribute) and node.attr == "setdefault"
    return is_setdefault or isinstance(node, (ast.IfExp, ast.BoolOp))


def _filled_by(statement: ast.stmt) -> set[str]:
    """Return the names of what a statement itself fills; those of attributes behind a dot, and not `self`.

    What it takes out of something, for what it fills, is none of it.
    """
    match statement:
        case ast.Expr(value=ast.Call(func=filled)) | ast.Expr(value=ast.Await(value=ast.Call(func=filled))):
            parts = [filled]
        case ast.Assign(targets=targets):
            parts = targets
        case _:
            parts = [statement.target] if isinstance(statement, ast.AugAssign) else []
    return {name for part in parts for name in names_of(part)} - {"self", "cls"}
