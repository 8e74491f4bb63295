"""What the tests of scenarios share: sessions that answer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.scenarios.sessions import Answers, Sessions


@pytest.fixture(scope="session")
def answers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answers]:
    """What each session of the selected tests answers."""
    sessions = Sessions(tmp_path_factory.mktemp("scenarios"))
    asked = [getattr(getattr(item, "callspec", None), "params", {}) for item in request.session.items]
    yield Answers(sessions, [(one["scenario"], one["mode"]) for one in asked if {"scenario", "mode"} <= one.keys()])
    sessions.close()
