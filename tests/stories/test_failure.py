"""Reloads that fail: all stays as it was, the error is the person's own, and after a repair all is well."""

from __future__ import annotations

import contextlib
import dis
import gc
import signal
import sys
import traceback
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from exocet_ipython.errors import ModuleNotLoadedError
from exocet_ipython.notebook.report import ReloadReport
from tests.plain_notebook import PlainNotebook, state_of
from tests.workshop import Workshop

CHAIN = {
    "base.py": "VALUE = {number}\nclass Base:\n    n = {number}\n",
    "middle.py": "import base\nfrom base import Base, VALUE\nclass Middle(Base): pass\n",
    "top.py": "from middle import Middle\nimport base\nVALUE = base.VALUE\n",
    "pack/__init__.py": "import pack.part\n",
    "pack/part.py": "from base import VALUE\nimport top\n",
}
ROOTS = ("base", "middle", "top", "pack")
CELL = "import top, base\nimport pack.part\nfrom middle import Middle\nfrom base import *\nobj = Middle()\n"


def chain(number: int) -> dict[str, str]:
    """The files of the project, with the number that all of them show."""
    return {path: text.format(number=number) for path, text in CHAIN.items()}


@pytest.fixture
def notebook(workshop: Workshop) -> PlainNotebook:
    """A notebook in which a small project is loaded and named in several ways."""
    workshop.write(chain(1))
    made = PlainNotebook()
    made.exoload("top")
    made.exoload("pack")
    made.run(CELL)
    return made


def shown_numbers(notebook: PlainNotebook) -> set[int]:
    """All numbers that the notebook and `sys.modules` show; one number when they are consistent."""
    found = {sys.modules[name].VALUE for name in ("base", "middle", "top", "pack.part")}
    found |= {sys.modules["middle"].Middle.n, sys.modules["pack"].part.VALUE}
    return found | {
        notebook["top"].VALUE,
        notebook["base"].VALUE,
        notebook["pack"].part.VALUE,
        notebook["Middle"].n,
        notebook["Base"].n,
        notebook["VALUE"],
        notebook["top"].Middle.__mro__[1].n,
    }


BREAKS: dict[str, tuple[str, str, type[BaseException], int]] = {
    "syntax": ("base.py", "VALUE = 2\nclass Base:\n    n = = 2\n", SyntaxError, 3),
    "indentation": ("base.py", "VALUE = 2\n  n = 2\n", IndentationError, 2),
    "body": ("base.py", "VALUE = 2\nclass Base:\n    n = 1 / 0\n", ZeroDivisionError, 3),
    "third module": ("top.py", "from middle import Middle\nimport base\nVALUE = base.NOTHING\n", AttributeError, 3),
    "dependant": ("base.py", "VALUE = 2\n", ImportError, 2),
    "missing import": ("middle.py", "from base import Base, VALUE\nimport no_such_thing\n", ModuleNotFoundError, 2),
    "exit": ("top.py", "import sys\nsys.exit('bye')\n", SystemExit, 2),
    "generator exit": ("top.py", "raise GeneratorExit\n", GeneratorExit, 1),
    "recursion": ("top.py", "def f(): f()\nf()\n", RecursionError, 1),
    "base exception": ("top.py", "class Mine(BaseException): pass\nraise Mine('x')\n", BaseException, 2),
    "submodule": ("pack/part.py", "import top\nraise LookupError('here')\n", LookupError, 2),
    "slots": ("middle.py", "from base import Base\nclass Middle(Base, Base): pass\n", TypeError, 2),
}


@pytest.mark.parametrize("case", BREAKS)
def test_failing_reload_changes_nothing(notebook: PlainNotebook, workshop: Workshop, case: str) -> None:
    """Whatever the new code raises, the report has the error, nothing has changed, and a repaired file reloads."""
    path, text, kind, _ = BREAKS[case]
    workshop.write(chain(2) | {path: text})
    before = state_of(notebook, *ROOTS, "no_such_thing")
    for _ in range(2):
        report = notebook.session.reload()
        assert isinstance(report.error, kind)
        assert not report
        assert (report.reloaded, report.rebound, report.gone) == ((), (), ())
        assert report.headline.startswith("not reloaded, nothing has changed: ")
        assert state_of(notebook, *ROOTS, "no_such_thing") == before
        assert shown_numbers(notebook) == {1}
    workshop.write(chain(2))
    assert notebook.reload()
    assert shown_numbers(notebook) == {2}


