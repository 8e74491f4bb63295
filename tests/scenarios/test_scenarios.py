"""After any edit and a reload the notebook behaves as if it had been restarted on the new files: the corpus."""

from __future__ import annotations

import importlib.util
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import pytest

import exocet_ipython
from tests.scenarios.scenarios import Cell, Probe, Scenario, Step, read_corpus

Mode = Literal["fresh", "auto", "explicit"]
MODES: tuple[Mode, ...] = ("auto", "explicit")
SERVER = Path(__file__).with_name("server.py")
PROJECT = Path(exocet_ipython.__file__).parents[1]

# Scenarios that can't be right, with the reason; a limit of one mode only is named `SCENARIO[MODE]`.
LIMITS: Mapping[str, str] = {
    "generator-that-is-running": "CPython gives no way to exchange the code of a frame that has begun to run",
    "counter-kept-by-the-module": "what a module's functions compute is a cache of the old code: only running the cells"
    " again would give the new code's",
}

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="a session is a forked child")


class Sessions:
    """Servers that run sessions, a pair a mode, started when first needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._idle: dict[Mode, queue.SimpleQueue[subprocess.Popen[str]]] = {}
        self._all: list[subprocess.Popen[str]] = []
        self._pool = ThreadPoolExecutor(2)
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

    def _truth(self, scenario: Scenario, mode: Mode) -> dict[str, Any]:
        answer: dict[str, Any] = {"shown": [], "failed": [], "log": ""}
        for files, cells, probes in scenario.checkpoints():
            part = self._ask(mode, scenario, files, [*cells, *probes])
            for key in answer:
                answer[key] += part[key]
        return answer

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
        server = self._server(mode)
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(json.dumps(job) + "\n")
        server.stdin.flush()
        answer: dict[str, Any] = json.loads(server.stdout.readline())
        self._idle[mode].put(server)
        return answer

    def _server(self, mode: Mode) -> subprocess.Popen[str]:
        with self._lock:
            idle = self._idle.setdefault(mode, queue.SimpleQueue())
        try:
            return idle.get_nowait()
        except queue.Empty:
            pass
        environment = {
            **os.environ,
            "PYTHONHASHSEED": "0",
            "PYTHONPATH": "" if mode == "fresh" else str(PROJECT),
            "PYTHONWARNINGS": "ignore",
            "PYTHONDONTWRITEBYTECODE": "",  # as people have it: a `.pyc` proves what a module ran from
            "IPYTHONDIR": str(self._folder / "ipython"),
        }
        server = subprocess.Popen(
            [sys.executable, str(SERVER), mode],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=self._folder,
        )
        self._all.append(server)
        return server


@pytest.fixture(scope="session")
def answers(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[tuple[str, Mode], Future[dict[str, Any]]]]:
    """What each session of the selected tests will answer: they run two at a time, ahead of the tests."""
    sessions = Sessions(tmp_path_factory.mktemp("scenarios"))
    found: dict[tuple[str, Mode], Future[dict[str, Any]]] = {}
    for item in request.session.items:
        parameters: dict[str, Any] = getattr(getattr(item, "callspec", None), "params", {})
        scenario = parameters.get("scenario")
        if not isinstance(scenario, Scenario):
            continue
        needed: tuple[Mode, ...] = ("fresh", parameters["mode"])
        for which in needed:
            if (scenario.name, which) not in found:
                found[scenario.name, which] = sessions.submit(scenario, which)
    yield found
    sessions.close()


def _cases() -> Iterator[Any]:
    """Yield each scenario in each mode, with what stands in its way."""
    for scenario in read_corpus():
        needs = scenario.header.get("needs", "").split()
        missing = [name for name in needs if importlib.util.find_spec(name) is None]
        for mode in MODES:
            marks = [pytest.mark.skip(reason=f"needs {', '.join(missing)}")] if missing else []
            reason = LIMITS.get(f"{scenario.name}[{mode}]", LIMITS.get(scenario.name))
            if reason is not None:
                marks.append(pytest.mark.xfail(reason=reason, strict=True))
            yield pytest.param(scenario, mode, id=f"{scenario.name}-{mode}", marks=marks)


@pytest.mark.parametrize(("scenario", "mode"), [*_cases()])
def test_reloaded_equals_restarted(
    scenario: Scenario, mode: Mode, answers: dict[tuple[str, Mode], Future[dict[str, Any]]]
) -> None:
    """Every probe shows in the reloaded notebook what it shows in a restarted one."""
    truth, live = (answers[scenario.name, which].result(120) for which in ("fresh", mode))
    if truth["failed"]:
        pytest.fail(f"a cell fails in a fresh interpreter as well: {truth['failed']}", pytrace=False)
    if len(live["shown"]) != len(scenario.probes):
        pytest.fail(f"{live['failed']}\n{live['log']}", pytrace=False)
    wanted = [probe.truth or shown for probe, shown in zip(scenario.probes, truth["shown"], strict=True)]
    wrong = [
        f"{probe.code}\n    want {want}\n    got  {got}"
        for probe, want, got in zip(scenario.probes, wanted, live["shown"], strict=True)
        if want != got
    ]
    if wrong:
        pytest.fail("\n".join([*wrong, "what the session printed:", live["log"]]), pytrace=False)


def test_corpus_is_large() -> None:
    """There are at least 100 scenarios, each with its source and its own name."""
    scenarios = read_corpus()
    assert len(scenarios) >= 100
    assert all(scenario.header["source"] for scenario in scenarios)


def _as_json(action: Cell | Probe | Step) -> dict[str, Any]:
    match action:
        case Cell(code):
            return {"cell": code, "imports": action.is_imports}
        case Probe(code):
            return {"probe": code}
        case Step(operations):
            return {"step": list(operations)}
