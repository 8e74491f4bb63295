"""How often retired objects are referred to from elsewhere, told by reference counts.

The references that the retired modules, classes and functions have to each other are found by walking them; what the
reference count says beyond that comes from elsewhere. There is no constant to subtract instead: a module's functions
are referred to by its classes, decorators, closures and defaults, a different number each.
"""

from __future__ import annotations

import gc
import operator
import sys
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import Field, dataclass
from functools import cached_property
from types import (
    CellType,
    CodeType,
    FunctionType,
    GenericAlias,
    GetSetDescriptorType,
    MemberDescriptorType,
    UnionType,
)
from typing import Any, ForwardRef, Literal

from exocet_ipython.reloading.collector import counts_are_exact, referents_of
from exocet_ipython.reloading.holding.contents import dict_of
from exocet_ipython.reloading.holding.held import is_function_of_cell
from exocet_ipython.survivors.classes import with_subclasses

__all__ = ["UNHELD", "count_outside"]

# What has a function, as a class has it.
_DESCRIPTORS = frozenset(
    map(id, (staticmethod, classmethod, property, cached_property, GetSetDescriptorType, MemberDescriptorType))
)
# What classes and functions are made of: walked when reached from one, since nothing else refers to it. But what is in
# a tuple or a dict of theirs, others may have: `def __init__(self, errors=(Lost, Late)): self.errors = errors`.
_CONTAINERS = frozenset(map(id, (tuple, dict)))
_PARTS = _DESCRIPTORS | _CONTAINERS | frozenset(map(id, (CellType, CodeType, FunctionType)))
_WALKED = (type, FunctionType, CodeType, CellType)
# Aliases and fields, which classes and annotations have.
_ALIASES = frozenset(
    map(id, with_subclasses([GenericAlias, UnionType, Field, ForwardRef, type(Literal[1]).__mro__[1]]))
)
_WALKED_TOO = _DESCRIPTORS | _ALIASES
_globals_of = operator.attrgetter("__globals__")
_builtins_of = operator.attrgetter("__builtins__")
# What a call of getrefcount by map() itself adds.
UNHELD = next(map(sys.getrefcount, [object()])) - 1


@dataclass(frozen=True, slots=True, eq=False)
class _Outside:
    """What references from elsewhere lead to.

    Attributes:
        held: the retired objects that are referred to from elsewhere.
        numbers: id of each of these -> how many references from there lead to it; 0 where counts are deferred.
        within: ids of all the references of which count as the retired side's own.
    """

    held: list[Any]
    numbers: dict[int, int]
    within: set[int]


def count_outside(retired: list[Any], roots: Iterable[Any]) -> _Outside:
    """Return the retired objects that references from elsewhere lead to, with their numbers.

    Takes what `find_held` takes.
    """
    if not counts_are_exact():
        return _Outside(retired.copy(), dict.fromkeys(map(id, retired), 0), set())
    inner, within = _count_references(retired, roots)
    counts = list(map(sys.getrefcount, retired))
    outside = [(item, count - inner[id(item)] - UNHELD) for item, count in zip(retired, counts, strict=True)]
    held = [item for item, number in outside if number > 0]
    return _Outside(held, {id(item): number for item, number in outside if number > 0}, within)


