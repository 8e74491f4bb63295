"""How modules join a session in which automatic reloading is on: claimed at their first import, or adopted."""

from __future__ import annotations

import gc
import importlib
import py_compile
import sys
import threading

import pytest

from exocet_ipython.notebook.shell import attach
from tests.shells import Notebook
from tests.workshop import Workshop

COUNTING = "import sys\nsys.runs_of_model += 1\n"
SECONDS = 30  # the longest a test waits for a thread


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> str:
    """An expression for how often the body of `model` ran; the count is gone after the test."""
    monkeypatch.setattr(sys, "runs_of_model", 0, raising=False)
    return "__import__('sys').runs_of_model"


# -- claimed -----------------------------------------------------------------------------------------------------------


def test_a_first_import_runs_once_and_looks_like_any_other(auto: Notebook, workshop: Workshop, runs: str) -> None:
    """The module is Python's own: its loader, its spec, its file, in `sys.modules`."""
    workshop.write({"model.py": COUNTING + "N = 1"})
    auto.run("import model")
    assert auto.value(runs) == 1
    model = auto["model"]
    assert model is sys.modules["model"]
    assert type(model).__name__ == "module"
    assert type(model.__loader__).__name__ == "SourceFileLoader"
    assert model.__file__ == workshop.path("model.py")
    assert vars(model.__loader__).keys() == {"name", "path"}


@pytest.mark.parametrize("is_on", [True, False])
def test_bodies_run_with_the_collector_as_the_person_set_it(auto: Notebook, workshop: Workshop, *, is_on: bool) -> None:
    """It is only held back between bodies and cells, and is afterwards as it was."""
    workshop.write({"model.py": "import gc, inner\non = gc.isenabled()", "inner.py": "import gc\non = gc.isenabled()"})
    auto.run(f"import gc\ngc.{'enable' if is_on else 'disable'}()")
    try:
        auto.run("import model")
        assert auto.value("model.on, model.inner.on, gc.isenabled()") == (is_on, is_on, is_on)
    finally:
        gc.enable()


def test_what_a_cell_has_imported_is_there_before_the_next_one(auto: Notebook, workshop: Workshop) -> None:
    """Whoever asks between two cells is told of it, and `%exoauto off` leaves it in the session."""
    workshop.write({"model.py": "N = 1"})
    session = attach(auto.shell).session
    auto.run("import model")
    assert "model" in session.managed.names()
    assert [module.name for module in session.status().modules] == ["model"]
    workshop.write({"other.py": "N = 1"})
    auto.run("import other")
    session.managed.stop_following()
    workshop.edit("other.py", "N = 2")
    assert [module.name for module in session.reload().reloaded] == ["other"]


def test_what_is_saved_right_after_the_import_is_seen(auto: Notebook, workshop: Workshop) -> None:
    """Texts, data files and modules that failed to be there count from the import on, not from the next cell on."""
    optional = "try:\n    import pkg.extra\n    HAS = True\nexcept ImportError:\n    HAS = False"
    data = 'import pathlib\nTEXT = pathlib.Path(__file__).with_name("words.txt").read_text()'
    workshop.write({"pkg/__init__.py": optional, "pkg/data.py": data, "pkg/words.txt": "one", "pkg/text.py": "N = 1"})
    auto.run("import pkg, pkg.data, pkg.text")
    workshop.write({"pkg/extra.py": ""})
    workshop.edit("pkg/words.txt", "two")
    workshop.edit("pkg/text.py", "N = 2", same_time=True)
    assert auto.value("pkg.HAS, pkg.data.TEXT, pkg.text.N") == (True, "two", 2)


def test_what_functions_import_later_joins_too(auto: Notebook, workshop: Workshop) -> None:
    """An import inside a function that is called hours later is an ordinary one."""
    workshop.write({"app.py": "def f():\n    import late\n    return late.N", "late.py": "N = 1"})
    auto.run("import app")
    assert auto.value("app.f()") == 1
    workshop.edit("late.py", "N = 2")
    assert auto.value("app.f()") == 2


def test_an_import_in_a_function_finds_what_was_saved_before_its_first_call(auto: Notebook, workshop: Workshop) -> None:
    """A module that nobody has imported yet has nothing to reload: it is loaded as it is on disk then."""
    workshop.write({"app.py": "def f():\n    import late\n    return late.N", "late.py": "N = 1"})
    auto.run("import app")
    workshop.edit("late.py", "N = 2")
    assert auto.run("assert app.f() == 2") == ""


