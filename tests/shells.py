"""Real IPython shells and kernels for tests, made and taken away again."""

from __future__ import annotations

import atexit
import builtins
import contextlib
import gc
import io
import os
import queue
import sys
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
from jupyter_client.manager import KernelManager
from traitlets.config import Config

if TYPE_CHECKING:
    from jupyter_client.blocking.client import BlockingKernelClient

__all__ = ["KernelCell", "KernelNotebook", "Notebook", "open_kernel", "open_shell", "person_environment"]

_ROOT = Path(__file__).parent.parent
_SECONDS = 60  # the longest a test waits for a kernel


class Notebook:
    """What a person types into one IPython shell, and what they see.

    Attributes:
        shell: a real `InteractiveShell`, without history and colours.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell

    def __getitem__(self, name: str) -> Any:
        return self.shell.user_ns[name]

    def __contains__(self, name: str) -> bool:
        return name in self.shell.user_ns

    def try_cell(self, cell: str) -> tuple[ExecutionResult, str]:
        """Run a cell; return IPython's result and all that was printed."""
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            result = self.shell.run_cell(cell, store_history=True)
        return result, printed.getvalue()

    def run(self, cell: str) -> str:
        """Run a cell that must succeed; return what was printed."""
        result, printed = self.try_cell(cell)
        assert result.success, printed
        return printed

    def value(self, cell: str) -> Any:
        """Run a cell that must succeed; return the value of its last expression."""
        result, printed = self.try_cell(cell)
        assert result.success, printed
        return result.result

    def fail(self, cell: str, kind: type[BaseException]) -> str:
        """Run a cell that must fail with the given kind of error; return what was printed."""
        result, printed = self.try_cell(cell)
        error = result.error_before_exec or result.error_in_exec
        assert isinstance(error, kind), (error, printed)
        return printed

    def names(self) -> dict[str, Any]:
        """Return the names that the person has bound, with their values."""
        hidden = self.shell.user_ns_hidden
        return {
            name: value
            for name, value in self.shell.user_ns.items()
            if not name.startswith("_") and (name not in hidden or hidden[name] is not value)
        }


@contextlib.contextmanager
def open_shell(folder: Path, config: Config | None = None) -> Iterator[InteractiveShell]:
    """Make the one IPython shell of this process, and leave no trace of it afterwards.

    Args:
        folder: where IPython may write.
        config: as a configuration file would give it.
    """
    whole = Config(config or {})
    whole.InteractiveShell.colors = "nocolor"
    whole.HistoryManager.enabled = False
    main, paths, before = sys.modules["__main__"], list(sys.path), dict(vars(builtins))
    hooks = sys.excepthook, sys.displayhook
    with warnings.catch_warnings():
        shell = InteractiveShell.instance(config=whole, ipython_dir=str(folder))
        try:
            yield shell
        finally:
            atexit.unregister(shell.atexit_operations)
            scripts: Any = dict.get(shell.magics_manager.registry, "ScriptMagics")  # not asked for: it may be lazy
            if scripts is not None:
                atexit.unregister(scripts.kill_bg_processes)  # else each shell stays, for all later tests to look over
            InteractiveShell.clear_instance()
            with contextlib.redirect_stdout(io.StringIO()), pytest.MonkeyPatch.context() as patch:
                # IPython collects when it forgets its outputs: the whole heap, at the end of a thousand tests.
                patch.setattr(gc, "collect", lambda *_: 0)
                shell.atexit_operations()
            sys.modules["__main__"] = main
            sys.path[:] = paths
            sys.excepthook, sys.displayhook = hooks
            for name in vars(builtins).keys() - before.keys():
                delattr(builtins, name)
            vars(builtins).update(before)


