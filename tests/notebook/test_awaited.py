"""Imports of cells that failed: bound when they can be, said once, and nothing to pay while nothing changes."""

from __future__ import annotations

import pytest

from exocet_ipython.notebook.awaited import AwaitedImports
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

    def counted(self: AwaitedImports) -> object:
        bound = retry(self)
        found.append(len(bound))
        return bound

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
