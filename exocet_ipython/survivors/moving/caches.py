"""Caches that hold answers of the old code: `functools.lru_cache` of functions that are not made anew.

Those of the session's modules are made anew with their modules, which import what changed. What is left are the
notebook's own, and any that were asked about a class or an object that retired. Generic functions have one as well.
"""

from __future__ import annotations

import abc
import contextlib
import gc
import typing
from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from types import FunctionType, ModuleType
from typing import Any

from exocet_ipython.loading.classes import first_named, mro_of
from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.loading.trees import whole
from exocet_ipython.reloading.holding.contents import CACHE, dict_of
from exocet_ipython.reloading.holding.held import CELLS, home_of
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.survivors.carrying.registrations import DISPATCHING, dispatcher_of, is_of_abstract_class
from exocet_ipython.survivors.classes import living_classes
from exocet_ipython.survivors.moving.memos import asked_by, has_own_call, may_remember, remembered_by
from exocet_ipython.survivors.refusals import Refusals

__all__ = ["clear_caches", "compile_again", "forget_checks", "holds_caches"]

_CLEARING = ("cache_clear", "clear_cache", "recompile")  # as functools, jax and numba name it


def clear_caches(  # noqa: PLR0913 - where caches are, and which of them are meant
    namespace: Mapping[str, Any],
    records: Iterable[ModuleRecord],
    made: Collection[str],
    retired: Container[int],
    spared: Collection[ModuleRecord],
    *,
    earlier: Collection[ModuleRecord] = (),
    moving: bool = True,
    refusals: Refusals,
) -> list[Any]:
    """Clear the caches whose answers may come from code that was replaced.

    Args:
        namespace: the notebook's names, where caches are looked for.
        records: of modules where caches are looked for as well.
        made: dotted names of the modules that are new.
        retired: ids of what retired.
        spared: records of modules whose caches have answers that hold: their bodies have just run, say. Those that they
            only import from others have answers of before as well.
        earlier: records of modules whose caches have answers that hold, but for those about what retired: they were
            made anew when that was only tracked.
        moving: whether instances of what retired move; a cache that has some is left alone otherwise.
        refusals: what is noted of caches that refuse to be cleared.

    Returns:
        Those whose answers are compiled, for `compile_again` when what they are made of is current.
    """
    for clear in getattr(typing, "_cleanups", ()):  # what it remembers of `Optional[Model]` and the like
        clear()
    if not (found := list(_caches(namespace, records))):
        return []
    later = {id(cache) for cache, _ in _caches({}, earlier)}
    holding, fresh = {id(cache) for cache, _ in _caches({}, spared)} | later, {record.name for record in spared}
    compiled = []
    for cache, space in found:
        if _is_generic(cache):
            # It remembers, by weak references, which function answers for a class, whose bases are others now.
            getattr(cache, "_clear_cache", bool)()
            continue
        if not _has_answers(cache) or (id(cache) in holding and (dict_of(cache) or {}).get("__module__") in fresh):
            continue
        parts = _parts_of(cache)
        is_others = id(cache) not in holding and (_depends(cache, space, made) or _is_about(parts, made))
        is_about_old = _holds(_keys_of(cache) if id(cache) in later else parts, retired)
        if moving if is_about_old else is_others:
            if _clearing(cache) == "recompile":
                compiled.append(cache)
            else:
                _clear(cache, space, refusals)
    return compiled


def compile_again(compiled: Iterable[Any]) -> None:
    """Have numba's dispatchers compile anew what they have compiled; one that fails says so at its next call."""
    for one in compiled:
        with contextlib.suppress(Exception):  # the person sees it where they call it
            one.recompile()


def forget_checks(renewed: Iterable[Any]) -> None:
    """Have abstract classes and protocols forget what they have answered to `isinstance` and `issubclass`.

    They remember the classes they were asked about by weak references, which mean the new classes by now.

    Args:
        renewed: the weak references that were replaced; where none is of that kind, nothing happens.
    """
    if any(map(is_of_abstract_class, renewed)):
        clear: Any = getattr(abc.ABCMeta, "_abc_caches_clear")  # noqa: B009 - typeshed doesn't know it
        for cls in living_classes():
            # A class that is gone may have got a metaclass that derives from this one by now, and has no memory.
            if issubclass(type(cls), abc.ABCMeta) and first_named("_abc_impl", mro_of(cls)) is not None:
                clear(cls)


def holds_caches(namespace: Mapping[str, Any]) -> bool:
    """Say whether one of the names, or a class of a cell, has a cache that has answers.

    >>> import functools
    >>> holds_caches({"f": functools.cache(abs)})
    False
    """
    return any(not _is_generic(cache) and _has_answers(cache) for cache, _ in _caches(namespace))


def _caches(
    namespace: Mapping[str, Any], records: Iterable[ModuleRecord] = ()
) -> Iterator[tuple[Any, Mapping[str, Any]]]:
    """Yield the caches, and the generic functions, that are global or on a class that is, with the names they see."""
    seen: set[int] = set()
    kinds: dict[int, bool] = {}  # most things are of few types
    notebook = (namespace, list(namespace.values()))
    modules = ((globals_of(record.module), record.picked(_may_lead_to_cache)) for record in records)
    for space, values in (notebook, *modules):
        is_notebook = space is namespace and space.get("__name__") == CELLS
        for value in values:
            found = _parts_of_class(value) if _is_of_cell(value) else []
            for part in (value, *found):
                cache = part if (dispatcher := dispatcher_of(part)) is None else dispatcher
                is_cache = type(cache) is CACHE or _is_generic(cache) or (is_notebook and _may_be_cache(cache, kinds))
                if is_cache and id(cache) not in seen:
                    seen.add(id(cache))
                    yield cache, space


