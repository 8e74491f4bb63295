"""Tracebacks that show a person their own frames and none of ours.

importlib does the same for its own frames (CPython `Python/import.c`, `remove_importlib_frames`).
"""

from __future__ import annotations

import contextlib
import importlib
import os
from collections.abc import Callable, Iterator
from types import FrameType, FunctionType, TracebackType
from typing import TypeVar, cast

from exocet_ipython.errors import ExocetError

__all__ = [
    "OWN_FOLDER",
    "as_importlibs",
    "describe_error",
    "hide_own_frames",
    "is_machinery",
    "related_errors",
    "trim_traceback",
    "where_ours",
    "where_raised",
    "without_frames",
]

F = TypeVar("F", bound=Callable[..., object])
OWN_FOLDER = os.path.dirname(os.path.dirname(__file__)) + "/"
_MACHINERY = ("<frozen importlib", "<frozen zipimport", importlib.__file__)


class hide_own_frames:  # noqa: N801 - used as a function: `with hide_own_frames():`
    """Take this package's frames, and importlib's, out of the traceback of whatever the block raises.

    A class, since `contextlib.contextmanager` puts the traceback back that the exception came with.
    """

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if error is not None:
            trim_traceback(error)


def as_importlibs(function: F) -> F:
    """Have the frames of a function taken for importlib's callers of module bodies.

    These are left out of the tracebacks of imports that fail, by file name and name (CPython Python/import.c,
    `remove_importlib_frames`).

    >>> as_importlibs(lambda: 0).__code__.co_name
    '_call_with_frames_removed'
    """
    plain, file = cast("FunctionType", function), "<frozen importlib._bootstrap_external>"
    plain.__code__ = plain.__code__.replace(co_filename=file, co_name="_call_with_frames_removed")
    return function


def trim_traceback(error: BaseException) -> None:
    """Take this package's frames, and importlib's, out of the tracebacks of an exception and of all it came from.

    The exceptions are changed in place.
    """
    for found in related_errors(error):
        found.__traceback__ = without_frames(found.__traceback__, is_machinery)
        trace = found.__traceback__
        while trace is not None:
            _release_callers(trace.tb_frame)
            trace = trace.tb_next


def related_errors(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception, its causes and contexts, and the parts of a group, each once.

    >>> [str(found) for found in related_errors(ExceptionGroup("several", [ValueError("one")]))]
    ['several (1 sub-exception)', 'one']
    """
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        found = waiting.pop()
        if found is None or id(found) in seen:
            continue
        seen.add(id(found))
        waiting += [found.__cause__, found.__context__]
        if isinstance(found, BaseExceptionGroup):
            waiting += found.exceptions
        yield found


def without_frames(trace: TracebackType | None, unwanted: Callable[[str], bool]) -> TracebackType | None:
    """Return a traceback without the frames whose file name is unwanted; its entries are linked anew."""
    kept = []
    while trace is not None:
        if not unwanted(trace.tb_frame.f_code.co_filename):
            kept.append(trace)
        trace = trace.tb_next
    following = None
    for entry in reversed(kept):
        entry.tb_next = following
        following = entry
    return following


def where_raised(error: BaseException, is_wanted: Callable[[str], bool]) -> str:
    """Return the innermost line that an exception comes from, in a wanted file that isn't ours; "" without one.

    >>> where_raised(KeyboardInterrupt(), bool)
    ''
    """
    trace, where = error.__traceback__, ""
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if is_wanted(file) and not is_machinery(file):
            where = f"{file}:{trace.tb_lineno}"
        trace = trace.tb_next
    return where


def where_ours(error: BaseException) -> str:
    """Return the innermost line of ours that an exception comes from, as `FILE:LINE`; "" without one.

    >>> where_ours(KeyboardInterrupt())
    ''
    """
    trace, where = error.__traceback__, ""
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        where = f"{file}:{trace.tb_lineno}" if file.startswith(OWN_FOLDER) else where
        trace = trace.tb_next
    return where


def describe_error(error: BaseException) -> str:
    """Return an exception in a line: its type, its message, and the file and line where a syntax error is.

    Of our own errors it says what happened, and not what to do next.

    >>> describe_error(ValueError("bad"))
    'ValueError: bad'
    """
    message = error.what if isinstance(error, ExocetError) else error
    return f"{type(error).__name__}: {message}".rstrip(": ")


def _release_callers(frame: FrameType) -> None:
    """Empty our own frames that called a person's frame and are done.

    The debugger keeps the person's frames (`sys.last_exc`), those lead to their callers, and ours have the generation
    of that time among their local variables: a failed reload would keep old modules alive until the next error.
    """
    caller = frame.f_back
    while caller is not None:
        if is_machinery(caller.f_code.co_filename):
            with contextlib.suppress(RuntimeError):  # it is running still
                caller.clear()
        caller = caller.f_back


def is_machinery(filename: str) -> bool:
    """Say whether a file is one of this package, or of importlib.

    >>> is_machinery(importlib.__file__), is_machinery("/home/me/app.py")
    (True, False)
    """
    return filename.startswith(OWN_FOLDER) or filename.startswith(_MACHINERY)
