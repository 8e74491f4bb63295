"""What an import leaves for afterwards: texts of old files, and what the modules of an import cell hold."""

from __future__ import annotations

import py_compile
import sys
import threading
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

import pytest

from exocet_ipython.loading.digests import digest_file
from exocet_ipython.loading.files import FileStamp, clock_of_files, stamp_file
from exocet_ipython.notebook.shell import attach
from exocet_ipython.reloading.datafiles import snapshots
from exocet_ipython.reloading.joining import noting
from exocet_ipython.reloading.joining.afterwards import Afterwards
from tests.shells import Notebook
from tests.workshop import Workshop, pass_a_tick

TABLE = "TABLE = {'body': 0}"
WRITES = "from pathlib import Path\nPath({path!r}).write_text({text!r})"


@pytest.fixture
def old_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no file count as one that was saved a moment ago: no program can set back a change time."""
    for name in ("_TICK", "_COARSE_TICK"):
        monkeypatch.setattr(noting, name, 0)


def write_compiled(workshop: Workshop, files: dict[str, str]) -> None:
    """Write modules and their `.pyc`, each of which is later than its source for certain."""
    workshop.write(files)
    for file in files:
        path = workshop.path(file)
        py_compile.compile(path)
        while stamp_file(cache_from_source(path)).changed <= stamp_file(path).changed:
            py_compile.compile(path)


def readers() -> list[threading.Thread]:
    """Return the threads that read what was imported."""
    return [thread for thread in threading.enumerate() if "after imports" in thread.name]


@pytest.mark.usefixtures("old_files")
def test_the_text_of_an_old_file_is_known_after_its_import(auto: Notebook, workshop: Workshop) -> None:
    """An edit is noticed, its undo brings the very objects back, and old code shows the text that it ran."""
    write_compiled(workshop, {"model.py": "N = 1\ndef f():\n    return 1 / 0"})
    auto.run("import model\nfrom model import f")
    auto.run("first = model; old = [f.__code__]")
    workshop.edit("model.py", "N = 2\nM = 3\ndef f():\n    return 1 / 0")
    assert auto.value("model.N") == 2
    workshop.edit("model.py", "N = 1\ndef f():\n    return 1 / 0")
    assert auto.value("model.N, model is first") == (1, True)
    assert not readers()


@pytest.mark.usefixtures("old_files")
@pytest.mark.parametrize("text", ["N = 2", "N = 22"])
def test_a_file_that_its_importing_cell_writes_to_has_changed(auto: Notebook, workshop: Workshop, text: str) -> None:
    """The text on disk after the cell isn't the one that ran: the next cell runs on it."""
    write_compiled(workshop, {"model.py": "N = 1"})
    auto.run("import model\n" + WRITES.format(path=workshop.path("model.py"), text=text))
    assert auto.value("model.N") == int(text[4:])
    workshop.edit("model.py", "N = 1")
    assert auto.value("model.N") == 1


@pytest.mark.usefixtures("old_files")
def test_a_file_that_its_importing_cell_deletes_is_gone(auto: Notebook, workshop: Workshop) -> None:
    """As after a restart: the next cell, which imports it, finds nothing."""
    write_compiled(workshop, {"model.py": "N = 1"})
    auto.run(f"import model, os\nos.remove({workshop.path('model.py')!r})")
    assert "model" in auto.run("%exostatus")
    auto.fail("import model\nmodel.N", ModuleNotFoundError)


@pytest.mark.usefixtures("old_files")
def test_a_data_file_that_is_saved_after_the_cell_has_changed(auto: Notebook, workshop: Workshop) -> None:
    """One that the module itself has written while it ran is none that it reads."""
    reads = "from pathlib import Path\nHERE = Path(__file__).parent\n"
    write_compiled(
        workshop,
        {
            "model.py": reads + "TEXT = (HERE / 'words.txt').read_text()",
            "writer.py": reads + "(HERE / 'out.txt').write_text('1')\nRUNS = object()",
        },
    )
    workshop.write({"words.txt": "one"})
    pass_a_tick()
    auto.run("import model, writer\nruns = writer.RUNS")
    pass_a_tick()  # two saves within one can't be told apart
    workshop.edit("words.txt", "two")
    workshop.edit("out.txt", "2")
    assert auto.value("model.TEXT, writer.RUNS is runs") == ("two", True)


