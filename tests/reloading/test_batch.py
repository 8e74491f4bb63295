"""A batch: modules made and run beside the current ones."""

from __future__ import annotations

import builtins
import sys
import time

import pytest

from exocet_ipython.reloading.building.batch import Batch
from exocet_ipython.reloading.generation import Generation
from exocet_ipython.reloading.holding.contents import fingerprint
from exocet_ipython.reloading.scope import Scope
from tests.plain_notebook import PlainNotebook, python_import
from tests.workshop import Workshop, standin_names


def test_a_batch_touches_nothing(workshop: Workshop) -> None:
    """Making modules in a batch leaves `sys.modules`, the current modules and their packages as they are."""
    workshop.write({"p/__init__.py": "x = 1\n", "p/a.py": "import p.b\n", "p/b.py": ""})
    notebook = PlainNotebook()
    notebook.exoload("p.a")
    generation = notebook.session.generation
    before = {name: sys.modules[name] for name in ("p", "p.a", "p.b")}
    attributes = {name: dict(vars(module)) for name, module in before.items()}
    batch = Batch(generation, ["p.a", "p.b"], [], Scope())
    with batch.building():
        made = batch.load("p.a")
        assert sorted(standin_names()) == ["p", "p.a", "p.b"]
    assert made is batch.modules["p.a"]
    assert made.p is before["p"]
    assert batch.modules["p.b"] is not before["p.b"]
    assert {name: sys.modules[name] for name in before} == before
    assert {name: vars(module) for name, module in before.items()} == attributes
    assert standin_names() == []


def test_claims(workshop: Workshop) -> None:
    """A batch makes what is affected and own code that nobody loaded; all else is shared."""
    workshop.write({"a.py": "", "b.py": "", "c.py": "", "d.py": ""})
    notebook = PlainNotebook()
    notebook.exoload("a")
    notebook.exoload("b")
    python_import("d")
    batch = Batch(notebook.session.generation, ["a"], [], Scope())
    assert [batch.claims(name) for name in ("a", "b", "c", "d")] == [True, False, True, False]
    assert [batch.claims(name) for name in ("json", "sys", "nowhere", "", ".", "a..b", "a.nothing")] == [False] * 7


def test_records_know_the_time_of_the_body_alone(workshop: Workshop) -> None:
    """The seconds of a module are those of its own body, without what it imports."""
    wait = "import time\nend = time.perf_counter() + {seconds}\nwhile time.perf_counter() < end: pass\n"
    workshop.write({"slow.py": wait.format(seconds=0.2), "quick.py": "import slow\n"})
    batch = Batch(Generation(), ["quick"], [], Scope())
    began = time.perf_counter()
    batch.load("quick")
    took = time.perf_counter() - began
    records = batch.records()
    assert 0.2 <= records["slow"].seconds <= took
    assert records["quick"].seconds <= took - records["slow"].seconds + 0.001
    assert records["quick"].order < records["slow"].order
    assert records["quick"].imports[0].names == ("slow",)
    for name in ("slow", "quick"):
        assert name not in sys.modules


def test_body_sees_builtins_that_change_while_it_runs(workshop: Workshop) -> None:
    """A body reads each builtin as it is at that moment; functions it defines have the real ones."""
    workshop.write(
        {
            "a.py": """
                import builtins
                builtins.later = 1
                first = later
                builtins.later = 2
                second = later
                comprehension = [later for _ in range(1)][0]
                class C:
                    third = later
                del builtins.later
                try:
                    later
                except NameError as error:
                    message = str(error)
                def f(): return len
            """
        }
    )
    module = PlainNotebook().exoload("a")
    assert (module.first, module.second, module.comprehension, module.C.third) == (1, 2, 2, 2)
    assert module.message == "name 'later' is not defined"
    assert module.f.__builtins__ is vars(builtins)
    assert module.f() is len


def test_failed_import_that_a_body_survives(workshop: Workshop) -> None:
    """A module whose import failed, and whose importer went on without, has no record."""
    workshop.write({"a.py": "try:\n    import b\nexcept ZeroDivisionError:\n    b = None\n", "b.py": "1 / 0\n"})
    batch = Batch(Generation(), ["a"], [], Scope())
    assert batch.load("a").b is None
    assert sorted(batch.records()) == ["a"]
    with pytest.raises(ZeroDivisionError):
        batch.load("b")


def test_fingerprints_see_shallow_changes() -> None:
    """A fingerprint changes with items, keys, values and attributes, and not with what lies deeper."""

    class Thing:
        def __init__(self) -> None:
            self.a = [1]

    thing, items, table = Thing(), [1, [2]], {"a": 1}
    before = fingerprint(thing), fingerprint(items), fingerprint(table)
    thing.a.append(2)
    assert (fingerprint(thing), fingerprint(items), fingerprint(table)) == before
    thing.a = [1]
    items[0] = 5
    table["a"] = 5
    now = fingerprint(thing), fingerprint(items), fingerprint(table)
    assert [one != two for one, two in zip(before, now, strict=True)] == [True, True, True]
    assert fingerprint(object()) == fingerprint(object())


def test_repr_is_counts() -> None:
    """A batch prints how much it makes beside what."""
    assert repr(Batch(Generation(), ["a", "b"], [], Scope())) == "<batch of 2 modules beside <generation 0: 0 modules>>"
