"""One measurement of one tool in a process of its own: `python session.py MEASURE TOOL ARGUMENTS`, the last as JSON.

Prints the figures as JSON: names -> microseconds, but for ratios. Cells go through `run_cell`, so IPython's events
fire. Tools: `none`, `noop` (empty callbacks: the floor of whatever works at each cell), `exocet`, and the peers.
"""

from __future__ import annotations

import ast
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from types import ModuleType
from typing import Any

from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult, InteractiveShell
from traitlets.config import Config

sys.path[:] = [folder for folder in sys.path if folder != str(Path(__file__).parent)]

TOOLS = {
    "none": "",
    "noop": "register = get_ipython().events.register\n"
    "register('pre_run_cell', lambda info: None)\nregister('post_run_cell', lambda result: None)",
    "exocet": "%load_ext exocet_ipython\n%exoauto on",
    "autoreload": "%load_ext autoreload\n%autoreload 2",
    "jurigged": "import jurigged\n_watcher = jurigged.watch(logger=lambda event: None)",
}
LONG = "\n".join(f"import module{i}\nfrom package{i} import name{i} as alias{i}\nvalue{i} = [{i}]" for i in range(10))
BUDGET = 1.0  # seconds for the repeats of one figure
Figures = dict[str, float]


def open_shell(tool: str) -> InteractiveShell:
    """Return a shell in which a tool works."""
    config = Config()
    config.HistoryManager.enabled = False
    shell: InteractiveShell = InteractiveShell.instance(config=config)
    run(shell, TOOLS[tool])
    run(shell, "pass")
    return shell


def run(shell: InteractiveShell, cell: str) -> None:
    """Run a cell that must succeed."""
    shell.run_cell(cell, store_history=False).raise_error()


def microseconds(act: Callable[[], object], repeats: int = 300) -> float:
    """Return the median time of an act, in as many repeats as the budget allows, three at least."""
    found: list[float] = []
    until = time.perf_counter() + BUDGET
    while len(found) < 3 or (len(found) < repeats and time.perf_counter() < until):
        began = time.perf_counter()
        act()
        found.append(time.perf_counter() - began)
    return median(found) * 1e6


def measure_idle(shell: InteractiveShell, packages: list[str], sizes: list[int], chunk: int) -> Figures:
    """Measure what a cell costs with ever more modules loaded: callbacks, the whole cell, the process's CPU time.

    The CPU time is that of all threads: one that watches files is in it, during cells and while nothing runs.
    """
    figures: Figures = {}
    loaded = 0
    for size in sizes:
        wanted = size // chunk
        for first in range(loaded, wanted, 10):  # ten packages a cell
            run(shell, "import " + ", ".join(packages[first : min(first + 10, wanted)]))
        loaded = wanted
        for _ in range(5):
            run(shell, "pass")
        figures[f"callbacks at {size:,}"] = microseconds(lambda: fire(shell, "pass\n"))
        figures[f"whole cell at {size:,}"] = microseconds(lambda: run(shell, "pass"))
        began, cells = time.process_time(), 0
        until = time.perf_counter() + BUDGET
        while time.perf_counter() < until:
            run(shell, "pass")
            cells += 1
        figures[f"CPU, all threads, at {size:,}"] = (time.process_time() - began) / cells * 1e6
    began = time.process_time()
    time.sleep(BUDGET)
    figures["CPU of a second at rest"] = (time.process_time() - began) / BUDGET * 1e6
    figures["callbacks of 30 lines"] = microseconds(lambda: fire(shell, LONG))
    figures["one ast.parse of them"] = microseconds(lambda: ast.parse(LONG))
    return figures


def fire(shell: InteractiveShell, cell: str) -> None:
    """Let IPython call what it calls around a cell, without the cell."""
    info = ExecutionInfo(cell, store_history=False, silent=False, shell_futures=True, cell_id=None)
    info.transformed_cell = cell
    trigger: Any = shell.events.trigger
    trigger("pre_execute")
    trigger("pre_run_cell", info)
    trigger("post_execute")
    trigger("post_run_cell", ExecutionResult(info))


def measure_first(shell: InteractiveShell, cell: str) -> Figures:
    """Measure a cell that imports a package for the first time, and the cell after it."""
    began, worked = time.perf_counter(), time.process_time()
    run(shell, cell)
    done, finished = time.perf_counter(), time.process_time()
    run(shell, "pass")
    return {
        "wall": (done - began) * 1e6,
        "CPU": (finished - worked) * 1e6,
        "CPU of the next cell": (time.process_time() - finished) * 1e6,
    }


def measure_loops(shell: InteractiveShell, names: list[str]) -> Figures:
    """Measure loops in code that was imported, and then reloaded, as ratios to the same text run plainly."""
    text = Path("hot.py").read_text(encoding="utf-8")
    run(shell, "import hot")
    figures = {f"{name}, loaded": ratio(shell.user_ns["hot"], plain(text), name) for name in names}
    text += "\nEDITED = 1\n"
    Path("hot.py").write_text(text, encoding="utf-8")
    run(shell, "pass")
    if hasattr(shell.user_ns["hot"], "EDITED"):
        figures |= {f"{name}, reloaded": ratio(shell.user_ns["hot"], plain(text), name) for name in names}
    return figures


def plain(text: str) -> ModuleType:
    """Return a module that no tool knows of, with the same code."""
    helper = ModuleType("helper")
    exec(compile(Path("helper.py").read_text(encoding="utf-8"), "<helper>", "exec"), vars(helper))
    module = ModuleType("hot")
    vars(module).update(vars(helper), helper=helper)
    body = "\n".join(line for line in text.splitlines() if "import" not in line)
    exec(compile(body, "<plain>", "exec"), vars(module))
    return module


def ratio(module: ModuleType, control: ModuleType, name: str) -> float:
    """Return how much longer a loop takes than the control, the best of many that take turns."""
    one, other = getattr(module, name), getattr(control, name)
    times: tuple[list[float], list[float]] = [], []
    for _ in range(60):
        for function, found in zip((one, other), times, strict=True):
            began = time.perf_counter()
            function(3_000)
            found.append(time.perf_counter() - began)
    return min(times[0]) / min(times[1])


MEASURES: dict[str, Callable[..., Figures]] = {"idle": measure_idle, "first": measure_first, "loops": measure_loops}

if __name__ == "__main__":
    measure, tool, arguments = sys.argv[1:]
    sys.path.insert(0, str(Path.cwd()))
    print(json.dumps(MEASURES[measure](open_shell(tool), **json.loads(arguments))))
    sys.stdout.flush()
    os._exit(0)  # taking ten thousand modules down has nothing to do with it
