"""What the globals of a module hold after its body ran: looked at by identity, held by nobody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import BuiltinFunctionType, FunctionType, MappingProxyType, ModuleType
from typing import Any

__all__ = ["ATOMS", "fingerprint", "fingerprints", "modules_held"]

# Values that Python shares: the same object can be anybody's, so identity says nothing about where it came from.
ATOMS = (int, float, complex, bool, str, bytes, type(None), type(Ellipsis), type(NotImplemented), range)
_FIXED = (*ATOMS, type, FunctionType, BuiltinFunctionType, ModuleType)
_CONTAINERS = (dict, list, set, tuple, frozenset, MappingProxyType)
_LARGE = 10_000


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
    for attribute, value in _values_in(module, values):
        if issubclass(type(value), ModuleType):
            if value.__name__ != f"{own}.{attribute}":  # a package's submodules are put there by importing them
                held.add(value.__name__)
        elif issubclass(type(value), type):
            held.add(type.__getattribute__(value, "__module__"))
        elif type(value) is FunctionType:
            held.add(value.__module__)
    return frozenset(name for name in held if isinstance(name, str) and name != own)


def _values_in(module: ModuleType, values: Mapping[str, int]) -> Iterator[tuple[str, Any]]:
    """Yield a module's globals, and what its containers, its classes' containers and its dispatchers hold."""
    own = getattr(module, "__name__", None)
    for attribute, value in list(getattr(module, "__dict__", {}).items()):
        if attribute.startswith("__") or values.get(attribute) != id(value):
            continue
        yield attribute, value
        if issubclass(type(value), type):
            if type.__getattribute__(value, "__module__") == own:
                for part in list(vars(value).values()):
                    yield from _items_in(part)
        elif type(value) is FunctionType:
            yield from _items_in(vars(value).get("registry"))  # functools.singledispatch
        else:
            yield from _items_in(value)


def _items_in(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield what a container holds that has a module of its own, an instance as its class."""
    kind = type(value)
    if not issubclass(kind, _CONTAINERS) or len(value) > _LARGE:
        return
    for item in [*value, *value.values()] if issubclass(kind, (dict, MappingProxyType)) else list(value):
        if type(item) not in ATOMS:
            yield "", item if issubclass(type(item), (type, FunctionType)) else type(item)


def fingerprints(module: ModuleType) -> dict[str, int]:
    """Return global name -> fingerprint, of the instances and containers that a module names."""
    return {
        name: fingerprint(value)
        for name, value in list(getattr(module, "__dict__", {}).items())
        if not issubclass(type(value), _FIXED) and not name.startswith("__")
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