@pytest.mark.usefixtures("old_files")
def test_a_data_file_that_is_saved_while_it_is_read_after_the_cell_has_changed(
    auto: Notebook, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read then need not be what the module has read."""
    saved: list[Path] = []

    def save_and_digest(path: str, stamp: FileStamp, until: int = 0) -> str:
        if not saved:
            saved.append(workshop.edit("words.txt", "two"))
        return digest_file(path, stamp, until)

    write_compiled(
        workshop, {"model.py": "from pathlib import Path\nTEXT = (Path(__file__).parent / 'words.txt').read_text()"}
    )
    workshop.write({"words.txt": "one"})
    pass_a_tick()
    monkeypatch.setattr(snapshots, "digest_file", save_and_digest)
    auto.run("import model")
    assert auto.value("model.TEXT") == "two"


@pytest.mark.usefixtures("old_files")
@pytest.mark.parametrize("moment", ["stamp_file", "digest_file"])
def test_a_data_file_that_comes_after_the_cell_and_before_its_folder_is_listed_is_new(
    auto: Notebook, workshop: Workshop, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """What is in the folder by then need not be what the module has found there."""
    came: list[Path] = []

    def add_first(path: str, *others: Any) -> Any:
        if not came and threading.current_thread() in readers():
            pass_a_tick()
            workshop.write({"words/two.txt": "two"})
            came.append(workshop.folder / "words")
        return known(path, *others)

    known = getattr(snapshots, moment)
    lists = "from pathlib import Path\nNAMES = sorted(p.name for p in (Path(__file__).parent / 'words').glob('*.txt'))"
    write_compiled(workshop, {"model.py": lists})
    workshop.write({"words/one.txt": "one"})
    pass_a_tick()
    monkeypatch.setattr(snapshots, moment, add_first)
    auto.run("import model")
    assert auto.value("model.NAMES") == ["one.txt", "two.txt"]
    assert came


def test_no_file_is_stamped_earlier_than_the_clock_of_files_has_said(workshop: Workshop) -> None:
    """The clock that tells a save after a cell from one before it is the one that files are stamped by."""
    for number in range(100):
        earliest = clock_of_files()
        workshop.write({"words.txt": str(number)})
        assert stamp_file(workshop.path("words.txt")).changed >= earliest


@pytest.mark.usefixtures("old_files")
def test_a_file_that_is_saved_while_its_importing_cell_runs_is_edited_in_place(
    auto: Notebook, workshop: Workshop
) -> None:
    """The code that ran is known, if not its text."""
    text = "RUN = object()\ndef number(): return {}"
    write_compiled(workshop, {"model.py": text.format(1)})
    auto.run("import model\nbefore = model.RUN\n" + WRITES.format(path=workshop.path("model.py"), text=text.format(2)))
    assert auto.value("model.number(), model.RUN is before") == (2, True)
    workshop.edit("model.py", text.format(1))
    assert auto.value("model.number(), model.RUN is before") == (1, True)


def test_what_a_cell_registers_below_its_imports_is_the_cell_s(auto: Notebook, workshop: Workshop) -> None:
    """Only a cell that does nothing but import is looked at when it has ended."""
    workshop.write({"model.py": TABLE})
    auto.run("import model\nmodel.TABLE['cell'] = 1")
    workshop.edit("model.py", TABLE + "\nN = 2")
    assert auto.value("sorted(model.TABLE), model.N") == (["body", "cell"], 2)


def test_what_modules_of_an_import_cell_register_is_theirs(auto: Notebook, workshop: Workshop) -> None:
    """A registration that a later import statement of the cell makes goes when its module takes it back."""
    workshop.write({"model.py": TABLE, "plugin.py": "import model\ndef f(): ...\nmodel.TABLE['plugin'] = f"})
    auto.run("import model\nimport plugin")
    auto.run("model.TABLE['cell'] = 1")
    workshop.edit("plugin.py", "import model")
    assert auto.value("sorted(model.TABLE)") == ["body", "cell"]


def test_a_cell_that_runs_an_import_cell_goes_on_after_it(auto: Notebook, workshop: Workshop) -> None:
    """What it does to the module afterwards is its own doing."""
    workshop.write({"model.py": TABLE})
    auto.run("get_ipython().run_cell('import model')\n__import__('sys').modules['model'].TABLE['cell'] = 1")
    auto.run("import model")
    workshop.edit("model.py", TABLE + "\nN = 2")
    assert auto.value("sorted(model.TABLE), model.N") == (["body", "cell"], 2)


def test_turning_it_off_leaves_no_thread(auto: Notebook, workshop: Workshop) -> None:
    """`%exoauto off`, and unloading, wait for what reads."""
    workshop.write({f"model{number}.py": TABLE for number in range(50)})
    auto.run("\n".join(f"import model{number}" for number in range(50)))
    attach(auto.shell).session.managed.stop_following()
    assert not readers()
    assert "model7" in sys.modules


def test_what_goes_wrong_afterwards_is_raised_where_it_is_waited_for() -> None:
    """Once; what is started next runs."""
    done: list[str] = []
    afterwards = Afterwards()
    afterwards.start(lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        afterwards.wait()
    afterwards.start(lambda: done.append("next"))
    afterwards.wait()
    afterwards.wait()
    assert done == ["next"]
