"""The calls by which cells have handed something to functions of modules: decorators, and plain statements."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from exocet_ipython.loading.cells import texts_of_cells
from exocet_ipython.loading.spaces import globals_of

__all__ = ["Call", "find_calls"]

_missing = object()


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A call in a cell of a function of a module, `register(Mine)` or `register("mine")(Mine)`.

    Attributes:
        function: that.
        arguments: of each of its calls, in order: what it is given by place, and by keyword.
    """

    function: Any
    arguments: tuple[tuple[tuple[Any, ...], Mapping[str, Any]], ...]

    def repeat(self, function: Any) -> object:
        """Call another function in the same way."""
        for args, keywords in self.arguments:
            function = function(*args, **keywords)
        return function


def find_calls(functions: Mapping[str, Container[int]], namespace: Mapping[str, Any]) -> Iterator[Call]:
    """Yield the calls in statements of cells of functions with some names, in the order of the cells.

    Args:
        functions: what their names are -> the ids of those that have it.
        namespace: the notebook's.
    """
    for _, lines in reversed([*texts_of_cells()]):
        text = "".join(lines)
        if not any(name in text for name in functions):
            continue
        try:
            body = ast.parse(text).body
        except (SyntaxError, ValueError):
            continue
        reader = _Reader(functions, namespace)
        for statement in body:
            yield from reader.calls_in(statement)


class _Reader:
    """Reads statements of cells as far as they name functions, and constants, and what the notebook has a name for."""

    def __init__(self, functions: Mapping[str, Container[int]], namespace: Mapping[str, Any]) -> None:
        self._functions, self._namespace = functions, namespace

    def calls_in(self, statement: ast.stmt) -> Iterator[Call]:
        """Yield the calls of a statement."""
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                value = self._namespace.get(statement.name, _missing)
                for decorator in reversed(statement.decorator_list if value is not _missing else ()):
                    factory = self._call(decorator) if isinstance(decorator, ast.Call) else None
                    if factory is not None:
                        yield Call(factory.function, (*factory.arguments, ((value,), {})))
                    elif (function := self._function(decorator)) is not None:
                        yield Call(function, (((value,), {}),))
            case ast.Expr(value=ast.Call() as node) | ast.Assign(value=ast.Call() as node):
                if (call := self._call(node)) is not None:
                    yield call

    def _call(self, node: ast.Call) -> Call | None:
        inner = self._call(node.func) if isinstance(node.func, ast.Call) else None
        function = inner.function if inner is not None else self._function(node.func)
        args = [self._value(arg) for arg in node.args]
        keywords = {keyword.arg or "**": self._value(keyword.value) for keyword in node.keywords}
        if function is None or "**" in keywords or any(part is _missing for part in (*args, *keywords.values())):
            return None
        return Call(function, (*(inner.arguments if inner is not None else ()), (tuple(args), keywords)))

    def _function(self, node: ast.expr) -> Any:
        """Return the function that an expression names, if it is one that is asked for."""
        name = getattr(node, "attr", getattr(node, "id", ""))
        found = self._value(node) if name in self._functions or isinstance(node, ast.Name) else None
        return found if any(id(found) in ids for ids in self._functions.values()) else None

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
