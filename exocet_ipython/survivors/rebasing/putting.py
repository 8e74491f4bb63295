"""What hooks put into containers when they are told of a class: seen when they are told again, and all taken back."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

from exocet_ipython.reloading.holding.contents import is_registry
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.survivors.rebuilt import Replacement, or_same
from exocet_ipython.survivors.repeating.entries import emptied, entries, is_map, take_out

__all__ = [
    "Entry",
    "Inside",
    "emptied_for_a_moment",
    "find_there",
    "is_alike",
    "take_out_doubles",
    "take_out_entry",
    "take_out_new",
    "withdraw",
]

Entry = tuple[Any, Any]  # key and value; an item is its own key, with None; `Inside` for what is in another container

_NOTHING: Replacement = MappingProxyType({})


class Inside(list[Entry]):
    """What was put into a container that is in another one."""


@contextlib.contextmanager
def emptied_for_a_moment(
    containers: Sequence[Any], lengths: Mapping[int, int] = MappingProxyType({})
) -> Iterator[list[list[Entry]]]:
    """Let a block put something into empty containers, which then hold again what they held, in its order.

    Args:
        containers: those.
        lengths: id of a container -> how many of its first entries stay in it.

    Yields:
        when the block has ended, what it has put into each. One that is no container of Python's own is not emptied;
        of that it is not told.

    >>> names = ["a"]
    >>> with emptied_for_a_moment([names, names]) as put: names.append("b")
    >>> names, put
    (['a'], [[('b', None)], [('b', None)]])
    """
    put: list[list[Entry]] = []
    own = {id(one): one for one in containers if emptied(one) is not None}
    contents = [(one, one.copy()) for one in own.values()]
    others = [(one, list(entries(one))) for one in containers if id(one) not in own]
    for one, content in contents:
        staying = itertools.islice(entries(content), lengths.get(id(one), 0))
        refill(one, list(staying))
    try:
        yield put
    finally:
        put += [list(entries(one))[lengths.get(id(one), 0) :] if id(one) in own else [] for one in containers]
        for one, content in contents:
            refill(one, entries(content))
        for one, known in others:
            take_out_new(one, known)


def find_there(content: Iterable[Entry], entry: Entry, replaced: Replacement = _NOTHING) -> Entry | None:
    """Return what a container has that was put there; None where it has it not.

    Args:
        content: what the container has.
        entry: what was put.
        replaced: what has taken the place of others in what the container has.

    >>> find_there([("a", 1), ("b", [1, 2])], ("b", [2]))
    ('b', [(2, None)])
    """
    key, value = entry
    for one in content:
        known, there = one
        if not is_alike(known, key, replaced):
            continue
        if is_registry(value) and type(there) is type(value):
            found = [find_there(entries(there), inner, replaced) for inner in entries(value)]
            return None if None in found else (known, Inside(one for one in found if one is not None))
        if is_alike(there, value, replaced):
            return one
    return None


def take_out_entry(container: Any, entry: Entry, journal: Journal) -> None:
    """Take an entry out of a container that has this very one; a list may have it more than once, and keeps the first.

    >>> names = ["a", "b", "a"]
    >>> take_out_entry(names, ("a", None), Journal())
    >>> names
    ['a', 'b']
    """
    key, value = entry
    if not is_registry(container):
        return
    if is_map(container):
        if type(value) is Inside and key in container:
            for inner in value:
                take_out_entry(container[key], inner, journal)
            value = None if container[key] else container[key]
        if key in container and container[key] is value:
            take_out(container, key, journal)
    elif hasattr(container, "insert"):
        place = next((at for at in range(len(container) - 1, -1, -1) if container[at] is key), None)
        if place is not None:
            del container[place]
            journal.add(partial(container.insert, place, key))
    elif key in container:
        take_out(container, key, journal)


def withdraw(container: Any, made: Iterable[Entry], journal: Journal) -> None:
    """Take out of a container what was put there, as far as it is there."""
    for entry in made:
        there = find_there(entries(container), entry)
        if there is not None:
            take_out_entry(container, there, journal)


def is_alike(before: Any, now: Any, replaced: Replacement) -> bool:
    """Say whether two values are equal, but for what has taken the place of others in the first one."""
    try:
        if type(before) is type(now) is dict:
            keys = {_renewed(key, replaced): key for key in now}
            return before.keys() == keys.keys() and all(
                is_alike(before[key], now[keys[key]], replaced) for key in before
            )
        if type(before) is type(now) and type(now) in (list, tuple):
            return len(before) == len(now) and all(is_alike(*pair, replaced) for pair in zip(before, now, strict=True))
        if type(before) is type(now) and type(now) in (set, frozenset):
            return bool(before == {_renewed(item, replaced) for item in now})
        return or_same(now, replaced) is before or bool(before == now)
    except Exception:  # noqa: BLE001 - arrays have no truth, and a person's class may refuse
        return False


def _renewed(key: Any, replaced: Replacement) -> Any:
    """Return what is in the place of a key, or of an item of a set, by now."""
    if type(key) in (tuple, frozenset):
        return type(key)(_renewed(part, replaced) for part in key)
    return or_same(key, replaced)


def put_entry(container: Any, entry: Entry) -> None:
    """Put an entry into a container: behind all others, where that has an order and not the key."""
    key, value = entry
    if is_map(container):
        container[key] = value
    elif hasattr(container, "append"):
        container.append(key)
    else:
        container.add(key)


def refill(container: Any, content: Iterable[Entry]) -> None:
    """Have a container hold these entries, and no others."""
    container.clear()
    for entry in content:
        put_entry(container, entry)


def take_out_doubles(container: Any, count: int) -> None:
    """Take out of a list what was put behind its first entries, and is one of these already.

    >>> names = ["a", "b", "a"]
    >>> take_out_doubles(names, 2)
    >>> names
    ['a', 'b']
    """
    if hasattr(container, "insert"):
        known = {*map(id, itertools.islice(container, count))}
        for place in range(len(container) - 1, count - 1, -1):
            if id(container[place]) in known:
                del container[place]


def take_out_new(container: Any, content: list[Entry]) -> None:
    """Take out of a container what has been put into it since."""
    if hasattr(container, "append"):
        while len(container) > len(content):
            container.pop()
        return
    before = dict(content)
    for key, value in list(entries(container)):
        if key not in before:
            take_out(container, key, Journal())
        elif before[key] is not value:
            container[key] = before[key]
