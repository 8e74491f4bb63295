"""Retired modules: each has with it all that it takes to become current again, and nothing of ours holds it.

A module object dies when nobody refers to it, although its functions keep its dict alive (CPython
`Objects/moduleobject.c`, `module_dealloc`). From the moment in which a module retires, its dict holds it through its
own `__spec__`: so the module lives exactly as long as one of its functions does. A class without functions of its
module holds it through its `__module__`, which is the same text in an object that refers to the module. What has
neither functions nor classes has nothing that could come back, and dies as it always did.

What is changed in a retired object (it is made a forwarder, its class is detached, it is labelled) is remembered here
first, so that it can be given back as it was.
"""

from __future__ import annotations

import linecache
import weakref
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from types import CodeType, FunctionType
from typing import Any, Self

from exocet_ipython.loading.classes import is_immutable, module_said_by, mro_of, set_attribute
from exocet_ipython.loading.references import OwnReference
from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.reloading.collector import referents_of
from exocet_ipython.reloading.holding.contents import CACHE, cell_values
from exocet_ipython.reloading.holding.leaving import Leaving
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.recording import ModuleRecord

__all__ = [
    "RetiredModule",
    "functions_in",
    "functions_of",
    "living_retired",
    "own_classes",
    "retire_modules",
    "retired_class",
    "retired_module",
    "retired_of",
    "spaces_in",
]

_PLACE = "_exocet_retired"  # the attribute of a spec
_FUNCTION = ("__code__", "__defaults__", "__kwdefaults__", "__doc__", "__qualname__")
_CLASS = ("__qualname__", "__bases__")
_LINE = "__firstlineno__"  # of a class, since 3.13
_absent: Any = object()


@dataclass(slots=True, eq=False, weakref_slot=True)
class RetiredModule:
    """What a retired module was when it was current.

    Attributes:
        record: its last one.
        number: of the generation in which it was current last.
        is_spent: whether it can't become current again: a library had to forget what it had registered there, others
            moved while nothing of it was held, or a cell has put something in front of a function, and kept this.
        migrated: whether what survived of it was moved to the new modules.
        leaving: how it was left when what lives of it was only tracked.
        label: the name of its text in `linecache`, where the text on disk is no longer what it ran.
        renamed: names of globals and attributes that only are others in the module in its place, each with that one.
    """

    record: ModuleRecord
    number: int
    is_spent: bool = False
    migrated: bool = False
    label: str = ""
    leaving: Leaving | None = None
    renamed: Mapping[str, str] = field(default_factory=dict)
    _before: dict[int, tuple[weakref.ref[Any], dict[str, Any]]] = field(default_factory=dict)
    _since: dict[int, list[CodeType]] = field(default_factory=dict)
    _again: list[Callable[[Journal], object]] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"<retired module {self.record.name}, generation {self.number}>"

    def remember(self, thing: Any) -> None:
        """Remember a function or a class of the module as it is, unless it was changed before."""
        if id(thing) not in self._before:
            self._before[id(thing)] = OwnReference(thing), _state_of(thing)

    def codes(self, function: FunctionType) -> list[CodeType]:
        """Return what a function of the module has run, now and before: what closures that it made have."""
        known = self._before.get(id(function))
        return [*self._since.get(id(function), ()), function.__code__, *([known[1]["__code__"]] if known else ())]

    def remember_effect(self, again: Callable[[Journal], object]) -> None:
        """Remember how something is put back that the module's body had added to a list of the whole process."""
        self._again.append(again)

    def parts(self) -> Iterator[object]:
        """Yield the objects that refer to the module and to what it defined for this record's sake."""
        yield from (self, self.record, vars(self.record), self._before, self._again, *self._again, self._since)
        yield from self._since.values()
        for known in self._before.values():
            yield from (known, known[1], *(known[1][name] for name in known[1].keys() - {"__wrapped__"}))  # a closure

    def give_back(self, journal: Journal) -> None:
        """Give the module's objects back as they were when they were current, and let go of the module."""
        self.restore(journal)
        for again in self._again:
            again(journal)
        _release(self, journal)

    def restore(self, journal: Journal) -> None:
        """Make the module's functions and classes what they were when they were current, without labels."""
        for reference, state in self._before.values():
            if (thing := reference()) is not None:
                if type(thing) is FunctionType:
                    self._since.setdefault(id(thing), []).append(thing.__code__)
                journal.add(partial(_set_state, thing, _state_of(thing)))
                _set_state(thing, state)
        if self.label in linecache.cache:
            journal.add(partial(linecache.cache.__setitem__, self.label, linecache.cache.pop(self.label)))
        journal.add(partial(setattr, self, "label", self.label))
        self.label = ""


