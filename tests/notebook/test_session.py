"""The session's verbs and what they return."""

from __future__ import annotations

import sys

import pytest

from exocet_ipython.notebook.session import Session
from tests.plain_notebook import PlainNotebook, python_import
from tests.workshop import Workshop


def test_repr_says_where_it_is(workshop: Workshop) -> None:
    """A session and its generation print counts, never contents."""
    workshop.write({"a.py": ""})
    session = Session({})
    assert repr(session) == "<session at <generation 0: 0 modules>>"
    session.load("a")
    assert repr(session) == "<session at <generation 1: 1 modules>>"


def test_generations_count(workshop: Workshop) -> None:
    """Each publish makes the next generation; nothing else does."""
    workshop.write({"a.py": "x = 1\n"})
    notebook = PlainNotebook()
    assert notebook.session.generation.number == 0
    notebook.exoload("a")
    notebook.exoload("a")
    assert notebook.session.generation.number == 2
    notebook.reload()
    workshop.write({"a.py": "1 / 0\n"})
    notebook.session.reload()
    assert notebook.session.generation.number == 2
    workshop.write({"a.py": "x = 2\n"})
    assert notebook.reload().generation == 3


def test_report_of_a_reload(workshop: Workshop) -> None:
    """A report has the modules with their reasons in the order they first ran, the names, the seconds."""
    workshop.write({"low.py": "x = 1\n", "high.py": "import low\n", "other.py": ""})
    notebook = PlainNotebook()
    notebook.exoload("high")
    notebook.exoload("other")
    notebook.run("from low import x")
    workshop.write({"low.py": "import time\nx = 2\n"})
    report = notebook.reload()
    assert [(module.name, module.reason) for module in report.reloaded] == [
        ("high", "it imports low, line 1: import low"),
        ("low", "its file changed"),
    ]
    assert {(name.name, name.source) for name in report.rebound} == {("x", "low.x"), ("high", "high")}
    assert 0 < report.duration < 60
    assert all(0 <= module.seconds <= report.duration for module in report.reloaded)
    assert report.error is None
    assert not report.dry_run


def test_new_modules_are_reported_as_new(workshop: Workshop) -> None:
    """A module that an edited one brings in is reported as imported for the first time."""
    workshop.write({"a.py": ""})
    notebook = PlainNotebook()
    notebook.exoload("a")
    workshop.write({"a.py": "import b\n", "b.py": ""})
    assert {module.name: module.reason for module in notebook.reload().reloaded} == {
        "a": "its file changed",
        "b": "imported for the first time",
    }


def test_first_imports_of_a_body_that_fails_leave_their_packages_alone(workshop: Workshop) -> None:
    """What it had imported of a package that goes on is neither in that nor in `sys.modules`; the repair imports it."""
    workshop.write({"pkg/__init__.py": "", "pkg/sub/__init__.py": "", "pkg/sub/deep.py": "n = 1", "pkg/late.py": ""})
    workshop.write({"app.py": ""})
    notebook = PlainNotebook()
    notebook.run("import app, pkg")
    imports = "import pkg.sub.deep\nfrom pkg import late\n"
    workshop.write({"app.py": f"{imports}n = pkg.sub.deep.n / 0\n"})
    assert isinstance(notebook.session.reload().error, ZeroDivisionError)
    package = notebook["pkg"]
    assert sys.modules["pkg"] is package
    assert vars(package).keys().isdisjoint({"late", "sub"})
    assert sys.modules.keys().isdisjoint({"pkg.late", "pkg.sub", "pkg.sub.deep"})
    workshop.write({"app.py": f"{imports}n = pkg.sub.deep.n\n"})
    assert notebook.reloaded() == ["app", "pkg.late", "pkg.sub", "pkg.sub.deep"]
    assert notebook["app"].pkg is package
    assert notebook["app"].late is package.late is sys.modules["pkg.late"]
    assert package.sub.deep is sys.modules["pkg.sub.deep"]


