"""After any edit and a reload the notebook behaves as if it had been restarted on the new files: the corpus."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.scenarios.scenarios import Scenario, read_corpus
from tests.scenarios.sessions import MODES, Answers, Mode, Sessions

# Scenarios that can't be right, with the reason; a limit of one mode only is named `SCENARIO[MODE]`.
LIMITS: Mapping[str, str] = {
    "generator-that-is-running": "CPython gives no way to exchange the code of a frame that has begun to run",
    "answers-kept-by-the-module": "what a module's functions compute is a cache of the old code: only running the cells"
    " again would give the new code's",
    "arguments-that-cells-add-to-a-parser": "as of a route: only running the cell again tells the library's object",
    "task-that-has-not-begun": "asyncio gives no way to exchange the coroutine of a task",
    "route-added-by-a-cell": "only running the cell again tells the library's object what it was told",
}

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="a session is a forked child")


@pytest.fixture(scope="session")
def answers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answers]:
    """What each session of the selected tests answers."""
    sessions = Sessions(tmp_path_factory.mktemp("scenarios"))
    asked = [getattr(getattr(item, "callspec", None), "params", {}) for item in request.session.items]
    yield Answers(sessions, [(one["scenario"], one["mode"]) for one in asked if {"scenario", "mode"} <= one.keys()])
    sessions.close()


def _cases() -> Iterator[Any]:
    """Yield each scenario in each mode, with what stands in its way."""
    for scenario in read_corpus():
        if sys.version_info < tuple(map(int, scenario.header.get("python", "3.11").split("."))):
            continue  # its files are no Python yet
        needs = scenario.header.get("needs", "").split()
        missing = [name for name in needs if importlib.util.find_spec(name) is None]
        for mode in MODES:
            marks = [pytest.mark.skip(reason=f"needs {', '.join(missing)}")] if missing else []
            reason = LIMITS.get(f"{scenario.name}[{mode}]", LIMITS.get(scenario.name))
            if reason is not None:
                marks.append(pytest.mark.xfail(reason=reason, strict=True))
            yield pytest.param(scenario, mode, id=f"{scenario.name}-{mode}", marks=marks)


@pytest.mark.parametrize(("scenario", "mode"), [*_cases()])
def test_reloaded_equals_restarted(scenario: Scenario, mode: Mode, answers: Answers) -> None:
    """Every probe shows in the reloaded notebook what it shows in a restarted one."""
    truth, live = answers.of(scenario, mode)
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


def test_no_scenario_is_left_out() -> None:
    """What scenarios need is installed with the tests: one that is skipped everywhere tests nothing."""
    needs = {name for scenario in read_corpus() for name in scenario.header.get("needs", "").split()}
    assert sorted(name for name in needs if importlib.util.find_spec(name) is None) == []