def test_a_new_import_of_an_edited_module_comes_with_it(auto: Notebook, workshop: Workshop) -> None:
    """An edit may import what was never loaded; both are followed from then on."""
    workshop.write({"app.py": "N = 1", "fresh.py": "N = 5"})
    auto.run("import app")
    workshop.edit("app.py", "from fresh import N")
    assert auto.value("app.N") == 5
    workshop.edit("fresh.py", "N = 6")
    assert auto.value("app.N") == 6


def test_a_module_imported_by_a_thread_between_cells_is_followed(auto: Notebook, workshop: Workshop) -> None:
    """Nobody runs a cell for it, and still the very next cell has what was saved after it."""
    workshop.write({"model.py": "N = 1"})
    auto.run("import sys")
    thread = threading.Thread(target=importlib.import_module, args=["model"])
    thread.start()
    thread.join(SECONDS)
    workshop.edit("model.py", "N = 2")
    assert auto.value("sys.modules['model'].N") == 2


def test_a_module_that_a_thread_is_still_loading_joins_when_it_is_done(auto: Notebook, workshop: Workshop) -> None:
    """A cell ends while a thread is in the middle of an import: what the module becomes is what is recorded."""
    workshop.write({"slow.py": "import sync\nsync.begun.set()\nsync.go.wait(30)\nITEMS = [1]\nN = 1"})
    workshop.write({"sync.py": "import threading\nbegun = threading.Event()\ngo = threading.Event()"})
    auto.run("import sync, sys")
    thread = threading.Thread(target=importlib.import_module, args=["slow"])
    thread.start()
    try:
        assert auto["sync"].begun.wait(SECONDS)
        auto.run("x = 1")
    finally:
        auto["sync"].go.set()
        thread.join(SECONDS)
    auto.run("from slow import ITEMS")
    workshop.edit("slow.py", "ITEMS = [2]\nN = 2")
    assert auto.value("(sys.modules['slow'].N, ITEMS)") == (2, [2])  # ITEMS was as the body left it


def test_a_module_taken_out_and_imported_again_is_the_current_one(auto: Notebook, workshop: Workshop) -> None:
    """`del sys.modules[...]` and an import make another object; names of it follow the next edit."""
    workshop.write({"model.py": "class Model:\n    n = 1"})
    auto.run("import sys, model")
    auto.run("del sys.modules['model']")
    auto.run("import model\nfrom model import Model as Mine\nalso = Mine")
    workshop.edit("model.py", "class Model:\n    n = 2")
    assert auto.value("(model.Model.n, Mine.n, also.n, model is sys.modules['model'])") == (2, 2, 2, True)


def test_what_cells_had_of_a_module_taken_out_follows(auto: Notebook, workshop: Workshop) -> None:
    """Packages are reloaded by hand so: what cells have of the modules from before is old, and moves with the next."""
    text = "RATE = {0}\ndef price(x): return x.cost * RATE {1}\nclass Good:\n    cost = 3\n"
    text += "    def label(self): return {0}\n"
    workshop.write({"shop/__init__.py": "from shop.goods import Good, price", "shop/goods.py": text.format(2, "")})
    auto.run("import shop, sys\nfrom shop import Good, price\napple = Good()\noffers = [price]")
    auto.run("for name in ('shop', 'shop.goods'): del sys.modules[name]\nimport shop")
    assert {survivor.name for survivor in auto.value("%exostatus").retired[0].survivors} == {
        "shop.goods.Good",
        "shop.goods.price",
    }
    answers = "(apple.label(), price(apple), offers[0](apple), shop.price(apple), type(apple) is shop.Good is Good)"
    for number, more, price in ((3, "", 9), (3, "+ 1", 10)):  # runs anew, and is put in place
        workshop.edit("shop/goods.py", text.format(number, more))
        assert auto.value(answers) == (3, price, price, price, True)


def test_importlib_reload_by_hand_goes_on_working(auto: Notebook, workshop: Workshop) -> None:
    """The person may reload in place; the same edit is not reloaded a second time before the next cell."""
    workshop.write({"model.py": "N = 1"})
    auto.run("import importlib, model")
    auto.run("from pathlib import Path\nPath(model.__file__).write_text('N = 2')\nimportlib.reload(model)")
    assert auto.run("assert model.N == 2") == ""
    workshop.edit("model.py", "N = 3")
    assert auto.value("model.N") == 3


