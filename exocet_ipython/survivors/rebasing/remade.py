"""Classes made anew with the attributes of others, where Python doesn't let a class change its bases."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator, Mapping
from types import CellType, MemberDescriptorType, new_class
from typing import Any

from exocet_ipython.loading.classes import delete_attribute, first_named, is_of_python, mro_of
from exocet_ipython.loading.names import is_dunder
from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.loading.trees import whole
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.ladder.operations import strings_of
from exocet_ipython.reloading.retired import functions_of, retired_class
from exocet_ipython.survivors.rebasing.statements import classes_said

__all__ = ["remake_class", "taken_out"]

_MADE = ("__dict__", "__weakref__", "__abstractmethods__", "_abc_impl")  # as the metaclass of now does it


def remake_class(
    cls: Any,
    bases: tuple[type, ...],
    keywords: Mapping[str, Any],
    beside: tuple[Mapping[str, Any], Collection[str]],
    journal: Journal,
) -> type:
    """Make a class with the attributes of another, as its statement would with these bases and keywords.

    The functions are those of the other, so that their `super()` means the new class from now on.

    Args:
        cls: the other one.
        bases: of the class.
        keywords: what its statement gives beside, and the metaclass.
        beside: what the metaclass has taken out of the body, and takes out again, see `taken_out`; the names of what
            hooks have set, which no body has given it, and set again.
        journal: how it is taken back.
    """
    taken, made = beside
    space = {
        name: part
        for name, part in copy_space(vars(cls)).items()
        if not _is_made_by_python(name, part) and name not in made
    }
    space["__qualname__"] = cls.__qualname__
    space |= classes_said(cls, space.keys() | taken.keys())
    cell = next(_class_cells(cls), None)
    if cell is not None:
        space["__classcell__"] = cell
        journal.add(functools.partial(setattr, cell, "cell_contents", cls))

    def make(body: Mapping[str, Any]) -> type:
        return new_class(cls.__name__, bases, {**keywords}, lambda namespace: namespace.update(body))

    try:
        now = make({**taken, **space})
    except Exception:  # whatever a metaclass raises: it may have set an attribute itself that no body gives it
        inherited = [name for name, part in space.items() if not is_dunder(name) and _has(bases, name, part)]
        if not inherited:
            raise
        now = make({**taken, **{name: part for name, part in space.items() if name not in inherited}})
    left = [name for name in taken if name not in space and vars(now).get(name) is taken[name]]
    _collect({name: taken[name] for name in left}, cls, now)
    for name in left:
        delete_attribute(now, name)  # what was in a dict of the class was no attribute of it
    return now


def _collect(left: Mapping[str, Any], cls: type, now: type) -> None:
    """Put what the metaclass has left in the body into the dicts that it was in, where it could not know it by now.

    It asks for instances of a class, and those of before get the new one only when they are moved.
    """
    strangers = {
        name: part for name, part in left.items() if any(retired_class(kind) is not None for kind in mro_of(type(part)))
    }
    for place, content in copy_space(vars(cls)).items() if strangers else ():
        collected = vars(now).get(place)
        if type(content) is dict is type(collected):
            missing = {name for name, part in content.items() if name not in collected and strangers.get(name) is part}
            known = [name for name in content if name in missing or name in collected]
            for name in known if missing else ():  # in the order of the body
                collected[name] = content[name] if name in missing else collected.pop(name)


def _has(bases: tuple[type, ...], name: str, part: Any) -> bool:
    return any(first_named(name, mro_of(base)) is part for base in bases)


def taken_out(cls: Any) -> dict[str, Any]:
    """Return what the metaclass of a class may have taken out of its body, and put into a dict of it (`cls.fields`).

    It names the dict, then. What the bases have in theirs is none of the body's, nor is a copy of that; nor is what it
    has made of an annotation, which the class still has (both in `__fields__` of pydantic 1).

    >>> class Collecting(type):
    ...     def __new__(mcs, name, bases, space):
    ...         fields = {key: space.pop(key) for key in [*space] if key[0] != "_"}
    ...         return super().__new__(mcs, name, bases, {**space, "fields": fields})
    >>> class Point(metaclass=Collecting): x = 1
    >>> taken_out(Point)
    {'x': 1}
    """
    found: dict[str, Any] = {}
    kinds = [kind for kind in mro_of(type(cls)) if not is_of_python(kind)]
    functions = [function for kind in kinds for function in functions_of(kind)]
    named = {part for one in functions for code in whole(one.__code__) for part in (*code.co_names, *strings_of(code))}
    annotated = vars(cls).get("__annotations__", ())
    for place, content in copy_space(vars(cls)).items():
        if place in named and type(content) is dict:
            others = [other for base in mro_of(cls)[1:] if type(other := vars(base).get(place)) is dict]
            inherited = {id(part) for other in others for part in other.values()}
            names = [name for name in content if type(name) is str and name.isidentifier() and name not in annotated]
            own = {name: content[name] for name in names if id(content[name]) not in inherited}
            own = {name: part for name, part in own.items() if not any(_is_copy(part, one.get(name)) for one in others)}
            found = {**own, **found}  # what a later one has for a name was made of that (`cls.defaults`)
    return found


def _is_copy(value: Any, other: Any) -> bool:
    """Say whether two values look alike: deep copies may be equal in no other way."""
    try:
        return type(value) is type(other) and repr(value) == repr(other)
    except Exception:  # noqa: BLE001 - whatever it raises that is to describe itself
        return False


def _is_made_by_python(name: str, part: Any) -> bool:
    return name in _MADE or type(part) is MemberDescriptorType


def _class_cells(cls: type) -> Iterator[CellType]:
    """Yield the cells by which the methods of a class know it."""
    for function in functions_of(cls):
        cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
        if "__class__" in cells and cells["__class__"].cell_contents is cls:
            yield cells["__class__"]
