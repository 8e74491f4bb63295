"""What each cell runs on while files change between cells, and within them."""

from __future__ import annotations

import gc
import py_compile
import shutil
import sys
import threading
from pathlib import Path
from types import FrameType

import pytest

from tests.shells import Notebook
from tests.workshop import Workshop

SECONDS = 30  # the longest a test waits for a thread


def test_a_cell_runs_on_what_is_on_disk_when_it_starts(auto: Notebook, workshop: Workshop) -> None:
    """A save while a cell runs is the next cell's."""
    workshop.write({"model.py": "N = 1"})
    auto.run("import model\nfrom pathlib import Path")
    auto.run("Path(model.__file__).write_text('N = 2')\nassert model.N == 1")
    assert auto.value("model.N") == 2


@pytest.mark.parametrize(("instances", "count"), [("track", 1_000), ("migrate", 50)])
def test_a_cell_that_writes_a_module_is_followed_by_one_that_uses_it(
    auto: Notebook, workshop: Workshop, monkeypatch: pytest.MonkeyPatch, instances: str, count: int
) -> None:
    """`%%writefile`, then a cell: right 1,000 times of 1,000, though two texts of one size alternate within a tick.

    Migrating looks through all objects of this process each time, which has nothing to do with being right here.
    """
    monkeypatch.chdir(workshop.folder)
    auto.run(f'%config Exocet.report = "quiet"\n%config Exocet.instances = "{instances}"')
    auto.run("%%writefile model.py\nN = 0\n")
    auto.run("import model\nfrom model import N")
    wrong = []
    for number in range(count):
        digit = 1 + number % 2
        auto.run(f"%%writefile model.py\nN = {digit}\n")
        auto.run("found = model.N, N")
        wrong += [] if auto["found"] == (digit, digit) else [(number, auto["found"])]
    assert wrong == []


def test_an_edit_leaves_nothing_of_the_call_for_the_collector(auto: Notebook, workshop: Workshop) -> None:
    """What the frames of a cell hold dies with them when the cell ran on an edit as well, without the collector."""
    workshop.write({"m.py": "def number(): return 0"})
    auto.run("import m")
    gc.collect()
    gc.disable()
    try:
        before = sum(type(thing) is FrameType for thing in gc.get_objects())
        for number in (1, 2, 3):
            workshop.edit("m.py", f"def number(): return {number}")
            assert auto.value("m.number()") == number
        after = sum(type(thing) is FrameType for thing in gc.get_objects())
    finally:
        gc.enable()
    assert after <= before


def test_what_a_cell_put_into_a_module_makes_it_no_importer(auto: Notebook, workshop: Workshop) -> None:
    """A module whose list and class were given objects of another one by a cell is left alone when that one changes."""
    workshop.write({"m.py": "class Model: n = 1", "keep.py": "RUNS = []\nclass Box:\n    items = []"})
    auto.run("import m, keep\nkeep.RUNS.append(m.Model())\nkeep.Box.items.append(m.Model)\nbefore = keep")
    for number in (2, 3):
        workshop.edit("m.py", f"class Model: n = {number}")
        assert auto.value("(keep is before, keep.RUNS[0].n, keep.Box.items[0].n)") == (True, number, number)


def test_what_a_later_edit_registers_is_followed(auto: Notebook, workshop: Workshop) -> None:
    """A registry that a module fills only since an edit of it is made anew with it: what it fills no more is gone."""
    workshop.write({"reg.py": "TABLE = {}", "plug.py": ""})
    auto.run("import reg, plug")
    workshop.edit("plug.py", "import reg\ndef one(): pass\nreg.TABLE['one'] = one")
    assert auto.value("list(reg.TABLE)") == ["one"]
    workshop.edit("plug.py", "import reg\ndef two(): pass\nreg.TABLE['two'] = two")
    assert auto.value("list(reg.TABLE)") == ["two"]