@pytest.mark.parametrize("switch", ["on", "off"])
def test_what_others_run_again_in_place_is_no_cells_doing(tracking: Notebook, workshop: Workshop, switch: str) -> None:
    """`importlib.reload` by hand puts new values into the module; what a cell had put there besides is carried."""
    text = "N = {0}\nTABLE = {{'a': {0}}}\nclass Model:\n    n = {0}\ndef f(): return {0}\n"
    workshop.write({"model.py": text.format(1), "use.py": "from model import N, f\nM = N"})
    tracking.run(f"%exoauto {switch}\n%exoload use\nimport model, importlib\nmodel.EXTRA = 'mine'")
    for number in (2, 3):
        workshop.edit("model.py", text.format(number))
        tracking.run("importlib.reload(model)")
        tracking.run("report = %exoreload")
        assert tracking.value("(model.N, model.Model.n, model.f(), use.M, use.f())") == (number,) * 5
    workshop.edit("model.py", text.format(4))
    tracking.run("report = %exoreload")
    assert tracking.value("(model.N, model.Model.n, model.f(), use.M, use.f(), model.TABLE['a'])") == (4,) * 6
    assert tracking.value("model.EXTRA") == "mine"
    tracking.run("importlib.reload(model)")  # of the same text: nothing to do, and still nobody's doing but its own
    assert not tracking.value("%exoreload")
    workshop.edit("model.py", text.format(5))
    tracking.run("report = %exoreload")
    assert tracking.value("(model.N, model.Model.n, model.f(), model.TABLE, model.EXTRA)") == (
        5,
        5,
        5,
        {"a": 5},
        "mine",
    )


def test_what_a_reload_by_hand_replaces_moves(auto: Notebook, workshop: Workshop) -> None:
    """An instance made before `importlib.reload` follows the next edit."""
    workshop.write({"model.py": "class Model: n = 1"})
    auto.run("import importlib, model\nold = model.Model()")
    auto.run("importlib.reload(model)")
    workshop.edit("model.py", "class Model: n = 2")
    assert auto.value("model.Model.n") == 2
    assert auto.value("old.n") == 2


def test_what_autoreload_has_patched_while_ours_was_off(tracking: Notebook, workshop: Workshop) -> None:
    """It runs the module again in place, or puts new code into its functions: all of that is the module's own."""
    text = "N = {0}\nTABLE = {{'a': {0}}}\nclass Model:\n    n = {0}\ndef f(): return {1}\n"
    workshop.write({"model.py": text.format(1, 1), "use.py": "from model import N, f\nM = N"})
    tracking.run("%exoauto on\nimport use, model\nmodel.EXTRA = 'mine'")
    tracking.run("%exoauto off\n%load_ext autoreload\n%autoreload 2")
    for size, (number, body) in enumerate(((1, 2), (2, 3)), 1):
        workshop.edit("model.py", text.format(number, body) + "#" * size)
        assert tracking.value("(model.N, model.f())") == (number, body)
    tracking.run("%autoreload 0\n%exoauto on")
    workshop.edit("model.py", text.format(4, 4))
    assert tracking.value("(model.N, model.Model.n, model.f(), use.M, use.f(), model.TABLE)") == (4,) * 5 + ({"a": 4},)
    assert tracking.value("model.EXTRA") == "mine"


@pytest.mark.parametrize(
    ("broken", "error"), [("N = 1 / 0", ZeroDivisionError), ("N = = 2", SyntaxError), ("N = 2\0", SyntaxError)]
)
def test_a_failed_first_import_leaves_nothing_and_works_when_mended(
    auto: Notebook, workshop: Workshop, broken: str, error: type[Exception]
) -> None:
    """The error is Python's own, and running the cell again after the repair imports."""
    workshop.write({"model.py": broken})
    text = auto.fail("import model", error)
    assert "exocet_ipython" not in text
    assert "importlib" not in text
    workshop.edit("model.py", "N = 1")
    assert auto.run("import model") == ""
    workshop.edit("model.py", "N = 2")
    assert auto.value("model.N") == 2


def test_installed_and_standard_modules_are_not_followed(auto: Notebook, workshop: Workshop) -> None:
    """Only the person's own code joins."""
    workshop.write({"site-packages/tool.py": "N = 1", "model.py": "N = 1"})
    auto.run(f"import sys\nsys.path.append({workshop.path('site-packages')!r})")
    auto.run("import tool, model, colorsys")
    assert [module.name for module in auto.value("%exostatus").modules] == ["model"]


# -- adopted -----------------------------------------------------------------------------------------------------------


