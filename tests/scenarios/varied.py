"""All scenarios, varied by a rule: `python -m tests.scenarios.varied RULE [MODE] [--only PATTERN]`.

A few variations run with the tests (`test_variations.py`); here are all that a rule gives, which takes five minutes.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from pathlib import Path

from tests.scenarios.scenarios import read_corpus
from tests.scenarios.sessions import MODES, Answers, Mode, Sessions, describe_differences
from tests.scenarios.test_scenarios import find_limit, is_readable
from tests.scenarios.variations import RULES, vary


def main() -> int:
    """Compare what is wanted with restarts; return the exit status."""
    parser = argparse.ArgumentParser(prog="varied", description=__doc__)
    parser.add_argument("rule", choices=RULES)
    parser.add_argument("mode", choices=MODES, nargs="?", default="auto")
    parser.add_argument("--only", type=re.compile, default=re.compile(""), help="a pattern of names of scenarios")
    wanted = parser.parse_args()
    mode: Mode = wanted.mode
    chosen = [one for one in read_corpus() if is_readable(one) and wanted.only.search(one.name)]
    varied = [
        one for one in (vary(scenario, wanted.rule) for scenario in chosen if find_limit(scenario, mode) is None) if one
    ]
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        sessions = Sessions(Path(folder))
        answers = Answers(sessions, [(scenario, mode) for scenario in varied])
        for scenario in varied:
            text = describe_differences(scenario, *answers.of(scenario, mode))
            if text:
                wrong += 1
                print(f"{scenario.name}\n{text}", flush=True)
        sessions.close()
    print(f"{wrong} of {len(varied)} differ")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
