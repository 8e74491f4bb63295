"""What becomes of generations that nothing holds, where the collector doesn't come."""

from __future__ import annotations

import builtins
import gc
import sys
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from tests.plain_notebook import PlainNotebook
from tests.workshop import Workshop

TABLES = """
class Table:
    def __init__(self, rows):
        self.rows = rows
NUMBER = {number}
TABLE = Table([0] * 1000)
def rows():
    return len(TABLE.rows) + NUMBER
"""


@pytest.fixture(autouse=True)
def no_collector() -> Iterator[None]:
    """No automatic collection runs."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def notebook(workshop: Workshop) -> PlainNotebook:
    """A notebook that uses a module with much data."""
    workshop.write({"tables.py": TABLES.format(number=0)})
    notebook = PlainNotebook()
    notebook.run("import tables")
    return notebook


def retire(notebook: PlainNotebook, workshop: Workshop, *numbers: int, head: str = "") -> list[weakref.ref[Any]]:
    """Reload with these numbers, and return weak references to what was current before each."""
    old = []
    for number in numbers:
        old.append(weakref.ref(sys.modules["tables"]))
        workshop.write({"tables.py": head + TABLES.format(number=number) + "RAN = object()\n"})
        assert "tables" in {module.name for module in notebook.reload().reloaded}
    return old


def test_data_of_a_retired_module_goes_with_the_next_reload(notebook: PlainNotebook, workshop: Workshop) -> None:
    """A module's data is freed when the next one has retired."""
    data = [weakref.ref(notebook["tables"].TABLE)]
    old = retire(notebook, workshop, 1)
    data.append(weakref.ref(notebook["tables"].TABLE))
    old += retire(notebook, workshop, 2, 3)
    assert [module() is None for module in old] == [True, True, False]
    assert [table() is None for table in data] == [True, True]
    assert notebook["tables"].rows() == 1003


def test_methods_go_with_their_module(notebook: PlainNotebook, workshop: Workshop) -> None:
    """Of a class, which Python makes a circle, only the shell waits for the collector."""
    methods = [weakref.ref(notebook["tables"].Table.__init__)]
    retire(notebook, workshop, 1)
    methods.append(weakref.ref(notebook["tables"].Table.__init__))
    retire(notebook, workshop, 2, 3)
    assert [method() is None for method in methods] == [True, True]
    assert notebook["tables"].Table([1]).rows == [1]


def test_what_imports_a_container_goes_as_well(notebook: PlainNotebook, workshop: Workshop) -> None:
    """A list that the module before and the one now have both imported holds neither."""
    workshop.write({"shared.py": "ROWS = [1, 2]\n"})
    old = retire(notebook, workshop, 1, 2, 3, 4, head="from shared import ROWS\n")
    assert [module() is None for module in old] == [True, True, True, False]


def test_what_is_left_of_a_del_method_is_for_the_collector(notebook: PlainNotebook, workshop: Workshop) -> None:
    """A class with `__del__` finds the globals of its module when the collector frees an instance."""
    text = "CLOSED = print.__self__.__dict__.setdefault('CLOSED', [])\n"
    text += "class Table:\n    def __del__(self): CLOSED.append(NUMBER)\n"
    for number in (1, 2, 3):
        workshop.write({"tables.py": f"{text}TABLE = Table()\nNUMBER = {number}\nRAN = object()\n"})
        notebook.reload()
    closed = vars(builtins).pop("CLOSED")
    assert closed == []
    gc.collect()
    assert closed == [1, 2]


def test_undo_of_the_last_edit_finds_its_objects(notebook: PlainNotebook, workshop: Workshop) -> None:
    """The generation that retired last waits, so an edit that is undone brings back the very module."""
    first = id(sys.modules["tables"])
    retire(notebook, workshop, 1)
    workshop.write({"tables.py": TABLES.format(number=0)})
    assert notebook.reload().returned == ("tables",)
    assert id(sys.modules["tables"]) == first
    old = retire(notebook, workshop, 2, 3, 4)
    assert [module() is None for module in old] == [True, True, False]
    assert notebook["tables"].rows() == 1004


@pytest.mark.parametrize("kept", ["rows", "TABLE", "Table", "__dict__"])
def test_what_something_came_to_hold_stays_whole(notebook: PlainNotebook, workshop: Workshop, kept: str) -> None:
    """Who gets hold of an object of a module that has retired keeps all that it needs."""
    (old,) = retire(notebook, workshop, 1)
    held = [getattr(old(), kept)]
    retire(notebook, workshop, 2, 3, 4)
    module: Any = old()
    assert module is not None
    assert module.rows() == 1000
    del held


def test_a_function_that_runs_keeps_its_module(workshop: Workshop) -> None:
    """A generator of a module that has retired goes on with its globals."""
    workshop.write({"feed.py": "STEP = 1\ndef numbers():\n    while True:\n        yield STEP\n"})
    notebook = PlainNotebook()
    notebook.run("import feed\nrunning = feed.numbers()\nfirst = next(running)")
    for number in (2, 3, 4):
        workshop.write(
            {"feed.py": f"STEP = {number}\nRAN = object()\ndef numbers():\n    while True:\n        yield STEP\n"}
        )
        notebook.reload()
    assert next(notebook["running"]) == 1
