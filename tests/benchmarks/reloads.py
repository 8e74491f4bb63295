"""Edits of one project with one tool, in a process of its own: `python reloads.py MEASURE TOOL ARGUMENTS`.

Each edit is saved, and a cell that uses what was edited is run: the time to its right answer counts. Prints the figures
as JSON, in milliseconds of CPU time, which other processes disturb least. Tools: those of `session.py`, `track` (exocet
that moves nothing) and `importlib`: `importlib.reload` by hand, of exactly the modules that need it.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from session import TOOLS, open_shell, run  # type: ignore[import-not-found]  # the folder of this script

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

del sys.modules["session"]  # it is no module of the project whose edits are measured
TOOLS["importlib"] = ""
TOOLS["track"] = TOOLS["exocet"] + "\n%config Exocet.instances = 'track'"
EDITS = 5
Figures = dict[str, float]


def small_source(body: int, shape: int) -> str:
    """Return the text of a module with twenty functions and a class: one number is in a body, one is an attribute."""
    functions = [
        f"def f{i}(x, y=2):\n    total = x * {i} + y\n    return total if total else len(str(x))" for i in range(20)
    ]
    cls = f"class C:\n    SHAPE = {shape}\n    def answer(self):\n        return {body}, self.SHAPE"
    return "\n".join((*functions, cls, ""))


def save(path: Path, text: str) -> None:
    """Save a text with a time stamp of its own, as a person's next save has it."""
    time.sleep(0.02)
    path.write_text(text, encoding="utf-8")


class Editing:
    """One tool at work in one shell."""

    def __init__(self, shell: InteractiveShell, tool: str) -> None:
        self.shell = shell
        self.is_importlib = tool == "importlib"
        self.edits = 0

    def milliseconds(self, path: Path, text: str, cell: str, answer: object, names: list[str]) -> float:
        """Save a text and return how long it took until a cell gave the right answer; not a number if it doesn't.

        Each text is longer than the last: of two of one length, saved within a second, importlib takes the older one.
        """
        self.edits += 1
        save(path, f"{text}# {'x' * self.edits}\n")
        began = time.process_time()
        if self.is_importlib:
            for name in names:
                importlib.reload(sys.modules[name])
        self.shell.run_cell(cell, store_history=False)
        took = time.process_time() - began
        return took * 1e3 if self.shell.user_ns.pop("answer", None) == answer else float("nan")


def measure_small(shell: InteractiveShell, tool: str, count: int = 12) -> Figures:
    """Edit a method's body, and then a class's attribute, with live instances, in a small module."""
    path = Path("small.py")
    save(path, small_source(0, 0))
    run(shell, "import small\nfrom small import C, f1\nobjects = [C() for _ in range(10)]")
    editing = Editing(shell, tool)
    cell = "answer = small.C().answer()" if tool in ("importlib", "track") else "answer = objects[0].answer()"
    bodies = [editing.milliseconds(path, small_source(n, 0), cell, (n, 0), ["small"]) for n in range(1, count)]
    shapes = [editing.milliseconds(path, small_source(0, n), cell, (0, n), ["small"]) for n in range(1, count)]
    return {"a method's body": median(bodies), "a class's attribute": median(shapes)}


def measure_package(shell: InteractiveShell, tool: str, cell: str, top: str, names: list[str]) -> Figures:
    """Edit a constant, and then a body, in the module under 1,000 dependants."""
    leaf = Path("layers/m0.py")
    text = leaf.read_text(encoding="utf-8")
    run(shell, cell)
    editing = Editing(shell, tool)
    ask = f"import sys\nanswer = sys.modules['layers.m0'].f0(0), sys.modules['layers.m30'].OTHERS[1], {top}(0)"
    known = shell.user_ns[top](0)
    bodies = [
        editing.milliseconds(leaf, text.replace("return x + V0", f"return x + V0 + {n}"), ask, (n, 0, known), names)
        for n in range(1, EDITS)
    ]
    constants = [
        editing.milliseconds(leaf, text.replace("V0 = 0", f"V0 = {n}"), ask, (n, n, known), names)
        for n in range(1, EDITS)
    ]
    return {"a constant": median(constants), "a body": median(bodies)}


