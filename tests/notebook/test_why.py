"""`%exowhy`: what keeps an old object alive, as a person asks for it."""

from __future__ import annotations

import gc
import weakref

import pytest
from IPython.core.error import UsageError

from exocet_ipython.errors import NothingOldError
from exocet_ipython.notebook.old.why import HeldObject, WhyReport
from exocet_ipython.survivors.finding.paths import HoldPath, Holds
from tests.shells import Notebook
from tests.workshop import Workshop

WORLD = """
    class Room:
        exits = {{}}
        def enter(self): return {number}
    class Sealed:
        __slots__ = ()
    def on_click(): return Room
    NUMBER = {number}
"""

CELL = """
from game.world import Room, Sealed, on_click
room = Room()
class App: pass
app = App()
app.model = App()
app.model.layers = [0, 1, 2, Room()]
handlers = {"click": on_click, "enter": Room().enter}
"""


@pytest.fixture
def game(notebook: Notebook, workshop: Workshop) -> Notebook:
    """A notebook that holds objects of generation 1 in several places, while generation 2 is current."""
    workshop.write({"game/__init__.py": "", "game/world.py": WORLD.format(number=1)})
    notebook.run("%exoload game.world")
    notebook.run(CELL)
    edit(notebook, workshop, 2)
    return notebook


def edit(notebook: Notebook, workshop: Workshop, number: int) -> None:
    """Edit the module, and reload it."""
    workshop.write({"game/world.py": WORLD.format(number=number)})
    notebook.run("%exoreload")


def ask(notebook: Notebook, what: str) -> WhyReport:
    """What `%exowhy` returns."""
    report = notebook.value(f"%exowhy {what}")
    assert isinstance(report, WhyReport)
    return report


def test_a_name(game: Notebook) -> None:
    """For a name the report says what else holds the object, or that nothing does."""
    assert repr(ask(game, "room")).splitlines() == [
        "old Room (generation 1) is held by room alone",
        "  room  the name you asked by",
    ]
    game.run("rooms = [room]")
    report = ask(game, "room")
    assert report.headline == "old Room (generation 1) is also held by rooms[0]"
    assert [path.expression for path in report.paths] == ["room", "rooms[0]"]
    assert report.held[0].holds.from_c == 0


def test_expressions(game: Notebook) -> None:
    """An old object may be given by an attribute or an item, quotes and all."""
    for expression in ("app.model.layers[3]", 'handlers["click"]'):
        report = ask(game, expression)
        assert report.headline.endswith(f"is held by {expression} alone")
    assert ask(game, "handlers['click']").headline.endswith('is held by handlers["click"] alone')  # by other quotes


@pytest.mark.parametrize("found", ["room", "type(room)", "[room]", "len(handlers)", "__import__('json')", "nothing"])
def test_an_expression_is_evaluated_once(game: Notebook, found: str) -> None:
    """It may do something, whether or not what it gives is old."""
    game.run("asked = []")
    game.try_cell(f"%exowhy (asked.append(1), {found})[1]")
    assert game["asked"] == [1]


def test_a_class(game: Notebook) -> None:
    """A class is asked for by its dotted name, or by the name that the current one has in the notebook."""
    for name in ("game.world.Room", "Room", "world.Room"):
        report = ask(game, name)
        assert report.held[0].label == "old class Room"
        assert report.paths[0].expression == "type(room)"
        assert report.passes <= report.paths[0].levels + 1
    assert ask(game, "game.world.on_click").paths[0].expression == 'handlers["click"]'


def test_a_class_of_several_generations(game: Notebook, workshop: Workshop) -> None:
    """Each generation's class is explained, the newest first."""
    game.run("from game.world import Room\nsecond = Room()")
    edit(game, workshop, 3)
    report = ask(game, "game.world.Room")
    assert [(held.generation, held.holds.paths[0].expression) for held in report.held] == [
        (2, "type(second)"),
        (1, "type(room)"),
    ]
    assert "1 older one" in report.headline


