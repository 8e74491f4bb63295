"""Going back with several modules: what has to come back as well, and what keeps a generation from it."""

from __future__ import annotations

import atexit
import gc
import logging
import sys
from typing import Any

import pytest

from exocet_ipython.notebook.report import ReloadReport
from tests.exports import Exports
from tests.plain_notebook import PlainNotebook, state_of
from tests.workshop import Workshop

LOW = "TABLE = {{'n': {0}}}\nclass Base:\n    number = {0}\n    def show(self): return {0}\ndef low(): return {0}\n"
HIGH = "from low import Base, TABLE\nimport low\nclass Top(Base): pass\ndef high(): return low.low()\nRAN = []\n"


@pytest.fixture
def notebook(workshop: Workshop) -> PlainNotebook:
    """A notebook with a module, its importer and one that has to do with neither; `held` keeps these of then alive."""
    workshop.write({"low.py": LOW.format(1), "high.py": HIGH, "other.py": "def other(): return 1\n"})
    notebook = PlainNotebook()
    notebook.run("import low, high, other\nfrom high import Top\nheld = [low, high, other]\ntop = Top()")
    return notebook


def reload(notebook: PlainNotebook, *, migrate: bool = False) -> ReloadReport:
    """Reload and return the report; what made it fail is raised."""
    report = notebook.session.reload(migrate=migrate)
    if report.error is not None:
        raise report.error
    return report


def generation() -> Exports:
    """The modules that are current, with all that they have."""
    return Exports("low", "high", "other")


@pytest.mark.parametrize("migrate", [False, True])
def test_importers_come_back_as_well(workshop: Workshop, notebook: PlainNotebook, *, migrate: bool) -> None:
    """An importer whose text never changed is the one of that generation again, and instances of its classes fit."""
    first = generation()
    workshop.write({"low.py": LOW.format(2)})
    reload(notebook, migrate=migrate)
    second = generation()
    assert first != second
    for number, wanted in ((1, first), (2, second), (1, first)):
        workshop.write({"low.py": LOW.format(number)})
        report = reload(notebook, migrate=migrate)
        assert report.returned == ("low", "high")
        assert generation() == wanted
        assert notebook["high"].high() == notebook["Top"]().show() == number
    assert isinstance(notebook["top"], notebook["low"].Base)
    assert notebook["top"].show() == 1


def test_each_of_several_generations_is_found(workshop: Workshop, notebook: PlainNotebook) -> None:
    """Three texts, in any order, bring the objects of the first time each."""
    seen = {1: generation()}
    for number in (2, 3):
        workshop.write({"low.py": LOW.format(number)})
        notebook.reload()
        seen[number] = generation()
    for number in (1, 3, 2, 1, 2, 3):
        workshop.write({"low.py": LOW.format(number)})
        assert notebook.reload().reloaded == ()
        assert generation() == seen[number]


def test_a_mixture_of_generations_is_made(workshop: Workshop, notebook: PlainNotebook) -> None:
    """What is back while something else has changed since is no generation: it is made, and returns later as one."""
    workshop.write({"low.py": LOW.format(2)})
    notebook.reload()
    workshop.write({"other.py": "def other(): return 2\n"})
    notebook.reload()
    workshop.write({"low.py": LOW.format(1)})
    assert [module.name for module in notebook.reload().reloaded] == ["low", "high"]
    workshop.write({"other.py": "def other(): return 1\n"})
    notebook.reload()
    assert notebook["low"] is notebook["held"][0]
    assert notebook["other"] is notebook["held"][2]


def test_failures_between(workshop: Workshop, notebook: PlainNotebook) -> None:
    """A broken text between changes nothing, whether it comes before the edit, after it, or again and again."""
    first = generation()
    for text in ("def broken(:", "1 / 0", "import no_such_module", LOW.format(2), "raise SystemExit"):
        workshop.write({"low.py": text})
        notebook.session.reload()
    workshop.write({"low.py": LOW.format(1)})
    assert notebook.reload().returned == ("low", "high")
    assert generation() == first


def test_broken_importer_keeps_the_edit_out(workshop: Workshop, notebook: PlainNotebook) -> None:
    """A generation can't come back while the text of one of its modules is another; then it does, by itself."""
    first = generation()
    workshop.write({"low.py": LOW.format(2)})
    notebook.reload()
    second = generation()
    workshop.write({"low.py": LOW.format(1), "high.py": HIGH + "1 / 0\n"})
    assert isinstance(notebook.session.reload().error, ZeroDivisionError)
    assert generation() == second
    workshop.write({"high.py": HIGH})
    notebook.reload()
    assert generation() == first


