"""What differs on disk: the content decides."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from exocet_ipython.loading.digests import digest_of
from exocet_ipython.loading.files import stamp_file
from exocet_ipython.loading.source import Snapshot
from exocet_ipython.reloading.noticing.changes import StatSweep

OLD = 10**18  # nanoseconds: 2001


def read(path: Path, name: str = "m") -> Snapshot:
    """Read a file as a load does."""
    data = path.read_bytes()
    return Snapshot(name, str(path), data, digest_of(data), stamp_file(str(path)), time.time_ns())


def kinds(sweep: StatSweep, *snapshots: Snapshot) -> list[str]:
    """The kinds of change that a sweep finds."""
    return [change.kind for change in sweep.changed(snapshots)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A source file."""
    path = tmp_path / "m.py"
    path.write_text("x = 1\n")
    return path


def test_same_content_is_no_change(file: Path) -> None:
    """A file with the same content has not changed, whatever its times and inode."""
    snapshot, sweep = read(file), StatSweep()
    assert kinds(sweep, snapshot) == []
    os.utime(file, ns=(OLD, OLD))
    assert kinds(sweep, snapshot) == []
    file.unlink()
    file.write_text("x = 1\n")
    assert kinds(sweep, snapshot) == []


def test_same_size_and_time(file: Path) -> None:
    """Another content with the same size and modification time is a change, each of many times."""
    snapshot, sweep = read(file), StatSweep()
    for number in range(2, 50):
        stamp = file.stat()
        file.write_text(f"x = {number % 10}\n")
        os.utime(file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
        assert kinds(sweep, snapshot) == (["modified"] if number % 10 != 1 else [])
        assert kinds(sweep, read(file)) == []


def test_time_that_goes_back(file: Path) -> None:
    """Another content with an older modification time is a change."""
    snapshot, sweep = read(file), StatSweep()
    file.write_text("x = 2\n")
    os.utime(file, ns=(OLD, OLD))
    assert kinds(sweep, snapshot) == ["modified"]


def test_rename_over(file: Path, tmp_path: Path) -> None:
    """A file renamed over another is compared by its content."""
    snapshot, sweep = read(file), StatSweep()
    other = tmp_path / "other"
    other.write_text("x = 2\n")
    other.replace(file)
    assert kinds(sweep, snapshot) == ["modified"]
    other.write_text("x = 1\n")
    other.replace(file)
    assert kinds(sweep, snapshot) == []


def test_settled_files_are_not_read(file: Path) -> None:
    """A file whose stamp is old and the same is not opened: the time stamp of the last access stays."""
    snapshot = read(file)
    # A reading long after the save: no later save could have the same change time.
    settled = replace(snapshot, read_at=snapshot.read_at + 10 * 10**9, digest="not the digest of that file")
    assert kinds(StatSweep(), settled) == []
    assert kinds(StatSweep(), replace(settled, read_at=snapshot.read_at)) == ["modified"]


def test_deleted_and_unreadable(file: Path, tmp_path: Path) -> None:
    """A deleted file, one whose folder is gone or is a file by now, and one that can't be read are told apart."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "n.py").write_text("")
    first, second, sweep = read(file), read(folder / "n.py"), StatSweep()
    file.unlink()
    (folder / "n.py").unlink()
    assert kinds(sweep, first, second) == ["deleted", "deleted"]
    folder.rmdir()
    assert kinds(sweep, second) == ["deleted"]
    folder.write_text("")
    assert kinds(sweep, second) == ["deleted"]
    file.mkdir()
    assert kinds(sweep, first) == ["unreadable"]


def test_what_has_no_text_never_changes(tmp_path: Path) -> None:
    """Namespace packages, built-in modules and files whose text was never read give no change."""
    nothing = (Snapshot("n"), Snapshot("e", str(tmp_path / "gone.so")))
    assert StatSweep().changed(nothing) == ()


def test_unknown_text_changes_with_the_next_save(file: Path) -> None:
    """Where the text that ran is unknown, a content other than the one first seen is a change, a touch is none."""
    snapshot, sweep = replace(read(file), digest=""), StatSweep()
    assert kinds(sweep, snapshot) == []
    os.utime(file, ns=(OLD, OLD))
    assert kinds(sweep, snapshot) == []
    file.write_text("x = 2\n")
    assert kinds(sweep, snapshot) == ["modified"]


def test_changes_say_what_and_where(file: Path) -> None:
    """A change has the module and the file, and prints as a sentence about the file."""
    snapshot = read(file, "pkg.m")
    file.write_text("")
    (change,) = StatSweep().changed([snapshot])
    assert (change.name, change.kind, change.path) == ("pkg.m", "modified", str(file))
    assert str(change) == f"{file} was modified"
