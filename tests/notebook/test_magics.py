"""The magics in a real IPython shell: what they bind and return, and what a person sees when they fail."""

from __future__ import annotations

import contextlib
import gc
import inspect
import os
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from IPython.core.error import UsageError

from exocet_ipython import ExtensionPackageError, ModuleNotLoadedError
from exocet_ipython.errors import ExocetError
from exocet_ipython.notebook.old.status import StatusReport
from exocet_ipython.notebook.report import ReloadReport
from tests.shells import Notebook
from tests.workshop import Workshop

GAME = {
    "game/__init__.py": "",
    "game/world.py": """
        __all__ = ["Room", "DIRECTIONS"]
        DIRECTIONS = ["north", "south"]
        SIZE = 3
        class Room:
            def look(self):
                return "a room"
        """,
    "game/commands/__init__.py": "",
    "game/commands/general.py": """
        from game.world import Room
        def look():
            return Room().look()
        """,
}


@pytest.fixture
def game(notebook: Notebook, workshop: Workshop) -> Notebook:
    """A notebook on the sample game, nothing of it loaded."""
    workshop.write(GAME)
    return notebook


def state(notebook: Notebook, workshop: Workshop) -> dict[str, Any]:
    """Return all that a verb which fails may not change: the names, and the person's modules with their contents."""
    mine = {
        name: (module, dict(vars(module)))
        for name, module in list(sys.modules.items())
        if str(getattr(module, "__file__", None) or "").startswith(str(workshop.folder)) or name in ("numpy", "game")
    }
    status = notebook.value("%exostatus")
    return {"names": notebook.names(), "modules": mine, "status": repr(status)}


# -- %exoload: what it binds -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("%exoload game.commands.general", "general"),
        ("%exoload game.commands.general as commands", "commands"),
        ("%exoload   game.commands.general   # the basic ones", "general"),
        ("%exoload game", "game"),
    ],
)
def test_exoload_binds_the_last_component_or_the_alias_and_nothing_else(game: Notebook, line: str, name: str) -> None:
    """`%exoload a.b` binds `b`, or the alias, to the current module."""
    before = game.names()
    value = game.value(line)
    assert {new: found for new, found in game.names().items() if new not in before} == {name: value}
    assert sys.modules[value.__name__] is value


def test_exoload_is_an_expression(game: Notebook) -> None:
    """`m = %exoload NAME` binds m as well, prints nothing, and follows later reloads."""
    assert game.run("m = %exoload game.world") == ""
    assert isinstance(game["m"], ModuleType)
    assert game["m"] is game["world"]
    game.run("%exoreload --force")
    assert game["m"] is game["world"] is sys.modules["game.world"]


def test_exoload_makes_a_new_object_each_time(game: Notebook) -> None:
    """The second `%exoload` gives another module, and every name of the first follows."""
    game.run("%exoload game.world as first")
    first = game["first"]
    game.run("%exoload game.world as second")
    assert game["second"] is not first
    assert game["first"] is game["second"]


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("from game.world import Room", {"Room": "Room"}),
        ("from game.world import Room, DIRECTIONS as DIRS", {"Room": "Room", "DIRS": "DIRECTIONS"}),
        ("from game.world import (Room, SIZE)", {"Room": "Room", "SIZE": "SIZE"}),
        ("from game.world import (Room as R,)", {"R": "Room"}),
        ("from game.world import *", {"Room": "Room", "DIRECTIONS": "DIRECTIONS"}),
    ],
)
def test_exoload_from_binds_the_names_it_says(game: Notebook, line: str, names: dict[str, str]) -> None:
    """`%exoload from M import ...` binds exactly what that statement binds, and prints nothing."""
    before = game.names()
    assert game.run(f"%exoload {line}") == ""
    world = sys.modules["game.world"]
    bound = {name: value for name, value in game.names().items() if name not in before}
    assert bound == {name: getattr(world, attribute) for name, attribute in names.items()}


def test_exoload_from_a_package_finds_its_submodules(game: Notebook) -> None:
    """`%exoload from PACKAGE import MODULE` loads the submodule."""
    game.run("%exoload from game.commands import general")
    assert game["general"] is sys.modules["game.commands.general"]
    assert game.value("general.look()") == "a room"


