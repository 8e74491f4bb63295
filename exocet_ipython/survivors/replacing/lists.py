"""What retired in lists: replaced at its place, also where what takes its place was put there beside it."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable
from types import MethodType
from typing import Any

from exocet_ipython.reloading.journal import Journal
from exocet_ipython.survivors.rebuilt import MISSING, Replacement, counterpart

__all__ = ["replace_in_list"]


def replace_in_list(
    holder: Any, replacement: Replacement, journal: Journal, was_there: Callable[[Any], bool] | None = None
) -> None:
    """Replace items by index; where the new object is there already, it was registered again: it goes to the old place.

    As often as it is there: a list may have an item twice.

    Those of a module that were registered again keep the places that it has among others', in their new order.

    Args:
        holder: the list, or the deque.
        replacement: what takes the place of what.
        journal: how it is taken back.
        was_there: says of an item that no body can have registered it now; None where that can be so of all.

    >>> items, old, new, mine = [], object(), object(), object()
    >>> items += [old, mine, new]
    >>> replace_in_list(items, {id(old): (old, new)}, Journal())
    >>> items == [new, mine]
    True
    >>> items = [old, mine, old, new]
    >>> replace_in_list(items, {id(old): (old, new)}, Journal())
    >>> items == [new, mine, new]
    True
    >>> items = [mine, len]
    >>> replace_in_list(items, {id(mine): (mine, len)}, Journal(), callable)
    >>> items
    [<built-in function len>, <built-in function len>]
    """
    kind: Any = deque if isinstance(holder, deque) else list  # what a subclass makes of its items is its own
    items, places = list(kind.__iter__(holder)), dict[int, list[int]]()
    for index, item in enumerate(items):
        places.setdefault(id(item), []).append(index)
    staying = [(index, item) for index, item in enumerate(items) if id(item) not in replacement]
    methods = [(index, item) for index, item in staying if type(item) is MethodType]
    tuples = {tuple(map(id, item)): index for index, item in staying if type(item) is tuple}
    again, used = dict[int, int](), set[int]()
    for index, value in enumerate(items):
        now = counterpart(value, replacement)
        if now is MISSING:
            continue
        place = next((at for at in places.get(id(now), ()) if at not in used), None)
        if type(now) is tuple:
            place = tuples.get(tuple(map(id, now)), place)
        elif type(now) is MethodType:
            place = next((at for at, method in methods if method == now), place)
        if place is None or place in used or (was_there is not None and was_there(items[place])):
            kind.__setitem__(holder, index, now)
            journal.add(functools.partial(kind.__setitem__, holder, index, value))
        else:
            again[index] = place
            used.add(place)
    later = [index for index, place in again.items() if place > index]
    taken = sorted({again[index] for index in later})
    for index, place in zip(later, taken, strict=False):
        journal.add(functools.partial(kind.__setitem__, holder, index, items[index]))
        kind.__setitem__(holder, index, items[place])
    gone = again.keys() - set(later[: len(taken)]) | set(taken)
    for index in sorted(gone, reverse=True):
        journal.add(functools.partial(kind.insert, holder, index, kind.__getitem__(holder, index)))
        kind.__delitem__(holder, index)