def test_importers_follow(auto: Notebook, workshop: Workshop) -> None:
    """What a changed module's importers took from it is new in them as well, without a word in the notebook."""
    workshop.write(
        {
            "pkg/__init__.py": "from pkg.core import VALUE",
            "pkg/core.py": "VALUE = 1",
            "pkg/use.py": "from pkg import VALUE\ndef get(): return VALUE",
            "apart.py": "STATE = []",
        }
    )
    auto.run("import pkg.use, apart\nfrom pkg.use import get")
    auto.run("apart.STATE.append(1)")
    workshop.edit("pkg/core.py", "VALUE = 2")
    assert auto.value("(pkg.VALUE, pkg.use.get(), get(), apart.STATE)") == (2, 2, 2, [1])


def test_saving_the_old_text_again_goes_back(auto: Notebook, workshop: Workshop) -> None:
    """There and back within one tick of the clock, with the same size."""
    workshop.write({"model.py": "N = 1"})
    auto.run("import model")
    for digit in (2, 1, 2, 1):
        workshop.edit("model.py", f"N = {digit}", same_time=True)
        assert auto.value("model.N") == digit


def test_an_atomic_save_is_a_save(auto: Notebook, workshop: Workshop) -> None:
    """Editors write a new file and rename it over the old one."""
    workshop.write({"model.py": "N = 1"})
    auto.run("import model")
    for digit in (2, 3):
        workshop.write({"model.py.new": f"N = {digit}"})
        Path(workshop.path("model.py.new")).replace(workshop.path("model.py"))
        assert auto.value("model.N") == digit


def test_a_module_without_source_is_followed(auto: Notebook, workshop: Workshop) -> None:
    """A `.pyc` that stands for its module is a file like any other."""

    def install(answer: int) -> None:
        workshop.write({"model.txt": f"class Model:\n    def answer(self): return {answer}\nN = {answer}\n"})
        py_compile.compile(
            str(workshop.folder / "model.txt"), str(workshop.folder / "model.pyc"), "model.py", doraise=True
        )

    install(1)
    auto.run("from model import Model, N\nmodel = Model()")
    install(2)
    assert auto.value("model.answer(), N, isinstance(model, Model)") == (2, 2, True)


def test_a_deleted_module_is_gone_and_its_names_stay(auto: Notebook, workshop: Workshop) -> None:
    """After a file is deleted its names keep their values and are reported; importing it fails; it may come back."""
    workshop.write({"model.py": "class Model:\n    n = 1"})
    auto.run("from model import Model")
    Path(workshop.path("model.py")).unlink()
    text = auto.run("assert Model.n == 1")
    assert "gone" in text
    assert "is no longer defined and keeps its old value" in text
    auto.fail("import model", ModuleNotFoundError)
    workshop.write({"model.py": "class Model:\n    n = 2"})
    assert auto.value("from model import Model\nModel.n") == 2


def test_a_module_that_becomes_a_package_and_back(auto: Notebook, workshop: Workshop) -> None:
    """`model.py` becomes `model/__init__.py`; the imports go on."""
    workshop.write({"model.py": "N = 1"})
    auto.run("import model")
    Path(workshop.path("model.py")).unlink()
    workshop.write({"model/__init__.py": "N = 2"})
    assert auto.value("model.N") == 2
    workshop.edit("model/__init__.py", "N = 3")
    assert auto.value("model.N") == 3
    shutil.rmtree(workshop.path("model"))
    workshop.write({"model.py": "N = 4"})
    assert auto.value("model.N") == 4


def test_an_optional_import_that_failed_succeeds_when_its_file_appears(auto: Notebook, workshop: Workshop) -> None:
    """`try: import fast / except ImportError` is run again when `fast.py` is there."""
    workshop.write({"app.py": "try:\n    from fast import NAME\nexcept ImportError:\n    NAME = 'slow'"})
    auto.run("import app")
    assert auto.value("app.NAME") == "slow"
    workshop.write({"fast.py": "NAME = 'fast'"})
    assert auto.value("app.NAME") == "fast"
    Path(workshop.path("fast.py")).unlink()
    assert auto.value("app.NAME") == "slow"


