"""Frames that run: what their local variables hold, which the collector doesn't see while they run."""

from __future__ import annotations

import inspect
import os
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import AsyncGeneratorType, CodeType, CoroutineType, FrameType, GeneratorType
from typing import Any

from exocet_ipython.reloading.collector import current_frames, instances_of

__all__ = ["FRAMES", "OWN_PACKAGE", "RunningFrame", "find_in_use", "locals_of", "running_frames", "spaces_in_use"]

OWN_PACKAGE = __name__.partition(".")[0]
# What runs a cell: between it and the person's own code there is nothing that a person knows.
_MACHINERY = {OWN_PACKAGE, "IPython", "ipykernel", "tornado", "asyncio", "traitlets", "zmq", "runpy", "contextlib"}
# What waits, and where it has its frame.
FRAMES: Mapping[int, str] = {
    id(GeneratorType): "gi_frame",
    id(CoroutineType): "cr_frame",
    id(AsyncGeneratorType): "ag_frame",
}


@dataclass(frozen=True, slots=True, eq=False)
class RunningFrame:
    """One frame of one thread.

    Attributes:
        where: the thread, the function, its file and line, as people read it.
        expression: the Python expression that reaches the frame.
        values: name of a local variable -> its value.
        space: the globals of the frame.
    """

    where: str
    expression: str
    values: dict[str, Any]
    space: dict[str, Any]


def running_frames() -> Iterator[RunningFrame]:
    """Yield the frames that run in any thread, but for those of this package and of what runs cells.

    A frame's variables are in no object that the collector knows as long as the frame runs.
    """
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    own = threading.get_ident()
    for ident, top in list(current_frames().items()):
        frame: FrameType | None = top
        del top  # a frame with itself among its variables would live until the collector runs, and all above it
        expression = f"sys._current_frames()[{ident}]"
        while frame is not None:
            package = str(frame.f_globals.get("__name__")).partition(".")[0]
            if package != OWN_PACKAGE and (ident != own or package not in _MACHINERY):
                where = f"{names.get(ident, ident)}: {_place(frame.f_code)}, line {frame.f_lineno}"
                yield RunningFrame(where, expression, locals_of(frame), frame.f_globals)
            frame = frame.f_back
            expression += ".f_back"


def find_in_use() -> set[int]:
    """Return the ids of what code that has begun to run has in its local variables: a thread's, or a coroutine's.

    Nothing can be put in their place there, before Python 3.13 at least (PEP 667). What a generator has is not among
    them: it is as a rule asked for the rest of what it has, and nobody waits for it to be told something.
    """
    found = {id(value) for frame in running_frames() for value in frame.values.values()}
    for kind in (CoroutineType, AsyncGeneratorType):
        for waiting in instances_of(kind):
            if (frame := getattr(waiting, FRAMES[id(kind)])) is not None:
                found.update(map(id, locals_of(frame).values()))
    return found


def spaces_in_use(spaces: Collection[int], holders: Iterable[Any]) -> set[int]:
    """Return which globals code has that has begun to run: it goes on to look its functions up there.

    Args:
        spaces: the ids of the globals of retired modules.
        holders: what refers to functions of theirs; a generator or coroutine that waits is one of these.
    """
    waiting: list[FrameType | None] = [*current_frames().values()]
    waiting += (getattr(holder, FRAMES[id(type(holder))]) for holder in holders if id(type(holder)) in FRAMES)
    found: set[int] = set()
    while waiting:
        frame = waiting.pop()
        if frame is not None:
            found.add(id(frame.f_globals))
            waiting.append(frame.f_back)
    return found.intersection(spaces)


def locals_of(frame: FrameType) -> dict[str, Any]:
    """Return a frame's local variables; those of a frame on module level are its globals, and not given.

    Until Python 3.12 a frame keeps the dict that it shows them in, and all that is in it, for as long as it runs
    (PEP 667): so that is emptied, unless a debugger is at work with it.
    """
    if not frame.f_code.co_flags & inspect.CO_OPTIMIZED:
        return {}
    shown = frame.f_locals
    found = dict(shown)
    if type(shown) is dict and frame.f_trace is None:
        shown.clear()
    return found


def _place(code: CodeType) -> str:
    return f"{code.co_qualname}() in {os.path.basename(code.co_filename)}"
