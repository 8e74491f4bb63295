"""The data files that a failed import may have wanted: it is worth trying again when one of them is another."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from traceback import walk_tb
from types import FrameType
from typing import Any

from exocet_ipython.loading.source import Snapshot
from exocet_ipython.loading.tracebacks import related_errors
from exocet_ipython.reloading.datafiles.snapshots import NOT_INSTALLED, find_data_files, read_as_it_is, read_installed

__all__ = ["find_wanted"]


def find_wanted(error: BaseException, is_own: Callable[[str], bool]) -> tuple[Snapshot, ...]:
    """Return snapshots, as of now, of the data files that an error tells of, and that the bodies it came from show.

    A file that could not be opened, one that is not yet whole, or what is known of distributions that are installed.

    Args:
        error: what was raised; those that it followed count as well.
        is_own: says of a file whether it is the person's.

    >>> error = FileNotFoundError(2, "No such file or directory", "/nowhere/conf.json")
    >>> [data.path for data in find_wanted(error, bool)]
    ['/nowhere/conf.json', '/nowhere/conf.json/']
    """
    found: dict[str | None, Snapshot] = {}
    for one in related_errors(error):
        frames = [frame for frame, _ in walk_tb(one.__traceback__)]
        bodies = [frame for frame in frames if _is_body(frame) and is_own(frame.f_code.co_filename)]
        name = bodies[-1].f_globals["__name__"] if bodies else ""
        for path in _paths_in(one):
            found[path] = read_as_it_is(name, path)
        if type(one).__name__ == NOT_INSTALLED:
            found.update((data.path, data) for data in read_installed(name))
        for frame in bodies:
            found.update((data.path, data) for data in _named_in(frame))
    return tuple(found.values())


def _is_body(frame: FrameType) -> bool:
    return frame.f_code.co_name == "<module>" and isinstance(frame.f_globals.get("__name__"), str)


def _paths_in(error: BaseException) -> Iterator[str]:
    """Yield the path of what an error says could not be used: as a file, and as a folder, with a slash at its end."""
    if isinstance(error, OSError):
        for given in (error.filename, error.filename2):
            if isinstance(given, (str, bytes)) and given:
                path = os.path.abspath(os.fsdecode(given))
                yield from (path, path + os.sep)


def _named_in(frame: FrameType) -> tuple[Snapshot, ...]:
    space: Any = frame.f_globals
    path = frame.f_code.co_filename
    try:
        text = Path(path).read_bytes()
    except OSError:
        return ()
    return find_data_files(Snapshot(space["__name__"], path, text), frame.f_code, space)
