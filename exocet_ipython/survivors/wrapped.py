"""What a decorator has made of a function holds that function: found beside what another holds in the same place."""

from __future__ import annotations

import functools
from collections.abc import Container, Iterable, Iterator
from types import FunctionType, GetSetDescriptorType, MemberDescriptorType
from typing import Any

from exocet_ipython.loading.classes import first_named, module_said_by, mro_of
from exocet_ipython.reloading.holding.contents import BOUND_IDS, CACHE, dict_of, gathering_defaults, variables_around
from exocet_ipython.survivors.classes import own_attributes
from exocet_ipython.survivors.forwarders import target_of

__all__ = [
    "classes_within",
    "functions_held",
    "functions_within",
    "has_own_name",
    "may_hold",
    "partials_within",
    "space_of",
    "wrapped_functions",
]

_CACHES = frozenset(map(id, (CACHE, functools.partialmethod)))
_PLACES = ("__wrapped__", "__func__", "func")


def functions_within(before: Any, now: Any) -> Iterator[tuple[FunctionType, FunctionType]]:
    """Yield the functions that a function or a descriptor holds, each with its namesake in another.

    >>> def traced(function): return functools.wraps(function)(lambda *args: function(*args))
    >>> def area(r): return r * r
    >>> [(first is area, second is area) for first, second in functions_within(traced(area), traced(area))]
    [(True, True), (True, True)]
    """
    if not (may_hold(before) and may_hold(now)):
        return
    first, second = functions_held(before), functions_held(now)
    for place, function in first.items():
        found = second.get(place)
        if found is not None and found.__qualname__ == function.__qualname__:
            yield function, found


def classes_within(before: Any, now: Any) -> Iterator[tuple[type, type]]:
    """Yield the classes that a function has from around it, or that a wrapper has, each with its namesake in another.

    >>> def singleton(cls): return lambda: cls
    >>> [list(classes_within(one(bool), one(bool))) for one in (singleton, functools.cache)]
    [[(<class 'bool'>, <class 'bool'>)], [(<class 'bool'>, <class 'bool'>)]]
    """
    second = _around(now)
    for name, cls in _around(before).items() if second else ():
        found: Any = second.get(name)
        if issubclass(type(cls), type) and issubclass(type(found), type) and _name_of(cls) == _name_of(found):
            yield cls, found


def _around(value: Any) -> dict[str, Any]:
    if type(value) is FunctionType:
        return variables_around(value) if value.__closure__ else {}
    return {"__wrapped__": _attribute(value, "__wrapped__")}


def wrapped_functions(values: Iterable[Any], spaces: Container[int]) -> list[FunctionType]:
    """Return the functions that others hold, as their wrappers, whose globals are among these, by id."""
    found: dict[int, FunctionType] = {}
    waiting = [value for value in {id(value): value for value in values}.values() if _may_wrap(value)]
    while waiting:
        inner = {
            id(part): part for value in waiting for part in functions_held(value).values() if id(part) not in found
        }
        found |= inner
        waiting = [part for part in inner.values() if _may_wrap(part)]
    return [part for part in found.values() if id(part.__globals__) in spaces]


def space_of(function: FunctionType) -> dict[str, Any]:
    """Return the globals of a function's module: those of what it wraps, where another module's decorator made it.

    >>> [space_of(part) is space_of.__globals__ for part in (space_of, functools.singledispatch(space_of))]
    [True, True]
    """
    for part in (function, *functions_held(function).values()):
        if part.__globals__.get("__name__") == function.__module__:
            return part.__globals__
    return function.__globals__


def _name_of(cls: type) -> tuple[str, ...]:
    return module_said_by(cls), type.__getattribute__(cls, "__qualname__")


def may_hold(value: Any) -> bool:
    """Say whether something can hold functions, or anything of its own: a function that is only its code can't.

    >>> may_hold(may_hold), may_hold(functools.wraps(len)(lambda: 0)), may_hold(lambda seen=[]: seen)
    (False, True, True)
    """
    return type(value) is not FunctionType or bool(value.__closure__ or value.__dict__ or gathering_defaults(value))


def has_own_name(value: Any) -> bool:
    """Say whether a decorator has made a value, which gave it the name of what it was given.

    >>> has_own_name(functools.cache(may_hold)), has_own_name(may_hold), has_own_name(1)
    (True, False, False)
    """
    return type((dict_of(value) or {}).get("__qualname__")) is str


def _may_wrap(value: Any) -> bool:
    if type(value) is FunctionType:
        return bool(value.__closure__ or value.__dict__)
    return id(type(value)) in _CACHES


def partials_within(value: Any) -> list[Any]:
    """Return the partials that something has as attributes: with them it holds functions.

    >>> from types import SimpleNamespace
    >>> partials_within(SimpleNamespace(call=functools.partial(len), n=1))
    [functools.partial(<built-in function len>)]
    """
    return [part for part in own_attributes(value).values() if type(part) is functools.partial]


def functions_held(value: Any) -> dict[str, FunctionType]:
    """Return the functions that something holds, by place: a variable of the function around it, or an attribute.

    What a forwarder calls took the place of what it had wrapped, and is none of its own.

    >>> functions_held(functools.partial(space_of)) == {"func": space_of}
    True
    """
    held, target = own_attributes(value), None
    if type(value) is FunctionType:
        target = target_of(value)
        held |= {place: value.__dict__.get(place) for place in _PLACES} | variables_around(value)
    else:
        held |= {place: _attribute(value, place) for place in _PLACES}
    found = (_first_function(place, part) for place, part in held.items() if _may_call(place, part))
    return {place: part for place, part in found if type(part) is FunctionType and part is not target}


def _may_call(place: str, part: Any) -> bool:
    """Say whether something at a place in another is a function, or calls one: told at once, of most that it isn't."""
    kind = type(part)
    return kind is FunctionType or kind is functools.partial or id(kind) in BOUND_IDS or place.startswith("__wrapped__")


def _first_function(place: str, part: Any) -> tuple[str, Any]:
    """Return the first function that something at a place calls, one by way of another, and its place."""
    while type(part) is not FunctionType and part is not None:
        place, part = f"{place}.func", _called_by(place, part)
    return place, part


def _called_by(place: str, part: Any) -> Any:
    """Return what something calls that is at a place in another, and is no function; None where nothing is known."""
    if type(part) is functools.partial:
        return part.func
    if id(type(part)) in BOUND_IDS:
        return part.__func__
    return _attribute(part, "__wrapped__") if place.startswith("__wrapped__") else None


def _attribute(value: Any, name: str) -> Any:
    """Return an attribute without running code of a person's class."""
    own = dict_of(value) or {}
    if name in own:
        return own[name]
    part = first_named(name, mro_of(type(value)))
    # What a proxy written in C computes may be what it puts off: only wrapt's are known to have it already.
    is_there = type(part) is MemberDescriptorType or (
        type(part) is GetSetDescriptorType and part.__objclass__.__module__ == "_wrappers"
    )
    return part.__get__(value, type(value)) if is_there else None