_living: defaultdict[str, weakref.WeakSet[RetiredModule]] = defaultdict(weakref.WeakSet)  # by dotted name


def retire_modules(old: Mapping[str, ModuleRecord], number: int, journal: Journal, *, are_spent: bool = False) -> None:
    """Have retiring modules live on as long as what they define.

    Args:
        old: dotted name -> record of a module that retires.
        number: of the generation that they retire from.
        journal: how it is taken back.
        are_spent: whether they can't become current again.
    """
    for name, record in old.items():
        spec = (space := globals_of(record.module)).get("__spec__")
        if spec is None or not hasattr(spec, "__dict__"):
            continue  # made by hand; it can't come back
        classes = list(own_classes(space, name))
        if not classes and not _has_function(space, space):
            continue
        retired = RetiredModule(record, number, are_spent)
        _living[name].add(retired)
        setattr(spec, _PLACE, retired)
        journal.add(partial(delattr, spec, _PLACE))
        for cls in classes:
            if not _has_function(vars(cls), space) and _space_of(cls) is not space:
                _set_home(cls, _Home(name, retired))
                journal.add(partial(_set_home, cls, name))


def retired_module(namespace: Mapping[str, Any]) -> RetiredModule | None:
    """Return what is remembered of the module that has this dict, if it is a retired one."""
    found = getattr(namespace.get("__spec__"), _PLACE, None)
    return found if type(found) is RetiredModule else None


def retired_of(module: object) -> RetiredModule | None:
    """Return what is remembered of a module, if it is a retired one; an object in a module's stead may have no dict."""
    return retired_module(globals_of(module))


def living_retired(*names: str) -> list[RetiredModule]:
    """Return what is remembered of all retired modules of which something is alive, or of those of some names."""
    return [retired for name in names or [*_living] for retired in [*_living.get(name, ())]]


def spaces_in(retired: RetiredModule) -> Iterator[Any]:
    """Yield the namespaces of a retired module and its classes."""
    space = globals_of(retired.record.module)
    yield space
    for cls in own_classes(space, retired.record.name):
        yield from (part for part in referents_of(cls) if type(part) is dict)


def retired_class(cls: type) -> RetiredModule | None:
    """Return what is remembered of the module that defined a class, if it is a retired one."""
    home = module_said_by(cls)
    if type(home) is _Home:
        return home.retired
    return None if (space := _space_of(cls)) is None else retired_module(space)


def own_classes(namespace: Mapping[str, Any], name: str) -> Iterator[type]:
    """Yield the classes that the module `name` itself defines, nested ones included, but for those of C's own."""
    seen: set[int] = set()
    waiting = [value for value in copy_space(namespace).values() if issubclass(type(value), type)]
    while waiting:
        cls = waiting.pop()
        if id(cls) not in seen and module_said_by(cls) == name and not is_immutable(cls):
            seen.add(id(cls))
            yield cls
            waiting += [part for part in copy_space(vars(cls)).values() if issubclass(type(part), type)]


