"""Instances whose hash is another one now, put where they are looked for in the dicts and sets that they are in."""

from __future__ import annotations

import contextlib
import functools
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager
from types import FunctionType
from typing import Any, Protocol

from exocet_ipython.loading.classes import delete_attribute, set_attribute
from exocet_ipython.reloading.collector import referrers_of
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.survivors.replacing.keys import put_again, put_unfound_again
from exocet_ipython.survivors.replacing.states import InstanceState, attributes_of_instance, put_back

__all__ = ["Rehashing", "hash_of", "hashes_itself"]

_DEEP = 4  # a tuple in a tuple, and so on
_inherited = object()


class _Was(Protocol):
    """What an object was when it was hashed."""

    def again(self) -> AbstractContextManager[object]:
        """Let it be that for a moment."""


class _Instance:
    """An instance: its class, and its attributes where one of them was replaced since."""

    def __init__(self, instance: Any, kind: type, state: InstanceState | None = None) -> None:
        self.instance = instance
        self._kind = kind
        self._state = state

    @contextlib.contextmanager
    def again(self) -> Iterator[None]:
        kind, state = type(self.instance), InstanceState(self.instance) if self._state is not None else None
        put_back(self.instance, self._kind, self._state)
        try:
            yield
        finally:
            put_back(self.instance, kind, state)


class _Hashed:
    """An instance of a class that stays, and what its hash was before the class got other bases.

    Args:
        instance: that.
        known: what its hash was.
        hashes: id -> the same, of each instance of the class; all of them have it as long as one is what it was.
    """

    def __init__(self, instance: Any, known: int, hashes: dict[int, int]) -> None:
        self.instance = instance
        hashes[id(instance)] = known
        self._hashes = hashes

    @contextlib.contextmanager
    def again(self) -> Iterator[None]:
        kind, hashes = type(self.instance), self._hashes
        hash_by: Any = kind.__hash__
        if getattr(hash_by, "hashes", None) is hashes:
            yield
            return

        def as_before(one: Any) -> int:
            known = hashes.get(id(one))
            return hash_by(one) if known is None else known

        as_before.__dict__["hashes"] = hashes
        own = vars(kind).get("__hash__", _inherited)
        set_attribute(kind, "__hash__", as_before)
        try:
            yield
        finally:
            if own is _inherited:
                delete_attribute(kind, "__hash__")
            else:
                set_attribute(kind, "__hash__", own)


class _Whole:
    """What is hashed by its parts: a tuple, or an instance that hashes its attributes."""

    def __init__(self, parts: Collection[_Was]) -> None:
        self._parts = parts

    @contextlib.contextmanager
    def again(self) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            for part in self._parts:
                stack.enter_context(part.again())
            yield


