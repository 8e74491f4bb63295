"""Digests: what tells one content of a file or folder from another."""

from __future__ import annotations

import os

from exocet_ipython.loading.files import FileStamp

__all__ = ["ANOTHER_DIGEST", "NO_DATA", "SOURCE_SUFFIXES", "digest_file", "digest_of", "read_digest"]

ANOTHER_DIGEST = "another content"  # of a text that is not known, and is not the one that ran: no text has it
# How files end that are code, or that programs write while they run.
NO_DATA = (".py", ".pyw", ".pyc", ".so", ".pyd", ".log", ".db", ".sqlite", ".sqlite3", ".lock", ".pid", ".tmp")
SOURCE_SUFFIXES = (".py", ".pyw")
_LARGE = 16_000_000  # bytes: reading more takes longer than a person wants to wait at a cell


def digest_of(data: bytes) -> str:
    """Return the digest of a module's text.

    >>> len(digest_of(b"x = 1"))
    32
    """
    import hashlib  # noqa: PLC0415 - brings OpenSSL, which whoever only imports this package needs not

    return hashlib.blake2b(data, digest_size=16).hexdigest()


def read_digest(path: str) -> str:
    """Return the digest of what a file holds now.

    Raises:
        OSError: it can't be read.
        ValueError: its path has a null character.

    >>> from pathlib import Path
    >>> read_digest(__file__) == digest_of(Path(__file__).read_bytes())
    True
    """
    # No `Path` here: one that is made at each reload leaves marks of its parts in the interpreter's table of strings,
    # and a table that is full of marks is made anew, larger by half a megabyte (CPython's `unicodeobject.c`).
    with open(path, "rb") as file:
        return digest_of(file.read())


def digest_file(path: str, stamp: FileStamp, until: int = 0) -> str:
    """Return the digest of a file; of one that holds more than 16 MB of data only that of its time and size.

    That of a folder, a path with a slash at its end, is one of the names of the data files in it; with two slashes, of
    Python's files as well; with three, of the distributions that are installed in it, and of nothing else.

    Args:
        path: of the file or folder.
        stamp: its stamp.
        until: in a folder, what was saved after this moment, in nanoseconds, doesn't count; 0 for now.

    Raises:
        OSError: it can't be read.
    """
    if stamp.size > _LARGE and not path.endswith(SOURCE_SUFFIXES):
        return f"{stamp.size} bytes of {stamp.modified}"
    if path.endswith(os.sep):
        names = os.listdir(path)
        if path.endswith(os.sep * 3):
            names = [name for name in names if name.endswith((".dist-info", ".egg-info"))]
        else:
            with_code = path.endswith(os.sep * 2)
            names = [name for name in names if _may_be_data(name) or (with_code and name.endswith(".py"))]
        if until:
            names = [name for name in names if os.lstat(os.path.join(path, name)).st_ctime_ns <= until]
        return digest_of("\0".join(sorted(names)).encode())
    return read_digest(path)


def _may_be_data(entry: str) -> bool:
    """Say whether an entry of a folder is nothing that Python, an editor or the module itself puts there."""
    return not (entry.startswith((".", "__pycache__")) or entry.endswith(("~", *NO_DATA)))
