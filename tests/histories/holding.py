"""Cells that hold definitions of a package in the ways that notebooks do: drawn at random.

The ways are in `holding.cells`: for what (`any`, a `class`, a `method` of one, a `function`), the code of the cell, and
what is asked of it after a reload. `{n}` is a name of the notebook, `{it}` the definition, `{of}` its module, `{m}` a
method of it.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["Held", "cell_of_imports", "draw_held"]

_WAYS = Path(__file__).with_name("holding.cells")
_TRIES = 8  # draws for each cell: some modules define nothing
_MODULES = (
    "abc collections contextlib contextvars dataclasses functools inspect operator queue threading types typing weakref"
)


@dataclass(frozen=True, slots=True)
class Held:
    """A cell that holds something, and an expression of which a restart shows the truth."""

    cell: str
    asked: str

    @property
    def title(self) -> str:
        """The first line of the cell, which is what a session calls it when it fails."""
        return self.cell.splitlines()[0]


def draw_held(modules: Mapping[str, Path], count: int, draw: random.Random) -> list[Held]:
    """Draw some cells that hold definitions of modules.

    Args:
        modules: dotted names of what a notebook has loaded, each with its file.
        count: of cells; fewer are drawn where the modules define little.
        draw: where chance comes from.
    """
    found: list[Held] = []
    for number in range(count * _TRIES if modules else 0):
        module = draw.choice(sorted(modules))
        body = ast.parse(modules[module].read_text("utf-8")).body
        top = [node for node in body if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and node.name[:2] != "__"]
        if top and len(found) < count:
            node = draw.choice(top)
            named = {"n": f"held_{number}", "it": f"{module}.{node.name}", "of": module}
            methods = _methods_of(node) if isinstance(node, ast.ClassDef) else []
            kinds = ["any", "class", "class"] if isinstance(node, ast.ClassDef) else ["any", "function"]
            kind = draw.choice([*kinds, *(["method"] * 2 if methods else [])])
            cell, asked = draw.choice(_ways()[kind])
            named["m"] = draw.choice(methods or [""])
            found.append(Held(f"# {named['n']}\nimport {module}\n{cell.format(**named)}", asked.format(**named)))
    return found


def cell_of_imports() -> str:
    """Return the cell that the drawn ones need before them."""
    return "".join(f"import {name}\n" for name in _MODULES.split())


def _methods_of(cls: ast.ClassDef) -> list[str]:
    functions = [part for part in cls.body if isinstance(part, ast.FunctionDef) and not part.decorator_list]
    return [part.name for part in functions if part.name[:2] != "__"]


@cache
def _ways() -> dict[str, list[tuple[str, str]]]:
    """Return the ways of holding something by what they are for, each as a cell and what is asked."""
    found: dict[str, list[tuple[str, str]]] = {}
    for part in _WAYS.read_text("utf-8").split("# %% ")[1:]:
        kind, _, text = part.partition("\n")
        cell, _, asked = text.partition("\n==> ")
        found.setdefault(kind, []).append((cell, asked.strip()))
    return found
