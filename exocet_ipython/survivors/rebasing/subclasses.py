"""Classes that the person defined in cells on top of a module's: they get the new bases, and what these gained."""

from __future__ import annotations

import functools
from collections.abc import Container, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from types import ModuleType, prepare_class
from typing import Any
from weakref import WeakValueDictionary

from exocet_ipython.loading.classes import module_said_by, set_attribute
from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.reloading.holding.held import dotted_name
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.retired import retired_class
from exocet_ipython.survivors.classes import with_subclasses
from exocet_ipython.survivors.matching.counterparts import Pairs
from exocet_ipython.survivors.matching.succession import Succession
from exocet_ipython.survivors.rebasing.keeping import change_class
from exocet_ipython.survivors.rebasing.metaclasses import made_by_metaclasses, plan_metaclass
from exocet_ipython.survivors.rebasing.remade import remake_class, taken_out
from exocet_ipython.survivors.rebasing.renewing import join_registries, renew_copies
from exocet_ipython.survivors.rebasing.replaying import Replay
from exocet_ipython.survivors.rebasing.retelling import Retelling, find_statement, plan_retelling
from exocet_ipython.survivors.rebasing.statements import bases_meant, in_order_of_cells
from exocet_ipython.survivors.rebasing.told import (
    find_tellers,
    first_untold,
    note_told,
    tell,
    withdraw_class,
    withdraw_from,
    withdraw_from_lost,
)
from exocet_ipython.survivors.replacing.instances import Moving, hash_differs
from exocet_ipython.survivors.replacing.layouts import has_other_fields, is_laid_out_otherwise, loses_new
from exocet_ipython.survivors.replacing.rehashing import hashes_itself

__all__ = ["Rebased", "rebase_subclasses", "tell_again"]

Ids = AbstractSet[int]
_remade: WeakValueDictionary[int, type] = WeakValueDictionary()  # what another class has taken the place of


@dataclass(frozen=True, slots=True)
class Rebased:
    """What became of the subclasses of retired classes.

    Attributes:
        replay: what the hooks of another text had registered, which is taken out until they are told again.
        changed: those whose bases are others now, the new ones included, and what derives from them.
        remade: each one that had to be made anew, with its successor.
        retold: those of which the hooks of their bases are to be told again, when their attributes have moved.
    """

    replay: Replay
    changed: tuple[type, ...] = ()
    remade: tuple[tuple[type, type], ...] = ()
    retold: tuple[tuple[type, Retelling], ...] = ()


def rebase_subclasses(pairs: Pairs, succession: Succession, moving: Moving, made: Ids, gone: Ids) -> Rebased:
    """Give the subclasses of retired classes that are not the session's own, those of cells, the new bases.

    So have those that a function of the session's has made, when something still has them.

    Where Python doesn't let a class change its bases, because its instances would be laid out in another way, it is
    made anew with the same attributes. A dataclass and a pydantic model have copies of what their bases had: these
    are made again.

    Args:
        pairs: what retired.
        succession: which modules are current now: their classes are made anew with them.
        moving: what is moved.
        made: ids of the classes that functions have made and that something outside the retired side uses.
        gone: ids of those that it uses though no counterpart is there; no hook is told of them.
    """
    rebasing = _Rebasing(pairs, succession, moving, made, gone)
    rebasing.tell_metaclasses()
    waiting = [before for before, _ in pairs.classes]
    while waiting:
        waiting += [cls for cls in rebasing.below(waiting.pop()) if rebasing.rebase(cls)]
    rebasing.tell_others()
    changed = list(with_subclasses([*rebasing.rebased, *(now for _, now in rebasing.remade)]))
    join_registries(changed, pairs, moving)
    renew_copies(changed, pairs, moving)
    return Rebased(rebasing.replay, tuple(changed), tuple(rebasing.remade), tuple(rebasing.retold))


