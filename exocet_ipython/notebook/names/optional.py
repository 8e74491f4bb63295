"""Imports that a cell can do without: `try: import fast`, `except ImportError: fast = None`."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from exocet_ipython.loading.parsing import parse_text
from exocet_ipython.notebook.names.cells import read_cell
from exocet_ipython.notebook.names.events import CellAssignment, CellImport, without_doubt

__all__ = ["OptionalImport", "names_bound", "read_optional", "statements_binding"]

_WORDS = re.compile(r"^try\b|\bsuppress\b|\bfind_spec\b", re.MULTILINE)
_BINDING = (ast.AnnAssign, ast.Assign, ast.AsyncFunctionDef, ast.ClassDef, ast.FunctionDef, ast.Import, ast.ImportFrom)
_SUPPRESSING = frozenset(("suppress", "contextlib.suppress"))
_FINDING = frozenset(("find_spec", "util.find_spec", "importlib.util.find_spec"))
_SHOWING = frozenset(("repr", "str"))
_SAYING = frozenset(("print", "warnings.warn"))  # calls that leave nothing


@dataclass(frozen=True, slots=True)
class OptionalImport:
    """A statement of a cell that does something else where an import fails, and that does nothing but bind names.

    Attributes:
        text: the statement, on the lines where the cell has it.
        imports: those in its body, in order.
        names: all that it may bind.
        line: the one on which it begins.
    """

    text: str = field(repr=False)
    imports: tuple[CellImport, ...]
    names: frozenset[str]
    line: int = field(default=1, repr=False)

    def agrees_with(self, bound: Mapping[str, CellImport | None]) -> bool:
        """Say whether a cell has bound none of the names, or by an import of the same.

        Args:
            bound: what it has bound; see `names_bound`.
        """
        own = {one.name: replace(one, submodule="") for one in self.imports}
        return all(how is not None and own.get(name) == how for name, how in bound.items() if name in self.names)


def read_optional(text: str) -> Iterator[OptionalImport]:
    r"""Yield the imports that a cell can do without, each with the whole statement.

    A `try`, whatever its handler is for: a module can fail with any error. Or `with suppress(...)`, or an `if` that
    asks `find_spec`. Where the handler imports something itself, the cell chooses between modules: see `read_choices`.

    >>> text = "try:\n    import fast\n    HAS_FAST = True\nexcept ImportError:\n    HAS_FAST = False"
    >>> [(found.imports[0].module, sorted(found.names)) for found in read_optional(text)]
    [('fast', ['HAS_FAST', 'fast'])]
    >>> list(read_optional("try:\n    import fast\n    fast.start()\nexcept ImportError:\n    pass"))
    []
    >>> [sorted(found.names) for found in read_optional("if find_spec('fast'): import fast\nelse: fast = None")]
    [['fast']]
    """
    if _WORDS.search(text) is None:
        return
    for node in parse_text(text).body:
        tried, otherwise = _branches_of(node)
        if not tried or not _only_binds([node]):
            continue
        imports, handled = _imports_of(tried), _imports_of(otherwise)
        segment = ast.get_source_segment(text, node)
        if imports and segment and not handled and not any(one.name == "*" for one in imports):
            names = frozenset(names_bound(_text_of([node])))
            yield OptionalImport("\n" * (node.lineno - 1) + segment, imports, names, node.lineno)


def _branches_of(node: ast.stmt) -> tuple[Sequence[ast.stmt], Sequence[ast.stmt]]:
    """Return what a statement runs where imports can succeed, and what where they fail; nothing of other statements."""
    match node:
        case ast.Try(body=body, handlers=[_, *_] as handlers):
            return body, [part for handler in handlers for part in handler.body]
        case ast.With(items=items, body=body) if all(map(_suppresses, items)):
            return body, ()
        case ast.If(test=test, body=body, orelse=orelse) if _asks_finder(test):
            return (body, orelse) if _imports_of(body) else (orelse, body)
    return (), ()


def _suppresses(item: ast.withitem) -> bool:
    call = item.context_expr
    return isinstance(call, ast.Call) and ast.unparse(call.func) in _SUPPRESSING and item.optional_vars is None


def _asks_finder(test: ast.expr) -> bool:
    """Say whether a condition calls nothing but `find_spec`, and that with what is written there."""
    calls = [part for part in ast.walk(test) if isinstance(part, ast.Call)]
    arguments = [argument for call in calls for argument in call.args]
    finds = bool(calls) and all(ast.unparse(call.func) in _FINDING for call in calls)
    return finds and all(isinstance(argument, ast.Constant) for argument in arguments)


def names_bound(text: str) -> dict[str, CellImport | None]:
    r"""Return the names of the notebook that the text of a cell may bind, with the import that binds one last.

    >>> names_bound("import a.b\nfor c in range(3): d = c")
    {'a': CellImport(name='a', module='a', attribute=None), 'c': None, 'd': None}
    """
    events = [event for event in map(without_doubt, read_cell(text)) if not isinstance(event, CellAssignment)]
    imports = (replace(one, submodule="") if isinstance(one, CellImport) else None for one in events)
    return dict(zip((one.name if isinstance(one, CellImport) else one for one in events), imports, strict=True))


def statements_binding(texts: Iterable[str], names: Collection[str]) -> list[str]:
    r"""Return the statements in the texts of cells that bind some names last, and do nothing else: they can run again.

    >>> statements_binding(["run = walk = None", "def walk(): pass", "run = make()"], ["run", "walk"])
    ['def walk():\n    pass']
    """
    said: dict[str, str] = {}
    for node in (node for text in texts for node in parse_text(text).body):
        text = ast.unparse(node)
        for name in names_bound(text).keys() & names:
            said.pop(name, None)
            if isinstance(node, _BINDING) and _binds(node):
                said[name] = text
    return list(dict.fromkeys(said.values()))


def _imports_of(nodes: Iterable[ast.stmt]) -> tuple[CellImport, ...]:
    return tuple(one for one in map(without_doubt, read_cell(_text_of(nodes))) if isinstance(one, CellImport))


def _text_of(nodes: Iterable[ast.stmt]) -> str:
    return "\n".join(map(ast.unparse, nodes))


def _only_binds(nodes: Iterable[ast.stmt]) -> bool:
    """Say whether statements do nothing but bind names, so that they can run again."""
    return all(map(_binds, nodes))


def _binds(node: ast.stmt) -> bool:  # noqa: PLR0911 - one case a kind of statement
    match node:
        case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
            return _only_binds([*body, *orelse, *final, *(part for handler in handlers for part in handler.body)])
        case ast.With(items=items, body=body):
            return all(map(_suppresses, items)) and _only_binds(body)
        case ast.If(test=test, body=body, orelse=orelse):
            return _asks_finder(test) and _only_binds([*body, *orelse])
        case ast.ClassDef(bases=[], keywords=[], decorator_list=[], body=body):
            return _only_binds(body)
        case ast.FunctionDef(args=args, decorator_list=[]) | ast.AsyncFunctionDef(args=args, decorator_list=[]):
            return all(map(_is_still, [*args.defaults, *filter(None, args.kw_defaults)]))
        case ast.Assign(targets=targets, value=value):
            return all(isinstance(one, ast.Name) or _unpacks(one, value) for one in targets) and _is_still(value)
        case ast.AnnAssign(target=ast.Name(), value=value):
            return value is None or _is_still(value)
        case ast.Expr(value=ast.Call(func=function) as call) if ast.unparse(function) in _SAYING:
            return all(map(_is_still, [*call.args, *(keyword.value for keyword in call.keywords)]))
        case ast.Expr(value=value):
            return isinstance(value, ast.Constant)
    return isinstance(node, (ast.Import, ast.ImportFrom, ast.Pass))


def _unpacks(target: ast.expr, value: ast.expr) -> bool:
    """Say whether names are given the items of what is written beside them: `run, walk = None, None`."""
    if not (isinstance(value, ast.Tuple) and isinstance(target, ast.Tuple)):
        return False
    return all(isinstance(name, ast.Name) for name in target.elts)


def _is_still(node: ast.expr) -> bool:
    """Say whether to compute an expression calls nothing of the person's and changes nothing."""
    calls = (ast.Call, ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)
    found = [part for part in ast.walk(node) if isinstance(part, calls)]
    return isinstance(node, ast.Lambda) or all(
        isinstance(part, ast.Call) and ast.unparse(part.func) in _SHOWING for part in found
    )
