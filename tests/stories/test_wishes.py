"""What an author's module says for itself: what it keeps, what it reads, and what is due when it retires."""

from __future__ import annotations

import gc
import importlib
import os
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

import pytest

from exocet_ipython import ExocetError, NotInModuleBodyError, WishTwiceError, WishTypeError, depends_on, keep, on_retire
from exocet_ipython.loading.isolated import load_named
from exocet_ipython.notebook.session import Session
from tests.plain_notebook import PlainNotebook, python_import
from tests.shells import Notebook
from tests.workshop import Workshop

CACHE = """
from exocet_ipython import keep

CACHE = keep("cache", dict)
MADE = keep("made", lambda: [])
MADE.append({})
"""


@pytest.fixture
def notebook(workshop: Workshop) -> PlainNotebook:
    """A notebook beside an empty project."""
    workshop.write({})
    return PlainNotebook()


def reload_all(notebook: PlainNotebook) -> None:
    """Reload what changed as `%exoreload --migrate` does."""
    report = notebook.session.reload(migrate=True)
    if report.error is not None:
        raise report.error


# -- keep --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", ["import a", "%exoload"])
def test_keep_gives_every_version_the_same_object(workshop: Workshop, notebook: PlainNotebook, cell: str) -> None:
    """The factory is called once, however the module was loaded first and however often it is made anew."""
    workshop.write({"a.py": CACHE.format(0)})
    if cell == "import a":
        notebook.run(cell)
    else:
        notebook.exoload("a")
    notebook.run("from a import CACHE, MADE")
    cache = notebook["CACHE"]
    for number in range(1, 4):
        workshop.edit("a.py", CACHE.format(number))
        assert notebook.reloaded() == ["a"]
        assert notebook["a"].CACHE is cache is notebook["CACHE"]
    assert notebook["a"].MADE == [0, 1, 2, 3]
    notebook.exoload("a")
    assert notebook["a"].CACHE is cache


def test_keep_survives_a_failure_and_its_repair(workshop: Workshop, notebook: PlainNotebook) -> None:
    """What a build that failed has made is not kept: it was never current."""
    workshop.write({"a.py": "from exocet_ipython import keep\nONE = keep('one', object)\n"})
    notebook.exoload("a")
    one = notebook["a"].ONE
    broken = "from exocet_ipython import keep\nclass New: pass\nONE = keep('one', New)\nTWO = keep('two', {})\n{}\n"
    workshop.edit("a.py", broken.format("New", "1 / 0"))
    with pytest.raises(ZeroDivisionError):
        notebook.reload()
    assert notebook["a"].ONE is one
    workshop.edit("a.py", broken.format("lambda: 2", ""))
    notebook.reload()
    assert notebook["a"].ONE is one
    assert notebook["a"].TWO == 2


def test_keep_remembers_a_name_that_one_version_does_not_ask_for(workshop: Workshop, notebook: PlainNotebook) -> None:
    """A line that was commented out for a while gets its value back."""
    workshop.write({"a.py": CACHE.format(0)})
    notebook.exoload("a")
    cache = notebook["a"].CACHE
    workshop.edit("a.py", "x = 1\n")
    notebook.reload()
    workshop.edit("a.py", CACHE.format(1))
    notebook.reload()
    assert notebook["a"].CACHE is cache


def test_kept_instances_move_when_asked(workshop: Workshop, notebook: PlainNotebook) -> None:
    """A kept instance of the module's own class has the new class after migrating, and the old one without."""
    text = "from exocet_ipython import keep\nclass Pool:\n    def size(self): return {}\nPOOL = keep('pool', Pool)\n"
    workshop.write({"a.py": text.format(1)})
    notebook.exoload("a")
    pool = notebook["a"].POOL
    workshop.edit("a.py", text.format(2))
    notebook.reload()
    assert (notebook["a"].POOL, pool.size()) == (pool, 1)
    workshop.edit("a.py", text.format(3))
    reload_all(notebook)
    assert (notebook["a"].POOL, pool.size(), type(pool)) == (pool, 3, notebook["a"].Pool)


