"""Watching with inotify: what it holds, what it can't watch, and what it may miss."""

from __future__ import annotations

import gc
import mmap
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from exocet_ipython.reloading.noticing.changes import StatSweep, Suspicion
from exocet_ipython.reloading.noticing.detectors import make_detector
from exocet_ipython.reloading.noticing.watch import InotifyWatch
from tests.reloading.followed_project import FollowedProject, inotify_descriptors, points, take_snapshot, writes
from tests.reloading.scripts import run_script

if sys.platform != "linux":
    pytest.skip("inotify is Linux's", allow_module_level=True)


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the present time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The clock that `project` goes by."""
    return Clock()


@pytest.fixture
def project(clock: Clock, tmp_path: Path) -> Iterator[FollowedProject]:
    """A folder of modules, none of which is followed yet."""
    gc.collect()  # the detectors of tests before, whose descriptors count as well
    project = FollowedProject(InotifyWatch(clock), tmp_path / "project")
    with project.held:
        yield project
    project.detector.close()


# -- what it holds -------------------------------------------------------------------------------------------------


def test_one_descriptor(project: FollowedProject) -> None:
    """One descriptor serves any number of files, is taken when there is something to follow, and is given back."""
    before = len(inotify_descriptors())
    assert not project.detector.suspects()
    assert len(inotify_descriptors()) == before
    for count in range(300):
        project.write(f"p{count % 30}/m{count}.py", "old")
    project.follow(*(f"p{count % 30}/m{count}.py" for count in range(300)))
    assert len(inotify_descriptors()) == before + 1
    for _ in range(2):
        project.detector.close()
        assert len(inotify_descriptors()) == before
        assert not project.detector.suspects()


def test_dropped_without_close(tmp_path: Path) -> None:
    """A detector that nobody holds any more gives its descriptor back, though forked children would have to."""
    gc.collect()
    before = len(inotify_descriptors())
    project = FollowedProject(InotifyWatch(), tmp_path)
    project.write("a.py", "old")
    project.follow("a.py")
    assert len(inotify_descriptors()) == before + 1
    del project
    gc.collect()
    assert len(inotify_descriptors()) == before


def test_not_inherited(tmp_path: Path) -> None:
    """A program that the process starts doesn't get the descriptor."""
    run_script(
        """
        import subprocess
        follow()
        assert len(inotify_descriptors()) == 1
        listing = subprocess.run(["ls", "-l", "/proc/self/fd"], stdout=subprocess.PIPE, text=True, close_fds=False)
        assert "inotify" not in listing.stdout
        """,
        tmp_path,
    )


def count_watches() -> int:
    """Return how many watches the kernel keeps for this process."""
    return sum(Path(f"/proc/self/fdinfo/{fd}").read_text().count("inotify wd:") for fd in inotify_descriptors())


def test_watches_are_given_back(project: FollowedProject) -> None:
    """What isn't followed any more isn't watched any more, and what was replaced is not watched twice."""
    watch, others = project.detector, count_watches()
    for path in ("a.py", "pkg/b.py", "pkg/sub/c.py"):
        project.write(path, "old")
    project.follow("a.py")
    watch.suspects()
    before = repr(watch), count_watches()
    project.point("link", "pkg")
    project.follow("link/b.py", "pkg/sub/c.py", folders=[project.folder / "missing/inside"])
    for path in ("a.py", "link/b.py", "pkg/sub/c.py"):
        project.replace(path, "new")
    shutil.rmtree(project.folder / "pkg/sub")
    watch.suspects()
    project.loaded = {"a.py": project.loaded["a.py"]}
    watch.follow(project.loaded.values())
    assert (repr(watch), count_watches()) == before
    project.follow("pkg/b.py", "link/b.py")  # no question is asked before they are left
    watch.follow(())
    assert repr(watch) == "<0 watches for 0 files>"
    assert count_watches() == others


def test_given_once(project: FollowedProject) -> None:
    """Events make each suspicion exact: given once, and not before the file is written again."""
    project.write("a.py", "old")
    project.follow("a.py", settled=False)
    project.detector.suspects()
    assert not project.detector.suspects()
    for _ in range(3):
        project.write("a.py", "new")
        assert project.detector.suspects() == Suspicion(frozenset({"a.py"}))
        assert not project.detector.suspects()


def test_reload_is_not_suspected(project: FollowedProject) -> None:
    """A file that was loaded again while it was watched is not suspected, however young it is."""
    project.write("a.py", "old")
    project.follow("a.py")
    project.write("a.py", "new")
    assert project.look() == {"a.py"}
    project.reload("a.py")
    assert not project.detector.suspects()


def test_make_detector(monkeypatch: pytest.MonkeyPatch) -> None:
    """Linux gets watches, any other system the sweep, and a missing inotify_simple is said."""
    detector = make_detector()
    assert isinstance(detector, InotifyWatch)
    assert detector.limits == ()
    detector.close()
    monkeypatch.setitem(sys.modules, "inotify_simple", None)
    detector = make_detector()
    assert isinstance(detector, StatSweep)
    assert "pip install inotify_simple" in detector.limits[0]
    monkeypatch.setattr(sys, "platform", "darwin")
    detector = make_detector()
    assert isinstance(detector, StatSweep)
    assert detector.limits == ()


