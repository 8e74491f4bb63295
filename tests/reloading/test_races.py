"""Saves that a time stamp doesn't show, and questions asked at the same time; the same for every detector."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.reloading.followed_project import FollowedProject, take_snapshot


def write_unseen(path: Path, text: str) -> None:
    """Write a text of the same length and set the time stamp back."""
    before = path.stat()
    write_within(path, text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def write_within(path: Path, text: str) -> None:
    """Write a text of the same length without truncating the file first, which ext4 answers by flushing it to disk."""
    with path.open("r+") as stream:
        stream.write(text)


@pytest.mark.parametrize("write", [Path.write_text, write_within, write_unseen])
def test_thousand_of_thousand(project: FollowedProject, write: Callable[[Path, str], object]) -> None:
    """A cell that writes a module is right for the next cell: same size, same time stamp, 1,000 times out of 1,000."""
    path = project.write("a.py", "text 0000")
    project.reload("a.py")
    seen = 0
    for count in range(1000):
        write(path, f"text {count + 1:04}")
        seen += project.look() == {"a.py"}
        project.reload("a.py")
    assert seen == 1000


def test_save_after_a_question(project: FollowedProject) -> None:
    """Two saves within one tick of the clock, with a question between them, are both noticed."""
    path = project.write("a.py", "text 0")
    project.reload("a.py")
    for count in range(300):
        write_within(path, f"text {count % 10}")
        project.detector.suspects()
        write_within(path, f"TEXT {count % 10}")
        assert project.look() == {"a.py"}


@pytest.mark.parametrize("settled", [False, True])
def test_save_between_loading_and_following(project: FollowedProject, settled: bool) -> None:  # noqa: FBT001
    """What is saved after a file was read and before it is followed is suspected, with the same size and time too."""
    for count in range(100):
        path = project.write(f"m{count}.py", "old")
        project.loaded[path.name] = take_snapshot(path, path.name, settled=settled)
        write_unseen(path, "new")
    project.follow()
    assert project.look() == set(project.loaded)


def test_young_stamp_is_not_trusted(project: FollowedProject) -> None:
    """A file that was saved just before it was read is suspected though its stamp is the same: a later save may be."""
    project.write("a.py", "old")
    project.follow("a.py", settled=False)
    assert project.detector.suspects().names == {"a.py"}
    assert project.look() == set()


def test_threads(project: FollowedProject) -> None:
    """When several threads ask at once, each save is told to one of them, and to none too late."""
    paths = [f"m{count}.py" for count in range(20)]
    for path in paths:
        project.write(path, "old")
    project.follow(*paths)
    told: list[frozenset[str]] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            told.append(project.detector.suspects().names)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for count in range(10):
        for path in paths:
            project.write(path, f"new {count}")
        project.detector.follow(project.loaded.values())
    done.set()
    for thread in threads:
        thread.join()
    told.append(project.detector.suspects().names)
    assert frozenset[str]().union(*told) == set(paths)