def test_keep_in_a_class_body_and_in_a_function_at_import(workshop: Workshop, notebook: PlainNotebook) -> None:
    """The body of the module is under way then, and the value is the module's."""
    text = """
    from exocet_ipython import keep
    class Shop:
        stock = keep("stock", dict)
    def pool():
        return keep("pool", list)
    POOL = pool()
    x = {}
    """
    workshop.write({"a.py": text.format(1, x="{}")})
    module = notebook.exoload("a")
    kept = module.Shop.stock, module.POOL
    workshop.edit("a.py", text.format(2))
    notebook.reload()
    now = notebook["a"]
    assert now.Shop.stock is kept[0]
    assert now.POOL is kept[1]


def test_keep_without_a_session(workshop: Workshop) -> None:
    """Plain imports, copies and `importlib.reload` run the module as it is; a reload by Python keeps as well."""
    workshop.write({"a.py": CACHE.format(0)})
    module = python_import("a")
    cache = module.CACHE
    assert load_named("a").CACHE is not cache
    assert importlib.reload(module).CACHE is cache


def test_a_script_that_keeps_runs_without_ipython(tmp_path: Path) -> None:
    """In production nothing of IPython is imported, and all three functions do what they say."""
    script = tmp_path / "serve.py"
    script.write_text(
        "import sys\n"
        "from exocet_ipython import depends_on, keep, on_retire\n"
        "@on_retire\n"
        "def close(): raise SystemExit(3)\n"
        "print(keep('n', lambda: 5), depends_on('no.txt').name, 'IPython' in sys.modules)\n"
    )
    run = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["5", "no.txt", "False"]


def test_nothing_lives_because_it_was_kept(workshop: Workshop, notebook: PlainNotebook) -> None:
    """When the module is gone, so is what it kept, its callbacks and what these hold."""
    workshop.write(
        {
            "a.py": """
            from exocet_ipython import keep, on_retire
            class Thing: pass
            THING = keep("thing", Thing)
            on_retire(lambda thing=Thing(): None)
            """
        }
    )
    notebook.run("import a")
    thing = weakref.ref(notebook["a"].THING)
    cls = weakref.ref(notebook["a"].Thing)
    workshop.write({"a.py": "x = 1\n"})
    (workshop.folder / "a.py").unlink()
    notebook.reload()
    del notebook.space["a"]
    gc.collect()
    assert (thing(), cls()) == (None, None)


# -- __exo_keep__ ------------------------------------------------------------------------------------------------------

MODEL = """
__exo_keep__ = ("MODEL", "count")
if "MODEL" not in globals():
    MODEL = object()
count = 0
def step():
    global count
    count += 1
x = {}
"""


def test_kept_globals_are_there_before_the_body_runs_and_after_it(workshop: Workshop, notebook: PlainNotebook) -> None:
    """The body finds the value, and what it assigns all the same gives way to the kept one."""
    workshop.write({"a.py": MODEL.format(1)})
    notebook.run("import a\nfrom a import MODEL, step")
    model = notebook["MODEL"]
    notebook["step"]()
    workshop.edit("a.py", MODEL.format(2))
    notebook.reload()
    assert (notebook["a"].MODEL, notebook["MODEL"], notebook["a"].count) == (model, model, 1)
    notebook["step"]()
    assert notebook["a"].count == 2


def test_importers_see_the_kept_value(workshop: Workshop, notebook: PlainNotebook) -> None:
    """What a module of the same reload imports is the kept value, and not what the body made before it was put back."""
    workshop.write({"a.py": "__exo_keep__ = ['M']\nM = object()\nx = 1\n", "b.py": "from a import M, x\n"})
    notebook.run("import b\nfrom b import M")
    kept = notebook["M"]
    workshop.edit("a.py", "__exo_keep__ = ['M']\nM = object()\nx = 2\n")
    notebook.reload()
    assert (notebook["b"].M, notebook["M"], notebook["b"].x) == (kept, kept, 2)