def test_names_bound_by_exoload_follow_a_reload(game: Notebook, workshop: Workshop) -> None:
    """Classes by identity and numbers by where they came from, under their aliases too."""
    game.run("%exoload from game.world import Room as R, SIZE as size")
    old = game["R"]
    workshop.edit("game/world.py", "SIZE = 33\nclass Room: pass")
    game.run("%exoreload")
    assert game["size"] == 33
    assert game["R"] is sys.modules["game.world"].Room is not old


def test_importers_follow_an_exoload(game: Notebook, workshop: Workshop) -> None:
    """What imports the module that is loaded is made anew too, so that all see the same one."""
    game.run("%exoload game.commands.general")
    old = game["general"]
    workshop.edit("game/world.py", "class Room:\n    def look(self): return 'a hall'")
    game.run("%exoload game.world")
    assert game["general"] is not old
    assert game.value("general.look()") == "a hall"


def test_magics_work_in_loops_and_functions(game: Notebook) -> None:
    """`run_line_magic` in a function does the same and returns the same; variables expand."""
    game.run(
        "def load(names):\n"
        "    return [get_ipython().run_line_magic('exoload', name) for name in names]\n"
        "found = load(['game.world', 'game.commands.general'])\n"
        "for name in ['game.world as w']:\n"
        "    %exoload {name}\n"
    )
    assert [module.__name__ for module in game["found"]] == ["game.world", "game.commands.general"]
    assert game["w"] is game["world"]


def test_exoload_of_a_shared_module_gives_the_one_there_is(notebook: Notebook) -> None:
    """A module that loads once per process is bound as it is."""
    assert notebook.value("%exoload math") is sys.modules["math"]
    notebook.run("%exoload from math import tau")
    assert notebook["tau"] == sys.modules["math"].tau
    assert notebook.run("%exoreload") is not None


@pytest.mark.parametrize("line", ["%exoload game.world;", "%exoreload --force;", "%exostatus ;", "%exoauto off;"])
def test_a_semicolon_silences_the_output(game: Notebook, capsys: pytest.CaptureFixture[str], line: str) -> None:
    """A line that ends in a semicolon does the same and shows nothing, as everywhere in IPython."""
    game.run("%exoload game.world")
    capsys.readouterr()
    game.run(line)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("line", ["%exoload from game import world", "%exoreload --dry-run;", "%exoauto", "%exostatus"])
def test_a_line_may_end_in_a_comment(game: Notebook, line: str) -> None:
    """As a line of Python may."""
    texts = (game.run(each).partition(": ")[2] for each in (line, f"{line}  # --of mine"))
    assert len({*texts}) == 1


@pytest.mark.parametrize(
    ("magic", "words"),
    [
        ("exoload", ["NAME [as ALIAS]", "from NAME import A, B as C", "%%exoload"]),
        ("exoreload", ["--force", "--dry-run", "NAME"]),
        ("exostatus", ["%exostatus"]),
        ("exowhy", ["NAME|CLASS|GENERATION", "%exowhy game.world.Room"]),
    ],
)
def test_help_shows_the_arguments(notebook: Notebook, magic: str, words: list[str]) -> None:
    """`%magic?` shows the summary, each argument, and an example."""
    for question in (f"%{magic}?", f"?%{magic}"):
        text = notebook.run(question)
        assert all(word in text for word in words), text