def test_modules_imported_before_are_adopted_without_running_again(
    auto: Notebook, workshop: Workshop, runs: str
) -> None:
    """`%exoauto on` runs nothing; from then on an edit is reloaded, with the names that were bound before."""
    auto.run("%exoauto off")
    workshop.write({"model.py": COUNTING + "class Model:\n    n = 1"})
    auto.run("import model\nfrom model import Model")
    model = auto["model"]
    auto.run("%exoauto on")
    assert auto.value(runs) == 1
    assert auto["model"] is model
    workshop.edit("model.py", COUNTING + "class Model:\n    n = 2")
    assert auto.value("Model.n") == 2
    assert auto.value(runs) == 2


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Imports write `.pyc` files, whatever the environment of the tests says."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", None)


@pytest.mark.usefixtures("compiled")
def test_an_edit_before_the_adoption_is_noticed_by_the_pyc(auto: Notebook, workshop: Workshop) -> None:
    """A file saved between its import and `%exoauto on` is reloaded before the next cell."""
    auto.run("%exoauto off")
    workshop.write({"model.py": "N = 1"})
    auto.run("import model")
    workshop.edit("model.py", "N = 20")
    auto.run("%exoauto on")
    assert auto.value("model.N") == 20


@pytest.mark.usefixtures("compiled")
def test_an_edit_of_the_same_size_and_second_is_noticed_by_the_pyc(auto: Notebook, workshop: Workshop) -> None:
    """The header of the `.pyc` has whole seconds and the size; its code tells the rest."""
    auto.run("%exoauto off")
    workshop.write({"model.py": "N = 1"})
    auto.run("import model")
    workshop.edit("model.py", "N = 2", same_time=True)
    auto.run("%exoauto on")
    assert auto.value("model.N") == 2


@pytest.mark.usefixtures("compiled")
def test_a_touched_file_is_adopted_as_it_is(auto: Notebook, workshop: Workshop, runs: str) -> None:
    """Another time stamp with the same text is no change."""
    auto.run("%exoauto off")
    workshop.write({"model.py": COUNTING})
    auto.run("import model")
    workshop.edit("model.py", COUNTING)
    assert auto.run("%exoauto on\nNone") == ""
    assert auto.value(runs) == 1
    (model,) = auto.value("%exostatus").modules
    assert model.state == "current"


