"""A reload before a cell that fails: shown once, nothing half-done, and the cell runs or doesn't, as was chosen."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from IPython.core.error import InputRejected

from exocet_ipython.notebook import publishing
from tests.shells import KernelNotebook, Notebook, open_kernel
from tests.workshop import Workshop

GOOD = "def f():\n    return {}\n"


@pytest.fixture
def model(auto: Notebook, workshop: Workshop) -> Notebook:
    """A notebook that has imported `f` of `model`."""
    workshop.write({"model.py": GOOD.format(1)})
    auto.run("from model import f\nimport model")
    return auto


def test_a_failure_is_shown_once_and_the_cell_runs_on_the_old_code(model: Notebook, workshop: Workshop) -> None:
    """The error has the person's file and line and no frame of ours; everything old stands."""
    module, function = model["model"], model["f"]
    workshop.edit("model.py", GOOD.format(2) + "\n1 / 0\n")
    text = model.run("assert f() == 1")
    assert text.count("ZeroDivisionError") == 3  # IPython's headline and its last line, and the report
    assert text.rstrip().endswith("not reloaded, nothing has changed: ZeroDivisionError: division by zero")
    assert "model.py" in text
    assert "1 / 0" in text
    assert "exocet_ipython" not in text
    assert (model["model"], model["f"], sys.modules["model"]) == (module, function, module)
    assert model.run("assert f() == 1") == ""


