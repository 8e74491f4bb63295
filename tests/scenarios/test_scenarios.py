"""After any edit and a reload the notebook behaves as if it had been restarted on the new files: the corpus."""

from __future__ import annotations

import importlib.util
import os
import sys
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.scenarios.scenarios import Scenario, read_corpus
from tests.scenarios.sessions import MODES, Answers, Mode, describe_differences
from tests.shares import take_turn

# Scenarios that can't be right, with the reason; a limit of one mode only is named `SCENARIO[MODE]`.
LIMITS: Mapping[str, str] = {
    "generator-that-is-running": "CPython gives no way to exchange the code of a frame that has begun to run",
    "answers-kept-by-the-module": "what a module's functions compute is a cache of the old code: only running the cells"
    " again would give the new code's",
    "number-that-is-to-end-a-running-loop": "CPython gives no way to exchange the globals of a frame; use an Event",
    "task-that-has-not-begun": "asyncio gives no way to exchange the coroutine of a task",
    "route-added-by-a-cell": "only running the cell again tells the library's object what it was told",
}

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="a session is a forked child")


def is_readable(scenario: Scenario) -> bool:
    """Return whether this Python can read the files of a scenario."""
    return sys.version_info >= tuple(map(int, scenario.header.get("python", "3.11").split(".")))


def find_limit(scenario: Scenario, mode: Mode) -> str | None:
    """Return why a scenario can't be right in a mode."""
    return LIMITS.get(f"{scenario.name}[{mode}]", LIMITS.get(scenario.name))


def as_case(scenario: Scenario, mode: Mode, reason: str | None, *, is_long: bool = False) -> Any:
    """Return a scenario in a mode as a case of a test, with what stands in its way, and why it can't be right.

    One that is long runs only when it is asked for.
    """
    needs = scenario.header.get("needs", "").split()
    missing = [name for name in needs if importlib.util.find_spec(name) is None]
    marks = [pytest.mark.skip(reason=f"needs {', '.join(missing)}")] if missing else []
    if reason is not None:
        marks.append(pytest.mark.xfail(reason=reason, strict=True))
    if is_long:
        marks.append(pytest.mark.long)
    return pytest.param(scenario, mode, id=f"{scenario.name}-{mode}", marks=marks)


def draw_cases(mode: Mode, one_in: int, limits: Mapping[str, str], always: str = "") -> Iterator[Any]:
    """Yield some scenarios in a mode as cases, always the same, whatever else is in the corpus.

    Args:
        mode: how the notebook reloads.
        one_in: of how many scenarios one is drawn.
        limits: what can't be right in this mode, with the reason.
        always: the scenario that is among them in any case.
    """
    for scenario in filter(is_readable, read_corpus()):
        if scenario.name == always or zlib.crc32(scenario.name.encode()) % one_in == 0:
            yield as_case(scenario, mode, limits.get(scenario.name, find_limit(scenario, "auto")))


def require_equal(scenario: Scenario, mode: Mode, answers: Answers) -> None:
    """Fail where a live session shows something else than a restarted one."""
    wrong = describe_differences(scenario, *answers.of(scenario, mode))
    if wrong:
        pytest.fail(wrong, pytrace=False)


def _cases() -> Iterator[Any]:
    """Yield each scenario in each mode: one of them if nothing else is asked for, on the next Python the other."""
    for scenario in filter(is_readable, read_corpus()):
        turn = take_turn(scenario.name, len(MODES))
        for place, mode in enumerate(MODES):
            yield as_case(scenario, mode, find_limit(scenario, mode), is_long=place != turn)


@pytest.mark.parametrize(("scenario", "mode"), [*_cases()])
def test_reloaded_equals_restarted(scenario: Scenario, mode: Mode, answers: Answers) -> None:
    """Every probe shows in the reloaded notebook what it shows in a restarted one."""
    require_equal(scenario, mode, answers)


def test_corpus_is_large() -> None:
    """There are at least 100 scenarios, each with its source and its own name."""
    scenarios = read_corpus()
    assert len(scenarios) >= 100
    assert all(scenario.header["source"] for scenario in scenarios)


def test_no_scenario_is_left_out() -> None:
    """What scenarios need is installed with the tests: one that is skipped everywhere tests nothing."""
    needs = {name for scenario in read_corpus() for name in scenario.header.get("needs", "").split()}
    assert sorted(name for name in needs if importlib.util.find_spec(name) is None) == []
