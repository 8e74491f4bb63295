"""Instances of retired classes: found, and moved to the new class."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import FunctionType, WrapperDescriptorType
from typing import Any, NamedTuple

from exocet_ipython.reloading.holding.contents import dict_of
from exocet_ipython.reloading.holding.held import dotted_name
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.ladder.remembering import Memory
from exocet_ipython.survivors.comparison import Beside, Hashing
from exocet_ipython.survivors.finding.frames import find_in_use
from exocet_ipython.survivors.rebuilt import Replacement
from exocet_ipython.survivors.refusals import Refusals, Stuck
from exocet_ipython.survivors.replacing.adding import Additions, add_attributes
from exocet_ipython.survivors.replacing.answers import KeptAnswers, drop_answers, stale_answers
from exocet_ipython.survivors.replacing.finalisers import Finalisers
from exocet_ipython.survivors.replacing.layouts import (
    has_other_fields,
    is_laid_out_otherwise,
    require_same_fields,
    require_same_memory,
)
from exocet_ipython.survivors.replacing.libraries import bring_up_to_date, fields_alone, is_adapter
from exocet_ipython.survivors.replacing.references import replace_references
from exocet_ipython.survivors.replacing.rehashing import Rehashing, hash_of
from exocet_ipython.survivors.replacing.remembered import forget_answers, stale_memories
from exocet_ipython.survivors.replacing.states import InstanceState, put_back, set_class
from exocet_ipython.survivors.replacing.successors import make_successor, require_values
from exocet_ipython.survivors.storing.constructing.constructors import find_added

__all__ = ["Moving", "hash_differs"]


class _Pair(NamedTuple):
    """A retired class and its new one, and what these ask for: looked up once for all instances.

    Attributes:
        before: the retired class.
        now: the new one.
        rehash: whether they may hash an instance differently.
        stale: names of the answers that an instance keeps and that are to be dropped.
        memories: the attributes from which methods answer again what they would not by now.
        fields: what alone an instance may lack, as `fields_alone` gives it.
        added: the attributes that the new constructor says to have beside those of the old one.
        name: the dotted name of the new class.
        has_other_memory: whether the new class lays out memory otherwise, which no instance survives.
        has_other_fields: whether the new class has other items, so that each gets a successor.
    """

    before: type
    now: type
    rehash: bool
    stale: tuple[str, ...]
    memories: Mapping[str, Memory]
    fields: tuple[str, ...] | None
    added: Additions
    name: str
    has_other_memory: bool
    has_other_fields: bool

    @classmethod
    def of(cls, before: type, now: type, beside: Beside) -> _Pair:
        """Look up what two classes ask for."""
        stale, memories = stale_answers(before, now, beside), stale_memories(before, now, beside)
        others = is_laid_out_otherwise(before, now), has_other_fields(before, now)
        given = hash_differs(before, now), stale, memories, fields_alone(now)
        added = Additions.of(now, find_added(before, now))
        return cls(before, now, *given, added, dotted_name(now), *others)

    def changes(self, instance: Any) -> bool:
        """Say whether anything may be done with an instance beside giving it the new class."""
        if self.stale or self.memories or self.added or self.fields is None:
            return True
        return bool(self.fields) and not (dict_of(instance) or {}).keys() >= {*self.fields}


@dataclass(slots=True)
class Moving:
    """Moves instances one by one, each whole or not at all.

    Attributes:
        moved: dotted class name -> how many changed class.
        reborn: id of an instance -> it and its successor, where its layout or its type doesn't let it change class.
        rehashing: the instances whose hash is another now.
        adapters: what keeps a validator of a class that was replaced.
        rebuild: whether an instance that can't change class gets a successor, which takes its place in its holders.
        beside: what is another now, apart from a class that is compared with its new one.
        was_there: says of a value that it is older than what is new.
        finalisers: those that must not run, of instances with a successor.
        left: id of a retired class -> it and the new one, where an instance of it could not move: that goes on as it
            was, methods too.
    """

    journal: Journal
    rebuild: bool = True
    beside: Beside = field(default_factory=Beside)
    was_there: Callable[[Any], bool] | None = None
    moved: dict[str, int] = field(default_factory=dict)
    reborn: dict[int, tuple[Any, Any]] = field(default_factory=dict)
    rehashing: Rehashing = field(default_factory=Rehashing)
    adapters: list[Any] = field(default_factory=list)
    finalisers: Finalisers = field(default_factory=Finalisers)
    left: dict[int, tuple[type, type]] = field(default_factory=dict)
    _in_use: set[int] | None = None  # what code that runs has; looked up where it matters, which is rare
    _answers: KeptAnswers = field(default_factory=KeptAnswers)
    _refusals: Refusals = field(default_factory=Refusals)

    @property
    def stuck(self) -> tuple[Stuck, ...]:
        """What could not move."""
        return self._refusals.stuck

    def move(self, holders: Iterable[Any], classes: Iterable[tuple[type, type]], known: Replacement) -> None:
        """Move the instances among the holders of retired classes: an instance refers to its class.

        Args:
            holders: what refers to the retired classes.
            classes: retired class and new class.
            known: what is replaced, and doesn't move: id of an object -> it and its counterpart.
        """
        replaced = {id(before): (before, now) for before, now in classes}
        pairs: dict[int, _Pair] = {}  # few classes have instances, and looking up what one asks for takes long
        for holder in holders:
            kind = id(type(holder))
            if kind not in replaced or id(holder) in known:
                continue
            pair = pairs[kind] = pairs.get(kind) or _Pair.of(*replaced[kind], self.beside)
            try:
                self._move(holder, pair, known)
            except Exception as error:  # noqa: BLE001 - a person's hook may raise anything: it stays, and that is said
                self.note(pair.name, error)
                self.left[id(pair.before)] = pair.before, pair.now
            else:
                self.moved[pair.name] = self.moved.get(pair.name, 0) + 1

    def replace(
        self,
        replacement: Replacement,
        own: set[int],
        holders: list[Any],
        note: Callable[[Any], object] | None = None,
    ) -> None:
        """Replace references, as `replace_references` does, and note what refused."""
        settle = functools.partial(self.rehash, own)
        for name, error in replace_references(
            replacement, own, holders, self.journal, note, was_there=self.was_there, settle=settle
        ):
            self.note(name, error)

    def note(self, name: str, error: Exception) -> None:
        """Note that an object could not move."""
        self._refusals.note(name, error)

    def note_before(self, instance: Any) -> None:
        """Note what an instance is that hashes itself or keeps answers, before an attribute of it is replaced."""
        if is_adapter(type(instance)):
            self.adapters.append(instance)
        self.note_hash(instance)
        self._answers.note(instance)

    def note_hash(self, instance: Any) -> None:
        """Note how an instance is hashed, before an attribute of it is replaced."""
        self.rehashing.note(instance)

    def put_in_place(self, own: set[int]) -> None:
        """Take off stale answers, and put instances whose hash changed where dicts and sets look for them now."""
        self._answers.drop(self.journal)
        self.reborn |= self.rehash(own)

    def rehash(self, own: set[int]) -> dict[int, tuple[Any, Any]]:
        """Put instances whose hash changed where they are looked for; return what takes the place of frozen sets."""
        noted, self.rehashing = self.rehashing, Rehashing()
        noted.put_in_place(own, self.journal, self.note)
        return noted.frozen

    def _move(self, instance: Any, pair: _Pair, known: Replacement) -> None:
        before, now = pair.before, pair.now
        if pair.has_other_memory:
            require_same_memory(before, now)
        old_hash = self.rehashing.ask(instance) if pair.rehash else None
        state = InstanceState(instance) if pair.changes(instance) else None
        try:
            if pair.has_other_fields:
                require_same_fields(before, now)
            set_class(instance, now)
        except TypeError as error:
            if not self.rebuild:
                require_values(instance, before, now)
                message = f"{error}; --rebuild puts a new object in its place"
                raise TypeError(message).with_traceback(None) from None
            self._require_unused(instance, error)
            self.finalisers.prepare(before)
            successor = make_successor(instance, before, now, known)
            drop_answers(successor, pair.stale)
            forget_answers(successor, pair.memories, self.beside.gone)
            _bring_over(successor, pair, instance)
            self.reborn[id(instance)] = instance, successor
            return
        try:
            if state is not None:
                drop_answers(instance, pair.stale)
                forget_answers(instance, pair.memories, self.beside.gone)
                _bring_over(instance, pair, instance)
        except BaseException:
            put_back(instance, before, state)
            raise
        self.journal.add(functools.partial(put_back, instance, before, state))
        if pair.rehash and old_hash != (new_hash := hash_of(instance)) and new_hash is not None:
            self.rehashing.add(instance, before, state)

    def _require_unused(self, instance: Any, error: TypeError) -> None:
        """Refuse to put another one in the place of what code that runs would go on with by itself.

        Raises:
            TypeError: it is such a one.
        """
        if self._in_use is None:
            self._in_use = find_in_use()
        if id(instance) in self._in_use:
            message = f"{error}; a thread or coroutine runs with it, which could not go on with a new object"
            raise TypeError(message).with_traceback(None) from None


def _bring_over(instance: Any, pair: _Pair, old: Any) -> None:
    """Have the constructor, the author's hook and the libraries bring an instance up to date, made of the old one."""
    hook = getattr(pair.now, "__exo_migrate__", None)
    if hook is not None:
        add_attributes(instance, pair.added.said_itself(), old)
        hook(instance, pair.before)
        if type(instance) is pair.before:
            message = "its __exo_migrate__ has given it the old class again"
            raise TypeError(message)
    add_attributes(instance, pair.added, old)
    if pair.fields != ():  # of a class that nobody looks after
        bring_up_to_date(instance, pair.now)


def hash_differs(before: Any, now: Any) -> bool:
    """Say whether the two classes may hash an instance differently: unless both do it by the same code and values.

    A class is another value then, where it is hashed as well: `hash((type(self), self.name))`. Code of a library in C
    may do so, as that of msgspec does for frozen structs.
    """
    old, new = (getattr(cls, "__hash__", None) for cls in (before, now))
    if type(old) is FunctionType and type(new) is FunctionType:
        return not Hashing(before, now).is_same(old, new)
    if old is new:
        home: str = getattr(getattr(old, "__objclass__", None), "__module__", "builtins")
        return type(old) is WrapperDescriptorType and home.partition(".")[0] not in sys.stdlib_module_names
    return new is not None
