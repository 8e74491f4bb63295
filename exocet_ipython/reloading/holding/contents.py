"""What the globals of a module hold: looked at by identity, held by nobody."""

from __future__ import annotations

import functools
import threading
from collections import ChainMap, UserDict, UserList, deque
from types import (
    BuiltinFunctionType,
    ClassMethodDescriptorType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    ModuleType,
    SimpleNamespace,
    WrapperDescriptorType,
)
from typing import Any, Literal
from weakref import WeakKeyDictionary, WeakSet, WeakValueDictionary

from exocet_ipython.loading.names import is_dunder
from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.reloading.holding.items import count_of, items_of, values_of
from exocet_ipython.reloading.holding.marks import is_theirs, mark_of
from exocet_ipython.reloading.holding.parameters import defaults_of
from exocet_ipython.reloading.holding.slots import with_slots

__all__ = [
    "ATOMS",
    "ATOM_IDS",
    "BOUND_IDS",
    "CACHE",
    "CARRIERS",
    "C_METHODS",
    "DESCRIPTOR_IDS",
    "WEAK_IDS",
    "attributes_of",
    "cell_values",
    "dict_of",
    "fingerprint",
    "gathering_defaults",
    "is_plain",
    "is_pythons",
    "is_registry",
    "is_shared",
    "refill",
    "state_of",
    "unbound",
    "variables_around",
]

# Values that Python shares: the same object can be anybody's, so identity says nothing about where it came from.
ATOMS = (int, float, complex, bool, str, bytes, type(None), type(Ellipsis), type(NotImplemented), range)
# Ids, since no metaclass is to be asked: `in` a tuple compares classes, `in` a set hashes them.
ATOM_IDS = frozenset(map(id, ATOMS))
C_METHODS = (MethodDescriptorType, WrapperDescriptorType, ClassMethodDescriptorType)  # of a class: `str.lower`
# Builtins and their methods are everybody's.
_PYTHONS = (BuiltinFunctionType, *C_METHODS, GetSetDescriptorType)
_ALIAS = type(Literal[1]).__mro__[1]  # `typing` gives the same one to all who ask for equal ones, of equal parts
CACHE: Any = type(functools.lru_cache(lambda: None))  # what `functools.cache` makes of a function, too
# Ids of classes of the standard library whose instances hold what they are given, and never change themselves.
CARRIERS = frozenset(map(id, (SimpleNamespace, threading.local, ChainMap, UserDict, UserList)))
# With these Python begins the names under which it keeps containers of its own, and so do those who make classes with
# fields.
_KEPT_NAMES = """
    __all __annot __attrs __builtins __callable_ __conditional __dataclass __exo_ __fields __kwdefaults __non_callable_
    __notes __path __protocol __pydantic __slot __warningregistry
"""
_KEPT = tuple(_KEPT_NAMES.split())
_LARGE = 10_000
# What code puts things into, to find them there again.
_REGISTRIES = (dict, list, set, deque)
_REGISTRY_IDS = frozenset(map(id, _REGISTRIES))
WEAK_IDS = frozenset(map(id, (WeakSet, WeakKeyDictionary, WeakValueDictionary)))
_FIXED = frozenset(map(id, (tuple, frozenset)))
# What reaches into the memory of an instance: its slots and its dict.
DESCRIPTOR_IDS = frozenset(map(id, (GetSetDescriptorType, MemberDescriptorType)))
# The namespace of a class has another object than its attribute is.
BOUND_IDS = frozenset(map(id, (staticmethod, classmethod)))
_MANY = 1_000


def is_plain(value: Any) -> bool:
    """Say whether a value is a number, a string or the like, or a tuple of such: operators call nothing of a person's.

    >>> is_plain((1, "a")), is_plain([])
    (True, False)
    """
    return id(type(value)) in ATOM_IDS or (id(type(value)) in _FIXED and all(map(is_plain, value)))


def is_shared(value: Any) -> bool:
    """Say whether a value can be anybody's, so that its identity doesn't say where it came from.

    Atoms, modules, builtins and the aliases that `typing` remembers are, and tuples of these. A frozen set is made by a
    call, and so is `list[int]`.

    >>> is_shared((1, len, str.lower, Literal[1])), is_shared([1]), is_shared(frozenset((1,))), is_shared(list[int])
    (True, False, False, False)
    """
    kind = type(value)
    if id(kind) in ATOM_IDS or issubclass(kind, (ModuleType, *_PYTHONS)):
        return True
    if issubclass(kind, _ALIAS):
        return all(map(_is_hashed_by_value, getattr(value, "__metadata__", ())))
    return kind is tuple and all(is_shared(item) for item in value)


def _is_hashed_by_value(value: Any) -> bool:
    """Say whether another value may be hashed alike: `typing` finds an alias again that has such a one."""
    return getattr(type(value), "__hash__", None) not in (None, object.__hash__)


