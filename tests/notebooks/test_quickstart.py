"""The quickstart notebook, run in a real kernel: what it shows is what happens, and what is stored."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from notebooks import demo
from tests.notebooks.stored import NOTEBOOKS, code_cells, output_text, run_notebook
from tests.shells import person_environment

pytestmark = pytest.mark.notebook

QUICKSTART = NOTEBOOKS / "01-quickstart.ipynb"
# Asked in the notebook's kernel after its last cell: what is left in the process.
LEFT = """
import sys
print([name for name, module in sys.modules.items() if type(module).__name__ == "StandIn"])
print([finder for finder in sys.meta_path if getattr(finder, "is_exocet", False)])
"""


@pytest.fixture(scope="module")
def temporary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the notebook's kernel makes its temporary files."""
    return tmp_path_factory.mktemp("temporary")


@pytest.fixture(scope="module")
def shown(temporary: Path) -> dict[str, str]:
    """The text below each cell after a run, by the cell's id; the cell `left` says what is left in the kernel."""
    notebook = run_notebook(QUICKSTART, person_environment(temporary) | {"TMPDIR": str(temporary)}, LEFT)
    return {cell.id: output_text(cell) for cell in code_cells(notebook)}


def test_a_load_binds_the_last_component(shown: dict[str, str]) -> None:
    """`%exoload game.commands.general` returns the module."""
    assert re.fullmatch(r"<module 'game\.commands\.general' from '.*/game/commands/general\.py'>", shown["load"])


def test_a_reload_replaces_names_and_reports_old_instances(shown: dict[str, str]) -> None:
    """The one name that holds the module is replaced; the instance made before lives, is old, and is reported."""
    assert shown["reload"].startswith("reloaded game.commands.general in ")
    assert shown["reload"].endswith("; 1 name replaced: general; old CmdLook alive: look")
    assert shown["replaced"] == "'Mill: Two stones, and flour everywhere.'"
    assert shown["alive"].splitlines() == [
        "You see Two stones, and flour everywhere.",
        "of the new class: False",
    ]
    assert shown["ada"].splitlines() == ["Ada carries ['lamp'] in the Mill", "of the current class: True"]


def test_the_old_code_is_collected(shown: dict[str, str]) -> None:
    """What an object still holds is said; once that is replaced, the old class is gone."""
    assert 'old CmdLook alive: table.commands["look"]' in shown["drop-name"]
    assert "some definitions not held by a name (or not collected yet)\n" in shown["drop-name"]
    assert shown["drop"].splitlines()[0] == "the old CmdLook is gone: True"


def test_a_broken_edit_changes_nothing(shown: dict[str, str]) -> None:
    """The error shows the person's file and line and none of our files; the module is the same as before."""
    error = shown["reload-broken"]
    assert "game/commands/general.py:18" in error
    assert "class CmdTake(Comand):" in error
    assert "exocet_ipython" not in error
    assert error.endswith("not reloaded, nothing has changed: NameError: name 'Comand' is not defined")
    assert shown["unchanged"].splitlines()[0] == "the same module: True"
    assert shown["take"].splitlines() == ["You take the flour.", "['lamp', 'flour']"]


def test_imported_names_follow(shown: dict[str, str]) -> None:
    """A string that was imported is the new one, and all modules share the new class."""
    assert shown["dry-run-world"].startswith("would reload ")
    assert "game.table (it imports game.world, line " in shown["dry-run-world"]
    assert shown["followed"].splitlines() == ["Welcome to the mill. Mind the stones.", "one Room for all: True"]
    assert "old Player alive: ada" in shown["exostatus"]


def test_it_goes_by_itself(shown: dict[str, str]) -> None:
    """With `%exoauto on` an ordinary import joins in, and objects that were made long before have the current class."""
    assert "reloaded game.commands.general" in shown["auto"]
    assert shown["auto"].endswith("of the current class: True\nAda carries lamp and flour")


def test_copies_differ_and_unloading_leaves_nothing(shown: dict[str, str], temporary: Path) -> None:
    """Two copies share no class; afterwards no finder, stand-in or file of ours is left."""
    assert "['Ada rolls a 6.', 'Ada rolls a 6.', 'Ada rolls a 6.']" in shown["load-named"]
    assert shown["load-named"].endswith("one class for both: False")
    assert shown["unload"] == "'Mill: Two stones, and flour everywhere.'"
    assert shown["left"] == "[]\n[]"
    assert list(temporary.glob("textgame-*")) == []


def test_the_stored_outputs_are_those_of_a_run(shown: dict[str, str]) -> None:
    """Who reads the notebook without running it sees what a run shows; `stored.py` stores the outputs anew."""
    stored = {cell.id: output_text(cell) for cell in code_cells(nbformat.read(QUICKSTART, as_version=4))}
    assert stored == {name: text for name, text in shown.items() if name != "left"}


def test_the_notebook_stores_nothing_of_a_machine() -> None:
    """No metadata beside the kernel's name and our tags, no temporary folder, no times."""
    notebook = nbformat.read(QUICKSTART, as_version=4)
    assert sorted(notebook.metadata) == ["kernelspec", "language_info"]
    assert [cell.id for cell in notebook.cells if set(cell.metadata) - {"tags"}] == []
    assert re.findall(r"textgame-\w+", QUICKSTART.read_text(encoding="utf-8").replace('textgame-\\"', "")) == []


def test_the_demo_tells_the_facts(tmp_path: Path) -> None:
    """`demo.py` says what happened with the outputs of the run, in 80 columns, and leaves no file."""
    done = run_demo(Path(demo.__file__), tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    for fact in demo.FACTS:
        assert fact.sentence in done.stdout
    for proof in ('+        return f"{player.room.name}', "old CmdLook alive: look", "the old CmdLook is gone: True"):
        assert proof in re.sub(r"\n {8}", " ", done.stdout)
    assert "make lab" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert list(tmp_path.glob("textgame-*")) == []


def test_the_demo_fails_when_the_notebook_does(tmp_path: Path) -> None:
    """A cell that fails, or a fact that the output doesn't prove, ends the demo with status 1 and says why."""
    script = tmp_path / "demo.py"
    script.write_text(Path(demo.__file__).read_text(encoding="utf-8"), encoding="utf-8")
    notebook = nbformat.read(QUICKSTART, as_version=4)
    cells = [cell for cell in notebook.cells if cell.id in ("copy", "load-ext", "load")]
    assert len(cells) == 3
    notebook.cells = cells
    nbformat.write(notebook, tmp_path / QUICKSTART.name)

    done = run_demo(script, tmp_path)
    assert (done.returncode, "FileNotFoundError" in done.stderr) == (1, True), done.stderr

    cells[0].source = cells[1].source = cells[2].source = "1"
    nbformat.write(notebook, tmp_path / QUICKSTART.name)
    done = run_demo(script, tmp_path)
    assert done.returncode == 1
    assert "'demo:loaded'" in done.stderr
    assert done.stderr.endswith("and has put out: 1\n")


def run_demo(script: Path, temporary: Path) -> subprocess.CompletedProcess[str]:
    """Run the demo as `make demo` does, with a place for its temporary files."""
    environment = person_environment(temporary) | {"TMPDIR": str(temporary)}
    Path(environment["IPYTHONDIR"]).mkdir(parents=True, exist_ok=True)
    command = [sys.executable, str(script)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
