"""A file's bytes, and the stamp that is a hint that they changed."""

from __future__ import annotations

import os
import sys
import time
from typing import NamedTuple

__all__ = ["NO_FILE", "FileStamp", "clock_of_files", "read_file", "stamp_file"]


class FileStamp(NamedTuple):
    """What `os.stat` says of a file: a hint that it may have changed, never proof that it did not.

    Times are in nanoseconds, the size in bytes. The inode tells a file that was renamed over the old one, the change
    time an edit whose modification time was set back: no program can set it.
    """

    modified: int
    changed: int
    size: int
    inode: int


NO_FILE = FileStamp(0, 0, 0, 0)  # no file has it


def clock_of_files() -> int:
    """Return the earliest change time, in nanoseconds, that a file can have which is saved from now on.

    The kernel stamps files by a clock that goes on at its ticks, some milliseconds apart, and `time.time_ns()` is ahead
    of it (Linux `ktime_get_coarse_real_ts64`).

    >>> clock_of_files() <= time.time_ns()
    True
    """
    return time.clock_gettime_ns(_REALTIME_COARSE) if sys.platform == "linux" else time.time_ns()


_REALTIME_COARSE = 5  # of Linux's `time.h`; Python gives it no name


def stamp_file(path: str) -> FileStamp:
    """Return the stamp of a file; raises OSError where `os.stat` does."""
    return stamp_of(os.stat(path))


def stamp_of(status: os.stat_result) -> FileStamp:
    """Return the stamp that a result of `os.stat` or its like has."""
    return FileStamp(status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)


def read_file(path: str) -> tuple[FileStamp, bytes]:
    """Return the stamp of a file and then its bytes, of one and the same file, in as few system calls as there can be.

    Raises:
        OSError: the file can't be opened or read.

    >>> stamp, data = read_file(__file__)
    >>> stamp.size == len(data)
    True
    """
    handle = os.open(path, _READING)
    try:
        status = os.fstat(handle)
        data = os.read(handle, status.st_size + 1)
        if len(data) != status.st_size:  # it grew meanwhile, or is no ordinary file
            while more := os.read(handle, _CHUNK_BYTES):
                data += more
    finally:
        os.close(handle)
    return stamp_of(status), data


_READING = os.O_RDONLY | getattr(os, "O_BINARY", 0)
_CHUNK_BYTES = 65536