# -- %exoload: wrong input -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("%exoload", "needs a module"),
        ("%exoload 1 + 1", "can't read '1 + 1'"),
        ("%exoload a b c", "can't read"),
        ("%exoload import game", "can't read"),
        ("%exoload game, os", "one module"),
        ("%exoload game as", "can't read"),
        ("%exoload game..world", "can't read"),
        ("%exoload .world", "relative"),
        ("%exoload from . import world", "relative"),
        ("%exoload from .world import Room", "relative"),
        ("%exoload from game.world import", "can't read"),
        ("%exoload 'game.world", "quotation"),
        ("%exoload class", "can't read"),
        ("%exoload game; import os", "can't read"),
        ("%exoload --nope game", "--nope"),
        ("%exoreload --frce", "--frce"),
        ('%exoreload "game"', "can't read '\"game\"'"),
        ("%exoreload game/world.py", "can't read 'game/world.py'"),
        ("%exoreload game, game.world", "can't read 'game,'"),
        ("%exoreload game as g", "can't read 'as'"),
        ("%exoreload ''", "can't read"),
        ("%exomigrate Room, World", "can't read 'Room,': it takes dotted names of classes"),
        ("%exostatus game", "game"),
        ("%exowhy", "needs a name"),
        ("%exowhy --all", "--all"),
        ("%%exoload game\nimport game", "no arguments"),
    ],
)
def test_nonsense_is_a_usage_error_of_one_line_that_says_what_to_type(
    game: Notebook, workshop: Workshop, line: str, said: str
) -> None:
    """A line that can't be read is answered with one line that names the magic, and nothing changes."""
    before = state(game, workshop)
    text = game.fail(line, UsageError).strip()
    assert said in text
    assert "%exo" in text.partition("UsageError: ")[2]
    assert len(text.splitlines()) == 1
    assert state(game, workshop) == before


BAD_FILES = {
    "syntax.py": "x = 1\ny = = 2\n",
    "boom.py": "import game.world\n\ndef start():\n    raise ValueError('no luck')\n\nstart()\n",
    "half.py": "import game.world\nimport no_such_thing\n",
    "ring.py": "from ring_b import B\nA = 1\n",
    "ring_b.py": "from ring import A\nB = 1\n",
    "leaves.py": "raise SystemExit(3)\n",
    "stops.py": "raise KeyboardInterrupt\n",
    "nul.py": "x = 1\0\n",
}


@pytest.mark.parametrize(
    ("line", "kind", "said"),
    [
        ("no_such_module", ModuleNotFoundError, ["No module named 'no_such_module'", "sys.path"]),
        ("game.no_such", ModuleNotFoundError, ["No module named 'game.no_such'"]),
        ("no_such.game", ModuleNotFoundError, ["No module named 'no_such'"]),
        ("game.world.Room", ModuleNotFoundError, ["'game.world' is not a package", "from game.world import Room"]),
        ("game.world.py", ModuleNotFoundError, ["a module is named without its ending: game.world"]),
        ("syntax", SyntaxError, ["syntax.py:2", "y = = 2", "invalid syntax"]),
        ("nul", SyntaxError, ["null bytes"]),
        ("boom", ValueError, ["boom.py:6", "boom.py:4", "raise ValueError('no luck')", "ValueError: no luck"]),
        ("half", ModuleNotFoundError, ["half.py:2", "import no_such_thing", "No module named 'no_such_thing'"]),
        ("ring", ImportError, ["ring.py:1", "ring_b.py:1", "cannot import name 'A'", "circular import"]),
        ("from game.world import Rom", ImportError, ["cannot import name 'Rom' from 'game.world'", "world.py"]),
        ("from game.world import Room, Rom", ImportError, ["cannot import name 'Rom' from 'game.world'"]),
        ("from game import nothing", ImportError, ["cannot import name 'nothing' from 'game'"]),
        pytest.param(
            *("leaves", SystemExit, ["SystemExit: 3"]),
            marks=pytest.mark.filterwarnings("ignore:To exit"),  # how IPython answers every SystemExit
        ),
        ("stops", KeyboardInterrupt, ["stops.py:1", "KeyboardInterrupt"]),
        ("__main__", ExocetError, ["'__main__'", "file"]),
        ("exocet_ipython", ExocetError, ["'exocet_ipython'", "restart the kernel"]),
    ],
)
def test_an_error_shows_the_persons_line_and_no_frame_of_ours_and_nothing_changes(
    game: Notebook, workshop: Workshop, line: str, kind: type[BaseException], said: list[str]
) -> None:
    """Each failure is the error that Python would raise, at the person's file and line; all is as it was."""
    workshop.write(BAD_FILES)
    game.run("import game.world\n%exoload from game.commands import general")
    before = state(game, workshop)
    text = game.fail(f"%exoload {line}", kind)
    assert all(words in text for words in said), text
    assert "exocet_ipython/" not in text, text
    assert "hidden" not in text, text
    assert "interactiveshell.py" not in text, text
    assert text.count("ValueError: no luck") <= 1
    assert state(game, workshop) == before


