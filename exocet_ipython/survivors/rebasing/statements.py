"""The `class` statements of cells, whose texts are kept for tracebacks: what they say of bases and all else."""

from __future__ import annotations

import ast
import functools
import inspect
import linecache
import operator
import re
import sys
from collections.abc import Container, Iterable, Iterator, Mapping
from types import FunctionType
from typing import Any, NamedTuple

from exocet_ipython.loading.cells import text_of_cell, texts_of_cells
from exocet_ipython.loading.classes import first_named, mro_of
from exocet_ipython.loading.parsing import parse_text
from exocet_ipython.loading.spaces import globals_of
from exocet_ipython.reloading.holding.held import CELLS, home_of
from exocet_ipython.reloading.ladder.operations import parameters_of
from exocet_ipython.reloading.retired import functions_of
from exocet_ipython.survivors.matching.succession import Succession

__all__ = ["bases_meant", "classes_said", "in_order_of_cells", "keywords_said", "names_said", "takes_keyword"]

_STATEMENT = re.compile(r"class\s+(\w+)")


def keywords_said(cls: type) -> dict[str, Any]:
    """Return the keywords with constant values of the last statement of a cell that defined a class of this name.

    Args:
        cls: a class of a cell; of one that a function has made nothing is said.
    """
    found = _find_statement(cls)
    return {} if found is None else dict(found.said.keywords)


def names_said(cls: type) -> frozenset[str] | None:
    """Return the names that the body of this statement binds itself; None where there is no such statement."""
    found = _find_statement(cls)
    return None if found is None else found.said.names


def classes_said(cls: type, but: Container[str]) -> dict[str, type]:
    """Return the classes that the body of this statement has in it, made again: its metaclass took them out, and away.

    Args:
        cls: a class of a cell.
        but: names of those that are known.

    Raises:
        TypeError: making one again would do more than a restart may be asked for twice.
    """
    found = _find_statement(cls)
    statement = None if found is None else _statement_in(found.text, found.said.called)
    if found is None or statement is None:
        return {}
    space = globals_of(sys.modules.get(CELLS))
    parts = [part for part in statement.body if isinstance(part, ast.ClassDef) and part.name not in but]
    if not parts:
        return {}
    for part in parts:
        if not all(_only_makes(node, space) for node in _nodes_that_run(part)):
            message = f"its metaclass has taken {part.name} out of its body; run its cell again"
            raise TypeError(message)
    around = ast.copy_location(ast.ClassDef(cls.__name__, [], [], list(parts), []), statement)
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
    found = _find_statement(cls)
    names = () if found is None else found.said.bases
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
    found = [(_find_statement(cls), cls) for cls in classes]
    cells = {file: -later for later, (file, _) in enumerate(texts_of_cells())} if len(found) > 1 else {}
    places = [((1, 0) if one is None else (cells.get(one.file, 0), one.said.line), cls) for one, cls in found]
    return [cls for _, cls in sorted(places, key=operator.itemgetter(0))]


class _Said(NamedTuple):
    """What a `class` statement says, but for what its body does.

    Attributes:
        called: the name of the class.
        line: its own, in the cell.
        keywords: those with constant values.
        bases: the last names of the bases; nothing for those that are no names.
        names: what its body binds itself.
    """

    called: str
    line: int
    keywords: tuple[tuple[str, Any], ...]
    bases: tuple[str, ...]
    names: frozenset[str]


class _Found(NamedTuple):
    """What a `class` statement says, the name of its cell as that of a file, and the text of that."""

    said: _Said
    file: str
    text: str


def _find_statement(cls: type) -> _Found | None:
    """Return the last statement that defined a class of this name."""
    called: str = type.__getattribute__(cls, "__qualname__")
    if home_of(cls) != CELLS or "." in called:
        return None
    # `dataclass` writes methods as well, in no file of a cell.
    files = {function.__code__.co_filename for function in functions_of(cls)}
    texts = {file: text for file in files if (text := text_of_cell(file)) is not None}
    if not texts:
        texts = {file: text_of_cell(file) or "" for file in _files_with_class().get(called, ())}
    elif len(texts) > 1:
        texts = {file: texts[file] for file, _ in texts_of_cells() if file in texts}
    for file, text in texts.items():
        if f"class {called}" in text and (said := _read_statement(text, called)) is not None:
            return _Found(said, file, text)
    return None


def _files_with_class() -> Mapping[str, list[str]]:
    """Return the file names of the cells that may have a `class` statement, by its name, the latest first."""
    return _read_files(len(linecache.cache), next(reversed(linecache.cache), ""))


@functools.lru_cache(1)
def _read_files(count: int, last: str) -> Mapping[str, list[str]]:  # noqa: ARG001 - tell of the texts
    found: dict[str, list[str]] = {}
    for file, lines in texts_of_cells():  # those of retired modules have no class that is a cell's
        named = (_STATEMENT.match(line) for line in lines if line.startswith("class "))
        for name in {one[1] for one in named if one is not None}:
            found.setdefault(name, []).append(file)
    return found


@functools.lru_cache(2_000)  # no trees: these are so much that each look over the heap would take longer
def _read_statement(text: str, called: str) -> _Said | None:
    """Return what the last `class` statement of a name in a text says."""
    statement = _statement_in(text, called)
    if statement is None:
        return None
    given = [(keyword.arg, keyword.value) for keyword in statement.keywords]
    keywords = ((key, value.value) for key, value in given if key and isinstance(value, ast.Constant))
    bases = (getattr(base, "attr", getattr(base, "id", "")) for base in statement.bases)
    nodes = [node for part in statement.body for node in ast.walk(part)]
    names = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    names |= {node.name for node in nodes if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))}
    return _Said(called, statement.lineno, tuple(keywords), tuple(bases), frozenset(names))


def _statement_in(text: str, called: str) -> ast.ClassDef | None:
    """Return the last `class` statement of a name in a text, at its outermost level."""
    found = (node for node in reversed(parse_text(text).body) if isinstance(node, ast.ClassDef) and node.name == called)
    return next(found, None)
