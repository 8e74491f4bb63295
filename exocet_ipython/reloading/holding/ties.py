"""What the ids of a baseline name: a new object stands in memory where one that is gone has stood."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from itertools import compress
from typing import Any, Self

from exocet_ipython.loading.references import OwnReference
from exocet_ipython.reloading.holding.contents import is_plain

__all__ = ["Ties"]

# By ids: a metaclass may say how its classes are hashed.
_TEXTS = frozenset(map(id, (str, bytes)))
_NUMBERS = frozenset(map(id, (int, float, complex)))
_TUPLE = id(tuple)
_MANY = 1_000  # tuples; of tables of more, none is held
_LONG = 1 << 12  # characters or bytes


class _Tie(OwnReference[Any]):
    """A weak reference that knows the id of what it has referred to."""

    __slots__ = ("known",)

    known: int

    def __new__(cls, thing: Any, gone: Callable[[Any], None]) -> Self:
        tie = super().__new__(cls, thing, gone)
        tie.known = id(thing)
        return tie


class Ties:
    """The objects that ids were taken of, as far as another one soon has the id of one that is gone.

    Numbers and texts are held: nothing else lives on with them, and a cell that computes a setting anew, time and
    again, makes them at the same two addresses. Instances are referred to weakly.

    >>> import math
    >>> ties, values = Ties(), [math.sqrt(2.0)]
    >>> ties.hold(values)
    >>> first = id(values.pop())
    >>> first in {id(math.sqrt(count)) for count in range(9)}, ties.take_gone()
    (False, set())
    """

    __slots__ = ("_gone", "_held", "_latest", "_ties")

    def __init__(self, *others: Ties) -> None:
        self._held: list[Any] = []
        self._latest: dict[str, Any] = {}
        self._ties: list[_Tie] = []
        self._gone: list[_Tie] = []
        for other in others:
            self.add(other)

    def __repr__(self) -> str:
        return f"<ties of {len(self._held) + len(self._latest) + len(self._ties)} objects>"

    def add(self, other: Ties) -> None:
        """Take over what others tie, who go on doing it for themselves."""
        self._held += other._held
        self._held += other._latest.values()
        for tie in other._ties:
            if (instance := tie()) is None:
                self._gone.append(tie)
            else:
                self.refer(instance)

    def hold(self, values: Collection[Any]) -> None:
        """Keep numbers, short texts and tuples of such among some values alive; long texts are data, to be rid of."""
        kinds = list(map(id, map(type, values)))
        self._held += compress(values, map(_NUMBERS.__contains__, kinds))
        texts = list(compress(values, map(_TEXTS.__contains__, kinds)))
        if max(map(len, texts), default=0) > _LONG:
            texts = [text for text in texts if len(text) <= _LONG]
        self._held += texts
        tuples = list(compress(values, map(_TUPLE.__eq__, kinds)))
        if len(tuples) <= _MANY:
            self._held += filter(is_plain, tuples)

    def hold_latest(self, values: Mapping[str, Any]) -> None:
        """Keep values of names alive as `hold` does, instead of those that were given here for the same names before.

        >>> ties = Ties()
        >>> for number in range(100):
        ...     ties.hold_latest({"N": number / 3, "TABLE": []})
        >>> ties
        <ties of 1 objects>
        """
        for name, value in values.items():
            kind = id(type(value))
            if kind in _NUMBERS or (kind in _TEXTS and len(value) <= _LONG) or (kind == _TUPLE and is_plain(value)):
                self._latest[name] = value
            else:
                self._latest.pop(name, None)

    def refer(self, instance: Any) -> None:
        """Have it told when an instance is gone; where its class allows that."""
        if type(instance).__weakrefoffset__:
            self._ties.append(_Tie(instance, self._gone.append))

    def take_gone(self) -> set[int]:
        """Return the ids of the instances that are gone since this was asked last."""
        gone = set()
        while self._gone:  # others may go meanwhile
            gone.add(self._gone.pop().known)
        return gone