@pytest.mark.parametrize("case", BREAKS)
def test_error_is_the_persons_own(notebook: PlainNotebook, workshop: Workshop, case: str) -> None:
    """The error has the person's file and line, and its traceback has frames of the person's files only."""
    path, text, _, line = BREAKS[case]
    workshop.write(chain(2) | {path: text})
    error = notebook.session.reload().error
    assert error is not None
    frames = traceback.extract_tb(error.__traceback__)
    assert [frame.filename for frame in frames if not frame.filename.startswith(str(workshop.folder))] == []
    place = (frames[-1].filename, frames[-1].lineno) if frames else ("", 0)
    if isinstance(error, SyntaxError):
        place = (error.filename or "", error.lineno or 0)
    if case == "dependant":
        path = "middle.py"
    assert place[0] == workshop.path(path)
    assert place[1] == line
    shown = "".join(traceback.format_exception(error))
    assert "exocet_ipython" not in shown.replace(str(workshop.folder), "")
    assert "importlib" not in shown


def test_error_text_is_the_new_text(notebook: PlainNotebook, workshop: Workshop) -> None:
    """The traceback of a failed reload shows the line that failed, although an older text was shown before."""
    workshop.edit("top.py", "from middle import Middle\nimport base\nVALUE = 1 / 0.\n", same_time=True)
    error = notebook.session.reload().error
    assert error is not None
    assert "VALUE = 1 / 0." in "".join(traceback.format_exception(error))
    workshop.edit("top.py", "from middle import Middle\nimport base\nVALUE = 2 / 0.\n", same_time=True)
    error = notebook.session.reload().error
    assert error is not None
    assert "VALUE = 2 / 0." in "".join(traceback.format_exception(error))


def test_old_objects_stay_usable(notebook: PlainNotebook, workshop: Workshop) -> None:
    """After a failed reload old functions still import the current modules, and new imports work."""
    workshop.write(chain(2) | {"top.py": "1 / 0\n"})
    notebook.session.reload()
    notebook.run("import middle\nassert isinstance(obj, middle.Middle)")
    assert notebook["obj"].n == 1
    assert notebook["middle"] is sys.modules["middle"]


def test_interrupt_in_a_body(notebook: PlainNotebook, workshop: Workshop) -> None:
    """A KeyboardInterrupt that arrives while a body runs goes through, and nothing has changed."""
    workshop.write(chain(2) | {"top.py": "import signal\nfrom middle import Middle\nsignal.raise_signal(2)\n"})
    before = state_of(notebook, *ROOTS)
    with pytest.raises(KeyboardInterrupt):
        notebook.session.reload()
    assert state_of(notebook, *ROOTS) == before
    workshop.write(chain(2))
    notebook.reload()
    assert shown_numbers(notebook) == {2}


# -- publishing --------------------------------------------------------------------------------------------------------


class _Stop(BaseException):
    """What interrupts a publish in these tests."""