def test_an_extension_package_is_refused_before_anything_ran(notebook: Notebook, workshop: Workshop) -> None:
    """The core of numpy is a compiled module: `%exoload numpy` says so and what to do, and loads nothing."""
    import numpy as np

    before = state(notebook, workshop)
    text = notebook.fail("%exoload numpy", ExtensionPackageError)
    assert "'numpy' can't be loaded twice" in text
    assert "exocet_ipython/" not in text
    assert state(notebook, workshop) == before
    assert sys.modules["numpy"] is np


def test_a_compiled_module_is_shared_and_said_to_be(game: Notebook) -> None:
    """`%exoload` gives a new object, or says that it doesn't."""
    assert "math is compiled and loads once" in game.run("%exoload math")
    assert "loads once" not in game.run("%exoload game.world")
    assert game.value("math is __import__('math')") is True


def test_a_file_deleted_since_is_a_module_that_is_not_there(game: Notebook, workshop: Workshop) -> None:
    """`%exoload` of a module whose file is gone fails as an import does; the old module stays."""
    game.run("%exoload game.world")
    (workshop.folder / "game/world.py").unlink()
    before = game.names()
    text = game.fail("%exoload game.world", ModuleNotFoundError)
    assert "No module named 'game.world'" in text
    assert game.names() == before
    assert sys.modules["game.world"] is game["world"]


@contextlib.contextmanager
def as_nobody(folder: Path) -> Iterator[None]:
    """Be somebody whom permissions bind, where the tests run as root; the folder can be gone into."""
    if os.geteuid() != 0:
        yield
        return
    for above in (folder, *folder.parents):
        above.chmod(above.stat().st_mode | 0o055)  # pytest keeps its folders for root alone
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("how", ["folder", "dangling link", "forbidden"])
def test_a_file_that_cannot_be_read_stops_the_reload_and_changes_nothing(
    game: Notebook, workshop: Workshop, how: str
) -> None:
    """Whatever makes a loaded file unreadable, no module is lost by it, and no half is made."""
    game.run("%exoload game.commands.general")
    old = game["general"]
    path = workshop.folder / "game/world.py"
    if how == "forbidden":
        path.chmod(0)
    else:
        path.unlink()
        if how == "folder":
            path.mkdir()
        else:
            path.symlink_to("nowhere.py")
    with as_nobody(workshop.folder) if how == "forbidden" else contextlib.nullcontext():
        result, text = game.try_cell("report = %exoreload")
    report = game["report"]
    assert report.error is not None or not result.success, text
    assert "world" in text
    assert "exocet_ipython/" not in text
    assert game["general"] is old
    assert sys.modules["game.commands.general"] is old
    assert "game.world" in sys.modules


def test_an_exception_group_is_shown_with_its_parts_and_without_us(game: Notebook, workshop: Workshop) -> None:
    """IPython leaves groups to Python's own display: no frame of ours in it, nor in those of its parts."""
    workshop.write({"part.py": "raise KeyError('part')", "many.py": "X = 1"})
    game.run("%exoload many")
    workshop.edit(
        "many.py",
        """
        found = [ValueError("other")]
        try:
            import part
        except KeyError as error:
            found.append(error)
        raise ExceptionGroup("several", found)
        """,
    )
    for text in (game.fail("%exoload many", ExceptionGroup), game.run("%exoreload")):
        assert "part.py" in text
        assert "other" in text
        assert "exocet_ipython/" not in text, text


def test_a_caught_error_leaves_no_hook_on_the_shell(game: Notebook) -> None:
    """A cell may catch what a magic raises and go on; later errors are shown as always."""
    hooks = game.shell.custom_exceptions, game.shell.CustomTB
    printed = game.run(
        "try:\n    get_ipython().run_line_magic('exoload', 'nope')\nexcept ModuleNotFoundError as e:\n    print(e.name)"
    )
    assert printed == "nope\n"
    assert (game.shell.custom_exceptions, game.shell.CustomTB) == hooks
    assert "1/0" in game.fail("1/0", ZeroDivisionError)


