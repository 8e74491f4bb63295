"""Which containers expressions mean, and where a function looks for something in one and goes on where it isn't there.

A cache is looked up in this way (`if x not in CACHE: CACHE[x] = ask(x)`); what is only put there to be found again, a
contact under its number, isn't.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable

__all__ = ["HARMLESS", "NAMESPACES", "answered_by", "container_of", "looked_up_by", "named_part"]

NAMESPACES = {"globals", "__globals__"}
HARMLESS = frozenset((*dir(str), *dir(dict), *dir(list), *dir(set)))  # methods that compute nothing of their own


def container_of(held: ast.expr) -> set[str]:
    """Return the name of the container that an expression means.

    >>> container_of(ast.parse("self.table[key].setdefault(k, [])", mode="eval").body)
    {'table'}
    """
    match named_part(held):
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return {name}
        case ast.Call(func=ast.Name(id=name)):
            return {name} & NAMESPACES
    return set()


def named_part(held: ast.expr) -> ast.expr:
    """Return the outermost part of an expression that has a name: of `a.table[key].setdefault(k, [])`, `a.table`."""
    while True:
        match held:
            case ast.Subscript(value=value) | ast.Call(func=ast.Attribute(value=value)):
                held = value
            case _:
                return held


def looked_up_by(node: ast.AST) -> set[str]:
    """Return the names of the containers of which a statement or an expression asks whether they have something."""
    match node:
        case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[held]):
            return container_of(held)
        case ast.Call(func=ast.Attribute(value=held, attr="get" | "setdefault")):
            return container_of(held)
        case ast.Try(body=body):
            parts = [part for statement in body for part in ast.walk(statement) if isinstance(part, ast.Subscript)]
            return {name for part in parts for name in container_of(part)}
    return set()


def answered_by(nodes: Iterable[ast.AST]) -> set[str]:
    """Return the names of the containers in which a function looks something up that it may compute where it isn't.

    Args:
        nodes: all that is in the function.

    >>> def answered(text): return answered_by(ast.walk(ast.parse(text)))
    >>> answered("return KNOWN[x] if x in KNOWN else ask(x)")
    {'KNOWN'}
    >>> answered("if not TABLE: fill()")
    {'TABLE'}
    >>> answered("if x not in KNOWN: raise LookupError(x)"), answered("return KNOWN.get(x.lower())")
    (set(), set())
    """
    nodes = list(nodes)
    raised = {id(part) for node in nodes if isinstance(node, ast.Raise) for part in ast.walk(node)}
    if not any(isinstance(node, ast.Call) and id(node) not in raised and _may_compute(node) for node in nodes):
        return set()
    return {name for node in nodes for name in looked_up_by(node) | _found_empty_by(node)}


def _found_empty_by(node: ast.AST) -> set[str]:
    """Return the names of what may be a container of which a statement or an expression asks whether there is any."""
    match node:
        case ast.UnaryOp(op=ast.Not(), operand=held) | ast.If(test=held) | ast.IfExp(test=held):
            return container_of(held)
        case ast.Compare(left=ast.Call(func=ast.Name(id="len"), args=[held])):
            return container_of(held)
        case ast.BoolOp(values=parts):
            return {name for part in parts for name in container_of(part)}
    return set()


def _may_compute(call: ast.Call) -> bool:
    match call.func:
        case ast.Name(id=name):
            return not hasattr(builtins, name)
        case ast.Attribute(attr=name):
            return name not in HARMLESS
    return True
