"""The classes and functions that a module itself defines, and not those that it imported."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from types import FunctionType, ModuleType
from typing import Any, Literal

from exocet_ipython.loading.classes import module_said_by
from exocet_ipython.loading.names import is_dunder
from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.survivors.classes import raw_dicts

__all__ = ["Kind", "definitions", "is_definition", "is_machinery", "objects_of", "own_parts"]

Kind = Literal["instance", "class", "function", "module"]
_MEMBERS = ("_member_map_", "_value2member_map_")  # of an enumeration: flags that are composed are only in the second


def objects_of(record: ModuleRecord) -> Iterator[object]:
    """Yield a module, and the classes and functions that it defined."""
    yield record.module
    for _, _, value in definitions(record.module, record.name):
        yield value


def is_definition(value: Any) -> bool:
    """Say whether a value is a class or a function."""
    return issubclass(type(value), (type, FunctionType))


def is_machinery(name: str, value: Any) -> bool:
    """Say whether a global is Python's own; a function `__init__` is none, which a body puts into a library's class.

    >>> is_machinery("__file__", "m.py"), is_machinery("__init__", is_machinery)
    (True, False)
    """
    return is_dunder(name) and type(value) is not FunctionType


def own_parts(definition: Any) -> list[object]:
    """Return what makes up a class or a function: its namespace and bases, or its closure and defaults, and itself.

    Of an enumeration its members by name and by value as well.

    >>> [type(part).__name__ for part in own_parts(lambda: 0)]
    ['function', 'tuple', 'NoneType', 'NoneType']
    """
    if type(definition) is FunctionType:
        closure = definition.__closure__ or ()
        return [definition, closure, definition.__defaults__, definition.__kwdefaults__, *closure]
    lines = (type.__getattribute__(definition, name) for name in ("__mro__", "__bases__"))
    members = [vars(definition).get(name) for name in _MEMBERS] if issubclass(type(definition), enum.EnumMeta) else []
    return [definition, *lines, *members, *raw_dicts(definition)]


def definitions(module: ModuleType, name: str) -> Iterator[tuple[Kind, str, Any]]:
    """Yield the classes and functions that a module itself defines, nested classes included: kind, path, object.

    What is there under the name of its definition is not given again for an alias.
    """
    namespace = copy_space(globals_of(module))
    for attribute, value in namespace.items():
        if issubclass(type(value), type):
            qualified = type.__getattribute__(value, "__qualname__")
            if module_said_by(value) == name and not _is_alias(namespace, attribute, qualified):
                yield from _class_definitions(value, attribute, set())
        elif type(value) is not FunctionType or value.__module__ != name:
            continue
        elif not _is_alias(namespace, attribute, value.__qualname__):
            yield "function", attribute, value


def _is_alias(namespace: Mapping[str, Any], attribute: str, qualified: str) -> bool:
    """Say whether a definition is in the namespace under its own name too."""
    return attribute != qualified and namespace.get(qualified) is namespace[attribute]


def _class_definitions(cls: type, path: str, seen: set[int]) -> Iterator[tuple[Kind, str, Any]]:
    if id(cls) in seen:
        return
    seen.add(id(cls))
    yield "class", path, cls
    for attribute, value in copy_space(vars(cls)).items():
        if issubclass(type(value), type) and value.__qualname__ == f"{cls.__qualname__}.{attribute}":
            yield from _class_definitions(value, f"{path}.{attribute}", seen)
