"""Modules that Python imported by itself, and what text they ran."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from exocet_ipython.reloading.generation import Generation
from exocet_ipython.reloading.joining.adoption import adopt_modules
from exocet_ipython.reloading.joining.claims import Claims
from exocet_ipython.reloading.noticing.changes import StatSweep
from exocet_ipython.reloading.scope import Scope
from tests.plain_notebook import PlainNotebook, python_import
from tests.workshop import Workshop

SCOPE = Scope()


def changed_after_adoption() -> list[tuple[str, str]]:
    """Adopt all own modules, and say which of them differ on disk from what they ran."""
    generation = Generation().adopting(adopt_modules(Generation(), SCOPE))
    found = StatSweep().changed(record.snapshot for record in generation.records.values())
    return [(change.name, change.kind) for change in found]


@pytest.fixture(autouse=True)
def bytecode(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python writes `.pyc` files, whatever the environment says."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)


def test_adopted_as_they_are(workshop: Workshop) -> None:
    """Own modules join with the module objects they have, their imports known; nothing runs."""
    workshop.write({"a.py": "import b\n", "b.py": "ran = []\nran.append(1)\n"})
    module = python_import("a")
    found = adopt_modules(Generation(), SCOPE)
    assert sorted(found) == ["a", "b"]
    assert found["a"].module is module
    assert found["a"].imports[0].names == ("b",)
    assert module.b.ran == [1]
    assert adopt_modules(Generation().adopting(found), SCOPE) == {}
    assert changed_after_adoption() == []


def test_edited_between_import_and_adoption(workshop: Workshop) -> None:
    """An edit after the import shows as a change, also with the same size in the same second."""
    workshop.write({"a.py": "x = 1\n", "b.py": "x = 1\n", "c.py": "x = 1\n"})
    for name in "abc":
        python_import(name)
    workshop.edit("a.py", "x = 2\n", same_time=True)
    workshop.edit("b.py", "x = 2222\n")
    assert changed_after_adoption() == [("a", "modified"), ("b", "modified")]


def test_code_that_ran_is_known_after_an_edit(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The `.pyc` still has what ran; not where imports write none, since it may be of another text."""
    workshop.write({"a.py": "x = 'before'\n", "b.py": "x = 'before'\n"})
    python_import("a")
    workshop.edit("a.py", "x = 'after'\n")
    code = adopt_modules(Generation(), SCOPE)["a"].code
    assert code is not None
    assert "before" in code.co_consts
    python_import("b")
    workshop.edit("b.py", "x = 'after'\n")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert adopt_modules(Generation(), SCOPE)["b"].code is None


def test_touched_between_import_and_adoption(workshop: Workshop) -> None:
    """A file that was only touched, or rewritten with the same text, has not changed."""
    workshop.write({"a.py": "x = 1\n", "b.py": "x = 1\n"})
    python_import("a")
    python_import("b")
    os.utime(workshop.folder / "a.py", (1_000_000_000, 1_000_000_000))
    workshop.edit("b.py", "x = 1\n")
    assert changed_after_adoption() == []


def test_broken_between_import_and_adoption(workshop: Workshop) -> None:
    """A file that no longer parses is adopted, shows as a change, and its error is that of the reload."""
    workshop.write({"a.py": "x = 1\n"})
    notebook = PlainNotebook()
    notebook.space["a"] = python_import("a")
    workshop.edit("a.py", "x = = 1\n")
    assert changed_after_adoption() == [("a", "modified")]
    with pytest.raises(SyntaxError):
        notebook.session.load("a")
    workshop.edit("a.py", "x = 3\n")
    notebook.exoload("a")
    assert notebook["a"].x == 3


def test_without_bytecode_the_text_is_unknown(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a `.pyc` nothing tells what ran: the status says so, and the next save is a change."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    workshop.write({"a.py": "x = 1\n", "user.py": "import a\n"})
    python_import("a")
    notebook = PlainNotebook()
    notebook.exoload("user")
    assert {module.name: module.state for module in notebook.session.status().modules}["a"] == "unknown"
    assert notebook.reloaded() == []
    workshop.edit("a.py", "x = 2\n")
    assert notebook.reloaded() == ["a", "user"]
    assert notebook["user"].a.x == 2


def test_deleted_between_import_and_adoption(workshop: Workshop) -> None:
    """A module whose file is gone is adopted without its text."""
    workshop.write({"a.py": "x = 1\n"})
    python_import("a")
    (workshop.folder / "a.py").unlink()
    assert sorted(adopt_modules(Generation(), SCOPE)) == ["a"]


def test_strange_entries_in_sys_modules(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """None, objects that are no modules, and modules without a spec are passed over."""
    workshop.write({})

    class Strange:
        def __getattr__(self, name: str) -> object:
            raise AttributeError(name)

    monkeypatch.setitem(sys.modules, "blocked", None)
    monkeypatch.setitem(sys.modules, "strange", Strange())
    assert adopt_modules(Generation(), SCOPE) == {}


def test_claims_are_first_while_a_cell_runs() -> None:
    """But for those that note the imports of one thread for a moment: they were put on for that."""
    finders = list(sys.meta_path)
    claims, others, moment = Claims(SCOPE), Claims(SCOPE), Claims(SCOPE, thread=threading.get_ident())
    claims.put_on()
    others.put_on()
    claims.begin_cell("")
    assert sys.meta_path[:2] == [claims, others]
    moment.put_on()
    claims.begin_cell("")
    assert sys.meta_path[:2] == [moment, claims]
    for one in (claims, others, moment):
        one.take_off()
    assert sys.meta_path == finders


def test_claims_note_what_is_imported(workshop: Workshop) -> None:
    """Claims note the first imports of own code while they are on, once, and are taken off without a trace."""
    workshop.write({"a.py": "import b, wave\n", "b.py": ""})
    finders = list(sys.meta_path)
    sys.modules.pop("wave", None)
    claims = Claims(SCOPE)
    claims.put_on()
    assert sys.meta_path[0] is claims
    before = claims.found_some
    python_import("a")
    claims.take_off()
    claims.take_off()
    assert sys.meta_path == finders
    assert (before, claims.found_some) == (False, True)
    found = claims.records(Generation())
    assert sorted(found) == ["a", "b"]
    assert claims.records(Generation()) == {}
    record = found["a"]
    assert record.code is not None
    assert record.snapshot.data == b"import b, wave\n"
    assert vars(sys.modules["a"].__loader__) == {"name": "a", "path": workshop.path("a.py")}


def test_claims_of_one_thread(workshop: Workshop) -> None:
    """Claims for one thread note nothing of what another imports."""
    workshop.write({"a.py": "", "b.py": ""})
    claims = Claims(SCOPE, threading.get_ident())
    claims.put_on()
    thread = threading.Thread(target=python_import, args=("a",))
    thread.start()
    thread.join(30)
    python_import("b")
    claims.take_off()
    assert "a" in sys.modules
    assert sorted(claims.records(Generation())) == ["b"]
