"""Random edits of real packages under a running notebook: `python -m tests.histories.edited [COUNT] [--seed SEED]`.

Each is made in a copy of a release, or several one after the other, and they are replayed both ways: from the release
to the edited copy, and back. The notebook holds some definitions of the package, in other ways each time.
"""

from __future__ import annotations

import argparse
import itertools
import random
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tests.histories.edits import edit_files
from tests.histories.holding import draw_held
from tests.histories.releases import HISTORIES, History, Replay, fetch_releases
from tests.histories.replaying import Mode, Outcome, compare, run_session

__all__ = ["Found", "replay_edits"]

_COUNTS = (1, 1, 1, 2, 3, 5)  # of edits, one after the other
_TOGETHER = (1, 1, 2)  # how many of them are saved together
_HELD = 10  # cells
_BROKEN = 0.1  # of the edits are followed by one that fails
_FAILING = ("\n1 +\n", "\nraise ValueError(1)\n")
_TRIES = 4  # edits, until one leaves the notebook whole


@dataclass(frozen=True, slots=True)
class Found:
    """What became of one set of edits.

    Attributes:
        release: the package and its version.
        edits: what was done to it.
        replayed: how many sessions were compared; none where the edits broke the package: it stays as it was then.
        wrong: what differs from a restart, a line each, with the way that it was replayed.
    """

    release: str
    edits: tuple[str, ...]
    replayed: int
    wrong: tuple[str, ...]

    def __str__(self) -> str:
        said = "; ".join(self.edits)
        return "\n  ".join([f"{self.release} ({said}): {self.replayed} replayed, {len(self.wrong)} wrong", *self.wrong])


def replay_edits(seed: int, histories: Sequence[History] = HISTORIES, modes: Sequence[Mode] = ("auto",)) -> Found:
    """Draw a release and edits of it, and compare sessions that lived through them, both ways, with fresh ones.

    Args:
        seed: of what is drawn; the same one draws the same edits.
        histories: the packages to choose from.
        modes: the ways of reloading.

    Raises:
        subprocess.CalledProcessError: a release can't be fetched.
    """
    draw = random.Random(seed)  # noqa: S311 - no secret
    history = draw.choice(histories)
    version = draw.choice(history.versions)
    cache = fetch_releases([history])
    with tempfile.TemporaryDirectory(prefix="edited-") as place:
        folder = Path(place).resolve()
        (folder / "releases").mkdir()
        for known in (f"{history.package}=={version}", *history.beside):
            (folder / "releases" / known).symlink_to((cache / known).resolve(), target_is_directory=True)
        copies = _Copies(folder, history, version, draw)
        for _ in range(draw.choice(_COUNTS)):
            copies.edit()
            if draw.random() < _BROKEN:
                copies.break_for_a_while()
        ways, truths = copies.ways()
        wrong: list[str] = []
        for way, mode in itertools.product(ways, modes) if truths else ():
            live = copies.run(way, mode)
            wrong += [f"{way.before} to {way.after}, {mode}:{line}" for line in compare(truths[way.after], live)]
    return Found(str(copies), tuple(copies.edits), len(ways) * len(modes) if truths else 0, tuple(wrong))


class _Copies:
    """Copies of a release, each edited once more than the one before it.

    Args:
        folder: a new one, with the release in a folder of it.
        history: the package.
        version: of the release.
        draw: where chance comes from.
    """

    def __init__(self, folder: Path, history: History, version: str, draw: random.Random) -> None:
        self._folder, self._history, self._draw = folder, history, draw
        self._steps = [version]
        self._runs = itertools.count()
        self._truth = self.run(Replay(history, version, version), "fresh")
        self._held = draw_held(self._modules(version), _HELD, draw)
        self.edits: list[str] = []

    def __str__(self) -> str:
        return self._place(self._steps[0]).name

    def edit(self) -> None:
        """Edit a new copy, so that the notebook still runs; leave it as it is where no such edit is found."""
        before = self._steps[-1]
        step = f"{self._steps[0]}-{len(self._steps)}"
        self._steps.append(step)
        for _ in range(_TRIES):
            shutil.copytree(self._place(before), self._place(step))
            edits = edit_files([*self._modules(step).values()], self._draw.choice(_TOGETHER), self._draw)
            now = self.run(Replay(self._history, step, step), "fresh")
            if not now["failed"] and _unloadable(now) == _unloadable(self._truth):
                self.edits += edits
                return
            shutil.rmtree(self._place(step))
        shutil.copytree(self._place(before), self._place(step))

    def break_for_a_while(self) -> None:
        """Save a file that can't be imported, and then what it was."""
        step = self._steps[-1]
        broken, again = f"{step}-broken", f"{step}-whole"
        for copy in (broken, again):
            shutil.copytree(self._place(step), self._place(copy))
        path = self._draw.choice([*self._modules(broken).values()])
        path.write_text(path.read_text("utf-8") + self._draw.choice(_FAILING), "utf-8")
        self._steps += [broken, again]
        self.edits.append(f"{path.name}: broken for a while")

    def ways(self) -> tuple[list[Replay], dict[str, Outcome]]:
        """Return the replays to the last copy and back, and what a fresh session says at the end of each.

        That is nothing where the notebook fails. Cells that hold what is not there before or after are left out.
        """
        first, *between, last = self._steps
        held = self._held
        while True:
            history = replace(self._history, versions=tuple(self._steps), held=tuple(held))
            ways = [Replay(history, first, last, tuple(between)), Replay(history, last, first, tuple(between[::-1]))]
            truths = {way.after: self.run(way, "fresh") for way in ways}
            failed = {line.partition(":")[0] for truth in truths.values() for line in truth["failed"]}
            kept = [one for one in held if one.title not in failed]
            if len(kept) == len(held):
                return ways, {} if failed else truths
            held = kept

    def run(self, way: Replay, mode: Mode) -> Outcome:
        """Run a session in an empty folder."""
        place = self._folder / f"{next(self._runs)}-{mode}"
        place.mkdir()
        return run_session(way, mode, place, self._folder / "releases")

    def _place(self, step: str) -> Path:
        return self._folder / "releases" / f"{self._history.package}=={step}"

    def _modules(self, step: str) -> dict[str, Path]:
        """Return the modules that the notebook has loaded, with their files in a copy, in one order everywhere."""
        found: dict[str, Path] = {}
        folder = self._place(step)
        for root in self._history.roots:
            single = folder / f"{root}.py"
            for path in [single] if single.exists() else sorted((folder / root).rglob("*.py")):
                name = ".".join(path.relative_to(folder).with_suffix("").parts).removesuffix(".__init__")
                if name in self._truth.get("loaded", ()):
                    found[name] = path
        return found


def _unloadable(truth: Outcome) -> frozenset[str]:
    """Return the modules that the notebook doesn't import, and couldn't."""
    return frozenset(truth["compared"]["unloadable"])


def main() -> int:
    """Replay as many sets of edits as are asked for; return the exit status."""
    parser = argparse.ArgumentParser(prog="edited", description=__doc__)
    parser.add_argument("count", nargs="?", type=int, default=100, help="how many sets of edits")
    parser.add_argument("--seed", type=int, default=0, help="of the first one")
    wanted = parser.parse_args()
    replayed = wrong = 0
    for seed in range(wanted.seed, wanted.seed + wanted.count):
        found = replay_edits(seed, modes=("auto", "explicit"))
        replayed += found.replayed
        wrong += bool(found.wrong)
        print(f"{seed}: {found}", flush=True)
    print(f"{replayed} sessions replayed, {wrong} sets of edits came out wrong")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
