"""Thousands of random sequences: `python -m tests.differential.soak [COUNT] [--jobs N] [--folder FOLDER]`.

Sequences come in lots, each drawn from its own seed, so that a run can be taken up where it ended: what was done is
noted in FOLDER/done, and each sequence that diverged is there as a scenario. Every other lot is one of imports.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hypothesis import Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.differential.imports import ImportMachine
from tests.differential.machine import SETTINGS, Machine
from tests.differential.script import Difference, Script
from tests.differential.sequences import WorkMachine
from tests.scenarios.sessions import Sessions

LOT = 25  # sequences
MACHINES: tuple[type[Machine], ...] = (WorkMachine, ImportMachine)


def run_lot(number: int, folder: Path) -> tuple[int, int]:
    """Run the sequences of one lot; return how many ran, and how many diverged."""
    ran = diverged = 0
    machine = MACHINES[number % len(MACHINES)]
    with tempfile.TemporaryDirectory() as place:

        class Counted(machine):  # type: ignore[misc, valid-type]  # one of several
            sessions = Sessions(Path(place), at_once=1)

            def judge(self, script: Script, differences: Sequence[Difference]) -> None:
                nonlocal ran, diverged
                ran += 1
                diverged += bool(differences)
                for difference in differences:
                    name = f"{number}-{ran}-{difference.mode}"
                    (folder / f"{number}-{ran}.whole").write_text(script.text, "utf-8")
                    (folder / f"{name}.scn").write_text(script.excerpt(difference), "utf-8")
                    (folder / f"{name}.txt").write_text(f"{difference}\n{script.words}\n{difference.log}", "utf-8")

        wanted = settings(SETTINGS, max_examples=LOT, phases=[Phase.generate])
        try:
            run_state_machine_as_test(seed(number)(Counted), settings=wanted)
        finally:
            Counted.sessions.close()
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
