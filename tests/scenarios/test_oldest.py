"""A part of the corpus on the oldest releases that `pyproject.toml` allows of IPython and the other dependencies."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zlib
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.scenarios.scenarios import Scenario, read_corpus
from tests.scenarios.sessions import PROJECT, Answers, Mode, Sessions
from tests.scenarios.test_scenarios import as_case, find_limit, is_readable, require_equal

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="a session is a forked child"),
    pytest.mark.history,  # fetches releases from the registry
    pytest.mark.xdist_group("oldest"),  # one process fetches them
]

_ONE_IN = 64  # scenarios: with what they install a third of a minute of one core
_ALWAYS = ("imports-under-magics",)


def _oldest() -> list[str]:
    """Return the dependencies, each as its oldest release that is allowed: `NAME==VERSION`."""
    dependencies = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    return [re.sub(r"^([\w-]+)>=([\w.]+).*$", r"\1==\2", dependency) for dependency in dependencies]


@pytest.fixture(scope="module")
def oldest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the oldest releases are."""
    folder = tmp_path_factory.mktemp("oldest")
    _install(_oldest(), folder)
    needed = [Requirement(text) for one in distributions(path=[str(folder)]) for text in one.requires or ()]
    installed = {canonicalize_name(one.name) for one in distributions()}
    wanted = [one for one in needed if one.marker is None or one.marker.evaluate({"extra": ""})]
    _install([str(one) for one in wanted if canonicalize_name(one.name) not in installed], folder)
    return folder


def _install(requirements: list[str], folder: Path) -> None:
    """Fetch distributions, and not what they need: nearly all of that is installed with the tests."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    if requirements:
        subprocess.run([*command, f"--target={folder}", *requirements], check=True)


@pytest.fixture(scope="module")
def answers(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, oldest: Path
) -> Iterator[Answers]:
    """What each session of the selected tests answers, all of them on the oldest releases."""
    sessions = Sessions(tmp_path_factory.mktemp("scenarios"), installed=oldest)
    asked = [
        item.callspec.params
        for item in request.session.items
        if item.path == request.path and hasattr(item, "callspec")
    ]
    yield Answers(sessions, [(one["scenario"], one["mode"]) for one in asked])
    sessions.close()


def _cases() -> Iterator[Any]:
    """Yield some scenarios, always the same ones, whatever else is in the corpus."""
    mode: Mode = "auto"
    for scenario in filter(is_readable, read_corpus()):
        is_chosen = zlib.crc32(scenario.name.encode()) % _ONE_IN == 1 or scenario.name in _ALWAYS
        if is_chosen and find_limit(scenario, mode) is None:
            yield as_case(scenario, mode, None)


@pytest.mark.parametrize(("scenario", "mode"), [*_cases()])
def test_reloaded_equals_restarted_on_the_oldest_releases(scenario: Scenario, mode: Mode, answers: Answers) -> None:
    """Every probe shows in the reloaded notebook what it shows in a restarted one."""
    require_equal(scenario, mode, answers)


def test_the_oldest_releases_are_what_runs(oldest: Path) -> None:
    """Each dependency has a lower bound, and the sessions find that one before any other."""
    wanted = dict(one.split("==") for one in _oldest())
    code = "import importlib.metadata, sys; print(*map(importlib.metadata.version, sys.argv[1:]))"
    found = subprocess.run(
        [sys.executable, "-c", code, *wanted],
        env={**os.environ, "PYTHONPATH": str(oldest)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert [*map(Version, found.stdout.split())] == [*map(Version, wanted.values())]
