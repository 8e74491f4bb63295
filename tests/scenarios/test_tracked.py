"""Who tracks old objects, and moves them with `%exomigrate --rebuild`, has what a restart would have given, too."""

from __future__ import annotations

import os
from collections.abc import Mapping

import pytest

from tests.scenarios.scenarios import Scenario
from tests.scenarios.sessions import Answers, Mode
from tests.scenarios.test_scenarios import draw_cases, require_equal

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="a session is a forked child")

_ONE_IN = 32  # scenarios: 20 seconds of one core; `python -m tests.scenarios.varied --mode tracked unvaried` runs all

# What can't be right, with the reason.
_UNREFERRED = (
    "nothing may hold what a module has made, and a list, a dict or bytes can't be referenced weakly: once their"
)
_UNREFERRED += " module is gone, since no class or function of it is held, what holds one of them is not found"
LIMITS: Mapping[str, str] = {
    "class-decorator-that-registers-or-changes-classes": "only a reload that migrates takes out what a decorator has"
    " registered that changes classes now, and a later move has the decorator of before no more",
    "buffers-through-failure-and-undo": _UNREFERRED,
    "table-holds-objects-of-other-modules": _UNREFERRED,
}


@pytest.mark.parametrize(("scenario", "mode"), [*draw_cases("tracked", _ONE_IN, LIMITS)])
def test_moved_later_equals_restarted(scenario: Scenario, mode: Mode, answers: Answers) -> None:
    """Every probe shows after `%exomigrate --rebuild` what it shows in a restarted notebook."""
    require_equal(scenario, mode, answers)
