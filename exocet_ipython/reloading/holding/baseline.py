"""The baseline of a module: what its globals held when its body had run, by identity.

What is there later and not in the baseline was put there since: by a cell, by a function that a cell called. It is
taken for each module that is imported, so it is made of passes in C wherever that can be.
"""

from __future__ import annotations

import enum
import sys
from collections.abc import Container
from types import (
    BuiltinFunctionType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
)
from typing import Any, NamedTuple

from exocet_ipython.loading.names import is_dunder
from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.reloading.holding.contents import (
    ATOMS,
    CARRIERS,
    attributes_of,
    dict_of,
    fingerprint,
    is_registry,
    state_of,
)
from exocet_ipython.reloading.holding.entries import entries_of, place_of
from exocet_ipython.reloading.holding.marks import is_marked
from exocet_ipython.reloading.holding.parts import parts_of
from exocet_ipython.reloading.holding.paths import owner_of, path_behind
from exocet_ipython.reloading.holding.slots import has_slots

__all__ = ["Baseline", "add_changes", "add_entries", "is_own_function", "renew_baseline", "take_baseline"]

_MANY = 1_000
_DEEP = 8  # attributes, or keys and places, on a path: settings in settings
_DEFINITIONS = (FunctionType, BuiltinFunctionType, ModuleType)
_FIXED = (*ATOMS, type, *_DEFINITIONS)
# Ids of what most globals are, and most attributes of classes: nothing that could be changed, or has a baseline itself.
_PLAIN_GLOBALS = frozenset(map(id, (*ATOMS, *_DEFINITIONS)))
_PLAIN_ENTRIES = _PLAIN_GLOBALS | {id(MethodType)}
_PLAIN_ATTRIBUTES = frozenset(
    map(
        id,
        (*ATOMS, *_DEFINITIONS, property, staticmethod, classmethod, GetSetDescriptorType, MemberDescriptorType),
    )
)


class Baseline(NamedTuple):
    """What the globals of a module held at one moment.

    Attributes:
        values: global name -> id of its value.
        fingerprints: global name -> a shallow fingerprint, of the instances and containers.
        contents: path -> what a container, one of the module's own classes or an instance holds, by identity, as
            `parts_of` gives it. Paths are `CONFIG`, `CONFIG['db']`, `Plugin`, `Plugin.registry`, `settings.db.items`,
            `signal.__self__` of what a bound method is bound to, and `CONFIG.__dict__` of a container's attributes.
    """

    values: dict[str, int]
    fingerprints: dict[str, int]
    contents: dict[str, dict[Any, int]]


def is_own_function(function: FunctionType, name: str | None) -> bool:
    """Say whether a function is a module's own, or may be: what another one's decorator has made doesn't tell.

    >>> [is_own_function(function, "app") for function in (is_own_function, (lambda: lambda: 0)())]
    [False, True]
    """
    return function.__module__ == name or "<locals>" in function.__qualname__


def take_baseline(module: ModuleType) -> Baseline:
    """Return the baseline of a module whose body has just run.

    >>> module = ModuleType("m")
    >>> module.CONFIG = {}
    >>> take_baseline(module).contents
    {'CONFIG': {}}
    """
    namespace = copy_space(globals_of(module))
    values = dict(zip(namespace, map(id, namespace.values()), strict=True))
    own = getattr(module, "__name__", None)
    found, names = _Contents(values, own), dict[int, str]()
    for name, value in namespace.items():
        kind = type(value)
        # Asked last for its dict: that makes one.
        if kind is FunctionType and is_own_function(value, own) and (value.__closure__ or value.__dict__):
            found.add_attributes(name, state_of(value))
        if id(kind) in _PLAIN_GLOBALS or is_dunder(name):
            continue
        if issubclass(kind, type):
            found.add_class(name, value)
        elif kind is not MethodType:
            found.add_value(name, value)
            if (first := names.setdefault(id(value), name)) != name:  # the next edit may drop either name
                found.add_alias(name, first)
        elif path_behind(namespace, value) == f"{name}.__self__":  # `signal = Namespace().signal`
            found.add_value(f"{name}.__self__", value.__self__)
    return Baseline(values, found.prints, found.contents)


