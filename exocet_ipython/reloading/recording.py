"""Recording what a module is right after it ran: what it imported, what its globals hold, how its values look."""

from __future__ import annotations

from collections.abc import Iterator
from types import BuiltinFunctionType, CodeType, FunctionType, MappingProxyType, ModuleType
from typing import Any

from exocet_ipython.loading.source import Snapshot
from exocet_ipython.reloading.generation import ModuleRecord
from exocet_ipython.reloading.graph import ImportStatement, read_imports

__all__ = ["ATOMS", "fingerprint", "modules_held", "record_module"]

# Values that Python shares: the same object can be anybody's, so identity says nothing about where it came from.
ATOMS = (int, float, complex, bool, str, bytes, type(None), type(Ellipsis), type(NotImplemented), range)
_FIXED = (*ATOMS, type, FunctionType, BuiltinFunctionType, ModuleType)
_CONTAINERS = (dict, list, set, tuple, frozenset, MappingProxyType)
_LARGE = 10_000


def modules_held(module: ModuleType) -> frozenset[str]:
    """Return the names of the modules whose modules, classes and functions a module's globals hold.

    What a module got by other ways than an import statement shows here: from a registry, or a computed name. So does
    what others put into its containers at import: a registry must be filled anew when one of them is made anew.
    """
    held: set[Any] = set()
    own: Any = getattr(module, "__name__", None)
    for attribute, value in _values_in(module):
        if issubclass(type(value), ModuleType):
            if value.__name__ != f"{own}.{attribute}":  # a package's submodules are put there by importing them
                held.add(value.__name__)
        elif issubclass(type(value), type):
            held.add(type.__getattribute__(value, "__module__"))
        elif type(value) is FunctionType:
            held.add(value.__module__)
    return frozenset(name for name in held if isinstance(name, str) and name != own)


def _values_in(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """Yield a module's globals, and what its containers, its classes' containers and its dispatchers hold."""
    own = getattr(module, "__name__", None)
    for attribute, value in list(getattr(module, "__dict__", {}).items()):
        yield attribute, value
        if attribute.startswith("__"):
            continue
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


def record_module(  # noqa: PLR0913 - the fields of a record, by keyword
    module: ModuleType,
    snapshot: Snapshot,
    code: CodeType | None,
    *,
    name: str,
    order: int,
    number: int,
    seconds: float,
    imports: tuple[ImportStatement, ...] | None = None,
) -> ModuleRecord:
    """Return the record of a module whose body has run.

    Args:
        module: the module object.
        snapshot: the text that ran.
        code: what ran, where that is known.
        name: its dotted name in `sys.modules`.
        order: its place in the order in which modules began to run.
        number: the generation it was made in.
        seconds: how long its body ran.
        imports: the import statements of its code, where they were read before.
    """
    if imports is None:
        readable = code or _compile_for_reading(snapshot)
        is_package = hasattr(module, "__path__")
        imports = read_imports(readable, name, is_package=is_package) if readable is not None else ()
    values = {key: id(value) for key, value in list(getattr(module, "__dict__", {}).items())}
    prints = {
        key: fingerprint(value)
        for key, value in list(getattr(module, "__dict__", {}).items())
        if not key.startswith("__") and not issubclass(type(value), _FIXED)
    }
    return ModuleRecord(
        name, module, snapshot, code, imports, modules_held(module), prints, values, order, seconds, generation=number
    )


def _compile_for_reading(snapshot: Snapshot) -> CodeType | None:
    """Compile a text to read its imports; None where there is none, or where it was broken since the module ran."""
    if snapshot.data is None or snapshot.path is None:
        return None
    try:
        return compile(snapshot.data, snapshot.path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return None


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
