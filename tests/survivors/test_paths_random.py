"""Hold paths on random object graphs: each is real, and none is longer than the one that objgraph finds.

What the rest of the heap does to a search is for `test_paths.py`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_paths_are_real_and_no_longer_than_those_of_objgraph() -> None:
    """Each object that a name leads to has a path that gives it, as short as objgraph's; the others have none."""
    command = [sys.executable, "-m", "tests.survivors.random_graphs"]
    run = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