def test_a_module(game: Notebook) -> None:
    """Who holds a function of a module holds its globals, and so the module."""
    game.run("del room, app\nmethod = handlers.pop('enter')\nOut.clear()\n_ = __ = ___ = None")
    report = ask(game, "game.world")
    assert {'handlers["click"].__globals__', "method.__func__.__globals__"} <= {
        path.expression for path in report.paths
    }
    game.run("kept = handlers['click'].__globals__\ndel method\nhandlers.clear()")
    assert ask(game, "game.world").headline == "old module world (generation 1) is held by kept"
    game.run("del kept")
    gc.collect()
    assert repr(ask(game, "game.world")) == "no old game.world is alive"


def test_a_generation(game: Notebook) -> None:
    """For a generation there is a path to each old object that something else holds."""
    report = ask(game, "1")
    found = {path.expression: path.reaches for path in report.paths}
    assert {
        "room": "old Room",
        'handlers["click"]': "old function on_click",
        'handlers["enter"].__self__': "old Room",
        "app.model.layers[3]": "old Room",
    }.items() <= found.items()
    assert report.headline.startswith("generation 1 is held by room, and ")


def test_the_generation_that_was_adopted(notebook: Notebook, workshop: Workshop) -> None:
    """The number 0 stands for what was imported before the first reload, as `%exostatus` lists it."""
    workshop.write({"m.py": "class A: pass\n"})
    notebook.run("%exoauto on\n%config Exocet.instances = 'track'")
    notebook.run("import m\na = m.A()")
    workshop.write({"m.py": "class A: x = 1\n"})
    assert [retired.number for retired in notebook.value("%exostatus").retired] == [0]
    assert "a" in {path.expression for path in ask(notebook, "0").paths}


def test_a_generation_that_an_undo_replaced(game: Notebook, workshop: Workshop) -> None:
    """What lives of a generation with a higher number than the current one is old as well."""
    game.run("from game.world import Room as Second\nsecond = Second()")
    edit(game, workshop, 1)
    report = ask(game, "2")
    assert "second" in {path.expression for path in report.paths}


def test_expressions_that_we_write_can_be_asked_for(game: Notebook) -> None:
    """Each expression of a status or a hold path is taken by `%exowhy`: calls and frames too."""
    game.run("keys, rooms, maker = {Room(): 1}, {Room()}, (lambda room: lambda: room)(Room())")
    game.run("keys, rooms = {type(room)(): 1}, {type(room)()}")
    for expression in ("list(keys)[0]", "list(rooms)[0]", "type(room)", "sys.modules['__main__'].room"):
        report = ask(game, expression)
        assert report.held[0].generation == 1, expression
        assert report.asked == expression


def test_what_leads_to_an_old_object_says_so(game: Notebook) -> None:
    """A bound method, and an item given in any spelling, names the old object below it."""
    shown = game.fail("%exowhy handlers['enter']", NothingOldError)
    assert "leads to one (handlers['enter'].__self__); ask for it: %exowhy handlers['enter'].__self__" in shown


def test_what_is_advised_can_be_asked_for(game: Notebook) -> None:
    """Also where the person has typed two names at once, or something else that isn't a name."""
    shown = game.fail("%exowhy app, room", NothingOldError)
    assert "ask for it: %exowhy (app, room)[1]" in shown
    assert ask(game, "(app, room)[1]").held[0].label == "old Room"


def test_many_old_objects_in_a_container_are_counted(game: Notebook) -> None:
    """Of many old objects in a container some are named, and all others are counted."""
    game.run("rooms = [type(room)() for _ in range(20)]")
    assert "leads to some (rooms[0], rooms[1], rooms[2], rooms[3] and 16 more)" in game.fail(
        "%exowhy rooms", NothingOldError
    )


def test_an_error_holds_nothing(game: Notebook) -> None:
    """What was asked for in vain is not kept alive by the error that says so."""
    room = weakref.ref(game.shell.user_ns["handlers"]["enter"].__self__)
    game.fail("%exowhy handlers", NothingOldError)
    game.run("handlers.clear()")
    gc.collect()
    assert room() is None


def test_an_output_is_named_once(game: Notebook) -> None:
    """`Out[5]` is a path; IPython's other notes of the same entry, `_5` and hidden ones, are none beside it."""
    game.run("room")
    number = game.shell.execution_count - 1
    report = ask(game, "room")
    found = {path.expression for path in report.paths}
    found -= {"_", "get_ipython().displayhook._"}  # which of these IPython has, depends on who else uses `_`
    assert found == {"room", f"Out[{number}]"}
    assert f"is also held by Out[{number}], and " in report.headline
    assert "1 further path" in report.headline


