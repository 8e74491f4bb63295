"""What a constructor sets where parameters were left out that it replaces then: `if hooks is None: hooks = {}`."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from exocet_ipython.loading.parsing import copy_node
from exocet_ipython.reloading.holding.contents import is_plain
from exocet_ipython.reloading.ladder.operations import words
from exocet_ipython.survivors.storing.certain import assigned_by, attributes_assigned

__all__ = ["settled_attributes"]

_Definition = ast.FunctionDef | ast.AsyncFunctionDef
_COPYING = words("__setattr__ bool dict float frozenset int len list set sorted str tuple")
_unknown = object()


def settled_attributes(function: _Definition, own: str, given: Mapping[str, Any]) -> Iterator[tuple[str, ast.expr]]:
    """Yield the attributes that a constructor sets, each with its value, written with what variables stand for.

    What comes later of an attribute is to be preferred, where it can be told.

    Args:
        function: its statement.
        own: what it calls the instance.
        given: the defaults of parameters that are left out.

    >>> text = "def make(self, x=None, y=0): x = x or []; y = other(y); self.x, self.y = x, y"
    >>> settled = settled_attributes(ast.parse(text).body[0], "self", {"x": None, "y": 0})
    >>> {name: ast.unparse(value) for name, value in settled}
    {'x': '[]', 'y': 'y'}
    """
    return _Following(function, own, given).follow(function.body)


class _Following(ast.NodeTransformer):
    """Follows the statements of one function; rewrites expressions with what variables stand for."""

    def __init__(self, function: _Definition, own: str, given: Mapping[str, Any]) -> None:
        self._own = own
        self._given = given
        self._values: dict[str, ast.expr | None] = {}  # None for what isn't known
        self._touched = set[str]()  # variables whose values may be changed in place, or by what is called with them
        for node in ast.walk(function):
            match node:
                case ast.Attribute(value=ast.Name(id=name)) | ast.Subscript(value=ast.Name(id=name)):
                    self._touched.add(name)
                case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in _COPYING:
                    pass
                case ast.Call(args=args, keywords=keywords):
                    handed = [*args, *(keyword.value for keyword in keywords)]
                    self._touched.update(value.id for value in handed if isinstance(value, ast.Name))

    def follow(self, body: list[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
        """Yield the attributes that statements set, and note what they do to variables."""
        for statement in body:
            if isinstance(statement, ast.If) and (truth := self._truth(statement.test)) is not None:
                yield from self.follow(statement.body if truth else statement.orelse)
                continue
            for attribute, value in attributes_assigned(statement, self._own):
                if isinstance(value, ast.Name) and value.id in self._given:
                    yield attribute, value  # the default, rather than nothing where what replaces it can't be told
                if (written := self._written(value)) is not None:
                    yield attribute, written
            assigned = {
                target.id: self._written(value, is_held=target.id in self._touched)
                for target, value in assigned_by(statement)
                if isinstance(target, ast.Name)
            }
            nodes = [node for node in ast.walk(statement) if isinstance(node, ast.Name)]
            self._values |= dict.fromkeys(node.id for node in nodes if isinstance(node.ctx, ast.Store)) | assigned

    def _written(self, value: ast.expr, *, is_held: bool = False) -> ast.expr | None:
        """Return a value with what the variables in it stand for; None where one is unknown, or it may be changed."""
        written: ast.expr = self.visit(copy_node(value))
        names = [node.id for node in ast.walk(written) if isinstance(node, ast.Name)]
        is_known = all(self._values.get(name, written) is not None for name in names)
        return written if is_known and not (is_held and not isinstance(written, ast.Constant)) else None

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Write what a variable stands for."""
        value = self._values.get(node.id)
        return node if value is None else copy_node(value)

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        """Write the branch that is taken."""
        truth = self._truth(node.test)
        if truth is not None:
            taken: ast.expr = self.visit(node.body if truth else node.orelse)
            return taken
        self.generic_visit(node)
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        """Write the operand that is the value."""
        *tested, last = node.values
        for operand in tested:
            truth = self._truth(operand)
            if truth is None:
                self.generic_visit(node)
                return node
            if truth is isinstance(node.op, ast.Or):
                last = operand
                break
        value: ast.expr = self.visit(last)
        return value

    def _truth(self, test: ast.expr) -> bool | None:
        """Say what a test of one variable comes to; None for what isn't known."""
        match test:
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                truth = self._truth(operand)
                return None if truth is None else not truth
            case ast.Compare(left=ast.Name(id=name), ops=[ast.Is() | ast.IsNot() as operator], comparators=[other]):
                value = self._value_of(name)
                if value is _unknown or not (isinstance(other, ast.Constant) and other.value is None):
                    return None
                return (value is None) is isinstance(operator, ast.Is)
            case ast.Name(id=name):
                value = self._value_of(name)
                return None if value is _unknown else bool(value)
        return None

    def _value_of(self, name: str) -> Any:
        if name in self._values:
            value = self._values[name]
            return value.value if isinstance(value, ast.Constant) else _unknown
        value = self._given.get(name, _unknown)
        return value if is_plain(value) else _unknown
