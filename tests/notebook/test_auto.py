"""`%exoauto`: on, off, its settings, what it reports, and that all of it can be taken off."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import pytest
from IPython.core.error import UsageError
from traitlets.config import Config

from exocet_ipython.notebook.shell import attach, detach
from tests.shells import Notebook, open_shell
from tests.workshop import Workshop


def finders() -> list[object]:
    """Return the finders on `sys.meta_path` that are ours."""
    return [finder for finder in sys.meta_path if type(finder).__module__.startswith("exocet_ipython")]


def descriptors() -> list[str]:
    """Return what the process's open descriptors are."""
    found = []
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the one that lists them
            found.append(str(entry.readlink()))
    return sorted(found)


@pytest.fixture
def auto(notebook: Notebook) -> Notebook:
    """A notebook in which automatic reloading is on."""
    notebook.run("%exoauto on")
    return notebook


# -- on and off --------------------------------------------------------------------------------------------------------


def test_it_is_off_until_it_is_turned_on(notebook: Notebook, workshop: Workshop) -> None:
    """Loading the extension changes nothing about imports; `%exoauto` alone says the state."""
    assert "off" in notebook.run("%exoauto")
    workshop.write({"model.py": "N = 1"})
    notebook.run("import model")
    workshop.edit("model.py", "N = 2")
    assert notebook.value("model.N") == 1
    assert finders() == []


def test_on_says_so_and_reloads_before_the_next_cell(notebook: Notebook, workshop: Workshop) -> None:
    """After `%exoauto on` an ordinary import follows the file, with no further word."""
    assert "on" in notebook.run("%exoauto on")
    assert "on" in notebook.run("%exoauto")
    workshop.write({"model.py": "N = 1"})
    notebook.run("import model")
    workshop.edit("model.py", "N = 2")
    assert notebook.value("model.N") == 2


def test_turning_it_on_twice_is_turning_it_on_once(auto: Notebook) -> None:
    """One finder is there, and one `off` takes it away."""
    auto.run("%exoauto on")
    assert len(finders()) == 1
    assert "off" in auto.run("%exoauto off")
    assert "off" in auto.run("%exoauto off")
    assert finders() == []


def test_off_leaves_what_was_loaded(auto: Notebook, workshop: Workshop) -> None:
    """After `off` a cell runs on what was loaded last, and `on` takes up what was saved meanwhile."""
    workshop.write({"model.py": "N = 1"})
    auto.run("import model")
    auto.run("%exoauto off")
    workshop.edit("model.py", "N = 2")
    assert auto.value("model.N") == 1
    auto.run("%exoauto on")
    assert auto.value("model.N") == 2


def test_another_word_is_refused(auto: Notebook) -> None:
    """`%exoauto maybe` says what it takes and changes nothing."""
    assert "choose from" in auto.fail("%exoauto maybe", UsageError)
    assert "on" in auto.run("%exoauto")


def test_a_configuration_file_turns_it_on(workshop: Workshop, tmp_path: Path) -> None:
    """`c.Exocet.auto = True` is in force from `%load_ext` on."""
    config = Config()
    config.Exocet.auto = True
    workshop.write({"model.py": "N = 1"})
    with open_shell(tmp_path / "ipython", config) as shell:
        notebook = Notebook(shell)
        notebook.run("%load_ext exocet_ipython")
        notebook.run("from model import N")
        workshop.edit("model.py", "N = 2")
        assert notebook.value("N") == 2
        notebook.run("%unload_ext exocet_ipython")
        assert finders() == []


def test_the_setting_turns_it_on_and_off(notebook: Notebook, workshop: Workshop) -> None:
    """`%config Exocet.auto = True` is `%exoauto on`, and the setting shows what the magic did."""
    notebook.run("%config Exocet.auto = True")
    assert "on" in notebook.run("%exoauto")
    workshop.write({"model.py": "N = 1"})
    notebook.run("import model")
    workshop.edit("model.py", "N = 2")
    assert notebook.value("model.N") == 2
    notebook.run("%config Exocet.auto = False")
    assert finders() == []
    notebook.run("%exoauto on")
    assert notebook.value("%config Exocet.auto") is True


