"""`%exocollect`: what IPython keeps without the person's wish is let go of, and what went is said."""

from __future__ import annotations

import builtins
import gc
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.error import StdinNotImplementedError, UsageError

from exocet_ipython.notebook.shell import detach
from tests.shells import Notebook, open_shell
from tests.workshop import Workshop

ZOO = """
class Cat:
    size = {0}
    def purr(self):
        noise = self
        raise ValueError("no")
"""


@pytest.fixture
def zoo(workshop: Workshop, tmp_path: Path) -> Iterator[Notebook]:
    """A notebook in which a module `zoo` is loaded and reloads only track."""
    workshop.write({"zoo.py": ZOO.format(1)})
    with open_shell(tmp_path / "ipython") as shell:
        notebook = Notebook(shell)
        notebook.run("%load_ext exocet_ipython")
        notebook.run("%exoload zoo")
        yield notebook
        detach(shell)


def retire(notebook: Notebook, workshop: Workshop) -> weakref.ref[Any]:
    """Reload a new text, and return a weak reference to the old class."""
    old = weakref.ref(notebook["zoo"].Cat)
    workshop.write({"zoo.py": ZOO.format(2)})
    notebook.run("%exoreload")
    return old


def is_gone(reference: weakref.ref[Any]) -> bool:
    """Say whether the object is gone once the collector ran."""
    gc.collect()
    return reference() is None


HELD = {
    "Out": "zoo.Cat()",
    "Out, in a list": "[1, {'cat': zoo.Cat()}]",
    "an error that nobody caught": "zoo.Cat().purr()",
    "an output that the cell kept from being shown": "zoo.Cat",
}


@pytest.mark.parametrize("cell", HELD.values(), ids=HELD.keys())
def test_what_only_ipython_keeps_goes(zoo: Notebook, workshop: Workshop, cell: str) -> None:
    """An old object that only the output cache or the last error leads to is alive before, and gone afterwards."""
    zoo.try_cell(cell)
    for number in range(3):
        zoo.run(f"{number}")  # so that `_`, `__` and `___` are others
    old = retire(zoo, workshop)
    assert not is_gone(old)
    report = zoo.value("%exocollect --yes")
    assert is_gone(old)
    assert report.let_go
    assert report.left == 0
    assert dict(report.gone)["class"].number == 1
    assert "\n  1 class, " in repr(report)
    assert report.size > 0


def test_the_size_of_what_went_counts_what_it_held(zoo: Notebook, workshop: Workshop) -> None:
    """Data that only an old object had goes with it, and that is what a person wants to know."""
    zoo.run("cat = zoo.Cat()\ncat.data = bytearray(10_000_000)\ncat")
    zoo.run("del cat")
    retire(zoo, workshop)
    report = zoo.value("%exocollect --yes")
    assert 10_000_000 < report.size < 10_100_000
    assert "10.0 MB" in report.headline


