"""What letting go of objects would free: themselves, and what nothing else holds.

The collector finds out in the same way what is garbage: of all that can be reached from the objects, it counts which
references come from inside.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import BuiltinFunctionType, CodeType, FrameType, FunctionType, ModuleType
from typing import Any

from exocet_ipython.reloading.collector import counts_are_exact, referents_of

__all__ = ["Freed", "find_freed", "own_parts"]

# What everything leads to, and what others hold as a rule.
_SHARED = (ModuleType, type, FunctionType, BuiltinFunctionType, CodeType, FrameType)
_MOST = 200_000  # objects looked at: some tenths of a second


@dataclass(frozen=True, slots=True)
class Freed:
    """A size in bytes, and whether that is all: there may be more objects than are looked at."""

    size: int = 0
    is_all: bool = True


def find_freed(targets: Iterable[Any], size_of: Callable[[Any], int], most: int = _MOST) -> Freed:
    """Return how much would be freed if nobody held some objects any more.

    Args:
        targets: the objects.
        size_of: how large an object is by itself, in bytes.
        most: so many objects are looked at, no more.

    >>> shared, own = ["x"], [bytearray(1000)]
    >>> find_freed([[shared, own]], sys.getsizeof).size > 1000
    False
    >>> del own
    >>> find_freed([[shared, [bytearray(1000)]]], sys.getsizeof).size > 1000
    True
    """
    parts, is_all = own_parts(targets, referents_of, _SHARED, most)
    return Freed(sum(map(size_of, parts)), is_all)


def own_parts(
    targets: Iterable[Any], referents: Callable[[Any], list[Any]], shared: tuple[type, ...], most: int
) -> tuple[list[Any], bool]:
    """Return some objects with all that only they hold, and whether that is all.

    On a build that defers reference counts nothing is known to be theirs.

    Args:
        targets: the objects.
        referents: gives what an object refers to.
        shared: types of what is nobody's own.
        most: so many objects are looked at, no more.

    >>> len(own_parts([[["own"]]], referents_of, _SHARED, 10)[0])  # two lists; the text is this example's as well
    2
    """
    reached: dict[int, Any] = {0: []}  # the first is held by nobody else
    inside: Counter[int] = Counter()
    waiting: list[Any] = list(targets)
    reached |= {id(target): target for target in waiting}
    wanted = reached.keys() - {0}
    exact = counts_are_exact()
    while exact and waiting and len(reached) < most:
        for found in referents(waiting.pop()):
            inside[id(found)] += 1
            if id(found) not in reached and not issubclass(type(found), shared):
                reached[id(found)] = found
                waiting.append(found)
    is_all = exact and not waiting
    waiting.clear()
    found = None
    counts = {key: sys.getrefcount(value) for key, value in reached.items()}
    held = [key for key in reached if key and key not in wanted and counts[key] - counts[0] > inside[key]]
    while held:
        value = reached.pop(held.pop(), None)
        held += [id(part) for part in referents(value) if id(part) in reached and id(part) not in wanted]
    return [value for key, value in reached.items() if key], is_all
