"""Instances and classes that functions keep and that somebody has: asked again, they are to give the very ones.

`@cache def get_settings()`, `@lru_cache def client(name)`, `global _conn; _conn = connect(url)`. Others are answers of
the old code. So are those that would be made in another way now: who edits the function or the constructor asks for
what these make. Containers of data go on whoever has them, with what cells have put there, and instances of libraries'
classes that somebody has, where the function would answer the same in every way.
"""

from __future__ import annotations

import dis
from collections.abc import Callable, Collection, Container, Iterator, Mapping, Sequence
from functools import partial
from types import FunctionType, ModuleType
from typing import Any

from exocet_ipython.loading.classes import module_said_by
from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.loading.trees import whole
from exocet_ipython.reloading.holding.caches import call_of_key, entries_of_cache, table_of_cache
from exocet_ipython.reloading.holding.contents import CACHE, is_plain, is_registry
from exocet_ipython.reloading.holding.paths import attribute_at
from exocet_ipython.reloading.ladder.operations import iter_operations
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.reloading.retired import functions_in
from exocet_ipython.survivors.comparison import Answering, Comparison, reread_of
from exocet_ipython.survivors.finding.elsewhere import held_elsewhere
from exocet_ipython.survivors.former import renamed_by, under_old_names
from exocet_ipython.survivors.origins import is_instance_of
from exocet_ipython.survivors.repeating.filled import is_filled_alike
from exocet_ipython.survivors.repeating.kept import is_data, is_foreign, is_of_library, is_resource, is_told
from exocet_ipython.survivors.repeating.made import goes_on
from exocet_ipython.survivors.storing.constructing.constructors import MakingMore
from exocet_ipython.survivors.storing.readings import ReadStores

__all__ = ["carry_answers", "gives_again"]

_MANY = 1_000
_STORING = frozenset((dis.opmap["STORE_GLOBAL"], dis.opmap["STORE_ATTR"]))
_Answer = tuple[Any, tuple[Any, ...], dict[str, Any], Any]  # the key, the arguments of both kinds, and what was given


def carry_answers(before: Any, now: Any, read: ReadStores, earlier: Sequence[Any] = ()) -> None:
    """Have the cache of a function or class give what the old one has given, where somebody has it, or it is data.

    Args:
        before: the `lru_cache` of a retired module.
        now: its counterpart, which nobody sees yet.
        read: what the functions of the session's modules store.
        earlier: those of modules that retired before, which are not asked any more.
    """
    session = read.session
    if not type(before) is type(now) is CACHE or before is now or before.cache_info().currsize > _MANY:
        return
    old, new = (vars(cache).get("__wrapped__") for cache in (before, now))
    are_classes = issubclass(type(old), type) and issubclass(type(new), type)
    if are_classes:
        if now.cache_parameters()["maxsize"] is not None:
            return  # its table takes nothing but what the class makes when it is called
    elif type(old) is not FunctionType or type(new) is not FunctionType or new.__closure__:
        return
    known = table_of_cache(now)
    given = [
        answer
        for answer in _answers_of(before, session)
        if answer[0] not in known and (_is_others(answer[-1], session) or goes_on(answer[-1], read))
    ]
    if not given or read.beside.reread:
        return
    held = held_elsewhere([answer[-1] for answer in given], [before, given, *earlier])
    given = [a for a in given if id(a[-1]) in held or is_data(a[-1], session) or is_told(a[-1], read)]
    is_asked = any(_is_others(answer[-1], session) or id(answer[-1]) not in held for answer in given)
    home = globals_of(session[old.__module__].module) if old.__module__ in session else {}
    names = {old.__name__, *(key for key, part in copy_space(home).items() if part is before)}
    is_left = is_asked and is_filled_alike(names, read)
    answers_alike = is_left and Answering(beside=read.beside).is_same(old, new)
    for key, arguments, keywords, value in given:
        cls = type(value)
        if _is_others(value, session):
            is_kept = answers_alike
        else:
            counterpart = new if cls is old else _counterpart(cls, read.after)
            is_kept = issubclass(cls, type) or (
                (is_left or id(value) in held) and MakingMore(cls, counterpart).is_same(old, new)
            )
        if is_kept and are_classes:
            known[key] = value
        elif is_kept:
            _put(now, new, value, arguments, keywords)


