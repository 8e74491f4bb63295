"""Projects to load in a benchmark: many small modules, a package in layers, and loops whose run time is compared."""

from __future__ import annotations

from pathlib import Path

__all__ = ["HOT", "LOOPS", "write_crowd", "write_hot", "write_layers"]

CROWD = 50  # modules in each package of a crowd
LAYER = 30  # modules in each layer of a package in layers

HOT = """
import helper
from helper import inc, BASE, Node

TABLE = [1, 2, 3]

def loop_builtins(n):
    total = 0
    for i in range(n):
        total += len(TABLE) + abs(-i) + isinstance(i, int)
    return total

def loop_globals(n):
    total = 0
    for i in range(n):
        total += inc(i) + BASE + helper.BASE
    return total

def loop_objects(n):
    node = Node()
    for i in range(n):
        node.step(i)
    return node.v
"""
HELPER = """
BASE = 3

def inc(x):
    return x + BASE

class Node:
    def __init__(self):
        self.v = 0

    def step(self, d):
        self.v += d
        return self.v
"""
LOOPS = ("loop_builtins", "loop_globals", "loop_objects")


def write_crowd(folder: Path, count: int) -> list[str]:
    """Write `count` trivial modules in packages of 50 that import all theirs; return the packages' names."""
    names = []
    for number in range(count // CROWD):
        package = folder / f"crowd{number}"
        package.mkdir(parents=True)
        modules = [f"m{i}" for i in range(CROWD - 1)]
        (package / "__init__.py").write_text("".join(f"from . import {name}\n" for name in modules))
        for name in modules:
            (package / f"{name}.py").write_text(f"X = 1\n\ndef {name}(a):\n    return a + X\n")
        names.append(package.name)
    return names


def write_layers(folder: Path, count: int) -> str:
    """Write a package of which each module imports three of the layer below; return a cell that imports the top."""
    package = folder / "layers"
    package.mkdir()
    (package / "__init__.py").touch()
    for number in range(count):
        layer, place = divmod(number, LAYER)
        below = sorted({(layer - 1) * LAYER + (place * 3 + t) % LAYER for t in range(3)}) if layer else []
        if number == count - 1:
            below = list(range(max(0, number - LAYER), number))
        lines = [f'"""Module {number}."""', *(f"from .m{i} import f{i}, V{i}" for i in below)]
        lines += [f"V{number} = {number}", f"OTHERS = ({''.join(f'f{i}, V{i}, ' for i in below)})"]
        lines += [f"def f{number}(x):", f"    return x + V{number}"]
        lines += [
            f"class K{number}:",
            f"    N = {number}",
            "    def run(self, x):",
            f"        return f{number}(x) + self.N",
        ]
        (package / f"m{number}.py").write_text("\n".join(lines) + "\n")
    return f"from layers.m{count - 1} import f{count - 1}"


def write_hot(folder: Path) -> None:
    """Write the module with the loops, and what they call."""
    (folder / "hot.py").write_text(HOT)
    (folder / "helper.py").write_text(HELPER)
