"""All scenarios, varied by some rules, or all: `python -m tests.scenarios.varied [RULE ...] [--mode MODE]`.

A few variations run with the tests (`test_variations.py`); here are all that a rule gives, which takes five minutes.
The rule `unvaried` takes the scenarios as they are, for a mode in which only a few of them run with the tests.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tests.scenarios.scenarios import Scenario, read_corpus
from tests.scenarios.sessions import ALL_MODES, Answers, Mode, Sessions, describe_differences
from tests.scenarios.test_scenarios import find_limit, is_readable
from tests.scenarios.variations import RULES, vary

_UNVARIED = "unvaried"


def main() -> int:
    """Compare what is wanted with restarts; return the exit status."""
    parser = argparse.ArgumentParser(prog="varied", description=__doc__)
    known = f"of these: {', '.join(RULES)}; all if none is named; or {_UNVARIED}"
    parser.add_argument("rules", nargs="*", metavar="RULE", help=known)
    parser.add_argument("--mode", choices=ALL_MODES, default="auto", help="how the notebook reloads")
    parser.add_argument("--only", type=re.compile, default=re.compile(""), help="a pattern of names of scenarios")
    wanted = parser.parse_args()
    if unknown := set(wanted.rules) - {*RULES, _UNVARIED}:
        parser.error(f"no rules: {', '.join(sorted(unknown))}; there are {', '.join(RULES)}")
    chosen = [one for one in read_corpus() if is_readable(one) and wanted.only.search(one.name)]
    with tempfile.TemporaryDirectory() as folder:
        sessions = Sessions(Path(folder))
        wrong = sum(_compare(rule, wanted.mode, chosen, sessions) for rule in wanted.rules or RULES)
        sessions.close()
    return int(wrong > 0)


def _compare(rule: str, mode: Mode, chosen: Iterable[Scenario], sessions: Sessions) -> int:
    """Compare what a rule makes of scenarios with restarts, print what differs, and return how many do."""
    meant = [scenario for scenario in chosen if find_limit(scenario, mode) is None]
    varied = meant if rule == _UNVARIED else [vary(scenario, rule) for scenario in meant]
    scenarios = [one for one in varied if one is not None]
    answers = Answers(sessions, [(scenario, mode) for scenario in scenarios])
    wrong = 0
    for scenario in scenarios:
        text = describe_differences(scenario, *answers.of(scenario, mode))
        if text:
            wrong += 1
            print(f"{scenario.name}\n{text}", flush=True)
    print(f"{rule}, {mode}: {wrong} of {len(scenarios)} differ", flush=True)
    return wrong


if __name__ == "__main__":
    sys.exit(main())
