"""Instances that a cached function has given and that somebody has: asked again, it is to give the very ones.

`@cache def get_settings()`, `@lru_cache def client(name)`. Others are answers of the old code. So are those that would
be made in another way now: who edits the function or the constructor asks for what these make.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from types import FunctionType, ModuleType
from typing import Any

from exocet_ipython.reloading.contents import ATOMS
from exocet_ipython.survivors.comparison import Making
from exocet_ipython.survivors.finding.elsewhere import held_elsewhere
from exocet_ipython.survivors.rebuilt import CACHE

__all__ = ["carry_answers"]

_MANY = 1_000
_Answer = tuple[tuple[Any, ...], Any]  # the arguments, and what was given


def carry_answers(
    before: Any, now: Any, is_survivor: Callable[[Any], bool], after: Mapping[str, ModuleType | None]
) -> None:
    """Have the cache of a function give the instances that the old one has given, where somebody has them.

    Args:
        before: the `lru_cache` of a retired module.
        now: its counterpart, which nobody sees yet.
        is_survivor: says of an instance whether its class is one of the session's.
        after: dotted name -> what takes the place of a module that retires.
    """
    if not type(before) is type(now) is CACHE or before is now or before.cache_info().currsize > _MANY:
        return
    old, new = (vars(cache).get("__wrapped__") for cache in (before, now))
    if type(old) is not FunctionType or type(new) is not FunctionType or new.__closure__:
        return
    known = _keys_of(now)
    given = [answer for answer in _answers_of(before) if is_survivor(answer[1]) and _key_of(answer[0]) not in known]
    held = held_elsewhere([value for _, value in given], [before, given])
    for arguments, value in given:
        cls = type(value)
        if id(value) in held and Making(cls, _counterpart(cls, after)).is_same(old, new):
            _put(now, new, arguments, value)


def _answers_of(cache: Any) -> Iterator[_Answer]:
    """Yield what a cache has given for plain arguments, without keywords; other kinds of keys are left out.

    >>> import functools
    >>> both, every = functools.lru_cache(divmod), functools.cache(divmod)
    >>> _ = both(7, 2), every(7, 2)
    >>> [*_answers_of(both)], [*_answers_of(every)]
    ([((7, 2), (3, 1))], [((7, 2), (3, 1))])
    """
    table = _keys_of(cache)
    if cache.cache_parameters()["typed"]:
        return
    if cache.cache_parameters()["maxsize"] is None:
        found = list(table.items())
    else:  # its table leads to links that tell nothing: the cache itself tells what these have, each after its key
        parts, keys = gc.get_referents(cache), set(map(id, table))
        found = [(key, value) for key, value in pairwise(parts) if id(key) in keys]
    for key, value in found:
        arguments = key if type(key) is tuple else (key,)
        if all(type(part) in ATOMS for part in arguments):
            yield arguments, value


def _keys_of(cache: Any) -> dict[Any, Any]:
    """Return the table of a cache, by the keys that it makes of arguments."""
    own = vars(cache)
    return next(part for part in gc.get_referents(cache) if type(part) is dict and part is not own)


def _key_of(arguments: tuple[Any, ...]) -> Any:
    """Return the key that a cache makes of arguments: a single number or string is one itself."""
    return arguments[0] if len(arguments) == 1 and type(arguments[0]) in (int, str) else arguments


def _counterpart(cls: type, after: Mapping[str, ModuleType | None]) -> type:
    """Return what takes the place of a class; itself where its module goes on."""
    found: Any = after.get(cls.__module__, cls)
    for part in cls.__qualname__.split(".") if found is not cls else ():
        found = getattr(found, "__dict__", {}).get(part)
    return found if issubclass(type(found), type) else object


def _put(cache: Any, function: FunctionType, arguments: tuple[Any, ...], value: Any) -> None:
    """Have a cache keep an answer: the function that it asks gives it, for this once."""
    code = function.__code__
    given = (lambda *_, **__: None).__code__
    function.__code__ = given.replace(co_consts=(value,))
    try:
        cache(*arguments)
    finally:
        function.__code__ = code