def test_underscores_are_let_go_of_and_go_on_working(
    zoo: Notebook, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`_` no longer holds the old object, and is the next result as usual."""
    monkeypatch.delattr(builtins, "_", raising=False)  # doctest leaves one, and IPython then has none of its own
    zoo.run("zoo.Cat()")
    old = retire(zoo, workshop)
    zoo.run("%exocollect --yes")
    assert is_gone(old)
    zoo.run("41 + 1")
    assert zoo.value("_") == 42


def test_what_a_person_named_is_not_touched(zoo: Notebook, workshop: Workshop) -> None:
    """Their names, what is below these, and outputs that lead to nothing old stay; the report says what lives on."""
    zoo.run("mine = [zoo.Cat()]")
    zoo.run("'an answer'")
    zoo.run("zoo.Cat()")
    cats = {f"Out[{number}]" for number, value in zoo["Out"].items() if type(value).__name__ == "Cat"}
    retire(zoo, workshop)
    report = zoo.value("%exocollect --yes")
    assert zoo.value("type(mine[0]).__name__, mine[0].size") == ("Cat", 1)
    assert "an answer" in zoo["Out"].values()
    assert {name for name in report.let_go if name.startswith("Out")} == cats
    assert dict(report.gone)["zoo.Cat"].number == 1
    assert report.left > 0
    assert "%exowhy" in repr(report)


def test_names_of_the_output_cache_that_a_person_assigned_are_theirs(zoo: Notebook, workshop: Workshop) -> None:
    """`_`, and `_5` of an output that goes: what IPython has put there itself is let go of, theirs is not."""
    zoo.run("zoo.Cat()")
    (number,) = (number for number, value in zoo["Out"].items() if type(value).__name__ == "Cat")
    zoo.run(f"_{number} = 'mine'\n_7777 = zoo.Cat()\n_ = zoo.Cat()")
    retire(zoo, workshop)
    report = zoo.value("%exocollect --yes")
    assert dict(report.gone)["zoo.Cat"].number == 1
    assert zoo.value(f"_{number}, type(_7777).__name__, type(_).__name__") == ("mine", "Cat", "Cat")


def test_it_lists_and_asks_before_it_lets_go(
    zoo: Notebook, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without `--yes` each thing is listed, and a "no" leaves all of it."""
    zoo.run("zoo.Cat()")
    old = retire(zoo, workshop)
    asked = []

    def answer(prompt: str, *default: str) -> bool:
        asked.append((prompt, default))
        return len(asked) > 1

    monkeypatch.setattr(zoo.shell, "ask_yes_no", answer)
    printed = zoo.run("%exocollect")
    assert "Out[" in printed
    assert "Cat" in printed
    assert not is_gone(old)
    zoo.run("%exocollect")
    assert is_gone(old)
    assert [default for _, default in asked] == [("n", "n")] * 2  # for Enter alone, and for Ctrl-C


def test_an_output_is_listed_once(zoo: Notebook, workshop: Workshop) -> None:
    """`Out[5]` and `_5` are one entry, and are let go of together."""
    zoo.run("zoo.Cat()")
    number = zoo.shell.execution_count - 1
    old = retire(zoo, workshop)
    report = zoo.value("%exocollect --yes")
    assert f"Out[{number}]" in report.let_go
    assert f"_{number}" not in report.let_go
    assert f"_{number}" not in zoo
    assert is_gone(old)


def test_where_nobody_can_be_asked_it_says_so(
    zoo: Notebook, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a front end without input nothing is let go of, and the message names `--yes`."""
    zoo.run("zoo.Cat()")
    old = retire(zoo, workshop)

    def refuse(*_: str) -> bool:
        raise StdinNotImplementedError

    monkeypatch.setattr(zoo.shell, "ask_yes_no", refuse)
    assert "--yes" in (first := zoo.fail("%exocollect", UsageError))
    assert zoo.fail("%exocollect", UsageError) == first  # which doesn't list the error of the one before
    assert not is_gone(old)


def test_an_error_that_leads_to_the_shell_alone_is_not_kept_for_nothing(zoo: Notebook, workshop: Workshop) -> None:
    """A slip in a command holds nothing old, although its frames have the shell, which has `Out`."""
    zoo.run("zoo.Cat()")
    retire(zoo, workshop)
    zoo.fail("%exostatus --scam", UsageError)
    assert not [name for name in zoo.value("%exocollect --yes").let_go if "last" in name]


def test_garbage_is_collected_and_said_where_nothing_is_kept(zoo: Notebook, workshop: Workshop) -> None:
    """An old object in a cycle that nobody holds goes without a question."""
    zoo.run("cat = zoo.Cat()\ncat.me = cat\ndel cat")
    retire(zoo, workshop)
    report = zoo.value("%exocollect")
    assert not report.let_go
    assert report.left == 0
    assert repr(zoo.value("%exocollect")) == "no old object is alive"


def test_the_last_error_is_gone_from_every_place(zoo: Notebook, workshop: Workshop) -> None:
    """`sys.last_*` and what the shell itself keeps of an error are emptied; `%tb` says that there is none."""
    zoo.try_cell("zoo.Cat().purr()")
    old = retire(zoo, workshop)
    zoo.run("%exocollect --yes")
    assert is_gone(old)
    assert not hasattr(sys, "last_traceback")
    assert "No traceback" in zoo.run("%tb")
