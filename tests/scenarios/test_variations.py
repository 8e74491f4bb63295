"""A scenario ends as its restart does on whatever way the notebook comes to the same files."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.scenarios.scenarios import Scenario, read_corpus
from tests.scenarios.sessions import MODES, Answers, Mode
from tests.scenarios.test_scenarios import as_case, find_limit, is_readable, require_equal
from tests.scenarios.variations import RULES, vary
from tests.shares import is_of_share

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="a session is a forked child")

_ONE_IN = 8  # scenarios, by all Pythons together: half a minute; `python -m tests.scenarios.varied` runs all of a rule

# What can't be right, with the reason; by the name of the variation.
LIMITS: Mapping[str, str] = {
    "class-made-by-function-gains-methods-bit-by-bit": "half an edit takes a variable of a call from one method, and"
    " the rest of the edit has another method want it: that has never had it, which the report says",
    "overloads-and-typing-back": "`typing` knows overloads by their lines, where it has the later text's by now;"
    " nothing else holds the earlier ones",
}


def _cases() -> Iterator[Any]:
    """Yield some scenarios, each varied by one rule in one mode: always the same, whatever else is in the corpus."""
    for scenario in filter(is_readable, read_corpus()):
        number, chosen = divmod(zlib.crc32(scenario.name.encode()), _ONE_IN)
        number, place = divmod(number, len(MODES))
        mode = MODES[place]
        if chosen or not is_of_share(scenario.name) or find_limit(scenario, mode) is not None:
            continue
        varied = [one for one in (vary(scenario, rule) for rule in RULES) if one is not None]
        if varied:
            one = varied[number % len(varied)]
            yield as_case(one, mode, LIMITS.get(one.name))


@pytest.mark.parametrize(("scenario", "mode"), [*_cases()])
def test_varied_equals_restarted(scenario: Scenario, mode: Mode, answers: Answers) -> None:
    """Every probe of a varied scenario shows in the reloaded notebook what it shows in a restarted one."""
    require_equal(scenario, mode, answers)