def test_unloading_takes_all_of_it_off(plain: Notebook, workshop: Workshop) -> None:
    """The finder, the events, the transformer and the descriptor go; the modules stay and are followed no more."""
    shell = plain.shell
    before = (
        list(sys.meta_path),
        {event: list(callbacks) for event, callbacks in shell.events.callbacks.items()},
        list(shell.ast_transformers),
        descriptors(),
    )
    workshop.write({"model.py": "N = 1"})
    plain.run("%load_ext exocet_ipython")
    settings = attach(shell).settings
    plain.run("%exoauto on")
    plain.run("import model")
    if sys.platform == "linux":
        assert descriptors() != before[3]
    plain.run("%unload_ext exocet_ipython")
    after = (
        list(sys.meta_path),
        {event: list(callbacks) for event, callbacks in shell.events.callbacks.items()},
        list(shell.ast_transformers),
        descriptors(),
    )
    assert after == before
    workshop.edit("model.py", "N = 2")
    assert plain.value("model.N") == 1
    settings.auto = True  # whoever still has the settings object reaches nothing with it
    assert finders() == []


READER = "from pathlib import Path\nTEXT = (Path(__file__).parent / 'words.txt').read_text()"


def test_loading_again_begins_afresh(auto: Notebook, workshop: Workshop) -> None:
    """`%reload_ext` leaves one finder at most, and what was imported before is adopted by the next session."""
    workshop.write({"model.py": "N = 1"})
    auto.run("import model")
    auto.run("%reload_ext exocet_ipython")
    assert len(finders()) == 1
    workshop.edit("model.py", "N = 2")
    assert auto.value("model.N") == 2


def test_reloading_the_extension_keeps_what_was_chosen(auto: Notebook) -> None:
    """`%reload_ext` leaves `%exoauto` as it is, against the settings too; loading after unloading begins with these."""
    assert auto.value("%reload_ext exocet_ipython\n%exoauto").is_on
    assert not auto.value("%exoauto off\n%reload_ext exocet_ipython\n%exoauto").is_on
    assert not auto.value("%config Exocet.auto = True\n%exoauto off\n%reload_ext exocet_ipython\n%exoauto").is_on
    auto.run("%config Exocet.auto = False\n%exoauto on\n%unload_ext exocet_ipython")
    assert not auto.value("%load_ext exocet_ipython\n%exoauto").is_on


@pytest.mark.parametrize("ran", [1, 2])
def test_what_was_edited_while_it_was_unloaded_is_noticed(auto: Notebook, workshop: Workshop, ran: int) -> None:
    """The text that a module ran is known to the next session, also of one that was edited in place, and its data."""
    workshop.write({"model.py": "N = 1\ndef f(): return 1", "reader.py": READER, "words.txt": "1"})
    auto.run("import model, reader")
    workshop.edit("model.py", f"N = 1\ndef f(): return {ran}")
    assert auto.value("model.f()") == ran
    auto.run("%unload_ext exocet_ipython")
    workshop.edit("model.py", "N = 1\ndef f(): return 3")
    workshop.edit("words.txt", "3")
    assert auto.value("model.f(), reader.TEXT") == (ran, "1")
    auto.run("%load_ext exocet_ipython\n%exoauto on")
    assert auto.value("model.f(), reader.TEXT") == (3, "3")
    assert "unknown" not in auto.run("%exostatus")


