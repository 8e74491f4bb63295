"""Replacing references: whatever holds a retired object holds its counterpart instead.

The holders are given. What can't be changed in place, a tuple, a bound method or a weak reference, is made anew, and
its own holders are found: near the notebook's names, or in a pass over the heap (`gc.get_referrers` is a C loop of
about 20 ns an object).
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from types import CoroutineType
from typing import Any

from exocet_ipython.reloading.collector import referents_of
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.survivors.finding.near import find_holders
from exocet_ipython.survivors.rebuilt import Replacement
from exocet_ipython.survivors.replacing.holders import replace_in
from exocet_ipython.survivors.replacing.owners import find_owners, may_be_attributes, owners_among
from exocet_ipython.survivors.replacing.shown import ShownHolders

__all__ = ["replace_references"]

_PASSES = 8  # a tuple in a tuple, and so on; for deeper nests forwarders answer


def replace_references(  # noqa: PLR0913 - what is replaced, and where, whom to tell, and whom to ask
    replacement: Replacement,
    own: set[int],
    holders: list[Any],
    journal: Journal,
    note: Callable[[Any], object] | None = None,
    *,
    was_there: Callable[[Any], bool] | None = None,
    settle: Callable[[], dict[int, tuple[Any, Any]]] = dict,
) -> list[tuple[str, Exception]]:
    """Replace retired objects by their counterparts in everything that holds them.

    Args:
        replacement: id of a retired object -> the object and its counterpart.
        own: ids of holders to leave alone: the retired side itself, and our own records.
        holders: what refers to any of the retired objects, as `gc.get_referrers` found it. An instance of theirs that
            was made anew, a weak reference for one, takes its place there: it is to be moved.
        journal: how each write is taken back.
        note: told of each instance before attributes of it are replaced.
        was_there: says of a value that it is older than what is new, so that no body can have registered it anew in a
            list; None where nothing is.
        settle: asked before what was made anew takes its place, which dicts look for by the hashes of now: it puts
            what is hashed otherwise in order, and returns what was made anew for that, by id.

    Returns:
        The holders that refused, by the name of their type, each with its error; they are as they were.
    """
    # A pass over the heap finds the given list as well: it is to tell what still holds retired functions.
    replacing = _Replacing(replacement, own | {id(holders), id(journal.coroutines)}, journal, note or bool, was_there)
    settled: dict[int, dict[Any, Any]] = {}  # of these it is known whose they are, if anyone's
    given, ours = holders, [holders]

    def records() -> Iterable[Any]:
        return *ours, *journal.references()

    for _ in range(_PASSES):
        asked = replacing.left_alone() | settled.keys()
        owners, unknown = find_owners(holders, asked, records) if note is not None else ({}, {})
        rebuilt = replacing.change((holder for holder in holders if id(holder) not in unknown), owners)
        holders = []
        if unknown and (rebuilt or may_be_attributes(unknown.values())):
            # The pass that looks for the holders of what was made anew finds the owners of these dicts as well.
            holders = find_holders([*_olds(rebuilt), *unknown.values()], [*ours, unknown, rebuilt, *rebuilt.values()])
        owners = owners_among(holders, unknown)
        late = replacing.change(unknown.values(), owners)
        settled |= unknown
        rebuilt |= late
        if not rebuilt:
            break
        late |= settle()
        rebuilt |= late
        olds = _olds(rebuilt)
        _put_successors(given, rebuilt, replacement)
        if late or not unknown:
            holders = find_holders(olds, [*ours, holders, unknown, rebuilt, *rebuilt.values()])
        else:  # some hold now what was made anew and holds something else that was
            holders = _that_hold([*holders, *unknown.values(), *owners.values()], rebuilt)
        replacing.go_on(rebuilt, olds)
    return replacing.refused


class _Replacing:
    """One replacing of references: what is replaced, what is left alone, and the holders that refused."""

    def __init__(
        self,
        replacement: Replacement,
        own: set[int],
        journal: Journal,
        note: Callable[[Any], object],
        was_there: Callable[[Any], bool] | None,
    ) -> None:
        self._replacement = replacement
        self._own = own
        self._journal = journal
        self._note = note
        self._was_there = was_there
        self._placed: set[int] = set()  # ids of what earlier passes have put in the place of something
        self._alive: list[Any] = []  # what is known by its id
        self.refused: list[tuple[str, Exception]] = []
        self._note_coroutines()

    def left_alone(self) -> set[int]:
        """Return the ids of the holders that are not changed: what is replaced itself is none of them."""
        return self._own | self._replacement.keys()

    def change(self, holders: Iterable[Any], owners: dict[int, Any]) -> dict[int, tuple[Any, Any]]:
        """Replace what holders hold; return what must take their own place where they can't be changed, by id.

        Args:
            holders: those to change.
            owners: the instances to change in place of the dicts of their attributes, by the ids of these.
        """
        rebuilt: dict[int, tuple[Any, Any]] = {}
        left_alone, shown, writes = self.left_alone(), ShownHolders(self._replacement), Journal()
        for found in _hashed_first(shown.without(holders), owners):
            if id(found) in left_alone or shown.have_nothing(holder := owners.get(id(found), found)):
                continue
            try:
                replaced = replace_in(holder, self._replacement, writes, self._note, self._is_settled)
            except Exception as error:  # noqa: BLE001 - a person's container may raise anything
                writes.undo()
                self.refused.append((type(holder).__qualname__, error))
                continue
            if not writes.is_empty:
                self._journal.add(writes.undo)
                writes = Journal()
            if replaced is not None:
                rebuilt[id(holder)] = holder, replaced
        return rebuilt

    def go_on(self, rebuilt: dict[int, tuple[Any, Any]], olds: list[Any]) -> None:
        """Replace what was made anew from now on; what is made anew of a retired class is made of the new class.

        A named tuple in another one is such.

        Args:
            rebuilt: what takes the place of what, by the ids of these.
            olds: what is replaced, in a list of ours.
        """
        self._alive += [rebuilt, olds, self._replacement]
        self._placed.update(id(now) for _, now in self._replacement.values())
        self._own = self.left_alone() | {id(self._alive), id(rebuilt), id(olds), *map(id, rebuilt.values())}
        classes = {key: pair for key, pair in self._replacement.items() if issubclass(type(pair[1]), type)}
        self._replacement = {**classes, **rebuilt}
        self._note_coroutines()

    def _is_settled(self, item: Any) -> bool:
        """Say whether a list has an item for another reason than that a body has registered it anew."""
        return id(item) in self._placed or (self._was_there is not None and self._was_there(item))

    def _note_coroutines(self) -> None:
        found = (one for pair in self._replacement.values() for one in pair if type(one) is CoroutineType)
        self._journal.coroutines += found


def _hashed_first(holders: Iterable[Any], owners: Container[int]) -> Iterator[Any]:
    """Yield dicts and sets before all else: another hash would hide their keys, once what these hold was replaced.

    Args:
        holders: all of them.
        owners: ids of the dicts of attributes, which are what keys hold by.
    """
    others = []
    for holder in holders:
        if issubclass(type(holder), (dict, set)) and id(holder) not in owners:
            yield holder
        else:
            others.append(holder)
    yield from others


def _olds(rebuilt: dict[int, tuple[Any, Any]]) -> list[Any]:
    return [old for old, _ in rebuilt.values()]


def _put_successors(holders: list[Any], rebuilt: Mapping[int, tuple[Any, Any]], replacement: Replacement) -> None:
    """Put what was made anew in place of instances of retired classes; no variable of a loop is left to hold one."""
    for place, holder in enumerate(holders):
        if id(holder) in rebuilt and id(type(holder)) in replacement:
            holders[place] = rebuilt[id(holder)][1]


def _that_hold(holders: Iterable[Any], objects: Mapping[int, Any]) -> list[Any]:
    """Return the holders of objects, given by their ids; in C, since one may have a million parts."""
    return [holder for holder in holders if not objects.keys().isdisjoint(map(id, referents_of(holder)))]