@pytest.mark.parametrize("first", [True, False])
def test_an_optional_import_that_broke_is_followed_to_its_repair(
    auto: Notebook, workshop: Workshop, *, first: bool
) -> None:
    """A module whose importer went on without it is nobody's module, and still its repair counts."""
    app = "try:\n    from fast import NAME\nexcept Exception:\n    NAME = 'slow'"
    workshop.write({"app.py": app if first else "NAME = 'none'", "fast.py": "NAME = 1 / 0"})
    auto.run("import app")
    workshop.edit("app.py", app)
    assert auto.value("app.NAME") == "slow"
    workshop.edit("fast.py", "NAME = 'fast'")
    assert auto.value("app.NAME") == "fast"


def test_what_a_module_prints_while_it_reloads_is_seen(auto: Notebook, workshop: Workshop) -> None:
    """The output of a body that runs again comes with the cell."""
    workshop.write({"model.py": "N = 1"})
    auto.run("import model")
    workshop.edit("model.py", "print('training')\nN = 2")
    assert "training" in auto.run("model.N")


def test_a_body_may_use_get_ipython(auto: Notebook, workshop: Workshop) -> None:
    """A body that runs again before a cell finds IPython's own builtins as it did at first."""
    workshop.write({"model.py": "SHELL = get_ipython()\nN = 1"})
    auto.run("import model")
    workshop.edit("model.py", "SHELL = get_ipython()\nN = 2")
    assert auto.value("(model.SHELL is get_ipython(), model.N)") == (True, 2)


def test_a_changed_sys_path_is_looked_in(auto: Notebook, workshop: Workshop) -> None:
    """A module imported from a folder that a cell has put on `sys.path` is followed there."""
    workshop.write({"lib/tool.py": "N = 1"})
    auto.run(f"import sys\nsys.path.insert(0, {workshop.path('lib')!r})\nimport tool")
    workshop.edit("lib/tool.py", "N = 2")
    assert auto.value("tool.N") == 2


