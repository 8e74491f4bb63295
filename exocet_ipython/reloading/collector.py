"""The memory of this build: when the collector may run, who refers to what, and whether reference counts tell it."""

from __future__ import annotations

import contextlib
import gc
import itertools
import operator
import sys
from collections.abc import Iterator, Sequence
from types import FrameType, FunctionType
from typing import Any

__all__ = [
    "count_frozen",
    "counts_are_exact",
    "current_frames",
    "instances_of",
    "own_referents_of",
    "paused_collector",
    "referents_of",
    "referrers_of",
]

_FEW = 250  # where both ways take as long
_AT_ONCE = 256
_AT_START = 2_000  # objects: Python 3.12 freezes a few hundred when it starts, a person all there are


def count_frozen() -> int:
    """Return how many objects somebody has hidden from the collector by `gc.freeze`, and so from us.

    >>> count_frozen()
    0
    """
    count = gc.get_freeze_count()
    return count if count > _AT_START else 0


def counts_are_exact() -> bool:
    """Say whether a reference count is the number of references: a build without the global lock defers some."""
    return bool(getattr(sys, "_is_gil_enabled", lambda: True)())


def referents_of(thing: Any) -> list[Any]:
    """Return what an object refers to, as the collector sees it; of the C module behind asyncio, nothing.

    That one shows the collector objects that it has freed and keeps for later (CPython 3.12,
    `Modules/_asynciomodule.c`, `module_traverse`). Who takes hold of them frees them once more, and the next collection
    never ends.

    >>> referents_of(["a"]), referents_of(sys.modules.get("_asyncio", {}))
    (['a'], [])
    """
    return [] if thing is sys.modules.get("_asyncio") else gc.get_referents(thing)


def own_referents_of(thing: Any) -> list[Any]:
    """Return what an object refers to; of a function only what is its own, and not what its module's others have.

    >>> def half(x, by=2): return x / by
    >>> (2,) in own_referents_of(half), any(part is half.__globals__ for part in own_referents_of(half))
    (True, False)
    """
    found = referents_of(thing)
    if type(thing) is FunctionType:
        shared = {id(thing.__globals__), id(getattr(thing, "__builtins__", None))}  # typeshed lacks the second
        return [part for part in found if id(part) not in shared]
    return found


def instances_of(kind: type) -> list[Any]:
    """Return the instances of a type itself that the collector follows, in one pass over the heap; in C.

    >>> class Bell: pass
    >>> bell = Bell()
    >>> instances_of(Bell) == [bell]
    True
    """
    heap = gc.get_objects()
    return [*itertools.compress(heap, map(operator.is_, map(type, heap), itertools.repeat(kind)))]


def referrers_of(objects: Sequence[Any]) -> list[Any]:
    """Return what refers to any of the objects, in one pass over the heap; not the sequence itself.

    `gc.get_referrers` compares each reference that there is with each of the objects: of many, a pass that looks each
    reference up takes a fraction of the time.

    >>> things = [object() for _ in range(1000)]
    >>> holder = [things[7]]
    >>> [any(found is holder for found in referrers_of(asked)) for asked in (things, things[7:], things[:7])]
    [True, True, False]
    """
    # On 3.13 the collector's answer has the tuple of the call, for which a further pass would look for holders.
    call = tuple(objects)
    if len(call) <= _FEW:
        return [holder for holder in gc.get_referrers(*call) if holder is not call and holder is not objects]
    wanted = set(map(id, call))
    spared = {id(call), id(objects), id(sys.modules.get("_asyncio"))}
    heap = [thing for thing in gc.get_objects() if id(thing) not in spared]
    found: list[Any] = []
    for start in range(0, len(heap), _AT_ONCE):
        some = heap[start : start + _AT_ONCE]
        if not wanted.isdisjoint(map(id, gc.get_referents(*some))):
            found += [thing for thing in some if not wanted.isdisjoint(map(id, gc.get_referents(thing)))]
    return found


@contextlib.contextmanager
def paused_collector() -> Iterator[None]:
    """Let no automatic collection run within the block.

    Loading, planning, recording and publishing allocate much and keep it, and all that retires is still referred to:
    collections would be many, go over the whole heap, and find nothing. What is garbage afterwards goes with the next
    one. While a person's code runs it is never held back.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def current_frames() -> dict[int, FrameType]:
    """Return the innermost frame of each thread, by its number; the caller lets go of its own before it ends.

    No collection begins meanwhile: Python 3.11 holds a lock in that call which what is collected may need to go, and
    would wait for ever (CPython issue 106883).

    >>> import threading
    >>> threading.get_ident() in current_frames()
    True
    """
    with paused_collector():
        return sys._current_frames()  # noqa: SLF001 - the documented way to see other threads