def _count_references(retired: list[Any], roots: Iterable[Any]) -> tuple[Counter[int], set[int]]:
    """Return by id how often the retired objects are referred to from roots and from one another, and whose counted.

    In whole layers, each in a few calls of C: there are tens of references for each function and class.
    """
    items = _by_id(retired)
    wanted = set(items)
    counts: Counter[int] = Counter()
    # The C module behind asyncio must not be asked; see `referents_of`.
    seen = {id(None), id(retired), id(sys.modules.get("_asyncio")), *wanted}
    walked = {
        key: item for key, item in items.items() if issubclass(type(item), _WALKED) or id(type(item)) in _WALKED_TOO
    }
    others = [item for key, item in items.items() if key not in walked]
    # The dict of a member of an enumeration is its own, asked for before or not.
    dicts = [dict_of(item) for item in others if id(type(item)) in wanted]
    dicts += [space for item in others if (space := _shown_dict(item)) is not None]
    are_followed = all(map(gc.is_tracked, retired))
    has_codes = id(CodeType) in map(id, map(type, retired))
    kinds = _PARTS if has_codes else _PARTS - {id(CodeType)}
    doubtful = _Doubtful(counts, seen)
    doubtful.note(_count([retired, *others, *_unseen([*roots, *dicts], seen)], wanted, counts, are_followed), _ALIASES)
    layer = list(walked.values())
    del items, walked, others, dicts
    are_doubtful = False
    while layer:
        # A cell's function that stands in a retired class stands in the new one as well.
        layer = [part for part in layer if not is_function_of_cell(part)]
        # The globals of a function are a root, or another module's; nothing is its own of the builtins.
        functions = [part for part in layer if type(part) is FunctionType]
        seen.update(map(id, map(_globals_of, functions)), map(id, map(_builtins_of, functions)))
        found = _count([part for part in layer if id(type(part)) not in _CONTAINERS], wanted, counts, are_followed)
        shared = _count([part for part in layer if id(type(part)) in _CONTAINERS], wanted, counts, are_followed)
        if has_codes:  # the collector does not look into code
            inner = [c for part in layer if type(part) is CodeType for c in part.co_consts if type(c) is CodeType]
            counts.update(key for key in map(id, inner) if key in wanted)
            found += inner
        # What only an alias has of these may be others' as well.
        layer = [part for part in found if id(type(part)) in kinds]
        layer += [part for part in shared if id(type(part)) in kinds and id(type(part)) not in _CONTAINERS]
        layer = [] if are_doubtful else _unseen(layer, seen)
        doubtful.note(found, _ALIASES | kinds if are_doubtful else _ALIASES)
        doubtful.note(shared, _ALIASES | kinds if are_doubtful else _ALIASES | _CONTAINERS)
        are_doubtful = not layer
        if are_doubtful:
            found.clear()  # it refers to what is looked at now
            shared.clear()
            layer = doubtful.explained()
    return counts, seen


class _Doubtful:
    """What classes and functions have that others may have as well: aliases, fields, containers, what is in these.

    It is walked once each reference to it is known to be of the retired side, and what it has is a part of that.

    Args:
        counts: by id, how often something is referred to; of what is noted here as well.
        seen: ids of what is walked, or never is.
    """

    def __init__(self, counts: Counter[int], seen: set[int]) -> None:
        self._counts, self._seen = counts, seen
        self._waiting: dict[int, Any] = {}

    def note(self, found: list[Any], kinds: frozenset[int]) -> None:
        """Count the references that were found, one for each item, to instances of some types, by the ids of these."""
        items = [item for item in found if id(type(item)) in kinds and id(item) not in self._seen]
        self._counts.update(map(id, items))
        self._waiting.update(zip(map(id, items), items, strict=True))

    def explained(self) -> list[Any]:
        """Return what is to be walked now: what is referred to from nowhere else."""
        for key in self._waiting.keys() & self._seen:  # it was come to in another way
            del self._waiting[key]
        numbers = zip(self._waiting, map(sys.getrefcount, self._waiting.values()), strict=True)
        ready = [key for key, number in numbers if number - self._counts[key] - UNHELD == 1]  # which is our own
        self._seen.update(ready)
        return [self._waiting.pop(key) for key in ready]


def _shown_dict(item: Any) -> dict[Any, Any] | None:
    """Return the dict of an object's attributes where the collector sees it in place of these."""
    if not any(type(part) is dict for part in referents_of(item)):
        return None
    space = dict_of(item)  # which may just have made it: then it is seen from now on
    return space if any(part is space for part in referents_of(item)) else None


def _count(layer: list[Any], wanted: Collection[int], counts: Counter[int], are_followed: bool) -> list[Any]:  # noqa: FBT001 - a private argument
    """Add to the counts what the objects of a layer refer to, and return it.

    Where the wanted ones `are_followed` by the collector, nothing counts that isn't: names are not, which most are.
    """
    found = gc.get_referents(*layer)
    found = list(filter(gc.is_tracked, found)) if are_followed else found
    counts.update(filter(wanted.__contains__, map(id, found)))
    return found


def _by_id(items: list[Any]) -> dict[int, Any]:
    return dict(zip(map(id, items), items, strict=True))


def _unseen(items: list[Any], seen: set[int]) -> list[Any]:
    """Return the items that were not seen before, each once, and note them."""
    new = {key: item for key, item in _by_id(items).items() if key not in seen}
    seen.update(new)
    return list(new.values())
