"""A person's session in a real kernel, from loading the extension to taking it off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.shells import KernelNotebook, open_kernel, person_environment

pytestmark = pytest.mark.kernel

FIRST = '''
class Model:
    """Counts what it saw."""

    def __init__(self):
        self.seen = 3

    def predict(self):
        return self.seen
'''
SECOND = FIRST.replace("return self.seen", "return self.seen * 100")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A package with a model, and a module that imports it."""
    folder = tmp_path / "project"
    (folder / "lab").mkdir(parents=True)
    (folder / "lab/__init__.py").touch()
    (folder / "lab/model.py").write_text(FIRST)
    (folder / "lab/train.py").write_text("from lab.model import Model\n\ndef train():\n    return Model()\n")
    return folder


@pytest.fixture
def kernel(tmp_path: Path, project: Path) -> Iterator[KernelNotebook]:
    """A real kernel in the project's folder."""
    with open_kernel(tmp_path, project) as notebook:
        yield notebook


def value(kernel: KernelNotebook, cell: str) -> str:
    """Run a cell and return the text of its value."""
    return kernel.run(cell).data["text/plain"]


def test_a_session_from_load_ext_to_unload_ext(kernel: KernelNotebook, project: Path) -> None:
    """Load, edit, reload: the names are new, the old instance is named until it is dropped, and all goes at the end."""
    kernel.run("import sys, gc, weakref\nfinders = list(sys.meta_path)\n%load_ext exocet_ipython")
    assert "<module 'lab.train'" in value(kernel, "%exoload lab.train")
    kernel.run("%exoload from lab.model import Model\nmodel = train.train()")
    assert value(kernel, "model.predict()") == "3"

    (project / "lab/model.py").write_text(SECOND)
    assert "would reload" in value(kernel, "%exoreload --dry-run")
    report = value(kernel, "report = %exoreload\nreport")
    assert "reloaded lab.model, lab.train" in report or "reloaded lab.train, lab.model" in report
    assert "2 names replaced" in report
    assert "old Model alive: model" in report
    assert value(kernel, "model.predict(), Model().predict(), train.train().predict()") == "(3, 300, 300)"
    assert value(kernel, "isinstance(model, Model), Model is sys.modules['lab.model'].Model") == "(False, True)"

    kernel.run("old = weakref.ref(type(model))\ndel model\ngc.collect()")
    assert value(kernel, "old() is None") == "True"
    status = value(kernel, "%exostatus")
    assert "alive" not in status
    assert "lab.model  current" in status

    kernel.run("%unload_ext exocet_ipython")
    assert value(kernel, "sys.meta_path == finders, Model().predict()") == "(True, 300)"
    assert "not found" in kernel.try_cell("%exoreload").text


def test_an_interrupt_while_a_module_runs_leaves_all_old(kernel: KernelNotebook, project: Path) -> None:
    """Interrupting `%exoreload` in a module's long loop changes nothing, and the notebook goes on."""
    kernel.run("import sys\n%load_ext exocet_ipython\n%exoload lab.train\n%exoload from lab.model import Model")
    kernel.run("before = {name: sys.modules[name] for name in ('lab', 'lab.model', 'lab.train')}\nfirst = Model")
    (project / "lab/model.py").write_text(
        SECOND + "\nprint('begun', flush=True)\nimport itertools\nfor _ in itertools.count():\n    pass\n"
    )
    request = kernel.start("%exoreload")
    for kind, content in kernel.messages(request):
        if kind == "stream" and "begun" in content["text"]:
            break
    kernel.manager.interrupt_kernel()
    cell = kernel.finish(request)
    assert cell.reply["status"] == "error"
    assert cell.reply["ename"] == "KeyboardInterrupt"
    assert "model.py" in cell.traceback
    assert "exocet_ipython" not in cell.traceback

    assert value(kernel, "all(sys.modules[name] is module for name, module in before.items())") == "True"
    assert value(kernel, "Model is first, train is before['lab.train'], Model().predict()") == "(True, True, 3)"
    assert value(kernel, "[type(m).__name__ for n, m in sys.modules.items() if n.startswith('lab')]") == (
        "['module', 'module', 'module']"
    )
    (project / "lab/model.py").write_text(SECOND)
    kernel.run("%exoreload")
    assert value(kernel, "Model().predict(), train.train().predict()") == "(300, 300)"


def test_an_interrupt_of_a_plain_cell_is_the_persons(kernel: KernelNotebook) -> None:
    """With the extension loaded, interrupting an ordinary cell stops that cell and nothing else."""
    kernel.run("%load_ext exocet_ipython\n%exoload lab.train")
    request = kernel.start("print('begun', flush=True)\nwhile True:\n    pass")
    for kind, content in kernel.messages(request):
        if kind == "stream" and "begun" in content["text"]:
            break
    kernel.manager.interrupt_kernel()
    assert kernel.finish(request).reply["ename"] == "KeyboardInterrupt"
    assert "nothing changed" in value(kernel, "%exoreload")


def test_await_in_an_exoload_cell_of_a_kernel(kernel: KernelNotebook) -> None:
    """The kernel's loop is running the magic, so it can't await for it: said before anything ran, with what to do."""
    kernel.run("%load_ext exocet_ipython")
    cell = kernel.try_cell("%%exoload\nimport asyncio\nimport lab.model\nawait asyncio.sleep(0, 'slept')")
    assert cell.reply["ename"] == "UsageError"
    assert "await in the next cell" in cell.text
    assert "nothing is loaded" in value(kernel, "%exostatus")
    kernel.run("%%exoload\nimport asyncio\nimport lab.model\nasync def nap():\n    return await asyncio.sleep(0, 1)")
    assert value(kernel, "await nap()") == "1"
    assert "lab.model" in value(kernel, "%exostatus")


def test_a_notebook_runs_from_top_to_bottom(tmp_path: Path, project: Path) -> None:
    """A notebook that nbclient executes edits and reloads; the stored outputs say what happened."""
    cells = [
        "%load_ext exocet_ipython",
        "%exoload from lab.model import Model\nmodel = Model()\nmodel.predict()",
        f"%%writefile lab/model.py\n{SECOND}",
        "%exoreload",
        "Model().predict(), model.predict()",
        "%unload_ext exocet_ipython",
    ]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    client = NotebookClient(book, timeout=60, kernel_name="python3", resources={"metadata": {"path": str(project)}})
    client.execute(env=person_environment(tmp_path))
    nbformat.validate(book)
    results = [
        output.data["text/plain"]
        for cell in book.cells
        for output in cell.outputs
        if output.output_type == "execute_result"
    ]
    assert results[0] == "3"
    assert "old Model alive: model" in results[1]
    assert results[2] == "(300, 3)"
    assert not [output for cell in book.cells for output in cell.outputs if output.output_type == "error"]