def test_the_persons_own_error_handler_is_used_and_stays(game: Notebook) -> None:
    """A handler that the person has set with `set_custom_exc` gets the errors of our magics too."""
    seen: list[str] = []

    def handler(_shell: object, _kind: object, error: object, _trace: object, tb_offset: object = None) -> None:  # noqa: ARG001 - IPython's protocol
        seen.append(str(error))

    game.shell.set_custom_exc((ModuleNotFoundError,), handler)
    hooks = game.shell.custom_exceptions, game.shell.CustomTB
    game.fail("%exoload nope", ModuleNotFoundError)
    assert len(seen) == 1
    assert "nope" in seen[0]
    assert (game.shell.custom_exceptions, game.shell.CustomTB) == hooks


def test_an_error_before_the_magic_and_another_after_it_are_shown_whole(game: Notebook) -> None:
    """While a magic's error is caught, another error of its kind in the same cell is IPython's to show."""
    text = game.fail(
        "try:\n    get_ipython().run_line_magic('exoload', 'nope')\nexcept ImportError:\n    pass\nimport other_nope",
        ModuleNotFoundError,
    )
    assert text.count("ModuleNotFoundError: No module named 'other_nope'") == 1
    assert "import other_nope" in text


# -- %%exoload -------------------------------------------------------------------------------------------------------


def test_the_imports_of_an_exoload_cell_join_the_session(game: Notebook, workshop: Workshop) -> None:
    """Ordinary imports in a `%%exoload` cell are followed by the next reload, aliases included."""
    game.run("%%exoload\nimport game.world as w\nfrom game.commands.general import look\nfrom game.world import SIZE")
    assert "game.world" in repr(game.value("%exostatus"))
    workshop.edit("game/world.py", "SIZE = 4\nclass Room:\n    def look(self): return 'a hall'")
    game.run("%exoreload")
    assert game["w"] is sys.modules["game.world"]
    assert game["SIZE"] == 4
    assert game.value("look()") == "a hall"


def test_an_exoload_cell_shares_the_current_generation(game: Notebook) -> None:
    """A `%%exoload` cell makes nothing anew that the session has."""
    game.run("%exoload game.world")
    world = game["world"]
    game.run("%%exoload\nfrom game import world as again\nfrom game.commands import general")
    assert game["again"] is world
    assert game["general"].Room is world.Room


def test_the_rest_of_an_exoload_cell_runs_as_usual(game: Notebook) -> None:
    """Its last expression is displayed once, what it prints is printed, functions and await work."""
    text = game.run("%%exoload\nimport game.world\nprint('hello')\ndef f(x):\n    return x + 1\nf(41)")
    assert text.count("hello") == 1
    assert text.count("42") == 1
    assert game["f"](1) == 2
    text = game.run("%%exoload\nimport asyncio\nawait asyncio.sleep(0, 'slept')")
    assert text.count("slept") == 1


@pytest.mark.parametrize(
    ("body", "kind"),
    [("1/0", ZeroDivisionError), ("x = = 1", SyntaxError), ("import nope", ModuleNotFoundError)],
)
def test_an_error_in_an_exoload_cell_is_shown_once_and_fails_the_cell(
    game: Notebook, body: str, kind: type[BaseException]
) -> None:
    """The error is the cell's own, and what the cell did before it stands."""
    text = game.fail(f"%%exoload\nimport game.world\nmade = 1\n{body}", kind)
    assert text.count(f"{kind.__name__}: ") == 1, text
    assert body in text
    assert "exocet_ipython/" not in text
    assert (kind is SyntaxError) == ("made" not in game)


def test_an_error_in_an_exoload_cell_has_the_cells_number_and_lines(game: Notebook) -> None:
    """Both are those that the person sees: of the cell that they ran, counted from its first line."""
    before = dict(vars(game.shell.compile))
    for body, kind in (("1/0", ZeroDivisionError), ("x = = 1", SyntaxError)):
        number = game.shell.execution_count
        text = game.fail(f"%%exoload\nimport game.world\n\n{body}", kind)
        assert f"Cell In[{number}], line 4" in text, text
        assert body in text
    number = game.shell.execution_count
    game.run("%%exoload\nclass A:\n    def f(self):\n        return 1/0")
    text = game.fail("A().f()", ZeroDivisionError)
    assert f"Cell In[{number}], line 4, in A.f(self)\n      3 def f(self):\n----> 4     return 1/0" in text
    assert inspect.getsource(game["A"].f) == "    def f(self):\n        return 1/0\n"
    text = game.fail("%%exoload\nget_ipython().run_cell('1\\n1/0')\n2/0", ZeroDivisionError)
    assert "line 2\n      1 1\n----> 2 1/0" in text
    assert "----> 3 2/0" in text
    assert "----> 2 3/0" in game.fail("%%time\n%%exoload\n1\n3/0", ZeroDivisionError)  # all as IPython has it
    assert vars(game.shell.compile).keys() == before.keys()


