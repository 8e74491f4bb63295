"""Finalisers of instances that are made anew: what they have goes on in their successors, whose end alone is one."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

from exocet_ipython.loading.classes import first_named, module_said_by, mro_of
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.survivors.replacing.states import set_class

__all__ = ["Finalisers", "silence"]


def _silent_first(cls: Any) -> list[type]:
    made, *bases = super(type(cls), cls).mro()
    return [made, _Silent, *bases]


class _Silent:
    """Stands before the class of an instance whose end says nothing: `__del__` would close what its successor has."""

    __slots__ = ()

    def __init_subclass__(cls, **options: object) -> None:
        """Tell nobody: this is no class of the person's."""

    def __del__(self) -> None:
        """Leave all as it is."""


def silence(instance: Any) -> None:
    """See that the finaliser of an instance, if it has one, doesn't run: it was made for a trial.

    >>> class Sink:
    ...     def __del__(self): print("closed")
    >>> sink = Sink(); silence(sink); del sink

    Raises:
        TypeError: Python makes no class of this kind without one.
    """
    if first_named("__del__", mro_of(type(instance))) is not None:
        set_class(instance, _silent_kind(type(instance)))


class Finalisers:
    """Those that must not run, by the classes of the instances that are made anew."""

    def __init__(self) -> None:
        self._silent: dict[int, tuple[type, type]] = {}  # id of a class -> it and one of its kind that has none

    def prepare(self, cls: type) -> None:
        """Find out whether instances of a class can do without theirs, before one is made anew.

        Raises:
            TypeError: they can't, as Python makes no class of this kind.
        """
        if id(cls) not in self._silent and first_named("__del__", mro_of(cls)) is not None:
            self._silent[id(cls)] = cls, _silent_kind(cls)

    def silence(self, instances: Iterable[Any], journal: Journal) -> None:
        """See that none runs for some instances, which were replaced by their successors wherever that was possible.

        Args:
            instances: these.
            journal: how it is taken back.
        """
        for instance in instances:
            before = type(instance)
            if id(before) in self._silent:
                set_class(instance, self._silent[id(before)][1])
                journal.add(functools.partial(set_class, instance, before))


def _silent_kind(cls: Any) -> type:
    space = {"__slots__": (), "__module__": module_said_by(cls), "__qualname__": cls.__qualname__}
    kind: Any = type(cls)
    try:
        # Its layout is that of its one base; not made by a call of the metaclass, which may register what it makes.
        meta: Any = type(kind)(_Silent.__name__, (kind,), {"mro": _silent_first})
        made: type = type.__new__(meta, cls.__name__, (cls,), space)
    except TypeError as error:
        message = f"its finaliser would run while a new object goes on with what it has: {error}"
        raise TypeError(message).with_traceback(None) from None
    return made
