"""After each step of a random sequence of edits a live notebook shows what a restarted one would."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.differential.sequences import WorkMachine
from tests.differential.story import compare
from tests.scenarios.sessions import MODES, Sessions

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="a session is a forked child")

SEQUENCES = 15  # half a minute, on one core


def test_random_sequences_equal_restarts() -> None:
    """After each step every export, identity, held object and live instance is as after a restart, in both modes."""
    with tempfile.TemporaryDirectory() as folder:
        sessions = Sessions(Path(folder), at_once=1)

        class Compared(WorkMachine):
            def teardown(self) -> None:
                if not hasattr(self, "story"):
                    return
                for difference in compare(self.story, sessions, MODES):
                    note(difference.log)
                    pytest.fail(f"{difference}\n\n{self.story.excerpt(difference)}", pytrace=False)

        try:
            run_state_machine_as_test(
                Compared,
                settings=settings(
                    max_examples=SEQUENCES,
                    stateful_step_count=6,
                    deadline=None,
                    derandomize=True,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            sessions.close()