def test_a_failed_import_in_an_exoload_cell_leaves_no_module(game: Notebook, workshop: Workshop) -> None:
    """As with a plain import, a module whose body fails is not there afterwards."""
    workshop.write(BAD_FILES)
    game.fail("%%exoload\nimport boom", ValueError)
    assert "boom" not in sys.modules
    assert "boom" not in repr(game.value("%exostatus"))
    game.run("%exoreload")


def test_new_imports_in_later_exoload_cells_join_too(game: Notebook, workshop: Workshop) -> None:
    """A session grows cell by cell."""
    game.run("%%exoload\nimport game.world")
    workshop.write({"late.py": "import game.world\nX = game.world.SIZE"})
    game.run("%%exoload\nimport late")
    workshop.edit("game/world.py", "SIZE = 8")
    report = game.value("%exoreload")
    assert {module.name for module in report.reloaded} == {"game.world", "late"}
    assert game.value("late.X") == 8


def test_an_empty_exoload_cell_is_ipythons_error(notebook: Notebook) -> None:
    """A cell magic without a body is refused by IPython itself."""
    assert "exoload" in notebook.fail("%%exoload\n", UsageError)


# -- %exoreload ------------------------------------------------------------------------------------------------------


def test_exoreload_returns_a_report(game: Notebook, workshop: Workshop) -> None:
    """Its fields say what was made anew, which names were replaced, what is old, and how long it took in seconds."""
    game.run("%exoload game.world\n%exoload from game.world import Room\nroom = Room()")
    workshop.edit("game/world.py", "class Room: pass")
    report = game.value("%exoreload")
    assert isinstance(report, ReloadReport)
    assert [module.name for module in report.reloaded] == ["game.world"]
    assert {rebound.name for rebound in report.rebound} == {"world", "Room"}
    assert [survivor.names for survivor in report.survivors] == [("room",)]
    assert report.error is None
    assert 0 < report.duration < 60
    assert report
    assert "old Room alive: room" in repr(report)


def test_nothing_to_do_is_said(game: Notebook) -> None:
    """Without an edit `%exoreload` makes nothing, and its report is false."""
    game.run("%exoload game.world")
    world = game["world"]
    report = game.value("%exoreload")
    assert not report
    assert repr(report).startswith("nothing changed")
    assert game["world"] is world


def test_names_limit_a_reload_and_force_widens_it(game: Notebook, workshop: Workshop) -> None:
    """With names only their files are looked at, a package stands for what is in it, and force asks no file."""
    game.run("%exoload game.commands.general")
    workshop.edit("game/world.py", "class Room: pass")
    assert not game.value("%exoreload game.commands")
    assert {module.name for module in game.value("%exoreload game.world").reloaded} == {
        "game.world",
        "game.commands.general",
    }
    assert {module.name for module in game.value("%exoreload game.commands --force").reloaded} == {
        "game.commands",
        "game.commands.general",
    }


def test_dry_run_says_what_and_why_and_does_nothing(game: Notebook, workshop: Workshop) -> None:
    """`--dry-run` names each module with its reason and the import that is the cause."""
    game.run("%exoload game.commands.general")
    workshop.edit("game/world.py", "class Room: pass")
    before = state(game, workshop)
    report = game.value("plan = %exoreload --dry-run\nplan")
    assert report.dry_run
    assert repr(report).splitlines()[0] == "would reload game.world, game.commands.general" or (
        "game.commands.general" in repr(report)
    )
    assert "its file changed" in repr(report)
    assert "line 1: from game.world import Room" in repr(report)
    game.run("del plan")
    assert state(game, workshop) == before


