"""Migrating: survivors of a replaced generation run the new code.

References are replaced first, then instances change their class, then what still holds a retired function for good is
made to answer as the new one. Each object moves whole or stays as it was, and what stays is reported with the reason.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from types import FunctionType
from typing import Any

from exocet_ipython.loading.classes import mro_of
from exocet_ipython.loading.references import OwnReference
from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.reloading.collector import referents_of, referrers_of
from exocet_ipython.reloading.holding.held import CELLS, dotted_name
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.retired import functions_of
from exocet_ipython.survivors.carrying.registrations import TakenOut, without_registered
from exocet_ipython.survivors.classes import raw_dicts
from exocet_ipython.survivors.comparison import Beside, reread_of
from exocet_ipython.survivors.definitions import own_parts
from exocet_ipython.survivors.finding.frames import spaces_in_use
from exocet_ipython.survivors.finding.generations import RetiredGeneration
from exocet_ipython.survivors.finding.held import find_used
from exocet_ipython.survivors.finding.near import without_gone
from exocet_ipython.survivors.finding.patterns import is_pattern
from exocet_ipython.survivors.forwarders import forward, rebuild_closure, target_of
from exocet_ipython.survivors.matching.counterparts import Pairs
from exocet_ipython.survivors.matching.left import Left
from exocet_ipython.survivors.matching.pairs import pair_modules
from exocet_ipython.survivors.matching.succession import Succession
from exocet_ipython.survivors.moving.caches import forget_checks
from exocet_ipython.survivors.moving.closures import in_order_made, on_current_names, registers_by_now, remake_closure
from exocet_ipython.survivors.moving.detached import detach_retired, free_classes
from exocet_ipython.survivors.moving.late import move_instances
from exocet_ipython.survivors.moving.running import note_running
from exocet_ipython.survivors.moving.shared import renew_shared
from exocet_ipython.survivors.moving.side import RetiredSide
from exocet_ipython.survivors.moving.weakly import meant_weakly
from exocet_ipython.survivors.moving.zones import renew_zones
from exocet_ipython.survivors.rebasing.local import find_local_classes, renew_local_classes
from exocet_ipython.survivors.rebasing.refreshing import refresh_instances
from exocet_ipython.survivors.rebasing.subclasses import Rebased, rebase_subclasses, tell_again
from exocet_ipython.survivors.rebuilt import rebound_methods, renewed_supers
from exocet_ipython.survivors.refusals import Stuck
from exocet_ipython.survivors.replacing.hidden import find_hidden_holders
from exocet_ipython.survivors.replacing.instances import Moving
from exocet_ipython.survivors.replacing.libraries import adapters_of, renew_adapters
from exocet_ipython.survivors.weak import renewed_references

__all__ = ["Migration", "migrate"]


@dataclasses.dataclass(frozen=True, slots=True)
class Migration:
    """What migrating did.

    Attributes:
        moved: dotted name of a class -> how many instances changed to it. In the order of the names, as what is stuck.
        stuck: which could not.
        held: how many retired objects something outside of the retired side held.
        replaced: how many of these gave their place to what is current now.
        former: dotted name of a class or function -> the one it had before it was moved or renamed.
        left: the retired classes of which instances could not move, and what they could not move to.
    """

    moved: Mapping[str, int] = dataclasses.field(default_factory=dict)
    stuck: tuple[Stuck, ...] = ()
    held: int = 0
    replaced: int = 0
    former: Mapping[str, str] = dataclasses.field(default_factory=dict)
    left: tuple[Left, ...] = ()


def migrate(
    succession: Succession,
    journal: Journal,
    older: Sequence[RetiredGeneration] = (),
    *,
    staying: Container[int] = (),
    rebuild: bool = True,
) -> Migration:
    """Move what survives of retired modules to the modules that are current now.

    Args:
        succession: which modules retired, and which are current now.
        journal: how each write is taken back.
        older: what lives of earlier generations, which were only tracked until now.
        staying: ids of classes among that whose instances stay as they are.
        rebuild: whether an instance whose class can't be exchanged gets a successor, which takes its place.
    """
    pairs = pair_modules(succession, [generation.without(staying) for generation in older])
    stay = [value for generation in older for _, _, value in generation.living() if id(value) in staying]
    pairs.own |= {id(part) for value in stay for part in own_parts(value)}
    del stay
    beside = Beside(reread_of(succession.old.values()), pairs.classes, frozenset(map(id, pairs.orphans)))
    moving = Moving(journal, rebuild, beside, succession.was_there)
    side = RetiredSide(succession, older, pairs, journal)
    near = side.find_near()
    if near is None:
        pairs.leave(is_pattern)  # a library may have compiled the same text, and goes on with that
    if side.held or meant_weakly(before for before, _ in pairs.objects.values()):
        _move(side, near, pairs, moving, succession)
    detach_retired(free_classes(pairs, {*side.numbers}, moving), succession.new, journal)
    numbers = [id(one) for one in side.held if id(one) in pairs.objects]
    return Migration(
        dict(sorted(moving.moved.items())),
        moving.stuck,
        held=len(side.held),
        replaced=sum(number not in moving.left for number in numbers),
        former=pairs.former,
        left=tuple((OwnReference(before), OwnReference(now)) for before, now in moving.left.values()),
    )


def _move(side: RetiredSide, near: list[Any] | None, pairs: Pairs, moving: Moving, succession: Succession) -> None:
    """Have what is held of the retired side take the place of the new one in all that holds it, which may be `near`."""
    journal, held, stuck_with = moving.journal, side.held, {*side.numbers}
    holders = near if near is not None else _holders(held, side.objects)
    replaced = {id(before) for before, _ in pairs.classes}
    made = find_used(pairs.made, stuck_with, side.objects, [*side.records, held, holders], replaced)
    orphans = [cls for cls in pairs.orphans if id(cls) not in replaced]
    gone = find_used(orphans, stuck_with, side.objects, [*side.records, held, holders], replaced)
    # That of which there are no instances stays as it was: nothing that a restart would have is below the new bases.
    gone.intersection_update([id(base) for holder in holders for base in mro_of(type(holder))] if gone else ())
    closures = _closures_among(holders, (cls for cls in pairs.made if id(cls) in made), side, pairs)
    local = find_local_classes(closures, pairs)
    # What functions have made goes on, with what its attributes hold of the retired side.
    spaces = [space for cls in pairs.made if id(cls) in made for space in raw_dicts(cls)]
    holders += spaces
    moving.replace(pairs.objects, pairs.own.difference(map(id, spaces)), holders, moving.note_before)
    renew_shared(held, pairs, journal)
    renew_zones(held, pairs.objects, journal)
    rebased = rebase_subclasses(pairs, succession, moving, made, gone)
    move_instances(holders, pairs, moving)
    tell_again(rebased, succession.new, moving)
    _replace_remade(rebased, pairs, moving)
    refresh_instances(rebased.changed, pairs, moving, [holders, *(one for one in holders if type(one) is tuple)])
    moving.put_in_place(pairs.own)
    used = spaces_in_use(side.spaces, holders)
    note_running(used, succession, journal)
    if near is not None:  # these are all
        left = without_gone(near, journal.references())
        stuck_with.intersection_update([id(part) for holder in left for part in referents_of(holder)])
        del left
    bound = dict(renewed_supers(holders, pairs.objects)) | dict(rebound_methods(pairs.classes, pairs.objects))
    del holders
    successors = {**bound, **moving.reborn, **dict(_rebuilt_closures(closures, pairs, moving))}
    _replace_successors(successors, pairs, moving, succession)
    moving.finalisers.silence((old for old, _ in moving.reborn.values()), journal)
    renew_local_classes(local, pairs.inner, moving)
    bases = (base for cls, _ in moving.left.values() for base in cls.__mro__)
    kept = {id(function) for base in bases for function in functions_of(base)}
    for before, now, space in pairs.functions:
        is_used = id(before) in stuck_with or id(before.__globals__) in used
        # One that forwards already would go on holding what retires now, and that the one before it.
        if id(before) not in kept and (is_used or target_of(before) is not None):
            forward(before, now, journal, space)
    for closure, now in successors.values():
        if type(closure) is FunctionType:
            forward(closure, now, journal)
    named = adapters_of(globals_of(sys.modules.get(CELLS)), (now for _, now in pairs.classes))
    renew_adapters({id(one): one for one in (*moving.adapters, *named)}.values(), journal, moving.note)


def _closures_among(holders: list[Any], made: Iterable[type], side: RetiredSide, pairs: Pairs) -> list[FunctionType]:
    """Return the functions that retired ones have made.

    Methods of classes that functions have `made` are found by these: nothing else need refer to them, or to their code.
    """
    functions = [*filter(_is_function, holders), *(function for cls in made for function in functions_of(cls))]
    return [
        function
        for function in {id(one): one for one in functions}.values()
        if id(function.__code__) in pairs.inner
        and id(function.__globals__) in side.spaces
        and id(function) not in pairs.objects
        and id(function) not in pairs.own
    ]


def _holders(objects: list[Any], retired: Iterable[Any] = ()) -> list[Any]:
    """Return what refers to any of the objects, whether or not the collector shows it; not the list itself."""
    found = referrers_of(objects)
    return found + find_hidden_holders(objects, found, retired)


def _is_function(value: Any) -> bool:
    return type(value) is FunctionType


def _replace_remade(rebased: Rebased, pairs: Pairs, moving: Moving) -> None:
    """Put the classes that were made anew in the place of those of cells, and move the instances of these."""
    if not rebased.remade:
        return
    successors = {id(before): (before, now) for before, now in rebased.remade}
    olds = [before for before, _ in rebased.remade]
    holders = _holders(olds)
    own = pairs.own | {id(olds), id(holders), id(rebased.remade)}
    own |= {id(pair) for pair in (*rebased.remade, *successors.values())}
    own |= {id(part) for before in olds for part in (before.__mro__, before.__bases__, vars(before))}
    moving.replace(successors, own, holders)
    moving.move(holders, rebased.remade, successors)


def _rebuilt_closures(
    closures: Iterable[FunctionType], pairs: Pairs, moving: Moving
) -> Iterator[tuple[int, tuple[Any, Any]]]:
    """Yield, by id, the closures that retired functions made, each with what the new code makes of it."""
    made: Any
    rebuilt: dict[FunctionType, FunctionType | NameError] = {}
    for closure in closures:
        try:
            rebuilt[closure] = rebuild_closure(closure, pairs.inner_of(closure))
        except NameError as error:
            rebuilt[closure] = error
    inners = {id(one): pairs.inner_of(one) for one in rebuilt}
    done: dict[int, tuple[Any, Any]] = {
        id(one): (one, made) for one, made in rebuilt.items() if type(made) is FunctionType
    }
    each = {id(inner): inner for inner in inners.values()}
    registering = {key for key, inner in each.items() if registers_by_now(inner)}
    for closure in in_order_made(rebuilt):
        made, inner, again = rebuilt[closure], inners[id(closure)], None
        is_made = type(made) is FunctionType
        registers = id(inner) in registering
        if not is_made or registers:
            again = remake_closure(closure, inner, done, moving.journal, registers=registers)
        if again is None and is_made:
            yield id(closure), (closure, made)
            continue
        if again is None:
            if inner.new is not None:
                moving.note(dotted_name(closure), made)
            if (kept := on_current_names(closure, inner)) is not None:
                yield id(closure), (closure, kept)
            continue
        made = again.merged(closure, inner)
        done[id(closure)] = closure, made
        # What the functions have put into registries when they made it again.
        yield from ((id(one), (one, made)) for one in again if one is not made)
        yield id(closure), (closure, made)


def _replace_successors(
    successors: Mapping[int, tuple[Any, Any]], pairs: Pairs, moving: Moving, succession: Succession
) -> None:
    """Replace the references to what was made anew one by one, and the weak ones, but for registrations."""
    references, known = _renewed_references([*pairs.objects.values(), *successors.values()], succession)
    replaced = {**successors, **references}
    searched = [old for old, _ in replaced.values()]
    if not searched:
        return
    holders = [holder for holder in _holders(searched) if not _is_of_bases(holder, known)]
    own = pairs.own | {id(successors), id(replaced), *map(id, successors.values())}
    own |= {id(pair) for pair in replaced.values()}
    note = moving.note_hash if successors else None  # what holds one may be hashed with it
    moving.replace(replaced, own, holders, note)
    forget_checks(old for old, _ in replaced.values())
    if frozen := moving.rehash(own):
        _replace_successors(frozen, dataclasses.replace(pairs, objects={}), moving, succession)


def _renewed_references(
    replaced: Iterable[tuple[Any, Any]], succession: Succession
) -> tuple[dict[int, tuple[Any, Any]], set[tuple[int, int]]]:
    """Return what takes the place of weak references to what is replaced, and the ids of each beside its target's.

    Its variables go with it: one that held the last of them would count as a reference from nobody knows where.
    """
    found: dict[int, tuple[Any, Any]] = {}
    known: set[tuple[int, int]] = set()
    taken_out = TakenOut(*succession.records_of_both())
    for old, now in replaced:
        if renewed := {id(weak): (weak, new) for weak, new in renewed_references(old, now)}:  # hardly ever
            known |= {(id(old), weak) for weak in renewed}
            found |= without_registered(renewed, old, taken_out)
    return found, known


def _is_of_bases(holder: Any, known: set[tuple[int, int]]) -> bool:
    """Say whether a dict is the one by which a class knows those derived from it."""
    return type(holder) is dict and any(
        (key, id(value)) in known for key, value in copy_space(holder).items() if type(key) is int
    )