def test_what_was_old_when_it_was_unloaded_is_old_to_the_next_session(auto: Notebook, workshop: Workshop) -> None:
    """It is reported and moves, and the generations are counted on: an old object is of one of them only."""
    workshop.write({"model.py": "class Model:\n    def f(self): return 1"})
    auto.run("%config Exocet.instances = 'track'\nimport model\nm = model.Model()")
    workshop.edit("model.py", "class Model:\n    def f(self): return 2\n    X = 1")
    assert auto.value("m.f(), model.Model().f()") == (1, 2)
    auto.run("%unload_ext exocet_ipython\n%load_ext exocet_ipython\n%exoauto on")
    assert "old Model alive: m" in auto.run("%exostatus")
    workshop.edit("model.py", "class Model:\n    def f(self): return 3\n    X = 2")
    assert "generation 2" in auto.run("%config Exocet.instances = 'migrate'")
    auto.run("%exomigrate")
    assert auto.value("m.f()") == 3


def test_the_rest_of_the_cell_that_turns_it_on_runs_on_the_code_on_disk(notebook: Notebook, workshop: Workshop) -> None:
    """What changed until then is reloaded at once, and said; what fails is shown, and stops the cell if cells stop."""
    workshop.write({"model.py": "N = 1"})
    notebook.run("%exoload model")
    workshop.edit("model.py", "N = 2")
    assert "updated model" in notebook.run("%exoauto on\nassert model.N == 2")
    notebook.run("%exoauto off")
    workshop.edit("model.py", "N = 1 / 0")
    assert notebook.run("%exoauto on\nassert model.N == 2").count("(most recent call last)") == 1
    notebook.run("%exoauto off\n%config Exocet.on_error = 'stop'")
    workshop.edit("model.py", "N = 2 / 0")
    assert notebook.fail("%exoauto on\nmodel.N", ZeroDivisionError).count("(most recent call last)") == 1


def test_what_was_run_by_hand_while_it_was_unloaded_is_not_taken_for_what_ran_before(
    auto: Notebook, workshop: Workshop
) -> None:
    """A module that `importlib.reload` has run since has no text that the next session could know, and it says so."""
    workshop.write({"model.py": "N = 1"})
    auto.run("import importlib, model\n%unload_ext exocet_ipython")
    workshop.edit("model.py", "N = 2")
    auto.run("importlib.reload(model)")
    workshop.edit("model.py", "N = 1")
    auto.run("%load_ext exocet_ipython\n%exoauto on")
    assert auto.value("model.N") == 2
    assert "unknown" in auto.run("%exostatus")


# -- what is reported --------------------------------------------------------------------------------------------------


def test_a_cell_without_a_change_prints_nothing(auto: Notebook, workshop: Workshop) -> None:
    """Imports, and files that were saved as they were, are no news."""
    path = workshop.write({"model.py": "N = 1"}) / "model.py"
    assert auto.run("import model") == ""
    path.write_text("N = 1\n")
    workshop.edit("model.py", "N = 1")
    path.touch()
    assert auto.run("x = model.N") == ""


def test_a_reload_is_one_line(auto: Notebook, workshop: Workshop) -> None:
    """It names the module, the time and the names, and the next cell says nothing."""
    workshop.write({"model.py": "class Model: pass"})
    auto.run("from model import Model")
    workshop.edit("model.py", "class Model: x = 1")
    (line,) = auto.run("assert Model.x == 1").splitlines()
    assert line.startswith("reloaded model in ")
    assert line.endswith("1 name replaced: Model")
    assert auto.run("Model.x") != line


def test_quiet_says_nothing_but_a_failure(auto: Notebook, workshop: Workshop) -> None:
    """`quiet` hides the line; an error is shown all the same."""
    auto.run('%config Exocet.report = "quiet"')
    workshop.write({"model.py": "N = 1"})
    auto.run("import model")
    workshop.edit("model.py", "N = 2")
    assert auto.run("assert model.N == 2") == ""
    workshop.edit("model.py", "N = (")
    assert "SyntaxError" in auto.run("assert model.N == 2")