def test_keeping_begins_with_the_edit_that_asks_for_it_and_ends_with_the_one_that_does_not(
    workshop: Workshop, notebook: PlainNotebook
) -> None:
    """The text that is about to run decides, not the one that ran before."""
    body = "if 'M' not in globals():\n    M = object()\n"
    workshop.write({"a.py": body})
    notebook.exoload("a")
    first = notebook["a"].M
    workshop.edit("a.py", "__exo_keep__ = ('M',)\n" + body)
    notebook.reload()
    assert notebook["a"].M is first
    workshop.edit("a.py", body)
    notebook.reload()
    assert notebook["a"].M is not first


def test_a_name_that_the_old_module_lacks_is_set_by_the_body(workshop: Workshop, notebook: PlainNotebook) -> None:
    """A new name in the list begins with what the body makes."""
    workshop.write({"a.py": "__exo_keep__ = ('M',)\nM = 1\n"})
    notebook.exoload("a")
    workshop.edit("a.py", "__exo_keep__ = ('M', 'N')\nM = 2\nN = 3\n")
    notebook.reload()
    assert (notebook["a"].M, notebook["a"].N) == (1, 3)


def test_kept_globals_survive_failures(workshop: Workshop, notebook: PlainNotebook) -> None:
    """A build that failed has changed neither the old module nor what is kept."""
    workshop.write({"a.py": MODEL.format(1)})
    notebook.exoload("a")
    model = notebook["a"].MODEL
    for broken in (MODEL.format("1 / 0"), "MODEL = 3\n__exo_keep__ = (\n"):
        workshop.edit("a.py", broken)
        with pytest.raises((ZeroDivisionError, SyntaxError)):
            notebook.reload()
        assert notebook["a"].MODEL is model
    workshop.edit("a.py", MODEL.format(3))
    notebook.reload()
    assert notebook["a"].MODEL is model


def test_a_computed_list_of_names(workshop: Workshop, notebook: PlainNotebook) -> None:
    """Where the text computes the list, the one before it says what is there when the body begins."""
    text = "names = ['M']\n__exo_keep__ = tuple(names)\nif 'M' not in globals():\n    M = object()\nx = {}\n"
    workshop.write({"a.py": text.format(1)})
    notebook.exoload("a")
    kept = notebook["a"].M
    workshop.edit("a.py", text.format(2))
    notebook.reload()
    assert notebook["a"].M is kept


@pytest.mark.parametrize("given", ["'MODEL'", "3", "('MODEL', 4)", "['__name__']", "['a b']", "None"])
def test_names_to_keep_that_make_no_sense_are_refused(workshop: Workshop, notebook: PlainNotebook, given: str) -> None:
    """The reload is refused as a whole, with the file and what to write instead."""
    workshop.write({"a.py": "MODEL = 1\n"})
    notebook.exoload("a")
    workshop.edit("a.py", f"MODEL = 2\n__exo_keep__ = {given}\n")
    with pytest.raises(WishTypeError, match=r"__exo_keep__ of 'a'.*a\.py.*list the names") as caught:
        notebook.reload()
    assert isinstance(caught.value, TypeError)
    assert notebook["a"].MODEL == 1


# -- on_retire ---------------------------------------------------------------------------------------------------------

CLOSING = """
import log
from exocet_ipython import on_retire
version = {0}
@on_retire
def close():
    log.said.append(("close", version))
on_retire(lambda: log.said.append(("lambda", version)))
def make(what):
    def inner():
        log.said.append((what, version))
    return inner
on_retire(make("closure"))
"""