@pytest.fixture
def at_home(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder `home` of the project, the working folder, from which modules are found by the `""` on `sys.path`."""
    workshop.write({"home/model.py": "N = 1", "home/use.py": "import model\nM = model.N"})
    monkeypatch.chdir(workshop.path("home"))
    sys.path[:] = ["", *(folder for folder in sys.path if folder)]
    return Path(workshop.path("home"))


@pytest.mark.parametrize("other", [False, True])
def test_a_changed_working_folder_moves_no_module(auto: Notebook, at_home: Path, *, other: bool) -> None:
    """What was imported stays the file that it was, also where the new folder has one of that name."""
    (at_home / "sub").mkdir()
    if other:
        (at_home / "sub/model.py").write_text("N = 'of another folder'")
    auto.run("import use, model, os\nos.chdir('sub')")
    (at_home / "use.py").write_text("import model\nM = model.N + 10")
    assert auto.value("use.M") == 11
    (at_home / "model.py").write_text("N = 2")
    assert auto.value("(model.N, use.M)") == (2, 12)
    auto.run("%exoreload --force")
    assert auto.value("(model.N, use.M)") == (2, 12)
    auto.run("%exoload use")
    assert auto.value("(model.N, use.M)") == (2, 12)
    (at_home / "model.py").unlink()
    (at_home / "model").mkdir()
    (at_home / "model/__init__.py").write_text("N = 3")
    assert auto.value("(model.N, use.M)") == (3, 13)


def test_a_deleted_working_folder_is_no_error(auto: Notebook, at_home: Path) -> None:
    """Cells run and reload as before, and nothing is printed but the report."""
    (at_home / "sub").mkdir()
    auto.run("import use, model, os\nos.chdir('sub')\nos.rmdir(os.getcwd())")
    assert auto.run("assert model.N == 1") == ""
    (at_home / "model.py").write_text("N = 2")
    assert auto.run("assert (model.N, use.M) == (2, 2)").startswith("reloaded ")
    (at_home / "model.py").write_text("N = 1 / 0")
    assert "Error in callback" not in auto.run("assert model.N == 2")
    (at_home / "model.py").write_text("N = 3")
    assert auto.value("model.N") == 3


def test_what_a_script_elsewhere_imports_is_found_again(auto: Notebook, workshop: Workshop) -> None:
    """`%run` has the script's folder on `sys.path` only while it runs."""
    workshop.write({"other folder/script.py": "import helper", "other folder/helper.py": "N = 1"})
    auto.run(f"%run '{workshop.path('other folder/script.py')}'")
    workshop.edit("other folder/helper.py", "N = 2")
    assert auto.value("helper.N") == 2


def test_several_edits_are_one_reload(auto: Notebook, workshop: Workshop) -> None:
    """Files that were saved together are reloaded together, and the report is one line."""
    workshop.write({"a.py": "N = 1", "b.py": "from a import N\nM = N"})
    auto.run("import a, b")
    workshop.edit("a.py", "N = 2")
    workshop.edit("b.py", "from a import N\nM = N + 1")
    (line,) = auto.run("assert (a.N, b.M) == (2, 3)").splitlines()
    assert "generation" in line


def test_a_cell_of_another_thread_waits_for_nobody(auto: Notebook, workshop: Workshop) -> None:
    """While a thread runs a cell's code, a cell of the main thread runs on the current generation."""
    workshop.write({"model.py": "N = 1"})
    auto.run("import model, threading\nbegun, go = threading.Event(), threading.Event()")
    other = threading.Thread(target=auto.shell.run_cell, args=["begun.set(); go.wait(30)"])
    other.start()
    try:
        assert auto["begun"].wait(SECONDS)
        workshop.edit("model.py", "N = 2")
        assert auto.value("model.N") == 1
    finally:
        auto["go"].set()
        other.join(SECONDS)
    assert auto.value("model.N") == 2


def test_what_the_importing_cell_goes_on_to_change_is_the_persons(auto: Notebook, workshop: Workshop) -> None:
    """A cell that imports a module and configures it would do both again after a restart."""
    text = "LEVEL = 1\nOPTIONS = {'a': 1}\nPATHS = ['one']\nclass Plugin:\n    limit = 10\n"
    workshop.write({"settings.py": text, "plugins.py": "import settings\nsettings.PATHS.append('plugins')"})
    auto.run(
        "import plugins\nfrom settings import PATHS\nplugins.settings.LEVEL = 99\n"
        "plugins.settings.OPTIONS['b'] = 2\nPATHS.append('mine')\nplugins.settings.Plugin.limit = 77"
    )
    workshop.edit("settings.py", text + "NEW = 'new'")
    assert auto.value("(plugins.settings.NEW, plugins.settings.LEVEL)") == ("new", 99)
    assert auto.value("plugins.settings.OPTIONS") == {"a": 1, "b": 2}
    assert auto.value("plugins.settings.PATHS") == auto.value("PATHS") == ["one", "plugins", "mine"]
    assert auto.value("plugins.settings.Plugin.limit") == 77


def test_what_modules_register_at_later_imports_is_theirs(auto: Notebook, workshop: Workshop) -> None:
    """A module that fills another one's list fills it anew when it is edited; what a cell put there stays."""
    workshop.write(
        {
            "reg.py": "NAMES, TABLE = [], {}\ndef add(name):\n    NAMES.append(name)\n    TABLE[name] = len(name)",
            "first.py": "from reg import add\nadd('one')",
            "second.py": "import reg\nreg.add('two')\nreg.TABLE['kind'] = 'b'",
        }
    )
    auto.run("import reg, first\nreg.NAMES.append('mine')")
    auto.run("import second")
    workshop.edit("second.py", "import reg\nreg.add('due')\nreg.TABLE['sort'] = 'b'")
    workshop.edit("first.py", "from reg import add\nadd('uno')")
    assert auto.value("(sorted(reg.NAMES), reg.TABLE)") == (["due", "mine", "uno"], {"uno": 3, "due": 3, "sort": "b"})


@pytest.mark.parametrize(
    "line", ["from app.core.reg import NAMES", "import app.core.reg", "from ..core.reg import NAMES"]
)
def test_what_modules_register_by_dotted_names_is_theirs(auto: Notebook, workshop: Workshop, line: str) -> None:
    """The statement names the registry's module with its packages."""
    names = "NAMES" if "NAMES" in line else "app.core.reg.NAMES"
    packages = {"app/__init__.py": "", "app/core/__init__.py": "", "app/plugs/__init__.py": ""}
    workshop.write({**packages, "app/core/reg.py": "NAMES = []", "app/plugs/one.py": f"{line}\n{names}.append('one')"})
    auto.run("import app.core.reg\napp.core.reg.NAMES.append('mine')")
    auto.run("import app.plugs.one")
    workshop.edit("app/plugs/one.py", f"{line}\n{names}.append('uno')")
    assert auto.value("sorted(app.core.reg.NAMES)") == ["mine", "uno"]


@pytest.mark.parametrize("cells", [["import reg, api", "import plug, late"], ["import reg, api, plug, late"]])
def test_what_modules_register_through_others_is_theirs(auto: Notebook, workshop: Workshop, cells: list[str]) -> None:
    """The list may be in a module that the newcomer doesn't import itself, but a module that it imports does."""
    workshop.write(
        {
            "reg.py": "NAMES, TABLE = [], {}\nclass Base:\n    known = {}",
            "api.py": "import reg\ndef add(name):\n    reg.NAMES.append(name)\n    reg.TABLE[name] = 1\n"
            "def deep(name):\n    from reg import Base\n    Base.known[name] = 1",
            "plug.py": "import api\napi.add('one')\napi.deep('one')",
            "late.py": "from api import deep\ndeep('two')",
        }
    )
    for cell in cells:
        auto.run(cell)
    auto.run("api.add('mine')")
    workshop.edit("plug.py", "import api\napi.add('uno')\napi.deep('uno')")
    workshop.edit("late.py", "from api import deep\ndeep('due')")
    assert auto.value("(sorted(reg.NAMES), sorted(reg.TABLE))") == (["mine", "uno"], ["mine", "uno"])
    assert auto.value("sorted(reg.Base.known)") == ["due", "uno"]


@pytest.mark.parametrize("register", ["", "async "])
def test_a_decorator_that_refuses_what_a_cell_gave_it_stops_no_reload(
    auto: Notebook, workshop: Workshop, register: str
) -> None:
    """What a cell has registered stays as it is where the new text, called again with it, would raise, or can't be."""
    text = "REG = {{}}\n{0}def register(part):\n{1}    REG[part.__name__{2}] = part\n    return part\n"
    refuse = "    if not part.__doc__:\n        raise TypeError\n"
    workshop.write({"reg.py": text.format(register, "", "")})
    auto.run("import reg\ndef mine(): pass\ndef told():\n    'Told.'")
    auto.run("@reg.register\ndef other():\n    'Other.'" if not register else "await reg.register(mine)")
    auto.run("reg.register(mine); reg.register(told)" if not register else "await reg.register(told)")
    workshop.edit("reg.py", text.format(register, refuse, ".upper()"))
    expected = ["OTHER", "TOLD", "mine"] if not register else ["mine", "told"]
    assert auto.value("sorted(reg.REG)") == expected
