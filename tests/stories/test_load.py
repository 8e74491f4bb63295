"""People load modules: what `%exoload` means, through the plain session."""

from __future__ import annotations

import builtins
import json
import os
import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from exocet_ipython.errors import ExtensionPackageError
from tests.plain_notebook import PlainNotebook, python_import, state_of
from tests.workshop import Workshop

GAME = {
    "game/__init__.py": "",
    "game/world.py": "class Room: pass\n",
    "game/text.py": "def wrap(text): return text\n",
    "game/commands/__init__.py": "",
    "game/commands/general.py": """
        from game.world import Room
        from ..text import wrap
        import game.world as world
        class CmdLook:
            room = Room
    """,
    "main.py": """
        from game.commands.general import CmdLook
        import game.commands.general
        look = CmdLook()
    """,
}


@pytest.fixture
def game(workshop: Workshop) -> PlainNotebook:
    """A notebook beside a small game."""
    workshop.write(GAME)
    return PlainNotebook()


def test_load_makes_a_new_module_each_time(game: PlainNotebook) -> None:
    """Each load of a name makes a new module object with new classes, the current one in `sys.modules`."""
    first = game.exoload("game.commands.general")
    second = game.exoload("game.commands.general")
    assert second is not first
    assert second.CmdLook is not first.CmdLook
    assert game["general"] is second
    assert sys.modules["game.commands"].general is second


def test_load_never_touches_the_module_before(game: PlainNotebook) -> None:
    """The module that a load replaces keeps every attribute it had."""
    first = game.exoload("game.commands.general")
    before = dict(vars(first))
    game.exoload("game.commands.general")
    assert {key: id(value) for key, value in vars(first).items()} == {key: id(value) for key, value in before.items()}


def test_first_load_brings_own_code_once(game: PlainNotebook) -> None:
    """The person's code that a module imports is loaded with it, and stays the same object at the next load."""
    game.exoload("game.commands.general")
    world, text = sys.modules["game.world"], sys.modules["game.text"]
    again = game.exoload("game.commands.general")
    assert sys.modules["game.world"] is world
    assert sys.modules["game.text"] is text
    assert again.world is world
    assert again.Room is world.Room


def test_importers_follow_what_is_loaded_anew(game: PlainNotebook) -> None:
    """Loaded modules that import the name are made anew too, and all of them see the one new module."""
    game.exoload("main")
    world, general, main = (sys.modules[name] for name in ("game.world", "game.commands.general", "main"))
    new_world = game.exoload("game.world")
    new_general, new_main = sys.modules["game.commands.general"], sys.modules["main"]
    assert new_world is not world
    assert new_general is not general
    assert new_main is not main
    assert new_general.Room is new_world.Room
    assert new_general.world is new_world
    assert new_main.CmdLook is new_general.CmdLook
    assert new_main.game.commands.general is new_general
    assert new_main.game.world is new_world
    assert type(new_main.look).room is new_world.Room


def test_modules_that_do_not_import_it_stay(game: PlainNotebook) -> None:
    """A module that doesn't import what is loaded anew stays the same object with its state."""
    game.exoload("main")
    text = sys.modules["game.text"]
    vars(text)["counter"] = 5
    game.exoload("game.world")
    assert sys.modules["game.text"] is text
    assert sys.modules["game"].text is text
    assert sys.modules["game"].text.counter == 5


def test_names_follow_importers(game: PlainNotebook) -> None:
    """Names bound to importers of what is loaded anew point at the new objects as well."""
    game.run("import main\nfrom main import CmdLook as Look")
    game.exoload("game.world")
    assert game["main"] is sys.modules["main"]
    assert game["Look"] is sys.modules["main"].CmdLook
    assert game["Look"].room is sys.modules["game.world"].Room


def test_load_of_a_package_by_its_submodule_makes_the_package_once(game: PlainNotebook) -> None:
    """The packages around a name are loaded at its first load, and shared by the later ones."""
    game.exoload("game.world")
    package = sys.modules["game"]
    game.exoload("game.text")
    assert sys.modules["game"] is package
    assert package.text is sys.modules["game.text"]
    assert package.world is sys.modules["game.world"]


def test_load_of_a_package_makes_it_anew_with_its_submodules(game: PlainNotebook) -> None:
    """A package loaded anew has its unaffected submodules as attributes."""
    game.exoload("game.text")
    text = sys.modules["game.text"]
    first = sys.modules["game"]
    package = game.exoload("game")
    assert package is not first
    assert package.text is sys.modules["game.text"] is text


