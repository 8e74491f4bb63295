"""Each limit that the README states has a test, and each of these tests has its paragraph.

A strict xfail says what should be and isn't, so that a limit that has gone is noticed. What is so by design has an
ordinary test, which shows it.
"""

from __future__ import annotations

import ast
import logging
import os
import re
import sys
from pathlib import Path

import pytest

from exocet_ipython import load_named
from tests.plain_notebook import PlainNotebook
from tests.workshop import Workshop

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SECTION = README.partition("## What it cannot do\n")[2].partition("\n## ")[0]
PARAGRAPHS = [
    " ".join(title.split()).rstrip(".") for title in re.findall(r"^- \*\*(.*?)\*\*", SECTION, re.MULTILINE | re.DOTALL)
]

# How each paragraph begins -> its test, and whether that is a strict xfail.
LIMITS: dict[str, tuple[str, bool]] = {
    "Extension modules load once": ("stories/test_load.py::test_extension_module_is_shared", False),
    "What a module body does outside of your code": ("test_limits.py::test_a_failed_body_leaves_no_trace", True),
    "One broken module stops the whole reload": ("test_limits.py::test_a_module_beside_a_broken_one_is_reloaded", True),
    "Objects of the old code stay old": ("test_readme.py::test_the_comparison", False),
    "A library may call what nothing of yours": (
        "notebook/test_ladder.py::test_libraries_that_call_by_a_name_of_their_own",
        True,
    ),
    "A class that a function made keeps": ("notebook/test_ladder.py::test_lines_of_classes_that_functions_made", True),
    "What a finaliser brings back": (
        "survivors/test_policies.py::test_a_whole_generation_that_a_finaliser_brings_back",
        True,
    ),
    "`%exowhy` doesn't see": ("survivors/test_policies.py::test_frozen_objects", False),
    "What an array of objects holds": ("survivors/test_paths.py::test_arrays_of_objects", True),
    "Migrating moves what Python lets move": ("scenarios/corpus/generator-that-is-running.scn", True),
    "What only a call of the new code would have made": (
        "test_limits.py::test_old_instances_have_what_a_new_constructor_computes",
        True,
    ),
    "A frame that runs, and a closure": ("stories/test_labels.py::test_closures_made_before_are_labelled", True),
    "Processes keep what they have imported": (
        "stories/test_processes.py::test_the_workers_of_a_persons_pool_are_told_of_once",
        False,
    ),
    "`inspect.getsource` doesn't find": ("stories/test_labels.py::test_source_of_an_old_class", True),
    "Going back runs nothing": ("stories/test_undo.py::test_going_back_restores_what_calls_set_elsewhere", True),
    "What was imported while nobody looked": (
        "stories/test_reload.py::test_what_a_cell_did_before_the_adoption",
        True,
    ),
    "What a module's functions have computed": ("scenarios/corpus/answers-kept-by-the-module.scn", True),
    "A module that runs again sees": ("test_limits.py::test_what_a_module_takes_that_a_cell_has_assigned", True),
    "Lists, dicts, sets and tuples whose definition": ("test_limits.py::test_a_list_whose_definition_was_gone", True),
    "Modules in zip files are not watched": ("stories/test_reload.py::test_zip_files", False),
    "An import that no statement shows": ("stories/test_reload.py::test_imports_that_no_statement_shows", True),
    "What a cell registers with an object": ("scenarios/corpus/route-added-by-a-cell.scn", True),
    "Settings of libraries that nothing tells": ("test_limits.py::test_what_cells_set_that_nothing_tells", True),
    "A registration that shows nothing of who": ("test_limits.py::test_a_registration_of_a_number", True),
    "`pkgutil.walk_packages` in an isolated copy": ("test_limits.py::test_walking_packages_in_a_copy", True),
    "Names put into `builtins` after": ("loading/test_isolated.py::test_names_put_into_builtins_later", False),
    "An AttributeError can look like": (
        "stories/test_reload.py::test_attribute_error_that_another_body_catches",
        False,
    ),
}


@pytest.fixture
def notebook(workshop: Workshop) -> PlainNotebook:
    """A notebook beside an empty project."""
    workshop.write({})
    return PlainNotebook()


def test_every_paragraph_has_its_test() -> None:
    """The README's paragraphs and the table above are the same limits, in the same order."""
    unknown = [title for title in PARAGRAPHS if not any(title.startswith(begin) for begin in LIMITS)]
    assert unknown == []
    assert [begin for begin in LIMITS if not any(title.startswith(begin) for title in PARAGRAPHS)] == []


@pytest.mark.parametrize("begin", LIMITS)
def test_the_test_is_there(begin: str) -> None:
    """It exists, and is a strict xfail where the limit is none of the design's."""
    named, is_xfail = LIMITS[begin]
    path, _, name = named.partition("::")
    text = (ROOT / "tests" / path).read_text(encoding="utf-8")
    if path.endswith(".scn"):
        listed = (ROOT / "tests" / "scenarios" / "test_scenarios.py").read_text(encoding="utf-8")
        assert f'"{Path(path).stem}": ' in listed
        return
    (found,) = (node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef) and node.name == name)
    marks = [ast.unparse(decorator) for decorator in found.decorator_list]
    assert any("xfail" in mark and "strict=True" in mark for mark in marks) is is_xfail, marks


