"""Automatic reloading in a real kernel with subshells: nobody waits, and nothing is published under a running cell."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.shells import KernelNotebook, open_kernel

pytestmark = pytest.mark.kernel

SECONDS = 60  # the longest a test waits for a message
MODEL = "class Model:\n    def f(self):\n        return {}\n"


class Shells:
    """The main shell of a kernel and its subshells, each of which can run a cell at the same time.

    Attributes:
        ids: of two subshells.
    """

    def __init__(self, notebook: KernelNotebook, project: Path) -> None:
        self._client: Any = notebook.client
        self._project = project
        self._replies: dict[str, dict[str, Any]] = {}
        self._outputs: dict[str, list[dict[str, Any]]] = {}
        self.ids = [self._ask("create_subshell_request")["subshell_id"] for _ in range(2)]

    def start(self, cell: str, subshell: str | None = None, *, silent: bool = False) -> str:
        """Begin with a cell; return what names it."""
        content = {
            "code": cell,
            "silent": silent,
            "store_history": not silent,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": False,
        }
        message = self._client.session.msg("execute_request", content)
        message["header"]["subshell_id"] = subshell
        self._client.shell_channel.send(message)
        name: str = message["header"]["msg_id"]
        return name

    def finish(self, request: str) -> str:
        """Wait until a cell that must succeed is done; return the text of its value, or what it printed."""
        while request not in self._replies:
            reply = self._client.get_shell_msg(timeout=SECONDS)
            self._replies[reply["parent_header"]["msg_id"]] = reply["content"]
        self._wait(request, lambda message: message["content"].get("execution_state") == "idle")
        assert self._replies[request]["status"] == "ok", self._replies[request]
        messages = self._outputs[request]
        values = [m["content"]["data"]["text/plain"] for m in messages if m["msg_type"] == "execute_result"]
        printed = [m["content"]["text"] for m in messages if m["msg_type"] == "stream"]
        return "".join(values or printed)

    def run(self, cell: str, subshell: str | None = None, *, silent: bool = False) -> str:
        """Run a cell that must succeed; return the text of its value."""
        return self.finish(self.start(cell, subshell, silent=silent))

    def wait_until_begun(self, request: str) -> None:
        """Wait until a cell has printed `begun`."""
        self._wait(request, lambda message: "begun" in message["content"].get("text", ""))

    def edit(self, number: int) -> None:
        """Have the model's method return another number."""
        (self._project / "model.py").write_text(MODEL.format(number))

    def _wait(self, request: str, is_it: Any) -> None:
        while not any(map(is_it, self._outputs.setdefault(request, []))):
            try:
                message = self._client.get_iopub_msg(timeout=SECONDS)
            except queue.Empty:
                raise AssertionError(f"nothing came for {SECONDS} seconds") from None
            self._outputs.setdefault(message["parent_header"].get("msg_id", ""), []).append(message)

    def _ask(self, kind: str) -> dict[str, Any]:
        message = self._client.session.msg(kind)
        self._client.control_channel.send(message)
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            reply = self._client.get_control_msg(timeout=SECONDS)
            if reply["parent_header"].get("msg_id") == message["header"]["msg_id"]:
                content: dict[str, Any] = reply["content"]
                return content
        raise AssertionError(f"no reply to {kind}")