@pytest.mark.parametrize("instances", ["track", "migrate"])
def test_callbacks_are_called_once_newest_first_about_their_own_version(
    workshop: Workshop, notebook: PlainNotebook, instances: str
) -> None:
    """They see the globals of the version that registered them, even where something holds and migrates them."""
    workshop.write({"log.py": "said = []\n", "a.py": CLOSING.format(1)})
    notebook.run("import a, log\nheld = [a.close]")
    for version in (2, 3):
        workshop.edit("a.py", CLOSING.format(version))
        report = notebook.session.reload(migrate=instances == "migrate")
        assert report.error is None
        expected = [(what, version - 1) for what in ("closure", "lambda", "close")]
        assert notebook["log"].said[-3:] == expected
    assert len(notebook["log"].said) == 6
    assert notebook["a"].version == 3


def test_a_version_that_goes_on_with_a_new_constant_has_not_been_replaced(
    workshop: Workshop, notebook: PlainNotebook
) -> None:
    """What it runs goes on and reads the new value; where a callback uses it, that is told, and has the old one."""
    text = """
        from exocet_ipython import on_retire
        PAUSE = {pause}
        PORT = {port}
        SAID = []
        def pause():
            return PAUSE
        def close():
            SAID.append(PORT)
        @on_retire
        def stop():
            close()
    """
    workshop.write({"a.py": text.format(pause=1, port=80)})
    module = notebook.exoload("a")
    said = module.SAID
    workshop.edit("a.py", text.format(pause=2, port=80))
    reload_all(notebook)
    assert (said, notebook["a"] is module, module.pause()) == ([], True, 2)
    workshop.edit("a.py", text.format(pause=2, port=81))
    reload_all(notebook)
    assert (said, notebook["a"] is module, notebook["a"].SAID) == ([80], False, [])


def test_callbacks_are_called_after_publishing_dependants_first(workshop: Workshop, notebook: PlainNotebook) -> None:
    """The new version is current when the old one is told, and who imports is told before who is imported."""
    text = "import sys\nfrom exocet_ipython import on_retire\n{}\n"
    call = "on_retire(lambda: SAID.append((__name__, sys.modules[__name__].x)))\nx = {}\n"
    workshop.write(
        {
            "log.py": "SAID = []\n",
            "base.py": text.format("from log import SAID\n" + call.format(1)),
            "top.py": text.format("import base\nfrom log import SAID\n" + call.format("base.x")),
        }
    )
    notebook.run("import top, log")
    workshop.edit("base.py", text.format("from log import SAID\n" + call.format(2)))
    notebook.reload()
    assert notebook["log"].SAID == [("top", 2), ("base", 2)]


def test_a_module_whose_file_is_deleted_retires(workshop: Workshop, notebook: PlainNotebook) -> None:
    """It is told as well."""
    workshop.write({"log.py": "said = []\n", "a.py": CLOSING.format(1)})
    notebook.run("import a, log")
    (workshop.folder / "a.py").unlink()
    notebook.reload()
    assert ("close", 1) in notebook["log"].said


def test_callbacks_of_builds_that_failed_are_not_called(workshop: Workshop, notebook: PlainNotebook) -> None:
    """Neither those of the new version, which was never current, nor those of the old one, which goes on."""
    workshop.write({"log.py": "said = []\n", "a.py": CLOSING.format(1)})
    notebook.run("import a, log")
    workshop.edit("a.py", CLOSING.format(2) + "1 / 0\n")
    with pytest.raises(ZeroDivisionError):
        notebook.reload()
    assert notebook["log"].said == []
    workshop.edit("a.py", CLOSING.format(3))
    notebook.reload()
    assert {version for _, version in notebook["log"].said} == {1}


