"""Classes that the person defined in cells on top of a module's: they get the new bases, and what these gained."""

from __future__ import annotations

import abc
import functools
from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType, prepare_class
from typing import Any
from weakref import WeakValueDictionary

from exocet_ipython.loading.classes import set_attribute
from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.reloading.holding.held import dotted_name
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.retired import retired_class
from exocet_ipython.survivors.classes import with_subclasses
from exocet_ipython.survivors.matching.counterparts import Pairs
from exocet_ipython.survivors.matching.succession import Succession
from exocet_ipython.survivors.rebasing.collected import collect_again
from exocet_ipython.survivors.rebasing.copies import (
    decorate_again,
    define_again,
    notebook_models,
    own_config,
    rebuild_model,
)
from exocet_ipython.survivors.rebasing.keeping import change_class
from exocet_ipython.survivors.rebasing.mapped import join_registry, relate_again
from exocet_ipython.survivors.rebasing.metaclasses import made_by_metaclasses, plan_metaclass
from exocet_ipython.survivors.rebasing.remade import remake_class, taken_out
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
from exocet_ipython.survivors.replacing.layouts import has_other_fields, is_laid_out_otherwise
from exocet_ipython.survivors.replacing.rehashing import hashes_itself

__all__ = ["Rebased", "rebase_subclasses", "tell_again"]

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


def rebase_subclasses(pairs: Pairs, succession: Succession, moving: Moving, made: Container[int] = ()) -> Rebased:
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
    """
    session = succession.new
    counterparts: dict[int, type] = {id(before): now for before, now in pairs.classes}
    rebased: list[type] = []
    remade: list[tuple[type, type]] = []
    told: dict[int, dict[int, tuple[type, type]]] = {}  # id of a class -> what knows it, with what takes its place
    retold: list[tuple[type, Retelling]] = []
    replay = Replay(moving.journal)
    planned: set[int] = set()  # ids of the classes that the hooks of their bases are told of
    for made_by, how in list(_metaclass_plans(_of_cells(made_by_metaclasses(counterparts), session, made), pairs)):
        note_told(made_by)
        _withdraw(made_by, how, session, replay, moving.journal)
        retold.append((made_by, how))
    waiting = [before for before, _ in pairs.classes]
    while waiting:
        for subclass in _subclasses_elsewhere(waiting.pop(), counterparts, session, made):
            note_told(subclass)
            bases = bases_meant(subclass, counterparts, succession)
            concerned = _of_cells([subclass], session, made)
            plans = [
                (cls, plan)
                for cls in concerned
                if (plan := plan_retelling(cls, counterparts, pairs.objects)) is not None
            ]
            planned |= {id(cls) for cls, _ in plans}
            plans += _metaclass_plans(concerned, pairs)
            told |= {id(cls): find_tellers(cls, counterparts) for cls in concerned}
            moving.rehashing.note_instances([cls for cls in concerned if _may_hash_otherwise(cls, counterparts)])
            writes = Journal()
            try:
                metaclass = _metaclass(subclass, bases, pairs)
                withdraw_class(subclass, (bases, metaclass), counterparts, session, writes)
                for cls, plan in plans:
                    _withdraw(cls, plan, session, replay, writes)
                now = _rebase(subclass, bases, metaclass, pairs, moving)
            except Exception as error:  # noqa: BLE001 - what a metaclass or a base raises when a class is made
                writes.undo()
                replay.restore(*(id(plan) for _, plan in plans))
                moving.note(dotted_name(subclass), error)
                continue
            moving.journal.add(writes.undo)
            if now is subclass:
                rebased.append(subclass)
                retold += plans
            else:
                _remade[id(subclass)] = subclass
                moving.journal.add(functools.partial(_remade.pop, id(subclass), None))
                counterparts[id(subclass)] = now
                remade.append((subclass, now))
                waiting.append(subclass)
    for cls in in_order_of_cells(_of_cells(rebased, session, made)):
        known = told.get(id(cls), {})
        withdraw_from_lost(cls, known, session, moving.journal)
        if id(cls) not in planned:
            _tell_first(cls, known, pairs, moving)
    changed = list(with_subclasses([*rebased, *(now for _, now in remade)]))
    _join_registries(changed, pairs, moving)
    _renew_copies(changed, pairs, moving)
    return Rebased(replay, tuple(changed), tuple(remade), tuple(retold))


def _tell_first(cls: type, known: Container[int], pairs: Pairs, moving: Moving) -> None:
    """Tell the hooks of bases of a class that were not told of it yet; `known` are the ids of those that were."""
    first = first_untold(cls, known)
    if first is not None:
        _move_parts(cls, (), pairs, moving)
        change_class(cls, functools.partial(tell, first=first), moving)


def _metaclass_plans(classes: Iterable[type], pairs: Pairs) -> Iterator[tuple[type, Retelling]]:
    """Yield classes of which their metaclasses are to be told again, each with how."""
    for cls in classes:
        plan = plan_metaclass(cls, _counterpart(type(cls), pairs), pairs.objects)
        if plan is not None:
            yield cls, plan


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


def _join_registries(changed: Iterable[type], pairs: Pairs, moving: Moving) -> None:
    """Have SQLAlchemy's registries know these classes, and what relates to retired classes find the new ones."""

    def note(cls: type, error: Exception) -> None:
        moving.note(dotted_name(cls), error)

    for cls in changed:
        try:
            join_registry(cls, moving.journal)
        except Exception as error:  # noqa: BLE001 - what a library raises that can't have it
            note(cls, error)
    try:
        relate_again((now for _, now in pairs.classes), moving.journal, note)
    except Exception as error:  # noqa: BLE001 - another version of the library
        moving.note("sqlalchemy.orm.relationship", error)


