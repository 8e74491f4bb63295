"""Instances of cells' classes whose bases are others now: what the new bases expect of them."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable
from typing import Any

from exocet_ipython.loading.classes import mro_of
from exocet_ipython.reloading.holding.contents import dict_of
from exocet_ipython.reloading.holding.held import dotted_name
from exocet_ipython.reloading.ladder.remembering import Memory
from exocet_ipython.survivors.finding.near import find_holders
from exocet_ipython.survivors.matching.counterparts import Pairs
from exocet_ipython.survivors.replacing.adding import Additions, add_attributes
from exocet_ipython.survivors.replacing.answers import stale_answers
from exocet_ipython.survivors.replacing.instances import Moving
from exocet_ipython.survivors.replacing.libraries import bring_up_to_date, is_looked_after
from exocet_ipython.survivors.replacing.remembered import forget_answers, stale_memories
from exocet_ipython.survivors.replacing.states import InstanceState
from exocet_ipython.survivors.storing.constructing.constructors import added_between

__all__ = ["refresh_instances"]


def refresh_instances(classes: Collection[type], pairs: Pairs, moving: Moving, ours: Iterable[Any] = ()) -> None:
    """Give the instances of these classes what their new bases expect them to have, and take off stale answers.

    Args:
        classes: the classes.
        pairs: what retired.
        moving: what is moved.
        ours: what refers to the classes for our own sake.
    """
    if not classes:
        return
    retired = pairs.predecessors()
    stale: dict[int, tuple[str, ...]] = {}
    memories: dict[int, dict[str, Memory]] = {}
    # By their ids: what held a class here would count as held by nobody knows what.
    lineages = ((cls, [retired.get(id(base), base) for base in mro_of(cls)]) for cls in classes)
    added = {id(cls): Additions.of(cls, added_between(before, mro_of(cls))) for cls, before in lineages}
    for holder in find_holders(list(classes), [classes, *ours, *moving.journal.references()]):
        kind = type(holder)
        if id(kind) not in added:
            continue
        if is_looked_after(kind) or added[id(kind)]:
            former = next((retired[id(base)] for base in mro_of(kind) if id(base) in retired), None)
            _bring_over(holder, former, added[id(kind)], moving)
        space = dict_of(holder) or {}
        bases = [base for base in kind.__mro__ if id(base) in retired]
        for base in (base for base in bases if id(base) not in stale):
            stale[id(base)] = stale_answers(retired[id(base)], base, moving.beside)
            memories[id(base)] = stale_memories(retired[id(base)], base, moving.beside)
        if forgotten := {name: kind for base in bases for name, kind in memories[id(base)].items()}:
            moving.journal.add(InstanceState(holder).restore)
            forget_answers(holder, forgotten, moving.beside.gone)
        for name in {name for base in bases for name in stale[id(base)] if name in space}:
            moving.journal.add(functools.partial(space.__setitem__, name, space.pop(name)))


def _bring_over(instance: Any, former: type | None, added: Additions, moving: Moving) -> None:
    """Have constructors, an author's hook and the libraries bring an instance up to date; else it stays as it was.

    Args:
        instance: that.
        former: the nearest of its bases that retired.
        added: what its constructors say to have beside.
        moving: what is moved.
    """
    kind, state = type(instance), InstanceState(instance)
    try:
        hook = getattr(kind, "__exo_migrate__", None) if former is not None else None
        add_attributes(instance, added if hook is None else added.said_itself(), instance)
        bring_up_to_date(instance, kind)
        if hook is not None:
            hook(instance, former)
            add_attributes(instance, added, instance)
    except Exception as error:  # noqa: BLE001 - a hook or a default factory of the person's
        state.restore()
        moving.note(dotted_name(kind), error)
    else:
        moving.journal.add(state.restore)
