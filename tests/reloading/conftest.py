"""Fixtures for what every detector has to do."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from exocet_ipython.reloading.noticing.changes import Detector, StatSweep
from exocet_ipython.reloading.noticing.watch import InotifyWatch
from tests.reloading.followed_project import FollowedProject

DETECTORS: dict[str, Callable[[], Detector]] = {"sweep": StatSweep}
if sys.platform == "linux":
    DETECTORS["watch"] = InotifyWatch


@pytest.fixture(params=DETECTORS)
def detector(request: pytest.FixtureRequest) -> Iterator[Detector]:
    """Each detector in turn."""
    detector = DETECTORS[request.param]()
    yield detector
    assert detector.limits == ()
    detector.close()


@pytest.fixture
def project(detector: Detector, tmp_path: Path) -> Iterator[FollowedProject]:
    """A folder of modules, none of which is followed yet."""
    project = FollowedProject(detector, tmp_path / "project")
    with project.held:
        yield project
