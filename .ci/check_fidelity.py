"""Compare the results of the fidelity oracle with the floors that the project has reached.

    python .ci/check_fidelity.py RESULTS FLOORS

RESULTS is what `oracle.py --json` wrote. FLOORS maps an adapter to the number of scenarios that it must pass: it is
raised with each improvement and never lowered, so that what was right once stays right. Exits with 1 below a floor.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Score:
    """How one adapter did: its floor, the scenarios it passed and those it failed, by name."""

    adapter: str
    floor: int
    passed: tuple[str, ...]
    failed: tuple[str, ...]

    def __str__(self) -> str:
        total = len(self.passed) + len(self.failed)
        return f"{self.adapter} {len(self.passed)} of {total}" if total else f"{self.adapter} not installed"


def score(adapter: str, floor: int, scenarios: dict[str, Any] | None) -> Score:
    """Sort the scenarios of one adapter by outcome; the oracle gives None for an adapter that isn't installed."""
    passed = {name: result["pass"] for name, result in (scenarios or {}).items()}
    return Score(
        adapter,
        floor,
        passed=tuple(name for name, right in passed.items() if right),
        failed=tuple(name for name, right in passed.items() if not right),
    )


def main(results_file: str, floors_file: str) -> int:
    """Print each adapter's verdict, and all scores in the last line; return the exit status."""
    results = json.loads(Path(results_file).read_text(encoding="utf-8"))["results"]
    floors = json.loads(Path(floors_file).read_text(encoding="utf-8"))
    scores = [score(adapter, floor, results.get(adapter)) for adapter, floor in floors.items()]
    below = [it for it in scores if len(it.passed) < it.floor]
    for it in scores:
        if it in below:
            print(f"{it}: below its floor of {it.floor}; failed: {', '.join(it.failed) or 'nothing ran'}")
        elif len(it.passed) > it.floor:
            print(f"{it}: above its floor of {it.floor}; raise it in {floors_file}")
    print(f"fidelity: {', '.join(map(str, scores))}")
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
