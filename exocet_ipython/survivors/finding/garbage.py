"""What only refers to itself, and waits for the collector: told of some objects, without a look at the whole heap."""

from __future__ import annotations

import gc
import sys
from collections import Counter, deque
from collections.abc import Iterable
from types import BuiltinFunctionType, CodeType, FrameType, ModuleType
from typing import Any

from exocet_ipython.loading.spaces import globals_of
from exocet_ipython.reloading.collector import counts_are_exact
from exocet_ipython.reloading.retired import retired_class

__all__ = ["is_garbage", "is_much"]

# What everything leads to, and others hold as a rule. A yes is right whatever is left out.
_SHARED = (BuiltinFunctionType, CodeType, FrameType)
_CONTAINERS: tuple[type[Any], ...] = (dict, tuple, list, set, frozenset, deque)
_PLAIN = frozenset(map(id, _CONTAINERS))
_MOST, _EACH = 10_000, 10  # objects looked at: some hundredths of a second, and more for each that is asked about
_REFERENCES = 15  # of each of them, as a rule
_MOST_PARTS = 10_000  # of one container
_AT_ONCE = 256
_FEW, _BLOCKS = 500, 1_000
_IN_A_LIST = next(map(sys.getrefcount, [object()]))


def is_much(count: int) -> bool:
    """Say whether so many objects may be garbage that the collector itself finds that out in a part of the time.

    It looks at the whole heap, which takes it a ten-millionth of a second for each block of memory: what is one object
    here takes a thousand times as long. In a heap of millions, that of a few classes is not much.

    >>> is_much(10)
    False
    """
    return count > _FEW and count * _BLOCKS > sys.getallocatedblocks()


def is_garbage(asked: Iterable[Any], roots: list[Any]) -> bool:
    """Say whether no reference from elsewhere leads to any of some objects, by way of what these refer to either.

    The collector finds out in the same way: what is referred to from outside of all that was looked at counts as in
    use, and so does what that leads to. Where there is too much to look at, so do the objects.

    Args:
        asked: the objects.
        roots: our own records of them, whose references don't count, nor do those of this list.

    >>> class Old: pass
    >>> part = Old()
    >>> part.whole, inner = [part], []
    >>> inner.append(part.whole)
    >>> ours = [part, part.whole]
    >>> del part
    >>> is_garbage(ours, [ours])
    False
    >>> del inner
    >>> is_garbage(ours, [ours])
    True
    """
    found, inside = _reached_from(asked) if counts_are_exact() else ({}, Counter[int]())
    if not found:
        return False
    inside.update(map(id, roots))
    inside.update(map(id, gc.get_referents(*{id(root): root for root in roots if id(root) not in found}.values())))
    counts = zip(found, map(sys.getrefcount, found.values()), strict=True)
    used = {key for key, count in counts if count - inside[key] > _IN_A_LIST}
    wanted = set(map(id, asked))
    waiting = [found[key] for key in used]
    while waiting and used.isdisjoint(wanted):
        new = {key: found[key] for key in map(id, gc.get_referents(*waiting)) if key in found and key not in used}
        used.update(new)
        waiting = list(new.values())
    return used.isdisjoint(wanted)


def _reached_from(asked: Iterable[Any]) -> tuple[dict[int, Any], Counter[int]]:
    """Return objects and all that they lead to, by id, and how often that refers to each; nothing if it is too much."""
    found = {id(item): item for item in asked}
    seen, most = set(found), _MOST + _EACH * len(found)
    inside: Counter[int] = Counter()
    waiting = list(found.values())
    references = 0
    while waiting:
        some = waiting[-_AT_ONCE:]
        del waiting[-_AT_ONCE:]
        parts = gc.get_referents(*some)
        references += len(parts)
        if references > _REFERENCES * most or len(found) > most:
            return {}, Counter()
        keys = list(map(id, parts))
        inside.update(keys)
        new = dict(zip(keys, parts, strict=True))
        fresh = new.keys() - seen
        seen |= fresh
        some = [part for part in map(new.__getitem__, fresh) if gc.is_tracked(part) and _is_looked_at(part)]
        found.update(zip(map(id, some), some, strict=True))
        waiting += some
    return found, inside


def _is_looked_at(part: Any) -> bool:
    """Say whether something may be nobody else's: of modules, their globals and classes only what has retired."""
    kind = type(part)
    if issubclass(kind, type):
        return retired_class(part) is not None
    if issubclass(kind, ModuleType):
        return _are_old_globals(globals_of(part))
    if id(kind) in _PLAIN:
        return len(part) <= _MOST_PARTS and (kind is not dict or "__builtins__" not in part or _are_old_globals(part))
    if issubclass(kind, _CONTAINERS):
        length: int = next(base.__len__(part) for base in _CONTAINERS if issubclass(kind, base))
        return length <= _MOST_PARTS
    return not issubclass(kind, _SHARED)


def _are_old_globals(space: dict[str, Any]) -> bool:
    """Say whether code ran with these globals, and no module has them now."""
    name = space.get("__name__")
    return "__builtins__" in space and (type(name) is not str or globals_of(sys.modules.get(name)) is not space)
