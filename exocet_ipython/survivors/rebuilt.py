"""What can't be changed in place is made anew: tuples, frozen sets, bound methods, aliases, references, generators."""

from __future__ import annotations

import functools
import gc
import operator
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import BuiltinMethodType, FunctionType, GenericAlias, MethodType, MethodWrapperType, UnionType
from typing import Any, ParamSpecArgs, ParamSpecKwargs

from exocet_ipython.loading.classes import class_for, first_named, mro_of, set_attribute
from exocet_ipython.reloading.collector import referrers_of
from exocet_ipython.reloading.holding.caches import function_of_cache
from exocet_ipython.reloading.holding.contents import BOUND_IDS, C_METHODS, CACHE, dict_of, unbound
from exocet_ipython.reloading.holding.slots import with_slots
from exocet_ipython.survivors.generators import GENERATORS, remake_generator
from exocet_ipython.survivors.variables import VARIABLES, remake_variable

__all__ = [
    "MISSING",
    "REBUILDS",
    "Replacement",
    "counterpart",
    "or_same",
    "rebound_methods",
    "renewed_supers",
]

Replacement = Mapping[int, tuple[Any, Any]]  # id of an object -> the object and its counterpart
MISSING = object()


def counterpart(value: Any, replacement: Replacement) -> Any:
    """Return what takes a value's place, or `MISSING`."""
    found = replacement.get(id(value))
    return MISSING if found is None else found[1]


def or_same(value: Any, replacement: Replacement) -> Any:
    """Return what takes a value's place, or the value itself."""
    now = counterpart(value, replacement)
    return value if now is MISSING else now


def renewed_supers(holders: Iterable[Any], replacement: Replacement) -> Iterator[tuple[int, tuple[Any, Any]]]:
    """Yield, by id, the `super(Base, thing)` among holders of replaced classes, each with that of the new class.

    Where the thing has moved to that: else Python makes none.
    """
    for holder in holders:
        if type(holder) is super:
            before, thing = (vars(super)[name].__get__(holder) for name in ("__thisclass__", "__self__"))
            now, target = counterpart(before, replacement), or_same(thing, replacement)
            if now is not MISSING and now in mro_of(class_for(target)):
                yield id(holder), (holder, super(now, target))


def rebound_methods(
    classes: Iterable[tuple[type, type]], replacement: Replacement
) -> Iterator[tuple[int, tuple[Any, Any]]]:
    """Yield, by id, the bound methods of bases that go on, each with that of the class which covers it by now.

    Args:
        classes: retired classes with the new ones, to which their instances have moved.
        replacement: what retired: methods of that are made anew as holders of it.
    """
    covered: dict[int, Any] = {}  # the functions of these bases
    gained: set[int] = set()
    for old, new in classes:
        for name in vars(new).keys() - vars(old).keys():
            before, now = (unbound(first_named(name, mro_of(cls))) for cls in (old, new))
            if type(before) is type(now) is FunctionType and id(before) not in replacement and name[:2] != "__":
                covered[id(before)] = before
                gained.add(id(now))
    for holder in referrers_of([*covered.values()]) if covered else ():
        if type(holder) is MethodType:
            name, owner = holder.__func__.__name__, class_for(holder.__self__)
            found = [part for cls in mro_of(owner) if (part := vars(cls).get(name)) is not None]
            others = [part for part in found if id(unbound(part)) not in gained]
            if others and others[0] is not found[0] and unbound(others[0]) is holder.__func__:
                target = None if owner is holder.__self__ else holder.__self__
                yield id(holder), (holder, found[0].__get__(target, owner))


def _rebuild_tuple(holder: tuple[Any, ...], replacement: Replacement) -> Any:
    """Make a tuple with other items, a named one as an instance of its new class: both are what it can't change."""
    items = tuple.__getitem__(holder, slice(None))
    made = tuple(or_same(item, replacement) for item in items)
    if all(now is before for now, before in zip(made, items, strict=True)):
        return None
    before = type(holder)
    now = or_same(before, replacement)
    if before is tuple or getattr(before, "_fields", None) != getattr(now, "_fields", None):
        return made if before is tuple else None
    successor = tuple.__new__(now, made)
    if hasattr(successor, "__dict__"):
        vars(successor).update(_with_hash_of(successor, holder))
    return successor


