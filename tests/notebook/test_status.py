"""`%exostatus` on old objects: how many, how large, and where; and the notice when the last one is gone."""

from __future__ import annotations

import gc

import pytest

from exocet_ipython.notebook.old.status import StatusReport
from tests.shells import Notebook
from tests.workshop import Workshop

GAME = "class Room:\n    number = {number}\n    def enter(self): return {number}\ndef on_click(): return {number}\n"


@pytest.fixture
def game(notebook: Notebook, workshop: Workshop) -> Notebook:
    """A notebook that holds objects of generation 1 in several places, while generation 2 is current."""
    workshop.write({"game.py": GAME.format(number=1)})
    notebook.run("%exoload game\nfrom game import Room, on_click")
    notebook.run("room = Room()\nhandlers = {'click': on_click}\nmany = (lambda rooms: lambda: rooms)({})")
    notebook.run(
        "many().update({(n, object()): [[[Room()]]] for n in range(300)})\nclass Hall(Room): pass\nhall = Hall()"
    )
    workshop.write({"game.py": GAME.format(number=2)})
    notebook.run("%exoreload")
    return notebook


def status(notebook: Notebook, options: str = "") -> StatusReport:
    """What `%exostatus` returns."""
    report = notebook.value(f"%exostatus {options}")
    assert isinstance(report, StatusReport)
    return report


def test_without_a_scan_it_tells_what_is_known(game: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    """Definitions are counted by kind, instances as far as names lead to them; the heap is not looked at."""

    def scan(*_: object) -> None:
        raise AssertionError("a scan")

    with monkeypatch.context() as patch:
        patch.setattr(gc, "get_referrers", scan)
        patch.setattr(gc, "get_objects", scan)
        report = status(game)
    (old,) = report.retired
    assert old.census is not None
    assert old.census.instances["game.Room"].number == 2
    assert (old.census.classes.number, old.census.functions.number, old.census.subclasses.number) == (1, 1, 1)
    held = {(survivor.kind, survivor.name): survivor.names for survivor in old.survivors}
    assert held == {
        ("instance", "game.Room"): ("room", "hall"),
        ("function", "game.on_click"): ('handlers["click"]',),
        ("class", "game.Room"): ("Hall.__base__",),
    }
    text = repr(report)
    assert "2 known instances, 1 subclass, 1 class, 1 function" in text
    assert "--scan counts everything" in text
    assert 'old function on_click alive: handlers["click"]' in text
    assert "--scan" in report._repr_html_()


def test_a_scan_counts_everything_in_one_pass(game: Notebook, heap_looks: list[int]) -> None:
    """With --scan all instances are counted, by one look at the heap."""
    report = status(game, "--scan")
    assert len(heap_looks) == 1
    (old,) = report.retired
    assert old.census is not None
    assert old.census.instances["game.Room"].number == 302
    assert old.census.total.size > 302 * 40
    assert old.census.freed is not None
    assert old.census.freed.size > old.census.total.size * 0.9
    assert "with what only they hold" in repr(report)
    assert "302 instances, 1 subclass" in repr(report)
    assert "302 instances of game.Room" in repr(report)


def test_the_next_report_says_that_a_generation_is_gone(game: Notebook, workshop: Workshop) -> None:
    """When the last survivor is gone the next report says so in half a line, once; `%exostatus` is a report too."""
    game.run("del room, hall, Hall, many\nhandlers.clear()")
    gc.collect()
    assert repr(game.value("%exoreload")) == "nothing changed (generation 2); generation 1 is gone"
    assert repr(game.value("%exoreload")) == "nothing changed (generation 2)"
    game.run("from game import Room\nroom = Room()")
    workshop.write({"game.py": GAME.format(number=3)})
    game.run("%exoreload")
    game.run("del room")
    gc.collect()
    assert "generation 2 is gone" in status(game).headline
    assert "gone" not in status(game).headline


def test_a_reload_says_so_as_well(game: Notebook, workshop: Workshop) -> None:
    """A reload that makes something anew says what is gone since the last report."""
    game.run("del room, hall, Hall, many\nhandlers.clear()")
    gc.collect()
    workshop.write({"game.py": GAME.format(number=3)})
    report = game.value("%exoreload")
    assert report.headline.endswith("; generation 1 is gone")
    assert report.collected == (1,)


def test_generations_that_nobody_was_told_of_go_in_silence(notebook: Notebook, workshop: Workshop) -> None:
    """A generation of which no report has named anything is not said to be gone."""
    for number in range(1, 5):
        workshop.write({"game.py": GAME.format(number=number)})
        report = notebook.value("%exoload game" if number == 1 else "%exoreload")
        assert "gone" not in repr(report)
    assert "gone" not in repr(status(notebook))


def test_a_generation_that_becomes_current_again_is_not_gone(game: Notebook, workshop: Workshop) -> None:
    """Going back to the sources of a living generation makes its objects current: nothing is said to be gone."""
    workshop.write({"game.py": GAME.format(number=1)})
    assert "gone" not in repr(game.value("%exoreload"))
    assert "gone" not in repr(status(game))


def test_each_module_says_what_is_another_by_now(notebook: Notebook, workshop: Workshop) -> None:
    """Its own file or a data file; and that it waits for its name where it is frozen."""
    frozen = "__exo_frozen__ = True"
    workshop.write(
        {
            "own.py": "",
            "read.py": "from pathlib import Path\nPath(__file__).with_name('read.txt').read_text()",
            "read.txt": "1",
        }
    )
    workshop.write({"cold.py": frozen, "still.py": frozen})
    for name in ("own", "read", "cold", "still"):
        notebook.run(f"%exoload {name}")
    workshop.write({"own.py": "N = 1", "read.txt": "2", "cold.py": f"N = 1\n{frozen}"})
    report = status(notebook)
    states = {module.name: module.state for module in report.modules}
    assert states == {"own": "modified", "read": "data modified", "cold": "frozen", "still": "current"}
    assert "3 files changed on disk" in report.headline
    assert "%exoreload NAME runs it" in repr(report)


def test_a_generation_that_is_back_is_not_gone(game: Notebook, workshop: Workshop) -> None:
    """Nothing of it was held when the undo of an edit made it current again."""
    game.run("%exomigrate")
    workshop.write({"game.py": GAME.format(number=1)})
    headline = game.value("%exoreload").headline
    assert headline.startswith("went back to generation 1")
    assert "gone" not in headline
    assert "gone" not in status(game).headline