def renew_baseline(before: Baseline, now: Baseline, names: Container[str]) -> Baseline:
    """Return the baseline of a module that was run again in place: what its text names is its own as it is now.

    >>> before, now = Baseline({"N": 1}, {}, {}), Baseline({"N": 2, "EXTRA": 3}, {}, {})
    >>> renew_baseline(before, now, {"N"}).values
    {'N': 2}
    """
    return Baseline(
        before.values | {name: value for name, value in now.values.items() if name in names},
        before.fingerprints | {path: value for path, value in now.fingerprints.items() if owner_of(path) in names},
        before.contents | {path: value for path, value in now.contents.items() if owner_of(path) in names},
    )


def add_changes(baseline: Baseline, before: Baseline, after: Baseline) -> None:
    """Take into a baseline what has changed between two moments: modules that were imported meanwhile have done it.

    Without it what they register, at an import later than the module's own, would look like a cell's doing.

    >>> baseline, before, after = (Baseline({}, {}, {"TABLE": dict.fromkeys(keys, 0)}) for keys in ("", "x", "xy"))
    >>> add_changes(baseline, before, after)
    >>> baseline.contents
    {'TABLE': {'y': 0}}
    """
    add_entries(baseline.values, before.values, after.values)
    for name, now in after.fingerprints.items():
        if before.fingerprints.get(name) == baseline.fingerprints.get(name):
            baseline.fingerprints[name] = now
    for path, entries in after.contents.items():
        add_entries(baseline.contents.setdefault(path, {}), before.contents.get(path, {}), entries)


def add_entries(known: dict[Any, int], before: dict[Any, int], after: dict[Any, int]) -> None:
    """Take into what is known of entries, by identity, what has changed of them between two moments.

    >>> known = {"a": 1, "b": 2, "c": 3}
    >>> add_entries(known, {"a": 1, "b": 2}, {"a": 1, "d": 4})
    >>> known
    {'a': 1, 'c': 3, 'd': 4}
    """
    if before == after:
        return
    for key in before.keys() - after.keys():
        known.pop(key, None)
    known.update((key, value) for key, value in after.items() if before.get(key) != value)