@dataclass(frozen=True)
class KernelCell:
    """What one cell sent to its frontend.

    Attributes:
        outputs: the type and content of each message that a notebook would show or store, in order.
        reply: the content of the reply: its `status`, and the error's `ename` and `evalue`.
    """

    outputs: tuple[tuple[str, dict[str, Any]], ...]
    reply: dict[str, Any]

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Return the contents of the messages of one type."""
        return [content for found, content in self.outputs if found == kind]

    @property
    def data(self) -> dict[str, str]:
        """The one display bundle of the cell's value: MIME type -> text."""
        (content,) = self.of("execute_result")
        bundle: dict[str, str] = content["data"]
        return bundle

    @property
    def text(self) -> str:
        """All that was printed."""
        return "".join(content["text"] for content in self.of("stream"))

    @property
    def traceback(self) -> str:
        """The one error that was shown, as text."""
        (content,) = self.of("error")
        return "\n".join(content["traceback"])


class KernelNotebook:
    """What a person types into a notebook, and what a real kernel answers."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self.manager = manager
        self.client = client

    def start(self, cell: str) -> str:
        """Have the kernel begin with a cell; return what `finish` needs."""
        request: str = self.client.execute(cell)
        return request

    def finish(self, request: str) -> KernelCell:
        """Wait until a cell is done; return what it sent."""
        outputs: list[tuple[str, dict[str, Any]]] = []
        for kind, content in self.messages(request):
            if kind == "status" and content["execution_state"] == "idle":
                break
            if kind in ("stream", "display_data", "execute_result", "error"):
                outputs.append((kind, content))
        while True:
            reply = self.client.get_shell_msg(timeout=_SECONDS)
            if reply["parent_header"].get("msg_id") == request:
                return KernelCell(tuple(outputs), reply["content"])

    def messages(self, request: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the type and content of the messages that belong to a cell, waiting for each."""
        while True:
            try:
                message = self.client.get_iopub_msg(timeout=_SECONDS)
            except queue.Empty:
                raise AssertionError(f"the kernel sent nothing for {_SECONDS} seconds") from None
            if message["parent_header"].get("msg_id") == request:
                yield message["msg_type"], message["content"]

    def try_cell(self, cell: str) -> KernelCell:
        """Run a cell; return what it sent."""
        return self.finish(self.start(cell))

    def run(self, cell: str) -> KernelCell:
        """Run a cell that must succeed; return what it sent."""
        done = self.try_cell(cell)
        assert done.reply["status"] == "ok", done
        return done

    def complete(self, text: str) -> list[str]:
        """Press Tab at the end of a text; return what is offered."""
        reply = self.client.complete(text, reply=True, timeout=_SECONDS)
        matches: list[str] = reply["content"]["matches"]
        return matches


def person_environment(folder: Path) -> dict[str, str]:
    """Return the environment of a process that a person starts: with this package, and nothing else of the tests."""
    hidden = ("PYTEST", "COV_", "PYTHONWARNINGS", "IPYTHON", "JUPYTER")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    private = folder / "home"
    private.mkdir(exist_ok=True)
    return kept | {
        "PYTHONPATH": str(_ROOT),
        "IPYTHONDIR": str(private / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(private / "runtime"),
        "JUPYTER_CONFIG_DIR": str(private / "config"),
        "TERM": "dumb",
        "COLUMNS": "200",
    }


@contextlib.contextmanager
def open_kernel(folder: Path, project: Path) -> Iterator[KernelNotebook]:
    """Start a real kernel in the project's folder, and stop it afterwards.

    Args:
        folder: a temporary folder.
        project: the person's files; the kernel starts there, as in JupyterLab.
    """
    threads = set(threading.enumerate())
    manager = KernelManager(connection_file=str(folder / "kernel.json"), transport="ipc", ip=str(folder / "k"))
    manager.start_kernel(
        cwd=str(project),
        env=person_environment(folder),
        extra_arguments=["--InteractiveShell.colors=nocolor", "--HistoryManager.enabled=False"],
    )
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=_SECONDS)
        yield KernelNotebook(manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()
        manager.context.destroy(linger=0)
        for thread in set(threading.enumerate()) - threads:
            thread.join(_SECONDS)