def test_errors_of_callbacks_are_shown_and_stop_nothing(workshop: Workshop) -> None:
    """Each error is shown with a note whose it is; all other callbacks run, SystemExit included."""
    shown: list[BaseException] = []
    session = Session({}, show_error=shown.append)
    text = "from exocet_ipython import on_retire\nx = {}\non_retire(lambda: SAID.append(1))\nSAID = []\n"
    text += "on_retire(lambda: 1 / 0)\non_retire(lambda: exit(3))\non_retire(lambda: SAID.append(2))\n"
    workshop.write({"a.py": text.format(1)})
    said = session.load("a").SAID
    workshop.edit("a.py", text.format(2))
    report = session.reload()
    assert [module.name for module in report.reloaded] == ["a"]
    assert [type(error) for error in shown] == [SystemExit, ZeroDivisionError]
    assert all("on_retire of a" in error.__notes__[0] for error in shown)
    assert said == [2, 1]


def test_an_interrupted_callback_stops_no_other_and_is_not_swallowed(
    workshop: Workshop, notebook: PlainNotebook
) -> None:
    """All is new then, and the person's Ctrl-C is theirs."""
    text = "from exocet_ipython import on_retire\nx = {}\nSAID = []\non_retire(lambda: SAID.append(x))\n"
    text += "@on_retire\ndef stop(): raise KeyboardInterrupt\n"
    workshop.write({"a.py": text.format(1)})
    said = notebook.exoload("a").SAID
    workshop.edit("a.py", text.format(2))
    with pytest.raises(KeyboardInterrupt):
        notebook.reload()
    assert (said, sys.modules["a"].x) == ([1], 2)


@pytest.mark.parametrize("way", ["auto", "explicit", "load"])
def test_the_person_sees_the_error_of_a_callback(auto: Notebook, workshop: Workshop, way: str) -> None:
    """In a notebook it is shown as any error, with the person's own line and no frame of ours."""
    text = "from exocet_ipython import on_retire\nx = [{}]\n@on_retire\ndef close():\n    1 / 0\n"
    workshop.write({"a.py": text.format(1)})
    auto.run("import a")
    if way != "auto":
        auto.run("%exoauto off")
    workshop.edit("a.py", text.format(2))
    said = auto.run({"auto": "pass", "explicit": "%exoreload", "load": "%exoload a"}[way])
    assert "ZeroDivisionError" in said
    assert "1 / 0" in said
    assert "on_retire of a" in said
    assert "exocet_ipython/" not in said
    assert auto.value("a.x") == [2]


def test_a_callback_may_hold_and_close_what_its_own_version_made(workshop: Workshop, notebook: PlainNotebook) -> None:
    """A bound method of a module-level instance closes the old instance, although holders get the new one."""
    text = """
    from exocet_ipython import on_retire
    class Pool:
        open = True
        def close(self): self.open = False
    POOL = Pool()
    on_retire(POOL.close)
    x = [{}]
    """
    workshop.write({"a.py": text.format(1)})
    notebook.run("import a\nold = [a.POOL]")
    pool = notebook["a"].POOL
    workshop.edit("a.py", text.format(2))
    reload_all(notebook)
    assert (pool.open, notebook["a"].POOL.open, notebook["old"][0]) == (False, True, notebook["a"].POOL)


# -- depends_on --------------------------------------------------------------------------------------------------------

WORDS = """
from exocet_ipython import depends_on
name = "words"
PATH = depends_on(f"{{name}}.txt")
WORDS = PATH.read_text().split() if PATH.exists() else None
x = {}
"""


@pytest.mark.parametrize("first", ["import a, b\nfrom b import WORDS", "%exoload"])
def test_a_data_file_is_a_source(workshop: Workshop, notebook: PlainNotebook, first: str) -> None:
    """A change of it makes the module and its importers anew, and so does its vanishing and its appearing."""
    workshop.write({"a.py": WORDS.format(1), "b.py": "from a import WORDS\n", "words.txt": "one"})
    if first == "%exoload":
        notebook.exoload("b")
        notebook.run("from b import WORDS")
    else:
        notebook.run(first)
    assert notebook["WORDS"] == ["one"]
    assert not notebook.reloaded()
    workshop.edit("words.txt", "one two", same_time=True)
    assert notebook.reloaded() == ["a", "b"]
    assert notebook["WORDS"] == ["one", "two"]
    (workshop.folder / "words.txt").unlink()
    assert notebook.reloaded() == ["a", "b"]
    assert notebook.space.get("WORDS", "") is None
    assert not notebook.reloaded()
    workshop.write({"words.txt": "three"})
    assert notebook.reloaded() == ["a", "b"]
    assert notebook["WORDS"] == ["three"]
    workshop.edit("a.py", WORDS.format(2))
    notebook.reload()
    workshop.edit("words.txt", "four")
    assert notebook.reloaded() == ["a", "b"]