def test_a_module_of_it_that_died_has_all_made_anew(workshop: Workshop, notebook: PlainNotebook) -> None:
    """Where nothing of one module is left, the generation is none; the survivors are survivors as ever."""
    notebook.run("held = [low]\ntop = None")
    workshop.write({"low.py": LOW.format(2)})
    notebook.reload()
    gc.collect()
    workshop.write({"low.py": LOW.format(1)})
    assert [module.name for module in notebook.reload().reloaded] == ["low", "high"]
    assert notebook["low"] is not notebook["held"][0]


@pytest.mark.parametrize("migrate", [False, True])
def test_generations_that_were_revised(workshop: Workshop, notebook: PlainNotebook, *, migrate: bool) -> None:
    """New code in place makes no other objects: each of its texts brings these back, with the code of that text."""
    body = "def low(): return {0}\nclass Base:\n    def show(self): return low() + {1}\nTABLE = {{}}\nN = [{2}]\n"
    texts = [body.format(1, 1, 1), "# a comment\n\n" + body.format(1, 1, 1), body.format(7, 3, 1)]
    texts = texts if migrate else texts[:2]
    workshop.write({"low.py": texts[0]})
    reload(notebook, migrate=migrate)
    seen = generation()
    for text in (*texts[1:], *texts):
        workshop.write({"low.py": text})
        assert reload(notebook, migrate=migrate).revised
        assert generation() == seen
    for number, text in enumerate([*texts, *texts]):
        workshop.write({"low.py": body.format(5, 5, number + 2)})
        reload(notebook, migrate=migrate)
        assert generation() != seen
        workshop.write({"low.py": text})
        assert reload(notebook, migrate=migrate).returned
        assert generation() == seen
        wanted = (7, 10) if text == body.format(7, 3, 1) else (1, 2)
        assert (notebook["low"].low(), notebook["Top"]().show()) == wanted
        assert notebook["low"].low.__code__.co_firstlineno == 1 + text.count("#") * 2
        assert notebook["low"].low.__code__.co_filename == workshop.path("low.py")


@pytest.mark.parametrize("migrate", [False, True])
def test_a_layout_and_back_where_an_older_generation_had_the_text(
    workshop: Workshop, notebook: PlainNotebook, *, migrate: bool
) -> None:
    """An importer that was made anew, got a comment and lost it again is the one that had this text last."""
    workshop.write({"low.py": LOW.format(2)})
    reload(notebook, migrate=migrate)
    second = generation()
    for text in ("# a comment\n" + HIGH, HIGH):
        workshop.write({"high.py": text})
        report = reload(notebook, migrate=migrate)
        assert [module.name for module in report.revised] == ["high"]
        assert generation() == second


def test_new_code_in_place_is_not_put_into_what_has_retired(workshop: Workshop, notebook: PlainNotebook) -> None:
    """An importer that was made anew with its text as it was runs the code of the one before, until it gets other."""
    body = "from low import TABLE\nclass Top:\n    def show(self): return {0}\ndef high(): return {0}\nRAN = []\n"
    workshop.write({"high.py": body.format(1)})
    reload(notebook, migrate=True)
    first = generation()
    workshop.write({"low.py": LOW.format(2)})
    reload(notebook, migrate=True)
    workshop.write({"high.py": body.format(2)})
    assert [module.name for module in reload(notebook, migrate=True).revised] == ["high"]
    workshop.write({"low.py": LOW.format(1), "high.py": body.format(1)})
    assert reload(notebook, migrate=True).returned == ("low", "high")
    assert generation() == first
    assert notebook["high"].high() == notebook["Top"]().show() == notebook["top"].show() == 1