@pytest.fixture
def shells(tmp_path: Path) -> Iterator[Shells]:
    """A kernel with two subshells in the folder of a project, with automatic reloading on and the model imported."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "model.py").write_text(MODEL.format(1))
    with open_kernel(tmp_path, project) as notebook:
        notebook.run("%load_ext exocet_ipython")
        notebook.run("%exoauto on")
        notebook.run("import threading, asyncio\nfrom model import Model\ngo = threading.Event()")
        yield Shells(notebook, project)


WAIT = "print('be' + 'gun', flush=True)\nassert go.wait(50)\n"


def test_the_publish_stays_pending_until_no_cell_runs(shells: Shells) -> None:
    """While the main shell runs a cell, subshells run on the current generation, at once; then it is published."""
    first, second = shells.ids
    main = shells.start(WAIT + "Model().f()")
    shells.wait_until_begun(main)
    shells.edit(2)
    assert shells.run("Model().f()", first) == "1"
    assert shells.run("Model().f()", second) == "1"
    assert shells.run("%exoauto off\n%exoauto on\nModel().f()", second) == "1"
    shells.run("go.set()", second)
    assert shells.finish(main) == "1"  # what it began with
    assert shells.run("Model().f()", first) == "2"
    assert shells.run("Model().f()") == "2"


def test_a_subshells_cell_keeps_the_main_shell_from_publishing(shells: Shells) -> None:
    """The other way round, with a nested cell and a silent one: none of them checks, publishes or waits."""
    first, second = shells.ids
    running = shells.start(WAIT + "Model().f()", first)
    shells.wait_until_begun(running)
    shells.edit(2)
    assert shells.run("Model().f()") == "1"
    assert shells.run("%%capture out\nnested = Model().f()") == ""
    assert shells.run("%%capture out\nnested = Model().f()", second) == ""
    shells.run("silent = Model().f()", silent=True)
    shells.run("silent = Model().f()", second, silent=True)
    assert shells.run("nested, silent") == "(1, 1)"
    shells.run("go.set()", second)
    assert shells.finish(running) == "1"
    shells.run("silent = Model().f()", silent=True)
    assert shells.run("silent, Model().f()", second) == "(1, 2)"


def test_a_cell_that_awaits_counts_as_running(shells: Shells) -> None:
    """It is on no thread's stack while it waits, and still nothing is published under it."""
    first, _ = shells.ids
    awaiting = "print('be' + 'gun', flush=True)\nwhile not go.is_set():\n    await asyncio.sleep(0.01)\n"
    main = shells.start(awaiting + "Model().f()")
    shells.wait_until_begun(main)
    shells.edit(2)
    assert shells.run("Model().f()", first) == "1"
    shells.run("go.set()", first)
    assert shells.finish(main) == "1"
    assert shells.run("Model().f()", first) == "2"


def test_a_subshell_waits_for_no_reload(shells: Shells) -> None:
    """While a module runs before the main shell's cell, a subshell's cell runs on the current generation.

    It may import what nobody has imported yet; that is followed as soon as the reload is done.
    """
    first, second = shells.ids
    (shells._project / "side.py").write_text("N = 1\n")
    slow = "import __main__ as notebook\nprint('be' + 'gun', flush=True)\nassert notebook.go.wait(50)\n"
    (shells._project / "model.py").write_text(slow + MODEL.format(2))
    main = shells.start("Model().f()")
    shells.wait_until_begun(main)
    assert shells.run("Model().f()", first) == "1"
    assert shells.run("import side\nside.N", second) == "1"
    shells.run("go.set()", second)
    assert shells.finish(main) == "2"
    assert shells.run("Model().f()", first) == "2"
    (shells._project / "side.py").write_text("N = 2\n")
    assert shells.run("side.N", second) == "2"


def test_a_cell_that_begins_during_a_reload_goes_on_with_what_it_began_with(shells: Shells) -> None:
    """The modules have run by then, and are not published under it; the next cell that is alone reloads."""
    first, second = shells.ids
    slow = "import __main__ as notebook\nprint('be' + 'gun', flush=True)\nassert notebook.go.wait(50)\n"
    shells.run("stop = threading.Event()")
    (shells._project / "model.py").write_text(slow + MODEL.format(2))
    main = shells.start("Model().f()")
    shells.wait_until_begun(main)
    other = shells.start("before = Model\n" + WAIT.replace("go", "stop") + "before is Model, Model().f()", first)
    shells.wait_until_begun(other)
    shells.run("go.set()", second)
    assert shells.finish(main) == "1"
    shells.run("stop.set()", second)
    assert shells.finish(other) == "(True, 1)"
    assert shells.run("Model().f()", first) == "2"


def test_cells_of_three_shells_at_once(shells: Shells) -> None:
    """Edits between rounds of cells that all run at the same time: none fails, and the cell after a round is right."""
    first, second = shells.ids
    cell = "values = {Model().f() for _ in range(2_000)}\nassert len(values) == 1, values"
    for number in range(2, 12):
        shells.edit(number)
        for request in [shells.start(cell, shell) for shell in (None, first, second)]:
            shells.finish(request)
        assert shells.run("Model().f()", first) == str(number)
