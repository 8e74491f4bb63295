"""Instances of retired classes: found, and moved to the new class."""

from __future__ import annotations

import contextlib
import functools
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from types import FunctionType, TracebackType
from typing import Any, NamedTuple

from exocet_ipython.loading.tracebacks import OWN_FOLDER
from exocet_ipython.reloading.collector import referrers_of
from exocet_ipython.reloading.contents import dict_of
from exocet_ipython.reloading.generation import Journal
from exocet_ipython.reloading.held import dotted_name
from exocet_ipython.survivors.moving.answers import stale_answers
from exocet_ipython.survivors.moving.layouts import require_same_fields, require_same_memory
from exocet_ipython.survivors.moving.libraries import bring_up_to_date, is_adapter, is_looked_after
from exocet_ipython.survivors.moving.states import InstanceState
from exocet_ipython.survivors.moving.successors import make_successor

__all__ = ["Moving", "Stuck"]

# The class that an object has, whatever it or a property of its class says of it.
_set_class: Callable[[Any, type], None] = object.__dict__["__class__"].__set__


@dataclass(frozen=True, slots=True)
class Stuck:
    """Objects of one class that could not move: its dotted name, how many, and why."""

    name: str
    count: int
    reason: str

    def __str__(self) -> str:
        stay = "stays as it was" if self.count == 1 else "stay as they were"
        return f"{self.count} of {self.name} {stay}: {self.reason}"


class _Pair(NamedTuple):
    """A retired class and its new one, and what these ask for: looked up once for all instances.

    Attributes:
        before: the retired class.
        now: the new one.
        rehash: whether they may hash an instance differently.
        stale: names of the answers that an instance keeps and that are to be dropped.
        looked_after: whether an author's hook or a library changes the instances.
    """

    before: type
    now: type
    rehash: bool
    stale: tuple[str, ...]
    looked_after: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Was:
    """What an instance was when it was hashed: its class, and its attributes where one of them was replaced since."""

    instance: Any
    kind: type
    state: InstanceState | None = None

    @contextlib.contextmanager
    def again(self) -> Iterator[None]:
        """Let it be that for a moment."""
        kind, state = type(self.instance), InstanceState(self.instance) if self.state is not None else None
        _put_back(self.instance, self.kind, self.state)
        try:
            yield
        finally:
            _put_back(self.instance, kind, state)


