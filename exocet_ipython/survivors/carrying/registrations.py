"""Registrations that cells made with the standard library's own registries."""

from __future__ import annotations

import abc
import weakref
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, singledispatch, singledispatchmethod
from itertools import chain, pairwise
from types import BuiltinFunctionType, CodeType, FunctionType, MappingProxyType
from typing import Any

from exocet_ipython.loading.classes import module_said_by
from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.reloading.holding.contents import attributes_of
from exocet_ipython.reloading.holding.held import CELLS
from exocet_ipython.reloading.ladder.operations import iter_operations
from exocet_ipython.reloading.ladder.uses import read_uses
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.survivors.classes import living_classes
from exocet_ipython.survivors.origins import is_from_cell
from exocet_ipython.survivors.storing.readings import ReadStores

__all__ = [
    "DISPATCHING",
    "TakenOut",
    "carry_registrations",
    "dispatcher_of",
    "is_of_abstract_class",
    "is_registered_again",
    "registered_by_cells",
    "registering_references",
    "without_registered",
]

DISPATCHING = singledispatch(lambda _: None).__code__  # type: ignore[attr-defined] # typeshed has no function there


def carry_registrations(before: Any, now: Any, read: ReadStores, body: CodeType | None) -> None:
    """Carry what cells registered with `functools.singledispatch`, its method, and abstract base classes.

    Args:
        before: a value of a module that retires.
        now: its counterpart.
        read: which modules retire, and what takes their place.
        body: the code of the retiring module.
    """
    if issubclass(type(before), type) and issubclass(type(now), type):
        for name, dispatcher in attributes_of(before):
            _carry_dispatch(dispatcher_of(dispatcher), dispatcher_of(vars(now).get(name)))
        if isinstance(before, abc.ABCMeta) and isinstance(now, abc.ABCMeta):
            _carry_subclasses(before, now, read, body)
    else:
        _carry_dispatch(before, now)


def dispatcher_of(value: Any) -> Any:
    """Return the generic function behind a `functools.singledispatchmethod`; None of anything else."""
    return value.dispatcher if issubclass(type(value), singledispatchmethod) else None


def _carry_dispatch(before: Any, now: Any) -> None:
    if before is now or not (_registry(before) and _registry(now)):
        return
    for cls, function in registered_by_cells(before):
        now.register(cls, function)


def registered_by_cells(dispatcher: Any) -> list[tuple[type, Any]]:
    """Return what cells registered with a generic function, by class; nothing where it is none."""
    found = (_registry(dispatcher) or {}).items()
    return [(cls, function) for cls, function in found if is_from_cell(function) or is_from_cell(cls)]


def is_of_abstract_class(reference: Any) -> bool:
    """Say whether a weak reference is one by which an abstract class knows another: it registered that, or was asked.

    >>> import abc
    >>> class Shape(abc.ABC): pass
    >>> class Circle: pass
    >>> _ = Shape.register(Circle)
    >>> any(map(is_of_abstract_class, weakref.getweakrefs(Circle))), is_of_abstract_class(weakref.ref(Circle))
    (True, False)
    """
    called = reference.__callback__ if issubclass(type(reference), weakref.ref) else None
    return type(called) is BuiltinFunctionType and called.__name__ == "_destroy"


def registering_references() -> frozenset[int]:
    """Return the ids of the weak references by which abstract classes know what was registered with them."""
    return frozenset(
        id(reference)
        for cls in living_classes()
        if issubclass(type(cls), abc.ABCMeta)
        for reference in _registered_with(cls)
    )


def is_registered_again(reference: Any, cls: Any) -> bool:
    """Say whether an abstract class that knows a class by a weak reference knows another one of its name as well."""
    place = reference.__callback__.__self__()  # a weak reference to the set of them, which is called with each
    others = [other for other in map(weakref.ref.__call__, place or ()) if other is not None and other is not cls]
    name = (module_said_by(cls), cls.__qualname__)
    return any((module_said_by(other), other.__qualname__) == name for other in others)


def without_registered(
    renewed: Mapping[int, tuple[Any, Any]], before: Any, taken_out: TakenOut
) -> Mapping[int, tuple[Any, Any]]:
    """Return what takes the place of weak references, without those by which abstract classes know a registered class.

    Only where an edit has taken out a statement that registers it: else a cell has done so, or the new bodies do again.

    Args:
        renewed: id of a reference -> it, and its counterpart.
        before: what the references are to.
        taken_out: what the edit has taken out.
    """
    known = {key for key, (reference, _) in renewed.items() if is_of_abstract_class(reference)}
    if not known or not taken_out.has(before.__name__):
        return renewed
    taken = {
        key
        for cls in living_classes()
        if issubclass(type(cls), abc.ABCMeta)
        for key in known.intersection(map(id, chain(*_known_to(cls))))
        if taken_out.has(before.__name__, cls)
    }
    return {key: pair for key, pair in renewed.items() if key not in taken}


