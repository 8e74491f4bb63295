"""What a reload costs beside `importlib.reload` by hand of the same modules, and beside `%autoreload 2`.

The tools take turns in fresh processes. A figure that is not a number is of a tool that gave a wrong answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks import workers
from tests.benchmarks.project import write_layers
from tests.benchmarks.workers import Figures

measure = partial(workers.measure, "reloads.py")
TOOLS = ("importlib", "autoreload", "track", "exocet")
ROUNDS = 3


def folders(parent: Path) -> Iterator[Path]:
    """Yield a new folder at each step."""
    number = 0
    while True:
        number += 1
        folder = parent / f"project{number}"
        folder.mkdir(parents=True)
        yield folder


def show(title: str, found: dict[str, list[Figures]]) -> None:
    """Print a table: a row for each figure, a column for each tool, with the ratio to `importlib`."""
    print(f"\n{title:34}" + "".join(f"{tool:>22}" for tool in found))
    for name in found["importlib"][0]:
        base = median(figures[name] for figures in found["importlib"])
        row = f"{name:34}"
        for repeats in found.values():
            value = median(figures[name] for figures in repeats)
            row += f"{f'{value:,.2f} ({value / base:.2f})' if base else f'{value:,.2f}':>22}"
        print(row)


def compare(tmp_path: Path, what: str, **arguments: Any) -> dict[str, list[Figures]]:
    """Measure all tools in turns, each time in a project of its own."""
    found: dict[str, list[Figures]] = {tool: [] for tool in TOOLS}
    new = folders(tmp_path)
    for _ in range(ROUNDS):
        for tool, repeats in found.items():
            repeats.append(measure(next(new), what, tool, **arguments))
    return found


def test_small(tmp_path: Path) -> None:
    """Print what an edit of a small module costs; at most 1.5 times `importlib` where code is exchanged in place."""
    show("small module, ms of CPU", compare(tmp_path, "small"))


def test_package(tmp_path: Path) -> None:
    """Print what an edit under 1,000 dependants costs; `importlib` and exocet run them all for a constant."""
    found: dict[str, list[Figures]] = {tool: [] for tool in TOOLS}
    names = [f"layers.m{number}" for number in range(1_000)]
    new = folders(tmp_path)
    for tool, repeats in found.items():
        folder = next(new)
        cell = write_layers(folder, 1_000)
        repeats.append(measure(folder, "package", tool, cell=cell, top="f999", names=names))
    show("1,000 dependants, ms of CPU", found)


def test_large(tmp_path: Path) -> None:
    """Print what an edit of a class costs where a notebook is long, or has many instances: each has its share."""
    for what, size in (("notebook", {"cells": 100}), ("notebook", {"cells": 1_000}), ("instances", {"count": 100_000})):
        show("a class edited, ms of CPU", compare(tmp_path / f"{what}{[*size.values()]}", what, **size))


def test_repeats(tmp_path: Path) -> None:
    """Print reload number 10 and number 100; they are alike, and no object is left."""
    show("repeated edits, ms of CPU", compare(tmp_path, "repeats", count=100))