@pytest.mark.xfail(strict=True, reason="what a body does outside of its module is known to nobody")
def test_a_failed_body_leaves_no_trace(
    workshop: Workshop, notebook: PlainNotebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a reload that failed, the process is as it was."""
    monkeypatch.setenv("EXOCET_LIMIT", "before")
    workshop.write({"a.py": ""})
    notebook.run("import a")
    workshop.edit("a.py", "import os\nos.environ['EXOCET_LIMIT'] = 'after'\n1 / 0\n")
    with pytest.raises(ZeroDivisionError):
        notebook.reload()
    assert os.environ["EXOCET_LIMIT"] == "before"


@pytest.mark.xfail(strict=True, raises=ZeroDivisionError, reason="all that the edits reach is made anew, or nothing")
def test_a_module_beside_a_broken_one_is_reloaded(workshop: Workshop, notebook: PlainNotebook) -> None:
    """A module that has nothing to do with the broken one has its new text."""
    workshop.write({"good.py": "x = 1\n", "bad.py": ""})
    notebook.run("import good, bad")
    workshop.edit("good.py", "x = 2\n")
    workshop.edit("bad.py", "1 / 0\n")
    notebook.reload()


@pytest.mark.xfail(strict=True, raises=AttributeError, reason="the constructor is not called for an old instance")
def test_old_instances_have_what_a_new_constructor_computes(workshop: Workshop, notebook: PlainNotebook) -> None:
    """An instance that migrates has the attribute that the new constructor computes."""
    workshop.write({"shop.py": "class Cart:\n    def __init__(self):\n        self.items = []\n"})
    notebook.run("import shop\ncart = shop.Cart()")
    workshop.edit(
        "shop.py",
        """
        class Cart:
            def __init__(self):
                self.items, self.total = [], sum([1, 2])
        """,
    )
    notebook.session.reload(migrate=True)
    assert type(notebook["cart"]) is notebook["shop"].Cart
    assert notebook["cart"].total == 3


@pytest.mark.xfail(strict=True, reason="nobody keeps what the file had said before the cell assigned")
def test_what_a_module_takes_that_a_cell_has_assigned(workshop: Workshop, notebook: PlainNotebook) -> None:
    """A module that runs again takes the value of another module's file, as in a restart, where cells run later."""
    workshop.write({"conf.py": "LR = 0.1\n", "train.py": "from conf import LR\n"})
    notebook.run("import conf, train")
    notebook.run("conf.LR = 1")
    workshop.edit("train.py", "from conf import LR\nEPOCHS = 3\n")
    notebook.reload()
    assert notebook["train"].LR == 0.1


@pytest.mark.xfail(strict=True, reason="neither can be referenced weakly")
@pytest.mark.parametrize("value", ["[{}]", "Slim({})"])
def test_a_list_whose_definition_was_gone(workshop: Workshop, notebook: PlainNotebook, value: str) -> None:
    """What is defined again takes the place of the one that was, as an instance with a dict does."""
    slim = "class Slim:\n    __slots__ = 'n',\n    def __init__(self, n): self.n = n\n"
    workshop.write({"app.py": f"{slim}TABLE = {value.format(1)}\n"})
    notebook.run("import app\nheld = {'table': app.TABLE}")
    workshop.edit("app.py", slim)
    notebook.session.reload(migrate=True)
    workshop.edit("app.py", f"{slim}TABLE = {value.format(2)}\n")
    notebook.session.reload(migrate=True)
    assert notebook["held"]["table"] is notebook["app"].TABLE


@pytest.mark.xfail(strict=True, reason="a tuple can't be referenced weakly, and a list can't take its place as a key")
def test_a_key_whose_name_was_given_a_list_for_a_while(workshop: Workshop, notebook: PlainNotebook) -> None:
    """A tuple that is defined again takes the place of the one that is a key."""
    workshop.write({"app.py": "def draw(): pass\nSTEPS = (draw,)\n"})
    notebook.run("import app\nheld = {app.STEPS: 1}")
    for text in ("def draw(): pass\nSTEPS = [draw]\n", "def draw(): pass\nSTEPS = (draw, 1)\n"):
        workshop.edit("app.py", text)
        notebook.session.reload(migrate=True)
    assert notebook["app"].STEPS in notebook["held"]


@pytest.mark.xfail(strict=True, reason="neither the entry nor the text shows who has registered it")
def test_a_registration_of_a_number(workshop: Workshop, notebook: PlainNotebook) -> None:
    """What an edit no longer registers is gone from a list of another module."""
    workshop.write(
        {
            "levels.py": "class Level:\n    def __init__(self, n): self.n = n\nlevels = []\n",
            "game.py": "import levels\nlevels.levels.append(levels.Level(3))\n",
        }
    )
    notebook.run("import levels, game")
    workshop.write({"game.py": "import levels\n"})
    notebook.reload()
    assert notebook["levels"].levels == []


@pytest.mark.parametrize("line", ["", "logging.disable(logging.INFO)\n"])
@pytest.mark.xfail(strict=True, reason="nothing gives what was set, or it was set when no body had set it yet")
def test_what_cells_set_that_nothing_tells(workshop: Workshop, notebook: PlainNotebook, line: str) -> None:
    """What a cell has set stays when the body sets it again, or for the first time."""
    later = line or "logging.root.manager.disable = logging.INFO\n"
    workshop.write({"app.py": f"import logging\n{line}STEPS = [1]\n"})
    notebook.run("import logging, app\nlogging.disable(logging.ERROR)")
    workshop.edit("app.py", f"import logging\n{later}STEPS = [1, 2]\n")
    try:
        notebook.reload()
        assert logging.root.manager.disable == logging.ERROR
    finally:
        logging.disable(logging.NOTSET)


@pytest.mark.xfail(strict=True, reason="pkgutil imports by its own import statement")
def test_walking_packages_in_a_copy(workshop: Workshop) -> None:
    """What a copy walks over is not imported for all."""
    folder = str(workshop.folder)
    workshop.write(
        {"walker.py": f"import pkgutil\nFOUND = [*pkgutil.walk_packages([{folder!r}])]\n", "inner/__init__.py": ""}
    )
    load_named("walker")
    assert "inner" not in sys.modules