def functions_in(value: Any) -> list[FunctionType]:
    """Return the functions of a class attribute: itself, or what a descriptor wraps."""
    kind = type(value)  # `isinstance` would ask the value itself
    if kind is FunctionType:
        return [value]
    if issubclass(kind, (staticmethod, classmethod)):
        return functions_in(value.__func__)
    if issubclass(kind, property):
        return [part for part in (value.fget, value.fset, value.fdel) if type(part) is FunctionType]
    if issubclass(kind, cached_property):
        return functions_in(value.func)
    return []


def functions_of(cls: type) -> list[FunctionType]:
    """Return the functions that a class itself has, those that descriptors wrap included."""
    return [function for part in copy_space(vars(cls)).values() for function in functions_in(part)]


class _Home(str):
    """The name of the module that a class is defined in, in an object that the collector follows to that module."""

    __slots__ = ("retired",)
    retired: RetiredModule

    def __new__(cls, name: str, retired: RetiredModule) -> Self:
        home = super().__new__(cls, name)
        home.retired = retired
        return home


def _has_function(namespace: Mapping[str, Any], space: Mapping[str, Any]) -> bool:
    """Say whether a namespace has functions with these globals, one that is cached or decorated elsewhere included."""
    values = list(namespace.values())
    return (
        any(type(value) is FunctionType and value.__globals__ is space for value in values)
        or any(type(value) is CACHE and getattr(value.__wrapped__, "__globals__", None) is space for value in values)
        or any(getattr(part, "__globals__", None) is space for value in values for part in _wrapped(value))
    )


def _wrapped(value: Any) -> list[Any]:
    """Return the functions that a function has from the one around it, which is a decorator as a rule."""
    found = cell_values(value) if type(value) is FunctionType and value.__closure__ else []
    return [part for part in found if type(part) is FunctionType]


def _space_of(cls: type) -> dict[str, Any] | None:
    """Return the dict of the module that a class keeps alive by one of its functions."""
    name = module_said_by(cls)
    for base in mro_of(cls):
        for function in functions_of(base) if module_said_by(base) == name else ():
            if function.__globals__.get("__name__") == name:
                return function.__globals__
    return None


def _set_home(cls: type, home: str) -> None:
    """Set a class's `__module__`; since 3.13 that drops `__firstlineno__` (CPython `type_set_module`)."""
    line = vars(cls).get(_LINE, _absent)
    set_attribute(cls, "__module__", home)
    _set_line(cls, line)


def _set_line(cls: type, line: Any) -> None:
    """Set in which line of its file a class says that it begins, where it says so."""
    if line is not _absent:
        set_attribute(cls, _LINE, line)


def _state_of(thing: Any) -> dict[str, Any]:
    if issubclass(type(thing), type):
        return {name: type.__getattribute__(thing, name) for name in _CLASS} | {_LINE: vars(thing).get(_LINE, _absent)}
    return {name: getattr(thing, name) for name in _FUNCTION} | {"__wrapped__": vars(thing).get("__wrapped__", _absent)}


def _set_state(thing: Any, state: Mapping[str, Any]) -> None:
    if issubclass(type(thing), type):
        for name in _CLASS:
            if type.__getattribute__(thing, name) is not state[name]:
                set_attribute(thing, name, state[name])
        _set_line(thing, state[_LINE])
        return
    for name, value in state.items():
        if name != "__wrapped__":
            setattr(thing, name, value)
        elif value is _absent:
            vars(thing).pop(name, None)
        else:
            vars(thing)[name] = value


def _release(retired: RetiredModule, journal: Journal) -> None:
    """Take the hold off that a module's dict and classes have on it."""
    space = vars(retired.record.module)
    spec = space["__spec__"]
    delattr(spec, _PLACE)
    journal.add(partial(setattr, spec, _PLACE, retired))
    name = retired.record.name
    for cls in own_classes(space, name):
        home = module_said_by(cls)
        if type(home) is _Home:
            journal.add(partial(_set_home, cls, home))
            _set_home(cls, str(name))