def test_what_is_gone(game: Notebook) -> None:
    """When nothing is left, a class and a generation are said to be gone, and the report is false."""
    game.run("del room, app\nhandlers.clear()\nOut.clear()\n_ = __ = ___ = None")
    gc.collect()
    report = ask(game, "game.world.Room")
    assert (repr(report), bool(report)) == ("no old game.world.Room is alive", False)
    assert repr(ask(game, "1")) == "generation 1 is gone: nothing of it is alive"


def test_what_is_current(game: Notebook) -> None:
    """What is asked for is said to be current, and what of it is not old."""
    game.run("from game.world import Room as Cell\nfresh = Cell()\ndel room, app\nhandlers.clear()\nOut.clear()")
    gc.collect()
    for what in ("fresh", "Cell"):
        assert repr(ask(game, what)) == f"{what} is current; no old game.world.Room is alive"


def test_a_generation_has_more_paths_than_are_shown(game: Notebook) -> None:
    """Only one to each old object is looked for, those of one length aside: the number of paths says so."""
    game.run("handlers.clear()\ndel app.model.layers\nhall = room\nrooms = [room]")
    report = ask(game, "1")
    assert [path.expression for path in report.paths] == ["hall", "room"]
    assert report.headline == "generation 1 is held by hall, and at least 1 further path"


def test_what_gc_freeze_hides_of_a_generation(game: Notebook) -> None:
    """It is said that it is missing: beside the paths that are found, and where there are none."""
    game.run("handlers.clear()\ndel app.model.layers\nhidden = room, type(room)()")
    gc.freeze()
    try:
        game.run("seen = [type(room)()]")
        some = repr(ask(game, "1")).splitlines()
        game.run("seen.clear()")
        none = ask(game, "1").headline
    finally:
        gc.unfreeze()
    assert some[:2] == ["generation 1 is held by seen[0]", "  seen[0]  old Room"]
    assert some[-1].startswith("  not complete: gc.freeze hides ")
    assert none.startswith("generation 1: held from C, or by one of the ")
    assert none.endswith(" objects that gc.freeze hides")


def test_a_name_of_several_modules(game: Notebook, workshop: Workshop) -> None:
    """What is found is told apart by its module."""
    workshop.write({"other.py": "class Room: size = 1"})
    game.run("%exoload other\nelse_ = other.Room()")
    workshop.write({"other.py": "class Room: size = 2"})
    game.run("%exoreload")
    labels = {held.label for held in ask(game, "Room").held}
    assert labels == {"old class other.Room", "old class game.world.Room"}
    assert ask(game, "other.Room").held[0].label == "old class Room"


def test_what_is_current_beside_what_is_old(game: Notebook) -> None:
    """A current instance is said to be current before the old ones of its class are told of; a class is asked for."""
    game.run("from game.world import Room as Cell\nfresh = Cell()")
    lines = repr(ask(game, "fresh")).splitlines()
    assert lines[0].startswith("fresh is current; old class Room (generation 1) is held by type(room)")
    assert ask(game, "fresh").headline == lines[0]
    assert ask(game, "Cell").headline.startswith("old class Room (generation 1) is held by type(room)")


def test_what_only_the_collector_has_not_seen(game: Notebook) -> None:
    """Garbage is called that, with what to do."""
    game.run("room.me = room\nhandlers.clear()\ndel app")
    gc.disable()
    try:
        game.run("del room")
        report = ask(game, "game.world.Room")
    finally:
        gc.enable()
    assert repr(report) == (
        "old class Room (generation 1): nothing holds it; it goes when the collector runs: %exocollect"
    )
    assert not report


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("2", "generation 2 is the current one: nothing of it is old"),
        ("9", "there is no generation 9 (the current one is 2)"),
        ("nope", "nothing old is named 'nope'"),
        ("App", "'App' is no old object"),
        ("app", "'app' is no old object, but leads to one (app.model.layers[3]); ask for it: %exowhy app.model"),
        ("handlers", 'but leads to some (handlers["click"], handlers["enter"].__self__)'),
        ("handlers['nope']", "nothing old is named"),
        ("1 +", "nothing old is named '1 +'"),
    ],
)
def test_wrong_input_says_what_to_do(game: Notebook, what: str, said: str) -> None:
    """Each error says what is wrong and what can be asked for."""
    shown = game.fail(f"%exowhy {what}", NothingOldError)
    assert said in shown
    assert "%exostatus" in shown


