"""The ladder: the lowest rung that is right, taken, named and explained."""

from __future__ import annotations

import contextlib
import gc
import inspect
import sys
import traceback
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from exocet_ipython.loading.witness import WITNESS
from exocet_ipython.notebook.report import ReloadReport
from exocet_ipython.reloading.ladder.reach import Reach
from exocet_ipython.reloading.ladder.uses import Reached
from tests.plain_notebook import PlainNotebook, state_of
from tests.workshop import Workshop

LAYOUT = "# A comment.\n\n\n"


def edited(workshop: Workshop, before: str, after: str, *cells: str, migrate: bool = True) -> ReloadReport:
    """Load a module `a`, run cells, edit it and return what a dry run says of the reload."""
    workshop.write({"a.py": before})
    notebook = PlainNotebook()
    for cell in ("import a\nfrom a import *", *cells):
        notebook.run(cell)
    workshop.edit("a.py", after)
    return notebook.session.reload(migrate=migrate, dry_run=True)


def reason(report: ReloadReport) -> str:
    """Return why module `a` is in a report."""
    (found,) = [module.reason for module in (*report.revised, *report.reloaded) if module.name == "a"]
    return found


@dataclass(frozen=True)
class Case:
    """A module whose function returns `old`, and why its body may not be exchanged in place; empty where it may.

    Attributes:
        did_not: whether what its names allow has not happened: known where the interpreter says what has run.
    """

    text: str
    why: str = ""
    cells: tuple[str, ...] = ()
    did_not: bool = False


