"""Automatic reloading beside IPython's own magics, and beside those of others."""

from __future__ import annotations

import io
import sys

import pytest

from tests.shells import Notebook
from tests.workshop import Workshop

ONE = "class Model:\n    n = 1\n    def f(self):\n        return self.n\n"
TWO = ONE.replace("n = 1", "n = 2")


@pytest.fixture
def model(auto: Notebook, workshop: Workshop) -> Notebook:
    """A notebook that has imported a model."""
    workshop.write({"model.py": ONE})
    auto.run("import model\nfrom model import Model")
    return auto


def edit(workshop: Workshop) -> None:
    """Save the second version of the model."""
    workshop.edit("model.py", TWO)


# -- IPython's %autoreload ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["autoreload", "exoauto"])
def test_autoreload_passes_over_managed_modules(model: Notebook, workshop: Workshop, first: str) -> None:
    """Told once; our reload makes a new class, where `%autoreload` would have patched the old one, or done both."""
    workshop.write({"site-packages/tool.py": "n = 1"})
    model.run(f"import sys\nsys.path.append({workshop.path('site-packages')!r})\nimport tool")
    if first == "autoreload":
        model.run("%exoauto off")
        model.run("%load_ext autoreload\n%autoreload 2 --print")
        text = model.run("%exoauto on")
    else:
        model.run("%load_ext autoreload")
        text = model.run("%autoreload 2 --print")
    assert "%autoreload is on as well" in text
    old, module = model["Model"], sys.modules["model"]
    edit(workshop)
    workshop.edit("site-packages/tool.py", "n = 20")
    text = model.run("assert Model().f() == 2")
    assert "%autoreload" not in text
    assert "Reloading 'tool'" in text
    assert "Reloading 'model'" not in text
    assert model["Model"] is not old
    assert sys.modules["model"] is not module
    assert vars(module)["Model"].n == 1  # nobody patched it in place
    assert model.value("tool.n") == 20  # what is not ours is %autoreload's as before
    model.run("%exoauto off")


def test_autoreload_gets_back_what_it_had(model: Notebook, workshop: Workshop) -> None:
    """After `off` its lists are as they were, and it reloads the modules again."""
    model.run("%exoauto off")
    workshop.write({"skipped.py": "n = 1"})
    model.run("%load_ext autoreload\n%autoreload 2\n%aimport model\nimport skipped\n%aimport -skipped")
    reloader = model.shell.magics_manager.registry["AutoreloadMagics"]._reloader
    before = dict(reloader.modules), dict(reloader.skip_modules)
    model.run("%exoauto on")
    assert "model" in reloader.skip_modules
    assert "model" not in reloader.modules
    model.run("%exoauto off")
    assert (reloader.modules, reloader.skip_modules) == before
    model.run("%exoauto on")
    model.run("%unload_ext exocet_ipython")
    assert (reloader.modules, reloader.skip_modules) == before
    old = model["Model"]
    workshop.edit("model.py", TWO + "# longer\n")
    assert model.value("Model().f()") == 2
    assert model["Model"] is old  # patched in place: it is %autoreload's own work


def test_autoreload_that_is_off_is_no_news(model: Notebook) -> None:
    """Loading the extension alone, or turning it off, tells nobody anything."""
    assert "as well" not in model.run("%load_ext autoreload")
    assert "as well" not in model.run("%autoreload 0")
    assert "as well" in model.run("%autoreload 2")
    assert "as well" not in model.run("%autoreload 2")
    model.run("%exoauto off")


# -- IPython's other magics --------------------------------------------------------------------------------------------


def test_run_sees_the_current_modules(model: Notebook, workshop: Workshop) -> None:
    """`%run` runs a script on what is on disk; what the script imports first is followed as well."""
    text = "from model import Model\nimport side\nresult = Model().f() + side.N"
    script = workshop.write({"script.py": text, "side.py": "N = 10"}) / "script.py"
    edit(workshop)
    model.run(f"%run {script}")
    assert model["result"] == 12
    workshop.edit("side.py", "N = 20")
    model.run(f"%run {script}")
    assert model["result"] == 22


def test_reset_forgets_names_and_nothing_else(model: Notebook, workshop: Workshop) -> None:
    """After `%reset -f` imports go on following."""
    model.run("%reset -f")
    assert "Model" not in model
    edit(workshop)
    model.run("from model import Model")
    assert model.value("Model().f()") == 2
    workshop.edit("model.py", ONE)
    assert model.value("Model().f()") == 1


def test_who_lists_the_persons_names_only(model: Notebook, workshop: Workshop) -> None:
    """Nothing of ours is among the names."""
    edit(workshop)
    model.run("None")
    assert model.run("%who").split() == ["Model", "model"]