def test_usage(game: Notebook) -> None:
    """Without anything to ask for, the magic says what it takes."""
    shown = game.fail("%exowhy", UsageError)
    assert "%exowhy needs a name, a class or the number of a generation" in shown


def test_a_report_holds_nothing(game: Notebook) -> None:
    """Reports that are kept, in `Out` too, keep no old object alive."""
    room = weakref.ref(game.shell.user_ns["room"])
    game.run("kept = [get_ipython().run_line_magic('exowhy', what) for what in ('room', '1', 'Room')]")
    game.run("%exowhy room")
    game.run("del room")
    gc.collect()
    assert room() is None


def test_nothing_of_ours_is_shown(game: Notebook) -> None:
    """No path leads through the extension's own records."""
    for what in ("room", "1", "game.world.Room", "game.world.on_click"):
        assert "exocet" not in repr(ask(game, what)).lower()


def test_what_ipython_keeps(game: Notebook) -> None:
    """An output is said to be one, and the last traceback is found."""
    game.run("room")
    game.run("del room")
    kinds = {path.kind for path in ask(game, "Room").paths}
    assert "output" in kinds
    game.run("def fail(thing): 1 / 0")
    game.fail("fail(app.model.layers.pop())", ZeroDivisionError)
    game.run("del app\nhandlers.clear()\nOut.clear()\n_ = __ = ___ = _5 = None")
    found = ask(game, "1").paths
    assert any(path.kind == "traceback" and 'f_locals["thing"]' in path.expression for path in found)


def test_text_and_html() -> None:
    """The text has each path with what it begins with; the HTML escapes everything."""
    holds = Holds(
        (
            HoldPath("a[0]", "name", 2),
            HoldPath('Out[3]["<b>"]', "output", 2),
            HoldPath("sys._current_frames()[1].f_locals['x']", "frame", 3, "worker: f() in a.py, line 3"),
        ),
        from_c=2,
        passes=3,
        bounded="width",
        is_complete=False,
    )
    report = WhyReport("m.A", (HeldObject("old class A", 1, "", holds),))
    lines = repr(report).splitlines()
    assert lines[0] == "old class A (generation 1) is held by a[0], and at least 2 further paths"
    assert lines[2].endswith("  kept by IPython as an output")
    assert lines[3].endswith("worker: f() in a.py, line 3")
    assert lines[4] == "  held from C: 2 references that no Python object explains"
    assert lines[5] == "  not complete: too many objects hold it to look at all of them"
    shown = report._repr_html_()
    assert "<b>" not in shown
    assert "worker: f() in a.py, line 3" in shown


def test_what_is_held_from_c_alone() -> None:
    """Where it is known only that C code holds it, or an object that gc.freeze hides, the headline says that."""
    holds = Holds((HoldPath("<A>", "code", 1),), from_c=1, frozen=375)
    shown = str(HeldObject("old A", 1, "", holds))
    assert shown == "old A (generation 1): held from C, or by one of the 375 objects that gc.freeze hides"
    deeper = Holds((HoldPath("<list_iterator>.x", "code", 2),), from_c=0)
    assert str(HeldObject("old A", 1, "", deeper)) == "old A (generation 1) is held by <list_iterator>.x"


def test_a_generation_that_is_held_from_c_alone() -> None:
    """It is not said that nothing holds it, or that the collector will take it."""
    holds = Holds((HoldPath("<A>", "code", 1),), from_c=None)
    assert str(HeldObject("generation 1", 1, "", holds)) == "generation 1: held from C"


def test_many_paths_are_cut() -> None:
    """Of many paths some are shown, and how many more there are is said."""
    paths = tuple(HoldPath(f"names[{number}]", "name", 2) for number in range(50))
    text = repr(WhyReport("1", (HeldObject("generation 1", 1, "", Holds(paths)),)))
    assert "and 49 further paths" in text
    assert len(text.splitlines()) < 15
    assert text.endswith("and 40 more")
