"""Import edges: who imports whom, with the evidence."""

from __future__ import annotations

from exocet_ipython.reloading.graph import ImportEdge, ImportGraph
from exocet_ipython.reloading.imports import ImportStatement, lines_of


def test_edges_have_evidence() -> None:
    """An edge knows the file, the line and its text; an object that is held gives an edge without a line."""
    graph = ImportGraph.of(
        {"app": lines_of([ImportStatement(("lib", "lib.x", "json"), 3)], "app"), "lib": {}, "reg": {}},
        {"app": ["lib", "reg"], "lib": [], "reg": ["nothing"]},
        lambda name, line: (f"/{name}.py", f"line {line}"),
    )
    imports_lib, imports_reg = (graph.dependants([name])["app"] for name in ("lib", "reg"))
    assert imports_lib == ImportEdge("app", "lib", "/app.py", 3, "line 3")
    assert imports_reg == ImportEdge("app", "reg")
    assert graph.dependants(["json"]) == {}
    assert str(imports_lib) == "app imports lib (/app.py:3: line 3)"
    assert str(imports_reg) == "app imports reg"


def test_dependants_are_transitive() -> None:
    """All that import a name, directly or through others, are found once, each with the edge of a shortest chain."""
    edges = [("b", "a"), ("c", "b"), ("c", "a"), ("d", "c"), ("x", "y"), ("a", "d")]
    graph = ImportGraph(ImportEdge(*edge) for edge in edges)
    found = graph.dependants(["a"])
    assert {name: edge.imported for name, edge in found.items()} == {"b": "a", "c": "a", "d": "c"}
    assert graph.dependants(["a", "b", "c", "d"]) == {}
    assert graph.dependants(["nothing"]) == {}


def test_long_chains() -> None:
    """A chain of ten thousand modules is no recursion."""
    graph = ImportGraph(ImportEdge(f"m{number}", f"m{number + 1}") for number in range(10_000))
    assert len(graph.dependants(["m10000"])) == 10_000
