"""Containers and what is in them, and what cells had put there: told, and put into others."""

from __future__ import annotations

import enum
import functools
import re
from collections import deque
from collections.abc import Container, Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType, ModuleType
from typing import Any
from weakref import WeakKeyDictionary, WeakSet, WeakValueDictionary

from exocet_ipython.loading.classes import first_named, module_said_by, mro_of
from exocet_ipython.loading.spaces import globals_of
from exocet_ipython.reloading.holding.contents import ATOM_IDS, is_registry
from exocet_ipython.reloading.holding.held import home_of
from exocet_ipython.reloading.holding.items import count_of, items_of, pairs_of
from exocet_ipython.reloading.holding.paths import attribute_at, owner_of
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.survivors.definitions import is_definition
from exocet_ipython.survivors.finding.elsewhere import held_elsewhere
from exocet_ipython.survivors.origins import is_instance_of
from exocet_ipython.survivors.repeating.made import goes_on
from exocet_ipython.survivors.storing.readings import ReadStores

__all__ = [
    "MANY",
    "changed_entries",
    "containers_in",
    "count_in",
    "emptied",
    "entries",
    "held_entries",
    "hold_alike",
    "inherited",
    "is_map",
    "is_of_one_kind",
    "item_in",
    "names_in",
    "place_in",
    "put_into",
    "take_out",
]

MANY = 1_000  # entries; what is in a larger container is not told apart
_PYTHONS = frozenset(("builtins", "collections", "weakref", "_weakrefset"))  # modules of its containers
_NONE: Mapping[str, ModuleType | None] = MappingProxyType({})


def is_of_one_kind(before: Any, now: Any) -> bool:
    """Say whether two containers are of one type, or of a class and its counterpart."""
    old, new = type(before), type(now)
    return old is new or (module_said_by(old), old.__qualname__) == (module_said_by(new), new.__qualname__)


def hold_alike(before: Any, now: Any) -> bool:
    """Say whether what was put into one container can be put into another one: a `dict` may be a class's own by now.

    >>> from collections import OrderedDict
    >>> hold_alike({}, OrderedDict()), hold_alike([], {})
    (True, False)
    """
    alike = ((dict,), (list, deque), (set,))
    return is_of_one_kind(before, now) or any(isinstance(before, kinds) and isinstance(now, kinds) for kinds in alike)


def is_map(value: Any) -> bool:
    """Say whether a container has values under keys."""
    return isinstance(value, (dict, WeakKeyDictionary, WeakValueDictionary))