def test_dry_run_tells_deleted_modules_from_those_made_anew(game: Notebook, workshop: Workshop) -> None:
    """A module whose file is gone is in the plan as gone, not as one to make."""
    game.run("%exoload game.commands.general\n%exoload game.world")
    (workshop.folder / "game/world.py").unlink()
    report = game.value("%exoreload --dry-run")
    assert report.gone == ("game.world",)
    assert [module.name for module in report.reloaded] == ["game.commands.general"]
    assert "gone:\n    game.world" in repr(report)
    assert "game.world" in sys.modules


@pytest.mark.parametrize("name", ["nope", "json", "game.commands.nope"])
def test_a_name_that_was_never_loaded_is_an_error_with_advice(game: Notebook, workshop: Workshop, name: str) -> None:
    """`%exoreload NAME` of something that isn't loaded says how to load it."""
    game.run("%exoload game.commands.general")
    before = state(game, workshop)
    text = game.fail(f"%exoreload {name}", ModuleNotLoadedError)
    assert f"{name!r} was never loaded" in text
    assert f"%exoload {name}" in text
    assert "exocet_ipython/" not in text
    assert state(game, workshop) == before


@pytest.mark.parametrize("name", ["game.world.Room", "game.world.py"])
def test_what_is_in_a_module_is_reloaded_by_the_modules_name(game: Notebook, name: str) -> None:
    """`%exoreload` of a class, or with a file's ending, says which module was meant."""
    game.run("%exoload game.world")
    assert "%exoreload game.world\n" in game.fail(f"%exoreload {name}", ModuleNotLoadedError) + "\n"


def test_a_failing_reload_shows_the_error_then_its_report(game: Notebook, workshop: Workshop) -> None:
    """The person's file, line and text are shown once; the report says that nothing has changed, and has the error."""
    game.run("%exoload game.commands.general")
    before = game.names()
    workshop.edit("game/world.py", "class Room:\n    size = 1 / 0")
    text = game.run("%exoreload")
    assert text.count("ZeroDivisionError: division by zero") == 2  # the traceback's last line, and the report's line
    assert text.index("world.py:2") < text.index("not reloaded, nothing has changed")
    assert "size = 1 / 0" in text
    assert "general.py:1" in text  # who imported it
    assert "exocet_ipython/" not in text
    assert game.names() == before
    report = game.value("list(Out.values())[-1]")  # a doctest run before leaves a `_` in builtins
    assert isinstance(report.error, ZeroDivisionError)
    assert not report


def test_a_syntax_error_says_file_line_and_text(game: Notebook, workshop: Workshop) -> None:
    """A SyntaxError of a reload shows the line as Python does."""
    game.run("%exoload game.world")
    workshop.edit("game/world.py", "class Room:\n    size = (\n")
    text = game.run("%exoreload")
    assert "world.py:2" in text
    assert "size = (" in text
    assert "'(' was never closed" in text
    assert "exocet_ipython/" not in text


def test_a_report_in_out_holds_nothing(game: Notebook, workshop: Workshop) -> None:
    """Neither reports nor shown errors keep an old module, class or instance alive once the names are gone."""
    game.run("%exoload game.commands.general\n%exoload from game.world import Room\nroom = Room()")
    old = [weakref.ref(thing) for thing in (game["Room"], game["room"], game["general"], sys.modules["game.world"])]
    workshop.edit("game/world.py", "import game.commands\ngame.commands.nope\n")
    game.run("%exoreload")
    workshop.edit("game/world.py", "try:\n    {}['key']\nexcept KeyError:\n    raise ValueError('again')\n")
    game.run("%exoreload")
    workshop.edit("game/world.py", "class Room: pass")
    game.run("%exoreload")
    game.run("%exostatus")
    game.run("del room")
    gc.collect()
    assert [reference() for reference in old] == [None] * 4
    assert len(game["Out"]) == 4


