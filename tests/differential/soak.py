"""Thousands of random sequences: `python -m tests.differential.soak [COUNT] [--jobs N] [--folder FOLDER]`.

Sequences come in lots, each drawn from its own seed, so that a run can be taken up where it ended: what was done is
noted in FOLDER/done, and each sequence that diverged is there as a scenario.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.differential.sequences import WorkMachine
from tests.differential.story import compare
from tests.scenarios.sessions import MODES, Sessions

LOT = 25  # sequences


def run_lot(number: int, folder: Path) -> tuple[int, int]:
    """Run the sequences of one lot; return how many ran, and how many diverged."""
    ran = diverged = 0
    with tempfile.TemporaryDirectory() as place:
        sessions = Sessions(Path(place), at_once=1)

        class Counted(WorkMachine):
            def teardown(self) -> None:
                nonlocal ran, diverged
                if not hasattr(self, "story"):
                    return
                ran += 1
                found = list(compare(self.story, sessions, MODES))
                diverged += bool(found)
                for difference in found:
                    name = f"{number}-{ran}-{difference.mode}"
                    (folder / f"{number}-{ran}.whole").write_text(self.story.text, "utf-8")
                    (folder / f"{name}.scn").write_text(self.story.excerpt(difference), "utf-8")
                    (folder / f"{name}.txt").write_text(f"{difference}\n{self.story.words}\n{difference.log}", "utf-8")

        wanted = settings(
            max_examples=LOT,
            stateful_step_count=6,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        try:
            run_state_machine_as_test(seed(number)(Counted), settings=wanted)
        finally:
            sessions.close()
    return ran, diverged


def main() -> int:
    """Run what is left to run; return the exit status."""
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("count", nargs="?", type=int, default=5000, help="how many sequences")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes at a time")
    parser.add_argument("--folder", type=Path, default=Path(".soak"), help="where the results are")
    parser.add_argument("--lot", type=int, help="run this lot only")
    wanted = parser.parse_args()
    folder: Path = wanted.folder
    folder.mkdir(exist_ok=True)
    if wanted.lot is not None:
        ran, diverged = run_lot(wanted.lot, folder)
        (folder / f"{wanted.lot}.done").write_text(f"{ran} {diverged}", "utf-8")
        return int(diverged > 0)
    waiting = [lot for lot in range(-(-wanted.count // LOT)) if not (folder / f"{lot}.done").exists()]
    running: list[subprocess.Popen[bytes]] = []
    command = [sys.executable, "-m", "tests.differential.soak", "--folder", str(folder), "--lot"]
    while waiting or running:
        while waiting and len(running) < wanted.jobs:
            running.append(subprocess.Popen([*command, str(waiting.pop(0))]))
        running[0].wait()
        running = [process for process in running if process.poll() is None]
        print(_describe(folder), flush=True)
    return 0 if _describe(folder).endswith(" 0 diverged") else 1


def _describe(folder: Path) -> str:
    done = [path.read_text("utf-8").split() for path in folder.glob("*.done")]
    return f"{sum(int(ran) for ran, _ in done)} sequences ran, {sum(int(bad) for _, bad in done)} diverged"


if __name__ == "__main__":
    sys.exit(main())