@pytest.mark.parametrize("migrate", [False, True])
def test_what_needs_nothing_to_run_is_done_beside(
    workshop: Workshop, notebook: PlainNotebook, *, migrate: bool
) -> None:
    """An edit is undone while another module only has a new layout, or bodies to be put in place: nothing runs."""
    texts = ["def other(): return 1\n", "# a comment\ndef other(): return 1\n"]
    texts += ["def other(): return 2\n"] if migrate else []
    first = generation()
    for text in [*texts[1:], *texts]:
        workshop.write({"low.py": LOW.format(2)})
        reload(notebook, migrate=migrate)
        workshop.write({"low.py": LOW.format(1), "other.py": text})
        report = reload(notebook, migrate=migrate)
        assert (report.returned, [module.name for module in report.revised]) == (("low", "high"), ["other"])
        assert report.headline.startswith("went back to generation")
        assert generation() == first
        other = notebook["other"].other
        assert (other(), other.__code__.co_firstlineno) == (2 if "2" in text else 1, 1 + text.count("#"))
        assert notebook.reload().reloaded == ()


def test_an_error_beside_leaves_all_as_it_was(
    workshop: Workshop, notebook: PlainNotebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where going back fails, what was to be done beside it is not done either."""
    workshop.write({"low.py": LOW.format(2)})
    reload(notebook)
    second = generation()
    workshop.write({"low.py": LOW.format(1), "other.py": "# a comment\ndef other(): return 1\n"})

    class RefusingError(Exception):
        pass

    def refuse(*_: object) -> None:
        raise RefusingError

    monkeypatch.setattr(notebook.session.bindings, "plan", refuse)
    with pytest.raises(RefusingError):
        reload(notebook)
    assert generation() == second
    assert notebook["other"].other.__code__.co_firstlineno == 1
    monkeypatch.undo()
    assert reload(notebook).returned == ("low", "high")


@pytest.mark.parametrize("force", [False, True])
def test_what_is_asked_for_is_made(workshop: Workshop, notebook: PlainNotebook, *, force: bool) -> None:
    """`%exoload` and `--force` give new objects always."""
    workshop.write({"low.py": LOW.format(2)})
    notebook.reload()
    workshop.write({"low.py": LOW.format(1)})
    if force:
        notebook.reload(force=True)
    else:
        notebook.exoload("low")
    assert notebook["low"] is not notebook["held"][0]


def test_what_was_loaded_since_goes_on(workshop: Workshop, notebook: PlainNotebook) -> None:
    """A module that only the later generation had stays; where it imports what retires, all is made anew."""
    workshop.write({"low.py": "import extra\n" + LOW.format(2), "extra.py": "def e(): pass\n"})
    notebook.reload()
    extra = sys.modules["extra"]
    workshop.write({"low.py": LOW.format(1)})
    assert notebook.reload().returned == ("low", "high")
    assert sys.modules["extra"] is extra
    workshop.write({"low.py": LOW.format(2)})
    notebook.reload()
    workshop.write({"more.py": "from low import Base\nclass More(Base): pass\n"})
    notebook.run("import more")
    workshop.write({"low.py": LOW.format(1)})
    assert "more" in [module.name for module in notebook.reload().reloaded]
    assert issubclass(notebook["more"].More, notebook["low"].Base)


def test_a_module_that_was_deleted_comes_back(workshop: Workshop, notebook: PlainNotebook) -> None:
    """Files that return after they were deleted, with their importers' text, bring their very modules."""
    first = generation()
    workshop.write({"high.py": "class Top: pass\n"})
    (workshop.folder / "low.py").unlink()
    assert notebook.reload().gone == ("low",)
    assert "low" not in sys.modules
    workshop.write({"low.py": LOW.format(1), "high.py": HIGH})
    report = notebook.reload()
    assert set(report.returned) == {"low", "high"}
    assert generation() == first


def test_package_and_its_submodules(workshop: Workshop, notebook: PlainNotebook) -> None:
    """A package that returns has its submodules as attributes, those loaded meanwhile included."""
    workshop.write({"p/__init__.py": "def f(): return 1\n", "p/a.py": "def a(): pass\n", "p/late.py": ""})
    notebook.run("import p.a\nkept = [p.f]")
    package, child = sys.modules["p"], sys.modules["p.a"]
    workshop.write({"p/__init__.py": "def f(): return 2\n"})
    notebook.reload()
    notebook.run("import p.late")
    workshop.write({"p/__init__.py": "def f(): return 1\n"})
    assert notebook.reload().returned == ("p",)
    assert notebook["p"] is package
    assert (package.a, package.late) == (child, sys.modules["p.late"])


def test_data_files_must_be_those_of_then(workshop: Workshop, notebook: PlainNotebook) -> None:
    """A module that reads a file returns only with that file's content."""
    reads = "from pathlib import Path\nTEXT = (Path(__file__).parent / 'words.txt').read_text()\ndef f(): return TEXT\n"
    workshop.write({"words.txt": "one", "reader.py": reads})
    notebook.run("import reader\nkept = [reader]")
    workshop.write({"words.txt": "two"})
    notebook.reload()
    workshop.write({"words.txt": "three"})
    assert notebook.reload().reloaded
    workshop.write({"words.txt": "one"})
    assert notebook.reload().returned == ("reader",)
    assert notebook["reader"] is notebook["kept"][0]
    assert notebook["reader"].f() == "one"


def test_what_cells_assigned_meanwhile_stays(workshop: Workshop, notebook: PlainNotebook) -> None:
    """What a cell put into the later modules is theirs and comes along; what is in those that return stays in them."""
    notebook.run("low.TABLE['first'] = 1\nlow.LEVEL = 'first'")
    workshop.write({"low.py": LOW.format(2)})
    notebook.reload()
    notebook.run("low.TABLE['second'] = 2\nlow.LEVEL = 'second'\nlow.Base.extra = 3")
    workshop.write({"low.py": LOW.format(1)})
    notebook.reload()
    assert notebook["low"] is notebook["held"][0]
    assert notebook["low"].TABLE == {"n": 1, "first": 1, "second": 2}
    assert notebook["low"].LEVEL == "second"
    assert notebook["Top"].extra == 3


@pytest.mark.parametrize("migrate", [False, True])
def test_registries_of_modules_that_go_on(workshop: Workshop, notebook: PlainNotebook, *, migrate: bool) -> None:
    """What a body had put into an object of a module that goes on is there again, as if it had run."""
    workshop.write(
        {
            "app.py": "class State:\n    def __init__(self): self.routes = {}; self.hooks = []\n"
            "class App:\n    def __init__(self): self.state = State()\napp = App()\n",
            "views.py": "from app import app\nMARK = [1]\ndef page(): return MARK[0]\n"
            "app.state.routes['/'] = page\napp.state.hooks.append(page)\n",
        }
    )
    notebook.run("import app, views\nkept = [views]")
    first = notebook["views"].page
    workshop.write({"views.py": (workshop.folder / "views.py").read_text().replace("1", "2")})
    reload(notebook, migrate=migrate)
    assert notebook["app"].app.state.routes["/"]() == 2
    workshop.write({"views.py": (workshop.folder / "views.py").read_text().replace("2", "1")})
    assert reload(notebook, migrate=migrate).returned == ("views",)
    assert notebook["app"].app.state.routes["/"] is first
    assert notebook["app"].app.state.hooks[-1] is first


def test_what_migrating_changed_is_given_back(workshop: Workshop, notebook: PlainNotebook) -> None:
    """Forwarders run their own code again, classes have their bases, moved instances move back, tracked or not."""
    low, first = notebook["low"], generation()  # which keeps all of it alive, whatever migrates
    before = (low.low.__code__, low.low.__doc__, dict(vars(low.low)), low.Base.__bases__, low.Base.__mro__)
    notebook.run("calls = iter([low.low])\nbases = low.Base.__mro__")
    workshop.write({"low.py": LOW.format(2)})
    reload(notebook, migrate=True)
    assert low.low() == 2
    assert type(notebook["top"]) is notebook["high"].Top is not notebook["held"][1]
    workshop.write({"low.py": LOW.format(1)})
    assert reload(notebook).returned == ("low", "high")
    assert generation() == first
    assert (low.low.__code__, low.low.__doc__, dict(vars(low.low)), low.Base.__bases__, low.Base.__mro__) == before
    assert low.low() == next(notebook["calls"])() == 1
    assert type(notebook["top"]) is notebook["high"].Top
    assert notebook["top"].show() == 1


def test_side_effects_that_migrating_took_off(workshop: Workshop, notebook: PlainNotebook) -> None:
    """The logging handler and the exit function of a body that returns are there again, those of the other are not."""
    text = """
        import atexit, logging
        class Handler(logging.Handler):
            number = {0}
            def emit(self, record): pass
        def bye(): return {0}
        atexit.register(bye)
        logging.getLogger("exocet.undo").addHandler(Handler())
    """
    workshop.write({"noisy.py": text.format(1)})
    notebook.run("import noisy")
    kept = notebook["noisy"]
    for number in (2, 1, 2, 1):
        workshop.write({"noisy.py": text.format(number)})
        reload(notebook, migrate=True)
        handlers = logging.getLogger("exocet.undo").handlers
        assert [getattr(handler, "number", None) for handler in handlers] == [number]
        assert type(handlers[0]) is notebook["noisy"].Handler
    assert notebook["noisy"] is kept
    atexit.unregister(kept.bye)
    logging.getLogger("exocet.undo").handlers.clear()


def test_a_version_that_was_told_to_let_go_is_made_anew(workshop: Workshop, notebook: PlainNotebook) -> None:
    """What `on_retire` has closed would be missing, so such a module is not brought back; `keep` goes on."""
    text = (
        "from exocet_ipython import keep, on_retire\nn = {0}\nstate = keep('state', list)\n"
        "__exo_keep__ = ('cache',)\ncache = []\ndef f(): return n\n"
    )
    workshop.write({"pool.py": text.format(1) + "on_retire(lambda: state.append('closed'))\n"})
    workshop.write({"memo.py": text.format(1)})
    notebook.run("import pool, memo\nkept = [pool, memo]\nmemo.cache.append(1)")
    cache = notebook["memo"].cache
    workshop.write({"pool.py": text.format(2), "memo.py": text.format(2)})
    notebook.reload()
    assert notebook["memo"].cache is cache
    workshop.write({"memo.py": text.format(1)})
    notebook.run("memo.cache = cache = [2]")
    notebook.reload()
    assert notebook["memo"].cache is notebook["cache"]
    workshop.write({"pool.py": text.format(1) + "on_retire(lambda: state.append('closed'))\n"})
    notebook.reload()
    assert notebook["pool"] is not notebook["kept"][0]
    assert notebook["pool"].state == ["closed"]


class Refusing(dict[str, Any]):
    """Names of a notebook, one of which can't be set while `refuses` says so."""

    refuses = False

    def __setitem__(self, name: str, value: object) -> None:
        if self.refuses and name == "Top":
            raise RuntimeError("refused")
        super().__setitem__(name, value)


@pytest.mark.parametrize("migrate", [False, True])
def test_an_error_while_going_back_leaves_all_as_it_was(workshop: Workshop, *, migrate: bool) -> None:
    """Whatever stops the publishing, both generations are as they were, and the next attempt goes back."""
    workshop.write({"low.py": LOW.format(1), "high.py": HIGH, "other.py": ""})
    space = Refusing()
    notebook = PlainNotebook(space)
    notebook.run(
        "import low, high, other\nfrom high import Top\nheld = [low, high]\ntop = Top()\ncalls = iter([low.low])"
    )
    low, first = notebook["low"], generation()  # which keeps all of it alive, whatever migrates
    workshop.write({"low.py": LOW.format(2)})
    reload(notebook, migrate=migrate)
    notebook.run("low.LEVEL = 3\nlow.TABLE['new'] = 1")
    second, names = generation(), state_of(notebook, "low", "high", "other")
    retired = [low.low.__code__, low.low.__qualname__, low.Base.__qualname__, low.Base.__bases__, dict(low.TABLE)]
    workshop.write({"low.py": LOW.format(1)})
    space.refuses = True
    with pytest.raises(RuntimeError, match="refused"):
        reload(notebook, migrate=migrate)
    assert generation() == second
    assert state_of(notebook, "low", "high", "other") == names
    assert retired == [
        low.low.__code__,
        low.low.__qualname__,
        low.Base.__qualname__,
        low.Base.__bases__,
        dict(low.TABLE),
    ]
    assert type(notebook["top"]) is (notebook["high"] if migrate else notebook["held"][1]).Top
    space.refuses = False
    notebook.session.reload(migrate=migrate)
    assert notebook["low"] is low
    assert notebook["high"] is sys.modules["high"]
    assert first != second
    assert low.LEVEL == 3
    assert low.TABLE == {"n": 1, "new": 1}


def test_a_generation_is_forgotten_by_everything(workshop: Workshop, notebook: PlainNotebook) -> None:
    """After many edits nothing of the history is left but what lives."""
    del notebook.space["held"], notebook.space["top"]
    for number in range(3, 30):
        workshop.write({"low.py": LOW.format(number)})
        notebook.reload()
    gc.collect()
    workshop.write({"low.py": LOW.format(99)})
    notebook.reload()
    assert len(notebook.session.managed.history._past) <= 1