def test_first_load_of_a_package(game: PlainNotebook) -> None:
    """The first load of a package gives an ordinary package whose submodules import."""
    package = game.exoload("game")
    assert package.__path__
    assert package.__spec__ is not None
    assert package.__spec__.submodule_search_locations
    game.run("import game.world")
    assert package.world is sys.modules["game.world"]


def test_alias_names_the_module(game: PlainNotebook) -> None:
    """An alias is the notebook name, and follows later loads."""
    game.exoload("game.world", "w")
    assert "world" not in game.space
    game.session.load("game.world")
    assert game["w"] is sys.modules["game.world"]


def test_load_from_binds_attributes(game: PlainNotebook) -> None:
    """`from NAME import A as B` binds the new module's attributes, and submodules where there is no attribute."""
    game.session.load_from("game.commands.general", [("CmdLook", "Look"), ("Room", "Room")])
    general = sys.modules["game.commands.general"]
    assert game["Look"] is general.CmdLook
    assert game["Room"] is sys.modules["game.world"].Room
    game.session.load_from("game.commands", [("general", "general")])
    assert game["general"] is sys.modules["game.commands.general"]
    assert sorted(game.space) == ["Look", "Room", "general"]


def test_load_from_imports_a_submodule_that_was_not_loaded(game: PlainNotebook) -> None:
    """A submodule that the package has not imported is found as a `from` statement finds it, and reloads later."""
    game.session.load_from("game", [("world", "world")])
    assert game["world"] is sys.modules["game.world"]
    old = game["world"]
    game.exoload("game.world")
    assert game["world"] is not old


def test_load_star_binds_public_names(workshop: Workshop) -> None:
    """`import *` binds what Python's star import binds, `__all__` respected."""
    workshop.write({"a.py": "one = 1\n_two = 2\nthree = 3\n", "b.py": "__all__ = ['_two']\none = 1\n_two = 2\n"})
    notebook = PlainNotebook()
    notebook.session.load_from("a", [("*", "*")])
    assert sorted(notebook.space) == ["one", "three"]
    notebook.session.load_from("b", [("*", "*")])
    assert sorted(notebook.space) == ["_two", "one", "three"]


def test_load_from_missing_attribute_binds_nothing(game: PlainNotebook) -> None:
    """An attribute that the module lacks is Python's ImportError, and no name is bound."""
    game.exoload("game.world")
    with pytest.raises(ImportError, match=r"cannot import name 'Cave' from 'game\.world'") as caught:
        game.session.load_from("game.world", [("Room", "Room"), ("Cave", "Cave")])
    assert caught.value.name == "game.world"
    assert caught.value.path is not None
    assert caught.value.path.endswith("world.py")
    assert "Room" not in game.space


def test_load_star_with_a_wrong_all_is_an_error(workshop: Workshop) -> None:
    """`import *` of a module whose `__all__` names what it lacks fails, as in Python, and binds nothing."""
    workshop.write({"a.py": "__all__ = ['one', 'two']\none = 1\n"})
    notebook = PlainNotebook()
    with pytest.raises((AttributeError, ImportError), match="'two'"):
        notebook.session.load_from("a", [("*", "*")])
    assert notebook.space == {}


def test_standard_library_is_shared(workshop: Workshop) -> None:
    """Standard modules and installed packages that a loaded module imports are the ones the process has."""
    workshop.write({"a.py": "import json, pytest\nfrom json import decoder\n"})
    before = sys.modules["json"], sys.modules["json.decoder"]
    module = PlainNotebook().exoload("a")
    assert module.json is json is before[0]
    assert module.decoder is sys.modules["json.decoder"] is before[1]
    assert module.pytest is pytest


def test_standard_library_not_imported_yet_is_left_to_python(workshop: Workshop) -> None:
    """A standard module that nobody had imported is imported in Python's own way and joins no generation."""
    workshop.write(
        {"a.py": "import this_is_own, xdrlib_like\n", "this_is_own.py": "", "xdrlib_like.py": "import wave\n"}
    )
    sys.modules.pop("wave", None)
    notebook = PlainNotebook()
    notebook.exoload("a")
    wave = sys.modules["wave"]
    assert "wave" not in notebook.session.generation.records
    assert set(notebook.session.generation.records) >= {"a", "this_is_own", "xdrlib_like"}
    notebook.exoload("xdrlib_like")
    assert sys.modules["wave"] is wave