F = "def f():\n    return 'old'\n"
CASES = {
    "a leaf": Case(F),
    "a method": Case("class A:\n    def m(self):\n        return 'old'\n"),
    "a property": Case(
        "class A:\n    @property\n    def p(self): return 'old'\n    @p.setter\n    def p(self, x): ...\n"
    ),
    "a property with annotations": Case(
        "from typing import Any\nclass A:\n    @property\n    def p(self) -> list[Any]: return ['old']\n"
    ),
    "a context manager with annotations": Case(
        "from collections.abc import Iterator\nfrom contextlib import contextmanager\n"
        "@contextmanager\ndef f(x: int = 1, *, y: str = 'y') -> Iterator[str]: yield 'old'\n"
    ),
    "a static method": Case("class A:\n    @staticmethod\n    def m():\n        return 'old'\n"),
    "a closure": Case(
        "def make():\n    def inner():\n        return 'old'\n    return inner\n", cells=("kept = make()",)
    ),
    "a dataclass": Case(
        "from dataclasses import dataclass\n@dataclass\nclass A:\n    x: int\n    def m(self):\n        return 'old'\n"
    ),
    "a script's main": Case(F + "def main():\n    f()\nif __name__ == '__main__':\n    main()\n"),
    "an alias": Case(F + "g = f\nTABLE = (f, g)\n"),
    "a public name": Case("__all__ = ['f']\n" + F),
    "a call": Case(F + "X = f()\n", "line 3: `X = f()`"),
    "a call through another": Case(F + "def g():\n    return f()\nX = g()\n", "line 5: `X = g()` (through g)"),
    "a call through an alias": Case(F + "T = (f,)\nX = T[0]()\n", "line 4: `X = T[0]()` (through T)"),
    "a comprehension": Case(F + "X = [f() for _ in 'ab']\n", "line 3: `X = [f() for _ in 'ab']`"),
    "a default": Case(F + "def g(x=f()): ...\n", "line 3: `def g(x=f()): ...`"),
    "an annotation": Case(F + "def g(x: f()): ...\n", "line 3: `def g(x: f()): ...`"),
    "a class body": Case(F + "class A:\n    x = f()\n", "line 4: `x = f()`"),
    "a decorator": Case("def f(function):\n    return 'old'\n@f\ndef g(): ...\n", "line 3: `@f`"),
    "a base": Case("def f():\n    return 'old', object\nclass A(f()[1]): ...\n", "line 3: `class A(f()[1]): ...`"),
    "a name in a string": Case(F + "X = __import__('operator').methodcaller('f')\n", "line 3", did_not=True),
    "a dunder": Case(
        "class A:\n    def __repr__(self):\n        return 'old'\n",
        "`A.__repr__`: Python itself may call it",
        did_not=True,
    ),
    "what a dunder calls": Case(
        F + "class A:\n    def __init__(self): f()\n", "`A.__init__`: Python itself may call it", did_not=True
    ),
    "a method of a metaclass": Case("class M(type):\n    def m(cls):\n        return 'old'\n", "M is a metaclass"),
    "an override": Case(
        "import json\nclass A(json.JSONEncoder):\n    def default(self, x):\n        return 'old'\n",
        "JSONEncoder has a method of that name",
        did_not=True,
    ),
    "what an override calls": Case(
        F + "import json\nclass A(json.JSONEncoder):\n    def default(self, x):\n        return f()\n",
        "`A.default` leads to it, and JSONEncoder has a method of that name",
        did_not=True,
    ),
    "a visitor": Case(
        "import ast\nclass A(ast.NodeVisitor):\n    def visit_Name(self, x):\n        return 'old'\n",
        "NodeVisitor, from outside, may call it",
        did_not=True,
    ),
    "an unknown decorator": Case("def d(f): return f\n@d\n" + F, "`f`: its decorator may call it", did_not=True),
    "a cache": Case("import functools\n@functools.cache\n" + F, "`f`: its decorator may call it, or keep its answers"),
    "a caller's cache": Case(
        F + "import functools\n@functools.cache\ndef g(): return f()\n",
        "`g`: its decorator may call it, or keep its",
        did_not=True,
    ),
    "a cached property": Case(
        "import functools\nclass A:\n    @functools.cached_property\n    def p(self): return 'old'\n",
        "its decorator may",
    ),
    "a computed name": Case(
        F + "X = getattr(__import__('sys'), 'pl' + 'at' + str(1), 1)\n", "it computes which function", did_not=True
    ),
    "a lambda": Case("f = lambda: 'old'\n", "`<lambda>` is made by code that runs at import"),
    "a constant": Case("X = 'old'\n"),
    "a constant of a method": Case("X = 'old'\nclass A:\n    def m(self): return X\n"),
    "a constant of a class body": Case("X = 'old'\nclass A:\n    x = X\n", "a does more with `X` at import"),
    "a list": Case("X = ['old']\n", "line 1 runs at import: X = ['new']"),
    "a signature": Case("def f(old):\n    return 1\n", "`f` differs in how it is called, line 1: def f(new):"),
    "free variables": Case(
        "def make(x):\n    old = x\n    def inner(): return old\n    return inner\n",
        "a `make.<locals>.inner` that exists can't take its new code",
        ("kept = make(1)",),
    ),
    "a counter of others": Case("N = 0\ndef count():\n    global N\n    N += 1\n" + F, cells=("count()",)),
    "a counter of its own": Case(
        "N = 0\ndef count():\n    global N\n    N += 1\n    return 'old'\n",
        "a.N changed since the import",
        ("count()",),
    ),
    "a memo": Case(
        F + "MEMO = {}\ndef g(x):\n    if x not in MEMO:\n        MEMO[x] = f()\n    return MEMO[x]\n",
        "a.MEMO changed since the import, `g` may have stored answers there",
        ("g(1)",),
    ),
    "a memo that is empty": Case(F + "MEMO = {}\ndef g(x):\n    MEMO[x] = f()\n"),
    "a memo within a dict": Case(
        F + "MEMO = {'a': {}}\ndef g(x):\n    MEMO['a'][x] = f()\n", "a.MEMO changed since", ("g(1)",)
    ),
    "a memo that is handed the function": Case(
        F + "MEMO = {}\ndef ask(function):\n    MEMO[function] = function()\n", "a.MEMO changed since", ("ask(f)",)
    ),
    "a memo in a default": Case(
        F + "def g(x, memo={}):\n    memo[x] = f()\n", "`g` may keep old answers in a default", ("g(1)",)
    ),
    "a memo in a closure": Case(
        F + "def make():\n    memo = {}\n    def g(x):\n        memo[x] = f()\n    return g\n", "in a closure"
    ),
    "a memo on a class": Case(
        F + "class A:\n    memo = {}\n    def ask(self, x):\n        self.memo[x] = f()\n",
        "a.A.memo changed",
        ("A().ask(1)",),
    ),
    "an instance of the module": Case(
        F + "class A:\n    def ask(self):\n        self.x = f()\nONE = A()\n", "a.ONE.x changed", ("ONE.ask()",)
    ),
    "tuples of its own in a list": Case(
        "from typing import NamedTuple\nclass Item(NamedTuple):\n    x: int\nITEMS = [Item(1)]\n"
        + F
        + "def g(x): ITEMS[0:0] = x and [f()]\n",
        cells=("g([])",),
    ),
    "an attribute of a function": Case(
        F + "def g():\n    g.memo = f()\n", "a.g.memo changed since the import", ("g()",)
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_bodies_are_exchanged_where_that_equals_a_restart(workshop: Workshop, name: str) -> None:
    """A body is exchanged in place where nothing that stays can be its old answer; else the report says what can."""
    case = CASES[name]
    report = edited(workshop, case.text, case.text.replace("old", "new", 1), *case.cells)
    why = "" if case.did_not and WITNESS.is_open else case.why
    assert (report.rung, why in reason(report)) == (2 if why else 1, True), reason(report)


@pytest.mark.parametrize("migrate", [True, False])
def test_layout_is_put_in_place(workshop: Workshop, migrate: bool) -> None:  # noqa: FBT001 - a parameter
    """After an edit of comments and blank lines nothing ran, objects are the same, all lines are the new ones."""
    text = "print('ran')\nclass A:\n    def m(self):\n        1 / 0\ndef f():\n    return A().m()\n"
    workshop.write({"a.py": text, "b.py": "from a import f\n"})
    notebook = PlainNotebook()
    notebook.run("import a, b\nfrom a import A, f\none = A()")
    before = [notebook[name] for name in ("a", "b", "A", "f", "one")]
    workshop.edit("a.py", LAYOUT + text)
    report = notebook.session.reload(migrate=migrate)
    assert (report.rung, report.reloaded, [module.name for module in report.revised]) == (0, (), ["a"])
    assert all(notebook[name] is value for name, value in zip(("a", "b", "A", "f", "one"), before, strict=True))
    with pytest.raises(ZeroDivisionError) as caught:
        notebook["b"].f()
    shown = [(frame.lineno, frame.line) for frame in traceback.extract_tb(caught.value.__traceback__)][1:]
    assert shown == [(9, "return A().m()"), (7, "1 / 0")]
    assert inspect.getsource(notebook["f"]) == "def f():\n    return A().m()\n"
    assert inspect.getsource(notebook["A"]).startswith("class A:\n")
    fresh: dict[str, Any] = {"__name__": "fresh"}
    exec(compile(LAYOUT + text, workshop.path("a.py"), "exec"), fresh)
    for now, new in ((notebook["f"], fresh["f"]), (notebook["A"].m, fresh["A"].m)):
        assert list(now.__code__.co_positions()) == list(new.__code__.co_positions())
    assert getattr(notebook["A"], "__firstlineno__", 0) == getattr(fresh["A"], "__firstlineno__", 0)


def test_nothing_ran(workshop: Workshop, capsys: pytest.CaptureFixture[str]) -> None:
    """On the two lowest rungs no module's body runs, and its state stays."""
    workshop.write({"a.py": "print('ran')\nN = []\ndef f():\n    return 1\n"})
    notebook = PlainNotebook()
    notebook.run("import a\na.N.append('mine')")
    assert capsys.readouterr().out == "ran\n"
    for text in (
        "# more\nprint('ran')\nN = []\ndef f():\n    return 1\n",
        "print('ran')\nN = []\ndef f():\n    return 2\n",
    ):
        workshop.edit("a.py", text)
        notebook.session.reload(migrate=True)
    assert capsys.readouterr().out == ""
    assert (notebook["a"].f(), notebook["a"].N) == (2, ["mine"])


def test_tracking_makes_new_objects(workshop: Workshop) -> None:
    """Without migrating, a body edit makes new functions: the old ones go on answering as they did."""
    workshop.write({"a.py": F})
    notebook = PlainNotebook()
    notebook.run("import a\nfrom a import f\nheld = [f]")
    workshop.edit("a.py", F.replace("old", "new"))
    report = notebook.session.reload()
    assert (report.rung, notebook["f"](), notebook["held"][0]()) == (2, "new", "old")
    assert reason(report) == "its file changed"


def test_force_starts_at_rung_2(workshop: Workshop) -> None:
    """What is forced is made anew even where nothing or only layout changed."""
    workshop.write({"a.py": F})
    notebook = PlainNotebook()
    notebook.run("from a import f")
    before = notebook["f"]
    workshop.edit("a.py", LAYOUT + F)
    assert notebook.session.reload(force=True, migrate=True).rung == 2
    assert notebook["f"] is not before


def test_a_batch_takes_one_rung(workshop: Workshop) -> None:
    """Of two edits together, the higher rung is taken for both; alone each takes its own."""
    workshop.write({"a.py": F, "b.py": "X = [1]\n"})
    notebook = PlainNotebook()
    notebook.run("import a, b")
    before = notebook["a"].f
    workshop.edit("a.py", F.replace("old", "new"))
    workshop.edit("b.py", "X = [2]\n")
    report = notebook.session.reload(migrate=True)
    assert (report.rung, [module.name for module in report.reloaded]) == (2, ["a", "b"])
    assert notebook["a"].f is not before


def test_one_broken_module_stops_all(workshop: Workshop) -> None:
    """When one file of a batch doesn't compile, no function of another one has new code."""
    workshop.write({"a.py": F, "b.py": F})
    notebook = PlainNotebook()
    notebook.run("import a, b\nfrom a import f")
    before = state_of(notebook, "a", "b")
    workshop.edit("a.py", F.replace("old", "new"))
    workshop.edit("b.py", "def f(:\n")
    assert isinstance(notebook.session.reload(migrate=True).error, SyntaxError)
    assert state_of(notebook, "a", "b") == before
    assert (notebook["f"](), notebook["a"].f()) == ("old", "old")
    workshop.edit("b.py", F.replace("old", "newer"))
    report = notebook.session.reload(migrate=True)
    assert (report.rung, notebook["f"](), notebook["b"].f()) == (1, "new", "newer")


def test_what_stops_an_exchange_takes_all_of_it_back(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a function can't take its code, those before it have theirs back."""
    workshop.write({"a.py": F, "b.py": F})
    notebook = PlainNotebook()
    notebook.run("import a, b")
    for name in ("a", "b"):
        workshop.edit(f"{name}.py", F.replace("old", "new"))

    def refuse(*_: object) -> None:
        if notebook["a"].f() == notebook["b"].f() == "new":
            raise KeyboardInterrupt

    monkeypatch.setattr("exocet_ipython.reloading.ladder.revision.set_facts", refuse)
    with pytest.raises(KeyboardInterrupt):
        notebook.session.reload(migrate=True)
    assert (notebook["a"].f(), notebook["b"].f()) == ("old", "old")
    assert notebook.session.generation.revision == 0


def test_revisions_are_counted(workshop: Workshop) -> None:
    """A generation knows its revisions, a record the digests that it had; the next edit starts from the last text."""
    workshop.write({"a.py": F})
    notebook = PlainNotebook()
    notebook.run("import a")
    first = notebook.session.generation
    for text in (LAYOUT + F, LAYOUT + F.replace("old", "new"), LAYOUT + F.replace("old", "newer")):
        workshop.edit("a.py", text)
        notebook.session.reload(migrate=True)
    current = notebook.session.generation
    assert (current.number, current.revision, first.revision) == (first.number, 3, 0)
    assert len(set(current.records["a"].revisions)) == 3
    assert first.records["a"].snapshot.digest == current.records["a"].revisions[0]
    assert notebook["a"].f() == "newer"
    assert notebook.session.reload(migrate=True).headline.startswith("nothing changed")


def test_undo_crosses_revisions(workshop: Workshop) -> None:
    """An edit that is taken back gives the old code to the same functions."""
    workshop.write({"a.py": F})
    notebook = PlainNotebook()
    notebook.run("from a import f")
    before = notebook["f"]
    for text, answer in ((F.replace("old", "new"), "new"), (F, "old")):
        workshop.edit("a.py", text)
        notebook.session.reload(migrate=True)
        assert (notebook["f"]() == answer, notebook["f"] is before) == (True, True)


def test_rung_2_after_revisions_runs_the_last_text(workshop: Workshop) -> None:
    """A module whose functions were given new code runs that text when an import of it is made anew."""
    workshop.write({"low.py": "X = [1]\n", "a.py": "import low\n" + F})
    notebook = PlainNotebook()
    notebook.run("import a")
    workshop.edit("a.py", "import low\n" + F.replace("old", "new"))
    assert notebook.session.reload(migrate=True).rung == 1
    workshop.edit("low.py", "X = [2]\n")
    assert notebook.session.reload(migrate=True).rung == 2
    assert (notebook["a"].f(), notebook["a"].low.X) == ("new", [2])


@pytest.mark.parametrize(("fails", "rung"), [("import nowhere", 1), ("if a.f() == 'old': raise ImportError", 2)])
def test_a_body_that_can_not_cure_an_import_is_put_in_place(workshop: Workshop, fails: str, rung: int) -> None:
    """What an optional module imports goes on where that lacks a library, and runs anew where it may have run it."""
    optional = "try:\n    import fast\nexcept ImportError:\n    fast = None\n"
    workshop.write({"a.py": F, "fast.py": f"import a\n{fails}\n", "app.py": optional})
    notebook = PlainNotebook()
    notebook.run("import app")
    workshop.edit("a.py", F.replace("old", "new"))
    assert notebook.session.reload(migrate=True).rung == rung
    assert (notebook["app"].fast is None) == (rung == 1)


def test_survivors_that_were_only_tracked_move_as_well(workshop: Workshop) -> None:
    """Old objects of a tracked reload move when the next one migrates, on whatever rung."""
    text = "class A:\n    def m(self):\n        return 1\n"
    workshop.write({"a.py": text})
    notebook = PlainNotebook()
    notebook.run("from a import A\none = A()")
    workshop.edit("a.py", text.replace("1", "2"))
    notebook.session.reload()
    assert notebook["one"].m() == 1
    workshop.edit("a.py", text.replace("1", "3"))
    report = notebook.session.reload(migrate=True)
    assert (report.rung, report.moved, notebook["one"].m()) == (1, (("a.A", 1),), 3)
    assert type(notebook["one"]) is notebook["A"]


@contextlib.contextmanager
def adopted(cell: str) -> Iterator[PlainNotebook]:
    """Yield a notebook that follows all own code, after Python ran a cell that imports before there was a session."""
    sys.dont_write_bytecode, before = False, sys.dont_write_bytecode
    try:
        space: dict[str, object] = {}
        exec(cell, space)
    finally:
        sys.dont_write_bytecode = before
    notebook = PlainNotebook(space)
    notebook.session.managed.start_following()
    try:
        yield notebook
    finally:
        notebook.session.managed.stop_following()


def test_adopted_modules_are_revised_too(workshop: Workshop) -> None:
    """A module that Python had loaded before the session is given new code in place, hidden functions included."""
    text = F + "def make():\n    def inner():\n        return 'old'\n    return inner\n"
    workshop.write({"a.py": text})
    with adopted("import a\nkept = a.make()") as notebook:
        workshop.edit("a.py", text.replace("old", "new"))
        report = notebook.session.reload(migrate=True)
        assert (report.rung, notebook["a"].f(), notebook["kept"]()) == (1, "new", "new")


def test_the_name_of_an_adopted_module_is_no_answer(workshop: Workshop) -> None:
    """Functions that name `__name__` beside what they fill don't keep a module that Python had loaded from its rung."""
    text = F + "def register(f, into):\n    into.append((f.__name__, f()))\n    return f\n"
    workshop.write({"a.py": text})
    with adopted("import a\na.register(a.f, [])") as notebook:
        workshop.edit("a.py", text.replace("old", "new"))
        report = notebook.session.reload(migrate=True)
        assert (report.rung, notebook["a"].f()) == (1, "new")


def test_reports_say_the_rung(workshop: Workshop) -> None:
    """A dry run and the report name the rung; what ran again is said with its reason."""
    workshop.write({"a.py": F, "b.py": "from a import f\nX = f()\n"})
    notebook = PlainNotebook()
    notebook.run("import b")
    workshop.edit("a.py", F.replace("old", "new"))
    report = notebook.session.reload(migrate=True, dry_run=True)
    assert repr(report).splitlines() == [
        "would reload b, a (rung 2)",
        "  made anew:",
        "    b (it imports a, line 1: from a import f)",
        "    a (its file changed; `f` may have run at import: b, line 2: `X = f()`)",
    ]
    workshop.edit("a.py", "# comment\n" + F)
    assert repr(notebook.session.reload(dry_run=True)).splitlines() == [
        "would update a in place; nothing would run (rung 0)",
        "  updated in place:",
        "    a (only its layout changed)",
    ]
    notebook.session.reload()
    workshop.edit("b.py", "from a import f\nX = f()\ndef g():\n    return 1\n")
    notebook.session.reload()
    workshop.edit("b.py", "from a import f\nX = f()\ndef g():\n    return 2\n")
    report = notebook.session.reload(migrate=True)
    assert report.headline.startswith("updated b in place in ")
    assert report.headline.endswith("; nothing ran (generation 1)")
    assert report.details()[0] == ("updated in place", ["b (new code in place: g)"])


@pytest.mark.parametrize("cell", ["import a\na.f()", "from a import f\nvalue = f()"])
def test_what_the_importing_cell_stored_counts(workshop: Workshop, cell: str) -> None:
    """State that the very cell stored which imported the module was not there when the import was done."""
    text = "MEMO = {}\ndef f():\n    MEMO[1] = 'old'\n"
    workshop.write({"a.py": text})
    notebook = PlainNotebook()
    notebook.run(cell)
    workshop.edit("a.py", text.replace("old", "new"))
    report = notebook.session.reload(migrate=True)
    assert report.rung == 2
    assert "a.MEMO changed since the import" in reason(report)


def test_nothing_keeps_a_replaced_module(workshop: Workshop) -> None:
    """What the ladder remembers of modules holds none of them."""
    workshop.write({"a.py": F})
    notebook = PlainNotebook()
    notebook.run("import a")
    workshop.edit("a.py", F.replace("old", "new"))
    notebook.session.reload(migrate=True)
    module = weakref.ref(notebook["a"])
    workshop.edit("a.py", "X = 1\n" + F)
    notebook.session.reload(migrate=True)
    gc.collect()
    assert module() is None


def test_later_edits_are_judged_anew(workshop: Workshop) -> None:
    """What is remembered of a module's names never outlives a change of what it names, or of how."""
    texts = [
        (F, 1),
        (F.replace("old", "new"), 1),
        (F.replace("old", "new") + "X = f\n", 2),
        (F + "X = f\n", 1),
        (F + "X = f()\n", 2),
        (F.replace("old", "new") + "X = f()\n", 2),
        (F + "def g():\n    return f()\n", 2),
        (F.replace("old", "new") + "def g():\n    return f()\n", 1),
        (F + "def g():\n    return f()\nY = g\n", 2),
        (F.replace("old", "new") + "def g():\n    return f()\nY = g\n", 1),
        (F.replace("old", "newer") + "def g():\n    return f()\nY = g()\n", 2),
        (F + "def g():\n    return f()\nY = g()\n", 2),
    ]
    workshop.write({"a.py": "Z = 1\n"})
    notebook = PlainNotebook()
    notebook.run("import a")
    for text, _ in texts[:1]:
        workshop.edit("a.py", text)
        notebook.session.reload(migrate=True)
    for text, rung in texts[1:]:
        workshop.edit("a.py", text)
        report = notebook.session.reload(migrate=True)
        assert (report.error, report.rung) == (None, rung), text
        gc.collect()


def test_what_a_class_has_gained_since_the_last_edit_counts_at_the_next(workshop: Workshop) -> None:
    """That the classes of methods are plain is found once; what may have changed of it since is asked each time."""
    workshop.write({"a.py": "class A:\n    def answer(self):\n        return f()\ndef f():\n    return 1\n"})
    notebook = PlainNotebook()
    notebook.run("import a")
    records = notebook.session.managed.generation.records
    reach = Reach()
    reach.update(records)
    callers = reach.callers(reach.definitions("a", "f"))
    assert not isinstance(callers, Reached)

    def are_alone() -> bool:
        assert [method.name for method in reach.methods(callers)] == ["answer"]
        return reach.methods(callers).are_alone(records)

    assert [are_alone(), are_alone()] == [True, True]
    notebook.run("class Sub(a.A):\n    pass")
    assert not are_alone()
    notebook.run("del Sub")
    gc.collect()
    assert are_alone()
    notebook.run("del a.A")
    gc.collect()
    assert not are_alone()


@pytest.mark.xfail(strict=True, reason="only the library knows the name by which it calls; README, What it cannot do")
def test_libraries_that_call_by_a_name_of_their_own(workshop: Workshop) -> None:
    """A library that was handed an object at import has called a method of it that nothing else tells of."""
    workshop.write(
        {
            "library.py": "def ask(thing):\n    return thing.answer_me()\n",
            "a.py": "import library\nclass A:\n    def answer_me(self):\n        return 'old'\nX = library.ask(A())\n",
        }
    )
    notebook = PlainNotebook()
    notebook.session.managed.configure((), ["library"], ())
    notebook.run("from a import X")
    workshop.edit("a.py", (workshop.folder / "a.py").read_text().replace("old", "new"))
    notebook.session.reload(migrate=True)
    assert notebook["X"] == "new"


@pytest.mark.skipif(sys.version_info < (3, 13), reason="classes say where they stand since 3.13")
@pytest.mark.xfail(strict=True, reason="a class that a function made is not looked for; README, What it cannot do")
def test_lines_of_classes_that_functions_made(workshop: Workshop) -> None:
    """The first line of a class that a function has made follows an edit of layout."""
    text = "def make():\n    class Local:\n        x = 1\n    return Local\n"
    workshop.write({"a.py": text})
    notebook = PlainNotebook()
    notebook.run("import a\nLocal = a.make()")
    workshop.edit("a.py", LAYOUT + text)
    notebook.session.reload()
    assert notebook["Local"].__firstlineno__ == 5