def _with_hash_of(successor: tuple[Any, ...], holder: tuple[Any, ...]) -> dict[str, Any]:
    """Return the attributes of a tuple, and where one of them is its hash, which it keeps, that of its successor."""
    attributes = dict(vars(holder))
    try:
        was, now = (tuple.__hash__(one) for one in (holder, successor))
    except TypeError:  # an item has no hash
        return attributes
    return {name: now if type(value) is int and value == was else value for name, value in attributes.items()}


def _rebuild_frozenset(holder: frozenset[Any], replacement: Replacement) -> Any:
    items = frozenset.union(holder)
    if replacement.keys().isdisjoint(map(id, items)):
        return None
    made = frozenset(or_same(item, replacement) for item in items)
    if type(holder) is frozenset:
        return made
    successor = frozenset.__new__(or_same(type(holder), replacement), made)
    for name, value in (with_slots(holder, dict_of(holder)) or {}).items():
        set_attribute(successor, name, or_same(value, replacement))
    return successor


def _rebuild_method(holder: MethodType, replacement: Replacement) -> Any:
    function = _looked_up(holder, replacement)
    if function is MISSING:
        function = counterpart(holder.__func__, replacement)
    target = or_same(holder.__self__, replacement)
    if function is MISSING and target is holder.__self__:
        return None
    names = [getattr(one, "__name__", "") for one in (function, holder.__func__)]
    return _bound(holder.__func__ if not callable(function) else function, target, replacement, names)


def _looked_up(method: MethodType, replacement: Replacement) -> Any:
    """Return the function that looking a method up gives now, another class's perhaps; `MISSING` where nothing tells.

    It was looked up where its object's class has it under its name: what `super()` gives is as a rule another one.
    """
    before, name = method.__func__, getattr(method.__func__, "__name__", "")
    owner = class_for(method.__self__)
    if unbound(first_named(name, mro_of(owner))) is not before:
        return MISSING
    found = unbound(first_named(name, _mro_now(owner, replacement)))
    return found if type(found) is FunctionType and found is not before else MISSING


def _mro_now(cls: type, replacement: Replacement) -> tuple[type, ...]:
    """Return where attributes of a class will be looked up: one of a cell has its old bases until all is replaced."""
    now, bases = or_same(cls, replacement), type.__getattribute__(cls, "__bases__")
    if now is not cls:
        return mro_of(now) if issubclass(type(now), type) else ()
    if len(bases) == 1:
        return (cls, *_mro_now(bases[0], replacement))
    return tuple(kind for base in mro_of(cls) if issubclass(type(kind := or_same(base, replacement)), type))


def _bound(function: Any, target: Any, replacement: Replacement, names: list[str]) -> Any:
    """Bind a function to an instance or a class as its class would: it may be a static method by now, or none."""
    owner = class_for(target)
    spaces = [vars(base) for base in _mro_now(owner, replacement)]
    # It may have been called like the attribute until now (`load = staticmethod(read)`).
    found: Any = next((space[name] for name in names for space in spaces if name in space), None)
    if found is function and target is owner:
        return function
    if id(type(found)) in BOUND_IDS and found.__func__ is function:
        # An instance moves to its class later.
        return function if type(found) is staticmethod else MethodType(function, or_same(owner, replacement))
    return MethodType(function, target)


def _rebuild_builtin(holder: BuiltinMethodType | MethodWrapperType, replacement: Replacement) -> Any:
    """Bind a method that Python itself defines, `styles.get` of a dict, to what takes the place of its object."""
    target = counterpart(holder.__self__, replacement)
    if target is MISSING:
        return None
    is_class = issubclass(type(target), type)
    found = first_named(holder.__name__, mro_of(target if is_class else type(target)))
    if not issubclass(type(found), C_METHODS):
        return None
    return found.__get__(None, target) if is_class else found.__get__(target, type(target))