class _Rebasing:
    """Gives classes the new bases, one after the other.

    Attributes:
        rebased: those whose bases are others now.
        remade: each one that had to be made anew, with its successor.
        retold: those of which hooks are to be told again, and how.
        replay: what hooks had registered, which is taken out until then.
    """

    def __init__(self, pairs: Pairs, succession: Succession, moving: Moving, made: Ids, gone: Ids) -> None:
        self.rebased: list[type] = []
        self.remade: list[tuple[type, type]] = []
        self.retold: list[tuple[type, Retelling]] = []
        self.replay = Replay(moving.journal)
        self._pairs, self._succession, self._moving, self._made = pairs, succession, moving, made
        self._session, self._gone = succession.new, gone
        self._counterparts: dict[int, type] = {id(before): now for before, now in pairs.classes}
        self._told: dict[int, dict[int, tuple[type, type]]] = {}  # of a class: what knows it, and what that becomes
        self._planned: set[int] = set()  # ids of the classes that the hooks of their bases are told of

    def below(self, cls: type) -> Iterator[type]:
        """Yield the living subclasses of a retired class that no module of the session makes anew."""
        return _subclasses_elsewhere(cls, self._counterparts, self._session, self._made | self._gone)

    def tell_metaclasses(self) -> None:
        """Plan to tell metaclasses of classes none of whose bases has retired."""
        for cls in _of_cells(made_by_metaclasses(self._counterparts), self._session, self._made):
            if (how := self._plan_metaclass(cls)) is not None:
                note_told(cls)
                _withdraw(cls, how, self._session, self.replay, self._moving.journal)
                self.retold.append((cls, how))

    def rebase(self, cls: type) -> bool:
        """Give a class its new bases; say whether another one had to be made, of which those below it derive then."""
        note_told(cls)
        pairs, writes = self._pairs, Journal()
        bases = bases_meant(cls, self._counterparts, self._succession)
        concerned = _of_cells([cls], self._session, self._made)
        self._told |= {id(one): find_tellers(one, self._counterparts) for one in concerned}
        others = [one for one in concerned if _may_hash_otherwise(one, self._counterparts)]
        self._moving.rehashing.note_instances(others)
        plans: list[tuple[type, Retelling]] = []
        try:
            metaclass = _metaclass(cls, bases, pairs)
            # What derives from one that is made anew is looked at when its own turn comes.
            is_anew = _is_made_otherwise(cls, bases, metaclass, pairs)
            plans += self._plans([cls] if is_anew else concerned, metaclass)
            keywords, made = find_statement(cls, bases, metaclass, pairs.objects)
            made = made.union(*(plan.dropped for one, plan in plans if one is cls))
            withdraw_class(cls, (bases, metaclass), self._counterparts, self._session, writes)
            for one, plan in plans:
                _withdraw(one, plan, self._session, self.replay, writes)
            now = None if is_anew else _set_bases(cls, bases, metaclass, self._moving)
            if now is None:
                now = _remake(cls, bases, ({**keywords, "metaclass": metaclass}, made), pairs, self._moving)
        except Exception as error:  # noqa: BLE001 - what a metaclass or a base raises when a class is made
            writes.undo()
            self.replay.restore(*(id(plan) for _, plan in plans))
            self._moving.note(dotted_name(cls), error)
            return False
        self._moving.journal.add(writes.undo)
        if now is cls:
            self.rebased.append(cls)
            self.retold += plans
            return False
        _remade[id(cls)] = cls
        self._moving.journal.add(functools.partial(_remade.pop, id(cls), None))
        self._counterparts[id(cls)] = now
        self.remade.append((cls, now))
        return True

    def tell_others(self) -> None:
        """Tell the hooks that know nothing of a class yet, and have those forget it that would not be told of it."""
        for cls in in_order_of_cells(_of_cells(self.rebased, self._session, self._made)):
            known = self._told.get(id(cls), {})
            withdraw_from_lost(cls, known, self._session, self._moving.journal)
            if id(cls) not in self._planned:
                _tell_first(cls, known, self._pairs, self._moving)

    def _plans(self, classes: list[type], metaclass: type) -> Iterator[tuple[type, Retelling]]:
        """Yield classes of which hooks and metaclasses are to be told again, each with how; the first gets another."""
        for cls in classes:
            if (plan := plan_retelling(cls, self._counterparts, self._pairs.objects)) is not None:
                self._planned.add(id(cls))
                yield cls, plan
        for cls in classes:
            if (plan := self._plan_metaclass(cls, metaclass if cls is classes[0] else None)) is not None:
                yield cls, plan

    def _plan_metaclass(self, cls: type, now: type | None = None) -> Retelling | None:
        return plan_metaclass(cls, now or _counterpart(type(cls), self._pairs), self._pairs.objects)


def _tell_first(cls: type, known: Container[int], pairs: Pairs, moving: Moving) -> None:
    """Tell the hooks of bases of a class that were not told of it yet; `known` are the ids of those that were."""
    if (first := first_untold(cls, known)) is not None:
        _move_parts(cls, (), pairs, moving)
        change_class(cls, functools.partial(tell, first=first), moving)


def tell_again(rebased: Rebased, session: Mapping[str, ModuleType], moving: Moving) -> None:
    """Tell the hooks of the new bases of the classes of which they are to be told again."""
    places = {id(cls): place for place, cls in enumerate(in_order_of_cells(cls for cls, _ in rebased.retold))}
    retold = sorted(rebased.retold, key=lambda told: (rebased.replay.place_of(id(told[1])), places[id(told[0])]))
    for _, (cls, plan) in zip(rebased.replay.turns(id(plan) for _, plan in retold), retold, strict=True):
        if not change_class(cls, plan.tell, moving):
            rebased.replay.restore(id(plan))
        elif plan.is_taken_out:
            _withdraw(cls, plan, session, Replay(moving.journal), moving.journal)