def gives_again(name: str, value: Any, homes: Collection[ModuleRecord], read: ReadStores) -> bool:
    """Say whether functions that keep something under a name would make it again, as they are now.

    Args:
        name: of a global or an attribute.
        value: a container, or an instance; nothing else is made again.
        homes: the modules whose functions may have put it there.
        read: what the functions of the session's modules store.
    """
    if not (is_registry(value) or is_of_library(value)) or reread_of(homes):
        return False
    compare: Callable[..., Comparison]
    if is_instance_of(value, read.session):
        compare = MakingMore
    else:
        compare = Comparison if is_resource(value) else partial(Answering, beside=read.beside)
    if not any(_stores_alike(name, home.module, read.after.get(home.name), compare) for home in homes):
        return False
    givers = {part.before.__name__ for part in read.naming(name) if type(part.before) is FunctionType}
    return compare is Comparison or is_filled_alike({name, *givers}, read)


def _stores_alike(name: str, before: ModuleType, now: ModuleType | None, compare: Callable[..., Comparison]) -> bool:
    """Say whether the functions of a module that put something away under a name are what they were."""
    spaces = vars(before), globals_of(now)
    owners: list[tuple[Any, Any, Any, Any]] = [(object, object, *spaces)]
    for key, cls in copy_space(spaces[0]).items():
        other = spaces[1].get(key)
        if issubclass(type(cls), type) and module_said_by(cls) == before.__name__ and issubclass(type(other), type):
            owners.append((cls, other, vars(cls), under_old_names(vars(other), renamed_by(cls))))
    found = [
        compare(old, new, but={name}).is_same(part, having.get(key))
        for old, new, had, having in owners
        for key, part in copy_space(had).items()
        if any(name in _stored(function) for function in functions_in(part) if function.__globals__ is spaces[0])
    ]
    return bool(found) and all(found)


def _stored(function: FunctionType) -> set[Any]:
    codes = whole(function.__code__)
    return {name for code in codes for _, operation, name in iter_operations(code) if operation in _STORING}


def _is_others(value: Any, session: Container[str]) -> bool:
    """Say whether nothing in an answer is of the session's modules: an instance of a library's, or data."""
    return is_foreign(value, session) or (type(value) is tuple and is_data(value, session))


def _answers_of(cache: Any, session: Container[str] = ()) -> Iterator[_Answer]:
    """Yield what a cache has given for plain arguments and classes of no module of the session; no others.

    >>> import functools
    >>> both, every, named = functools.lru_cache(divmod), functools.cache(divmod), functools.cache(dict)
    >>> _ = both(7, 2), every(7, 2), named(a=1)
    >>> [answer[1:] for cache in (both, every, named) for answer in _answers_of(cache)]
    [((7, 2), {}, (3, 1)), ((7, 2), {}, (3, 1)), ((), {'a': 1}, {'a': 1})]
    """
    is_typed = cache.cache_parameters()["typed"]
    for key, value in entries_of_cache(cache):
        arguments, keywords = call_of_key(key, typed=is_typed)
        if all(
            is_plain(part) or (type(part) is type and module_said_by(part) not in session)
            for part in (*arguments, *keywords.values())
        ):
            yield key, arguments, keywords, value


def _counterpart(cls: type, after: Mapping[str, ModuleType | None]) -> type:
    """Return what takes the place of a class; itself where its module goes on."""
    found = attribute_at(after[module_said_by(cls)], cls.__qualname__) if module_said_by(cls) in after else cls
    return found if issubclass(type(found), type) else object


def _put(
    cache: Any, function: FunctionType, value: Any, arguments: tuple[Any, ...], keywords: Mapping[str, Any]
) -> None:
    """Have a cache keep an answer: the function that it asks gives it, for this once."""
    code = function.__code__
    given = (lambda *_, **__: None).__code__
    function.__code__ = given.replace(co_consts=(value,))
    try:
        cache(*arguments, **keywords)
    finally:
        function.__code__ = code
