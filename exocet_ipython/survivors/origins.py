"""Where something comes from: a cell of the notebook, or a class of the session's modules."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping
from functools import partial
from types import FunctionType, MethodType, ModuleType
from typing import Any

from exocet_ipython.loading.classes import module_said_by
from exocet_ipython.loading.names import is_dunder
from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.reloading.holding.contents import attributes_of, cell_values, is_plain
from exocet_ipython.reloading.holding.held import CELLS, home_of, is_function_of_cell
from exocet_ipython.reloading.holding.inventory import is_own_function
from exocet_ipython.reloading.holding.paths import attribute_at
from exocet_ipython.reloading.retired import functions_in
from exocet_ipython.survivors.definitions import is_definition

__all__ = [
    "has_own_attributes",
    "is_from_cell",
    "is_instance_of",
    "is_of_lost_maker",
    "is_put_again",
    "special_parts_of_cells",
]

_FEW = 100  # of the items of what a registry has made; what has more is data


def is_from_cell(value: Any) -> bool:
    """Say whether a value is, or is an instance of, what a cell defined, or holds such a definition.

    The last is what a registry makes of what it is given: `rules.append(Rule(path, function))`, `(function, scope)`. It
    is what a decorator makes of it, too: a closure.
    """
    kind = type(value)
    if kind is MethodType:
        return is_from_cell(value.__self__) or is_from_cell(value.__func__)
    if home_of(value) == CELLS:
        return True
    if is_definition(value):
        return any(home_of(part) == CELLS for part in _functions_around(value))
    if issubclass(kind, tuple):  # a named one as well
        parts = [*tuple.__getitem__(value, slice(_FEW))]
    elif kind is list:
        parts = [*value[:_FEW]]
    elif kind is dict:
        parts = [*value.values()][:_FEW]
    else:
        parts = [value.func, *value.args] if kind is partial else [part for _, part in attributes_of(value)]
    return any((is_definition(part) or type(part) is tuple) and is_from_cell(part) for part in parts)


def special_parts_of_cells(cls: Any, assigned: Container[str]) -> list[tuple[str, Any]]:
    """Return the attributes under Python's own names that cells have given a class: `Room.__repr__ = shown`.

    Not those that Python, or a library, sets by and by, as `__init__` of a protocol when it is first made.

    Args:
        cls: the class; of anything else there are none.
        assigned: names of attributes of classes of its module, and of globals, that statements of cells assign.
    """
    found = copy_space(vars(cls)).items() if issubclass(type(cls), type) else ()
    return [
        (name, part)
        for name, part in found
        if is_dunder(name) and (any(map(is_function_of_cell, functions_in(part))) or name in assigned)
        if name != "__module__"  # that of a class tells whose it is
    ]


def has_own_attributes(part: Any, home: str) -> bool:
    """Say whether something is a function of a module with attributes: `Model.fit.slow = True`.

    >>> def fit(): pass
    >>> has_own_attributes(fit, fit.__module__)
    False
    >>> fit.slow = True
    >>> has_own_attributes(fit, fit.__module__)
    True
    """
    return type(part) is FunctionType and is_own_function(part, home) and bool(part.__dict__)


def is_put_again(path: str, value: Any, assigned: Collection[str]) -> bool:
    """Say whether a cell has put something there that looks like what the body left: the same, or in its place.

    Args:
        path: where it is in its module.
        value: what is there.
        assigned: what statements of cells assign in the module, and of attributes of classes the names alone as well.

    >>> [is_put_again("SIZE", 5, assigned) for assigned in (["SIZE"], ["Box.SIZE", "SIZE"], [])]
    [True, False, False]
    """
    is_said = path in assigned and not any(one.endswith(f".{path}") for one in assigned)
    return is_function_of_cell(value) or (is_said and is_plain(value))


def _functions_around(value: Any) -> list[Any]:
    """Return the classes and functions that a function has, and what these have; itself first."""
    found = [value]
    for known in found:
        inner = _held_by(known) if type(known) is FunctionType else []
        found += [part for part in inner if is_definition(part) and all(part is not other for other in found)]
    return found


def _held_by(function: FunctionType) -> list[Any]:
    """Return what a function has from those around it, and for defaults (`lambda f=f: f()`); of methods their parts."""
    parts = cell_values(function) if function.__closure__ else []
    parts += [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
    methods = [part for part in parts if type(part) is MethodType]
    return [*parts, *(part for method in methods for part in (method.__func__, type(method.__self__)))]


def is_instance_of(value: Any, session: Container[str]) -> bool:
    """Say whether a value is an instance of a class of the session's modules."""
    return not issubclass(type(value), (type, FunctionType, ModuleType)) and module_said_by(type(value)) in session


def is_of_lost_maker(value: Any, after: Mapping[str, ModuleType | None]) -> bool:
    """Say whether a function has been made by one of a module that retires, which nothing takes the place of.

    Args:
        value: what a function, or a cell that called it, has put away.
        after: what takes the place of modules that retire.
    """
    if type(value) is not FunctionType or is_from_cell(value):
        return False
    maker, inner, _ = value.__code__.co_qualname.partition(".<locals>.")
    now = after.get(value.__globals__.get("__name__", ""))
    return bool(inner) and now is not None and attribute_at(now, maker) is None
