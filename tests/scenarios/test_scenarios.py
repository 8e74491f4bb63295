"""After any edit and a reload the notebook behaves as if it had been restarted on the new files: the corpus."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from typing import Any

import pytest

from tests.scenarios.scenarios import Scenario, read_corpus
from tests.scenarios.sessions import MODES, Mode, Sessions

# Scenarios that can't be right, with the reason; a limit of one mode only is named `SCENARIO[MODE]`.
LIMITS: Mapping[str, str] = {
    "generator-that-is-running": "CPython gives no way to exchange the code of a frame that has begun to run",
    "answers-kept-by-the-module": "what a module's functions compute is a cache of the old code: only running the cells"
    " again would give the new code's",
}

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="a session is a forked child")


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