def _renew_copies(classes: Collection[type], pairs: Pairs, moving: Moving) -> None:
    """Have dataclasses, attrs classes, abstract classes and what collects look again at what their bases have."""
    for cls in classes:
        if "__dataclass_fields__" in vars(cls):
            change_class(cls, decorate_again, moving)
        if "__attrs_props__" in vars(cls):
            change_class(cls, define_again, moving)
        if isinstance(cls, abc.ABCMeta):
            change_class(cls, abc.update_abstractmethods, moving)
    retired = pairs.predecessors()
    for cls, change in collect_again(classes, retired, pairs.objects):
        change_class(cls, change, moving)
    _rebuild_models(retired, moving)


def _rebuild_models(retired: Mapping[int, type], moving: Moving) -> None:
    """Have pydantic's models look again at what their bases have."""
    models = notebook_models() if retired else []
    config = {id(model): own_config(model, retired) for model in models}
    for model in models:
        change_class(model, functools.partial(rebuild_model, config=config[id(model)]), moving)


def _subclasses_elsewhere(
    cls: type, counterparts: Container[int], session: Container[str], made: Container[int]
) -> Iterator[type]:
    """Yield the living subclasses of a retired class that no module of the session makes anew.

    So are those that one of them has as an attribute (`class Meta(Schema.Meta)`), whoever made them.
    """
    subclasses: list[type] = type.__subclasses__(cls)
    for subclass in subclasses:
        is_meant = id(subclass) not in counterparts and _remade.get(id(subclass)) is not subclass
        is_elsewhere = subclass.__module__ not in session and retired_class(subclass) is None
        if is_meant and (is_elsewhere or id(subclass) in made):
            yield subclass
            for part in copy_space(vars(subclass)).values():
                if issubclass(type(part), type) and id(part) not in counterparts and _has_base(part, counterparts):
                    yield part


def _of_cells(classes: Iterable[type], session: Container[str], made: Container[int]) -> list[type]:
    """Return classes and what derives from them, without what modules of the session make anew."""
    return [cls for cls in with_subclasses(classes) if cls.__module__ not in session or id(cls) in made]


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


def _rebase(subclass: type, bases: tuple[type, ...], now: Any, pairs: Pairs, moving: Moving) -> type:
    """Give a class the new bases, and the new metaclass where that retired; return it, or its successor."""
    before, metaclass = subclass.__bases__, type(subclass)

    def remake() -> type:
        keywords, made = find_statement(subclass, bases, now, pairs.objects)
        taken = taken_out(subclass)
        _move_parts(subclass, taken.values(), pairs, moving)
        return remake_class(subclass, bases, {**keywords, "metaclass": now}, (taken, made), moving.journal)

    is_otherwise = any(map(is_laid_out_otherwise, before, bases)) or any(map(has_other_fields, before, bases))
    if is_otherwise or now is not _counterpart(metaclass, pairs):
        return remake()  # its statement would do more than it did
    writes = Journal()
    try:
        if now is not metaclass:
            set_attribute(subclass, "__class__", now)
            writes.add(functools.partial(set_attribute, subclass, "__class__", metaclass))
        set_attribute(subclass, "__bases__", bases)
        writes.add(functools.partial(set_attribute, subclass, "__bases__", before))
    except TypeError:
        writes.undo()
        return remake()
    moving.journal.add(writes.undo)
    return subclass


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