def test_standard_library_is_made_anew_when_named(workshop: Workshop) -> None:
    """A standard package is loaded anew when it is named, with its parent's attribute; its importers outside stay."""
    workshop.write({})
    sys.modules.pop("wsgiref.headers", None)
    parent = python_import("wsgiref")
    notebook = PlainNotebook()
    first = notebook.exoload("wsgiref.headers")
    second = notebook.exoload("wsgiref.headers")
    assert second is not first
    assert sys.modules["wsgiref"] is parent
    assert parent.headers is second


def test_installed_package_is_shared_unless_named(tmp_path: Path, workshop: Workshop) -> None:
    """A package in site-packages is shared by all loads until it is named itself."""
    installed = tmp_path / "site-packages"
    (installed / "vendor").mkdir(parents=True)
    (installed / "vendor" / "__init__.py").write_text("from vendor.core import Thing\n")
    (installed / "vendor" / "core.py").write_text("class Thing: pass\n")
    workshop.write({"a.py": "from vendor import Thing\n", "vendor_mark": ""})
    sys.path.append(str(installed))
    notebook = PlainNotebook()
    first = notebook.exoload("a")
    second = notebook.exoload("a")
    assert first.Thing is second.Thing
    assert "vendor" not in notebook.session.generation.records
    notebook.exoload("vendor.core")
    assert sys.modules["vendor.core"].Thing is not first.Thing
    assert sys.modules["vendor"].Thing is sys.modules["vendor.core"].Thing is sys.modules["a"].Thing
    for name in ("vendor", "vendor.core"):
        del sys.modules[name]


class _EditableFinder:
    """What setuptools puts on `sys.meta_path` for an editable install: package name -> folder."""

    def __init__(self, mapping: dict[str, Path]) -> None:
        self._mapping = mapping

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:  # noqa: ARG002
        """Find the packages of the mapping; their submodules are found by their `__path__`."""
        folder = self._mapping.get(name)
        return PathFinder.find_spec(name, [str(folder)]) if folder is not None else None


@pytest.fixture
def editable(tmp_path: Path, workshop: Workshop) -> Iterator[Path]:
    """The folder of a package `tool`, installed as editable by a finder."""
    folder = tmp_path / "elsewhere"
    (folder / "tool").mkdir(parents=True)
    (folder / "tool" / "__init__.py").write_text("from tool.part import NAME\n")
    (folder / "tool" / "part.py").write_text("NAME = 'one'\n")
    workshop.write({"tool_user.py": "from tool import NAME\nimport tool.part\n"})
    finder: Any = _EditableFinder({"tool": folder})
    sys.meta_path.append(finder)
    try:
        yield folder
    finally:
        sys.meta_path.remove(finder)
        for name in ("tool", "tool.part"):
            sys.modules.pop(name, None)


def test_editable_install_is_own_code(editable: Path) -> None:
    """A package that a finder brings in from its working folder is own code: loaded, reloaded, followed."""
    notebook = PlainNotebook()
    user = notebook.exoload("tool_user")
    assert user.NAME == "one"
    assert {"tool", "tool.part"} <= set(notebook.session.generation.records)
    (editable / "tool" / "part.py").write_text("NAME = 'two'\n")
    assert notebook.reloaded() == ["tool", "tool.part", "tool_user"]
    assert notebook["tool_user"].NAME == "two"
    assert notebook["tool_user"].tool.part is sys.modules["tool.part"]


def test_module_imported_before_is_adopted_and_made_anew(game: PlainNotebook) -> None:
    """A module that Python had imported before is made anew at its first load, and its importers with it."""
    main = python_import("main")

    world = sys.modules["game.world"]
    game.space["main"] = main
    new_world = game.exoload("game.world")
    assert new_world is not world
    assert sys.modules["main"] is not main
    assert game["main"] is sys.modules["main"]
    assert sys.modules["main"].CmdLook.room is new_world.Room
    assert sys.modules["game"].world is new_world


def test_unknown_module_is_pythons_error(game: PlainNotebook) -> None:
    """An unknown name is ModuleNotFoundError with the first part that is missing, and nothing changes."""
    game.exoload("game.world")
    before = state_of(game, "game", "nowhere")
    for name, missing in {
        "nowhere": "nowhere",
        "game.nowhere": "game.nowhere",
        "nowhere.at.all": "nowhere",
        "game.world.cave": "game.world.cave",
    }.items():
        with pytest.raises(ModuleNotFoundError, match=f"No module named '{missing}'") as caught:
            game.session.load(name)
        assert caught.value.name == missing
    assert state_of(game, "game", "nowhere") == before