def test_a_data_file_under_auto(auto: Notebook, workshop: Workshop) -> None:
    """Each cell runs on the file that is there: changed, deleted, in a folder that is made later, empty."""
    text = "from exocet_ipython import depends_on\nimport os\nclass Place(os.PathLike):\n"
    text += "    def __fspath__(self): return 'data/' + 'words.txt'\n"
    text += "PATH = depends_on(Place())\nWORDS = PATH.read_text() if PATH.exists() else None\n"
    workshop.write({"a.py": text})
    auto.run("from a import WORDS")
    assert auto.value("WORDS") is None
    assert auto.run("pass") == ""
    workshop.write({"data/words.txt": ""})
    assert auto.value("WORDS") == ""
    for number in range(5):
        (workshop.folder / "data/words.txt").write_text(str(number))
        assert auto.value("WORDS") == str(number)
        assert auto.run("pass") == ""
    (workshop.folder / "data/words.txt").unlink()
    assert auto.value("WORDS") is None
    assert auto.run("pass") == ""


def test_a_data_file_that_changes_while_the_module_runs(workshop: Workshop, notebook: PlainNotebook) -> None:
    """What is saved between naming a file and the end of the body may not be what was read: the module runs again."""
    text = WORDS.format(1) + "if WORDS == ['one']: PATH.write_text('two')\n"
    workshop.write({"a.py": text, "words.txt": "one"})
    notebook.exoload("a")
    assert notebook["a"].WORDS == ["one"]
    assert notebook.reloaded() == ["a"]
    assert notebook["a"].WORDS == ["two"]
    assert notebook.reloaded() == []


def test_a_file_that_only_a_function_writes_is_no_source(workshop: Workshop, notebook: PlainNotebook) -> None:
    """What cells have a module save beside itself doesn't make the module anew, whatever it says its name is."""
    text = "from pathlib import Path\nHERE = Path(__file__).parent\nCACHE = []\n"
    text += "def save(text): (HERE / 'results.txt').write_text(text)\n"
    text += "def read(): return (HERE / 'results.txt').read_text()\n"
    workshop.write({"a.py": text, "results.txt": "", "words.txt": "one"})
    workshop.write({"b.py": "from a import HERE, save\nWORDS = (HERE / 'words.txt').read_text()\n"})
    notebook.exoload("b")
    notebook.run("import a; a.save('first')")
    assert notebook.reloaded() == []
    workshop.edit("words.txt", "two")
    assert notebook.reloaded() == ["b"]
    assert notebook["a"].read() == "first"


def test_a_large_data_file_is_compared_by_time_and_size(workshop: Workshop, notebook: PlainNotebook) -> None:
    """Reading gigabytes at a cell would be worse than running a module once too often."""
    workshop.write({"a.py": "from exocet_ipython import depends_on\ndepends_on('weights' + '.bin')\n"})
    path = workshop.folder / "weights.bin"
    with path.open("wb") as file:
        file.truncate(20_000_000)
    notebook.exoload("a")
    assert notebook.reloaded() == []
    os.utime(path, (1, 1))
    assert notebook.reloaded() == ["a"]


# -- __exo_frozen__ and __exo_migrate__ --------------------------------------------------------------------------------