def test_error_of_a_report_has_no_frames(game: Notebook, workshop: Workshop) -> None:
    """`report.error` and the errors it came from keep their text and let go of their frames and objects."""
    game.run("%exoload game.world")
    failing = "import game\ntry:\n    game.nope\nexcept AttributeError as e:\n    raise ValueError from e"
    workshop.edit("game/world.py", failing)
    game.run("report = %exoreload")
    error = game["report"].error
    assert error.__traceback__ is None
    assert error.__cause__.__traceback__ is None
    assert error.__cause__.obj is None
    assert "nope" in str(error.__cause__)


def test_a_fixed_file_reloads_after_a_failure(game: Notebook, workshop: Workshop) -> None:
    """An error costs nothing but the repair."""
    game.run("%exoload from game.world import SIZE")
    workshop.edit("game/world.py", "SIZE = (")
    assert not game.value("%exoreload")
    workshop.edit("game/world.py", "SIZE = 5")
    assert game.value("%exoreload")
    assert game["SIZE"] == 5


# -- %exostatus ------------------------------------------------------------------------------------------------------


def test_exostatus_lists_modules_changes_and_old_objects(game: Notebook, workshop: Workshop) -> None:
    """It says of each module whether its file changed, and what the names hold of replaced generations."""
    assert "%exoload" in repr(game.value("%exostatus"))
    game.run("%exoload game.world\n%exoload from game.world import Room\nroom = Room()")
    workshop.edit("game/world.py", "class Room: pass")
    text = repr(game.value("%exostatus"))
    assert "game.world  modified" in text
    assert "1 file changed on disk" in text
    game.run("%exoreload")
    status = game.value("%exostatus")
    assert isinstance(status, StatusReport)
    assert "game.world  current" in repr(status)
    assert "old Room alive: room" in repr(status)
    (workshop.folder / "game/world.py").unlink()
    assert "game.world  deleted" in repr(game.value("%exostatus"))


# -- beside other magics ---------------------------------------------------------------------------------------------


def test_other_magics_work_as_before(game: Notebook, workshop: Workshop) -> None:
    """%run, %who, %timeit, %prun, %%capture, %%time and await cells do what they do without the extension."""
    workshop.write({"script.py": "from game.world import SIZE\nran = SIZE"})
    game.run("%exoload game.world")
    game.run(f"%run {workshop.path('script.py')}")
    assert game["ran"] == 3
    assert "world" in game.run("%who")
    assert "loop" in game.run("%timeit -n 1 -r 1 world.Room().look()")
    game.run("%prun -q world.Room().look()")
    game.run("%%capture caught\n%exoload game.world\nprint('inside')")
    assert "inside" in game["caught"].stdout
    text = game.run("%%time\nworld.SIZE")
    assert "Wall time" in text
    game.run("import asyncio\nslept = await asyncio.sleep(0, world.SIZE)")
    assert game["slept"] == 3
    game.run("%time m = get_ipython().run_line_magic('exoload', 'game.world')")
    assert game["m"] is game["world"]
    assert game.shell.find_line_magic("debug") is not None


def test_the_session_works_after_reset(game: Notebook, workshop: Workshop) -> None:
    """`%reset -f` takes the names, and the session goes on with new ones."""
    game.run("%exoload game.world")
    game.run("%reset -f")
    assert "world" not in game
    game.run("%exoload from game.world import SIZE")
    workshop.edit("game/world.py", "SIZE = 9")
    game.run("%exoreload")
    assert game["SIZE"] == 9
    assert "world" not in game


def test_debug_lands_in_the_persons_frame(game: Notebook, workshop: Workshop) -> None:
    """After a failed reload, `%debug` sees the frame that failed."""
    game.run("%exoload game.world")
    workshop.edit("game/world.py", "answer = 42\n1 / 0")
    game.run("%exoreload")
    trace = sys.last_traceback
    assert trace is not None
    while trace.tb_next is not None:
        trace = trace.tb_next
    assert trace.tb_frame.f_code.co_filename == workshop.path("game/world.py")
    assert trace.tb_frame.f_globals["answer"] == 42


def test_a_cell_of_plain_python_has_no_price_in_meaning(game: Notebook) -> None:
    """Cells that use nothing of the extension bind, print and fail as ever."""
    assert game.run("a = 1\nprint(a)") == "1\n"
    assert "ZeroDivisionError" in game.fail("a / 0", ZeroDivisionError)
    assert game.value("a") == 1