@pytest.mark.parametrize("name", ["", ".", ".game", "game.", "game..world", "a b", "a/b", "a\0b", "\ud800", "1x", "-h"])
def test_names_that_are_no_names(game: PlainNotebook, name: str) -> None:
    """What can't be a module name is an ImportError, and nothing changes."""
    before = state_of(game, "game")
    with pytest.raises(ImportError):
        game.session.load(name)
    assert state_of(game, "game") == before


FAILURES = {
    "syntax": ("game/world.py", "class Room: pass\ndef (\n", SyntaxError),
    "body": ("game/text.py", "raise ValueError('no text')\n", ValueError),
    "import": ("game/text.py", "import nowhere_at_all\n", ModuleNotFoundError),
    "name": ("game/world.py", "", ImportError),
    "exit": ("game/text.py", "raise SystemExit(3)\n", SystemExit),
    "interrupt": ("game/text.py", "raise KeyboardInterrupt\n", KeyboardInterrupt),
    "package": ("game/commands/__init__.py", "1 / 0\n", ZeroDivisionError),
    "last": ("main.py", GAME["main.py"] + "    1 / 0\n", ZeroDivisionError),
}


@pytest.mark.parametrize("case", FAILURES)
def test_failing_first_load_leaves_everything(workshop: Workshop, case: str) -> None:
    """A first load that fails leaves modules, attributes of packages and names exactly as before; mended, it works."""
    path, text, kind = FAILURES[case]
    workshop.write(GAME)
    workshop.write({path: text, "other.py": ""})
    notebook = PlainNotebook({"main": "mine"})
    notebook.exoload("other")
    before = state_of(notebook, "game", "main", "other", "nowhere_at_all")
    scope = notebook.session.managed.scope
    for _ in range(2):
        with pytest.raises(kind):
            notebook.session.load("main")
        assert state_of(notebook, "game", "main", "other", "nowhere_at_all") == before
        assert notebook.session.managed.scope == scope
    workshop.write({path: GAME[path]})
    assert notebook.exoload("main").look.room is sys.modules["game.world"].Room


def test_failing_load_of_a_submodule_leaves_a_package_that_python_imported(workshop: Workshop) -> None:
    """A package that was imported before keeps its attributes when the load of a submodule fails."""
    workshop.write({"p/__init__.py": "x = 1\n", "p/good.py": "", "p/bad.py": "import p.good\n1 / 0\n"})
    p = python_import("p")

    notebook = PlainNotebook()
    before = state_of(notebook, "p")
    with pytest.raises(ZeroDivisionError):
        notebook.session.load("p.bad")
    after = state_of(notebook, "p")
    assert after["modules"] == before["modules"]
    assert after["attributes"] == before["attributes"]
    assert sys.modules["p"] is p


def test_circular_imports_that_work(workshop: Workshop) -> None:
    """Circular imports that work in Python work in a load, in every later load, and in reloads."""
    workshop.write(
        {
            "ring/__init__.py": "from ring import a\n",
            "ring/a.py": "import ring.b\nVALUE = 1\ndef b(): return ring.b.get()\n",
            "ring/b.py": "from ring import a\nimport ring.a as same\ndef get(): return a.VALUE, same.VALUE\n",
        }
    )
    notebook = PlainNotebook()
    for name in ("ring", "ring.a", "ring.b", "ring.a"):
        notebook.exoload(name)
        ring, a, b = (sys.modules[part] for part in ("ring", "ring.a", "ring.b"))
        assert ring.a is a
        assert ring.b is b
        assert a.ring is ring
        assert b.a is b.same is a
        assert a.b() == (1, 1)
    workshop.edit("ring/a.py", "import ring.b\nVALUE = 2\ndef b(): return ring.b.get()\n")
    assert notebook.reloaded() == ["ring", "ring.a", "ring.b"]
    assert sys.modules["ring"].a.b() == (2, 2)


def test_circular_imports_that_fail_in_python_fail_alike(workshop: Workshop) -> None:
    """A circular import that fails in Python fails with the same kind of error, and nothing stays."""
    workshop.write({"knot_a.py": "from knot_b import B\nA = 1\n", "knot_b.py": "from knot_a import A\nB = 1\n"})
    with pytest.raises(ImportError) as plain:
        python_import("knot_a")
    assert "knot_a" not in sys.modules
    notebook = PlainNotebook()
    before = state_of(notebook, "knot_a", "knot_b")
    with pytest.raises(ImportError, match="cannot import name 'A' from") as ours:
        notebook.session.load("knot_a")
    assert type(ours.value) is type(plain.value)
    assert ours.value.name == plain.value.name == "knot_a"
    assert "circular import" in str(ours.value)
    assert state_of(notebook, "knot_a", "knot_b") == before


