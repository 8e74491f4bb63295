"""What an edit of a class costs in a process with many objects: beside `importlib`, and one pass over the heap.

Tracking looks at no other object; migrating makes one pass (`gc.get_referrers`), whatever there is to move.
"""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.bench_reload import TOOLS, folders, measure
from tests.benchmarks.workers import Figures

HEAPS = (100_000, 1_000_000, 10_000_000)


def test_heap(tmp_path: Path) -> None:
    """Print the edit by size of the heap, and how many passes over it are in what is more than `importlib` takes."""
    new = folders(tmp_path)
    print(f"\n{'class edit, ms of CPU, at objects':34}" + "".join(f"{tool:>28}" for tool in TOOLS))
    for objects in HEAPS:
        found: dict[str, Figures] = {tool: measure(next(new), "heap", tool, objects=objects) for tool in TOOLS}
        base = found["importlib"]["a class"]
        row = f"{objects:<34,}"
        for figures in found.values():
            more = (figures["a class"] - base) / figures["one gc.get_referrers"]
            took = figures["a class"]
            row += f"{f'{took:,.1f} (+{more:.2f} passes)':>28}"
        print(row)
