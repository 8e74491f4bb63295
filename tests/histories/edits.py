"""Small edits of real source files, of the kinds that people make while they explore: drawn at random."""

from __future__ import annotations

import ast
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.histories.moves import MOVES
from tests.histories.reshapes import RESHAPES
from tests.histories.rewrites import REWRITES
from tests.histories.sources import Source

__all__ = ["KINDS", "edit_files"]

_TRIES = 50  # draws, until one can be made in the file that was drawn


def edit_files(files: Sequence[Path], count: int, draw: random.Random) -> list[str]:
    """Make some edits in some of the files; return what was done, a line each.

    Args:
        files: Python sources, which are written.
        count: of edits; fewer are made where none can be drawn.
        draw: where chance comes from.
    """
    done: list[str] = []
    for _ in range(count * _TRIES if files else 0):
        path, kind = draw.choice(files), draw.choice((*KINDS, *MOVES))
        if not path.exists():  # moved by an edit before
            continue
        before = path.read_text("utf-8")
        if kind in MOVES:
            texts = MOVES[kind](path, draw) or {}
        else:
            after = KINDS[kind](Source(before), draw)
            texts = {path: after} if after and after != before else {}
        if texts and all(text is None or _compiles(text) for text in texts.values()):
            for changed, text in texts.items():
                _write(changed, text)
            done.append(f"{path.name}: {kind}")
        if len(done) == count:
            break
    return done


def _write(path: Path, text: str | None) -> None:
    if text is None:
        path.unlink()
    else:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")


def _compiles(text: str) -> bool:
    try:
        compile(text, "edited.py", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


def _change_constant(kind: type, change: Callable[[Any], str]) -> Callable[[Source, random.Random], str | None]:
    def edit(source: Source, draw: random.Random) -> str | None:
        found = source.constants(kind)
        if not found:
            return None
        node = draw.choice(found)
        return source.replaced(node, change(node.value))

    return edit


def _add_to_body(line: str) -> Callable[[Source, random.Random], str | None]:
    def edit(source: Source, draw: random.Random) -> str | None:
        if not source.functions:
            return None
        first = draw.choice(source.functions).body[0]
        indent = " " * first.col_offset
        at = (first.end_lineno or 0) if isinstance(first, ast.Expr) else first.lineno - 1
        return source.inserted(at, indent + line)

    return edit


def _add_to_class(text: str) -> Callable[[Source, random.Random], str | None]:
    def edit(source: Source, draw: random.Random) -> str | None:
        if not source.classes:
            return None
        cls = draw.choice(source.classes)
        indent = " " * cls.body[0].col_offset
        return source.inserted(cls.end_lineno or 0, "\n".join(indent + line for line in text.splitlines()))

    return edit


def _change_docstring(source: Source, draw: random.Random) -> str | None:
    found = source.docstrings
    if not found:
        return None
    node = draw.choice(found)
    return source.replaced(node, repr(f"A new text. {node.value!s}"))


def _delete_definition(source: Source, draw: random.Random) -> str | None:
    return source.without(draw.choice(source.top)) if source.top else None


def _move_definition(source: Source, draw: random.Random) -> str | None:
    if len(source.top) < 2:
        return None
    place = draw.randrange(len(source.top) - 1)
    return source.swapped(source.top[place], source.top[place + 1])


def _add_constant(source: Source, draw: random.Random) -> str | None:
    return f"{source.text}\n\nADDED_{draw.randint(0, 99)} = {draw.randint(0, 99)}\n"


# The commonest edits stand more than once, in other forms.
KINDS: dict[str, Callable[[Source, random.Random], str | None]] = {
    "another number": _change_constant(int, lambda value: str(value + 1)),
    "another string": _change_constant(str, lambda value: repr(f"{value}x")),
    "another truth value": _change_constant(bool, lambda value: str(not value)),
    "a comment": _add_to_body("# a comment"),
    "a statement": _add_to_body("_marker = 1"),
    "a loop": _add_to_body("_marker = [item for item in (1, 2)]"),
    "a check": _add_to_body("assert True is not False"),
    "a method": _add_to_class("def added(self):\n    return 1"),
    "a class attribute": _add_to_class("added = 1"),
    "a global": _add_constant,
    "another docstring": _change_docstring,
    "a definition deleted": _delete_definition,
    "a definition moved": _move_definition,
    **REWRITES,
    **RESHAPES,
}