@dataclass(frozen=True)
class TakenOut:
    """Which statements that register a class, as a decorator or as they are called, an edit has taken out.

    Attributes:
        old: records of the modules that retire.
        new: those of what takes their places.
    """

    old: Sequence[ModuleRecord]
    new: Sequence[ModuleRecord]

    def has(self, name: str, registrar: type | None = None) -> bool:
        """Say whether one of them registers a class of a name.

        Args:
            name: that of the class.
            registrar: the abstract class with which it does so; None if that doesn't matter.
        """
        found = [names for names in self._statements if name in names]
        return bool(found) and (registrar is None or not self._names_of(registrar).isdisjoint(chain(*found)))

    @cached_property
    def _statements(self) -> list[frozenset[str]]:
        """The names in each of them: there may be hundreds of classes to ask for, and all code is read for it."""
        before, now = (Counter(chain.from_iterable(map(_registering, records))) for records in (self.old, self.new))
        return [*(before - now)]

    def _names_of(self, registrar: type) -> set[str]:
        """Return the names by which modules may know an abstract class: its own, and others that they have given it."""
        given = (copy_space(globals_of(record.module)).items() for record in self.old)
        return {registrar.__name__, *(name for space in given for name, value in space if value is registrar)}


def _registering(record: ModuleRecord) -> Iterator[frozenset[str]]:
    """Yield the names in each statement of a module that registers something, as far as one can tell."""
    code = record.readable_code
    for body in read_uses(record.name, code).bodies if code is not None else ():
        places = {one.offset for one in body.mentions("register")} if "register" in body.names else ()
        for place in places:
            yield frozenset(other for other in body.names if any(one.offset == place for one in body.mentions(other)))


def _registry(value: Any) -> Mapping[type, Any] | None:
    found = vars(value).get("registry") if type(value) is FunctionType else None
    return found if type(found) is MappingProxyType else None


def _carry_subclasses(before: abc.ABCMeta, now: abc.ABCMeta, read: ReadStores, body: CodeType | None) -> None:
    """Carry the virtual subclasses that cells have registered; the modules register theirs again."""
    found = [reference() for reference in _registered_with(before)]
    taken_out = TakenOut(read.retired, [read.new[name] for name in read.after if name in read.new])
    own = set(_names_registered(before.__name__, body)) if found and body is not None else set()
    for cls in found:
        if cls is None:
            continue
        if module_said_by(cls) in read.after:
            successor: Any = _successor(cls, read)
            if successor is not None and not taken_out.has(cls.__name__, before):
                now.register(successor)
        elif module_said_by(cls) == CELLS or cls.__name__ not in own:
            now.register(cls)


def _registered_with(cls: type) -> Iterable[Any]:
    """Return the weak references to what was registered with an abstract class."""
    return next(iter(_known_to(cls)), ())


def _known_to(cls: type) -> Sequence[Iterable[Any]]:
    """Return the weak references to what was registered with an abstract class, and to what it was asked about."""
    dump = getattr(abc, "_get_dump", None)
    return dump(cls)[:3] if dump is not None else ()


def _successor(cls: type, read: ReadStores) -> type | None:
    """Return what takes the place of a module's class; None of one that was its module's no more."""
    name, home = cls.__name__, module_said_by(cls)
    now = globals_of(read.after[home]).get(name)
    is_its = globals_of(read.session[home].module).get(name) is cls
    return now if is_its and issubclass(type(now), type) else None


def _names_registered(name: str, body: CodeType) -> Iterator[str]:
    """Yield the classes that a module's body registers with one of its own: `Number.register(float)`.

    >>> list(_names_registered("N", compile("N.register(float); N.register(np.ndarray); M.register(int)", "", "exec")))
    ['float', 'ndarray']
    """
    path: list[str] = []  # the names of an expression, which come one after the other
    for _, _, argument in iter_operations(body):
        part = argument[0] if type(argument) is tuple and argument else argument
        if type(part) is str:
            path.append(part)
            continue
        if (name, "register") in pairwise(path[:-1]):
            yield path[-1]
        path.clear()
