"""New code in place where its functions can have run at import by their names, and the interpreter says they didn't."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from exocet_ipython.loading.witness import WITNESS
from exocet_ipython.notebook.report import ReloadReport
from tests.plain_notebook import PlainNotebook, python_import
from tests.workshop import Workshop

pytestmark = pytest.mark.skipif(sys.version_info < (3, 12), reason="Python says what ran since 3.12 (PEP 669)")

MONITORING: Any = getattr(sys, "monitoring", None)
IN_PLACE = ""
BY_NAME = "may have run at import"


@dataclass(frozen=True)
class Case:
    """A module `a` in which `old` becomes `new`, what cells do before, and why that isn't put in place, if so."""

    text: str
    why: str = IN_PLACE
    cells: tuple[str, ...] = ()


SPECIAL = "class A:\n    def __str__(self): return 'old'\n"
HELPER = "def f(): return 'old'\n"
HASHED = HELPER + "class A:\n    def __hash__(self): return hash(f())\n    def __eq__(self, other): return True\n"
MEMO = "def memo(function):\n    kept = {}\n    def ask(*key):\n        if key not in kept: kept[key] = function()\n"
MEMO += "        return kept[key]\n    return ask\n"
SET = "CODES = set()\ndef note(function):\n    CODES.add(function.__code__)\n    return function\n"
CASES = {
    "a special method": Case(SPECIAL),
    "one that a cell calls": Case(SPECIAL, cells=("str(a.A())",)),
    "one that import time calls": Case(SPECIAL + "X = str(A())\n", BY_NAME),
    "one whose answers are kept": Case(
        SPECIAL + "KEPT = {}\ndef ask(x): KEPT[x] = str(A())\n", "a.KEPT changed since the import", ("a.ask(1)",)
    ),
    "one that has nothing to do with what is kept": Case(SPECIAL + "KEPT = {}\ndef ask(x): KEPT[x] = 1\n"),
    "what makes instances": Case("class A:\n    def __init__(self): self.x = 'old'\n", cells=("one = a.A()",)),
    "what the module's instance is made by": Case(
        "class A:\n    def __init__(self): self.x = 'old'\nONE = A()\n", BY_NAME
    ),
    "a hash": Case("class A:\n    def __hash__(self): return hash('old')\n", BY_NAME),
    "what a hash is made of": Case(HASHED, BY_NAME, ("keys = {a.A(): 1}",)),
    "what a hash would be made of": Case(HASHED, cells=("a.f()",)),
    "what a hash comes to by way of Python": Case(
        HELPER + "class B:\n    def __str__(self): return f()\n"
        "class A:\n    def __hash__(self): return hash(str(B()))\n    def __eq__(self, other): return True\n",
        BY_NAME,
        ("keys = {a.A(): 1}",),
    ),
    "a hook of subclasses": Case("class A:\n    def __init_subclass__(cls): cls.x = 'old'\n", BY_NAME),
    "a hook of enumerations": Case(
        "import enum\nclass A(enum.Enum):\n    X = 1\n    @classmethod\n    def _missing_(cls, value): return 'old'\n",
        BY_NAME,
    ),
    "a module's attributes": Case("def __getattr__(name): return 'old'\n", BY_NAME),
    "a descriptor": Case("class D:\n    def __get__(self, one, kind): return 'old'\nclass A:\n    x = D()\n", BY_NAME),
    "a method of a metaclass": Case("class M(type):\n    def m(cls): return 'old'\n", BY_NAME),
    "an own decorator's": Case("def d(f): return f\n@d\n" + HELPER, cells=("a.f()",)),
    "an own decorator class's": Case(
        "class D:\n    def __init__(self, f): self.f = f\n    def __call__(self): return self.f()\n@D\n" + HELPER,
        cells=("a.f()",),
    ),
    "an own decorator's, with arguments and annotations": Case(
        "from typing import Any\nOPTION = 1\ndef d(n):\n    return lambda f: f\n"
        "@d(OPTION)\ndef f(x: Any = None) -> list[str]: return ['old']\n"
    ),
    "a library's decorator's": Case("import atexit\n@atexit.register\n" + HELPER, BY_NAME),
    "a library's decorator's, of a generic class": Case(
        "import unittest\n@unittest.skip('x')\nclass A[T]:\n    def __str__(self): return 'old'\n", BY_NAME
    ),
    "a generic class's": Case("class A[T]:\n    def __str__(self): return 'old'\n", cells=("str(a.A())",)),
    "a library's decorator's, of a generic function": Case(
        "import unittest\n@unittest.skip('x')\ndef f[T](x: T = 1): return 'old'\n", BY_NAME
    ),
    "one that keeps answers": Case(MEMO + "@memo\n" + HELPER, "`memo` may keep old answers in a closure", ("a.f()",)),
    "one that could keep answers": Case(MEMO + "@memo\n" + HELPER),
    "another function's that has kept answers": Case(
        MEMO + HELPER + "@memo\ndef g(): return f()\n", "`memo` may keep old answers in a closure", ("a.g()",)
    ),
    "a cache with answers": Case(
        "import functools\n" + HELPER + "@functools.cache\ndef g(): return f()\n",
        "`g` may keep old answers",
        ("a.g()",),
    ),
    "a cache that an own decorator makes": Case(
        "import functools\ndef d(f): return functools.lru_cache(f)\n@d\n" + HELPER, "may keep old answers", ("a.f()",)
    ),
    "what an own decorator puts in its place": Case(
        "def d(f):\n    def inner(): return 'old', f()\n    return inner\n@d\ndef f(): return 1\n", cells=("a.f()",)
    ),
    "an own decorator": Case("def d(f):\n    f.x = 'old'\n    return f\n@d\ndef f(): return 1\n", BY_NAME),
    "a computed name that was another": Case(HELPER + "X = getattr(__import__('math'), 'p' + 'i')\n"),
    "a computed name": Case(HELPER + "X = globals()['f']()\n", BY_NAME),
    "what is sorted": Case(
        "class A:\n    def __lt__(self, other): return bool('old')\nX = sorted([A(), A()])\n", BY_NAME
    ),
    "code that something has taken": Case(SET + "@note\n" + HELPER, BY_NAME),
    "code that something has copied": Case(
        "from types import FunctionType\ndef copy(f): return FunctionType(f.__code__, globals())\n"
        + HELPER
        + "g = copy(f)\n"
    ),
    "text that something has read": Case(
        "import inspect\ndef d(f):\n    f.text = inspect.getsource(f)\n    return f\n@d\n" + HELPER, BY_NAME
    ),
    "a docstring that something may have read": Case(
        "DOCS = []\ndef d(f):\n    DOCS.append(f.__doc__)\n    return f\n@d\ndef f():\n    'old'\n    return 1\n",
        BY_NAME,
    ),
    "a generator": Case("class A:\n    def __iter__(self): yield 'old'\n", cells=("list(a.A())",)),
    "a generator that import time has made": Case(
        "class A:\n    def __iter__(self): yield 'old'\nX = iter(A())\n", BY_NAME
    ),
    "a base from outside": Case("import json\nclass A(json.JSONEncoder):\n    def default(self, x): return 'old'\n"),
    "a base from outside that has called it": Case(
        "import json\nclass A(json.JSONEncoder):\n    def default(self, x): return 'old'\n",
        BY_NAME,
        ("import json\njson.dumps({1}, cls=a.A)",),
    ),
    "an attribute that a function has from its import": Case(
        HELPER + "def g():\n    g.memo['x'] = 1\n    return f()\ng.memo = {'x': 1}\n", cells=("a.g()",)
    ),
    "what an attribute of a function holds": Case(
        HELPER + "def g():\n    g.memo['x'] = f()\ng.memo = {'x': 1}\n", "a.g.memo changed since the import", ("a.g()",)
    ),
    "a constant": Case("X = 'old'\nclass A:\n    def __str__(self): return X\n"),
    "a constant that import time has used": Case(
        "X = 'old'\nclass A:\n    def __str__(self): return X\nY = str(A())\n", "line 3"
    ),
    "a constant that a callback of the retiring module uses": Case(
        "from exocet_ipython import on_retire\nX = 'old'\nSAID = []\n"
        "def close(): SAID.append(X)\n@on_retire\ndef stop(): close()\n",
        "line 5",
    ),
}


