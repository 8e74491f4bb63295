"""Sessions of scenarios, each a forked child of a server process, and the truth from fresh ones."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import exocet_ipython
from tests.scenarios.scenarios import Cell, Probe, Scenario, Step

__all__ = ["ALL_MODES", "MODES", "Answers", "Mode", "Sessions", "describe_differences"]

Mode = Literal["fresh", "auto", "explicit", "tracked", "late"]  # see `server.py`
MODES: tuple[Mode, ...] = ("auto", "explicit")  # in which all scenarios are to be right
ALL_MODES: tuple[Mode, ...] = (*MODES, "tracked", "late")
SERVER = Path(__file__).with_name("server.py")
PROJECT = Path(exocet_ipython.__file__).parents[1]


# So many tests ahead sessions run: enough for both processors, and few that another process runs as well, which shares
# the tests with this one.
_AHEAD = 3
_SECONDS = 120


class Answers:
    """What sessions answer, which run a little ahead of the tests that ask.

    Args:
        sessions: where they run.
        wanted: what will be asked, in order.
    """

    def __init__(self, sessions: Sessions, wanted: Sequence[tuple[Scenario, Mode]]) -> None:
        self._sessions = sessions
        self._wanted = wanted
        self._places = {(scenario.name, mode): place for place, (scenario, mode) in enumerate(wanted)}
        self._found: dict[tuple[str, Mode], Future[dict[str, Any]]] = {}

    def of(self, scenario: Scenario, mode: Mode) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the truth of a scenario and what a live session shows."""
        place = self._places[scenario.name, mode]
        for one, live in self._wanted[place : place + _AHEAD]:
            modes: tuple[Mode, ...] = ("fresh", live)
            for which in modes:
                if (one.name, which) not in self._found:
                    self._found[one.name, which] = self._sessions.submit(one, which)
        truth, answer = (self._found[scenario.name, which].result(_SECONDS) for which in ("fresh", mode))
        return truth, answer


class Sessions:
    """Servers that run sessions, started when first needed.

    Args:
        folder: where the sessions have their folders.
        at_once: how many sessions run at a time.
        installed: a folder of packages that come before those that are installed with the tests.
    """

    def __init__(self, folder: Path, at_once: int = 2, installed: Path | None = None) -> None:
        self._folder = folder
        self._installed = [] if installed is None else [str(installed)]
        self._idle: dict[tuple[str, ...], queue.SimpleQueue[subprocess.Popen[str]]] = {}
        self._all: list[subprocess.Popen[str]] = []
        self._pool = ThreadPoolExecutor(at_once)
        self._lock = threading.Lock()
        self._number = 0

    def submit(self, scenario: Scenario, mode: Mode) -> Future[dict[str, Any]]:
        """Have a scenario run in a live session, or the truth of its probes found; the answer comes later."""
        return self._pool.submit(self._truth if mode == "fresh" else self._live, scenario, mode)

    def close(self) -> None:
        """End all servers."""
        self._pool.shutdown(cancel_futures=True)
        for server in self._all:
            assert server.stdin is not None
            assert server.stdout is not None
            server.stdin.close()
            server.wait(10)
            server.stdout.close()

    def _live(self, scenario: Scenario, mode: Mode) -> dict[str, Any]:
        return self._ask(mode, scenario, scenario.files, scenario.actions)

    def _truth(self, scenario: Scenario, _mode: Mode) -> dict[str, Any]:
        answer: dict[str, Any] = {"shown": [], "failed": [], "log": ""}
        for checkpoint in scenario.checkpoints():
            part = self.ask_fresh(scenario, *checkpoint)
            for key in answer:
                answer[key] += part[key]
        return answer

    def ask_fresh(
        self, scenario: Scenario, files: Mapping[str, str], cells: Sequence[Cell], probes: Sequence[Probe]
    ) -> dict[str, Any]:
        """Return what a fresh interpreter shows that has these files and has run these cells."""
        return self._ask("fresh", scenario, files, [*cells, *probes])

    def _ask(
        self, mode: Mode, scenario: Scenario, files: Mapping[str, str], actions: Sequence[Cell | Probe | Step]
    ) -> dict[str, Any]:
        with self._lock:
            self._number += 1
            root = self._folder / f"{mode}{self._number}"
        root.mkdir()
        job = {
            "root": str(root.resolve()),
            "path": scenario.header.get("path", "."),
            "files": dict(files),
            "timeout": scenario.header.get("timeout", "30"),
            "actions": [_as_json(action) for action in actions],
        }
        arguments = (mode, "libraries") if "needs" in scenario.header else (mode,)
        server = self._server(arguments)
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(json.dumps(job) + "\n")
        server.stdin.flush()
        answer: dict[str, Any] = json.loads(server.stdout.readline())
        self._idle[arguments].put(server)
        shutil.rmtree(root)
        return answer

    def _server(self, arguments: tuple[str, ...]) -> subprocess.Popen[str]:
        with self._lock:
            idle = self._idle.setdefault(arguments, queue.SimpleQueue())
        try:
            return idle.get_nowait()
        except queue.Empty:
            pass
        environment = {
            **os.environ,
            "PYTHONHASHSEED": "0",
            "PYTHONPATH": os.pathsep.join([*self._installed, *([] if "fresh" in arguments else [str(PROJECT)])]),
            "PYTHONWARNINGS": "ignore",
            "PYTHONDONTWRITEBYTECODE": "",  # as people have it: a `.pyc` proves what a module ran from
            "IPYTHONDIR": str(self._folder / "ipython"),
        }
        server = subprocess.Popen(
            [sys.executable, str(SERVER), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=self._folder,
        )
        self._all.append(server)
        return server


def describe_differences(scenario: Scenario, truth: Mapping[str, Any], live: Mapping[str, Any]) -> str:
    """Return what a live session showed otherwise than the truth is, or an empty text."""
    if truth["failed"]:
        return f"a cell fails in a fresh interpreter as well: {truth['failed']}"
    if len(live["shown"]) != len(scenario.probes):
        return f"{live['failed']}\n{live['log']}"
    wanted = [probe.truth or shown for probe, shown in zip(scenario.probes, truth["shown"], strict=True)]
    wrong = [
        f"{probe.code}\n    want {want}\n    got  {got}"
        for probe, want, got in zip(scenario.probes, wanted, live["shown"], strict=True)
        if want != got
    ]
    return "\n".join([*wrong, "what the session printed:", live["log"]]) if wrong else ""


def _as_json(action: Cell | Probe | Step) -> dict[str, Any]:
    match action:
        case Cell(code):
            return {"cell": code, "imports": action.is_imports}
        case Probe(code):
            return {"probe": code}
        case Step(operations):
            return {"step": list(operations)}