def test_full_says_why_and_what(auto: Notebook, workshop: Workshop) -> None:
    """`full` names each module with its reason and each name with its source."""
    auto.run('%config Exocet.report = "full"')
    workshop.write({"model.py": "N = int(1)", "app.py": "from model import N"})
    auto.run("import app\nfrom model import N")
    workshop.edit("model.py", "N = int(2)")
    text = auto.run("assert (N, app.N) == (2, 2)")
    assert "model (its file changed; line 1 runs at import: N = int(2))" in text
    assert "app (it imports model, line 1: from model import N)" in text
    assert "N = model.N" in text


# -- which modules -----------------------------------------------------------------------------------------------------


PACKAGE = {"game/__init__.py": "", "game/world.py": "N = 1", "game/rules.py": "N = 1", "other.py": "N = 1"}
GAME = "import game.world, game.rules, other"
VALUES = "(game.world.N, game.rules.N, other.N)"


def edit_game(workshop: Workshop) -> None:
    """Make every N of the game 2."""
    for path in ("game/world.py", "game/rules.py", "other.py"):
        workshop.edit(path, "N = 2")


PATHS = ["*/game/world.py", "game/world.py", "world.py", "./game/world.py", "../*/game/w*.py"]


@pytest.mark.parametrize("pattern", ["game.world", "*.world", *PATHS])
def test_excluded_modules_are_never_reloaded(
    auto: Notebook, workshop: Workshop, monkeypatch: pytest.MonkeyPatch, pattern: str
) -> None:
    """By name or by path, before the import."""
    monkeypatch.chdir(workshop.folder)
    auto.run(f"%config Exocet.exclude = [{pattern!r}]")
    workshop.write(PACKAGE)
    auto.run(GAME)
    edit_game(workshop)
    assert auto.value(VALUES) == (1, 2, 2)


@pytest.mark.parametrize("pattern", ["my game", "game", "game/", "./my game", "~/my game", "my game/lib/game"])
def test_a_folder_stands_for_all_that_is_in_it(
    auto: Notebook, workshop: Workshop, monkeypatch: pytest.MonkeyPatch, pattern: str
) -> None:
    """A pattern with a slash; one without is a dotted name, which may be that of the package."""
    monkeypatch.chdir(workshop.folder)
    monkeypatch.setenv("HOME", str(workshop.folder))
    lib = "my game/lib"
    workshop.write({f"{lib}/game/__init__.py": "", f"{lib}/game/world.py": "N = 1", f"{lib}/other.py": "N = 1"})
    auto.run(f"import sys\nsys.path.insert(0, {workshop.path('my game/lib')!r})\nimport game.world, other")
    auto.run(f"%config Exocet.exclude = [{pattern!r}]")
    workshop.edit("my game/lib/game/world.py", "N = 2")
    workshop.edit("my game/lib/other.py", "N = 2")
    expected = {"my game": (2, 2), "./my game": (1, 1), "~/my game": (1, 1)}
    assert auto.value("(game.world.N, other.N)") == expected.get(pattern, (1, 2))


@pytest.mark.parametrize("together", ["", "\n%config Exocet.exclude = ['game']"])
def test_excluding_reaches_modules_that_are_loaded(auto: Notebook, workshop: Workshop, together: str) -> None:
    """A package can be excluded once its reloads are a nuisance, or by the cell that imports it, and included again."""
    workshop.write(PACKAGE)
    auto.run(f"{GAME}{together}")
    auto.run("%config Exocet.exclude = ['game']")
    edit_game(workshop)
    assert auto.value(VALUES) == (1, 1, 2)
    auto.run("%config Exocet.exclude = []")
    for path in ("game/world.py", "game/rules.py"):
        workshop.edit(path, "N = 3")
    assert auto.value(VALUES) == (3, 3, 2)


def test_a_module_edited_while_excluded_is_reloaded_once_it_is_included(auto: Notebook, workshop: Workshop) -> None:
    """It ran from the text of before, and no `.pyc` needs to say so."""
    workshop.write({"model.py": "N = 1"})
    auto.run("import model")
    auto.run("%config Exocet.exclude = ['model']")
    workshop.edit("model.py", "N = 22")
    assert auto.value("model.N") == 1
    auto.run("%config Exocet.exclude = []")
    assert auto.value("model.N") == 22


