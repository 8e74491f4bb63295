"""The modules that a module holds something of: from a registry, by a computed name, or as others put it there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from types import FunctionType, MappingProxyType, MethodType, ModuleType
from typing import Any

from exocet_ipython.loading.classes import class_for, module_said_by
from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.reloading.holding.contents import ATOM_IDS, CACHE, DESCRIPTOR_IDS, attributes_of, is_pythons
from exocet_ipython.reloading.holding.items import count_of, items_of, values_of
from exocet_ipython.reloading.holding.parts import has_entries

__all__ = ["CELLS", "definitions_shown", "dotted_name", "home_of", "is_function_of_cell", "modules_held"]

CELLS = "__main__"  # the module that what cells define says it is of

_CONTAINERS = (dict, list, set, tuple, frozenset, MappingProxyType)
_MAPS = (dict, MappingProxyType)
_CALLED = {
    id(MethodType): "__func__",
    id(partial): "func",
    id(CACHE): "__wrapped__",
    id(property): "fget",
    id(staticmethod): "__func__",
    id(classmethod): "__func__",
}  # by the id of a type: what it calls
_PLAIN = frozenset(map(id, (dict, list, set, tuple, frozenset)))
_EMPTY = ATOM_IDS | DESCRIPTOR_IDS  # ids of types of what shows no module
_LARGE = 10_000
_MANY = 1_000


def modules_held(
    module: ModuleType,
    values: Mapping[str, int],
    contents: Mapping[str, Mapping[Any, int]],
    given: Collection[int],
) -> frozenset[str]:
    """Return the names of the modules whose modules, classes and functions a module's globals hold.

    What a module got by other ways than an import statement shows here: from a registry, or a computed name. So does
    what others put into its containers and classes at import: a registry must be filled anew when one of them is made
    anew.

    Args:
        module: the module object.
        values: global name -> id of its value after the body ran; what was assigned since doesn't count, but for what
            a container still has of the one that was there.
        contents: path -> what a container held then, as `Baseline` has it; what cells put into it since doesn't count.
        given: ids of what other modules have put into containers since.
    """
    held: set[Any] = set()
    own: Any = getattr(module, "__name__", None)
    for attribute, value in copy_space(globals_of(module)).items():
        kind = type(value)
        if id(kind) in ATOM_IDS or is_pythons(attribute, value):
            continue
        if values.get(attribute) != id(value):
            if attribute in contents and has_entries(value):  # a changed copy has what the first one had
                _add_homes(value, held, contents[attribute], given)
        elif kind is FunctionType:
            held.add(value.__module__)
            _add_homes(getattr(value, "registry", None), held)  # functools.singledispatch
        elif issubclass(kind, type):
            home = module_said_by(value)
            held.add(home)
            if home == own:
                _add_homes_in_class(attribute, value, held, contents, given)
        elif issubclass(kind, ModuleType):
            if value.__name__ != f"{own}.{attribute}":  # a package's submodules are put there by importing them
                held.add(value.__name__)
        else:
            _add_homes_in_value(attribute, value, held, contents, given)
    return frozenset(name for name in held if type(name) is str and name != own)


def _add_homes_in_value(
    path: str, value: Any, held: set[Any], contents: Mapping[str, Mapping[Any, int]], given: Collection[int]
) -> None:
    """Add the modules of what is in a container, or in an instance of a class that isn't Python's own.

    That may keep a registry, as `bus.handlers`.
    """
    _add_homes(value, held, contents.get(path), given)
    for name, part in attributes_of(value) if path in contents else ():
        _add_homes(part, held, contents.get(f"{path}.{name}"), given)


def _add_homes_in_class(
    path: str, cls: type, held: set[Any], contents: Mapping[str, Mapping[Any, int]], given: Collection[int]
) -> None:
    """Add the modules of what a class has had since its module's body ran: others may have put that there."""
    noted = contents.get(path, {})
    for name, part in list(vars(cls).items()):
        is_noted = noted.get(name) == id(part)
        if type(part) is FunctionType:  # most are
            held.update([part.__module__] if is_noted else ())
        elif id(type(part)) not in _EMPTY:
            _add_homes(part, held, contents.get(f"{path}.{name}"), given)
            held.update(map(home_of, definitions_shown(part)) if is_noted else ())


def _add_homes(value: Any, held: set[Any], noted: Mapping[Any, int] | None = None, given: Collection[int] = ()) -> None:
    """Add the modules of what a container holds, of an instance that of its class; containers in it count as well.

    Args:
        value: the container; nothing else has any.
        held: the names that are added to.
        noted: the entries of the container that count, as `parts_of` gives them; None for all.
        given: ids of further ones that count.
    """
    waiting, left, seen = [value], _LARGE, {id(value)}
    known = None
    if noted is not None and has_entries(value) and count_of(value) <= _MANY:  # of a larger one no entries are noted
        known = {*noted, *noted.values(), *given}
    while waiting:
        container = waiting.pop()
        kind = type(container)
        if kind is FunctionType or not issubclass(kind, _CONTAINERS) or (count := count_of(container)) > left:
            continue
        left -= count
        for item in [*items_of(container), *(values_of(container) if issubclass(kind, _MAPS) else ())]:
            if id(type(item)) in ATOM_IDS or (container is value and known is not None and id(item) not in known):
                continue
            held.update(map(home_of, definitions_shown(item) if count <= _MANY else [_definition(item)]))
            if id(type(item)) in _PLAIN and id(item) not in seen:
                seen.add(id(item))
                waiting.append(item)


def is_function_of_cell(value: Any) -> bool:
    """Say whether something is a function of a cell; it may have the name and the module of what it wraps.

    >>> is_function_of_cell(is_function_of_cell), is_function_of_cell(len)
    (False, False)
    """
    return type(value) is FunctionType and value.__globals__.get("__name__") == CELLS


def definitions_shown(value: Any) -> list[Any]:
    """Return the functions and classes that show where a value comes from.

    Itself, or what it calls as a bound method, a partial or a cache; of an instance its class, and those that it has:
    they are in what a registry makes of what it is given, as `rules.append(Rule(path, function))`.

    >>> [shown.__name__ for shown in definitions_shown(partial(home_of))]
    ['home_of']
    """
    definition = _definition(value)
    if definition is not type(value) or issubclass(definition, ModuleType):
        return [definition]
    parts = [(part, _definition(part)) for _, part in attributes_of(value)]
    return [definition, *(shown for part, shown in parts if shown is not type(part))]


def _definition(value: Any) -> Any:
    """Return the function or class that a value is, or calls as a method, partial or cache, or that it is one of."""
    while (attribute := _CALLED.get(id(type(value)))) is not None:
        value = getattr(value, attribute, None)
    return value if issubclass(type(value), (type, FunctionType)) else type(value)


def home_of(value: Any) -> str:
    """Return the name of the module that a class or function says it is of; of another value, that its class does.

    >>> home_of(partial), home_of(partial(home_of))
    ('functools', 'functools')
    """
    if type(value) is FunctionType:
        return str(value.__module__)
    return str(module_said_by(class_for(value)))


def dotted_name(definition: Any) -> str:
    """Return where a class or function says that it is defined.

    >>> dotted_name(partial), dotted_name(home_of)
    ('functools.partial', 'exocet_ipython.reloading.holding.held.home_of')
    """
    is_class = issubclass(type(definition), type)
    name = type.__getattribute__(definition, "__qualname__") if is_class else definition.__qualname__
    return f"{home_of(definition)}.{name}"
