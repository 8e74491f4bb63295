"""What the text of a cell binds."""

from __future__ import annotations

import ast
import dataclasses
import http.client
import inspect
import subprocess
import textwrap
import typing
from types import ModuleType

import pytest

from exocet_ipython.notebook.names.cells import may_bind, read_cell
from exocet_ipython.notebook.names.events import CellAssignment, CellImport, Perhaps


def perhaps(*events: CellImport | str) -> list[Perhaps]:
    """What stands in a block."""
    return [Perhaps(event) for event in events]


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("import a", [CellImport("a", "a")]),
        ("import a.b", [CellImport("a", "a", submodule="a.b")]),
        ("import a.b as c, d", [CellImport("c", "a.b"), CellImport("d", "d")]),
        ("from a import b, c as d", [CellImport("b", "a", "b"), CellImport("d", "a", "c")]),
        ("from a.b import *", [CellImport("*", "a.b", "*")]),
        ("from . import b", []),
        ("from .a import b", []),
        ("x = 1", ["x"]),
        ("x: int = 1", ["x"]),
        ("x += 1", ["x"]),
        ("x = y = 1", ["x", "y"]),
        ("x, (y, *z) = t", ["x", "y", "z"]),
        ("x.y = 1\nx[0] = 1\nx[0].y = 1", [CellAssignment("x.y"), CellAssignment("x[0]")]),
        ("x.y['a.b'] += 1\nx[y] = 1\nx[0][1] = 1\nx()[0] = 1\nx['a']", [CellAssignment("x.y['a.b']")]),
        ("if t:\n    x['a'] = x['b'] = 1", [CellAssignment("x['a']"), CellAssignment("x['b']")]),
        ("if a.b:\n    x.y.z += c.d", [CellAssignment("x.y.z")]),
        ("x.y.add('a')\nx.insert(0, 1)\nx.append(y)", [CellAssignment("x.y['a']"), CellAssignment("x[1]")]),
        ("x.update({'a': 1, **y}, b=2)", [CellAssignment("x['b']"), CellAssignment("x['a']")]),
        ("x.extend(['a', y])\nx.update(y)\nx.keys()\nx().add(1)", [CellAssignment("x['a']")]),
        ("x.append((y := 1))", ["y"]),
        ("del x", ["x"]),
        ("def x(): import a", ["x"]),
        ("async def x(): pass", ["x"]),
        ("class x: import a", ["x"]),
        ("print((x := 1))", ["x"]),
        ("[x for x in y]", []),
        ("[(z := x) for x in y]", ["z"]),
        ("lambda y=(z := 1): (x := 1)", ["z"]),
        ("x: int", []),
        ("(x := 1) and (y := 2)", ["x", Perhaps("y")]),
        ("(y := 1) if (x := 0) else 2", ["x", Perhaps("y")]),
        ("for x in y:\n    import a\nelse:\n    z = 1", ["x", Perhaps(CellImport("a", "a")), Perhaps("z")]),
        ("while (x := f()):\n    import a", ["x", Perhaps(CellImport("a", "a"))]),
        ("with f() as x, g() as (y, z):\n    import a", ["x", "y", "z", Perhaps(CellImport("a", "a"))]),
        (
            "try:\n    import a\nexcept E as x:\n    a = None\nelse:\n    b = 1\nfinally:\n    c = 1",
            # The import may be what was reached: it comes last.
            [*perhaps("b", "x", "a", CellImport("a", "a")), "c"],
        ),
        ("try:\n    import a\nexcept* E:\n    a = None", perhaps("a", CellImport("a", "a"))),
        ("if t:\n    import a\nelse:\n    import b as a", perhaps(CellImport("a", "a"), CellImport("a", "b"))),
        ("match t:\n    case [x, *y]:\n        z = 1", perhaps(*"xyz")),
        ("match t:\n    case {'k': x, **y}:\n        pass", perhaps(*"yx")),
        ("match t:\n    case (1 | 2) as x:\n        import a", perhaps("x", CellImport("a", "a"))),
        ("import a\na = a.b\nimport a", [CellImport("a", "a"), "a", CellImport("a", "a")]),
        ("%timeit x", []),
        ("def (", []),
        ("x = '\0'", []),
        ("", []),
    ],
)
def test_read_cell(cell: str, found: list[CellImport | Perhaps | str]) -> None:
    """A cell binds, in order, what its statements at the top level bind; what doesn't parse binds nothing."""
    assert list(read_cell(cell)) == found


@pytest.mark.parametrize("module", [ast, dataclasses, http.client, inspect, subprocess, typing])
def test_a_cell_of_which_nothing_is_read_binds_nothing(module: ModuleType) -> None:
    """Of the statements of large modules, those in which `may_bind` finds nothing bind nothing."""
    text = inspect.getsource(module)
    lines = text.splitlines(keepends=True)
    statements = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.stmt)]
    cells = {textwrap.dedent("".join(lines[node.lineno - 1 : node.end_lineno])) for node in statements}
    wrong = [cell for cell in cells if not may_bind(cell) and list(read_cell(cell))]
    assert wrong == []
    assert any(may_bind(cell) for cell in cells)
    assert not all(may_bind(cell) for cell in cells)
