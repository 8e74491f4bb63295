"""Building a plan aside."""

from __future__ import annotations

import sys

import pytest

from exocet_ipython.reloading.building.build import Surroundings, build_modules
from exocet_ipython.reloading.building.plan import Plan, Step
from exocet_ipython.reloading.generation import Generation
from exocet_ipython.reloading.noticing.changes import Change
from exocet_ipython.reloading.scope import Scope
from tests.plain_notebook import PlainNotebook, state_of
from tests.workshop import Workshop, standin_names


def test_build_publishes_nothing(workshop: Workshop) -> None:
    """What a plan came to is handed over; nothing of it is current."""
    workshop.write({"a.py": "import b\n", "b.py": ""})
    built = build_modules(Plan((Step("a"),)), Surroundings(Generation(), Scope()))
    assert sorted(built.made) == ["a", "b"]
    assert built.made["a"].module.b is built.made["b"].module
    assert "a" not in sys.modules
    assert "b" not in sys.modules
    assert built.gone == frozenset()


def test_failed_build_changes_nothing(workshop: Workshop) -> None:
    """When a step fails, all that ran before it is dropped, and the error is raised as it is."""
    workshop.write({"a.py": "", "b.py": "import a\n", "c.py": "import b\n1 / 0\n"})
    notebook = PlainNotebook()
    notebook.exoload("b")
    before = state_of(notebook, "a", "b", "c")
    with pytest.raises(ZeroDivisionError):
        build_modules(Plan((Step("a"), Step("b"), Step("c"))), Surroundings(notebook.session.generation, Scope()))
    assert state_of(notebook, "a", "b", "c") == before
    assert standin_names() == []


def test_gone_modules(workshop: Workshop) -> None:
    """A module without source that nothing in the plan imports is gone; one that something imports is an error."""
    workshop.write({"a.py": "", "b.py": ""})
    notebook = PlainNotebook()
    notebook.exoload("a")
    notebook.exoload("b")
    (workshop.folder / "b.py").unlink()
    gone = Step("b", Change("b", "deleted", workshop.path("b.py")), gone=True)
    built = build_modules(Plan((Step("a"), gone)), Surroundings(notebook.session.generation, Scope()))
    assert built.gone == {"b"}
    assert sorted(built.made) == ["a"]
    workshop.write({"a.py": "import b\n"})
    with pytest.raises(ModuleNotFoundError, match="No module named 'b'"):
        build_modules(Plan((Step("a"), gone)), Surroundings(notebook.session.generation, Scope()))


def test_package_gets_its_unaffected_submodules(workshop: Workshop) -> None:
    """A package made anew has the current submodules as attributes, but for what its body binds itself."""
    workshop.write({"p/__init__.py": "", "p/a.py": "", "p/b.py": ""})
    notebook = PlainNotebook()
    for name in ("p.a", "p.b"):
        notebook.exoload(name)
    workshop.write({"p/__init__.py": "a = 'mine'\n"})
    built = build_modules(Plan((Step("p"),)), Surroundings(notebook.session.generation, Scope()))
    package = built.made["p"].module
    assert package.a == "mine"
    assert package.b is sys.modules["p.b"]