class Rehashing:
    """Finds out whose hash has changed, and mends the dicts and sets.

    Attributes:
        frozen: id of a frozen set that has such an instance -> it, and one that finds it.
        has_asked: whether code of the person's was asked for a hash.
    """

    def __init__(self) -> None:
        self.frozen: dict[int, tuple[Any, Any]] = {}
        self.has_asked = False
        self._changed: dict[int, tuple[Any, _Was]] = {}
        self._known: dict[int, tuple[_Instance | _Hashed, int]] = {}

    def ask(self, instance: Any) -> int | None:
        """Return the hash of an instance of a class that hashes itself, if it has one."""
        self.has_asked = True
        return hash_of(instance)

    def note(self, instance: Any) -> None:
        """Note what an instance is and how it is hashed, if it does that itself, before an attribute is replaced."""
        if hashes_itself(type(instance)) and id(instance) not in self._known:
            known = self.ask(instance)
            if known is not None:
                self._known[id(instance)] = _Instance(instance, type(instance), InstanceState(instance)), known

    def note_instances(self, classes: Collection[type]) -> None:
        """Note how the instances of classes are hashed that are about to get other bases."""
        hashes: dict[int, dict[int, int]] = {id(cls): {} for cls in classes}
        for instance in referrers_of([*classes]) if classes else ():
            kind = id(type(instance))
            if kind in hashes and id(instance) not in self._known and (known := self.ask(instance)) is not None:
                self._known[id(instance)] = _Hashed(instance, known, hashes[kind]), known

    def add(self, instance: Any, before: type, state: InstanceState | None) -> None:
        """Add an instance whose hash was another one when it was of another class, and had what is noted of it."""
        self._changed[id(instance)] = instance, _Instance(instance, before, state)

    def put_in_place(self, own: set[int], journal: Journal, refuse: Callable[[str, Exception], object]) -> None:
        """Put the instances whose hash changed where they are looked for now, and what is hashed with them.

        Args:
            own: ids of holders to leave alone.
            journal: how each write is taken back.
            refuse: told of the containers that refused, by the name of their type.
        """
        for was, known in self._known.values():
            now = hash_of(was.instance)
            if now is not None and now != known:
                self._changed[id(was.instance)] = was.instance, was
            else:
                self._changed.pop(id(was.instance), None)
        if not self._changed:
            return
        holders = self._find_holders(own)
        for holder in holders:
            if type(holder) is frozenset:
                self.frozen[id(holder)] = holder, frozenset(list(holder))
            if not issubclass(type(holder), (dict, set)):
                continue
            try:
                self._rehash(holder, journal)
            except Exception as error:  # noqa: BLE001 - a hash or a container of the person's own
                refuse(type(holder).__qualname__, error)

    def _find_holders(self, own: set[int]) -> list[Any]:
        """Return what holds the instances, or a tuple or an instance that is hashed with them, which are added."""
        found: list[Any] = []
        waiting = [instance for instance, _ in self._changed.values()]
        for _ in range(_DEEP):
            mine = own | {id(self._changed), id(waiting), id(found)}
            mine |= {id(part) for pair in self._changed.values() for part in (pair, pair[1])}
            mine |= {id(part) for pair in self._known.values() for part in (pair, pair[0])}
            holders = [holder for holder in referrers_of(waiting) if id(holder) not in mine]
            found += holders
            spaces = [holder for holder in holders if type(holder) is dict]
            owners = [owner for owner in referrers_of(spaces) if hashes_itself(type(owner))] if spaces else []
            waiting = [whole for whole in (*holders, *owners) if self._add_whole(whole)]
            if not waiting:
                break
        return found

    def _add_whole(self, holder: Any) -> bool:
        """Add what is hashed with parts of it whose hash has changed; say whether it is."""
        kind = type(holder)
        if id(holder) in self._changed:
            return False
        if getattr(kind, "__hash__", None) is tuple.__hash__:
            parts = list(tuple.__iter__(holder))
        elif hashes_itself(kind):
            parts = [value for _, value in attributes_of_instance(holder)]
        else:
            return False
        changed = [self._changed[id(part)][1] for part in parts if id(part) in self._changed]
        if changed:
            self._changed[id(holder)] = holder, _Whole(changed)
        return bool(changed)

    def _rehash(self, holder: Any, journal: Journal) -> None:
        """Put members where they are looked for now; where that raises, all are where they were."""
        if isinstance(holder, set):
            old = set(holder)  # they keep the hashes that they have there, also where their old class has none
            old.difference_update([member for member in old if id(member) not in self._changed])
            new = set(iter(old))  # hashed anew
            set.difference_update(holder, old)
            set.update(holder, new)
            journal.add(functools.partial(set.update, holder, old))
            journal.add(functools.partial(set.difference_update, holder, new))
            return
        writes = Journal()
        try:
            self._rehash_dict(holder, writes)
        except Exception:  # noqa: BLE001 - a hash of the person's own
            writes.undo()
            put_unfound_again(holder, self._changed)
        else:
            journal.add(writes.undo)

    def _rehash_dict(self, holder: Any, journal: Journal) -> None:
        """Put keys back in order: what comes after one of them is moved behind it."""
        members = self._members(holder)
        places = [place for place, member in enumerate(members) if id(member) in self._changed]
        tail = members[places[0] :] if places else []
        if any(map(self._has_changed_parts, tail)):  # each of these is what it was only while all others are
            put_again(holder, tail, taken=self._again)
            journal.add(functools.partial(put_again, holder, tail, put=self._again))
            return
        for member in tail:
            if id(member) not in self._changed:
                put_again(holder, [member])
            else:
                was = self._changed[id(member)][1]
                put_again(holder, [member], taken=was.again)
                journal.add(functools.partial(put_again, holder, [member], put=was.again))

    def _has_changed_parts(self, member: Any) -> bool:
        """Say whether an instance whose hash has changed holds another one, which may be hashed with it."""
        if id(member) not in self._changed or not hashes_itself(type(member)):
            return False
        return any(id(value) in self._changed for _, value in attributes_of_instance(member))

    def _members(self, holder: Any) -> list[Any]:
        """Return the keys of a dict, in order: an `OrderedDict` looks each one up to find the next one."""
        members = list(dict.keys(holder))
        if not isinstance(holder, OrderedDict):
            return members
        with self._again():
            return list(OrderedDict.keys(holder))

    @contextlib.contextmanager
    def _again(self) -> Iterator[None]:
        """Let all instances be what they were for a moment."""
        with contextlib.ExitStack() as stack:
            for _, was in self._changed.values():
                stack.enter_context(was.again())
            yield


def hashes_itself(kind: Any) -> bool:
    """Say whether instances of a class are hashed by code of a person's."""
    return type(getattr(kind, "__hash__", None)) is FunctionType


def hash_of(instance: Any) -> int | None:
    """Return the hash of an instance; None where it has none, by its type or by its author's error."""
    try:
        return hash(instance)
    except Exception:  # noqa: BLE001 - it is in no dict then
        return None