def _withdraw(cls: type, plan: Retelling, session: Mapping[str, ModuleType], replay: Replay, journal: Journal) -> None:
    plan.withdraw(replay)
    for before, now in () if plan.put else plan.tellers:
        withdraw_from(cls, before, now, session, journal)


def _subclasses_elsewhere(
    cls: type, counterparts: Container[int], session: Container[str], made: Container[int]
) -> Iterator[type]:
    """Yield the living subclasses of a retired class that no module of the session makes anew.

    So are those that one of them has as an attribute (`class Meta(Schema.Meta)`), whoever made them.
    """
    subclasses: list[type] = type.__subclasses__(cls)
    for subclass in subclasses:
        is_meant = id(subclass) not in counterparts and _remade.get(id(subclass)) is not subclass
        is_elsewhere = module_said_by(subclass) not in session and retired_class(subclass) is None
        if is_meant and (is_elsewhere or id(subclass) in made):
            yield subclass
            for part in copy_space(vars(subclass)).values():
                if issubclass(type(part), type) and id(part) not in counterparts and _has_base(part, counterparts):
                    yield part


def _of_cells(classes: Iterable[type], session: Container[str], made: Container[int]) -> list[type]:
    """Return classes and what derives from them, without what modules of the session make anew."""
    return [cls for cls in with_subclasses(classes) if module_said_by(cls) not in session or id(cls) in made]


def _may_hash_otherwise(cls: type, counterparts: Mapping[int, type]) -> bool:
    """Say whether a class that gets new bases may hash its instances by other code or values then."""
    if not hashes_itself(cls):
        return False
    own = vars(cls)
    if "__hash__" in own:  # it is made again of what the bases have, or stays
        return "__dataclass_fields__" in own or "__attrs_props__" in own
    return any(id(base) in counterparts and hash_differs(base, counterparts[id(base)]) for base in cls.__mro__)


def _has_base(cls: type, counterparts: Container[int]) -> bool:
    return any(id(base) in counterparts for base in cls.__bases__)


def _is_made_otherwise(subclass: type, bases: tuple[type, ...], metaclass: type, pairs: Pairs) -> bool:
    """Say whether the statement of a class would do more than it did, or lay its instances out in another way."""
    before = subclass.__bases__
    is_otherwise = any(map(is_laid_out_otherwise, before, bases)) or any(map(has_other_fields, before, bases))
    return is_otherwise or loses_new(subclass, bases) or metaclass is not _counterpart(type(subclass), pairs)


def _set_bases(cls: type, bases: tuple[type, ...], now: Any, moving: Moving) -> type | None:
    """Give a class other bases, and a metaclass; return it, or None where Python doesn't let that be done."""
    before, metaclass = cls.__bases__, type(cls)
    writes = Journal()
    try:
        if now is not metaclass:
            set_attribute(cls, "__class__", now)
            writes.add(functools.partial(set_attribute, cls, "__class__", metaclass))
        set_attribute(cls, "__bases__", bases)
        writes.add(functools.partial(set_attribute, cls, "__bases__", before))
    except TypeError:
        writes.undo()
        return None
    moving.journal.add(writes.undo)
    return cls


def _remake(
    cls: type,
    bases: tuple[type, ...],
    statement: tuple[dict[str, Any], frozenset[str]],
    pairs: Pairs,
    moving: Moving,
) -> type:
    """Make a class anew as its statement would; that gives keywords, and hooks have set some attributes for it."""
    keywords, made = statement
    taken = taken_out(cls)
    _move_parts(cls, taken.values(), pairs, moving)
    return remake_class(cls, bases, keywords, (taken, made), moving.journal)


def _move_parts(cls: type, taken: Iterable[Any], pairs: Pairs, moving: Moving) -> None:
    """Move what a class has: a metaclass or a hook that is told of it asks of each part whether it is a field, say."""
    moving.move([*copy_space(vars(cls)).values(), *taken], pairs.classes, pairs.objects)


def _metaclass(subclass: type, bases: tuple[type, ...], pairs: Pairs) -> Any:
    """Return the metaclass that a class gets: its bases' if it had theirs, else its own, or what took its place."""
    metaclass = type(subclass)
    if any(type(base) is metaclass for base in subclass.__bases__):
        return prepare_class(subclass.__name__, bases)[0]
    return _counterpart(metaclass, pairs)


def _counterpart(metaclass: type, pairs: Pairs) -> Any:
    found = pairs.objects.get(id(metaclass))
    return found[1] if found is not None and issubclass(type(found[1]), type) else metaclass
