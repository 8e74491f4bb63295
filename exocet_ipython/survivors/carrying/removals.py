"""What cells have taken out of a container and the new body puts in again: after a restart they take it out then."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from difflib import SequenceMatcher
from typing import Any

from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.loading.trees import whole
from exocet_ipython.reloading.holding.contents import ATOM_IDS
from exocet_ipython.reloading.holding.held import home_of
from exocet_ipython.reloading.holding.parts import ids_by_place
from exocet_ipython.reloading.holding.paths import attribute_at
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.survivors.carrying.ownership import Ownership
from exocet_ipython.survivors.definitions import is_definition
from exocet_ipython.survivors.origins import is_instance_of
from exocet_ipython.survivors.repeating.entries import MANY, entries, is_map, take_out
from exocet_ipython.survivors.repeating.untouched import is_refillable

__all__ = ["take_out_again"]

_SMALL = {id(number): number for number in range(-5, 257)}  # Python has each of these but once


def take_out_again(path: str, before: Any, now: Any, owned: Ownership, journal: Journal) -> bool:
    """Take out of a new container what is gone from the old one; say whether something was, and is known altogether.

    Constants, names and small numbers are known by what they are, functions and classes by where they are defined,
    instances by the name that the module has for them; all else by its place, where what stands around it is known, or
    as much stands there as did. Where nothing of several is left, all has been taken out, and so is what the edit adds.

    Args:
        path: where the container is in its module.
        before: that of the retired module.
        now: that of the new one, which nobody sees yet.
        owned: whose the state of the retired one is.
        journal: how it is taken back.
    """
    if not is_refillable(type(before)):
        return False  # one of weak references loses things by itself
    left = [key for key, _ in entries(before)]
    baseline, session = owned.record.contents.get(path, {}), owned.session
    gone = baseline.keys() - set(map(id, left))
    if not gone or not owned.makes_no_room(path, before):
        return False
    texts, named = _SMALL | _texts_of(owned.record), _named_instances(owned)
    signs = [(key, named.get(id(key)) or _shown(key, session)) for key, _ in entries(now)]
    shown = gone | {_shown(texts[was], session) for was in gone if was in texts}
    kept = {_shown(key, {}) for key in left} - {None}
    nothing_left = len(gone) == len(baseline)
    put_again = [(key, sign) for key, sign in signs if sign not in kept and sign in shown]
    known = {*texts, *(sign for _, sign in put_again), *named.values()}
    known.update(id(part) for part in copy_space(globals_of(owned.record.module)).values() if is_definition(part))
    was_shown = {id(key): _shown(key, {}) for key in left} | {
        was: _shown(texts[was], session) for was in gone & texts.keys()
    }
    # A set tells nothing of a place either.
    is_cleared = nothing_left and (len(gone) > 1 or (issubclass(type(before), set) and gone.isdisjoint(known)))
    placed = {} if is_cleared else _by_place(before, baseline, was_shown, gone - known, signs)
    for key, _ in [(key, sign) for key, sign in signs if sign not in kept] if is_cleared else put_again:
        take_out(now, key, journal)
    for key in placed.values():
        take_out(now, key, journal)
    return gone <= known | placed.keys()


def _by_place(
    before: Any,
    baseline: Mapping[int, int],
    was_shown: Mapping[int, Any],
    gone: AbstractSet[int],
    signs: Sequence[tuple[Any, Any]],
) -> dict[int, Any]:
    """Return what a new container has in the places of what is gone from the old one, by the ids of that.

    Args:
        before: the old one; of a set nothing has a place.
        baseline: what it had.
        was_shown: id of what it has, or had -> what tells it.
        gone: ids of what is gone, and that nothing tells.
        signs: what the new one has, each with what tells it.
    """
    has_places = isinstance(before, (list, deque))
    order = [*baseline] if is_map(before) else [*ids_by_place(baseline).values()] if has_places else []
    if not gone or max(len(order), len(signs)) > MANY:
        return {}
    # What nothing tells is like nothing else.
    old = [(was, None) if (sign := was_shown.get(was)) is None else sign for was in order]
    new = [(None, place) if sign is None else sign for place, (_, sign) in enumerate(signs)]
    return {
        order[first + at]: signs[second + at][0]
        for kind, first, last, second, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        if kind == "replace" and last - first == end - second
        for at in range(last - first)
        if order[first + at] in gone
    }


def _named_instances(owned: Ownership) -> dict[int, int]:
    """Return the ids of instances for which the new module has a name, each with that of what the old one has."""
    space, now = globals_of(owned.record.module), globals_of(owned.after[owned.record.name])
    pairs = ((value, space.get(name)) for name, value in copy_space(now).items())
    return {id(value): id(was) for value, was in pairs if value is not was and is_instance_of(was, owned.session)}


def _texts_of(record: ModuleRecord) -> dict[int, Any]:
    """Return the constants and the names in what a module's body ran, by id: they live as long as that."""
    code = record.body_code
    names = [name for part in whole(code) for name in (part.co_name, *part.co_names)] if code is not None else []
    return {**record.constants, **{id(name): name for name in names}}


def _shown(key: Any, session: Mapping[str, ModuleRecord]) -> Any:
    """Return what tells a key or an item: a constant itself, or the id of what the retiring module has in its stead."""
    if id(type(key)) in ATOM_IDS:
        return type(key), key
    if type(key) is tuple:
        parts = tuple(_shown(part, session) for part in key)
        return None if None in parts else parts
    if not is_definition(key):
        return None  # what is at its place in memory may be another one by now
    home = session.get(home_of(key))
    return id(key if home is None else attribute_at(home.module, key.__qualname__))
