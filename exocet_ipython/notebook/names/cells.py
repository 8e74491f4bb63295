"""What a cell does to the names of the notebook, read from its text and never run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from IPython.core.inputtransformer2 import TransformerManager

__all__ = ["CellAssignment", "CellEvent", "CellImport", "may_bind", "read_cell"]


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


@dataclass(frozen=True, slots=True)
class CellAssignment:
    """An attribute that a cell assigns, as a dotted name: `config.LEVEL`."""

    name: str

    def target(self, namespace: Mapping[str, Any]) -> tuple[str, str] | None:
        """Return the module that has the attribute, itself or in a class, and the attribute's own name.

        Args:
            namespace: the notebook's names.

        >>> import json
        >>> CellAssignment("json.JSONDecoder.strict").target({"json": json})
        ('json.decoder', 'strict')
        """
        first, *path, attribute = self.name.split(".")
        owner = namespace.get(first)
        for part in path:
            owner = getattr(owner, "__dict__", {}).get(part)
        if issubclass(type(owner), type):
            return type.__getattribute__(owner, "__module__"), attribute
        return (owner.__name__, attribute) if isinstance(owner, ModuleType) else None


CellEvent = CellImport | CellAssignment | str


def may_bind(text: str) -> bool:
    """Say whether `read_cell` may find anything in the text of a cell; told in a tenth of the time.

    >>> may_bind("model.fit(rows)"), may_bind("rows = load()")
    (False, True)
    """
    return _BINDING_WORD.search(text) is not None


def read_cell(text: str) -> Iterator[CellEvent]:
    r"""Yield what the text of a cell binds at its top level, in order: imports, and names assigned by other means.

    Attributes that it assigns count as well.

    Blocks are gone through, functions and classes are not: what they bind is theirs.

    >>> list(read_cell("if fast:\n    from config import LR as rate\nrate = 1"))
    [CellImport(name='rate', module='config', attribute='LR'), 'rate']
    >>> list(read_cell("config.LR = 1"))
    [CellAssignment(name='config.LR')]
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return  # a cell with a magic, or one that failed: it taught us nothing
    yield from _walk(any(sign in text for sign in _BINDING_SIGNS), tree.body)


# No statement and no pattern binds without one of these.
_BINDING_WORD = re.compile(r"=|\b(?:import|def|class|for|as|del|case)\b")
# Without one of these in its text, an expression of a cell binds nothing.
_BINDING_SIGNS = (":=", "run_line_magic", "run_cell_magic")
# Other nodes bind nothing then: expressions, and what has no parts.
_BINDING = frozenset(
    (
        *ast.stmt.__subclasses__(),
        *ast.pattern.__subclasses__(),
        *(ast.ExceptHandler, ast.match_case, ast.withitem, ast.Name, ast.Attribute, ast.Tuple, ast.List, ast.Starred),
    )
) - {ast.Expr, ast.Return, ast.Pass}


def _walk(  # noqa: C901, PLR0912 - one case a kind of node
    deep: bool,  # noqa: FBT001 - a private argument that all calls hand on
    nodes: Iterable[ast.AST],
) -> Iterator[CellEvent]:
    """Yield what nodes bind; expressions are gone into only where it is `deep`, for most bind nothing."""
    for node in nodes:
        if not (deep or type(node) in _BINDING):
            continue
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                yield name
            case ast.Attribute(ctx=ast.Store()):
                if _is_path(node.value):
                    yield CellAssignment(ast.unparse(node))
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
                yield from _walk(deep, (found for found in ast.walk(node) if isinstance(found, ast.NamedExpr)))
            case ast.If(test=test, body=body, orelse=orelse):
                yield from _walk(deep, [test])
                yield from _either(deep, body, orelse)
            case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
                yield from _either(deep, [*body, *orelse], *([handler] for handler in handlers))
                yield from _walk(deep, final)
            case ast.Match(subject=subject, cases=cases):
                yield from _walk(deep, [subject])
                yield from _either(deep, *([case] for case in cases))
            case ast.Call(func=ast.Attribute(attr="run_line_magic" | "run_cell_magic"), args=args):
                yield from read_cell(_code_of(args))
            case ast.NamedExpr(target=target, value=value):
                yield from _walk(deep, [value])
                yield target.id
            case ast.Assign(targets=targets, value=value):
                yield from _walk(deep, [value, *targets])
            case ast.For(target=target, iter=iterable, body=body, orelse=orelse):
                yield from _walk(deep, [iterable, target, *body, *orelse])
            case ast.ExceptHandler(name=str(name), body=body):
                yield name
                yield from _walk(deep, body)
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                yield name
                yield from _walk(deep, ast.iter_child_nodes(node))
            case _:
                yield from _walk(deep, ast.iter_child_nodes(node))


def _is_path(node: ast.AST) -> bool:
    """Say whether an expression is a dotted name."""
    return isinstance(node, ast.Name) or (isinstance(node, ast.Attribute) and _is_path(node.value))


def _either(deep: bool, *branches: Iterable[ast.AST]) -> Iterator[CellEvent]:  # noqa: FBT001 - as above
    """Yield what branches bind of which one runs: an import may be the one, so it comes after others' assignments."""
    found: list[CellEvent] = []
    for branch in branches:
        last: dict[tuple[str, str], CellEvent] = {}
        for event in _walk(deep, branch):
            name = event if isinstance(event, str) else event.name
            key = name, event.module if isinstance(event, CellImport) and name == "*" else ""
            last.pop(key, None)
            last[key] = event
        found += last.values()
    yield from (event for event in found if isinstance(event, str))
    yield from (event for event in found if not isinstance(event, str))


def _code_of(arguments: Iterable[ast.AST]) -> str:
    """Return the code that a magic runs in the notebook's own names and that IPython tells nobody of; "" for others."""
    match [argument.value for argument in arguments if isinstance(argument, ast.Constant)]:
        case ["time", str(code)] | ["time" | "prun", _, str(code)]:
            manager: Any = TransformerManager
            return str(manager().transform_cell(code))
    return ""