def _may_lead_to_cache(value: Any) -> bool:
    """Say whether something that a module has is a cache or a generic function, or a class that may have one."""
    return type(value) is CACHE or _is_generic(value) or dispatcher_of(value) is not None or _is_of_cell(value)


def _is_of_cell(value: Any) -> bool:
    return issubclass(type(value), type) and home_of(value) == CELLS


def _parts_of_class(cls: type) -> list[Any]:
    return list(copy_space(type.__getattribute__(cls, "__dict__")).values())


def _may_be_cache(value: Any, kinds: dict[int, bool]) -> bool:
    """Say whether something may keep answers in a way of its own; a type is looked at once."""
    kind = type(value)
    if kind is FunctionType:
        is_possible = bool(value.__closure__ or value.__dict__)
    elif (known := kinds.get(id(kind))) is not None:
        is_possible = known
    else:
        spaces = [type.__getattribute__(base, "__dict__") for base in mro_of(kind)]
        is_possible = kinds[id(kind)] = has_own_call(kind) or any(name in one for one in spaces for name in _CLEARING)
    return is_possible and (bool(_clearing(value)) or may_remember(value))


def _is_generic(cache: Any) -> bool:
    return type(cache) is FunctionType and cache.__code__ is DISPATCHING


def _clearing(value: Any) -> str:
    """Return the name of the method by which something that a library made of a function drops its answers.

    It is as functools' caches call it, which others follow, as jax does, whose functions keep what they have traced, or
    as numba's dispatchers do, whose answers are compiled.
    """
    kind = type(value)
    bases = mro_of(kind)
    own: Mapping[str, Any] = value.__dict__ if kind is FunctionType else {}
    found = next((name for name in _CLEARING if name in own or first_named(name, bases) is not None), "")
    # Others are not asked for their attributes: Python would make a dict of them, for good.
    return found if found and "__wrapped__" in (dict_of(value) or {}) else ""


def _has_answers(cache: Any) -> bool:
    return type(cache) is not CACHE or bool(cache.cache_info().currsize)


def _clear(cache: Any, namespace: Mapping[str, Any], refusals: Refusals) -> None:
    """Have a cache drop its answers. What has a name in the notebook is the person's."""
    if clearing := "cache_clear" if type(cache) is CACHE else _clearing(cache):
        try:
            getattr(cache, clearing)()
        except Exception as error:  # noqa: BLE001 - a library's, or the person's: it stops no reload, and is said
            refusals.note(f"the caches like {getattr(cache, '__qualname__', type(cache).__qualname__)}", error)
        return
    named = set(map(id, namespace.values()))
    for answers in [part for part in remembered_by(cache) if id(part) not in named]:
        answers.clear()


def _depends(cache: Any, namespace: Mapping[str, Any], made: Collection[str]) -> bool:
    """Say whether a function uses one of the new modules, directly or through functions and classes of cells."""
    waiting: list[Any] = [cache]
    seen: set[int] = set()
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if issubclass(type(value), ModuleType):
            name = value.__name__  # `package.module.function` begins with the name of the package
            if any(changed == name or changed.startswith(f"{name}.") for changed in made):
                return True
            continue
        space = dict_of(value) or {}
        if not {home_of(value), home_of(type(value)), str(space.get("__module__"))}.isdisjoint(made):
            return True
        waiting += asked_by(value).values()
        function = space.get("__wrapped__", value)
        if type(function) is FunctionType and function.__module__ == CELLS:
            names = [name for code in whole(function.__code__) for name in code.co_names]
            waiting += [namespace[name] for name in names if name in namespace]
            waiting += [part for part in (function.__defaults__ or ()) if part is not None]
        elif _is_of_cell(value):
            waiting += [part for part in _parts_of_class(value) if type(part) is FunctionType]
            waiting += mro_of(value)[1:-1]
    return False


def _holds(parts: Iterable[Any], retired: Container[int]) -> bool:
    """Say whether a retired object, or an instance of one, is among what a cache keeps."""
    return any(id(part) in retired or id(type(part)) in retired for part in parts)


def _is_about(parts: Iterable[Any], made: Container[str]) -> bool:
    """Say whether an instance of a class of one of the modules is among them: its methods may answer otherwise."""
    return any(home_of(type(part)) in made for part in parts)


def _keys_of(cache: Any) -> list[Any]:
    """Return the arguments by which a cache keeps its answers."""
    keys = [key for part in gc.get_referents(cache) if type(part) is dict for key in part]
    return keys + [item for key in keys if type(key) is tuple for item in key]


def _parts_of(cache: Any) -> list[Any]:
    """Return the arguments and the answers that a cache keeps, with what is in tuples of them."""
    parts = gc.get_referents(cache)
    parts += [item for part in parts if type(part) is dict for item in gc.get_referents(part)]
    return parts + [item for part in parts if type(part) is tuple for item in part]