@dataclass(slots=True)
class Moving:
    """Moves instances one by one, each whole or not at all.

    Attributes:
        moved: dotted class name -> how many changed class.
        reborn: id of an instance -> it and its successor, where its layout or its type doesn't let it change class.
        rehashed: id of an instance -> what it was, where its hash is another now.
        adapters: what keeps a validator of a class that was replaced.
        rebuild: whether an instance that can't change class gets a successor, which takes its place in its holders.
    """

    journal: Journal
    rebuild: bool = True
    moved: dict[str, int] = field(default_factory=dict)
    reborn: dict[int, tuple[Any, Any]] = field(default_factory=dict)
    rehashed: dict[int, _Was] = field(default_factory=dict)
    adapters: list[Any] = field(default_factory=list)
    _hashed: dict[int, tuple[_Was, int]] = field(default_factory=dict)
    _stuck: dict[tuple[str, str], int] = field(default_factory=dict)

    @property
    def stuck(self) -> tuple[Stuck, ...]:
        """What could not move."""
        return tuple(Stuck(name, count, reason) for (name, reason), count in sorted(self._stuck.items()))

    def move(self, holders: Iterable[Any], classes: Iterable[tuple[type, type]], known: Mapping[int, Any]) -> None:
        """Move the instances among the holders of retired classes: an instance refers to its class.

        Args:
            holders: what refers to the retired classes.
            classes: retired class and new class.
            known: ids of objects that are replaced, and don't move.
        """
        pairs = {
            id(before): _Pair(before, now, _hash_differs(before, now), stale_answers(before, now), is_looked_after(now))
            for before, now in classes
        }
        for holder in holders:
            pair = pairs.get(id(type(holder)))
            if pair is None or id(holder) in known:
                continue
            name = dotted_name(pair.now)
            try:
                self._move(holder, pair)
            except Exception as error:  # noqa: BLE001 - a person's hook may raise anything: it stays, and that is said
                self.note(name, error)
            else:
                self.moved[name] = self.moved.get(name, 0) + 1

    def note(self, name: str, error: Exception) -> None:
        """Note that an object could not move."""
        reason = name, f"{type(error).__name__}: {error}{_place(error.__traceback__)}"
        self._stuck[reason] = self._stuck.get(reason, 0) + 1

    def note_hashes(self, holders: Collection[Any]) -> None:
        """Note the instances among holders whose dict is one as well, if they hash themselves; see `note_hash`."""
        known = {id(kind): kind for kind in map(type, holders)}  # of what may be a million
        kinds = {key for key, kind in known.items() if _hashes_itself(kind)}
        spaces = {id(holder) for holder in holders if type(holder) is dict} if kinds else ()
        for holder in holders if kinds else ():
            if id(type(holder)) in kinds and id(dict_of(holder)) in spaces:
                self.note_hash(holder)

    def note_hash(self, instance: Any) -> None:
        """Note what an instance is that hashes itself, before an attribute of it is replaced; and an adapter."""
        if is_adapter(type(instance)):
            self.adapters.append(instance)
        if not _hashes_itself(type(instance)) or id(instance) in self._hashed:
            return
        if (known := _hash_of(instance)) is not None:
            self._hashed[id(instance)] = _Was(instance, type(instance), InstanceState(instance)), known

    def put_in_place(self, own: set[int]) -> None:
        """Put the instances whose hash changed where they are looked for now, in the dicts and sets they are in."""
        for was, known in self._hashed.values():
            now = _hash_of(was.instance)
            if now is not None and now != known:
                self.rehashed[id(was.instance)] = was
            else:
                self.rehashed.pop(id(was.instance), None)
        instances = [was.instance for was in self.rehashed.values()]
        if not instances:
            return
        mine = own | {id(self.rehashed), *map(id, self.rehashed.values()), *map(id, self._hashed.values())}
        for holder in referrers_of(instances):
            if type(holder) is frozenset:
                self.reborn[id(holder)] = holder, frozenset(list(holder))
            if id(holder) in mine or not issubclass(type(holder), (dict, set)):
                continue
            writes = Journal()
            try:
                self._rehash(holder, writes)
            except Exception as error:  # noqa: BLE001 - a hash or a container of the person's own
                writes.undo()
                self.note(type(holder).__qualname__, error)
            else:
                self.journal.add(writes.undo)

    def _move(self, instance: Any, pair: _Pair) -> None:
        before, now = pair.before, pair.now
        require_same_memory(before, now)
        old_hash = _hash_of(instance) if pair.rehash else None
        state = InstanceState(instance) if pair.stale or pair.looked_after else None
        try:
            require_same_fields(before, now)
            _set_class(instance, now)
        except TypeError as error:
            if not self.rebuild:
                message = f"{error}; --rebuild puts a new object in its place"
                raise TypeError(message).with_traceback(None) from None
            successor = make_successor(instance, before, now)
            _bring_over(successor, before, now)
            self.reborn[id(instance)] = instance, successor
            return
        try:
            for name in pair.stale:
                (dict_of(instance) or {}).pop(name, None)
            if pair.looked_after:
                _bring_over(instance, before, now)
        except BaseException:
            _put_back(instance, before, state)
            raise
        self.journal.add(functools.partial(_put_back, instance, before, state))
        if pair.rehash and old_hash != (new_hash := _hash_of(instance)) and new_hash is not None:
            self.rehashed[id(instance)] = _Was(instance, before)

    def _rehash(self, holder: Any, journal: Journal) -> None:
        """Put members back in order: what comes after one of them in a dict is moved behind it."""
        if isinstance(holder, set):
            old = set(holder)  # they keep the hashes that they have there, also where their old class has none
            old.difference_update([member for member in old if id(member) not in self.rehashed])
            new = set(iter(old))  # hashed anew
            set.difference_update(holder, old)
            set.update(holder, new)
            journal.add(functools.partial(set.update, holder, old))
            journal.add(functools.partial(set.difference_update, holder, new))
            return
        members = self._members(holder)
        places = [place for place, member in enumerate(members) if id(member) in self.rehashed]
        for member in members[places[0] :] if places else ():
            was = self.rehashed.get(id(member))
            if was is None:
                _put_again(holder, member)
            else:
                _put_again(holder, member, taken=was.again)
                journal.add(functools.partial(_put_again, holder, member, put=was.again))

    def _members(self, holder: Any) -> list[Any]:
        """Return the keys of a dict, in order: an `OrderedDict` looks each one up to find the next one."""
        members = list(dict.keys(holder))
        if not isinstance(holder, OrderedDict):
            return members
        with contextlib.ExitStack() as stack:
            for member in members:
                if id(member) in self.rehashed:
                    stack.enter_context(self.rehashed[id(member)].again())
            return list(OrderedDict.keys(holder))


def _put_back(instance: Any, before: type, state: InstanceState | None) -> None:
    """Give an instance its old class again, and what it had."""
    _set_class(instance, before)
    if state is not None:
        state.restore()


def _place(trace: TracebackType | None) -> str:
    """Say where a person's code raised: the innermost line that is in no file of ours; nothing where there is none."""
    found = ""
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not file.startswith(OWN_FOLDER):
            found = f" ({file}, line {trace.tb_lineno}, in {trace.tb_frame.f_code.co_name})"
        trace = trace.tb_next
    return found


def _put_again(
    holder: dict[Any, Any],
    member: Any,
    taken: Callable[[], AbstractContextManager[object]] = contextlib.nullcontext,
    put: Callable[[], AbstractContextManager[object]] = contextlib.nullcontext,
) -> None:
    """Take a key out of a dict and put it back behind all others, hashed as it is within these contexts."""
    with taken():
        value: Any = (OrderedDict if isinstance(holder, OrderedDict) else dict).pop(holder, member)
    with put():
        holder[member] = value


def _bring_over(instance: Any, before: type, now: type) -> None:
    """Have the author's hook and the libraries bring an instance up to date."""
    hook = getattr(now, "__exo_migrate__", None)
    if hook is not None:
        hook(instance, before)
    bring_up_to_date(instance, now)


def _hash_differs(before: Any, now: Any) -> bool:
    """Say whether the two classes may hash an instance differently: unless both do it by the same code."""
    old, new = (getattr(cls, "__hash__", None) for cls in (before, now))
    if type(old) is FunctionType and type(new) is FunctionType:
        return old.__code__ != new.__code__
    return old is not new and new is not None


def _hashes_itself(kind: Any) -> bool:
    return type(getattr(kind, "__hash__", None)) is FunctionType


def _hash_of(instance: Any) -> int | None:
    try:
        return hash(instance)
    except Exception:  # noqa: BLE001 - unhashable, by its type or by its author's error: it is in no dict then
        return None
