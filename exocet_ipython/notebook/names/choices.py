"""Imports of which a cell takes the first that succeeds: `try: import fast`, `except ImportError: import slow`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from exocet_ipython.loading.parsing import parse_text
from exocet_ipython.notebook.names.cells import read_cell
from exocet_ipython.notebook.names.events import CellImport, without_doubt

__all__ = ["catches_imports", "read_choices"]

_WORDS = re.compile(r"\bexcept\b")
_FAILING = frozenset(("ImportError", "ModuleNotFoundError", "Exception", "BaseException"))


@lru_cache(maxsize=64)  # as `read_cell`
def read_choices(text: str) -> tuple[tuple[CellImport, ...], ...]:
    r"""Return the imports of one name of which a cell takes the first that succeeds, in order; for each such name.

    >>> text = "try:\n    from fast import run\nexcept ImportError:\n    from slow import run"
    >>> [[found.module for found in choice] for choice in read_choices(text)]
    [['fast', 'slow']]
    """
    return () if _WORDS.search(text) is None else tuple(_choices_in(text))


def _choices_in(text: str) -> Iterator[tuple[CellImport, ...]]:
    for node in parse_text(text).body:
        if isinstance(node, ast.Try) and any(map(catches_imports, node.handlers)):
            branches = [node.body, *(handler.body for handler in node.handlers if catches_imports(handler))]
            found = [_imported(branch) for branch in branches]
            for name in found[0]:
                choice = tuple(one for imports in found for one in imports.get(name, ()))
                if len(choice) > 1:
                    yield choice


def _imported(branch: Sequence[ast.stmt]) -> dict[str, list[CellImport]]:
    """Return the imports in a branch by the names that they bind; one in another `try` comes after its own."""
    found: dict[str, list[CellImport]] = {}
    for event in read_cell("\n".join(map(ast.unparse, branch))):
        bound = without_doubt(event)
        if isinstance(bound, CellImport) and bound.name != "*":
            found.setdefault(bound.name, []).append(bound)
    return found


def catches_imports(handler: ast.ExceptHandler) -> bool:
    """Say whether the handler of a `try` is for an import that fails."""
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(part is None or (isinstance(part, ast.Name) and part.id in _FAILING) for part in caught)
