"""What a module holds when its body has run, path by path: its baseline.

It is taken for each module that is imported, so it is made of passes in C wherever that can be.
"""

from __future__ import annotations

import enum
from types import (
    BuiltinFunctionType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
)
from typing import Any

from exocet_ipython.loading.classes import shows_its_state
from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.reloading.holding.baseline import Baseline
from exocet_ipython.reloading.holding.contents import (
    ATOMS,
    CACHE,
    CARRIERS,
    attributes_of,
    dict_of,
    fingerprint,
    gathering_defaults,
    is_pythons,
    is_registry,
    state_of,
    unbound,
)
from exocet_ipython.reloading.holding.entries import entries_of, place_of
from exocet_ipython.reloading.holding.marks import is_marked
from exocet_ipython.reloading.holding.parts import copy_of
from exocet_ipython.reloading.holding.paths import path_behind
from exocet_ipython.reloading.holding.slots import has_slots
from exocet_ipython.reloading.holding.ties import Ties

__all__ = ["is_own_function", "take_baseline"]

_MANY = 1_000
_DEEP = 8  # attributes, or keys and places, on a path: settings in settings
_DEFINITIONS = (FunctionType, BuiltinFunctionType, ModuleType)
_FIXED = (*ATOMS, type, *_DEFINITIONS)
# Ids of what most globals are, and most attributes of classes: nothing that could be changed, or has a baseline itself.
_PLAIN_GLOBALS = frozenset(map(id, (*ATOMS, *_DEFINITIONS)))
_PLAIN_ENTRIES = _PLAIN_GLOBALS | {id(MethodType)}
_NO_INSTANCES = frozenset(map(id, (type, tuple, frozenset)))
_PLAIN_ATTRIBUTES = frozenset(
    map(
        id,
        (*ATOMS, *_DEFINITIONS, property, staticmethod, classmethod, GetSetDescriptorType, MemberDescriptorType),
    )
)


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
    found.met += namespace.values()
    for name, value in namespace.items():
        kind = type(value)
        # Asked last for its dict: that makes one.
        if kind is FunctionType and is_own_function(value, own) and _has_state(value):
            found.add_attributes(name, state_of(value))
        if kind is CACHE and (attributes := attributes_of(value)):
            found.add_attributes(name, attributes)
        if kind is MethodType or (kind is FunctionType and value.__qualname__ != name):  # what a call has made
            found.ties.refer(value)
        if id(kind) in _PLAIN_GLOBALS or is_pythons(name, value):
            continue
        if issubclass(kind, type):
            found.add_class(name, value)
        elif kind is not MethodType:
            found.add_value(name, value)
            if (first := names.setdefault(id(value), name)) != name:  # the next edit may drop either name
                found.add_alias(name, first)
        elif path_behind(namespace, value) == f"{name}.__self__":  # `signal = Namespace().signal`
            found.add_value(f"{name}.__self__", value.__self__)
    found.ties.hold(found.met)
    return Baseline(values, found.prints, found.contents, found.ties)


