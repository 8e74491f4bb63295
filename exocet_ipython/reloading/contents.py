"""What the globals of a module hold after its body ran: looked at by identity, held by nobody."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from types import BuiltinFunctionType, FunctionType, MappingProxyType, ModuleType
from typing import Any
from weakref import WeakKeyDictionary, WeakSet, WeakValueDictionary

__all__ = [
    "ATOMS",
    "Baseline",
    "attributes_of",
    "contents_of",
    "fingerprint",
    "fingerprints",
    "modules_held",
    "parts_of",
]

# Values that Python shares: the same object can be anybody's, so identity says nothing about where it came from.
ATOMS = (int, float, complex, bool, str, bytes, type(None), type(Ellipsis), type(NotImplemented), range)
_ATOM_TYPES = frozenset(ATOMS)
_FIXED = (*ATOMS, type, FunctionType, BuiltinFunctionType, ModuleType)
_FIXED_TYPES = frozenset(_FIXED)
_CONTAINERS = (dict, list, set, tuple, frozenset, MappingProxyType)
_LARGE = 10_000
# What code puts things into, to find them there again.
_REGISTRIES = (dict, list, set, deque)
_WEAK = (WeakSet, WeakKeyDictionary, WeakValueDictionary)
_MANY = 1_000


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the globals of a module hold when its body, and those that it imported, have run.

    Attributes:
        values: global name -> id of the value.
        fingerprints: global name -> a shallow fingerprint of the instance or container that it names.
        contents: what its containers, classes and instances hold; see `contents_of`.
    """

    values: Mapping[str, int]
    fingerprints: Mapping[str, int]
    contents: Mapping[str, Mapping[Any, int]]

    @classmethod
    def of(cls, module: ModuleType) -> Baseline:
        """Return what a module holds now."""
        namespace = dict(getattr(module, "__dict__", {}))  # a copy in one step: another thread may add to it
        values = dict(zip(namespace, map(id, namespace.values()), strict=True))
        return cls(values, fingerprints(module), contents_of(module))


def modules_held(module: ModuleType, values: Mapping[str, int]) -> frozenset[str]:
    """Return the names of the modules whose modules, classes and functions a module's globals hold.

    What a module got by other ways than an import statement shows here: from a registry, or a computed name. So does
    what others put into its containers at import: a registry must be filled anew when one of them is made anew.

    Args:
        module: the module object.
        values: global name -> id of its value after the body ran; what was assigned since doesn't count.
    """
    held: set[Any] = set()
    own: Any = getattr(module, "__name__", None)
    for attribute, value in list(getattr(module, "__dict__", {}).items()):
        kind = type(value)
        if kind in _ATOM_TYPES or attribute[:2] == "__" or values.get(attribute) != id(value):
            continue
        if kind is FunctionType:
            held.add(value.__module__)
            _add_homes(getattr(value, "registry", None), held)  # functools.singledispatch
        elif issubclass(kind, type):
            home = type.__getattribute__(value, "__module__")
            held.add(home)
            for part in list(vars(value).values()) if home == own else ():
                _add_homes(part, held)
        elif issubclass(kind, ModuleType):
            if value.__name__ != f"{own}.{attribute}":  # a package's submodules are put there by importing them
                held.add(value.__name__)
        else:
            _add_homes(value, held)
    return frozenset(name for name in held if isinstance(name, str) and name != own)


def _add_homes(value: Any, held: set[Any]) -> None:
    """Add the modules of what a container holds, of an instance that of its class."""
    kind = type(value)
    if kind is FunctionType or not issubclass(kind, _CONTAINERS) or len(value) > _LARGE:
        return
    for item in [*value, *value.values()] if issubclass(kind, (dict, MappingProxyType)) else list(value):
        if type(item) in _ATOM_TYPES:
            continue
        definition = item if issubclass(type(item), (type, FunctionType)) else type(item)
        if type(definition) is FunctionType:
            held.add(definition.__module__)
        else:
            held.add(type.__getattribute__(definition, "__module__"))


