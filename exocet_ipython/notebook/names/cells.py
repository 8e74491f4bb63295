"""What a cell does to the names of the notebook, read from its text and never run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from IPython.core.inputtransformer2 import TransformerManager

from exocet_ipython.loading.parsing import parse_text
from exocet_ipython.notebook.names.events import CellAssignment, CellEvent, CellImport, Perhaps, without_doubt
from exocet_ipython.reloading.holding.entries import place_of

__all__ = ["may_bind", "read_cell"]

# No statement and no pattern binds or adds without one of these.
_BINDING_WORD = re.compile(
    r"=|\b(?:import|def|class|for|as|del|case)\b"
    r"|\.(?:add|append|appendleft|extend|insert|put|register|save|set|setdefault|store|update)\b"
)
_OPTIONS = re.compile(r"^\s*(?:--no-raise-error\s+|-[rq]+\s+|-[DlsT]\s*\S+\s+)+")  # of `%time` and `%prun`
# Without one of these in its text, no expression and no function of a cell binds anything.
_BINDING_SIGNS = (":=", "run_line_magic", "run_cell_magic", "global ")
# Other nodes bind nothing then: expressions, and what has no parts.
_BINDING = frozenset(
    (
        *ast.stmt.__subclasses__(),
        *ast.pattern.__subclasses__(),
        *(
            ast.ExceptHandler,
            ast.match_case,
            ast.withitem,
            ast.Name,
            ast.Attribute,
            ast.Subscript,
            ast.Tuple,
            ast.List,
            ast.Starred,
        ),
    )
) - {ast.Return, ast.Pass}


# Of these, parts may not be reached.
_BLOCKS = frozenset(
    (
        *(ast.If, ast.Try, ast.TryStar, ast.Match, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith),
        *(ast.BoolOp, ast.IfExp),
    )
)


def may_bind(text: str) -> bool:
    """Say whether `read_cell` may find anything in the text of a cell; told in a tenth of the time.

    >>> may_bind("model.fit(rows)"), may_bind("rows = load()")
    (False, True)
    """
    return _BINDING_WORD.search(text) is not None


@lru_cache(maxsize=64)  # people run one cell again and again while they edit
def read_cell(text: str) -> tuple[CellEvent, ...]:
    r"""Return what the text of a cell binds at its top level, in order: imports, and names assigned by other means.

    Attributes that it assigns count as well, and entries that it puts under a key, or adds, where it writes these out.

    Blocks are gone through, functions and classes are not: what they bind is theirs, but for what is declared global.

    >>> read_cell("if fast:\n    from config import LR as rate\nrate = 1")
    (Perhaps(event=CellImport(name='rate', module='config', attribute='LR')), 'rate')
    >>> read_cell("config.LR = 1")
    (CellAssignment(name='config.LR'),)
    >>> read_cell("FLAGS['new'] = True")
    (CellAssignment(name="FLAGS['new']"),)
    """
    return tuple(_walk(any(sign in text for sign in _BINDING_SIGNS), parse_text(text).body))


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
            case ast.Subscript(ctx=ast.Store(), value=value, slice=ast.Constant(value=key)):
                if _is_path(value):
                    yield CellAssignment(f"{ast.unparse(value)}{place_of(key)}")
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=container)) as call) if _is_path(container):
                yield from (CellAssignment(f"{ast.unparse(container)}{place_of(key)}") for key in _added(call))
                yield from _walk(deep, [call])
            case ast.Import(names=names):
                for alias in names:
                    top, dot, _ = alias.name.partition(".")
                    if alias.asname or not dot:
                        yield CellImport(alias.asname or top, alias.name)
                    else:
                        yield CellImport(top, top, submodule=alias.name)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                for alias in names:
                    yield CellImport(alias.asname or alias.name, module, alias.name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
                if deep:
                    yield from _global_imports(node)
            case ast.Lambda(args=defaults):
                yield from _walk(deep, [defaults])
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                yield from _walk(deep, (found for found in ast.walk(node) if isinstance(found, ast.NamedExpr)))
            case ast.Call(func=ast.Attribute(attr="run_line_magic" | "run_cell_magic"), args=args):
                yield from read_cell(_code_of(args))
            case ast.NamedExpr(target=target, value=value):
                yield from _walk(deep, [value])
                yield target.id
            case ast.Assign(targets=targets, value=value):
                yield from _walk(deep, [value, *targets])
            case ast.AnnAssign(value=None):
                pass  # binds nothing
            case _ if type(node) in _BLOCKS:
                yield from _walk_block(deep, node)
            case ast.ExceptHandler(name=str(name), body=body):
                yield name
                yield from _walk(deep, body)
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                yield name
                yield from _walk(deep, ast.iter_child_nodes(node))
            case _:
                yield from _walk(deep, ast.iter_child_nodes(node))


def _walk_block(deep: bool, node: ast.AST) -> Iterator[CellEvent]:  # noqa: FBT001 - as above
    """Yield what a node binds of which parts may not be reached."""
    match node:
        case ast.BoolOp(values=[first, *others]):
            yield from _walk(deep, [first])
            yield from _perhaps(_walk(deep, others))
        case ast.IfExp(test=test, body=either, orelse=other):
            yield from _walk(deep, [test])
            yield from _perhaps(_walk(deep, [either, other]))
        case ast.If(test=test, body=body, orelse=orelse):
            yield from _walk(deep, [test])
            yield from _either(deep, body, orelse)
        case (
            ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final)
            | ast.TryStar(body=body, handlers=handlers, orelse=orelse, finalbody=final)
        ):
            yield from _either(deep, [*body, *orelse], *([handler] for handler in handlers))
            yield from _walk(deep, final)
        case ast.Match(subject=subject, cases=cases):
            yield from _walk(deep, [subject])
            yield from _either(deep, *([case] for case in cases))
        case (
            ast.For(target=target, iter=iterable, body=body, orelse=orelse)
            | ast.AsyncFor(target=target, iter=iterable, body=body, orelse=orelse)
        ):
            yield from _walk(deep, [iterable, target])
            yield from _perhaps(_walk(deep, [*body, *orelse]))
        case ast.While(test=test, body=body, orelse=orelse):
            yield from _walk(deep, [test])
            yield from _perhaps(_walk(deep, [*body, *orelse]))
        case ast.With(items=items, body=body) | ast.AsyncWith(items=items, body=body):
            yield from _walk(deep, items)
            yield from _perhaps(_walk(deep, body))


def _global_imports(definition: ast.AST) -> Iterator[CellEvent]:
    """Yield what functions import into names that they declare global, as what may not have been reached."""
    parts = list(ast.walk(definition))
    declared = {name for part in parts if isinstance(part, ast.Global) for name in part.names}
    imports = [part for part in parts if declared and isinstance(part, (ast.Import, ast.ImportFrom))]
    found = (event for event in _walk(deep=False, nodes=imports) if isinstance(event, CellImport))
    yield from _perhaps(event for event in found if event.name in declared)


def _added(call: ast.Call) -> Iterator[Any]:
    """Yield the keys and items that are written in a call which adds them to what it is a method of.

    >>> list(_added(ast.parse("FLAGS.update({'new': 1}, old=2)", mode="eval").body))
    ['old', 'new']
    """
    found: list[ast.expr | None] = []
    match call:
        case ast.Call(func=ast.Attribute(attr="add" | "append" | "appendleft" | "setdefault"), args=[item, *_]):
            found = [item]
        case ast.Call(func=ast.Attribute(attr="put" | "register" | "save" | "set" | "store"), args=[item, _, *_]):
            found = [item]  # as a class of one's own has them, which keeps it in a container
        case ast.Call(func=ast.Attribute(attr="insert"), args=[_, item]):
            found = [item]
        case ast.Call(func=ast.Attribute(attr="extend" | "update"), args=arguments, keywords=keywords):
            yield from (keyword.arg for keyword in keywords if keyword.arg is not None)
            for argument in arguments:
                found += argument.keys if isinstance(argument, ast.Dict) else getattr(argument, "elts", [])
    yield from (item.value for item in found if isinstance(item, ast.Constant))


def _is_path(node: ast.AST) -> bool:
    """Say whether an expression is a dotted name."""
    return isinstance(node, ast.Name) or (isinstance(node, ast.Attribute) and _is_path(node.value))


def _either(deep: bool, *branches: Iterable[ast.AST]) -> Iterator[CellEvent]:  # noqa: FBT001 - as above
    """Yield what branches bind of which one runs: an import may be the one, so it comes after others' assignments."""
    found: list[CellEvent] = []
    for branch in branches:
        last: dict[tuple[str, str], CellEvent] = {}
        for event in _perhaps(_walk(deep, branch)):
            bound = without_doubt(event)
            name = bound if isinstance(bound, str) else bound.name
            key = name, bound.module if isinstance(bound, CellImport) and name == "*" else ""
            last.pop(key, None)
            last[key] = event
        found += last.values()
    yield from sorted(found, key=_is_import)


def _is_import(event: CellEvent) -> bool:
    return isinstance(event, Perhaps) and isinstance(event.event, CellImport)


def _perhaps(events: Iterable[CellEvent]) -> Iterator[CellEvent]:
    """Yield what is bound in a block, as what may not have been reached; of attributes and entries the objects tell."""
    return (event if isinstance(event, (Perhaps, CellAssignment)) else Perhaps(event) for event in events)


def _code_of(arguments: Iterable[ast.AST]) -> str:
    """Return the code that a magic runs in the notebook's own names and that IPython tells nobody of; "" for others."""
    match [argument.value for argument in arguments if isinstance(argument, ast.Constant)]:
        case ["time" | "prun", str(code)] | ["time" | "prun", _, str(code)]:
            manager: Any = TransformerManager
            return str(manager().transform_cell(_OPTIONS.sub("", code)))
    return ""
