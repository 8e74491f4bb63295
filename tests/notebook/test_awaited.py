"""Imports of cells that failed: bound when they can be, said once, and nothing to pay while nothing changes."""

from __future__ import annotations

import pytest

from exocet_ipython.notebook.cells.awaited import AwaitedImports, Retried
from exocet_ipython.notebook.names.optional import read_optional
from tests.shells import Notebook
from tests.workshop import Workshop


@pytest.fixture
def auto(notebook: Notebook) -> Notebook:
    """A notebook in which automatic reloading is on."""
    notebook.run("%exoauto on")
    return notebook


@pytest.fixture
def tries(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many names each further try has bound."""
    found: list[int] = []
    retry = AwaitedImports.retry

    def counted(self: AwaitedImports) -> Retried:
        retried = retry(self)
        found.append(len(retried.bound))
        return retried

    monkeypatch.setattr(AwaitedImports, "retry", counted)
    return found


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"tools.py": "def helper(): return 1"}),
        ({"tools.py": "def helpr(): return 1"}, {"tools.py": "def helper(): return 1"}),
        ({"tools.py": "def helper() return 1"}, {"tools.py": "def helper(): return 1"}),
        ({"tools.py": "import parts", "parts.py": "1 / 0"}, {"tools.py": "def helper(): return 1", "parts.py": ""}),
        ({"tools.py": "import parts\ndef helper(): return 1"}, {"parts.py": ""}),
        ({"tools.py": "from parts import helper", "parts.py": ""}, {"parts.py": "def helper(): return 1"}),
    ],
    ids=[
        "not there yet",
        "without the name",
        "broken",
        "broken below",
        "not there yet below",
        "without the name below",
    ],
)
def test_it_is_bound_once_something_changed(
    auto: Notebook, workshop: Workshop, tries: list[int], before: dict[str, str], after: dict[str, str]
) -> None:
    """Cells between cost no further try; the first that runs on the repaired files finds the name, and is told."""
    workshop.write(before)
    assert not auto.try_cell("from tools import helper")[0].success
    for _ in range(5):
        auto.run("pass")
    assert len(tries) <= 1, "while nothing changes, nothing is tried: at most the cell's own compiled files show once"
    for path, text in after.items():
        workshop.edit(path, text) if path in before else workshop.write({path: text})
    result, printed = auto.try_cell("helper()")
    assert result.success, printed
    assert printed.count("imported now, which failed before: helper") == 1
    assert "imported now" not in auto.run("helper()")


def test_what_an_import_only_cell_finds_changed_is_tried_later(auto: Notebook, workshop: Workshop) -> None:
    """A cell that imports is left to itself; the one after it finds the name."""
    workshop.write({"tools.py": "def helpr(): return 1", "parts.py": ""})
    assert not auto.try_cell("from tools import helper")[0].success
    workshop.edit("tools.py", "def helper(): return 1")
    auto.run("import parts")
    auto.run("helper()")


def test_with_quiet_reports_it_is_bound_without_a_word(auto: Notebook, workshop: Workshop) -> None:
    """`c.Exocet.report = "quiet"` is about all that a cell that is no command would say."""
    auto.run("get_ipython().run_line_magic('config', 'Exocet.report = \"quiet\"')")
    assert not auto.try_cell("from tools import helper")[0].success
    workshop.write({"tools.py": "def helper(): return 1"})
    assert auto.run("helper();") == ""


def test_what_a_cell_can_do_without_is_tried_only_after_news(
    auto: Notebook, workshop: Workshop, tries: list[int]
) -> None:
    """Each branch runs once where it comes out otherwise; functions of the fallback show their text."""
    cell = "try:\n    from tools import helper\nexcept ImportError:\n    def helper():\n        return 'fallback'"
    auto.run(cell)
    for _ in range(5):
        auto.run("pass")
    assert len(tries) <= 1
    workshop.write({"tools.py": "def helper(): return 1"})
    assert "imported now, which failed before: helper" in auto.run("found = helper()")
    workshop.edit("tools.py", "def another(): return 1")
    printed = auto.run("import inspect; found = found, helper(), inspect.getsource(helper)")
    assert "can no longer be imported, so that the cell does without it: helper" in printed
    assert auto["found"] == (1, "fallback", "    def helper():\n        return 'fallback'\n")


def test_a_statement_that_does_not_run_to_its_end_leaves_its_fallback_whole(auto: Notebook, workshop: Workshop) -> None:
    """It is tried again with the next change, and other cells' optional imports are followed beside it."""
    auto.run("try:\n    import fast\n    SPEED = fast.SPEED\nexcept ImportError:\n    fast = SPEED = None")
    auto.run("try:\n    import other\nexcept ImportError:\n    other = None")
    workshop.write({"fast.py": "NAME = 'fast'\n"})
    assert auto.run("pass") == ""
    assert (auto["fast"], auto["SPEED"]) == (None, None)
    workshop.write({"other.py": "NAME = 'other'\n"})
    assert "imported now, which failed before: other" in auto.run("pass")
    workshop.edit("fast.py", "SPEED = 9\n")
    auto.run("found = fast.SPEED, SPEED, other.NAME")
    assert auto["found"] == (9, 9, "other")


@pytest.mark.parametrize(
    "handler", ["tools = HAS_TOOLS = None", "tools, HAS_TOOLS = None, False", "(tools, _), HAS_TOOLS = (1, 2), 3"]
)
def test_a_handler_may_bind_several_names_at_once(handler: str) -> None:
    """In a chain, or side by side; what is taken apart may be anything."""
    found = list(read_optional(f"try:\n    import tools\nexcept ImportError:\n    {handler}"))
    assert [sorted(one.names) for one in found] == ([] if "(" in handler else [["HAS_TOOLS", "tools"]])


@pytest.mark.parametrize(
    "statement",
    [
        "try:\n    import tools\nexcept ValueError as error:\n    tools, why = None, str(error)",
        "with contextlib.suppress(ImportError, OSError):\n    import tools",
        "if find_spec('tools') is None:\n    tools = None\nelse:\n    import tools",
    ],
)
def test_what_does_without_an_import_is_known_in_all_its_forms(statement: str) -> None:
    """Whatever the handler is for, since a module can fail with any error; and what asks whether it is there."""
    assert [one.imports[0].module for one in read_optional(statement)] == ["tools"]


@pytest.mark.parametrize(
    "statement",
    [
        "try:\n    import tools\n    START.append(1)\nexcept ImportError:\n    tools = None",
        "try:\n    import tools\nexcept ImportError:\n    tools = START.append(1)",
        "try:\n    import tools\nexcept ImportError:\n    import json as tools",
        "with contextlib.suppress(ImportError):\n    import tools\n    START.append(1)",
        "with open('tools') as tools:\n    import tools",
        "if find_spec(START.pop()):\n    import tools",
        "if START is not None:\n    try:\n        import tools\n    except ImportError:\n        tools = None",
    ],
)
def test_a_statement_that_may_do_more_than_bind_names_runs_once(statement: str) -> None:
    """Whatever it has done, it would do again; where the handler imports, the cell chooses between modules."""
    assert not list(read_optional(statement))