class _Space(dict[str, Any]):
    """A namespace that does something at the n-th write of a publish; names are counted from 1."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = 0
        self.at = 0
        self.action: Callable[[], None] = lambda: None

    def __setitem__(self, key: str, value: Any) -> None:
        self.writes += 1
        if self.writes == self.at:
            self.action()
        super().__setitem__(key, value)


def _stop() -> None:
    raise _Stop


def _interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


def _watched_notebook(workshop: Workshop) -> tuple[PlainNotebook, _Space]:
    workshop.write(chain(1))
    space = _Space()
    notebook = PlainNotebook(space)
    notebook.exoload("top")
    notebook.exoload("pack")
    notebook.run(CELL)
    space["Out"] = {1: notebook["top"]}
    return notebook, space


def _writes_of_a_reload(workshop: Workshop) -> int:
    """Count the writes that a reload of the project makes in the namespace."""
    notebook, space = _watched_notebook(workshop)
    workshop.write(chain(2))
    space.writes = 0
    notebook.reload()
    assert shown_numbers(notebook) == {2}
    _forget_modules()
    return space.writes


def _forget_modules() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in ROOTS]:
        del sys.modules[name]


def test_error_at_every_write_of_a_publish(workshop: Workshop) -> None:
    """An error at any write of publishing leaves all as it was, and the next reload makes all of it new."""
    writes = _writes_of_a_reload(workshop)
    assert writes >= 6
    for number in range(1, writes + 1):
        notebook, space = _watched_notebook(workshop)
        before = state_of(notebook, *ROOTS)
        workshop.write(chain(2))
        space.writes, space.at, space.action = 0, number, _stop
        with contextlib.suppress(_Stop):
            assert isinstance(notebook.session.reload().error, _Stop)
        space.at = 0
        assert state_of(notebook, *ROOTS) == before, f"write {number} of {writes}"
        assert notebook["Out"][1] is sys.modules["top"]
        assert shown_numbers(notebook) == {1}
        notebook.reload()
        assert shown_numbers(notebook) == {2}
        _forget_modules()


def test_interrupt_at_every_write_of_a_publish(workshop: Workshop) -> None:
    """Ctrl-C at any write of publishing leaves all new: it acts when the publish is done."""
    writes = _writes_of_a_reload(workshop)
    for number in range(1, writes + 1):
        notebook, space = _watched_notebook(workshop)
        workshop.write(chain(2))
        space.writes, space.at, space.action = 0, number, _interrupt
        with pytest.raises(KeyboardInterrupt) as raised:
            notebook.session.reload()
        assert "held back until what was under way, and stops only as a whole, had ended" in raised.value.__notes__[0]
        space.at = 0
        assert shown_numbers(notebook) == {2}
        assert notebook["Out"][1] is sys.modules["top"]
        assert notebook.reloaded() == []
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        _forget_modules()


def test_interrupt_at_every_step(workshop: Workshop) -> None:
    """Ctrl-C at any line of ours, from the first check to the last report, leaves all old or all new.

    A trace function sends the signal at the n-th line event of this package, for every so-many-th n, or at the next
    where Python itself could: it looks for signals at calls and jumps, and not where a `with` block is left.
    """
    notebook, _ = _watched_notebook(workshop)
    counted, is_sent = 0, True

    def count(frame: Any, event: str, argument: Any) -> Any:  # noqa: ARG001 - the signature of a trace function
        nonlocal counted, is_sent
        if "exocet_ipython" not in frame.f_code.co_filename:
            return None
        if event == "line":
            counted += 1
            if counted >= at and not is_sent and not _leaves_block(frame):
                is_sent = True
                signal.raise_signal(signal.SIGINT)
        return count

    def reload_traced() -> ReloadReport | None:
        nonlocal counted, is_sent
        counted, is_sent = 0, at < 0
        before = sys.gettrace()
        sys.settrace(count)
        try:
            return notebook.session.reload()
        except KeyboardInterrupt:
            return None
        finally:
            sys.settrace(before)

    at = -1
    workshop.write(chain(2))
    assert reload_traced()
    total, number = counted, 2
    outcomes = set()
    for place in range(1, 101):
        # A different line each time, spread over the whole of it; lines of one loop are met many times.
        at = max(1, place * total // 101)
        number += 1
        workshop.write(chain(number))
        report = reload_traced()
        sizes = shown_numbers(notebook)
        assert sizes in ({number}, {number - 1}), f"interrupted at line event {at} of {total}: {sizes}"
        assert sys.meta_path[0].__class__.__name__ != "_PresenceFinder"
        outcomes.add((report is None, sizes == {number}))
        notebook.reload()
        assert shown_numbers(notebook) == {number}
        assert notebook.reloaded() == []
    assert (True, False) in outcomes  # interrupted while building: all old


def _leaves_block(frame: Any) -> bool:
    """Say whether a frame is about to call `__exit__` at the end of a `with` block, with None three times."""
    following = [one for one in dis.get_instructions(frame.f_code) if one.offset >= frame.f_lasti][:4]
    loads = [(one.opname, one.argval) == ("LOAD_CONST", None) for one in following]
    return all(loads[:3]) or all(loads[1:4])


# -- bad input ---------------------------------------------------------------------------------------------------------


def test_reload_of_what_was_never_loaded(notebook: PlainNotebook) -> None:
    """The name of a module that was never loaded is an error that says what to do, and nothing changes."""
    before = state_of(notebook, *ROOTS)
    for name in ("nothing", "json", "", "top.", "to", "pack.", "pack.nothing"):
        with pytest.raises(ModuleNotLoadedError, match=r"was never loaded here.*; .*%exo(re)?load") as caught:
            notebook.session.reload([name])
        assert isinstance(caught.value, LookupError)
        assert ("imported as usual" in str(caught.value)) == (name == "json")
    with pytest.raises(ModuleNotLoadedError):
        notebook.session.reload(["top", "nothing"], force=True)
    assert state_of(notebook, *ROOTS) == before


def test_unreadable_file(notebook: PlainNotebook, workshop: Workshop) -> None:
    """A file that can't be read any more is an error of the reload, and nothing changes."""
    (workshop.folder / "top.py").unlink()
    (workshop.folder / "top.py").mkdir()
    before = state_of(notebook, *ROOTS)
    report = notebook.session.reload()
    assert isinstance(report.error, OSError | ImportError)
    assert state_of(notebook, *ROOTS) == before
    (workshop.folder / "top.py").rmdir()
    workshop.write(chain(2))
    notebook.reload()
    assert shown_numbers(notebook) == {2}


