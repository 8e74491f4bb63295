"""What a cell pays for noticing changes when nothing changed, by detector and number of followed files."""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from exocet_ipython.loading.source import Snapshot
from exocet_ipython.reloading.noticing.changes import Detector, StatSweep
from exocet_ipython.reloading.noticing.watch import InotifyWatch
from tests.reloading.followed_project import take_snapshot

SIZES = (500, 2_000, 10_000)
BUDGET = 0.5  # seconds for each figure
DETECTORS: dict[str, type[StatSweep | InotifyWatch]] = {"stat sweep": StatSweep}
if sys.platform == "linux":
    DETECTORS["inotify"] = InotifyWatch


def microseconds(call: Callable[[], object]) -> float:
    """Return the median time of a call, in batches so short that other processes disturb few of them."""
    batch = 100
    began = time.perf_counter()
    call()
    if time.perf_counter() - began > 1e-3:
        batch = 1
    found: list[float] = []
    until = time.perf_counter() + BUDGET
    while time.perf_counter() < until or len(found) < 3:
        began = time.perf_counter()
        for _ in range(batch):
            call()
        found.append((time.perf_counter() - began) / batch)
    return statistics.median(found) * 1e6


def empty_read() -> Iterator[float]:
    """Yield what an empty read costs that doesn't block: no detector that asks the kernel can be faster."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    buffer = bytearray(65536)
    with open(reading, "rb", buffering=0) as stream:  # noqa: PTH123 - a descriptor
        yield microseconds(lambda: stream.readinto(buffer))
    os.close(writing)


def write_modules(folder: Path, count: int) -> list[Snapshot]:
    """Write modules, ten in a folder, and load them as if long ago."""
    snapshots = []
    for number in range(count):
        path = folder / f"p{number // 10}" / f"m{number}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x = 1\n")
        snapshots.append(take_snapshot(path, f"p{number // 10}.m{number}", settled=True))
    return snapshots


def test_idle(tmp_path: Path) -> None:
    """Print the table; inotify costs the same at every size, within the noise."""
    snapshots = write_modules(tmp_path, max(SIZES))
    rows: list[tuple[str, list[float]]] = [("an empty read", [next(empty_read()) for _ in SIZES])]
    first, again, one = [], [], []
    for kind, make in DETECTORS.items():
        idle = []
        for size in SIZES:
            detector: Detector = make()
            some = snapshots[:size]
            began = time.perf_counter()
            detector.follow(some)
            followed = time.perf_counter()
            assert not detector.suspects()
            idle.append(microseconds(detector.suspects))
            if make is not StatSweep:
                first.append((followed - began) * 1e6)
                again.append(microseconds(partial(detector.follow, some)))
                path = Path(str(some[0].path))
                path.write_text("x = 2\n")
                began = time.perf_counter()
                assert detector.suspects().names == {some[0].name}
                one.append((time.perf_counter() - began) * 1e6)
                snapshots[0] = take_snapshot(path, some[0].name, settled=True)
            detector.close()
        rows.append((f"{kind}: suspects, nothing changed", idle))
    rows += [
        ("inotify: suspects, one file saved", one),
        ("inotify: follow, first time", first),
        ("inotify: follow, the same again", again),
    ]
    print(f"\n{'microseconds at followed files:':36}" + "".join(f"{size:>12,}" for size in SIZES))
    for text, figures in rows:
        print(f"{text:36}" + "".join(f"{figure:>12,.1f}" for figure in figures))