def explained(report: ReloadReport) -> tuple[int, str]:
    """Return the rung of a reload, and why module `a` is in it."""
    return report.rung, next(one.reason for one in (*report.revised, *report.reloaded) if one.name == "a")


@pytest.mark.parametrize("name", CASES)
def test_what_has_not_happened_is_no_reason(workshop: Workshop, name: str) -> None:
    """A body goes in place where no load has called it and nothing keeps its answers; else the report says what may."""
    case = CASES[name]
    workshop.write({"a.py": case.text})
    notebook = PlainNotebook()
    for cell in ("import a", *case.cells):
        notebook.run(cell)
    workshop.edit("a.py", case.text.replace("old", "new", 1))
    rung, reason = explained(notebook.session.reload(migrate=True, dry_run=True))
    assert (rung, case.why in reason) == (2 if case.why else 1, True), reason
    assert notebook.session.reload(migrate=True).error is None


def test_a_module_loaded_later_counts(workshop: Workshop) -> None:
    """What another module's load has called has run at import, also when that module came long after."""
    workshop.write({"a.py": SPECIAL, "late.py": "import a\nX = str(a.A())\n"})
    notebook = PlainNotebook()
    notebook.run("import a")
    workshop.edit("a.py", SPECIAL.replace("old", "new"))
    assert notebook.session.reload(migrate=True).rung == 1
    notebook.run("import late")
    workshop.edit("a.py", SPECIAL.replace("old", "newer"))
    assert notebook.session.reload(migrate=True).rung == 2
    assert notebook["late"].X == "newer"


