"""What a cell does to the names of the notebook, read from its text and never run."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

__all__ = ["CellImport", "read_cell"]


@dataclass(frozen=True, slots=True)
class CellImport:
    """One name that an import statement binds.

    Attributes:
        name: the notebook name; `*` for a star import.
        module: absolute dotted name of the module.
        attribute: what of it; None for the module itself, `*` for all its public names.
    """

    name: str
    module: str
    attribute: str | None = None


def read_cell(text: str) -> Iterator[CellImport | str]:
    r"""Yield what the text of a cell binds at its top level, in order: imports, and names assigned by other means.

    Blocks are gone through, functions and classes are not: what they bind is theirs.

    >>> list(read_cell("if fast:\n    from config import LR as rate\nrate = 1"))
    [CellImport(name='rate', module='config', attribute='LR'), 'rate']
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return  # a cell with a magic, or one that failed: it taught us nothing
    yield from _walk(tree.body)


def _walk(nodes: Iterable[ast.AST]) -> Iterator[CellImport | str]:  # noqa: C901, PLR0912 - one case a kind of node
    for node in nodes:
        match node:
            case ast.Import(names=names):
                for alias in names:
                    top = alias.name.partition(".")[0]
                    yield CellImport(alias.asname or top, alias.name if alias.asname else top)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                for alias in names:
                    yield CellImport(alias.asname or alias.name, module, alias.name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Lambda() | ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                yield from _walk(found for found in ast.walk(node) if isinstance(found, ast.NamedExpr))
            case ast.NamedExpr(target=target, value=value):
                yield from _walk([value])
                yield target.id
            case ast.Assign(targets=targets, value=value):
                yield from _walk([value, *targets])
            case ast.For(target=target, iter=iterable, body=body, orelse=orelse):
                yield from _walk([iterable, target, *body, *orelse])
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                yield name
            case ast.ExceptHandler(name=str(name), body=body):
                yield name
                yield from _walk(body)
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                yield name
                yield from _walk(ast.iter_child_nodes(node))
            case _:
                yield from _walk(ast.iter_child_nodes(node))