def test_own_code_uses_the_real_builtins_and_paths(game: PlainNotebook, workshop: Workshop) -> None:
    """Published functions and classes are ordinary: real builtins, real `__file__`, `co_filename` the real path."""
    module = game.exoload("game.text")
    path = workshop.path("game/text.py")
    assert module.wrap.__builtins__ is vars(builtins)
    assert module.__builtins__ is vars(builtins)
    assert module.__file__ == path
    assert module.wrap.__code__.co_filename == path
    assert module.__spec__ is not None
    assert module.__spec__.origin == path
    assert module.__name__ == module.wrap.__module__ == "game.text"
    assert module.__package__ == "game"
    assert module.wrap.__globals__ is vars(module)


def test_cells_and_functions_import_the_current_module(game: PlainNotebook) -> None:
    """An ordinary import statement after a load, in a cell or in a function, gives the loaded module."""
    game.exoload("game.world")
    game.run("def late():\n    import game.world\n    return game.world\nimport game.world as w")
    assert game["w"] is game["world"] is game["late"]()
    game.exoload("game.world")
    assert game["late"]() is game["world"]


def test_claimed_first_import_joins_the_generation(game: PlainNotebook, workshop: Workshop) -> None:
    """Own code that a cell imports in the ordinary way reloads like any other, at its first edit."""
    game.run("from game.world import Room")
    assert "game.world" in game.session.generation.records
    workshop.edit("game/world.py", "class Room: colour = 'red'\n")
    assert game.reloaded() == ["game.world"]
    assert game["Room"].colour == "red"


def test_extension_module_is_shared(workshop: Workshop) -> None:
    """An extension or built-in module is loaded once: naming it gives the one that the process has."""
    workshop.write({"a.py": "import _json, math\n"})
    notebook = PlainNotebook()
    assert notebook.session.load("math") is sys.modules["math"]
    assert notebook.exoload("a").math is sys.modules["math"]


def test_bind_of_an_extension_module(workshop: Workshop) -> None:
    """A shared extension module can be bound to a notebook name like any other."""
    workshop.write({})
    notebook = PlainNotebook()
    notebook.session.load("math")
    notebook.session.bind("m", "math")
    assert notebook["m"] is sys.modules["math"]


def test_package_with_an_extension_core_is_refused(workshop: Workshop) -> None:
    """A package that can't do without its extension module is refused before anything of it runs."""
    from importlib.machinery import EXTENSION_SUFFIXES

    workshop.write({"fast/__init__.py": "import builtins; builtins.ran = 1\nfrom fast._core import go\n"})
    (workshop.folder / "fast" / f"_core{EXTENSION_SUFFIXES[0]}").write_bytes(b"")
    notebook = PlainNotebook()
    with pytest.raises(ExtensionPackageError, match=r"core is the extension module 'fast\._core'") as caught:
        notebook.session.load("fast")
    assert caught.value.name == "fast"
    assert not hasattr(builtins, "ran")
    assert "fast" not in sys.modules


def test_unreadable_folder(workshop: Workshop) -> None:
    """A file that may not be read is Python's own error, and nothing changes."""
    workshop.write({"locked.py": "x = 1\n"})
    (workshop.folder / "locked.py").chmod(0)
    if os.access(workshop.folder / "locked.py", os.R_OK):
        # The superuser reads everything: a folder in the file's place can't be read by anybody.
        (workshop.folder / "locked.py").unlink()
        (workshop.folder / "locked.py").mkdir()
    notebook = PlainNotebook()
    before = state_of(notebook, "locked")
    with pytest.raises((OSError, ImportError)):
        notebook.session.load("locked")
    assert state_of(notebook, "locked") == before


def test_loaded_modules_are_plain_modules(game: PlainNotebook) -> None:
    """What a load publishes are ordinary module objects, in `sys.modules` and in each other's globals."""
    game.exoload("main")
    for name in game.session.generation.records:
        if name.partition(".")[0] in ("game", "main"):
            module = sys.modules[name]
            assert type(module) is ModuleType
            assert [value for value in vars(module).values() if type(value).__name__ == "StandIn"] == []
