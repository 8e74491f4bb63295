"""Tab completion of the magics' arguments through IPython's own completer; nothing is imported by it."""

from __future__ import annotations

import sys

import pytest
from IPython.core.completer import provisionalcompleter

from tests.shells import Notebook
from tests.workshop import Workshop

FILES = {
    "gamebox/__init__.py": "VERSION = 1\nraise RuntimeError('imported')",
    "gamebox/world.py": "raise RuntimeError('imported')\nclass Room: pass\nclass Roof: pass\nDIRECTIONS = []\n_low = 1",
    "gamebox/commands/__init__.py": "",
    "gamebox/commands/general.py": "def look(): pass",
    "gamebad.py": "x = (",
    "gamenul.py": "x = 1\0",
}


@pytest.fixture
def game(notebook: Notebook, workshop: Workshop) -> Notebook:
    """A notebook on a package whose modules fail when they are imported."""
    workshop.write(FILES)
    return notebook


def press_tab(notebook: Notebook, text: str) -> list[str]:
    """Return the texts that Tab makes of the line so far, as the newer of IPython's two interfaces has it."""
    with provisionalcompleter():
        found = list(notebook.shell.Completer.completions(text, len(text)))
    return [text[: completion.start] + completion.text + text[completion.end :] for completion in found]


# The older of IPython's two interfaces, which frontends still use, says that it is the older one.
@pytest.mark.filterwarnings("ignore:`Completer.complete` is pending:PendingDeprecationWarning")
@pytest.mark.parametrize(
    ("line", "ends"),
    [
        ("%exoload gameb", ["gamebad", "gamebox"]),
        ("%exoload gamebox.", ["gamebox.commands", "gamebox.world"]),
        ("%exoload gamebox.commands.ge", ["gamebox.commands.general"]),
        ("m = %exoload gamebox.w", ["gamebox.world"]),
        ("  %exoload gamebox.w", ["gamebox.world"]),
        ("exoload gamebox.w", ["gamebox.world"]),
        ("%exoload fro", ["from"]),
        ("%exoload from gamebox.w", ["gamebox.world"]),
        ("%exoload from gamebox.world imp", ["import"]),
        ("%exoload from gamebox.world import Roo", ["Roof", "Room"]),
        ("%exoload from gamebox.world import Room, D", ["DIRECTIONS"]),
        ("%exoload from gamebox.world import Room,D", ["DIRECTIONS"]),
        ("%exoload from gamebox.world import (Roo", ["Roof", "Room"]),
        ("%exoload from gamebox import co", ["commands"]),
        ("%exoload from gamebox import V", ["VERSION"]),
        ("%exoload gamebox a", ["as"]),
        ("%exoreload --f", ["--force"]),
        ("%exoreload --", ["--dry-run", "--force"]),
    ],
)
def test_tab_completes_names_without_importing(game: Notebook, line: str, ends: list[str]) -> None:
    """Modules, submodules, what a module holds, keywords and options are offered; no module is loaded for it."""
    before = set(sys.modules)
    fragment = line.replace(",", " ").replace("(", " ").rpartition(" ")[2]
    expected = [line[: len(line) - len(fragment)] + end for end in ends]
    assert set(expected) <= set(press_tab(game, line))
    assert set(press_tab(game, line)) - set(expected) <= {found for found in press_tab(game, line) if "--" in line}
    _, matches = game.shell.Completer.complete(line_buffer=line, cursor_pos=len(line))
    assert set(ends) <= set(matches)
    assert not [name for name in set(sys.modules) - before if name.startswith("game")]


def test_what_no_import_can_name_is_not_offered(game: Notebook, workshop: Workshop) -> None:
    """Compiled packages put files with such names beside what they are for."""
    workshop.write({"6ec57__helper.py": "", "6ec57-x.py": ""})
    assert press_tab(game, "%exoload 6ec57") == []


def test_old_classes_complete_for_exomigrate(game: Notebook, workshop: Workshop) -> None:
    """`%exomigrate` offers the replaced classes that are alive, by either of their names, and its option."""
    workshop.write({"zoo.py": "class Cat: pass\n"})
    game.run("%exoload zoo\ncat = zoo.Cat()")
    assert press_tab(game, "%exomigrate zo") == []
    workshop.write({"zoo.py": "class Cat: age = 1\n"})
    game.run("%exoreload")
    assert press_tab(game, "%exomigrate zo") == ["%exomigrate zoo.Cat"]
    assert press_tab(game, "%exomigrate Ca") == ["%exomigrate Cat"]
    assert press_tab(game, "%exomigrate ") == ["%exomigrate --rebuild", "%exomigrate zoo.Cat"]
    assert press_tab(game, "%exomigrate --") == ["%exomigrate --rebuild"]


def test_what_is_old_completes_for_exowhy(game: Notebook, workshop: Workshop) -> None:
    """`%exowhy` offers the names that hold old objects, the definitions that are alive, and their generations."""
    workshop.write({"zoo.py": "class Cat: pass\n"})
    game.run("%exoload zoo\nkitten = zoo.Cat()")
    assert press_tab(game, "%exowhy kit") == []
    workshop.write({"zoo.py": "class Cat: age = 1\n"})
    game.run("%exoreload")
    assert press_tab(game, "%exowhy kit") == ["%exowhy kitten"]
    assert "%exowhy zoo.Cat" in press_tab(game, "%exowhy zo")
    assert "%exowhy 1" in press_tab(game, "%exowhy ")


def test_loaded_modules_complete_for_exoreload(game: Notebook, workshop: Workshop) -> None:
    """`%exoreload` offers what is loaded, and nothing else of the project."""
    workshop.write({"gameone.py": "", "gametwo.py": ""})
    game.run("%exoload gameone")
    assert press_tab(game, "%exoreload game") == ["%exoreload gameone"]
    assert press_tab(game, "%exoreload gameone gam") == ["%exoreload gameone gameone"]


@pytest.mark.parametrize(
    "line",
    [
        "%exoload gamebox.nope.",
        "%exoload from gamebad import x",
        "%exoload from gamenul import x",
        "%exoload from nope import x",
        "%exoload from  import x",
        "%exoload ..",
        "%exostatus gam",
        "%exoload gamebox as gam",
    ],
)
def test_tab_where_nothing_fits_offers_nothing_of_ours_and_says_nothing(
    game: Notebook, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A broken file, an unknown name or a place without a choice gives no module and prints no error."""
    assert not [found for found in press_tab(game, line) if "gamebox" in found.rpartition(" ")[2]]
    assert capsys.readouterr() == ("", "")


def test_other_completion_is_untouched(game: Notebook) -> None:
    """Outside of our magics IPython completes as before, names that look like them included."""
    game.run("some_long_name = 1\nexo = 2\nexoloads = [3]")
    lines = ("some_lo", "print(some_lo", "exo = some_lo", "exo some_lo", "exoloads some_lo", "%timeit some", "%who i")
    during = {line: press_tab(game, line) for line in lines}
    assert during["some_lo"] == ["some_long_name"]
    assert "%exoload" in press_tab(game, "%exol")
    assert press_tab(game, "%exore") == ["%exoreload"]
    game.run("%unload_ext exocet_ipython")
    assert {line: press_tab(game, line) for line in lines} == during
    assert press_tab(game, "%exore") == []