def entries(container: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the entries of a container as key and value; an item is its own key."""
    if is_map(container):
        yield from pairs_of(container)
    else:
        yield from ((item, None) for item in items_of(container))


def emptied(container: Any) -> Any:
    """Return another container of the same kind that has nothing; None for what is no container of Python's own.

    >>> emptied(deque([1, 2], maxlen=2)), emptied("ab")
    (deque([], maxlen=2), None)
    """
    if not is_registry(container) or module_said_by(type(container)) not in _PYTHONS:
        return None
    other = container.copy()
    other.clear()
    return other


def changed_entries(
    container: Any, baseline: Mapping[Any, int], now: Any = (), after: Mapping[str, ModuleType | None] = _NONE
) -> list[tuple[Any, Any]]:
    """Return the entries that a container did not have when its module's body had run, as key and value.

    Args:
        container: it.
        baseline: what it held then, by identity.
        now: the one that takes its place; what stands under the counterpart of a key there has that one for its key.
        after: dotted name -> what takes the place of a module that retires.

    >>> changed_entries(["a", "mine", "a"], {id("a"): -1})
    [('mine', None), ('a', None)]
    """
    of_map = is_map(container)
    if isinstance(container, (list, deque)):
        items = items_of(container)
        return [(items[place], None) for place in _added_places(items, baseline)]
    return [
        (_key_in(now, key, after) if of_map and id(key) not in baseline else key, value)
        for key, value in entries(container)
        if (baseline.get(id(key)) != id(value) if of_map else id(key) not in baseline)
    ]


def _added_places(items: list[Any], baseline: Mapping[Any, int]) -> list[int]:
    """Return the places of what a list has got; of an item that is there more often, the first are those it had."""
    left = {key: places.bit_count() for key, places in baseline.items()}
    added = []
    for place, item in enumerate(items):
        if left.get(id(item), 0) > 0:
            left[id(item)] -= 1
        else:
            added.append(place)
    return added


def _key_in(now: Any, key: Any, after: Mapping[str, ModuleType | None]) -> Any:
    """Return the class, function or member that takes a key's place, where a map has that one; else the key."""
    known = _counterpart_of(key, after)
    return known if known is not None and any(known is part for part in items_of(now)) else key  # some can't be hashed


def item_in(now: Any, item: Any, after: Mapping[str, ModuleType | None]) -> Any:
    """Return what of an item goes into a container; into a list its counterpart, if it has one.

    The new body may have put that there as well, which isn't the same: a list may have it twice.
    """
    known = _counterpart_of(item, after) if isinstance(now, (list, deque)) else None
    return item if known is None else known


def _counterpart_of(value: Any, after: Mapping[str, ModuleType | None]) -> Any:
    """Return the class, function or member that takes the place of one; None where there is none.

    Args:
        value: it.
        after: dotted name -> what takes the place of a module that retires.

    >>> _counterpart_of(len, {}), _counterpart_of(Iterator, {"collections.abc": ModuleType("m")})
    (None, None)
    """
    is_member = issubclass(type(value), enum.Enum)
    definition = type(value) if is_member else value
    module = after.get(home_of(definition)) if is_member or is_definition(value) else None
    known = None if module is None else attribute_at(module, definition.__qualname__)
    return getattr(known, "__members__", {}).get(value.name) if is_member else known


def held_entries(
    before: Any, now: Any, changed: list[tuple[Any, Any]], read: ReadStores, earlier: Sequence[Any] = ()
) -> list[tuple[Any, Any]]:
    """Return the entries of a map whose values somebody has, or the only one of a list: these are asked for again.

    Args:
        before: the container of the retired module.
        now: that of the new one; what it has already is left out.
        changed: the entries that the first one has got since its module's body had run.
        read: what the functions of the modules store whose instances and classes are meant.
        earlier: the containers of modules that retired before, which are not asked any more.
    """
    part = int(is_map(before))
    sought = changed if part or not (count_of(now) or count_of(before) > 1) else []  # several may be answers
    asked = [entry for entry in sought if goes_on(entry[part], read) and entry[0] not in now]
    if type(before) is WeakValueDictionary:
        return asked
    held = held_elsewhere([entry[part] for entry in asked], [before, changed, asked, *earlier])
    return [entry for entry in asked if id(entry[part]) in held]


def inherited(cls: type, name: str, session: Container[str]) -> Any:
    """Return what a class has from a base that is of the session's modules; None where there is nothing."""
    return first_named(name, (base for base in mro_of(cls) if module_said_by(base) in session))


def place_in(items: Any, item: Any, baseline: Mapping[Any, int]) -> int:
    """Return where in a list something was put between what its module's body had put there; -1 for behind all of it.

    >>> items = ["mine", "a", "later"]
    >>> [place_in(items, item, {id("a"): -2}) for item in ("mine", "later")]
    [0, -1]
    """
    if not isinstance(items, (list, deque)):
        return -1
    added = _added_places(list(items), baseline)
    place = next(at for at in added if items[at] is item)
    return place if len(items) - place > sum(at >= place for at in added) else -1


@functools.lru_cache(1_000)
def names_in(path: str) -> frozenset[str]:
    """Return the names on a path.

    >>> sorted(names_in("CONFIG['db'].items"))
    ['CONFIG', 'db', 'items']
    """
    return frozenset(re.findall(r"\w+", path))


def containers_in(path: str, module: ModuleType, session: Container[str]) -> frozenset[str]:
    """Return the names on a path of what may be containers: not that of an instance, whose `add` is one of its own.

    Unless it has items.

    Args:
        path: in a module.
        module: that one.
        session: the dotted names of all modules, of whose classes it may be an instance.

    >>> from types import SimpleNamespace
    >>> module = ModuleType("m")
    >>> module.table, module.space = {}, SimpleNamespace(table={})
    >>> [sorted(containers_in(path, module, {"types"})) for path in ("table['a']", "space.table")]
    [['a', 'table'], ['table']]
    """
    owner = owner_of(path)
    value = globals_of(module).get(owner)
    is_other = path != owner and is_instance_of(value, session) and not is_registry(value)
    has_items = is_other and first_named("__setitem__", mro_of(type(value))) is not None
    return names_in(path) - {owner} if is_other and not has_items else names_in(path)


def put_into(  # noqa: PLR0913 - an entry, and where it goes
    container: Any, key: Any, value: Any, journal: Journal, *, place: int = -1, count: int = 1
) -> None:
    """Put an entry into a map, or an item into a list or a set that lacks it: at a place, or at the end.

    A list lacks what it doesn't have `count` times.
    """
    if is_map(container):
        journal.set_item(container, key, value)
    elif isinstance(container, (set, WeakSet)):
        if key not in container:
            container.add(key)
            journal.add(partial(container.discard, key))
    elif count_in(container, key) < count:
        container.insert(len(container) if place < 0 else place, key)
        journal.add(partial(_drop_last, container, key))


def count_in(items: Any, item: Any) -> int:
    """Return how often a list has an item; an atom by what it is, all else by identity.

    >>> count_in([[], "a", "a"], "a"), count_in([[]], [])
    (2, 0)
    """
    if id(type(item)) in ATOM_IDS:
        return list(items).count(item)
    return [*map(id, items)].count(id(item))


def take_out(container: Any, key: Any, journal: Journal) -> None:
    """Take an entry out of a map, or an item out of a list or a set, which can be put back where it was."""
    if is_map(container):
        journal.add(partial(container.__setitem__, key, container.pop(key)))
    elif isinstance(container, (list, deque)):
        place = next(at for at, item in enumerate(container) if item is key)
        del container[place]
        journal.add(partial(container.insert, place, key))
    else:
        container.discard(key)
        journal.add(partial(container.add, key))


def _drop_last(items: Any, item: Any) -> None:
    """Take the last item off that is this very one."""
    place = next((at for at in range(len(items) - 1, -1, -1) if items[at] is item), None)
    if place is not None:
        del items[place]
