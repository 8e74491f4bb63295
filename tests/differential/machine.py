"""A state machine that draws a script, and has it compared with restarts at its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from tests.differential.script import Difference, Script, compare
from tests.scenarios.sessions import MODES, Sessions

__all__ = ["SETTINGS", "Machine"]

_T = TypeVar("_T")
SETTINGS = settings(stateful_step_count=6, deadline=None, database=None, suppress_health_check=list(HealthCheck))


class Machine(RuleBasedStateMachine):
    """Draws what happens; what has happened is in its script."""

    sessions: ClassVar[Sessions]
    script: Script | None = None
    _draw: Callable[[Any], Any]

    def teardown(self) -> None:
        """Have what was drawn run, in live sessions and in restarted ones."""
        if self.script is not None:
            self.judge(self.script, list(compare(self.script, self.sessions, MODES)))

    def judge(self, script: Script, differences: Sequence[Difference]) -> None:
        """Do something about where the sessions of a script differ from restarted ones."""
        raise NotImplementedError

    def _is_one_of(self, count: int) -> bool:
        return bool(self._draw(st.integers(0, count - 1)) == count - 1)

    def _pick(self, values: Sequence[_T]) -> _T:
        return values[self._draw(st.integers(0, len(values) - 1))]  # a number: what is drawn can be long to show