def fingerprints(module: ModuleType) -> dict[str, int]:
    """Return global name -> fingerprint, of the instances and containers that a module names."""
    return {
        name: fingerprint(value)
        for name, value in list(getattr(module, "__dict__", {}).items())
        # The first look answers for nearly all globals; it is taken at the first import of each module.
        if type(value) not in _FIXED_TYPES and not issubclass(type(value), _FIXED) and not name.startswith("__")
    }


def fingerprint(value: Any) -> int:
    """Return a number that changes when items or attributes of `value` are added, removed or replaced.

    Shallow, by identity, and holding nothing alive; a container of more than 10,000 items counts by its size.

    >>> items = [1, 2]
    >>> before = fingerprint(items)
    >>> items.append(3)
    >>> fingerprint(items) == before
    False
    """
    parts: Any = value
    if not issubclass(type(value), (list, tuple, set, frozenset, dict)):
        try:
            parts = object.__getattribute__(value, "__dict__")
        except AttributeError:
            return 0
    if len(parts) > _LARGE:
        return hash(len(parts))
    items = [*parts, *parts.values()] if isinstance(parts, dict) else parts
    return hash(tuple(map(id, items)))


def contents_of(module: ModuleType) -> dict[str, Mapping[Any, int]]:
    """Return what the containers, the classes and the instances that a module names hold, by identity.

    The keys are paths: `CONFIG`, `Plugin`, `Plugin.registry`, `settings`, `settings.items`. What is there later and not
    here was put there since. Only a module's own classes count, and only containers of up to 1,000 entries.
    """
    found: dict[str, Mapping[Any, int]] = {}
    own = getattr(module, "__name__", None)
    for name, value in list(getattr(module, "__dict__", {}).items()):
        kind = type(value)
        if name.startswith("__") or kind in ATOMS:
            continue
        if issubclass(kind, type):
            if type.__getattribute__(value, "__module__") != own:
                continue
        elif issubclass(kind, (FunctionType, BuiltinFunctionType, ModuleType)):
            continue
        elif is_registry(value):
            found[name] = parts_of(value)
            continue
        elif not _is_plain_instance(value):
            continue
        attributes = attributes_of(value)
        found[name] = {attribute: id(part) for attribute, part in attributes}
        for attribute, part in attributes:
            if type(part) is not FunctionType and is_registry(part):
                found[f"{name}.{attribute}"] = parts_of(part)
    return found


def is_registry(value: Any) -> bool:
    """Say whether code puts things into a value, to find them there again: whether it is a container that changes."""
    kind = type(value)
    # The weak ones have an abstract metaclass, whose `issubclass` is fifty times slower.
    return issubclass(kind, _REGISTRIES) or kind in _WEAK


def parts_of(value: Any) -> dict[Any, int]:
    """Return the entries of a container, or the attributes of a class or an instance, by identity."""
    kind = type(value)
    if not is_registry(value):
        return {name: id(part) for name, part in attributes_of(value)}
    if len(value) > _MANY:
        return {}
    if issubclass(kind, dict) or kind in (WeakKeyDictionary, WeakValueDictionary):
        return {id(key): id(part) for key, part in list(value.items())}
    return {id(item): 0 for item in list(value)}


def attributes_of(value: Any) -> list[tuple[str, Any]]:
    """Return the attributes that a class or an instance itself has; none of Python's own."""
    try:
        space = type.__getattribute__(value, "__dict__") if issubclass(type(value), type) else vars(value)
        return [(name, part) for name, part in dict(space).items() if name[:2] != "__"]
    except TypeError:
        return []


def _is_plain_instance(value: Any) -> bool:
    """Say whether a value is an instance with a dict of its own, of a class that is not the standard library's."""
    kind = type(value)
    return getattr(kind, "__dictoffset__", 0) != 0 and kind.__module__.partition(".")[0] not in sys.stdlib_module_names
