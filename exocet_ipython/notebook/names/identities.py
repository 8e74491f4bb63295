"""What has an identity of its own in a module, so that a notebook name that holds it is known to come from there."""

from __future__ import annotations

import enum
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from types import FunctionType
from typing import Any

from exocet_ipython.loading.names import is_dunder
from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.notebook.names.sources import Source, resolved
from exocet_ipython.reloading.holding.contents import is_shared
from exocet_ipython.reloading.holding.held import home_of
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.survivors.matching.lent import find_lent, home_first, is_foreign
from exocet_ipython.survivors.matching.succession import Succession

__all__ = ["find_lent_ids", "identities"]


def identities(succession: Succession, sought: Container[int]) -> Iterator[tuple[Source, Any]]:
    """Yield what has an identity of its own in retiring modules, of the objects that are sought.

    A later entry wins where the same object is found twice: a class or function is known by where it is defined, not
    by where it was imported, nor by a class that has it too. So is an instance or a container: by the first name in a
    module that has it from no other.

    Args:
        succession: which modules retire, and which are current now.
        sought: ids; retiring modules have thousands of objects, and the names that hold one of them are few.
    """
    old = succession.old
    values: dict[int, list[tuple[ModuleRecord, str]]] = {}
    aliases: list[tuple[Source, Any]] = []
    defined: list[tuple[Source, Any]] = []
    for name, record in old.items():
        for attribute, value in copy_space(globals_of(record.module)).items():
            is_class = issubclass(type(value), type)
            if (id(value) not in sought and not is_class) or is_dunder(attribute) or _goes_with_others(value):
                continue
            source = Source(name, attribute)
            if not is_class and not issubclass(type(value), FunctionType):
                values.setdefault(id(value), []).append((record, attribute))
            elif home_of(value) == name:
                # The name in its definition comes after its aliases: an alias may be dropped in the next edit.
                found = [(source, value)] if id(value) in sought else []
                found += _class_values(name, attribute, value, sought) if is_class else ()
                for entry in found:
                    (defined if _is_home(*entry) else aliases).append(entry)
            elif home_of(value) in old and id(value) in sought:
                yield source, value
        if id(record.module) in sought:
            defined.append((Source(name), record.module))
    yield from _at_home(values, succession.staying)
    yield from aliases
    yield from defined


def _is_home(source: Source, value: Any) -> bool:
    """Say whether a source is the place in which a class, function or member is defined, as all else is."""
    if issubclass(type(value), enum.Enum):
        return bool(value._name_ == str(source.attribute).rpartition(".")[2])
    is_definition = issubclass(type(value), (type, FunctionType))
    return not is_definition or bool(_trait(value, "__qualname__") == source.attribute)


def _goes_with_others(value: Any) -> bool:
    """Say whether a value is anybody's, or a member of an enumeration, which is known by its class."""
    return is_shared(value) or issubclass(type(value), enum.Enum)


def _at_home(
    values: Mapping[int, Sequence[tuple[ModuleRecord, str]]], staying: Container[int]
) -> Iterator[tuple[Source, Any]]:
    for key, names in values.items():
        if key not in staying:
            record, attribute = names[home_first(names)]
            value = vars(record.module).get(attribute)
            if id(value) == key:  # another thread may have given the name another one
                yield Source(record.name, attribute), value


def _trait(value: Any, name: str) -> Any:
    """Return an attribute that a class has from `type`, whatever its metaclass does, or that of a function."""
    return type.__getattribute__(value, name) if issubclass(type(value), type) else getattr(value, name)


def _class_values(module: str, path: str, cls: Any, sought: Container[int]) -> Iterator[tuple[Source, Any]]:
    """Yield the sought ones of the members of an enumeration, and of the functions and classes that a class holds."""
    qualified = _trait(cls, "__qualname__")
    for attribute, entry in copy_space(_trait(cls, "__dict__")).items():
        value = entry.__func__ if type(entry) is staticmethod else entry
        if issubclass(type(value), type):
            if _trait(value, "__qualname__") == f"{qualified}.{attribute}":
                if id(value) in sought:
                    yield Source(module, f"{path}.{attribute}"), value
                yield from _class_values(module, f"{path}.{attribute}", value, sought)
        elif id(value) not in sought:
            continue
        elif issubclass(type(value), FunctionType) or (issubclass(cls, enum.Enum) and type(value) is cls):
            yield Source(module, f"{path}.{attribute}"), value


def find_lent_ids(
    values: Iterable[Any], known: Mapping[int, tuple[Source, Any]], succession: Succession
) -> frozenset[int]:
    """Return the ids of what sources mean now and only have from elsewhere: who holds it need not have it from them.

    Args:
        values: what is held.
        known: id of a value of a retiring module -> its source, and the value.
        succession: which modules retire, and which are current now; it knows what refers to them and doesn't count.
    """
    new = succession.new
    sources = [known[id(value)][0] for value in list(values) if id(value) in known and is_foreign(value, succession)]
    found = [now for _, now in resolved(sources, new)]  # and no variable beside the list
    return find_lent(found, new.values(), succession.staying.names) if found else frozenset()
