"""Random edits of real packages under a running notebook: `python -m tests.histories.edited [COUNT] [--seed SEED]`.

Each is made in a copy of a release, or several one after the other, and they are replayed both ways: from the release
to the edited copy, and back.
"""

from __future__ import annotations

import argparse
import itertools
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tests.histories.edits import edit_files
from tests.histories.releases import HISTORIES, History, Replay, fetch_releases
from tests.histories.replaying import Mode, Outcome, compare, run_session

__all__ = ["Found", "replay_edits"]

_COUNTS = (1, 1, 1, 2, 3, 5)  # of edits, one after the other


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
    release = f"{history.package}=={version}"
    with tempfile.TemporaryDirectory(prefix="edited-") as place:
        releases = Path(place).resolve() / "releases"
        releases.mkdir()
        for known in (release, *history.beside):
            (releases / known).symlink_to((cache / known).resolve(), target_is_directory=True)
        back = Replay(history, version, version)
        truths = {version: run_session(back, "fresh", _empty(place, "fresh"), releases)}
        steps, edits = [version], list[str]()
        for number in range(draw.choice(_COUNTS)):
            steps.append(f"{version}-{number}")
            last, edited = (releases / f"{history.package}=={step}" for step in steps[-2:])
            shutil.copytree(last, edited)
            edits += edit_files(list(_sources(edited, history, truths[version])), 1, draw)
        there = Replay(replace(history, versions=tuple(steps)), version, steps[-1], tuple(steps[1:-1]))
        truths[steps[-1]] = run_session(there, "fresh", _empty(place, "fresh-edited"), releases)
        wrong: list[str] = []
        replayed = 0
        if not any(truth["failed"] for truth in truths.values()) and len(set(map(_unloadable, truths.values()))) == 1:
            ways = [there, replace(there, before=steps[-1], after=version, between=tuple(steps[-2:0:-1]))]
            for way, mode in itertools.product(ways, modes):
                live = run_session(way, mode, _empty(place, f"{mode}-{way.after}"), releases)
                wrong += [f"{way.before} to {way.after}, {mode}:{line}" for line in compare(truths[way.after], live)]
                replayed += 1
    return Found(release, tuple(edits), replayed, tuple(wrong))


def _unloadable(truth: Outcome) -> frozenset[str]:
    """Return the modules that the notebook doesn't import, and couldn't."""
    return frozenset(truth["compared"]["unloadable"])


def _sources(folder: Path, history: History, truth: Outcome) -> Iterator[Path]:
    """Yield the files of a package that its notebook has loaded, in one order everywhere."""
    for root in history.roots:
        single = folder / f"{root}.py"
        for path in [single] if single.exists() else sorted((folder / root).rglob("*.py")):
            name = ".".join(path.relative_to(folder).with_suffix("").parts).removesuffix(".__init__")
            if name in truth.get("loaded", ()):
                yield path


def _empty(place: str, name: str) -> Path:
    folder = Path(place).resolve() / name
    folder.mkdir()
    return folder


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