class _Contents:
    """What the values of a module hold, gathered path by path; see `Baseline`.

    An instance that several paths lead to is noted under the first of them, and under each global name that it has: in
    a tree whose nodes know their parents all leads to all.
    """

    def __init__(self, values: dict[str, int], own: str | None) -> None:
        self._own = own
        self.prints: dict[str, int] = {}
        self.contents: dict[str, dict[Any, int]] = {}
        self._seen = set(values.values())

    def add_class(self, name: str, cls: Any) -> None:
        """Add the attributes of a class of the module's own, and what is in these; Python's own are in it too."""
        attributes = copy_space(type.__getattribute__(cls, "__dict__"))
        if attributes.get("__module__") != self._own:
            return
        self.contents[name] = dict(zip(attributes, map(id, attributes.values()), strict=True))
        is_plain = _PLAIN_ATTRIBUTES.issuperset(map(id, map(type, attributes.values())))
        if not is_plain or any(map(_has_state, attributes.values())):
            self._add_registries(name, [item for item in attributes.items() if not is_dunder(item[0])])

    def add_attributes(self, name: str, attributes: list[tuple[str, Any]]) -> None:
        """Add the attributes of an instance or a function, and what is in these."""
        self.contents[name] = {attribute: id(part) for attribute, part in attributes}
        self._add_registries(name, attributes)

    def add_value(self, name: str, value: Any) -> None:
        """Add what a value holds, if it is a container or an instance."""
        kind = type(value)
        if not issubclass(kind, _FIXED):
            self.prints[name] = fingerprint(value)
        if kind is tuple:
            if name[-1] != "]":  # a longer one under a key is another entry
                self.contents[name] = parts_of(value)
            self._add_nested(name, value)
        elif is_marked(value):
            self.contents[name] = parts_of(value)
        elif is_registry(value):
            self._add_container(name, value)
        elif issubclass(kind, type):
            self._add_inner_class(name, value)
        elif not issubclass(kind, _DEFINITIONS) and _is_plain_instance(value):
            self.add_attributes(name, attributes_of(value))

    def add_alias(self, name: str, first: str) -> None:
        """Add under another name of a value what is noted of its inside under the first one."""
        both: tuple[dict[str, Any], ...] = self.contents, self.prints
        for noted in both:
            for path in [path for path in noted if path.startswith((f"{first}.", f"{first}["))]:
                noted.setdefault(name + path[len(first) :], noted[path])

    def _add_registries(self, name: str, attributes: list[tuple[str, Any]]) -> None:
        for attribute, part in attributes:
            path = f"{name}.{attribute}"
            if id(type(part)) in _PLAIN_ATTRIBUTES:
                if _has_state(part):
                    self._add_function(path, part)
                continue
            if type(part) is tuple:
                self.contents[path] = parts_of(part)
                if entries_of(part) and len(self.prints) < _MANY:  # most have names or numbers
                    self.add_value(path, part)
            elif is_marked(part):
                self.contents[path] = parts_of(part)
            elif is_registry(part):
                self._add_container(path, part)
            elif issubclass(type(part), type) or self._is_new_instance(path, part):
                self.add_value(path, part)

    def _is_new_instance(self, path: str, part: Any) -> bool:
        """Say whether an attribute is an instance that no path has led to, and not one too many, or too far in."""
        is_near = path.count(".") < _DEEP and len(self.prints) < _MANY
        return _is_plain_instance(part) and is_near and not self._was_met(part)

    def _add_inner_class(self, path: str, cls: Any) -> None:
        """Add a class that no global name has: one in another, one that a function has made for a container."""
        if path.count(".") < _DEEP and not self._was_met(cls):
            self.add_class(path, cls)

    def _add_function(self, path: str, function: FunctionType) -> None:
        """Add the variables of a function that another one has around it, and its attributes."""
        if path.count(".") < _DEEP and is_own_function(function, self._own) and not self._was_met(function):
            self.add_attributes(path, state_of(function))

    def _add_container(self, path: str, container: Any) -> None:
        """Add the entries of a container, and what is in the attributes of one of a class of somebody's own."""
        self.contents[path] = parts_of(container)
        self._add_nested(path, container)
        space = dict_of(container) if path.count(".") < _DEEP and len(self.prints) < _MANY else None
        if space is None:  # nearly all
            return
        self.contents[f"{path}.__dict__"] = parts_of(space)
        attributes = attributes_of(container)
        if attributes and (path.isidentifier() or not self._was_met(container)):
            self._add_registries(path, attributes)

    def _add_nested(self, path: str, container: Any) -> None:
        """Add what the containers and instances in a container hold, as far as a thousand of them tell."""
        if path.count("[") < _DEEP:
            for key, part in entries_of(container):
                if id(type(part)) in _PLAIN_ENTRIES or issubclass(type(part), enum.Enum) or len(self.prints) >= _MANY:
                    continue  # a member is noted with its class
                if not (_is_plain_instance(part) and self._was_met(part)):
                    self.add_value(f"{path}{place_of(key)}", part)

    def _was_met(self, instance: Any) -> bool:
        """Say whether a path has led to an instance before; it has from now on."""
        known = id(instance) in self._seen
        self._seen.add(id(instance))
        return known


def _has_state(value: Any) -> bool:
    """Say whether a value is a function with attributes, or variables from those around it but for `__class__`."""
    if type(value) is not FunctionType:
        return False
    has_variables = value.__closure__ is not None and value.__code__.co_freevars != ("__class__",)
    return has_variables or bool(value.__dict__)  # asked last: that makes one


def _is_plain_instance(value: Any) -> bool:
    """Say whether a value is an instance, no class, with attributes of its own, and not of most standard classes."""
    kind = type(value)
    if issubclass(kind, type):
        return False
    has_attributes = getattr(kind, "__dictoffset__", 0) != 0 or has_slots(kind)
    return id(kind) in CARRIERS or (has_attributes and kind.__module__.partition(".")[0] not in sys.stdlib_module_names)
