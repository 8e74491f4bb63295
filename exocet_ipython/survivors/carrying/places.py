"""Lists in which items are put in the place of others: slots of a pool, numbers of a table, counts by index.

Such a list is carried place by place. In others a place says nothing: what a cell removed and what it appended is known
by what it is, wherever the edit has put what else there is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

from exocet_ipython.reloading.holding.contents import dict_of, refill
from exocet_ipython.reloading.holding.parts import ids_in_order
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.survivors.carrying.ownership import Ownership
from exocet_ipython.survivors.repeating.entries import count_in, item_in, put_into
from exocet_ipython.survivors.repeating.untouched import is_as_it_was, is_filled_alike

__all__ = ["carry_places", "in_first_order", "reorder"]


def carry_places(path: str, before: Any, now: Any, owned: Ownership, journal: Journal) -> bool | None:
    """Put into a new list what others have put in the place of items of the old one; None for lists that aren't such.

    Args:
        path: where the list is in its module.
        before: that of the retired module.
        now: that of the new one, which nobody sees yet.
        owned: whose the state of the retired one is.
        journal: how it is taken back.

    Returns:
        Whether the new list has all that was put there; not what functions have computed.
    """
    contents = owned.record.contents
    known = ids_in_order(contents.get(path, {}))
    changed = _changed_places(before, now, known)
    written = [place for place in changed if owned.is_written(f"{path}[{place}]")]
    if not changed or not (written or owned.puts_in_place(path) or _shows_places(before, changed, known)):
        return None
    carried, constants = 0, owned.record.constants

    def is_theirs(item: Any) -> bool:
        return owned.is_persons(path, item, None) and not owned.is_modules(path, item, None)

    for place, was in changed.items():
        item = before[place]
        if place >= len(now):
            continue
        if now[place] is item:  # what an undo brings back has it already
            carried += 1
            continue
        first = contents.get(f"{path}[{place}]")  # what a list that was there had in it
        is_same = is_as_it_was(now[place], was, constants) or (
            first is not None
            and (is_filled_alike(now[place], first, constants) or _is_made_alike(now[place], first, constants))
        )
        if place in written or (is_theirs(item) and (is_same or len(now) == len(known))):
            journal.add(partial(now.__setitem__, place, now[place]))
            now[place] = item
            carried += 1
    added = [item for item in before[len(known) :] if is_theirs(item)]
    for item in added:
        put_into(now, item_in(now, item, owned.after), None, journal, count=count_in(before, item))
    return carried + len(added) == len(changed) + len(before) - len(known)


def in_first_order(before: Any, now: Any, baseline: Mapping[Any, int]) -> list[Any] | None:
    """Return the items of a list in the order in which its body has left them, where only that is another by now.

    None for any other list, and where the new one has more or less.

    >>> from exocet_ipython.reloading.holding.parts import parts_of
    >>> in_first_order(["b", "a"], ["a", "b"], parts_of(["a", "b"]))
    ['a', 'b']
    """
    if not type(before) is type(now) is list or len(before) != len(now):
        return None
    order, items = ids_in_order(baseline), {id(item): item for item in before}
    ids = list(map(id, before))
    return None if ids == order or sorted(ids) != sorted(order) else [items[was] for was in order]


def reorder(before: list[Any], first: list[Any], now: list[Any], journal: Journal) -> None:
    """Put the items of a new list in the order of an old one, given the order in which that had its own at first.

    >>> items = ["c", "d"]
    >>> reorder(["b", "a"], ["a", "b"], items, Journal()), items
    (None, ['d', 'c'])
    """
    counterparts = dict(zip(map(id, first), now, strict=True))
    are_there = counterparts.keys() == set(map(id, now))  # what an undo brings back has them already
    journal.add(partial(refill, now, now.copy()))
    now[:] = before if are_there else [counterparts[id(item)] for item in before]


def _is_made_alike(instance: Any, first: Mapping[Any, int], constants: Mapping[int, Any]) -> bool:
    """Say whether an instance has what another one had when the old body had run."""
    space = dict_of(instance) or {}
    return (
        bool(space)
        and space.keys() == first.keys()
        and all(is_as_it_was(part, first[name], constants) for name, part in space.items())
    )


def _changed_places(before: Any, now: Any, known: list[int]) -> dict[int, int]:
    """Return the places of a list at which there is another item, each with the id of the one that was there.

    What was added follows them, and nothing that was there before is among it.
    """
    if not type(before) is type(now) is list or len(known) > len(before):
        return {}
    if not set(known).isdisjoint(map(id, before[len(known) :])):
        return {}
    return {place: was for place, was in enumerate(known) if id(before[place]) != was}


def _shows_places(before: list[Any], changed: Mapping[int, int], known: Collection[int]) -> bool:
    """Say whether a list shows that items were put in the place of others: what is behind them is where it was."""
    is_new = not any(id(before[place]) in known for place in changed)
    return is_new and len(known) - min(changed) > len(changed)