class _Contents:
    """What the values of a module hold, gathered path by path; see `Baseline`.

    An instance that several paths lead to is noted under the first of them, and under each global name that it has: in
    a tree whose nodes know their parents all leads to all.
    """

    def __init__(self, values: dict[str, int], own: str | None) -> None:
        self._own = own
        self.prints: dict[str, int] = {}
        self.contents: dict[str, dict[Any, int]] = {}
        self.ties = Ties()
        self.met: list[Any] = []  # values, to be held in one pass
        self._seen = set(values.values())

    def add_class(self, name: str, cls: Any) -> None:
        """Add the attributes of a class of the module's own, and what is in these; Python's own are in it too."""
        attributes = copy_space(type.__getattribute__(cls, "__dict__"))
        if attributes.get("__module__") != self._own:
            return
        self.contents[name] = dict(zip(attributes, map(id, attributes.values()), strict=True))
        self.met += attributes.values()
        is_plain = _PLAIN_ATTRIBUTES.issuperset(map(id, map(type, attributes.values())))
        if not is_plain or any(map(_has_state, attributes.values())):
            self._add_registries(name, [item for item in attributes.items() if not is_pythons(*item)])

    def add_attributes(self, name: str, attributes: list[tuple[str, Any]]) -> None:
        """Add the attributes of an instance or a function, and what is in these."""
        self.contents[name] = {attribute: id(part) for attribute, part in attributes}
        self.met += [part for _, part in attributes]
        self._add_registries(name, attributes)

    def add_value(self, name: str, value: Any) -> None:
        """Add what a value holds, if it is a container or an instance."""
        kind = type(value)
        if not issubclass(kind, _FIXED):
            self.prints[name] = fingerprint(value)
        if kind is tuple:
            if name[-1] != "]":  # a longer one under a key is another entry
                self._add_parts(name, value)
            self._add_nested(name, value)
        elif is_marked(value):
            self._add_parts(name, value)
        elif is_registry(value):
            self._add_container(name, value)
        elif issubclass(kind, type):
            self._add_inner_class(name, value)
        elif not issubclass(kind, _DEFINITIONS):
            self.ties.refer(value)
            if _is_plain_instance(value):
                self.add_attributes(name, attributes_of(value))

    def add_alias(self, name: str, first: str) -> None:
        """Add under another name of a value what is noted of its inside under the first one."""
        both: tuple[dict[str, Any], ...] = self.contents, self.prints
        for noted in both:
            for path in [path for path in noted if path.startswith((f"{first}.", f"{first}["))]:
                noted.setdefault(name + path[len(first) :], noted[path])

    def _add_parts(self, path: str, value: Any) -> None:
        copy = copy_of(value)
        self.contents[path] = copy.parts()
        if type(copy.held) is not list:
            return
        self.met += copy.held
        if issubclass(type(value), set):  # a path leads to the entries of all others
            kinds = set(map(id, map(type, copy.held))) - _PLAIN_ENTRIES - _NO_INSTANCES
            for part in copy.held if kinds else ():
                if id(type(part)) in kinds and _is_plain_instance(part):
                    self.ties.refer(part)

    def _add_registries(self, name: str, attributes: list[tuple[str, Any]]) -> None:
        for attribute, part in attributes:
            path = f"{name}.{attribute}"
            if id(type(part)) in _PLAIN_ATTRIBUTES:
                if _has_state(part):
                    self._add_function(path, unbound(part))
                continue
            if type(part) is tuple:
                self._add_parts(path, part)
                if entries_of(part) and len(self.prints) < _MANY:  # most have names or numbers
                    self.add_value(path, part)
            elif is_marked(part):
                self._add_parts(path, part)
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
        self._add_parts(path, container)
        self._add_nested(path, container)
        space = dict_of(container) if path.count(".") < _DEEP and len(self.prints) < _MANY else None
        if space is None:  # nearly all
            return
        self._add_parts(f"{path}.__dict__", space)
        attributes = attributes_of(container)
        if attributes and (path.isidentifier() or not self._was_met(container)):
            self._add_registries(path, attributes)

    def _add_nested(self, path: str, container: Any) -> None:
        """Add what the containers and instances in a container hold, as far as a thousand of them tell."""
        if path.count("[") < _DEEP:
            for key, part in entries_of(container):
                if id(type(part)) in _PLAIN_ENTRIES or issubclass(type(part), enum.Enum) or len(self.prints) >= _MANY:
                    if type(part) is MethodType or (type(part) is FunctionType and "<" in part.__qualname__):
                        self.ties.refer(part)  # others soon stand where one has stood
                    continue  # a member is noted with its class
                if not (_is_plain_instance(part) and self._was_met(part)):
                    self.add_value(f"{path}{place_of(key)}", part)

    def _was_met(self, instance: Any) -> bool:
        """Say whether a path has led to an instance before; it has from now on."""
        known = id(instance) in self._seen
        self._seen.add(id(instance))
        return known


def _has_state(value: Any) -> bool:
    """Say whether a value is a function with attributes, or variables from those around it but for `__class__`.

    Or with parameters that begin with a container.
    """
    value = unbound(value)
    if type(value) is not FunctionType:
        return False
    has_variables = value.__closure__ is not None and value.__code__.co_freevars != ("__class__",)
    return has_variables or bool(gathering_defaults(value) or value.__dict__)  # asked last: that makes one


def _is_plain_instance(value: Any) -> bool:
    """Say whether a value is an instance, no class, with attributes of its own, and not of most standard classes."""
    kind = type(value)
    if issubclass(kind, type):
        return False
    has_attributes = getattr(kind, "__dictoffset__", 0) != 0 or has_slots(kind)
    return id(kind) in CARRIERS or (has_attributes and shows_its_state(kind))
