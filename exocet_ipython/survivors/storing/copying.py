"""Containers that a function changes by putting a changed copy in their place, which is read as changing them.

`hooks = HOOKS.copy(); hooks[name] = f; HOOKS = hooks`, `self.items = [*self.items, item]`, `HOOKS += (f,)`: who goes on
with the old one meanwhile sees it whole. What is put there is the caller's, or an answer of the code, all the same.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from typing import TypeVar

from exocet_ipython.loading.parsing import copy_node
from exocet_ipython.survivors.storing.certain import name_of
from exocet_ipython.survivors.storing.functions import FUNCTIONS

__all__ = ["write_in_place"]

_HINT = re.compile(
    rb"\bcopy\(|=[ \t]*(?:dict|list|set)\(|\[:\]|[\[({][ \t\n]*\*|\+=?[ \t\n]*[(\[]|[)\]][ \t]*\+|\|[ \t\n]*\{|\bfor\b"
)
_CLASSES = {"dict", "list", "set"}
_Node = TypeVar("_Node", bound=ast.AST)
_Place = ast.Name | ast.Attribute | ast.Subscript


def write_in_place(tree: ast.AST, text: bytes) -> set[str]:
    """Rewrite the functions of a text so that they change containers in place; return the names of these.

    >>> text = b"def add(name, f): global TABLE; table = TABLE.copy(); table[name] = f; TABLE = table"
    >>> tree = ast.parse(text)
    >>> write_in_place(tree, text)
    {'TABLE'}
    >>> print(ast.unparse(tree))
    def add(name, f):
        global TABLE
        pass
        TABLE[name] = f
        pass
    """
    found = set[str]()
    if _HINT.search(text) is not None:
        for function in [node for node in ast.walk(tree) if isinstance(node, FUNCTIONS)]:
            _Rewriting(function, found).rewrite()
    return found - {""}  # what is under a key has no name


class _Rewriting(ast.NodeTransformer):
    """Rewrites one function, and notes the names of what it rewrites."""

    def __init__(self, function: ast.FunctionDef | ast.AsyncFunctionDef, found: set[str]) -> None:
        self._function = function
        self._found = found
        nodes = [*ast.walk(function)]
        self._declared = {name for node in nodes if isinstance(node, (ast.Global, ast.Nonlocal)) for name in node.names}
        assigned = [
            (node.targets[0], node.value) for node in nodes if isinstance(node, ast.Assign) and len(node.targets) == 1
        ]
        stored = Counter(node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
        put = {(ast.unparse(target), value.id) for target, value in assigned if isinstance(value, ast.Name)}
        self._copies: dict[str, ast.expr] = {  # a variable -> of what it is a copy, which is put in its place later
            target.id: held
            for target, value in assigned
            if isinstance(target, ast.Name) and stored[target.id] == 1 and target.id not in self._declared
            for held in [_copied_by(value)]
            if held is not None and self._is_place(held) and (ast.unparse(held), target.id) in put
        }

    def rewrite(self) -> None:
        """Rewrite the function."""
        self.generic_visit(self._function)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt:
        """Leave a function in the function for its own turn, unless that names a copy."""
        return self._visit_inner(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.stmt:
        """Do the same."""
        return self._visit_inner(node)

    def _visit_inner(self, node: ast.stmt) -> ast.stmt:
        if self._copies:
            self.generic_visit(node)
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Name what a copy was made of."""
        held = self._copies.get(node.id) if isinstance(node.ctx, ast.Load) else None
        return node if held is None else _at(node, copy_node(held))

    def visit_Assign(self, node: ast.Assign) -> ast.stmt | list[ast.stmt]:
        """Drop the making of a copy and its return, or write what is added to one in the same breath."""
        target, value = node.targets[0], node.value
        if isinstance(target, ast.Name) and target.id in self._copies:
            return _at(node, ast.Pass())
        if isinstance(value, ast.Name) and value.id in self._copies:
            if ast.unparse(target) == ast.unparse(self._copies[value.id]):
                self._found.add(name_of(target))
                return _at(node, ast.Pass())
        elif len(node.targets) == 1 and self._is_place(target):
            changes = list(_changes(_Held(target), value))
            if changes:
                self._found.add(name_of(target))
                return [_at(node, change) for change in changes]
        self.generic_visit(node)
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt | list[ast.stmt]:
        """Write what makes a tuple longer as adding to it."""
        self.generic_visit(node)
        if isinstance(node.op, ast.Add) and isinstance(node.value, ast.Tuple) and self._is_place(node.target):
            self._found.add(name_of(node.target))
            return [_at(node, change) for change in _Held(node.target).adding(node.value.elts)]
        return node

    def _is_place(self, held: ast.expr) -> bool:
        """Say whether an expression is what a name stands for, but for variables."""
        return isinstance(held, (ast.Attribute, ast.Subscript)) or (
            isinstance(held, ast.Name) and held.id in self._declared
        )


