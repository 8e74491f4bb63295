"""Whether a function does something else when cells decorate with it: what it has made of theirs is made again then."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable, Iterator, Mapping

from exocet_ipython.loading.cells import texts_of_cells
from exocet_ipython.loading.parsing import parse_text
from exocet_ipython.loading.trees import nested
from exocet_ipython.reloading.ladder.codes import CodePair

__all__ = ["decorates_otherwise"]

_LOCALS = ".<locals>."


def decorates_otherwise(pairs: Iterable[CodePair]) -> str:
    """Return the path of a function that does something else when a definition in a cell is decorated; else nothing.

    What it makes runs later, and gets new code in place.
    """
    changed = [pair for pair in pairs if pair.differs_itself]
    used = _decorators_of_cells() if changed else {}
    return next((pair.outer for pair in changed if used and _runs(pair, used)), "")


def _runs(pair: CodePair, used: Mapping[str, int]) -> bool:
    """Say whether code runs when something is decorated."""
    *around, name = pair.outer.split(".")
    calls = used.get(name, 0)
    if around and name in ("__init__", "__new__", "__call__"):
        calls = used.get(around[-1], 0)
        if name == "__call__" and calls == 1:
            return False  # that of what it has made
    inside = pair.path[len(pair.outer) :].count(_LOCALS[:-1])
    return calls > 0 and (inside < calls or any(not part.co_name.startswith("<") for part in nested(pair.old)))


def _decorators_of_cells() -> dict[str, int]:
    """Return what cells decorate with, by its last name, with how many calls that takes: of `@trace()` two."""
    found: dict[str, int] = {}
    for _, lines in texts_of_cells():
        for name, calls in _decorators_in(tuple(lines)):
            found[name] = max(calls, found.get(name, 0))
    return found


@functools.lru_cache(2_000)
def _decorators_in(lines: tuple[str, ...]) -> tuple[tuple[str, int], ...]:
    """Return the same of one cell; what it imports by another name under both."""
    if not any(line.lstrip().startswith("@") for line in lines):
        return ()
    nodes = [*ast.walk(parse_text("".join(lines)))]
    aliases = {part.asname: part.name for node in nodes if isinstance(node, ast.ImportFrom) for part in node.names}
    found = [*_read(nodes)]
    return (*found, *((aliases[name], calls) for name, calls in found if name in aliases))


def _read(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, int]]:
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for decorator in node.decorator_list:
                called = decorator.func if isinstance(decorator, ast.Call) else decorator
                name = getattr(called, "attr", getattr(called, "id", ""))
                yield name, 1 if called is decorator else 2