def measure_repeats(shell: InteractiveShell, tool: str, count: int) -> Figures:
    """Edit a class with live instances ever again."""
    path = Path("small.py")
    save(path, small_source(0, 0))
    run(shell, "import small\nfrom small import C\nobjects = [C() for _ in range(10)]")
    editing = Editing(shell, tool)
    cell = "answer = small.C().answer()"
    times, objects = [], []
    for number in range(1, count + 1):
        times.append(editing.milliseconds(path, small_source(0, number), cell, (0, number), ["small"]))
        if number in (10, count):
            gc.collect()
            objects.append(len(gc.get_objects()))
    return {
        "near number 10": median(times[7:12]),
        "near the last": median(times[-5:]),
        "objects more for each": (objects[-1] - objects[0]) / (count - 10),
    }


def measure_heap(shell: InteractiveShell, tool: str, objects: int) -> Figures:
    """Edit a class with ten live instances beside many other objects."""
    path = Path("small.py")
    save(path, small_source(0, 0))
    run(shell, "import small\nfrom small import C\nobjects = [C() for _ in range(10)]")
    gc.disable()
    shell.user_ns["heap"] = [[number] for number in range(objects)]
    gc.enable()
    gc.collect()
    editing = Editing(shell, tool)
    cell = "answer = small.C().answer()"
    times = [editing.milliseconds(path, small_source(0, n), cell, (0, n), ["small"]) for n in range(1, EDITS)]
    began = time.process_time()
    gc.get_referrers(sys.modules["small"].C)
    return {"a class": median(times), "one gc.get_referrers": (time.process_time() - began) * 1e3}


def measure_instances(shell: InteractiveShell, tool: str, count: int) -> Figures:
    """Edit a class with many live instances, each of which runs the new code then."""
    path = Path("small.py")
    save(path, small_source(0, 0))
    run(shell, f"import small\nobjects = [small.C() for _ in range({count})]\nfor one in objects: one.data = []")
    editing = Editing(shell, tool)
    cell = "answer = objects[-1].answer()"
    times = [editing.milliseconds(path, small_source(0, n), cell, (0, n), ["small"]) for n in range(1, EDITS)]
    return {f"{count:,} instances": median(times)}


def measure_notebook(shell: InteractiveShell, tool: str, cells: int) -> Figures:
    """Edit a class in a long notebook: each cell has an instance, and a class below it or a decorated function."""
    path = Path("small.py")
    extra = "def same(f):\n    return f\n"
    save(path, small_source(0, 0) + extra)
    run(shell, "import small")
    for number in range(cells):
        made = f"class K{number}(small.C):\n    pass" if number % 3 else f"@small.same\ndef g{number}(): pass"
        shell.run_cell(f"{made}\none{number} = small.C()", store_history=True).raise_error()
    editing = Editing(shell, tool)
    cell = "answer = K1().answer()"
    times = [editing.milliseconds(path, small_source(0, n) + extra, cell, (0, n), ["small"]) for n in range(1, EDITS)]
    return {f"{cells:,} cells": median(times)}


MEASURES: dict[str, Callable[..., Figures]] = {
    "small": measure_small,
    "instances": measure_instances,
    "notebook": measure_notebook,
    "package": measure_package,
    "repeats": measure_repeats,
    "heap": measure_heap,
}

if __name__ == "__main__":
    measure, tool, arguments = sys.argv[1:]
    sys.path.insert(0, str(Path.cwd()))
    print(json.dumps(MEASURES[measure](open_shell(tool), tool, **json.loads(arguments))))
    sys.stdout.flush()
    os._exit(0)  # taking a large heap down has nothing to do with it