# -- what it may miss ----------------------------------------------------------------------------------------------


def write_mapping(project: FollowedProject, path: str) -> None:
    """Write through a mapping that stays until the test is over."""
    stream = project.held.enter_context((project.folder / path).open("r+b"))
    mapping = project.held.enter_context(mmap.mmap(stream.fileno(), 0))
    mapping[:3] = b"new"
    mapping.flush()


def test_links_in_a_circle(project: FollowedProject) -> None:
    """A link that is turned into a circle is swept, and said, and found when it is mended far away."""
    project.do(writes("v1/a.py", "old"), writes("v2/a.py"), points("current", "v1"))
    project.follow("current/a.py")
    project.do(points("current", "other"), points("other", "current"))
    assert project.look() == {"current/a.py"}
    assert "in a circle" in project.detector.limits[0]
    project.point("other", "v2")
    assert project.look() == {"current/a.py"}
    project.point("current", "v1")
    assert project.look() == set()
    assert project.detector.limits == ()
    project.write("v1/a.py", "newer")
    assert project.look() == {"current/a.py"}


def test_mapping_that_stays(project: FollowedProject, clock: Clock) -> None:
    """A write through a mapping that stays is no event: it is found at a cell that follows a second without one."""
    project.write("a.py", "old")
    project.follow("a.py")
    assert not project.detector.suspects()
    write_mapping(project, "a.py")
    assert not project.detector.suspects()
    clock.now += 0.9
    assert not project.detector.suspects()
    clock.now += 1.1
    assert project.look() == {"a.py"}
    clock.now += 1.1
    assert not project.detector.suspects()


def test_patrol_reaches_every_file(project: FollowedProject, clock: Clock) -> None:
    """However many files there are, each is looked at in turn, a bounded time at each cell."""
    paths = [f"m{count}.py" for count in range(1500)]
    for path in paths:
        project.write(path, "old")
    project.follow(*paths)
    assert not project.detector.suspects()
    write_mapping(project, paths[-1])
    cells = 0
    while not project.look():
        clock.now += 1.1
        cells += 1
        assert cells <= len(paths)
    assert cells > 1


def test_folder_that_the_kernel_is_in(project: FollowedProject, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is deleted and made again is followed, though it is the working folder and the old one lives on."""
    project.write("pkg/inner/a.py", "old")
    project.follow("pkg/inner/a.py")
    monkeypatch.chdir(project.folder / "pkg/inner")
    shutil.rmtree(project.folder / "pkg")
    assert project.look() == {"pkg/inner/a.py"}
    (project.folder / "pkg/inner").mkdir(parents=True)
    project.detector.suspects()
    project.write("pkg/inner/a.py", "again")
    assert project.look() == {"pkg/inner/a.py"}


def test_overflow(project: FollowedProject) -> None:
    """When the kernel's queue was too short, everything is suspected once, and followed as before."""
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    for path in ("a.py", "b.py", "lost.py"):
        project.write(path, "old")
    project.follow("a.py", "b.py", "lost.py")
    assert not project.detector.suspects()
    files = [os.open(project.folder / path, os.O_WRONLY) for path in ("a.py", "b.py")]
    for _ in range(limit // 2 + 10):  # in turn, since the kernel merges equal neighbours
        for file in files:
            os.pwrite(file, b"new", 0)
    for file in files:
        os.close(file)
    project.write("lost.py", "new")
    suspicion = project.detector.suspects()
    assert suspicion.everything
    assert suspicion.appeared
    assert project.detector.suspects() == Suspicion()
    assert {change.name for change in project.detector.changed(project.loaded.values())} == {"a.py", "b.py", "lost.py"}
    project.write("lost.py", "newer")
    assert project.detector.suspects() == Suspicion(frozenset({"lost.py"}))


class Interrupted(InotifyWatch):
    """A watch whose user presses Ctrl-C when its events were read and not yet dealt with."""

    presses = 1

    def _take_events(self) -> None:
        if self.presses:
            self.presses -= 1
            raise KeyboardInterrupt
        super()._take_events()


def test_interrupt_loses_nothing(tmp_path: Path) -> None:
    """An interrupt while events are taken in leads to suspecting everything at the next cell."""
    watch = Interrupted()
    project = FollowedProject(watch, tmp_path)
    project.write("a.py", "old")
    project.follow("a.py")
    watch.suspects()
    project.write("a.py", "new")
    with pytest.raises(KeyboardInterrupt):
        watch.suspects()
    assert watch.suspects().everything
    assert not watch.suspects()
    project.write("a.py", "newer")
    assert project.look() == {"a.py"}
    watch.close()


def test_interrupted_follow(project: FollowedProject) -> None:
    """An interrupt while a new set is taken in leads to following that set, and to suspecting everything."""
    project.write("a.py", "old")
    project.follow("a.py")
    snapshot = take_snapshot(project.write("b.py", "old"), "b.py")

    class Pressing:
        name = "pressing"
        stamp = None

        @property
        def path(self) -> str:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        project.detector.follow([snapshot, Pressing()])  # type: ignore[list-item] # stands in for one
    project.detector.follow([snapshot])
    assert project.detector.suspects().everything
    project.write("b.py", "new")
    assert project.detector.suspects().names == {"b.py"}
