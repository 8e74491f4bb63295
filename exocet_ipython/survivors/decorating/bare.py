"""Classes of cells as their bodies have made them, without what a decorator has made of their attributes.

A decorator that sets attributes of a class, wraps its methods or hands it to `dataclass` changes the class itself.
The functions of its body are in what wraps them: it can be what it was before, be decorated otherwise, and keep what
cells have set of it since.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import FunctionType, MemberDescriptorType
from typing import Any

from exocet_ipython.loading.classes import defines, delete_attribute, set_attribute
from exocet_ipython.loading.names import is_dunder
from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.reloading.holding.contents import unbound, variables_around
from exocet_ipython.reloading.holding.held import CELLS
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.survivors.rebasing.putting import is_alike
from exocet_ipython.survivors.rebasing.statements import names_said
from exocet_ipython.survivors.rebasing.trying import put_back

__all__ = ["BareClass", "bare_class", "decorate_class"]

_missing: Any = object()
# What a body, or Python for it, gives a class beside what the body says.
_OF_CLASS = frozenset(
    (
        *("__annotate__", "__annotate_func__", "__annotations__", "__annotations_cache__", "__dict__", "__doc__"),
        *("__firstlineno__", "__module__", "__orig_bases__", "__parameters__", "__qualname__", "__slots__"),
        *("__static_attributes__", "__type_params__", "__weakref__", "__abstractmethods__", "_abc_impl"),
    )
)


@dataclass(frozen=True, slots=True)
class BareClass:
    """A class of a cell as its body has made it.

    Attributes:
        functions: the functions of its body that are wrapped now, by name.
        made: the names of what its decorator has set beside.
    """

    functions: Mapping[str, FunctionType]
    made: frozenset[str]


def bare_class(cls: Any, decorate: Callable[[Any], object]) -> BareClass | None:
    """Return what a class was before it was decorated; None where that can't be told, or is not all that was done.

    Args:
        cls: the class.
        decorate: does again what its decorator has done.
    """
    said, space = names_said(cls), copy_space(vars(cls))
    if said is None or any(callable(getattr(one, "default_factory", None)) for one in _fields(space)):
        return None  # a dataclass has taken these out of the class
    functions = {name: found for name in said & space.keys() if (found := _wrapped(space[name], name)) is not None}
    given = {name for name, part in space.items() if name in _OF_CLASS or type(part) is MemberDescriptorType}
    others = frozenset(space.keys() - said - given)
    bare = BareClass(functions, others)
    try:
        _strip(cls, bare)
        is_same = decorate(cls) is cls
        made = copy_space(vars(cls))
    except Exception:  # noqa: BLE001 - a person's decorator, which may need what is gone
        return None
    finally:
        _restore(cls, space)
    known = frozenset(name for name in others if type(made.get(name, _missing)) is type(space[name]))
    plain = frozenset(name for name in known if not is_dunder(name) and _is_another(space[name], made[name]))
    is_alike_wrapped = all(type(made.get(name)) is type(space[name]) for name in functions)
    return BareClass(functions, known - plain) if is_same and is_alike_wrapped else None


def decorate_class(cls: Any, bare: BareClass, decorate: Callable[[Any], object], journal: Journal) -> None:
    """Decorate a class that is as its body has made it; what cells have set of it since stays.

    Raises:
        Exception: what the decorator raises; the class is as it was.
    """
    before = copy_space(vars(cls))
    others = before.keys() - bare.made - bare.functions.keys() - _OF_CLASS
    try:
        _strip(cls, bare)
        bodies = copy_space(vars(cls))
        is_same = decorate(cls) is cls
    except Exception:
        _restore(cls, before)
        raise
    if not is_same:
        _restore(cls, before)  # its instances are of that class
        return
    journal.add(functools.partial(_restore, cls, before))
    said = names_said(cls) or frozenset[str]()
    put_back(cls, others - said - {name for name in others if name not in bodies}, before)


def _restore(cls: Any, before: Mapping[str, Any]) -> None:
    """Give a class back all that it had, and nothing else."""
    put_back(cls, {*before, *copy_space(vars(cls))} - {"__dict__", "__weakref__"}, before)


def _fields(space: Mapping[str, Any]) -> list[Any]:
    fields = space.get("__dataclass_fields__")
    return [one for one in fields.values() if one.default_factory is not _absent()] if type(fields) is dict else []


@functools.cache
def _absent() -> Any:
    return sys.modules["dataclasses"].MISSING


def _is_another(before: Any, now: Any) -> bool:
    """Say whether a cell has set something else: of what can be compared."""
    return not (callable(before) or defines(type(before), "__get__")) and not is_alike(before, now, {})


def _wrapped(part: Any, name: str) -> FunctionType | None:
    """Return the function of a body that something wraps which is there in its place; None where it is none."""
    held = unbound(part)
    if type(held) is not FunctionType or held.__module__ == CELLS == held.__globals__.get("__name__"):
        return None
    waiting = [held]
    for one in waiting:
        parts = [*variables_around(one).values(), vars(one).get("__wrapped__")]
        found = [inner for inner in parts if type(inner) is FunctionType]
        for inner in found:
            if inner.__globals__.get("__name__") == CELLS and inner.__code__.co_name == name:
                return inner
        waiting += [inner for inner in found if all(inner is not other for other in waiting)]
    return None


def _strip(cls: Any, bare: BareClass) -> None:
    for name, function in bare.functions.items():
        set_attribute(cls, name, function)
    for name in bare.made & vars(cls).keys():
        delete_attribute(cls, name)
