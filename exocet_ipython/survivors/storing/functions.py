"""The functions of a module's text, with what is in each of them."""

from __future__ import annotations

import ast
import inspect
import linecache
import textwrap
import tokenize
from dataclasses import dataclass, field
from functools import lru_cache
from types import CodeType, FunctionType
from typing import Any

from exocet_ipython.reloading.retired import retired_module

__all__ = ["FUNCTIONS", "Function", "definition_of", "find_functions", "parts_of", "tree_of"]

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_NO_PARTS = frozenset(("attr", "ctx", "id", "kind", "module", "op", "ops", "type_comment"))
_fields: dict[type[ast.AST], tuple[str, ...]] = {}  # a kind of node -> those of its fields that may have nodes


@dataclass(slots=True)
class Function:
    """A function of a text.

    Attributes:
        node: it.
        given: the names that it and those around it are given.
        path: where it is defined.
        nodes: all that is in it, but for what is in other functions, each after what it is in.
    """

    node: ast.AST
    given: frozenset[str]
    path: str
    nodes: list[ast.AST] = field(default_factory=list)


def find_functions(tree: ast.AST) -> list[Function]:
    r"""Return the functions of a text, each before those in it.

    >>> tree = ast.parse("class A:\n    def f(self, x): return lambda y: x + y")
    >>> [(one.path, sorted(one.given)) for one in find_functions(tree)]
    [('A.f', ['self', 'x']), ('A.f', ['self', 'x', 'y'])]
    """
    return _find(Function(tree, frozenset(), ""), [])


def _find(around: Function, found: list[Function]) -> list[Function]:
    waiting = [(part, around.path) for part in parts_of(around.node)[::-1]]
    while waiting:
        node, path = waiting.pop()
        around.nodes.append(node)
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            path = f"{path}.{node.name}" if path else node.name
        if isinstance(node, (*FUNCTIONS, ast.Lambda)):
            given = around.given | {part.arg for part in ast.walk(node.args) if isinstance(part, ast.arg)}
            found.append(Function(node, given, path))
            _find(found[-1], found)
        else:
            waiting += [(part, path) for part in parts_of(node)[::-1]]
    return found


def parts_of(node: ast.AST) -> list[ast.AST]:
    """Return the nodes in a node, but for those that are nothing but a kind: contexts and operators."""
    kind = type(node)
    names = _fields.get(kind)
    if names is None:
        names = _fields[kind] = tuple(name for name in kind._fields if name not in _NO_PARTS)
    found: list[ast.AST] = []
    for name in names:
        value = getattr(node, name, None)
        if type(value) is list:
            found += [part for part in value if isinstance(part, ast.AST)]
        elif isinstance(value, ast.AST):
            found.append(value)
    return found


def tree_of(function: FunctionType) -> ast.AST | None:
    """Return the text of a function as a tree, also where its module has another one by now; None where it is unknown.

    >>> isinstance(tree_of(parts_of), ast.AST)
    True
    """
    code, retired = function.__code__, retired_module(function.__globals__)
    try:
        if retired is None:
            return ast.parse(textwrap.dedent(_source_of(code, function.__globals__)))
        tree = _parse(retired.record.snapshot.data or b"")
    except (OSError, SyntaxError, ValueError, tokenize.TokenError):  # its file may have another text by now
        return None
    for node in ast.walk(tree):
        if isinstance(node, (*FUNCTIONS, ast.Lambda)) and getattr(node, "name", "<lambda>") == code.co_name:
            first = min([node.lineno, *(part.lineno for part in getattr(node, "decorator_list", ()))])
            if first == code.co_firstlineno:
                return node
    return None


def _source_of(code: CodeType, space: dict[str, Any]) -> str:
    """Return the text of a function that is current.

    `inspect.getsource` looks for its module first, in all that are loaded, by the real path of each.
    """
    linecache.checkcache(code.co_filename)
    lines = linecache.getlines(code.co_filename, space)[code.co_firstlineno - 1 :]
    if not lines:
        raise OSError
    return "".join(inspect.getblock(lines))


def definition_of(function: FunctionType) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """Return the `def` statement of a function; None of a lambda, and where its text is unknown.

    >>> definition_of(parts_of).name
    'parts_of'
    """
    tree = tree_of(function)
    tree = tree.body[0] if isinstance(tree, ast.Module) and tree.body else tree
    return tree if isinstance(tree, FUNCTIONS) else None


@lru_cache(8)  # the functions that are asked about are of few modules
def _parse(text: bytes) -> ast.AST:
    """Parse a text; what is returned is not to be changed."""
    return ast.parse(text)
