"""After each step of a random sequence of edits a live notebook shows what a restarted one would."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import note, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.differential.imports import ImportMachine
from tests.differential.machine import SETTINGS, Machine
from tests.differential.script import Difference, Script
from tests.differential.sequences import WorkMachine
from tests.scenarios.sessions import Sessions
from tests.shares import SEED

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="a session is a forked child")


@pytest.mark.parametrize(
    ("machine", "sequences"),
    [
        pytest.param(WorkMachine, 6, id="definitions"),  # ten seconds of one core
        pytest.param(ImportMachine, 5, id="imports"),
    ],
)
def test_random_sequences_equal_restarts(machine: type[Machine], sequences: int) -> None:
    """After each step every export, identity, held object and live instance is as after a restart, in both modes."""
    with tempfile.TemporaryDirectory() as folder:

        @seed(SEED)
        class Compared(machine):  # type: ignore[misc, valid-type]  # one of several
            sessions = Sessions(Path(folder), at_once=1)

            def judge(self, script: Script, differences: Sequence[Difference]) -> None:
                for difference in differences:
                    note(difference.log)
                    pytest.fail(f"{difference}\n\n{script.excerpt(difference)}", pytrace=False)

        try:
            run_state_machine_as_test(Compared, settings=settings(SETTINGS, max_examples=sequences))
        finally:
            Compared.sessions.close()