class _Held:
    """What a container is in, and how it is changed there."""

    def __init__(self, place: ast.expr) -> None:
        self._place = place
        self._written = {ast.unparse(place)}
        self._held: ast.expr = _loaded(place)
        if isinstance(place, ast.Subscript):  # `TABLE[key] = TABLE.get(key, ()) + (f,)`
            begun = [ast.Tuple([], ast.Load()), ast.List([], ast.Load()), ast.Dict([], [])]
            asked = [_call(place.value, "get", place.slice, empty) for empty in begun]
            self._written |= {*map(ast.unparse, asked)}

    def is_read_by(self, value: ast.expr) -> bool:
        """Say whether an expression is what is there."""
        if ast.unparse(value) not in self._written:
            return False
        if isinstance(value, ast.Call) and isinstance(self._place, ast.Subscript):
            empty = ast.List([], ast.Load())
            self._held = _call(self._place.value, "setdefault", self._place.slice, empty)
        return True

    def adding(self, items: list[ast.expr]) -> list[ast.stmt]:
        """Return statements that add items."""
        return [
            self._calling("extend", item.value) if isinstance(item, ast.Starred) else self._calling("append", item)
            for item in items
        ]

    def setting(self, keys: list[ast.expr | None], values: list[ast.expr]) -> list[ast.stmt]:
        """Return statements that set entries."""
        return [
            self._calling("update", value)
            if key is None
            else ast.Assign([ast.Subscript(copy_node(self._held), key, ast.Store())], value)
            for key, value in zip(keys, values, strict=True)
        ]

    def removing(self, tests: list[ast.expr]) -> list[ast.stmt]:
        """Return a statement that takes out what a test tells."""
        match tests:
            case [ast.Compare(ops=[ast.NotEq() | ast.IsNot()], comparators=[other])]:
                return [self._calling("remove", other)]
        return [self._calling("pop")]

    def _calling(self, method: str, *args: ast.expr) -> ast.stmt:
        return ast.Expr(_call(self._held, method, *args))


def _changes(held: _Held, value: ast.expr) -> list[ast.stmt]:  # noqa: PLR0911 - one case a kind of node
    """Return what changes a container as its successor is made of it; nothing where that is made otherwise."""
    match value:
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            others = [item for item in items if not (isinstance(item, ast.Starred) and held.is_read_by(item.value))]
            return held.adding(others) if len(others) == len(items) - 1 else []
        case ast.Dict(keys=keys, values=values):
            pairs = [pair for pair in zip(keys, values, strict=True) if pair[0] or not held.is_read_by(pair[1])]
            is_copy = len(pairs) == len(keys) - 1
            return held.setting([key for key, _ in pairs], [one for _, one in pairs]) if is_copy else []
        case ast.BinOp(left=left, op=ast.Add(), right=ast.List(elts=items) | ast.Tuple(elts=items)):
            return held.adding(items) if held.is_read_by(left) else []
        case ast.BinOp(left=ast.List(elts=items) | ast.Tuple(elts=items), op=ast.Add(), right=right):
            return held.adding(items) if held.is_read_by(right) else []
        case ast.BinOp(left=left, op=ast.BitOr(), right=ast.Dict(keys=keys, values=values)):
            return held.setting(keys, values) if held.is_read_by(left) else []
        case ast.BinOp(left=left, op=ast.BitOr(), right=ast.Set(elts=items)):
            return held.adding(items) if held.is_read_by(left) else []
        case ast.Call(func=ast.Name(id="tuple" | "list" | "set" | "frozenset"), args=[ast.GeneratorExp() as inner]):
            return _changes(held, ast.ListComp(inner.elt, inner.generators))
        case (
            ast.ListComp(elt=ast.Name(id=name), generators=[ast.comprehension(ast.Name(id=each), source, tests)])
            | ast.SetComp(elt=ast.Name(id=name), generators=[ast.comprehension(ast.Name(id=each), source, tests)])
        ) if name == each and tests:
            return held.removing(tests) if held.is_read_by(source) else []
        case ast.DictComp(
            key=ast.Name(id=key),
            value=ast.Name(id=name),
            generators=[
                ast.comprehension(
                    ast.Tuple(elts=[ast.Name(id=first), ast.Name(id=second)]),
                    ast.Call(func=ast.Attribute(value=source, attr="items"), args=[]),
                    tests,
                )
            ],
        ) if (key, name) == (first, second) and tests:
            return held.removing(tests) if held.is_read_by(source) else []
    return []


def _copied_by(value: ast.expr) -> ast.expr | None:
    """Return what an expression makes a copy of."""
    match value:
        case ast.Call(func=ast.Attribute(value=held, attr="copy"), args=[]):
            return held
        case ast.Call(func=ast.Name(id=name), args=[held], keywords=[]) if name in _CLASSES or name == "copy":
            return held
        case ast.Call(func=ast.Attribute(value=ast.Name(id="copy"), attr="copy"), args=[held]):
            return held
        case ast.List(elts=[ast.Starred(value=held)]) | ast.Set(elts=[ast.Starred(value=held)]):
            return held
        case ast.Dict(keys=[None], values=[held]) | ast.Subscript(value=held, slice=ast.Slice(None, None, None)):
            return held
    return None


def _loaded(place: ast.expr) -> ast.expr:
    place = copy_node(place)
    if isinstance(place, _Place):
        place.ctx = ast.Load()
    return place


def _call(held: ast.expr, method: str, *args: ast.expr) -> ast.Call:
    return ast.Call(ast.Attribute(copy_node(held), method, ast.Load()), list(args), [])


def _at(place: ast.AST, node: _Node) -> _Node:
    """Return a node with each part where another one is in the text."""
    for part in ast.walk(node):
        ast.copy_location(part, place)
    return node