def _rebuild_cache(holder: Any, replacement: Replacement) -> Any:
    """Make the `lru_cache` of a method or function that is replaced anew, empty: its answers are the old code's."""
    function = counterpart(function_of_cache(holder), replacement)
    if not callable(function):
        return None
    made = functools.lru_cache(**holder.cache_parameters())(function)
    vars(made).update({**vars(holder), **vars(made)})
    return made


def _rebuild_alias(holder: GenericAlias, replacement: Replacement) -> Any:
    origin, args = (or_same(part, replacement) for part in (holder.__origin__, holder.__args__))
    if origin is holder.__origin__ and args is holder.__args__:
        return None
    return GenericAlias(origin, args)


def _rebuild_union(holder: UnionType, replacement: Replacement) -> Any:
    args = or_same(holder.__args__, replacement)
    return None if args is holder.__args__ else functools.reduce(operator.or_, args)


def _rebuild_part(holder: Any, replacement: Replacement) -> Any:
    """Make `P.args` or `P.kwargs` of what takes the place of the parameters `P`."""
    now = counterpart(holder.__origin__, replacement)
    return None if now is MISSING else type(holder)(now)


def _rebuild_bound(holder: Any, replacement: Replacement) -> Any:
    """Make a static or class method of a class of a cell anew: `parse = staticmethod(tools.parse)`."""
    now = counterpart(holder.__func__, replacement)
    return None if now is MISSING or id(type(holder)) not in BOUND_IDS else type(holder)(now)


def _rebuild_property(holder: property, replacement: Replacement) -> Any:
    parts = (holder.fget, holder.fset, holder.fdel)
    now = tuple(or_same(part, replacement) for part in parts)
    is_same = all(first is second for first, second in zip(parts, now, strict=True))
    if is_same or type(holder) is not property:
        return None
    doc = None if holder.__doc__ == getattr(holder.fget, "__doc__", None) else holder.__doc__
    return property(now[0], now[1], now[2], doc)  # else it has the docstring of the new function that reads it


def _rebuild_weak(holder: weakref.ref[Any], replacement: Replacement) -> Any:
    """Make a weak reference whose callback is replaced anew; not one of a class that takes more than the callback."""
    now, target = counterpart(holder.__callback__, replacement), holder()
    if now is MISSING or target is None or type(holder).__new__ is not weakref.ref.__new__:
        return None
    made = type(holder)(target, now)
    if hasattr(made, "__dict__"):
        vars(made).update(vars(holder))
    return made


def _rebuild_generator(holder: Any, replacement: Replacement) -> Any:
    """Make a generator that has not begun anew, of other arguments (`evens(numbers())`), or by another function."""
    if replacement.keys().isdisjoint(map(id, gc.get_referents(holder))):
        return None
    find = functools.partial(or_same, replacement=replacement)
    return remake_generator(holder, find, renew=find)


def _rebuild_lazy(holder: Any, replacement: Replacement) -> Any:
    """Make `map(Model, rows)` anew, which goes on with what is left of the rows."""
    function, *iterators = holder.__reduce__()[1]
    now = counterpart(function, replacement)
    return None if now is MISSING else type(holder)(now, *iterators)


def _rebuild_variable(holder: Any, replacement: Replacement) -> Any:
    return remake_variable(holder, replacement, functools.partial(or_same, replacement=replacement))


# For each type, what makes a holder anew with its references replaced; None where it holds nothing that is.
REBUILDS: tuple[tuple[type | tuple[type, ...], Callable[[Any, Replacement], Any]], ...] = (
    (tuple, _rebuild_tuple),
    (frozenset, _rebuild_frozenset),
    (MethodType, _rebuild_method),
    (BuiltinMethodType, _rebuild_builtin),
    (MethodWrapperType, _rebuild_builtin),
    (CACHE, _rebuild_cache),
    (staticmethod, _rebuild_bound),
    (classmethod, _rebuild_bound),
    (property, _rebuild_property),
    (weakref.ref, _rebuild_weak),
    (GenericAlias, _rebuild_alias),
    (UnionType, _rebuild_union),
    ((ParamSpecArgs, ParamSpecKwargs), _rebuild_part),
    (GENERATORS, _rebuild_generator),
    ((map, filter), _rebuild_lazy),
    (VARIABLES, _rebuild_variable),
)
