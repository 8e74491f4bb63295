"""Classes: which are alive, what they have, and which of them a dict is the namespace of."""

from __future__ import annotations

import gc
import sys
from collections import deque
from collections.abc import Container, Iterable, Iterator, Mapping
from itertools import chain
from types import GetSetDescriptorType
from typing import Any

from exocet_ipython.loading.classes import module_said_by
from exocet_ipython.loading.names import is_dunder
from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.reloading.holding.contents import attributes_of, is_shared
from exocet_ipython.reloading.holding.paths import attribute_at
from exocet_ipython.reloading.ladder.operations import is_same_constant
from exocet_ipython.survivors.former import renamed_by, under_old_names

__all__ = [
    "changed_constants",
    "class_of",
    "classes_made",
    "is_defined",
    "is_made",
    "living_classes",
    "own_attributes",
    "raw_dicts",
    "with_subclasses",
]


def class_of(holder: dict[Any, Any]) -> type | None:
    """Return the class whose namespace a dict is, if it is one."""
    if type(holder) is not dict:  # a subclass may make an entry of what it is asked for, and is never a namespace
        return None
    marks = holder.get("__dict__"), holder.get("__weakref__")
    if found := [mark.__objclass__ for mark in marks if type(mark) is GetSetDescriptorType]:
        # A function that wraps a class has a copy of its namespace (`functools.update_wrapper`). So has a decorator
        # that makes the class anew from that, next to it (attrs).
        beside = (type.__subclasses__(base) for cls in found for base in type.__getattribute__(cls, "__bases__"))
        return _with_namespace(holder, chain(found, *beside))
    if "__module__" in holder and "__doc__" in holder and "__qualname__" not in holder:  # what a wrapper has
        # Its bases have the marks. Asking the collector for its holder would be another pass over the heap.
        return _with_namespace(holder, living_classes())
    return None


def _with_namespace(space: dict[Any, Any], classes: Iterable[type]) -> type | None:
    """Return the one of some classes whose namespace a dict is."""
    home = space.get("__module__")
    ours = (cls for cls in classes if type.__getattribute__(cls, "__dict__").get("__module__") is home)
    return next((cls for cls in ours if any(part is space for part in raw_dicts(cls))), None)


def classes_made(bases: Iterable[type], known: Container[int], modules: Mapping[str, Any]) -> list[type]:
    """Return the classes that functions of modules have made on top of some: no module names them.

    Args:
        bases: what they derive from.
        known: ids of classes that are none of these.
        modules: dotted name -> module.
    """
    own = [cls for cls in with_subclasses(bases) if module_said_by(cls) in modules and id(cls) not in known]
    return [cls for cls in own if not is_defined(cls, modules)]


def is_made(cls: type, modules: Mapping[str, Any]) -> bool:
    """Say whether a function has made a class when it was called: no module has it under its own name.

    Args:
        cls: the class; its `__module__` is that of the function.
        modules: dotted name -> module; others are asked as they are now: Python's `types` makes classes as well.
    """
    home = module_said_by(cls)
    name = type.__getattribute__(cls, "__qualname__")
    return "<locals>" in name or not is_defined(cls, modules if home in modules else sys.modules)


def is_defined(cls: type, modules: Mapping[str, Any]) -> bool:
    """Say whether the module of a class, by its dotted name, has it under its own name."""
    home, name = module_said_by(cls), type.__getattribute__(cls, "__qualname__")
    return attribute_at(modules.get(home), name) is cls


def living_classes() -> Iterator[type]:
    """Yield all classes that there are."""
    seen: set[int] = set()  # ids: a metaclass may define what equality is
    waiting: list[type] = [object]
    while waiting:
        cls = waiting.pop()
        if id(cls) not in seen:
            seen.add(id(cls))
            yield cls
            waiting += type.__subclasses__(cls)


def raw_dicts(cls: type) -> list[dict[str, Any]]:
    """Return the very dict of a class, which `vars` only shows through a proxy."""
    return [part for part in gc.get_referents(cls) if type(part) is dict]


def own_attributes(value: Any) -> dict[str, Any]:
    """Return the attributes that a class or an instance itself has, those in slots included; none of Python's own."""
    return dict(attributes_of(value))


def with_subclasses(classes: Iterable[type]) -> Iterator[type]:
    """Yield classes and all that derive from them, each after its bases."""
    found: dict[int, type] = {}
    waiting = deque(classes)
    while waiting:
        cls = waiting.popleft()
        found[id(cls)] = cls
        waiting += type.__subclasses__(cls)
    yield from sorted(found.values(), key=lambda cls: len(cls.__mro__))


def changed_constants(before: type, now: type) -> Iterator[str]:
    """Yield the names of the constants that one class has, and the other has otherwise, or has not.

    >>> class Shape: sides, name = 4, "shape"
    >>> list(changed_constants(Shape, type("Shape", (), {"sides": 5, "name": "shape"})))
    ['sides']
    """
    was, has = copy_space(vars(before)), under_old_names(copy_space(vars(now)), renamed_by(before))
    for name in {**was, **has}:
        old, new = was.get(name), has.get(name)
        if (
            old is not new
            and is_shared(old)
            and is_shared(new)
            and not is_dunder(name)
            and not is_same_constant(old, new)
        ):
            yield name
