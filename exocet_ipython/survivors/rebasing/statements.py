"""The `class` statements of cells, whose texts are kept for tracebacks: what they say of bases and all else."""

from __future__ import annotations

import ast
import inspect
import operator
import sys
from collections.abc import Container, Iterable, Iterator, Mapping
from types import FunctionType
from typing import Any, NamedTuple

from exocet_ipython.loading.cells import texts_of_cells
from exocet_ipython.loading.classes import first_named, mro_of
from exocet_ipython.loading.parsing import parse_text
from exocet_ipython.loading.spaces import globals_of
from exocet_ipython.reloading.holding.held import CELLS, home_of
from exocet_ipython.reloading.ladder.operations import parameters_of
from exocet_ipython.reloading.retired import functions_of
from exocet_ipython.survivors.matching.succession import Succession

__all__ = ["bases_meant", "classes_said", "in_order_of_cells", "keywords_said", "names_said", "takes_keyword"]


def keywords_said(cls: type) -> dict[str, Any]:
    """Return the keywords with constant values of the last statement of a cell that defined a class of this name.

    Args:
        cls: a class of a cell; of one that a function has made nothing is said.
    """
    statement = _statement_of(cls)
    said = {keyword.arg: keyword.value for keyword in statement.keywords if keyword.arg} if statement else {}
    return {key: value.value for key, value in said.items() if isinstance(value, ast.Constant)}


def names_said(cls: type) -> set[str] | None:
    """Return the names that the body of this statement binds itself; None where there is no such statement."""
    statement = _statement_of(cls)
    if statement is None:
        return None
    nodes = [node for part in statement.body for node in ast.walk(part)]
    names = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return names | {
        node.name for node in nodes if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    }


def classes_said(cls: type, but: Container[str]) -> dict[str, type]:
    """Return the classes that the body of this statement has in it, made again: its metaclass took them out, and away.

    Args:
        cls: a class of a cell.
        but: names of those that are known.

    Raises:
        TypeError: making one again would do more than a restart may be asked for twice.
    """
    found = _find_statement(cls)
    if found is None:
        return {}
    space = globals_of(sys.modules.get(CELLS))
    parts = [part for part in found.statement.body if isinstance(part, ast.ClassDef) and part.name not in but]
    if not parts:
        return {}
    for part in parts:
        if not all(_only_makes(node, space) for node in _nodes_that_run(part)):
            message = f"its metaclass has taken {part.name} out of its body; run its cell again"
            raise TypeError(message)
    around = ast.copy_location(ast.ClassDef(cls.__name__, [], [], list(parts), []), found.statement)
    if sys.version_info >= (3, 12):
        around.type_params = []
    made: dict[str, Any] = {}
    exec(compile(ast.Module([around], []), found.file, "exec", dont_inherit=True), space, made)  # noqa: S102 - a person's own text
    return {part.name: vars(made[cls.__name__])[part.name] for part in parts}


def _nodes_that_run(statement: ast.ClassDef) -> Iterator[ast.AST]:
    """Yield what is in a `class` statement, but for the bodies of functions."""
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            waiting += [*node.args.defaults, *filter(None, node.args.kw_defaults), *node.decorator_list]
        elif not isinstance(node, ast.Lambda):
            waiting += ast.iter_child_nodes(node)


def _only_makes(node: ast.AST, space: Mapping[str, Any]) -> bool:
    """Say whether what runs in a body does no more than to make something: it calls nothing but classes."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and issubclass(type(space.get(node.func.id)), type)
    return not isinstance(node, (ast.Await, ast.Import, ast.ImportFrom, ast.NamedExpr, ast.With, ast.Yield))


def bases_meant(cls: type, counterparts: Mapping[int, type], succession: Succession) -> tuple[type, ...]:
    """Return the bases that a class of a cell has by now: those that retired by what took their place.

    Where the statement says another name of a base than its own (`Client = HttpClient`), it means what has that name by
    now, in the modules where the base had it.
    """
    bases = tuple(counterparts.get(id(base), base) for base in cls.__bases__)
    statement = _statement_of(cls)
    names = [getattr(base, "attr", getattr(base, "id", "")) for base in (statement.bases if statement else ())]
    if len(names) != len(bases):
        return bases
    return tuple(
        _named_now(name, before, succession) or now
        for name, before, now in zip(names, cls.__bases__, bases, strict=True)
    )


def _named_now(name: str, before: type, succession: Succession) -> type | None:
    """Return the one class that has a name now where a retired one had it as another name; None if there is none."""
    if name == before.__name__:
        return None
    homes = [home for home, record in succession.old.items() if globals_of(record.module).get(name) is before]
    found = {id(now): now for home in homes if issubclass(type(now := succession.find(f"{home}.{name}")), type)}
    return next(iter(found.values())) if len(found) == 1 else None


def takes_keyword(metaclass: type, name: str) -> bool:
    """Say whether a metaclass takes a keyword of class statements.

    >>> class Tabled(type):
    ...     def __new__(mcs, name, bases, space, table=""): return super().__new__(mcs, name, bases, space)
    >>> takes_keyword(Tabled, "table"), takes_keyword(Tabled, "other"), takes_keyword(type, "table")
    (True, False, False)
    """
    function = getattr(first_named("__new__", mro_of(metaclass)), "__func__", None)
    if type(function) is not FunctionType:
        return False
    code = function.__code__
    return name in parameters_of(code) or bool(code.co_flags & inspect.CO_VARKEYWORDS)


def in_order_of_cells(classes: Iterable[type]) -> list[type]:
    """Return classes in the order in which cells have defined them; those of which no statement is found come last."""
    places = [(_place_of(cls), cls) for cls in classes]
    return [cls for _, cls in sorted(places, key=operator.itemgetter(0))]


def _place_of(cls: type) -> tuple[int, int]:
    """Return which cell has a statement, the latest one being 0 and the others before it, and its line there."""
    found = _find_statement(cls)
    return (1, 0) if found is None else (-found.later, found.statement.lineno)


def _statement_of(cls: type) -> ast.ClassDef | None:
    found = _find_statement(cls)
    return None if found is None else found.statement


class _Found(NamedTuple):
    """A `class` statement, the name of its cell as that of a file, and how many cells are later."""

    statement: ast.ClassDef
    file: str
    later: int


def _find_statement(cls: type) -> _Found | None:
    """Return the last statement that defined a class of this name."""
    called: str = type.__getattribute__(cls, "__qualname__")
    if home_of(cls) != CELLS or "." in called:
        return None
    cells = [*texts_of_cells()]  # those of retired modules have no class that is a cell's
    # `dataclass` writes methods as well, in no file of a cell.
    files = {function.__code__.co_filename for function in functions_of(cls)}.intersection(name for name, _ in cells)
    for later, (name, lines) in enumerate(cells):
        if files and name not in files:
            continue
        text = "".join(lines)
        for node in reversed(parse_text(text).body if f"class {called}" in text else []):
            if isinstance(node, ast.ClassDef) and node.name == called:
                return _Found(node, name, later)
    return None