def test_what_stops_a_publish_is_shown_once(
    model: Notebook, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody foresaw leaves all as it was, is said once with where it happened, and the next edit is reloaded."""

    def fail(*_: object) -> None:
        raise RecursionError("unforeseen")

    module = model["model"]
    with monkeypatch.context() as patched:
        patched.setattr(publishing, "put_cells_last", fail)
        workshop.edit("model.py", GOOD.format(2) + "\nX = str()\n")
        text = model.run("assert f() == 1")
        assert text.rstrip().endswith("not reloaded, nothing has changed: RecursionError: unforeseen")
        assert "Please report" in text
        assert re.search(r"publishing\.py:\d+", text)
        assert model["model"] is module
        assert model.run("assert f() == 1") == ""
    workshop.edit("model.py", GOOD.format(3) + "\nY = str()\n")
    assert model.value("f()") == 3


def test_the_repair_is_reloaded_and_another_failure_is_shown(model: Notebook, workshop: Workshop) -> None:
    """The message comes again when the file has changed again, and not before."""
    for text in ("def f(:", "def f( :", "def f(  :"):
        workshop.edit("model.py", text)
        assert "SyntaxError" in model.run("assert f() == 1")
        assert model.run("assert f() == 1") == ""
    workshop.edit("model.py", GOOD.format(2))
    assert model.value("f()") == 2


def test_saving_the_same_broken_text_again_is_no_news(model: Notebook, workshop: Workshop) -> None:
    """A touched file has not changed."""
    workshop.edit("model.py", "def f(:")
    assert "SyntaxError" in model.run("None")
    workshop.edit("model.py", "def f(:")
    assert model.run("None") == ""


def test_going_back_to_the_text_that_runs_is_no_news(model: Notebook, workshop: Workshop) -> None:
    """Undoing the broken edit leaves nothing to reload, and the same broken edit is then shown again."""
    workshop.edit("model.py", "def f(:")
    assert "SyntaxError" in model.run("None")
    workshop.edit("model.py", GOOD.format(1))
    assert model.run("assert f() == 1") == ""
    workshop.edit("model.py", "def f(:")
    assert "SyntaxError" in model.run("None")


def test_a_repair_in_another_file_counts(auto: Notebook, workshop: Workshop) -> None:
    """The module that failed is fine: what it imports was to blame."""
    workshop.write({"base.py": "N = 1", "app.py": "from base import N"})
    auto.run("import app")
    workshop.edit("app.py", "from base import N, M")
    assert "ImportError" in auto.run("None")
    workshop.edit("base.py", "N = 1\nM = 2")
    assert auto.value("app.M") == 2


def test_a_repair_in_a_file_that_was_never_loaded_counts(auto: Notebook, workshop: Workshop) -> None:
    """The edit imports a new module, and that one is broken: saving only that one is enough."""
    workshop.write({"app.py": "N = 1", "fresh.py": "N = (\n"})
    auto.run("import app")
    workshop.edit("app.py", "from fresh import N")
    assert "SyntaxError" in auto.run("assert app.N == 1")
    assert auto.run("assert app.N == 1") == ""
    workshop.edit("fresh.py", "N = 5")
    assert auto.value("app.N") == 5


def test_a_missing_module_that_appears_counts(auto: Notebook, workshop: Workshop) -> None:
    """The edit imports what is not there yet."""
    workshop.write({"app.py": "N = 1"})
    auto.run("import app")
    workshop.edit("app.py", "from fresh import N")
    assert "ModuleNotFoundError" in auto.run("assert app.N == 1")
    workshop.write({"fresh.py": "N = 5"})
    assert auto.value("app.N") == 5


def test_a_package_that_took_a_modules_place_and_fails_is_followed(auto: Notebook, workshop: Workshop) -> None:
    """The broken file is one that the session never loaded."""
    workshop.write({"model.py": "N = 1"})
    auto.run("import model")
    Path(workshop.path("model.py")).unlink()
    workshop.write({"model/__init__.py": "N = 1 / 0"})
    assert "ZeroDivisionError" in auto.run("assert model.N == 1")
    assert auto.run("assert model.N == 1") == ""
    workshop.edit("model/__init__.py", "N = 2")
    assert auto.value("model.N") == 2


def test_with_stop_the_cell_does_not_run(model: Notebook, workshop: Workshop) -> None:
    """`on_error = "stop"`: the error, one line why the cell didn't run, and the next cell runs without a word."""
    model.run('%config Exocet.on_error = "stop"')
    workshop.edit("model.py", "def f(:")
    text = model.fail("ran = True", InputRejected)
    assert "SyntaxError" in text
    assert "The cell did not run" in text
    assert "Traceback" not in text.partition("The cell did not run")[2]
    assert "ran" not in model
    assert model.run("ran = f()") == ""
    workshop.edit("model.py", GOOD.format(2))
    assert model.value("f()") == 2


def test_with_stop_a_cell_that_does_not_parse_stops_no_other(model: Notebook, workshop: Workshop) -> None:
    """The cell that was to be stopped fails by itself, before anything could stop it."""
    model.run('%config Exocet.on_error = "stop"')
    workshop.edit("model.py", "def f(:")
    model.fail("ran = (", SyntaxError)
    assert model.value("f()") == 1


def test_with_stop_cells_within_a_cell_run(model: Notebook, workshop: Workshop) -> None:
    """The one cell that is stopped is the one the reload came before."""
    model.run('%config Exocet.on_error = "stop"')
    workshop.edit("model.py", "def f(:")
    model.fail("%%capture out\nran = True", InputRejected)
    assert "ran" not in model
    model.run("%%capture out\nran = True")
    assert model["ran"] is True


@pytest.mark.parametrize("error", ["SystemExit(3)", "GeneratorExit()", "BaseException('x')"])
def test_a_body_that_raises_anything_is_a_failure(model: Notebook, workshop: Workshop, error: str) -> None:
    """Whatever a body raises is shown, and the cell runs."""
    workshop.edit("model.py", f"raise {error}")
    assert error.partition("(")[0] in model.run("assert f() == 1")
    assert model.run("assert f() == 1") == ""


def test_an_error_keeps_nothing_alive(model: Notebook, workshop: Workshop) -> None:
    """The objects of the module that failed go at once: neither the session nor the shell holds its frames."""
    model.run("import weakref\nalive = []\nclass Big: pass")
    body = "import __main__ as notebook\nbig = notebook.Big()\nnotebook.alive.append(notebook.weakref.ref(big))\n1 / 0"
    sys.modules["__main__"] = model.shell.user_module
    workshop.edit("model.py", body)
    assert "ZeroDivisionError" in model.run("None")
    model.fail("{}['key']", KeyError)  # IPython keeps the last traceback for %debug
    model.run("import gc\ngc.collect()")
    assert model.value("[ref() for ref in alive]") == [None]


def test_a_failure_leaves_the_debugger_something_to_look_at(model: Notebook, workshop: Workshop) -> None:
    """A cell's own error after a failed reload is the one that `%debug` and `%tb` show."""
    workshop.edit("model.py", "def f(:")
    text = model.fail("{}['key']", KeyError)
    assert text.index("SyntaxError") < text.index("KeyError")
    assert "KeyError" in model.run("%tb")


# -- interrupted, in a real kernel -------------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a model."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "model.py").write_text(GOOD.format(1))
    return folder


@pytest.fixture
def kernel(tmp_path: Path, project: Path) -> Iterator[KernelNotebook]:
    """A real kernel in the project's folder, with automatic reloading on and the model imported."""
    with open_kernel(tmp_path, project) as notebook:
        notebook.run("%load_ext exocet_ipython")
        notebook.run("%exoauto on")
        notebook.run("import model, asyncio\nfrom model import f\nran = 0")
        yield notebook


def wait_for(kernel: KernelNotebook, request: str, text: str) -> None:
    """Wait until a cell has printed a text."""
    for kind, content in kernel.messages(request):
        if kind == "stream" and text in content["text"]:
            return


@pytest.mark.kernel
def test_after_an_interrupted_reload_the_cell_does_not_run(kernel: KernelNotebook, project: Path) -> None:
    """Interrupting a slow body: the cell is not run, everything old stands, and the next cell reloads."""
    (project / "model.py").write_text("print('be' + 'gun', flush=True)\nwhile True:\n    pass\n")
    request = kernel.start("ran += 1")
    wait_for(kernel, request, "begun")
    kernel.manager.interrupt_kernel()
    done = kernel.finish(request)
    assert done.reply["status"] == "error"
    assert "The cell did not run" in done.traceback
    assert re.search(rf"interrupted at {re.escape(str(project / 'model.py'))}:[123]\.", done.traceback)
    (project / "model.py").write_text(GOOD.format(2))
    assert kernel.run("ran, f()").data["text/plain"] == "(0, 2)"

    # The next is interrupted as well, with the file as it is: the cell after it tries again.
    slow = "import __main__ as notebook\nprint('be' + 'gun', flush=True)\nwhile not notebook.quick: pass\n"
    (project / "model.py").write_text(slow + GOOD.format(3))
    kernel.client.execute("quick = False", silent=True)
    request = kernel.start("ran += 1")
    wait_for(kernel, request, "begun")
    kernel.manager.interrupt_kernel()
    assert "interrupted" in kernel.finish(request).traceback
    kernel.client.execute("quick = True", silent=True)
    assert kernel.run("ran, f()").data["text/plain"] == "(0, 3)"


@pytest.mark.kernel
def test_a_reload_that_is_interrupted_twice_keeps_no_further_cell(kernel: KernelNotebook, project: Path) -> None:
    """A body that never ends would hold up the cell that mends it: that one runs, and the next reloads."""
    (project / "model.py").write_text("print('be' + 'gun', flush=True)\nwhile True:\n    pass\n")
    for said in ("run the cell again to reload", "cells run on old code from now on"):
        request = kernel.start("ran += 1")
        wait_for(kernel, request, "begun")
        kernel.manager.interrupt_kernel()
        assert said in kernel.finish(request).traceback
    assert kernel.run("ran, f()").data["text/plain"] == "(0, 1)"
    kernel.run("%%writefile model.py\n" + GOOD.format(2))
    assert kernel.run("ran, f()").data["text/plain"] == "(0, 2)"


@pytest.mark.kernel
def test_an_interrupted_await_keeps_no_later_cell_from_reloading(kernel: KernelNotebook, project: Path) -> None:
    """The kernel tells nothing of how such a cell ended; nothing of ours complains, and the next cell is right."""
    request = kernel.start("print('be' + 'gun', flush=True)\nawait asyncio.sleep(600)")
    wait_for(kernel, request, "begun")
    kernel.manager.interrupt_kernel()
    kernel.client.kernel_info()  # ipykernel's own: the loop that it interrupts sleeps on until something comes
    done = kernel.finish(request)
    assert done.reply["status"] == "error"
    assert "Error in callback" not in str(done)
    (project / "model.py").write_text(GOOD.format(2))
    assert kernel.run("await asyncio.sleep(0, f())").data["text/plain"] == "2"


@pytest.mark.kernel
def test_a_failure_in_a_kernel_is_shown_and_the_reply_is_the_cells(kernel: KernelNotebook, project: Path) -> None:
    """The frontend gets the error as an output of the cell, which then succeeds; a report is one display."""
    (project / "model.py").write_text("def f(:")
    done = kernel.run("f()")
    assert "SyntaxError" in done.traceback
    assert done.data["text/plain"] == "1"
    (project / "model.py").write_text(GOOD.format(2))
    done = kernel.run("f()")
    (shown,) = done.of("display_data")
    assert shown["data"]["text/plain"].startswith("updated model in place in ")
    assert "<details" in shown["data"]["text/html"]
    assert done.data["text/plain"] == "2"
