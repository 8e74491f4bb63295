"""What of a function decides what it puts away under some names: the rest may be edited, and what it has put stays.

A parameter that none of that uses, what is printed, logged or given back, what is noted elsewhere.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection, Iterable
from types import FunctionType
from typing import Any

from exocet_ipython.reloading.holding.parameters import defaults_of
from exocet_ipython.reloading.ladder.operations import words
from exocet_ipython.survivors.comparison import runs_alike
from exocet_ipython.survivors.storing.containers import HARMLESS
from exocet_ipython.survivors.storing.pruning import pruned

__all__ = ["Slice", "sliced"]

_SAYING = words("print debug info warning error exception log sleep")
_BUILTINS = frozenset(dir(builtins)) - words("__import__ delattr eval exec input next open setattr")
_BLOCKS = ("body", "orelse", "finalbody")
_COMPOUND = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try)
_LEAVING = (ast.Return, ast.Raise, ast.Break, ast.Continue)
_ALWAYS = (ast.Await, ast.Global, ast.Nonlocal, ast.Yield, ast.YieldFrom)
_OWN = {"self", "cls"}


def sliced(before: Any, now: Any, names: Collection[str], *, answers: bool) -> tuple[Any, Any]:
    """Return two functions with what of them decides what they put away; as they are where that can't be told.

    Args:
        before: of a retired module.
        now: its counterpart.
        names: under which they put it away, and of functions that do so for them.
        answers: whether what they give back counts.
    """
    if type(before) is not FunctionType or type(now) is not FunctionType:
        return before, now
    if runs_alike(before.__code__, now.__code__) and defaults_of(before).keys() == defaults_of(now).keys():
        return before, now
    shorter = [pruned(one, Slice(names, answers=answers).of) for one in (before, now)]
    return (before, now) if shorter[0] is None or shorter[1] is None else (shorter[0], shorter[1])


class Slice:
    r"""The statements of a function that decide what it puts away.

    Args:
        names: under which it does.
        answers: whether what it gives back counts.

    >>> text = "n += 1\nif loud: print(x)\nif x in SEEN: return 1\nSEEN.add(x)\nfound.append(x)\nreturn found"
    >>> print(ast.unparse(Slice({"SEEN"}, answers=False).of(ast.parse(text).body)))
    if x in SEEN:
        return
    SEEN.add(x)
    """

    def __init__(self, names: Collection[str], *, answers: bool) -> None:
        self._names = {*names}
        self._answers = answers

    def of(self, statements: list[ast.stmt]) -> list[ast.stmt]:
        """Return those of a function's statements that count."""
        count, kept = -1, list[ast.stmt]()
        while count != len(self._names):
            count = len(self._names)
            kept = self._keep(statements)
        while kept and not self._answers and _only_leaves(kept[-1]):
            kept.pop()
        return kept

    def _keep(self, statements: Iterable[ast.stmt]) -> list[ast.stmt]:
        return [kept for one in statements for kept in [self._kept(one)] if kept is not None]

    def _kept(self, statement: ast.stmt) -> ast.stmt | None:
        """Return a statement as far as it counts; None for one that doesn't."""
        if isinstance(statement, _COMPOUND):
            return self._kept_block(statement)
        if isinstance(statement, ast.Return) and not (self._answers or self._acts([statement])):
            return ast.Return()
        if isinstance(statement, ast.Pass) or not (isinstance(statement, _LEAVING) or self._counts(statement)):
            return None
        self._note([statement])
        return statement

    def _kept_block(self, statement: ast.stmt) -> ast.stmt | None:
        parts: dict[str, Any] = dict(ast.iter_fields(statement))
        self._note_parts(statement)
        inner: dict[str, Any] = {name: self._keep(parts[name]) for name in _BLOCKS if name in parts}
        blocks = [*inner.values()]
        if "handlers" in parts:
            kept = [(one, self._keep(one.body)) for one in parts["handlers"]]
            blocks += [body for _, body in kept]
            inner["handlers"] = [ast.ExceptHandler(one.type, one.name, body or [ast.Pass()]) for one, body in kept]
        heads = [
            part
            for name, value in parts.items()
            if name not in inner
            for part in (value if isinstance(value, list) else [value])
            if isinstance(part, ast.AST)
        ]
        is_loop = isinstance(statement, (ast.For, ast.AsyncFor, ast.While))
        if all(map(_only_turns, (one for block in blocks for one in block))) and not self._acts(heads):
            if is_loop or not any(blocks):
                return None
        else:
            turns = [node.test for block in blocks for node in _walk(block) if isinstance(node, ast.If)]
            self._note([*heads, *turns])
        inner["body"] = inner["body"] or [ast.Pass()]
        return type(statement)(**{**parts, **inner})

    def _counts(self, statement: ast.stmt) -> bool:
        """Say whether a simple statement changes what has one of the names, or does what nothing tells."""
        match statement:
            case ast.Expr(value=ast.Constant()):
                return False
            case ast.Expr(value=ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args)) if (
                name in _SAYING - self._names
            ):
                return self._acts(args)
            case ast.Assign(targets=targets, value=value):
                changed: list[ast.expr] = [*targets, *([value] if self._is_part(value) else [])]
            case ast.AugAssign(target=target) | ast.AnnAssign(target=target):
                changed = [target]
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=held))):
                changed = [held]
            case _:
                return True
        return any(map(self._is_named, _walk(changed))) or self._acts([statement])

    def _note_parts(self, statement: ast.stmt) -> None:
        """Have variables count that stand for parts of what counts: what is done to them is done to that."""
        pairs: list[tuple[ast.AST | None, ast.expr]] = []
        if isinstance(statement, (ast.For, ast.AsyncFor)):
            pairs = [(statement.target, statement.iter)]
        elif isinstance(statement, (ast.With, ast.AsyncWith)):
            pairs = [(item.optional_vars, item.context_expr) for item in statement.items]
        self._note([target for target, value in pairs if target is not None and self._is_part(value)])

    def _is_part(self, value: ast.expr) -> bool:
        """Say whether an expression may be what counts, or a part of it."""
        match value:
            case ast.Name() | ast.Attribute() | ast.Subscript():
                return any(map(self._is_named, ast.walk(value)))
            case ast.Call(func=ast.Attribute(value=held)) | ast.NamedExpr(value=held):
                return self._is_part(held)
            case ast.IfExp(body=first, orelse=second):
                return self._is_part(first) or self._is_part(second)
            case ast.BoolOp(values=parts) | ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Call(args=parts):
                return any(map(self._is_part, parts))
        return False

    def _acts(self, parts: Iterable[ast.AST]) -> bool:
        """Say whether something calls what may change anything, or a method of what has one of the names."""
        for node in _walk(parts):
            match node:
                case ast.Call(func=ast.Name(id=name)) if name in _BUILTINS or name in _SAYING - self._names:
                    pass
                case ast.Call(func=ast.Attribute(value=held, attr=name)) if name in HARMLESS:
                    if any(map(self._is_named, ast.walk(held))):
                        return True
                case ast.Call():
                    return True
                case _ if isinstance(node, _ALWAYS):
                    return True
        return False

    def _is_named(self, node: ast.AST) -> bool:
        return _name_of(node) in self._names

    def _note(self, parts: Iterable[ast.AST]) -> None:
        """Have all that has a name there count."""
        found = map(_name_of, _walk(parts))
        self._names.update(name for name in found if name and name not in _OWN and name not in _BUILTINS)


def _name_of(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(attr=name) if name not in HARMLESS:
            return name
    return ""


def _walk(parts: Iterable[ast.AST]) -> Iterable[ast.AST]:
    return (node for part in parts for node in ast.walk(part))


def _only_turns(statement: ast.stmt) -> bool:
    """Say whether a statement does nothing but leave a loop or go round in it, or not."""
    if isinstance(statement, ast.If):
        return all(map(_only_turns, [*statement.body, *statement.orelse]))
    return isinstance(statement, (ast.Break, ast.Continue))


def _only_leaves(statement: ast.stmt) -> bool:
    """Say whether a statement does nothing but leave the function, or not."""
    if isinstance(statement, ast.If):
        return all(map(_only_leaves, [*statement.body, *statement.orelse]))
    return isinstance(statement, ast.Return) and statement.value is None