def test_failed_builds_leave_no_objects(
    notebook: PlainNotebook, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a failed reload had made is gone once its report is, and the collector ran."""
    made: list[weakref.ref[Any]] = []
    monkeypatch.setattr(sys, "made_here", made, raising=False)
    middle = (
        "import sys, weakref\nclass Middle: pass\nsys.made_here += map(weakref.ref, (Middle, sys.modules['base']))\n"
    )
    workshop.write(chain(2) | {"middle.py": "import base\n" + middle, "top.py": "from middle import Middle\n1 / 0\n"})
    report = notebook.session.reload()
    assert isinstance(report.error, ZeroDivisionError)
    assert len(made) == 2
    del report
    gc.collect()
    assert [reference() for reference in made] == [None, None]


def test_null_bytes(notebook: PlainNotebook, workshop: Workshop) -> None:
    """A file with null bytes is the error that Python gives for it, with the place, and nothing changes."""
    workshop.write(chain(2) | {"top.py": "x = 1\ny = 2\0\n"})
    before = state_of(notebook, *ROOTS)
    error = notebook.session.reload().error
    assert isinstance(error, SyntaxError)
    assert (error.filename, error.lineno) == (workshop.path("top.py"), 2)
    assert state_of(notebook, *ROOTS) == before


def test_an_interrupted_build_leaves_registries_as_they_were(workshop: Workshop) -> None:
    """What an interrupted body put into a container of a module that goes on is taken out again."""
    workshop.write({"reg.py": "NAMES = []\n", "plug.py": "import reg\nreg.NAMES.append('plug')\n"})
    notebook = PlainNotebook()
    notebook.exoload("plug")
    names = sys.modules["reg"].NAMES
    workshop.edit("plug.py", "import reg\nreg.NAMES.append('other')\nraise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        notebook.session.reload()
    assert sys.modules["reg"].NAMES is names
    assert names == ["plug"]


def test_what_to_do_about_an_error_is_said_with_the_error(workshop: Workshop) -> None:
    """The line of the report, which is below it, says what happened, and where."""
    workshop.write({"low.py": "def f(): return 1\n", "high.py": "from low import f\n"})
    notebook = PlainNotebook()
    notebook.run("import high")
    Path(workshop.path("low.py")).unlink()
    report = notebook.session.reload()
    assert "sys.path" in str(report.error)
    what = "SourceNotFoundError: No module named 'low', in high: it imports low, line 1: from low import f"
    assert report.headline == f"not reloaded, nothing has changed: {what}"


def test_an_importer_that_breaks_is_named(workshop: Workshop) -> None:
    """An edit that breaks only a module that imports it is refused whole, and the report names that one and why."""
    workshop.write(
        {
            "low.py": "def f(): return 1\n",
            "mid.py": "import low\ndef g(): return low.f() + 1\n",
            "high.py": "import os\nfrom mid import g\nX = g()\n",
            "other.py": "import low\n",
        }
    )
    notebook = PlainNotebook()
    notebook.run("import high, other, low\nfrom low import f")
    before = state_of(notebook, "low", "mid", "high", "other")
    workshop.write({"low.py": "def f(): return '1'\n"})
    report = notebook.session.reload()
    assert isinstance(report.error, TypeError)
    assert report.headline.endswith(", in high: it imports mid, line 2: from mid import g")
    workshop.write({"low.py": "def h(): return 1\n"})
    workshop.write({"mid.py": "from low import f\ndef g(): return f()\n"})
    assert "ImportError" in notebook.session.reload().headline
    assert notebook.session.reload().broken is None  # its file was edited as well
    assert state_of(notebook, "low", "mid", "high", "other") == before
    workshop.write({"low.py": "def f(): return 2\n"})
    assert notebook.reload().broken is None
    assert (notebook["high"].X, notebook["f"]()) == (2, 2)


def test_what_is_broken_and_needed_by_nothing_is_said(workshop: Workshop) -> None:
    """A broken module that no text imports any more stops no reload, and the report says why it went."""
    workshop.write({"a.py": "import b", "b.py": "B = 1"})
    notebook = PlainNotebook()
    notebook.run("import a")
    workshop.edit("a.py", "A = 1")
    workshop.edit("b.py", "B = (")
    report = notebook.session.reload()
    assert (notebook["a"].A, report.gone, "b" in sys.modules) == (1, ("b",), False)
    assert "b (nothing imports it; SyntaxError: '(' was never closed (b.py, line 1))" in str(report)


@pytest.mark.parametrize("text", ["def late():\n    import b", "if False:\n    import b", "import d"])
def test_what_is_broken_and_needed_stops_a_reload(workshop: Workshop, text: str) -> None:
    """A broken module that a function may import, or one that goes on as it is, is told, and nothing has changed."""
    workshop.write({"a.py": "import b\nimport d", "b.py": "B = 1", "d.py": "def late():\n    import b"})
    notebook = PlainNotebook()
    notebook.run("import a")
    workshop.edit("a.py", text)
    workshop.edit("b.py", "B = (")
    assert isinstance(notebook.session.reload().error, SyntaxError)
    assert (notebook["a"].b.B, "b" in sys.modules) == (1, True)