def fingerprint(value: Any) -> int:
    """Return a number that changes when items or attributes of `value` are added, removed or replaced.

    Shallow, by identity, and holding nothing alive; a container of more than 10,000 items counts by its size, an array
    and its like by its mark. What a decorator has made of a function never changes: it has that's name, and what it
    puts away beside is a cache.

    >>> items = [1, 2]
    >>> before = fingerprint(items)
    >>> items.append(3)
    >>> fingerprint(items) == before
    False
    """
    parts: Any = value
    if is_theirs(value):
        return mark_of(value)
    if not issubclass(type(value), (list, tuple, set, frozenset, dict)):
        parts = with_slots(value, dict_of(value))
        if parts is None or ("__qualname__" in parts and "__module__" in parts):
            return 0
    if (count := count_of(parts)) > _LARGE:
        return hash(count)
    is_map = issubclass(type(parts), dict)
    return hash(tuple(map(id, [*items_of(parts), *values_of(parts)] if is_map else items_of(parts))))


def is_registry(value: Any) -> bool:
    """Say whether code puts things into a value, to find them there again: whether it is a container that changes."""
    kind = type(value)
    # The weak ones have an abstract metaclass, whose `issubclass` is fifty times slower.
    return issubclass(kind, _REGISTRIES) or id(kind) in WEAK_IDS


def refill(container: Any, content: Any) -> None:
    """Have a container hold this content, in its order; only a deque is cleared first: other threads may look.

    >>> known = {"a": 1, "c": 3}
    >>> refill(known, {"a": 1, "b": 2}), known
    (None, {'a': 1, 'b': 2})
    """
    if isinstance(container, dict):
        for key in [key for key in items_of(container) if key not in content]:
            del container[key]
        in_order = list(map(id, items_of(container))) == list(map(id, content))
        for key, value in content.items():
            if not in_order:
                container.pop(key, None)  # to the end, behind those that come before it
            container[key] = value
    elif isinstance(container, set):
        container.intersection_update(content)
        container.update(content)
    elif isinstance(container, list):
        container[:] = content  # in one step
    elif list(map(id, items_of(container))) != list(map(id, content)):
        container.clear()
        container.extend(content)


def unbound(value: Any) -> Any:
    """Return what is in a static or a class method, or the value itself.

    >>> unbound(staticmethod(len)), unbound(len)
    (<built-in function len>, <built-in function len>)
    """
    return value.__func__ if id(type(value)) in BOUND_IDS else value


def cell_values(function: FunctionType) -> list[Any]:
    """Return what a function has from the functions around it; a variable that is not assigned yet is left out.

    >>> (lambda held: cell_values(lambda: held))(3)
    [3]
    """
    return list(variables_around(function).values())


def variables_around(function: FunctionType) -> dict[str, Any]:
    """Return the variables that a function has from the functions around it; one that is not assigned yet is left out.

    >>> (lambda held: variables_around(lambda: held))(3)
    {'held': 3}
    """
    found = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:
            continue  # not assigned yet
    return found


def is_pythons(name: str, value: Any) -> bool:
    """Say whether what has a name is Python's own or a library's, and no registry with such a name as Python gives.

    >>> [is_pythons(name, {}) for name in ("__annotations__", "__handlers__", "handlers")], is_pythons("__eq__", len)
    ([True, False, False], True)
    """
    return is_dunder(name) and (id(type(value)) not in _REGISTRY_IDS or name.startswith(_KEPT))


def attributes_of(value: Any) -> list[tuple[str, Any]]:
    """Return the attributes that a class or an instance itself has, those in slots too; none of Python's own."""
    is_class = issubclass(type(value), type)
    space = type.__getattribute__(value, "__dict__") if is_class else with_slots(value, dict_of(value))
    return [(name, part) for name, part in copy_space(space or {}).items() if not is_pythons(name, part)]


def state_of(value: Any) -> list[tuple[str, Any]]:
    """Return the attributes of a class, an instance or a function, of the latter also the variables around it.

    And the containers that its parameters begin with: it may gather something in them.

    >>> state_of((lambda held: lambda: held)(3)), state_of(lambda x, seen=[]: seen)
    ([('held', 3)], [('seen', [])])
    """
    if type(value) is not FunctionType:
        return attributes_of(value)
    around = variables_around(value) if value.__closure__ is not None else {}
    around.pop("__class__", None)
    around |= gathering_defaults(value)
    own = attributes_of(value) if not around or value.__dict__ else []
    return [*around.items(), *own]


def gathering_defaults(function: FunctionType) -> dict[str, Any]:
    """Return the containers that parameters of a function begin with, by the names of these.

    >>> gathering_defaults(lambda a, b=1, c=[], *, d={}: 0)
    {'c': [], 'd': {}}
    """
    if function.__defaults__ is None and function.__kwdefaults__ is None:
        return {}  # as of most
    return {name: part for name, part in defaults_of(function).items() if is_registry(part)}


def dict_of(value: Any) -> dict[Any, Any] | None:
    """Return the dict of an object's attributes; None where it has none.

    The object is not asked: a proxy says what another one has, or raises whatever it likes.
    """
    if issubclass(type(value), threading.local):
        own: dict[Any, Any] = threading.local.__getattribute__(value, "__dict__")  # of this thread
        return own
    kind = type(value)
    if type.__getattribute__(kind, "__dictoffset__") == 0:
        return None
    bases: tuple[type, ...] = type.__getattribute__(kind, "__mro__")
    for base in bases:
        found = type.__getattribute__(base, "__dict__").get("__dict__")
        if id(type(found)) in DESCRIPTOR_IDS and base is not type:
            try:
                space = found.__get__(value, type(value))
            except (AttributeError, TypeError):  # mypyc gives classes one that says so, whatever their instances have
                return None
            return space if type(space) is dict else None
    return None
