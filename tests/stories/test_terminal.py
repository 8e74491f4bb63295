"""A person's session in IPython's terminal, in a real pty."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.shells import person_environment

pexpect = pytest.importorskip("pexpect", reason="a pty: not on Windows")

_PROMPT = r"In \[\d+\]: "
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[=>]|\r")


class Terminal:
    """IPython in a pty: what is typed, and what the screen then shows."""

    def __init__(self, folder: Path, *options: str, term: str = "dumb") -> None:
        environment = person_environment(folder) | {"TERM": term, "PROMPT_TOOLKIT_NO_CPR": "1"}
        self.process = pexpect.spawn(
            sys.executable,
            ["-m", "IPython", "--no-banner", "--no-confirm-exit", "--colors=nocolor", *options],
            cwd=str(folder),
            env=environment,
            encoding="utf-8",
            timeout=60,
            dimensions=(50, 200),
        )

    def wait(self) -> str:
        """Wait for the next prompt; return what was shown before it."""
        self.process.expect(_PROMPT)
        return _ESCAPES.sub("", self.process.before or "")

    def type(self, line: str) -> str:
        """Type a line and Enter; return what is shown until the next prompt, without the echo."""
        self.process.sendline(line)
        return self.wait().partition(line)[2]

    def interrupt(self) -> str:
        """Press Ctrl-C; return what is shown until the next prompt.

        Pressed again where nothing follows: a signal that comes after `input` has shown its question, and before it
        waits for the answer, is noticed only when something else wakes it (CPython `Modules/readline.c`).
        """
        for _ in range(12):
            self.process.sendintr()
            if self.process.expect([_PROMPT, pexpect.TIMEOUT], timeout=5) == 0:
                break
        return _ESCAPES.sub("", self.process.before or "")

    def close(self) -> None:
        """End IPython, and make sure."""
        self.process.close(force=True)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """IPython with its simple prompt in a folder with one module, the extension loaded."""
    (tmp_path / "model.py").write_text("class Model:\n    def predict(self):\n        return 3\n")
    found = Terminal(tmp_path, "--simple-prompt")
    try:
        found.wait()
        found.type("%load_ext exocet_ipython")
        yield found
    finally:
        found.close()


def test_a_session_in_the_terminal(terminal: Terminal, tmp_path: Path) -> None:
    """Reports are a line of plain text, errors are the person's file and line, and IPython ends well."""
    assert "<module 'model' from" in terminal.type("%exoload model")
    terminal.type("%exoload from model import Model")
    terminal.type("m = Model()")
    (tmp_path / "model.py").write_text("class Model:\n    def predict(self):\n        return 42\n")
    shown = terminal.type("%exoreload")
    assert re.search(r"Out\[\d+\]: reloaded model in \d+ ms \(generation \d+\); 2 names replaced: model, Model", shown)
    assert "old Model alive: m" in shown
    assert "<" not in shown
    assert "42" in terminal.type("Model().predict()")
    status = terminal.type("%exostatus")
    assert re.search(r"model\s+current", status)
    assert "old Model alive: m" in status

    (tmp_path / "model.py").write_text("class Model:\n    def predict(self)\n")
    shown = terminal.type("%exoreload")
    assert "model.py:2" in shown
    assert "SyntaxError: expected ':'" in shown
    assert "not reloaded, nothing has changed" in shown
    assert "exocet_ipython" not in shown
    assert "42" in terminal.type("Model().predict()")
    assert "UsageError" in terminal.type("%exoload")
    assert "No module named 'nope'" in terminal.type("%exoload nope")

    terminal.type("%unload_ext exocet_ipython")
    assert "not found" in terminal.type("%exoreload")
    terminal.process.sendline("exit")
    terminal.process.expect(pexpect.EOF)
    terminal.process.close()
    assert terminal.process.exitstatus == 0


def test_ctrl_c_while_a_module_runs_leaves_all_old(terminal: Terminal, tmp_path: Path) -> None:
    """Ctrl-C during `%exoreload` in the terminal changes nothing, and the prompt comes back."""
    terminal.type("%exoload from model import Model")
    (tmp_path / "model.py").write_text("print('be' + 'gun', flush=True)\nwhile True:\n    pass\n")
    terminal.process.sendline("%exoreload")
    terminal.process.expect("begun")
    terminal.process.sendintr()
    shown = terminal.wait()
    assert "KeyboardInterrupt" in shown
    assert "exocet_ipython" not in shown
    assert "3" in terminal.type("Model().predict()")


@pytest.mark.skipif(os.name != "posix", reason="prompt_toolkit in a pty")
def test_tab_completes_in_the_full_terminal(tmp_path: Path) -> None:
    """With IPython's usual prompt, Tab after `%exoload` completes a module's name."""
    (tmp_path / "zebra_model.py").write_text("STRIPES = 40\n")
    terminal = Terminal(tmp_path, term="xterm")
    try:
        terminal.process.expect(r"In ")
        terminal.process.send("%load_ext exocet_ipython\r")
        terminal.process.expect(r"2")
        terminal.process.send("%exoload zebr\t")
        terminal.process.expect("a_model")
        terminal.process.send("\r")
        terminal.process.expect("<module 'zebra_model' from")
    finally:
        terminal.close()


def test_ctrl_c_at_the_question_of_collect_is_a_no(terminal: Terminal, tmp_path: Path) -> None:
    """It is not asked again, and nothing is let go of."""
    terminal.type("%exoload model")
    terminal.type("model.Model()")
    (tmp_path / "model.py").write_text("class Model:\n    pass\n")
    terminal.type("%exoreload")
    terminal.process.sendline("%exocollect")
    terminal.process.expect(r"\[y/N\] ")
    assert "alive still" in terminal.interrupt()
    assert "old Model alive: Out[" in terminal.type("%exostatus")
