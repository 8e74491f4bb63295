"""What functions keep: data, objects of libraries, instances that have only what they were given, cached answers."""

from __future__ import annotations

import dis
import functools
from collections.abc import Container
from itertools import pairwise
from types import FunctionType
from typing import Any

from exocet_ipython.loading.classes import defines, first_named, module_said_by, mro_of
from exocet_ipython.reloading.holding.contents import ATOM_IDS, attributes_of, is_plain, is_registry, is_shared
from exocet_ipython.reloading.holding.held import home_of
from exocet_ipython.reloading.holding.items import count_of, items_of, values_of
from exocet_ipython.reloading.holding.parts import has_entries
from exocet_ipython.reloading.ladder.operations import iter_operations
from exocet_ipython.reloading.retired import functions_in
from exocet_ipython.survivors.classes import own_attributes
from exocet_ipython.survivors.definitions import is_definition
from exocet_ipython.survivors.origins import is_instance_of
from exocet_ipython.survivors.repeating.accounts import is_made_of
from exocet_ipython.survivors.repeating.entries import is_map
from exocet_ipython.survivors.storing.readings import ReadStores
from exocet_ipython.survivors.storing.stores import Stores

__all__ = [
    "are_instances",
    "is_data",
    "is_foreign",
    "is_of_library",
    "is_plain_or_told",
    "is_resource",
    "is_told",
    "kept_answers_of",
]

_STORE_SUBSCR = dis.opmap["STORE_SUBSCR"]
_MUCH = 10_000


def _is_container(value: Any, session: Container[str]) -> bool:
    return is_registry(value) and module_said_by(type(value)) not in session


def is_foreign(value: Any, session: Container[str]) -> bool:
    """Say whether a value is a container of Python's own, or an instance of a library's class."""
    return (is_registry(value) or is_of_library(value)) and module_said_by(type(value)) not in session


def is_of_library(value: Any) -> bool:
    """Say whether a value is an instance of a class that is neither a plain type nor its own definition.

    >>> import datetime
    >>> is_of_library(datetime.timezone.utc), is_of_library([1]), is_of_library(is_data)
    (True, False, False)
    """
    return not (is_shared(value) or is_definition(value)) and module_said_by(type(value)) != "builtins"


def is_data(value: Any, session: Container[str], depth: int = 5) -> bool:
    """Say whether a value is a container that has nothing of the session's modules: plain data, or libraries' objects.

    Not one that has very much, or is too deep.

    >>> is_data({"a": [1, (2, "b")]}, ()), is_data([is_data], ()), is_data("a", ())
    (True, False, False)
    """
    if not (_is_container(value, session) or type(value) is tuple) or not depth or count_of(value) > _MUCH:
        return False
    parts = values_of(value) if is_map(value) else items_of(value)
    return ATOM_IDS.issuperset(map(id, map(type, parts))) or all(
        is_data(part, session, depth - 1)
        if has_entries(part)
        else id(type(part)) in ATOM_IDS or (not callable(part) and is_foreign(part, session))
        for part in parts
    )


def are_instances(value: Any, session: Container[str], depth: int = 3) -> bool:
    """Say whether a value is an instance of a class of the session's modules, or a container of nothing but such.

    Not one that is too deep.

    >>> from fractions import Fraction
    >>> [are_instances(value, {"fractions"}) for value in ([Fraction(1)], [], [Fraction(1), 1])]
    [True, False, False]
    """
    is_container = depth > 0 and has_entries(value)
    items = [] if not is_container else values_of(value) if is_map(value) else items_of(value)
    return is_instance_of(value, session) or (
        bool(items) and all(are_instances(item, session, depth - 1) for item in items)
    )


def is_told(value: Any, read: ReadStores, depth: int = 3) -> bool:
    """Say whether an instance that is to move has only what it began with and what it was given since.

    Nothing in it is an answer of the old code, then, nor in the instances that it has.

    Args:
        value: it.
        read: what the functions of the session's modules store.
        depth: of instances in others.
    """
    if not (read.moves and depth and is_instance_of(value, read.session)):
        return False
    lineage = mro_of(type(value))
    stores = read.of(tuple(home for cls in lineage if (home := home_of(cls)) in read.session))
    parts = own_attributes(value)
    if not (parts.keys().isdisjoint(stores.caches) and parts.keys().isdisjoint(stores.attributes)):
        return False
    if any(kept_answers_of(first_named(name, lineage)) for name in parts):
        return False
    return all(is_told(part, read, depth - 1) for part in parts.values() if is_instance_of(part, read.session))


def is_plain_or_told(key: Any, value: Any, stores: Stores, read: ReadStores) -> bool:
    """Say whether an entry has nothing of what is made anew: plain data, or an instance that moves and was only told.

    What else was computed for that instance would go on with it for good: who holds it can't be told from garbage.

    Args:
        key: of the entry.
        value: of the entry.
        stores: what the functions store that have put it away.
        read: what the functions of the session's modules store.

    >>> [is_plain_or_told("key", value, Stores(), ReadStores({})) for value in ("a", [is_told])]
    [True, False]
    """
    is_plain_data = is_plain(value) or is_data(value, read.session)
    return is_plain_data or (is_told(value, read) and is_made_of(key, value, stores))


def is_resource(value: Any) -> bool:
    """Say whether a value is an instance of a library's class, a connection say, and no data: that has a length.

    >>> import functools
    >>> is_resource(print), is_resource(functools.partial(print)), is_resource([1])
    (False, True, False)
    """
    return is_of_library(value) and not defines(type(value), "__len__")


def kept_answers_of(part: Any) -> list[FunctionType]:
    """Return the functions whose answers a descriptor puts into instances' dicts, and what does so; none of another.

    Nor of one that only asks for what another method puts there: without it, it would ask itself for ever.

    >>> kept_answers_of(functools.cached_property(is_data)) == [is_data], kept_answers_of(is_data)
    (True, [])
    """
    if type(part) is functools.cached_property:
        functions = functions_in(part)
        return [] if any(map(_asks_itself, functions)) else functions
    getter = getattr(type(part), "__get__", None)
    if type(getter) is not FunctionType or defines(type(part), "__set__"):
        return []
    stores = any(operation == _STORE_SUBSCR for _, operation, _ in iter_operations(getter.__code__))
    if not (stores or "setattr" in getter.__code__.co_names):
        return []
    functions = [value for _, value in attributes_of(part) if type(value) is FunctionType]
    return [*functions, getter] if functions and not any(map(_asks_itself, functions)) else []


def _asks_itself(function: FunctionType) -> bool:
    """Say whether a method asks its instance for an attribute of its own name.

    >>> class Relation:
    ...     def entity(self): self.find(); return self.entity
    ...     def other(self): return self.entity.other
    >>> _asks_itself(Relation.entity), _asks_itself(Relation.other)
    (True, False)
    """
    name, code = function.__name__, function.__code__
    if name not in code.co_names or not code.co_argcount:
        return False  # nearly all
    parts = [part for part in dis.get_instructions(code) if part.opname != "CACHE"]
    owns = {code.co_varnames[0], *((other, code.co_varnames[0]) for other in code.co_varnames)}
    return any(
        asked.opname == "LOAD_ATTR" and asked.argval == name and loaded.argval in owns
        for loaded, asked in pairwise(parts)
        if loaded.opname.startswith("LOAD_FAST")
    )
