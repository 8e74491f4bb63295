"""Two changes of one sequence, made one after the other or apart: what it is with both, or without the first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from exocet_ipython.reloading.holding.contents import is_plain

__all__ = ["Change", "Key", "keys_of", "merged", "with_keys"]

Key = tuple[str, Any]  # what tells an entry from others, and holds no object


@dataclass(frozen=True, slots=True)
class Change:
    """What a sequence was, and what it was made.

    Attributes:
        before: the keys of its entries.
        after: those that it had then.
    """

    before: tuple[Key, ...]
    after: tuple[Key, ...]

    def followed_by(self, other: Change) -> Change:
        """Return both as one, without what has changed between them.

        >>> first, second = Change((), ((("str"), "a"),)), Change((("str", "a"), ("str", "x")), (("str", "x"),))
        >>> first.followed_by(second)
        Change(before=(('str', 'x'),), after=(('str', 'x'),))
        """
        return Change(tuple(merged(self.after, self.before, other.before)), other.after)


def keys_of(values: Iterable[Any]) -> tuple[Key, ...]:
    """Return what tells the entries of a sequence: what is plain by its value, all else by its identity.

    >>> keys_of([1, "a", 1.0])
    (('int', 1), ('str', 'a'), ('float', 1.0))
    """
    return tuple((type(value).__name__, value) if is_plain(value) else ("", id(value)) for value in values)


def with_keys(keys: Iterable[Key], values: Iterable[Any]) -> list[Any]:
    """Return the entries that keys tell; what is not plain is one of some values, and left out where it is none.

    >>> with_keys(keys_of([1, print, len]), [len, print])
    [1, <built-in function print>, <built-in function len>]
    """
    known = {("", id(value)): value for value in values}
    return [known[key] if key in known else key[1] for key in keys if key in known or key[0]]


def merged(base: Sequence[Key], first: Sequence[Key], second: Sequence[Key]) -> list[Key]:
    """Return what a sequence is after two changes of it, each of which was made alone.

    Args:
        base: what it was.
        first: what one change has made of it.
        second: what the other has made of it; it comes behind where both put something at one place.

    >>> "".join(merged("abc", "abcx", "acy")), "".join(merged("abx", "ab", "abxy"))
    ('acxy', 'aby')
    """
    changes = [*_changes(base, first)], [*_changes(base, second)]
    gone = {place for found in changes for begin, end, _ in found for place in range(begin, end)}
    result: list[Key] = []
    for place in range(len(base) + 1):
        for found in changes:
            result += [key for begin, _, added in found if begin == place for key in added]
        result += base[place : place + 1] if place not in gone else ()
    return result


def _changes(before: Sequence[Key], after: Sequence[Key]) -> Iterator[tuple[int, int, Sequence[Key]]]:
    """Yield what was replaced: from where, to where, and by what."""
    for tag, begin, end, start, stop in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag != "equal":
            yield begin, end, after[start:stop]