@pytest.mark.parametrize(
    "cell",
    [
        "%timeit -n1 -r1 seen.append(Model().f())",
        "%%timeit -n1 -r1\nseen.append(Model().f())",
        "%prun -q seen.append(Model().f())",
        "%%prun -q\nseen.append(Model().f())",
        "%time seen.append(Model().f())",
        "%%time\nseen.append(Model().f())",
        "%%capture out\nseen.append(Model().f())",
        "import asyncio\nawait asyncio.sleep(0)\nseen.append(Model().f())",
        "get_ipython().run_cell('seen.append(Model().f())');",
        "exec('seen.append(Model().f())')",
    ],
)
def test_whatever_runs_code_runs_the_current_code(model: Notebook, workshop: Workshop, cell: str) -> None:
    """The reload comes before the cell, however the cell then runs its code."""
    model.run("seen = []")
    model.run(cell)
    edit(workshop)
    model.run(cell)
    assert model["seen"][0] == 1
    assert model["seen"][-1] == 2


def test_debug_shows_the_current_text(model: Notebook, workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """`%debug` after an error in reloaded code shows the line that ran."""
    workshop.edit("model.py", "# one more line\n" + TWO.replace("return self.n", "return self.missing"))
    text = model.fail("Model().f()", AttributeError)
    assert "return self.missing" in text
    monkeypatch.setattr("sys.stdin", io.StringIO("p self.n\nq\n"))
    shown = model.run("%debug")
    assert "return self.missing" in shown


def test_transformers_and_events_of_others_go_on(model: Notebook, workshop: Workshop) -> None:
    """Others' AST transformers, input transformers and events run in their order, and stay after unloading."""
    model.run(
        """
        import ast
        class Doubler(ast.NodeTransformer):
            def visit_Constant(self, node):
                return ast.Constant(node.value * 2) if type(node.value) is int else node
        calls = []
        def note(info): calls.append(info.raw_cell)
        doubler = Doubler()
        get_ipython().ast_transformers.append(doubler)
        get_ipython().events.register('pre_run_cell', note)
        """
    )
    edit(workshop)
    assert model.value("Model().f() + 10") == 22
    assert model["calls"] == ["Model().f() + 10"]
    model.run("%unload_ext exocet_ipython")
    assert model.value("10") == 20
    assert model["calls"][-1] == "10"


def test_a_magic_of_the_person_runs_the_current_code(model: Notebook, workshop: Workshop) -> None:
    """A magic that a cell has registered finds the names as they are now."""
    model.run("from IPython.core.magic import register_line_magic as magic\n@magic\ndef go(line): return Model().f()")
    edit(workshop)
    assert model.value("%go") == 2


# -- cells within cells ------------------------------------------------------------------------------------------------


def test_a_cell_within_a_cell_neither_checks_nor_publishes(model: Notebook) -> None:
    """What is saved while a cell runs comes with the next cell, not with a cell inside the running one."""
    model.run("from pathlib import Path\nshell = get_ipython()")
    model.shell.user_ns["two"] = TWO
    model.run("Path(model.__file__).write_text(two)\nshell.run_cell('seen = Model().f()')\nafter = Model().f()")
    assert (model["seen"], model["after"]) == (1, 1)
    assert model.value("Model().f()") == 2


def test_what_a_cell_within_a_cell_noticed_is_not_lost(model: Notebook) -> None:
    """Looking takes a notice off the queue: it is kept for the next cell that is alone."""
    model.run("from pathlib import Path\nshell = get_ipython()\nruns = []")
    model.shell.user_ns["two"] = TWO
    model.run("Path(model.__file__).write_text(two)\nfor _ in '123':\n    shell.run_cell('runs.append(Model().f())')")
    assert model["runs"] == [1, 1, 1]
    assert model.value("Model().f()") == 2


def test_imports_of_a_cell_within_a_cell_are_followed(model: Notebook, workshop: Workshop) -> None:
    """A first import inside `%%capture` joins as any other."""
    workshop.write({"side.py": "N = 1"})
    model.run("%%capture\nfrom side import N")
    workshop.edit("side.py", "N = 2")
    assert model.value("N") == 2


def test_a_silent_cell_runs_on_the_current_generation(model: Notebook, workshop: Workshop) -> None:
    """No event comes for it, so nothing is reloaded, and nothing is lost for the next cell."""
    edit(workshop)
    model.shell.run_cell("seen = Model().f()", silent=True)
    assert model["seen"] == 1
    assert model.value("Model().f()") == 2