def test_what_was_made_before_an_excluded_module_was_loaded_by_name_is_old(auto: Notebook, workshop: Workshop) -> None:
    """`%exoload` makes a new one of it, whatever the patterns say: instances of the one before move when asked."""
    workshop.write({"model.py": "class Model:\n    def f(self): return 1"})
    auto.run("import model\nm = model.Model()\n%config Exocet.exclude = ['model']")
    workshop.edit("model.py", "class Model:\n    def f(self): return 2\nX = 1")
    auto.run("%exoload model")
    assert "old Model alive: m" in auto.run("%exostatus")
    auto.run("%exomigrate")
    assert auto.value("m.f(), type(m) is model.Model") == (2, True)


@pytest.mark.parametrize("pattern", ["tool", "*/site-packages/tool.py"])
def test_included_modules_are_reloaded_though_installed(auto: Notebook, workshop: Workshop, pattern: str) -> None:
    """What lies in `site-packages` is not own code until the person says so."""
    workshop.write({"site-packages/tool.py": "N = 1", "site-packages/gear.py": "N = 1"})
    auto.run(f"import sys\nsys.path.insert(0, {workshop.path('site-packages')!r})")
    auto.run(f"%config Exocet.include = [{pattern!r}]")
    auto.run("import tool, gear")
    workshop.edit("site-packages/tool.py", "N = 2")
    workshop.edit("site-packages/gear.py", "N = 2")
    assert auto.value("(tool.N, gear.N)") == (2, 1)


def test_including_reaches_modules_that_are_loaded(auto: Notebook, workshop: Workshop) -> None:
    """An installed module that was imported before is adopted as soon as it is included."""
    workshop.write({"site-packages/tool.py": "N = 1"})
    auto.run(f"import sys\nsys.path.insert(0, {workshop.path('site-packages')!r})")
    auto.run("import tool")
    auto.run("%config Exocet.include = ['tool']")
    workshop.edit("site-packages/tool.py", "N = 2")
    assert auto.value("tool.N") == 2


@pytest.mark.parametrize("pattern", ["weights", "*/weights.py", None])
def test_frozen_modules_do_not_run_again(auto: Notebook, workshop: Workshop, pattern: str | None) -> None:
    """By setting or by `__exo_frozen__`: said once, with what it leaves stale; `%exoreload NAME` runs it."""
    if pattern is not None:
        auto.run(f"%config Exocet.frozen = [{pattern!r}]")
    mark = "" if pattern is not None else "__exo_frozen__ = True\n"
    workshop.write({"config.py": "N = 1", "weights.py": f"{mark}from config import N"})
    auto.run("import config, weights")
    workshop.edit("config.py", "N = 2")
    text = auto.run("assert (config.N, weights.N) == (2, 1)")
    assert "frozen, and stale now" in text
    assert "weights (it imports config" in text
    assert auto.run("None") == ""
    workshop.edit("weights.py", f"{mark}from config import N\nM = 3")
    text = auto.run("assert not hasattr(weights, 'M')")
    line = "nothing reloaded: weights (its file changed) is frozen, and stale now; %exoreload weights runs it"
    assert text.strip() == line
    assert auto.run("None") == ""
    auto.run("report = %exoreload weights")
    assert auto.value("(weights.N, weights.M)") == (2, 3)