def test_without_a_pyc_the_state_is_unknown(
    auto: Notebook, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing tells what ran: `%exostatus` says so, the next edit is noticed, and then the state is known."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    auto.run("%exoauto off")
    workshop.write({"model.py": "N = 1"})
    auto.run("import model")
    auto.run("%exoauto on")
    report = auto.value("%exostatus")
    assert report.modules[0].state == "unknown"
    assert "%exoreload NAME --force makes it anew" in repr(report)
    assert "what model ran from is unknown" in repr(auto.value("%exoreload"))
    workshop.edit("model.py", "N = 2")
    assert auto.value("model.N") == 2
    (model,) = auto.value("%exostatus").modules
    assert model.state == "current"


def test_what_plain_imports_of_cells_ran_is_known(
    tracking: Notebook, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as nobody has turned automatic reloading off: what the cell does next is told from what the body did."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    workshop.write({"model.py": "N = 1\nTABLE = {}"})
    tracking.run("import model\nmodel.N = model.TABLE['mine'] = 2")
    workshop.edit("model.py", "N = 1\nTABLE = {'own': 1}\nMORE = 1")
    assert [module.name for module in tracking.value("%exoreload").reloaded] == ["model"]
    assert tracking.value("model.N, model.TABLE, model.MORE") == (2, {"own": 1, "mine": 2}, 1)


def test_a_finder_is_only_there_while_a_cell_imports(tracking: Notebook, workshop: Workshop) -> None:
    """It is none of those that a cell sees which asks for them, nor of any cell after `%exoauto off`."""
    workshop.write({"model.py": "import sys\nOURS = [f for f in sys.meta_path if hasattr(f, 'is_exocet')]"})
    ask = "import sys\n[f for f in sys.meta_path if hasattr(f, 'is_exocet')]"
    assert tracking.value(ask) == []
    assert len(tracking.value("import model\nmodel.OURS")) == 1
    assert tracking.value(ask) == []
    tracking.run("%exoauto on")
    tracking.run("%exoauto off")
    workshop.write({"other.py": "from model import OURS as BEFORE\nimport sys\nNOW = list(sys.meta_path)"})
    assert tracking.value("import other\nother.BEFORE[0] in other.NOW") is False


@pytest.mark.usefixtures("compiled")
def test_a_first_import_never_runs_a_stale_pyc(auto: Notebook, workshop: Workshop) -> None:
    """Two texts of one size within one second are a classic wrong answer of Python's own import."""
    path = workshop.write({"model.py": "N = 1"}) / "model.py"
    py_compile.compile(str(path), doraise=True)
    workshop.edit("model.py", "N = 2", same_time=True)
    assert auto.value("import model\nmodel.N") == 2


# -- threads -----------------------------------------------------------------------------------------------------------


def test_threads_that_import_while_the_notebook_reloads(auto: Notebook, workshop: Workshop) -> None:
    """Each import of a thread gives a whole module, current then; what it imports first is followed afterwards."""
    count = 20
    workshop.write({"base.py": "A = 0\nB = 0"} | {f"part{i}.py": "from base import A, B\nN = 1" for i in range(count)})
    auto.run("import base, sys")
    wrong: list[object] = []
    done = threading.Event()

    def look() -> None:
        for i in range(count):
            part = importlib.import_module(f"part{i}")
            wrong.extend([part] if part.A != part.B or part.N != 1 else [])
        while not done.is_set():
            base = importlib.import_module("base")
            values = dict(vars(base))
            wrong.extend([values] if values.get("A") != values.get("B") else [])

    thread = threading.Thread(target=look)
    thread.start()
    try:
        for n in range(1, 16):
            workshop.edit("base.py", f"A = {n}\nsum(range(20_000))\nB = {n}")
            assert auto.value("base.A") == n
    finally:
        done.set()
        thread.join(SECONDS)
    assert not thread.is_alive()
    assert wrong == []
    workshop.edit("base.py", "A = 99\nB = 99")
    assert auto.value(f"[sys.modules[f'part{{i}}'].A for i in range({count})]") == [99] * count
    for i in range(count):
        workshop.edit(f"part{i}.py", "from base import A, B\nN = 2")
    assert auto.value(f"[sys.modules[f'part{{i}}'].N for i in range({count})]") == [2] * count


BY_PATH = (
    "import sys\nfrom importlib.util import module_from_spec, spec_from_file_location\n"
    "spec = spec_from_file_location({name!r}, {path!r})\nplugin = module_from_spec(spec)\n"
    "sys.modules[{name!r}] = plugin\nspec.loader.exec_module(plugin)\nf = plugin.f"
)


@pytest.mark.parametrize("name", ["plugin", "another_name", "of_no.package"])
def test_a_module_that_was_loaded_by_the_path_of_its_file(auto: Notebook, workshop: Workshop, name: str) -> None:
    """By the recipe of Python's documentation, past all finders: it follows, also where the cell is run again."""
    workshop.write({"plugins/plugin.py": "N = 1000\ndef f(): return N", "plugin.py": "N = 'the one on sys.path'"})
    cell = BY_PATH.format(name=name, path=workshop.path("plugins/plugin.py"))
    auto.run(cell)
    workshop.edit("plugins/plugin.py", "N = 2000\ndef f(): return N")
    assert auto.value(f"(plugin.N, f(), sys.modules[{name!r}] is plugin)") == (2000, 2000, True)
    auto.run(cell)
    workshop.edit("plugins/plugin.py", "N = 3000\ndef f(): return N")
    assert auto.value(f"(plugin.N, f(), sys.modules[{name!r}] is plugin)") == (3000, 3000, True)
    workshop.write({"other.py": "N = 1"})
    auto.run("import other")
    workshop.edit("other.py", "N = 2")
    assert auto.value("other.N") == 2


def test_a_module_that_a_function_has_loaded_by_its_path(
    auto: Notebook, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loader of plugins, as many programs have one; called again it puts another module there."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)  # which tells what the second one has run
    workshop.write({"parts/part.py": "N = 1000", "host.py": HOST})
    cell = f"import host\npart = host.load('part_of_it', {workshop.path('parts/part.py')!r})"
    auto.run(cell)
    workshop.edit("parts/part.py", "N = 20000")
    assert auto.value("part.N") == 20000
    auto.run(cell)
    workshop.edit("parts/part.py", "N = 300000")
    assert auto.value("part.N") == 300000


HOST = """
import sys
from importlib.util import module_from_spec, spec_from_file_location
def load(name, path):
    spec = spec_from_file_location(name, path)
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
"""