def test_what_a_failed_body_did_to_modules_that_go_on_is_undone(workshop: Workshop) -> None:
    """Attributes of modules and classes, set by itself or by a function it called, and what is in their containers."""
    config = """
        DEBUG, LEVEL, TABLE, LIST = False, 1, {"a": {"b": 1}}, []
        class Options:
            depth, items = 1, []
        options = Options()
        def raise_level():
            global LEVEL
            LEVEL += 1
        """
    workshop.write({"config.py": config, "app.py": "import config", "extra.py": ""})
    notebook = PlainNotebook()
    notebook.run("import app, config")
    module = notebook["config"]
    options = module.Options

    def state() -> object:
        spaces = vars(module), vars(options), vars(module.options)
        kept = {name: value for space in spaces for name, value in space.items() if name[:2] != "__"}
        return kept, [repr(kept[name]) for name in sorted(kept)]

    before = state()
    body = """
        import config
        config.DEBUG = config.new = True
        config.raise_level()
        config.TABLE["a"]["c"] = config.TABLE["z"] = 2
        config.LIST.append(1)
        config.Options.depth = config.Options.width = 3
        config.Options.items.append(1)
        config.options.name = "x"
        del config.options
        1 / 0
        """
    workshop.write({"app.py": body})
    assert isinstance(notebook.session.reload().error, ZeroDivisionError)
    assert state() == before


def test_claiming_joins_first_imports_only(workshop: Workshop) -> None:
    """What a cell imports of own code joins; what was imported before, and what fails, doesn't."""
    workshop.write({"a.py": "import b\n", "b.py": "", "bad.py": "import c\n1 / 0\n", "c.py": ""})
    notebook = PlainNotebook()
    finders = list(sys.meta_path)
    notebook.run("import a")
    assert set(notebook.session.generation.records) == {"a", "b"}
    with pytest.raises(ZeroDivisionError):
        notebook.run("import bad")
    assert set(notebook.session.generation.records) == {"a", "b", "c"}
    assert sys.meta_path == finders


def test_claiming_leaves_other_code_alone(workshop: Workshop) -> None:
    """Standard modules that a cell imports first are loaded by Python and join nothing."""
    workshop.write({})
    notebook = PlainNotebook()
    sys.modules.pop("wave", None)
    notebook.run("import wave")
    assert notebook.session.generation.records == {}
    assert notebook["wave"] is python_import("wave")


def test_claimed_modules_are_as_python_made_them(workshop: Workshop) -> None:
    """A claimed import is an ordinary one: loader, spec and traceback are Python's."""
    workshop.write({"a.py": "x = 1\n", "bad.py": "1 / 0\n"})
    notebook = PlainNotebook()
    notebook.run("import a")
    module = notebook["a"]
    assert type(module.__loader__).__name__ == "SourceFileLoader"
    assert vars(module.__loader__) == {"name": "a", "path": workshop.path("a.py")}
    with pytest.raises(ZeroDivisionError) as caught:
        notebook.run("import bad")
    trace = caught.value.__traceback__
    files = []
    while trace is not None:
        files.append(trace.tb_frame.f_code.co_filename)
        trace = trace.tb_next
    assert [file for file in files if "exocet_ipython" in file] == []


def test_public_names_are_for_own_code(workshop: Workshop) -> None:
    """Star names are known of own modules only: the standard library's never change."""
    workshop.write({"a.py": "x = 1\n_y = 1\n"})
    notebook = PlainNotebook()
    notebook.exoload("a")
    assert notebook.session.managed.public_names("a") == ("x",)
    assert notebook.session.managed.public_names("json") == ()
    assert notebook.session.managed.public_names("nowhere") == ()


def test_two_sessions_are_apart(workshop: Workshop) -> None:
    """Two notebooks of one process share modules, and each has its own names."""
    workshop.write({"a.py": "X = 1\n"})
    one, two = PlainNotebook(), PlainNotebook()
    one.run("from a import X")
    two.run("from a import X\nimport a")
    workshop.write({"a.py": "X = 2\n"})
    one.reload()
    assert (one["X"], two["X"]) == (1 + 1, 1)
