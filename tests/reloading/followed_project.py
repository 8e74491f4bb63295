"""A folder with modules that a detector follows, for tests: what a person's editor, git and shell do to it."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from exocet_ipython.loading.digests import digest_of
from exocet_ipython.loading.files import stamp_file
from exocet_ipython.loading.source import Snapshot
from exocet_ipython.reloading.noticing.changes import Detector

Act = Callable[["FollowedProject"], object]

# A snapshot read so long after its file was saved is settled: no stamp is too young to be trusted.
_LONG_AGO = 3600 * 10**9
# CLOCK_REALTIME_COARSE of Linux (include/uapi/linux/time.h): what many file systems stamp files with.
_COARSE_CLOCK = 5


def take_snapshot(path: Path, name: str = "", *, settled: bool = False) -> Snapshot:
    """Read a file as the loader does.

    Args:
        path: the file.
        name: dotted name of its module; by default the file's stem.
        settled: as if the file had been saved an hour before it was read.
    """
    stamp = stamp_file(str(path))
    clock = time.time_ns() + (_LONG_AGO if settled else 0)
    data = path.read_bytes()
    return Snapshot(name or path.stem, str(path), data, digest_of(data), stamp, clock)


def wait_for_later_stamps(snapshots: Iterable[Snapshot]) -> None:
    """Wait, some milliseconds at most, until what is saved from now on gets a later stamp than these snapshots have."""
    newest = max((snapshot.stamp.changed for snapshot in snapshots if snapshot.stamp is not None), default=0)
    deadline = time.monotonic() + 10
    while time.clock_gettime_ns(_COARSE_CLOCK) <= newest:
        assert time.monotonic() < deadline


def inotify_descriptors() -> list[str]:
    """Return the numbers of what this process has open for inotify."""
    found = []
    for number in os.listdir("/proc/self/fd"):  # noqa: PTH208 - names are enough
        with contextlib.suppress(OSError):  # the listing's own
            if "inotify" in os.readlink(f"/proc/self/fd/{number}"):  # noqa: PTH115 - it is no path
                found.append(number)
    return found


class FollowedProject:
    """A folder, a detector, and what was loaded from it."""

    def __init__(self, detector: Detector, folder: Path) -> None:
        self.detector = detector
        self.folder = folder
        self.loaded: dict[str, Snapshot] = {}
        self.folders: list[str] = []
        self.held = contextlib.ExitStack()  # what stays open until the test is over
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, path: str, text: str) -> Path:
        """Write a file in place; missing folders are made."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        return target

    def replace(self, path: str, text: str) -> Path:
        """Save a file as careful editors do: write another one and rename it."""
        target = self.folder / path
        other = self.write(path + ".tmp", text)
        other.replace(target)
        return target

    def follow(self, *paths: str, settled: bool = True, folders: Iterable[str | Path] = ()) -> None:
        """Load these files, with their path as name, and follow all that are loaded."""
        for path in paths:
            self.loaded[path] = take_snapshot(self.folder / path, path, settled=settled)
        if settled:
            wait_for_later_stamps(map(self.loaded.__getitem__, paths))
        self.folders += map(str, folders)
        self.detector.follow(self.loaded.values(), self.folders)

    def do(self, *acts: Act) -> None:
        """Do these things in turn."""
        for act in acts:
            act(self)

    def look(self) -> set[str]:
        """Return the names of what changed, as a cell finds out: cheaply, then by content where it is suspected."""
        suspicion = self.detector.suspects()
        suspected = self.loaded if suspicion.everything else suspicion.names & self.loaded.keys()
        return {change.name for change in self.detector.changed(self.loaded[name] for name in suspected)}

    def reload(self, *paths: str) -> None:
        """Load files again, as after a change, and follow them as they are now."""
        self.follow(*paths, settled=False)

    def text(self, path: str) -> str | None:
        """Return what a restart would load; None where it would find nothing."""
        try:
            return (self.folder / path).read_text(encoding="utf-8")
        except (OSError, ValueError):
            return None

    def point(self, link: str, target: str) -> None:
        """Make a link, or point it elsewhere in one step, as `ln -sfn` does; missing folders are made."""
        path = self.folder / link
        path.parent.mkdir(parents=True, exist_ok=True)
        other = path.with_name(path.name + ".new")
        other.symlink_to(target)
        other.replace(path)


def writes(path: str, text: str = "new") -> Act:
    """Write a file in place."""
    return lambda project: project.write(path, text)


def replaces(path: str, text: str = "new") -> Act:
    """Save a file by way of a rename."""
    return lambda project: project.replace(path, text)


def moves(before: str, after: str) -> Act:
    """Rename a file or folder."""
    return lambda project: (project.folder / before).rename(project.folder / after)


def removes(path: str) -> Act:
    """Remove a file, a link or a tree."""

    def remove(project: FollowedProject) -> None:
        target = project.folder / path
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        else:
            target.unlink()

    return remove


def makes(path: str) -> Act:
    """Make a folder."""
    return lambda project: (project.folder / path).mkdir()


def points(link: str, target: str) -> Act:
    """Make a link, or point it elsewhere."""
    return lambda project: project.point(link, target)


def links(name: str, path: str) -> Act:
    """Give a file another name."""
    return lambda project: os.link(project.folder / path, project.folder / name)


def overwrites(path: str, text: str) -> Act:
    """Write over the beginning of a file, whatever other names it has; it is not truncated, so nothing is flushed."""

    def overwrite(project: FollowedProject) -> None:
        with (project.folder / path).open("r+") as stream:
            stream.write(text)

    return overwrite


# What editors, git and shells do.
VIM_SAVE: tuple[Act, ...] = (
    writes("pkg/.a.py.swp", ""),
    writes("pkg/4913", ""),
    removes("pkg/4913"),
    moves("pkg/a.py", "pkg/a.py~"),
    writes("pkg/a.py", "saved by vim"),
    removes("pkg/a.py~"),
    removes("pkg/.a.py.swp"),
)
