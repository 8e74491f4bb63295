"""What was told of a class when it was made, its metaclass and its bases' hooks, and no longer would be.

`__init_subclass__` and metaclasses keep lists of the classes that they are told of. A restart runs a cell's `class`
statement with the bases of now: where these have lost a metaclass or a hook, it tells it nothing.
"""

from __future__ import annotations

import typing
from collections.abc import Container, Iterator, Mapping
from types import MappingProxyType, ModuleType
from typing import Any

from exocet_ipython.loading.classes import module_said_by, mro_of
from exocet_ipython.loading.references import OwnReference
from exocet_ipython.reloading.holding.contents import attributes_of, is_registry
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.retired import functions_of
from exocet_ipython.survivors.classes import with_subclasses
from exocet_ipython.survivors.repeating.entries import entries, take_out

__all__ = [
    "HOOK",
    "find_tellers",
    "first_untold",
    "has_been_told",
    "hooked",
    "hooked_now",
    "note_told",
    "tell",
    "withdraw_class",
    "withdraw_from",
    "withdraw_from_lost",
]

HOOK = "__init_subclass__"
_Weak = OwnReference[type]
_told: dict[tuple[int, int], tuple[_Weak, _Weak]] = {}  # by ids: a class with a hook, and one that it was told of


def note_told(cls: type) -> None:
    """Note that its metaclass and the hooks of its bases know a class, and what derives from it, as long as these live.

    One day an undo may bring these bases back, with all that the hooks have made of it.
    """
    for key in [key for key, pair in list(_told.items()) if any(one() is None for one in pair)]:
        _told.pop(key, None)
    for subclass in with_subclasses([cls]):
        for teller in _tellers(subclass.__bases__, type(subclass)):
            _told[id(teller), id(subclass)] = OwnReference(teller), OwnReference(subclass)


def find_tellers(cls: type, counterparts: Mapping[int, type]) -> dict[int, tuple[type, type]]:
    """Return what was told of a class, with what takes its place, by the id of that."""
    pairs = ((before, counterparts.get(id(before), before)) for before in hooked(cls.__bases__))
    return {id(now): (before, now) for before, now in pairs}


def first_untold(cls: type, told: Container[int]) -> type | None:
    """Return the first base whose hook is to be told of a class, and hands it on to those behind; None where none is.

    Args:
        cls: the class, with the bases of now.
        told: ids of those that were told of it: what they stand before gets to know it only where they hand it on.
    """
    tellers = [base for base in mro_of(cls)[1:] if _has_hook(base)]
    for place, teller in enumerate(tellers):
        if id(teller) not in told and not has_been_told(teller, cls):
            rest = tellers[place + 1 :]
            return None if any(id(other) in told or has_been_told(other, cls) for other in rest) else teller
        if not _hands_on(teller):
            break
    return None


def _hands_on(teller: type) -> bool:
    code = getattr(getattr(vars(teller)[HOOK], "__func__", None), "__code__", None)
    return code is None or {"super", HOOK} <= set(code.co_names)


def has_been_told(teller: type, cls: type) -> bool:
    """Say whether a metaclass or a base with a hook was told of a class before: an undo has brought it back."""
    known = _told.get((id(teller), id(cls)))
    return known is not None and known[0]() is teller and known[1]() is cls


def tell(cls: Any, keywords: Mapping[str, Any] = MappingProxyType({}), first: type | None = None) -> None:
    """Tell the hooks that a class has of its bases of it, as its statement would, with these keywords.

    Args:
        cls: the class.
        keywords: those of its statement.
        first: the first of these bases, where those before it know the class.

    >>> told = []
    >>> class Base: pass
    >>> class Mine(Base): pass
    >>> Base.__init_subclass__ = classmethod(lambda cls: told.append(cls.__name__))
    >>> tell(Mine)
    >>> told
    ['Mine']
    """
    lineage = mro_of(cls)
    before: Any = cls if first is None else lineage[lineage.index(first) - 1]
    super(before, cls).__init_subclass__(**keywords)


def withdraw_class(
    cls: type,
    now: tuple[tuple[type, ...], type],
    counterparts: Mapping[int, type],
    session: Mapping[str, ModuleType],
    journal: Journal,
) -> None:
    """Take a class out of the containers of metaclasses and hooks that would not be told of it any more.

    Args:
        cls: the class, as it is.
        now: the bases and the metaclass that it gets.
        counterparts: id of a retired class -> what took its place.
        session: dotted name -> module that is current now.
        journal: how it is taken back.
    """
    staying = set(map(id, _tellers(*now)))
    for before in _tellers(cls.__bases__, type(cls)):
        teller = counterparts.get(id(before), before)
        if id(teller) not in staying:
            withdraw_from(cls, before, teller, session, journal)


def withdraw_from_lost(
    cls: type, told: Mapping[int, tuple[type, type]], session: Mapping[str, ModuleType], journal: Journal
) -> None:
    """Take a class out of the containers of what was told of it and would not be with the bases that it has now."""
    staying = set(map(id, hooked(cls.__bases__)))
    for before, now in (pair for key, pair in told.items() if key not in staying):
        withdraw_from(cls, before, now, session, journal)


def withdraw_from(cls: type, before: type, now: type, session: Mapping[str, ModuleType], journal: Journal) -> None:
    """Take a class out of the containers of one that was told of it, as they are now.

    Args:
        cls: the class.
        before: what was told of it.
        now: what takes its place, or the same.
        session: dotted name -> module that is current now.
        journal: how it is taken back.
    """
    if module_said_by(now) in session:
        for container in _containers(before, now, vars(session[module_said_by(now)])):
            for key in [key for key, value in entries(container) if key is cls or value is cls]:
                take_out(container, key, journal)


def _tellers(bases: tuple[type, ...], metaclass: type) -> Iterator[type]:
    yield from (base for base in mro_of(metaclass) if base is not type and base is not object)
    yield from hooked(bases)


def hooked(bases: tuple[type, ...]) -> Iterator[type]:
    """Yield the bases, and bases of theirs, that have a hook of their own; that of `Generic` only reads the bases."""
    for base in bases:
        yield from filter(_has_hook, mro_of(base))


def hooked_now(cls: type, counterparts: Mapping[int, type]) -> Iterator[type]:
    """Yield the bases of a class, and bases of theirs, that have a hook when what retired has given its place.

    Args:
        cls: the class, with the bases of before.
        counterparts: id of a retired class -> what takes its place.
    """
    for base in cls.__bases__:
        now = counterparts.get(id(base))
        if now is not None:
            yield from filter(_has_hook, mro_of(now))
        else:
            yield from [base] if _has_hook(base) else []
            yield from hooked_now(base, counterparts)


def _has_hook(cls: type) -> bool:
    return cls is not object and HOOK in vars(cls) and module_said_by(cls) != typing.__name__


def _containers(before: type, now: type, space: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the containers that a current class has, and those of its module's globals that its functions name."""
    if space.get(now.__qualname__) is now:
        yield from (part for _, part in attributes_of(now) if is_registry(part))
    for name in {name for function in functions_of(before) for name in function.__code__.co_names}:
        if is_registry(space.get(name)):
            yield space[name]