def test_a_long_reload_waits_for_the_person(auto: Notebook, workshop: Workshop) -> None:
    """Above `rerun_limit` nothing runs, it is said once, and `%exoreload` does it; None means no limit."""
    auto.run("%config Exocet.rerun_limit = 0.0")
    workshop.write({"model.py": "N = int(1)"})
    auto.run("import model")
    workshop.edit("model.py", "N = int(2)")
    text = auto.run("assert model.N == 1")
    assert "not reloaded: model would take" in text
    assert "run %exoreload" in text
    assert auto.run("None") == ""
    auto.run("report = %exoreload")
    assert auto.value("model.N") == 2
    auto.run("%config Exocet.rerun_limit = None")
    workshop.edit("model.py", "N = int(3)")
    assert auto.value("model.N") == 3


def test_a_raised_limit_lets_the_waiting_reload_through(auto: Notebook, workshop: Workshop) -> None:
    """What waited is done before the next cell: no file need change once more."""
    auto.run("%config Exocet.rerun_limit = 0.0")
    workshop.write({"model.py": "N = int(1)"})
    auto.run("import model")
    workshop.edit("model.py", "N = int(2)")
    auto.run("assert model.N == 1")
    auto.run("%config Exocet.rerun_limit = 30.0")
    assert auto.value("model.N") == 2


def test_a_changed_module_that_is_frozen_no_more_is_reloaded(auto: Notebook, workshop: Workshop) -> None:
    """An edit that was left undone is done before the next cell once the setting is taken back."""
    workshop.write({"weights.py": "N = 1"})
    auto.run("import weights\n%config Exocet.frozen = ['weights']")
    workshop.edit("weights.py", "N = 2")
    assert auto.value("weights.N") == 1
    auto.run("%config Exocet.frozen = []")
    assert auto.value("weights.N") == 2


@pytest.mark.parametrize("edited", ["", "N = 3\nL = [1]"])
def test_what_was_left_stale_runs_once_it_is_frozen_no_more(auto: Notebook, workshop: Workshop, edited: str) -> None:
    """Whether or not what it imports changes once more; until then it is said to be stale."""
    workshop.write({"base.py": "N = 1", "weights.py": "from base import N\nM = (N + 10,)"})
    auto.run("import base, weights\n%config Exocet.frozen = ['weights']")
    workshop.edit("base.py", "N = 2\nL = [1]")
    assert auto.value("base.N, weights.M") == (2, (11,))
    assert "weights  stale" in auto.run("%exostatus")
    auto.run("%config Exocet.frozen = []")
    if edited:
        workshop.edit("base.py", edited)
    assert auto.value("base.N, weights.M") == ((3, (13,)) if edited else (2, (12,)))
    assert "stale" not in auto.run("%exostatus")


def test_tracking_leaves_instances_alone(auto: Notebook, workshop: Workshop) -> None:
    """`c.Exocet.instances = "track"`: names are replaced, and old instances stay and are named."""
    auto.run('%config Exocet.instances = "track"')
    workshop.write({"model.py": "class Model:\n    def f(self): return 1"})
    auto.run("from model import Model\nmodel = Model()")
    workshop.edit("model.py", "class Model:\n    def f(self): return 2")
    text = auto.run("assert (model.f(), Model().f()) == (1, 2)")
    assert "old Model alive: model" in text


def test_migrating_is_what_it_does_by_itself(auto: Notebook, workshop: Workshop) -> None:
    """Unless set, instances made before run the new code."""
    workshop.write({"model.py": "class Model:\n    def f(self): return 1"})
    auto.run("from model import Model\nmodel = Model()")
    workshop.edit("model.py", "class Model:\n    def f(self): return 2")
    assert auto.value("(model.f(), isinstance(model, Model))") == (2, True)


def test_detaching_twice_is_harmless(auto: Notebook) -> None:
    """The second time there is nothing left to take off."""
    detach(auto.shell)
    detach(auto.shell)
    assert finders() == []


def test_a_cell_without_a_result_is_no_error(auto: Notebook, capsys: pytest.CaptureFixture[str]) -> None:
    """A kernel tells None of a cell that was cancelled before it began; IPython prints what a callback raises."""
    auto.shell.events.trigger("post_run_cell", None)
    assert capsys.readouterr().out == ""