def test_a_module_that_runs_again_counts(workshop: Workshop) -> None:
    """A module that was made anew may call at import what it didn't call before."""
    workshop.write({"a.py": SPECIAL, "b.py": "import a\nX = []\n"})
    notebook = PlainNotebook()
    notebook.run("import b\nstr(b.a.A())")
    workshop.edit("b.py", "import a\nX = [str(a.A())]\n")
    assert notebook.session.reload(migrate=True).rung == 2
    workshop.edit("a.py", SPECIAL.replace("old", "new"))
    assert notebook.session.reload(migrate=True).rung == 2
    assert notebook["b"].X == ["new"]


def test_a_load_that_was_not_seen_makes_it_unknown(workshop: Workshop) -> None:
    """A module that came after the one that is edited, and that Python loaded by itself, may have called all of it."""
    workshop.write({"a.py": SPECIAL, "late.py": "import a\nX = str(a.A())\n"})
    notebook = PlainNotebook()
    notebook.run("import a")
    python_import("late")
    notebook.run("import late")
    workshop.edit("a.py", SPECIAL.replace("old", "new"))
    assert notebook.session.reload(migrate=True).rung == 2
    assert notebook["late"].X == "new"


def test_what_a_thread_is_in_goes_on_with_old_code(workshop: Workshop) -> None:
    """A function that another thread is in is not given new code by this argument; once it has returned, it is."""
    text = "import threading\nSTARTED, DONE = threading.Event(), threading.Event()\n"
    text += "class A:\n    def __call__(self):\n        STARTED.set()\n        DONE.wait(60)\n        return 'old'\n"
    workshop.write({"a.py": text})
    notebook = PlainNotebook()
    notebook.run(
        "import a\nimport threading\nthread = threading.Thread(target=a.A())\nthread.start()\na.STARTED.wait(60)"
    )
    thread, done = notebook["thread"], notebook["a"].DONE
    assert isinstance(thread, threading.Thread)
    workshop.edit("a.py", text.replace("old", "new"))
    try:
        assert notebook.session.reload(migrate=True, dry_run=True).rung == 2
    finally:
        done.set()
        thread.join()
    assert notebook.session.reload(migrate=True, dry_run=True).rung == 1


@pytest.fixture
def no_witness() -> Iterator[None]:
    """A process in which other tools have all numbers."""
    wanted = WITNESS._wanted
    for _ in range(wanted):
        WITNESS.close()
    numbers = [number for number in (3, 4) if MONITORING.get_tool(number) is None]
    for number in numbers:
        MONITORING.use_tool_id(number, "another tool")
    yield
    for number in numbers:
        MONITORING.free_tool_id(number)
    for _ in range(wanted):
        WITNESS.open()


@pytest.mark.usefixtures("no_witness")
def test_without_the_interpreters_word_names_decide(workshop: Workshop) -> None:
    """Where other tools leave no number, a reload is what it is on Python 3.11."""
    workshop.write({"a.py": SPECIAL})
    notebook = PlainNotebook()
    notebook.run("import a")
    workshop.edit("a.py", SPECIAL.replace("old", "new"))
    rung, reason = explained(notebook.session.reload(migrate=True))
    assert (rung, "`A.__str__`: Python itself may call it" in reason) == (2, True)


def test_a_module_that_others_have_run_again_is_unknown(workshop: Workshop) -> None:
    """Its functions are others than those that were watched; a constant that they use makes it anew."""
    workshop.write(
        {
            "a.py": "X = 'old'\n",
            "b.py": "import a\nclass A:\n    def __str__(self): return a.X\nKEPT = {}\ndef ask(): KEPT[1] = str(A())\n",
        }
    )
    notebook = PlainNotebook()
    notebook.run("import a, b, importlib\nimportlib.reload(b)\nb.ask()")
    workshop.edit("a.py", "X = 'new'\n")
    assert notebook.session.reload(migrate=True).rung == 2
