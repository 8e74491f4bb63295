"""What a session with `%exoauto on` costs beside one without: idle cells, first imports, the run time of loaded code.

Each figure is taken in a fresh process by `session.py`, the tools in turns so that all meet the same machine, and is
printed beside `none`, a session with no tool, and where it applies beside its floor.
"""

from __future__ import annotations

import importlib.util
from functools import partial
from pathlib import Path
from statistics import median

from tests.benchmarks import workers
from tests.benchmarks.project import CROWD, LOOPS, write_crowd, write_hot, write_layers
from tests.benchmarks.workers import Figures

measure = partial(workers.measure, "session.py")
PEERS = [name for name in ("jurigged",) if importlib.util.find_spec(name) is not None]
TOOLS = ["none", "noop", "exocet", "autoreload", *PEERS]
SIZES = (500, 10_000)
FIRST_REPEATS = 7


def show(title: str, found: dict[str, list[Figures]], unit: str, scale: float = 1.0) -> None:
    """Print a table: a row for each figure, a column for each tool, its median and the ratio to that of `none`."""
    print(f"\n{title:30}" + "".join(f"{tool:>24}" for tool in found))
    for name in found["none"][0]:
        row = f"{name:30}"
        base = median(figures[name] for figures in found["none"])
        for repeats in found.values():
            value = median(figures[name] for figures in repeats)
            text = f"{value * scale:,.1f} {unit} ({value / base:.2f})"
            row += f"{text:>24}"
        print(row)


def test_idle(tmp_path: Path) -> None:
    """Print what a cell costs when nothing changed, own code and installed packages; the floor is `noop`."""
    for place, below in (("own code", "own"), ("site-packages", "lib/site-packages")):
        folder = tmp_path / below
        packages = write_crowd(folder, max(SIZES))
        arguments = {"packages": packages, "sizes": SIZES, "chunk": CROWD}
        measure(folder, "idle", "none", **(arguments | {"sizes": SIZES[-1:]}))  # writes the .pyc files
        show(place, {tool: [measure(folder, "idle", tool, **arguments)] for tool in TOOLS}, "us")


def test_first(tmp_path: Path) -> None:
    """Print what the first import of a package of 1,000 modules costs, and how far the repeats of `none` spread."""
    cell = write_layers(tmp_path, 1_000)
    found: dict[str, list[Figures]] = {tool: [] for tool in TOOLS}
    for number in range(FIRST_REPEATS + 1):
        for tool, repeats in found.items():
            figures = measure(tmp_path, "first", tool, cell=cell)
            if number:  # the first round writes the .pyc files
                repeats.append(figures)
    show("first import, 1,000 modules", found, "ms", 1e-3)
    for tool, repeats in found.items():
        times = sorted(figures["CPU"] / 1e3 for figures in repeats)
        print(f"  CPU of {tool}: {times[0]:.1f} to {times[-1]:.1f} ms")


def test_loops(tmp_path: Path) -> None:
    """Print how long loops take in loaded and reloaded code, as ratios to the same text that no tool has seen."""
    print(f"\n{'run time, ratio to plain code':30}" + "".join(f"{name:>26}" for name in LOOPS))
    for tool in TOOLS:
        write_hot(tmp_path)
        figures = measure(tmp_path, "loops", tool, names=LOOPS)
        for state in ("loaded", "reloaded"):
            values = [figures.get(f"{name}, {state}") for name in LOOPS]
            if None not in values:
                print(f"{tool + ', ' + state:30}" + "".join(f"{value:>26.2f}" for value in values))
