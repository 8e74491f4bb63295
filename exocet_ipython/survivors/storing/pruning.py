"""Functions without those of their statements that don't count for a comparison, and without parameters for these."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable
from types import CodeType, FunctionType

from exocet_ipython.reloading.holding.parameters import defaults_of
from exocet_ipython.survivors.storing.functions import definition_of

__all__ = ["pruned"]

_Keep = Callable[[list[ast.stmt]], list[ast.stmt]]


def pruned(function: FunctionType, keep: _Keep) -> FunctionType | None:
    """Return what a function would be with some of its statements only; None where its text is not known.

    It is for comparing, not for calling. Parameters that have a default, and that it doesn't use then, are left out.

    Args:
        function: it.
        keep: gives those of its statements that are left; nothing of them is changed.
    """
    tree = definition_of(function)
    if tree is None or any(map(_is_private, ast.walk(tree))):
        return None
    body = keep(tree.body)
    names = {node.id for statement in body for node in ast.walk(statement) if isinstance(node, ast.Name)}
    defaults = {name: value for name, value in defaults_of(function).items() if name in names}
    given = tree.args
    positional = [[arg for arg in args if _is_left(arg, function, names)] for args in (given.posonlyargs, given.args)]
    named = [arg for arg in given.kwonlyargs if _is_left(arg, function, names)]
    left = ast.arguments(
        posonlyargs=_bare(positional[0]),
        args=_bare(positional[1]),
        vararg=given.vararg and ast.arg(given.vararg.arg),
        kwonlyargs=_bare(named),
        kw_defaults=[None for _ in named],
        kwarg=given.kwarg and ast.arg(given.kwarg.arg),
        defaults=[],
    )
    made = copy.copy(tree)
    parts = {"args": left, "body": body or [ast.Pass()], "decorator_list": [], "returns": None, "type_params": []}
    for name, value in parts.items():
        setattr(made, name, value)
    whole = compile(ast.fix_missing_locations(ast.Module([made], [])), "<pruned>", "exec")
    code = next(part for part in whole.co_consts if isinstance(part, CodeType))
    found = FunctionType(code, function.__globals__, function.__name__)
    found.__kwdefaults__ = defaults
    found.__module__ = function.__module__
    return found


def _is_private(node: ast.AST) -> bool:
    """Say whether a node has a name that the compiler writes otherwise within a class."""
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return name[:2] == "__" and name[-2:] != "__"


def _is_left(argument: ast.arg, function: FunctionType, names: set[str]) -> bool:
    return argument.arg in names or argument.arg not in defaults_of(function)


def _bare(arguments: list[ast.arg]) -> list[ast.arg]:
    return [ast.arg(argument.arg) for argument in arguments]
