"""Migrating: survivors of a replaced generation run the new code.

References are replaced first, then instances change their class, then what still holds a retired function for good is
made to answer as the new one. Each object moves whole or stays as it was, and what stays is reported with the reason.
"""

from __future__ import annotations

import dataclasses
import functools
import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import FunctionType, ModuleType
from typing import Any

from exocet_ipython.reloading.generation import Journal
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.survivors.forwarders import forward, rebuild_closure
from exocet_ipython.survivors.held import Ownership
from exocet_ipython.survivors.holders import replace_references
from exocet_ipython.survivors.libraries import bring_up_to_date
from exocet_ipython.survivors.pairs import Pairs, pair_modules
from exocet_ipython.survivors.records import RetiredGeneration

__all__ = ["Migration", "Stuck", "migrate"]


@dataclasses.dataclass(frozen=True, slots=True)
class Stuck:
    """Instances of one class that could not move: its dotted name, how many, and why."""

    name: str
    count: int
    reason: str

    def __str__(self) -> str:
        return f"{self.count} of {self.name} stay on the old class: {self.reason}"


@dataclasses.dataclass(frozen=True, slots=True)
class Migration:
    """What migrating did: how many instances changed class, by dotted name, and which could not."""

    moved: Mapping[str, int] = dataclasses.field(default_factory=dict)
    stuck: tuple[Stuck, ...] = ()


def migrate(
    old: Mapping[str, ModuleRecord],
    new: Mapping[str, ModuleType],
    journal: Journal,
    older: Sequence[RetiredGeneration] = (),
) -> Migration:
    """Move what survives of retired modules to the modules that are current now.

    Args:
        old: dotted name -> record of a module that retired.
        new: dotted name -> the module that is current now, of all modules.
        journal: how each write is taken back.
        older: what lives of earlier generations, which were only tracked until now.
    """
    pairs = pair_modules(old, new, older)
    retired = pairs.retired()
    modules = [record.module for record in old.values()]
    modules += [value for generation in older for kind, _, value in generation.living() if kind == "module"]
    spaces = [vars(module) for module in modules if hasattr(module, "__dict__")]
    del modules
    records = [spaces, *spaces, *old.values(), *pairs.containers()]
    ownership = Ownership(retired, [records, *records, *journal.references()])
    held = [item for item in retired if ownership.is_held(item)]
    if not held:
        return Migration()
    holders = gc.get_referrers(*held)
    pairs.own |= {id(records), id(retired), id(held), *map(id, records)}
    own_spaces = {id(space) for space in spaces}
    closures = [
        holder
        for holder in holders
        if type(holder) is FunctionType
        and id(holder.__code__) in pairs.inner
        and id(holder.__globals__) in own_spaces
        and id(holder) not in pairs.objects
    ]
    instances = _instances(holders, pairs)
    replace_references(pairs.objects, pairs.own, holders, journal)
    del holders
    for subclass, bases in list(_notebook_subclasses(pairs)):
        _rebase(subclass, bases, pairs, journal)
    migration = _move_instances(instances, journal)
    stuck_with = {id(item) for item in held}
    for before, now in pairs.functions:
        if id(before) in stuck_with:
            forward(before, now, journal)
    for closure in closures:
        _, code, namespace = pairs.inner[id(closure.__code__)]
        made = rebuild_closure(closure, code, namespace)
        if made is not None:
            forward(closure, made, journal)
    return migration


def _instances(holders: Iterable[Any], pairs: Pairs) -> list[tuple[Any, type, type]]:
    """Find the instances among the holders of the retired classes: an instance refers to its class."""
    counterparts = {id(before): (before, now) for before, now in pairs.classes}
    found = []
    for holder in holders:
        pair = counterparts.get(id(type(holder)))
        if pair is not None and id(holder) not in pairs.objects:
            found.append((holder, *pair))
    return found


def _move_instances(instances: Iterable[tuple[Any, type, type]], journal: Journal) -> Migration:
    moved: dict[str, int] = {}
    stuck: dict[tuple[str, str], int] = {}
    for instance, before, now in instances:
        name = f"{now.__module__}.{now.__qualname__}"
        try:
            _move(instance, before, now, journal)
        except Exception as error:  # noqa: BLE001 - a person's hook may raise anything: that object stays, and it is said
            stuck[name, f"{type(error).__name__}: {error}"] = stuck.get((name, str(error)), 0) + 1
        else:
            moved[name] = moved.get(name, 0) + 1
    return Migration(moved, tuple(Stuck(name, count, reason) for (name, reason), count in stuck.items()))


def _move(instance: Any, before: type, now: type, journal: Journal) -> None:
    """Change an instance's class, and bring it up to date as the new class asks; on an error it is as it was."""
    object.__setattr__(instance, "__class__", now)
    try:
        hook = getattr(now, "__exo_migrate__", None)
        if hook is not None:
            hook(instance, before)
        bring_up_to_date(instance, now)
    except BaseException:
        object.__setattr__(instance, "__class__", before)
        raise
    journal.add(functools.partial(object.__setattr__, instance, "__class__", before))


def _notebook_subclasses(pairs: Pairs) -> Iterator[tuple[type, tuple[type, ...]]]:
    """Find the living subclasses of retired classes that are not retired themselves, with their new bases."""
    counterparts = {id(before): now for before, now in pairs.classes}
    for before, _ in pairs.classes:
        subclasses: list[type] = type.__subclasses__(before)
        for subclass in subclasses:
            if id(subclass) not in counterparts and subclass.__module__ == "__main__":
                yield subclass, tuple(counterparts.get(id(base), base) for base in subclass.__bases__)


def _rebase(subclass: Any, bases: tuple[type, ...], pairs: Pairs, journal: Journal) -> None:
    """Give a class that the person defined in a cell the new bases, and the new metaclass where that retired."""
    before = subclass.__bases__
    metaclass = pairs.objects.get(id(type(subclass)))
    if metaclass is not None:
        type.__setattr__(subclass, "__class__", metaclass[1])
        journal.add(functools.partial(type.__setattr__, subclass, "__class__", metaclass[0]))
    subclass.__bases__ = bases
    journal.add(lambda: setattr(subclass, "__bases__", before))
