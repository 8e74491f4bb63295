"""Classes made anew with the attributes of others, where Python doesn't let a class change its bases."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from types import CellType, MemberDescriptorType, new_class
from typing import Any

from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.reloading.generation import Journal
from exocet_ipython.reloading.retired import functions_in

__all__ = ["remake_class"]


def remake_class(cls: Any, bases: tuple[type, ...], keywords: Mapping[str, Any], journal: Journal) -> type:
    """Make a class with the attributes of another, as its statement would with these bases and keywords.

    The metaclass is one of these. The functions are those of the other, so that their `super()` means the new class
    from now on.
    """
    space = {name: part for name, part in copy_space(vars(cls)).items() if not _is_made_by_python(name, part)}
    space["__qualname__"] = cls.__qualname__
    cell = next(_class_cells(cls), None)
    if cell is not None:
        space["__classcell__"] = cell
        journal.add(functools.partial(setattr, cell, "cell_contents", cls))
    return new_class(cls.__name__, bases, {**keywords}, lambda namespace: namespace.update(space))


def _is_made_by_python(name: str, part: Any) -> bool:
    return name in ("__dict__", "__weakref__") or type(part) is MemberDescriptorType


def _class_cells(cls: type) -> Iterator[CellType]:
    """Yield the cells by which the methods of a class know it."""
    for part in copy_space(vars(cls)).values():
        for function in functions_in(part):
            cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
            if "__class__" in cells and cells["__class__"].cell_contents is cls:
                yield cells["__class__"]