def test_a_frozen_module_runs_only_when_it_is_named(workshop: Workshop, notebook: PlainNotebook) -> None:
    """Its edit is reported as left undone; naming it runs it, and `False` or another value freezes nothing."""
    workshop.write({"a.py": "__exo_frozen__ = True\nx = 1\n", "b.py": "__exo_frozen__ = 1\nx = 1\n"})
    notebook.run("import a, b")
    workshop.edit("a.py", "__exo_frozen__ = True\nx = 2\n")
    workshop.edit("b.py", "__exo_frozen__ = False\nx = 2\n")
    report = notebook.reload()
    assert [module.name for module in report.reloaded] == ["b"]
    assert [module.name for module in report.skipped] == ["a"]
    notebook.reload("a")
    assert notebook["a"].x == 2


def test_a_class_migrates_its_own_instances(workshop: Workshop, notebook: PlainNotebook) -> None:
    """`__exo_migrate__(self, old_class)` of the new class is called with each instance; one that raises stays old."""
    workshop.write({"a.py": "class User:\n    def __init__(self, name): self.name = name\n"})
    notebook.run("import a\nusers = [a.User('Ada Lovelace'), a.User('Plato')]")
    old = notebook["a"].User
    workshop.edit(
        "a.py",
        "class User:\n    def __exo_migrate__(self, old):\n        self.first, self.last = self.name.split()\n"
        "        self.was = old\n",
    )
    report = notebook.session.reload(migrate=True)
    ada, plato = notebook["users"]
    assert (ada.first, ada.last, ada.was, type(ada)) == ("Ada", "Lovelace", old, notebook["a"].User)
    assert type(plato) is old
    assert "not enough values" in report.stuck[0].reason


# -- bad input ---------------------------------------------------------------------------------------------------------

WRONG: dict[str, tuple[str, type[ExocetError], str]] = {
    "a name that is no string": ("keep(3, dict)", WishTypeError, "a string, not int"),
    "no factory": ("keep('a', {})", WishTypeError, "makes 'a', not dict"),
    "twice": ("keep('a', dict); keep('a', dict)", WishTwiceError, "'a' is kept twice"),
    "no callback": ("on_retire(3)", WishTypeError, "a function, not int"),
    "no path": ("depends_on(3)", WishTypeError, "path of a file, not 3"),
    "bytes": ("depends_on(b'a')", WishTypeError, "path of a file"),
    "an empty path": ("depends_on('')", WishTypeError, "path of a file, not ''"),
    "a null character": ("depends_on('a\\0')", WishTypeError, "path of a file"),
    "a folder": ("depends_on('.')", WishTypeError, "is a folder"),
}


@pytest.mark.parametrize("case", WRONG)
def test_bad_input_says_what_where_and_what_next(workshop: Workshop, case: str) -> None:
    """The error is a standard one of its kind, names the person's own line, and gives advice."""
    code, kind, what = WRONG[case]
    workshop.write({"a.py": f"from exocet_ipython import *\n{code}\n"})
    with pytest.raises(kind, match=what) as caught:
        python_import("a")
    assert caught.value.where == workshop.path("a.py") + ":2"
    assert caught.value.advice


@pytest.mark.parametrize("code", ["keep('a', dict)", "on_retire(print)", "depends_on('a')"])
def test_a_cell_may_not_say_it_nor_a_function_later(workshop: Workshop, auto: Notebook, code: str) -> None:
    """There is no module's body then that it could be about."""
    workshop.write({"a.py": f"from exocet_ipython import *\ndef later():\n    {code}\n"})
    assert "outside of a module's file" in auto.fail(f"from exocet_ipython import *\n{code}", NotInModuleBodyError)
    assert "no body of 'a' runs" in auto.fail("import a\na.later()", NotInModuleBodyError)


def test_the_functions_are_for_bodies_only() -> None:
    """A test, whose module has run, is told so as well."""
    calls: list[Any] = [lambda: keep("a", dict), lambda: on_retire(print), lambda: depends_on("a")]
    for call in calls:
        with pytest.raises(NotInModuleBodyError) as caught:
            call()
        assert isinstance(caught.value, RuntimeError)
