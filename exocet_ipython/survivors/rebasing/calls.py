"""The calls by which cells have handed something to functions of modules: decorators, and plain statements."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Generic, TypeVar

from exocet_ipython.loading.cells import texts_of_cells
from exocet_ipython.loading.parsing import parse_text
from exocet_ipython.loading.spaces import globals_of

__all__ = ["Call", "Key", "find_calls", "find_mentioned"]

Key = tuple[int, str]  # id of a function and "", or that of what has a method, and the method's name
Target = TypeVar("Target")
_missing = object()


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A call of a function or a method in a cell, `register(Mine)` or `register("mine")(Mine)`.

    Attributes:
        arguments: of each of its calls, in order: what it is given by place, and by keyword.
    """

    arguments: tuple[tuple[tuple[Any, ...], Mapping[str, Any]], ...]

    def repeat(self, function: Any) -> object:
        """Call another function in the same way."""
        for args, keywords in self.arguments:
            function = function(*args, **keywords)
        return function


def find_mentioned(names: Iterable[str]) -> set[str]:
    """Return the names that the texts of cells have anywhere: a look at these is cheaper than reading them.

    >>> find_mentioned(["a name that no cell has"])
    set()
    """
    left, found = {*names}, set[str]()
    for _, lines in texts_of_cells():
        found |= {name for name in left if any(name in line for line in lines)}
        left -= found
    return found


def find_calls(
    targets: Mapping[Key, Target], names: Collection[str], namespace: Mapping[str, Any]
) -> Iterator[tuple[Call, Target]]:
    """Yield the calls in statements of cells, each with what stands for what it calls, in the order of the cells.

    Args:
        targets: what stands for functions and methods.
        names: what cells may call these.
        namespace: the notebook's.
    """
    reader = _Reader(targets, namespace)
    for _, lines in reversed([*texts_of_cells()] if targets else []):
        if any(name in line for line in lines for name in names):
            for statement in parse_text("".join(lines)).body:
                yield from reader.calls_in(statement)


class _Reader(Generic[Target]):
    """Reads statements of cells as far as they name functions, and constants, and what the notebook has a name for."""

    def __init__(self, targets: Mapping[Key, Target], namespace: Mapping[str, Any]) -> None:
        self._targets, self._namespace = targets, namespace

    def calls_in(self, statement: ast.stmt) -> Iterator[tuple[Call, Target]]:
        """Yield the calls of a statement."""
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                value = self._namespace.get(statement.name, _missing)
                for decorator in reversed(statement.decorator_list if value is not _missing else ()):
                    call = self._call(decorator) if isinstance(decorator, ast.Call) else (Call(()), decorator)
                    if call is not None and (target := self._target(call[1])) is not None:
                        yield Call((*call[0].arguments, ((value,), {}))), target
            case ast.Expr(value=ast.Call() as node) | ast.Assign(value=ast.Call() as node):
                call = self._call(node)
                if call is not None and (target := self._target(call[1])) is not None:
                    yield call[0], target

    def _call(self, node: ast.Call) -> tuple[Call, ast.expr] | None:
        """Return what a call gives, and what it calls; None where nothing tells what it gives."""
        before = self._call(node.func) if isinstance(node.func, ast.Call) else (Call(()), node.func)
        args = [self._value(arg) for arg in node.args]
        keywords = {keyword.arg or "**": self._value(keyword.value) for keyword in node.keywords}
        if before is None or "**" in keywords or any(part is _missing for part in (*args, *keywords.values())):
            return None
        return Call((*before[0].arguments, (tuple(args), keywords))), before[1]

    def _target(self, node: ast.expr) -> Target | None:
        """Return what stands for the function or method that an expression names."""
        found = self._targets.get((id(self._value(node)), ""))
        if found is None and isinstance(node, ast.Attribute):
            found = self._targets.get((id(self._value(node.value)), node.attr))
        return found

    def _value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                return self._namespace.get(name, vars(builtins).get(name, _missing))
            case ast.Attribute(value=owner, attr=name):
                module = self._value(owner)
                return globals_of(module).get(name, _missing) if issubclass(type(module), ModuleType) else _missing
        return _missing
