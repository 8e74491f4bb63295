"""Generations and the journal."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from exocet_ipython.loading.source import Snapshot
from exocet_ipython.reloading.generation import Generation, publish_modules
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.recording import ModuleRecord, record_module
from tests.workshop import Workshop


def record(name: str, order: int = 0) -> ModuleRecord:
    """A record of an empty module."""
    module = ModuleType(name)
    return record_module(module, Snapshot(name), None, name=name, order=order, number=1, seconds=0.0)


def test_generations_are_values() -> None:
    """The next generation is another object; the one before stays as it was."""
    first = Generation()
    second = first.updated({"a": record("a"), "b": record("b", 1)})
    third = second.updated({"c": record("c", 2)}, frozenset({"a"}))
    assert (len(first.records), sorted(second.records), sorted(third.records)) == (0, ["a", "b"], ["b", "c"])
    assert [generation.number for generation in (first, second, third)] == [0, 1, 2]
    assert third.adopting({"d": record("d", 3)}).number == 2
    with pytest.raises(TypeError):
        second.records["x"] = record("x")  # type: ignore[index] # the mapping refuses it


def test_order_goes_on() -> None:
    """A new module's place is after all that there are."""
    assert Generation().next_order == 0
    assert Generation().updated({"a": record("a", 7)}).next_order == 8


def test_reprs_are_counts() -> None:
    """Generations and records print counts and names, never contents."""
    generation = Generation().updated({"a": record("a")})
    assert repr(generation) == "<generation 1: 1 modules>"
    assert repr(generation.records["a"]) == "<record of a, generation 1>"


def test_journal_takes_everything_back(workshop: Workshop) -> None:
    """Undo restores items, attributes and modules, those that were absent too, newest first."""
    workshop.write({"j.py": ""})
    space: dict[str, Any] = {"a": 1}
    module, other = ModuleType("j"), ModuleType("j")
    module.x = 1  # type: ignore[attr-defined] # put there at run time
    sys.modules["j"] = module
    journal = Journal()
    journal.set_item(space, "a", 2)
    journal.set_item(space, "a", 3)
    journal.set_item(space, "b", 3)
    journal.set_attribute(module, "x", 2)
    journal.set_attribute(module, "y", 2)
    journal.delete_attribute(module, "x")
    journal.delete_attribute(module, "not there")
    journal.set_module("j", other)
    journal.set_module("j.new", other)
    assert sys.modules["j"] is sys.modules["j.new"] is other
    journal.undo()
    assert space == {"a": 1}
    assert vars(module)["x"] == 1
    assert "y" not in vars(module)
    assert sys.modules["j"] is module
    assert "j.new" not in sys.modules
    journal.undo()
    assert space == {"a": 1}


def test_publish_modules(workshop: Workshop) -> None:
    """Publishing sets entries and packages' attributes, and takes gone ones away, but not another's attribute."""
    workshop.write({"p.py": ""})
    package, old, gone, kept = (ModuleType(name) for name in ("p", "p.a", "p.b", "p.c"))
    vars(package).update(a=old, b=gone, c="the package's own")
    sys.modules.update({"p": package, "p.a": old, "p.b": gone, "p.c": kept})
    journal, new = Journal(), ModuleType("p.a")
    publish_modules(journal, {"p.a": new}, {"p.b": gone, "p.c": kept})
    assert sys.modules["p.a"] is package.a is new
    assert "p.b" not in sys.modules
    assert not hasattr(package, "b")
    assert package.c == "the package's own"
    journal.undo()
    assert sys.modules["p.a"] is package.a is old
    assert sys.modules["p.b"] is package.b is gone


def test_graph_shows_the_line(workshop: Workshop) -> None:
    """The graph of a generation has the lines of the files as evidence."""
    text = b"# first\nimport low\n"
    code = compile(text, "/high.py", "exec")
    high = record_module(
        ModuleType("high"), Snapshot("high", "/high.py", text), code, name="high", order=0, number=1, seconds=0.0
    )
    workshop.write({})
    graph = Generation().updated({"high": high, "low": record("low", 1)}).graph()
    assert str(graph.dependants(["low"])["high"]) == "high imports low (/high.py:2: import low)"
