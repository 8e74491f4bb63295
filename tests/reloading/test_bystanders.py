"""Which loaded modules are own code, and which are looked at only once."""

from __future__ import annotations

import gc
import sys
import weakref
from importlib.machinery import ModuleSpec
from types import ModuleType

import pytest

from exocet_ipython.reloading.generation import Generation
from exocet_ipython.reloading.joining.adoption import adopt_modules
from exocet_ipython.reloading.joining.bystanders import Bystanders
from exocet_ipython.reloading.scope import Scope
from tests.plain_notebook import PlainNotebook, python_import
from tests.workshop import Workshop


@pytest.fixture(autouse=True)
def bytecode(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python writes `.pyc` files, whatever the environment says: they tell what an import ran."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)


def test_another_scope_and_another_module_are_judged_anew(workshop: Workshop) -> None:
    """What was none of the scope is found when the scope grows, or when the name has another module."""
    workshop.write({"a.py": ""})
    own = python_import("a")
    foreign = ModuleType("a")
    foreign.__spec__ = ModuleSpec("a", None)
    bystanders = Bystanders()
    sys.modules["a"] = foreign
    assert "a" not in bystanders.find_own(Scope())
    assert "json" not in bystanders.find_own(Scope())
    sys.modules["a"] = own
    assert bystanders.find_own(Scope())["a"] is own
    assert "json" in bystanders.find_own(Scope().with_root("json"))


def test_no_module_is_kept_alive(workshop: Workshop) -> None:
    """A module that was judged dies with its last user."""
    workshop.write({"a.py": ""})
    bystanders = Bystanders()
    module = weakref.ref(python_import("a"))
    bystanders.find_own(Scope(exclude=("a",)))
    del sys.modules["a"]
    gc.collect()
    assert module() is None


def test_what_was_there_before_and_is_related_to_nothing_is_left(workshop: Workshop) -> None:
    """It is left until something that it has to do with joins."""
    workshop.write({"a.py": "import b\n", "b.py": ""})
    python_import("a")
    bystanders = Bystanders()
    for _ in range(2):
        assert adopt_modules(Generation(), Scope(), [], bystanders) == {}
    assert sorted(adopt_modules(Generation(), Scope(), ["b"], bystanders)) == ["a", "b"]


def test_what_was_imported_since_the_session_began_is_reloaded(workshop: Workshop) -> None:
    """Own code that a cell has imported in any way is reloaded by the next verb; what was there before if named."""
    workshop.write({"before.py": "x = 1\n", "late.py": "import deep\n", "deep.py": "x = 1\n"})
    python_import("before")
    notebook = PlainNotebook()
    run_unseen(notebook, "def ask():\n    import late\n    return late.deep.x\nask()")
    workshop.edit("before.py", "x = 2\n")
    workshop.edit("deep.py", "x = 2\n")
    assert notebook.reloaded() == ["deep", "late"]
    assert notebook.space["ask"]() == 2
    run_unseen(notebook, "from before import x")
    assert notebook.reloaded() == ["before"]
    assert notebook["x"] == 2


def run_unseen(notebook: PlainNotebook, cell: str) -> None:
    """Run a cell as a shell does whose magics have nothing to do with it: nobody sees its imports."""
    exec(cell, notebook.space)
    notebook.session.learn(cell)
