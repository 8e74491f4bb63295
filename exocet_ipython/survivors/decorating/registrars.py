"""What cells may have registered something with, and that an edit has register it otherwise.

Functions, methods, and classes whose instances are called with it, as in `@Route("/x")`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from types import FunctionType, MethodType, ModuleType
from typing import Any

from exocet_ipython.loading.classes import first_named, mro_of
from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.loading.trees import whole
from exocet_ipython.reloading.holding.contents import ATOM_IDS, BOUND_IDS
from exocet_ipython.reloading.holding.held import home_of
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.survivors.classes import changed_constants
from exocet_ipython.survivors.decorating.calls import Key
from exocet_ipython.survivors.decorating.registrations import (
    RegisteringText,
    functions_called,
    read_both,
    read_maker,
    run_alike,
)
from exocet_ipython.survivors.former import renamed_by, under_old_names
from exocet_ipython.survivors.rebasing.constants import changed_globals

__all__ = ["Registrar", "find_changed"]


@dataclass(frozen=True, slots=True, eq=False)
class Registrar:
    """A function or method that registers what cells give it, as it did and as it does now.

    Attributes:
        now: what is called now.
        before: what was called.
        texts: of both.
        names: what cells may call it.
        makes: whether it is a decorator that gave what it was given, and makes something else of that now.
    """

    now: Any
    before: Any
    texts: tuple[RegisteringText, RegisteringText]
    names: AbstractSet[str]
    makes: bool = False

    @property
    def depth(self) -> int:
        """How many calls it takes to register something."""
        return self.texts[0].depth


def find_changed(
    old: Mapping[str, ModuleRecord],
    made: Mapping[str, ModuleType],
    words: Callable[[], Iterable[frozenset[str]]],
    names: Mapping[int, set[str]],
) -> dict[Key, Registrar]:
    """Return what cells may have registered something with, and what does that otherwise now.

    Args:
        old: dotted name -> record of a module that retires.
        made: dotted name -> module that takes its place.
        words: gives those of each cell: what none of them names is nothing with which they have registered.
        names: id of a function -> what the notebook calls it.
    """
    pairs, called = dict[Key, tuple[Any, Any]](), defaultdict[Key, set[str]](set)
    for key, name, before, now in _pairs(old, made):
        pairs[key] = before, now
        called[key] |= {name, now.__name__, *names.get(key[0], ())} if not key[1] else {name}
    said = frozenset[str]().union(*words())
    called_by_cells = [key for key in pairs if not said.isdisjoint(called[key])]
    if not called_by_cells:
        return {}
    otherwise = {name for before, now in _classes(old, made) for name in changed_constants(before, now)}
    spaces = [(globals_of(old[name].module), _space_now(old[name], made[name])) for name in old.keys() & made.keys()]
    otherwise |= {name for before, now in spaces for name in changed_globals(before, now)}
    known = {key: {name for names in _names_in(pairs[key][1]) for name in names} for key in called_by_cells}
    helpers = frozenset[str]().union(*known.values())
    edited = {
        key
        for key, (before, now) in pairs.items()
        if key in known or now.__name__ in helpers
        if not (run_alike(before, now) and all(map(otherwise.isdisjoint, _names_in(now))))
    }
    asked = {pairs[key][1].__name__ for key in edited}
    found = {}
    for key, names_said in known.items():
        before, now = pairs[key]
        if key not in edited and asked.isdisjoint(names_said):
            continue
        if (texts := read_both(before, now, otherwise)) is not None:
            found[key] = Registrar(now, before, texts, called[key])
        elif (texts := read_maker(before, now)) is not None:
            found[key] = Registrar(now, before, texts, called[key], makes=True)
    return found


def _space_now(record: ModuleRecord, now: ModuleType) -> Mapping[str, Any]:
    return under_old_names(globals_of(now), renamed_by(record.module))


def _pairs(old: Mapping[str, ModuleRecord], made: Mapping[str, ModuleType]) -> Iterator[tuple[Key, str, Any, Any]]:
    """Yield the functions and methods of modules with those of now, and what they are called there."""
    for name in old.keys() & made.keys():
        space, now = globals_of(old[name].module), globals_of(made[name])
        counterparts = _space_now(old[name], made[name])
        for attribute, before in copy_space(space).items():
            after = counterparts.get(attribute)
            if type(before) is FunctionType:
                if before.__globals__ is space and _is_own(after, now):
                    yield (id(after), ""), attribute, before, after
            elif type(before) is type(after) is MethodType:
                functions = before.__func__, after.__func__
                if type(functions[0]) is type(functions[1]) is FunctionType and home_of(functions[0]) in old:
                    yield (id(after), ""), attribute, before, after
            elif after is not None and id(type(before)) not in ATOM_IDS:
                for key, one, other in _methods(before, after, name, old):
                    yield key, key[1] or attribute, one, other


def _is_own(value: Any, space: Mapping[str, Any]) -> bool:
    """Say whether a value is a function or class of the module that has it."""
    if type(value) is FunctionType:
        return value.__globals__ is space
    return issubclass(type(value), type) and home_of(value) == space.get("__name__")


def _methods(before: Any, after: Any, home: str, retiring: Container[str]) -> Iterator[tuple[Key, Any, Any]]:
    """Yield the methods of a class of a module, or of an instance of one that the module has, as calls bind them."""
    is_class = issubclass(type(before), type)
    old, new = (before, after) if is_class else (type(before), type(after))
    if issubclass(type(after), type) is not is_class or home_of(old) not in retiring or home_of(new) != home_of(old):
        return
    if is_class and home_of(old) != home:
        return  # another module's, which has it by that name as well
    if is_class and _makes_decorators(before) and _makes_decorators(after):
        yield (id(after), ""), before, after
    kinds = BOUND_IDS if is_class else {id(FunctionType)}  # ids: a metaclass may compare classes in its own way
    spaces = [copy_space(vars(base)) for base in mro_of(old) if home_of(base) in retiring]
    for name in {name: None for space in spaces for name, part in space.items() if id(type(part)) in kinds}:
        parts = first_named(name, mro_of(old)), first_named(name, mro_of(new))
        if type(parts[0]) is not type(parts[1]) or id(type(parts[0])) not in kinds:
            continue
        functions = [part if type(part) is FunctionType else part.__func__ for part in parts]
        if not all(type(function) is FunctionType for function in functions):
            continue
        if type(parts[0]) is staticmethod:
            yield (id(after), name), functions[0], functions[1]
        else:
            key = (id(after), "" if name == "__call__" and not is_class else name)
            yield key, MethodType(functions[0], before), MethodType(functions[1], after)


def _makes_decorators(cls: type) -> bool:
    """Say whether instances of a class are made in Python's own way, and can be called."""
    is_made_plainly = type(cls) is type and first_named("__new__", mro_of(cls)) is object.__new__
    return is_made_plainly and type(first_named("__call__", mro_of(cls))) is FunctionType


def _names_in(called: Any) -> Iterator[tuple[str, ...]]:
    return (code.co_names for function in functions_called(called) for code in whole(function.__code__))


def _classes(old: Mapping[str, ModuleRecord], made: Mapping[str, ModuleType]) -> Iterator[tuple[type, type]]:
    """Yield the classes of modules with those of now."""
    for name in old.keys() & made.keys():
        now = _space_now(old[name], made[name])
        for attribute, before in copy_space(globals_of(old[name].module)).items():
            after: Any = now.get(attribute)
            if issubclass(type(before), type) and issubclass(type(after), type) and home_of(before) == name:
                yield before, after
