"""Generations that nothing holds: they are let go of without waiting for the collector.

A module's functions and its namespace refer to each other, so what retires is freed by a full collection only, which a
large heap puts off for long; until then each reload adds all that a module has made, its data included. Emptying the
namespace frees everything but its classes, as loading the module again in place would; of these it leaves the shells.

The latest of these generations stays as it is: an undo of the last edit finds its very objects. An earlier one
that can't be emptied doesn't come back: what has moved since has moved in it as well, as in all that refers to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import FunctionType
from typing import Any

from exocet_ipython.loading.classes import delete_attributes
from exocet_ipython.loading.names import is_dunder
from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.reloading.retired import retired_of
from exocet_ipython.survivors.finding.generations import RetiredGeneration

__all__ = ["end_unheld"]

_ABSTRACT = "_abc_"  # what an abstract base class is asked about its instances by
_METHODS = frozenset(map(id, (FunctionType, staticmethod, classmethod, property)))
_MOST = 500  # definitions: looking at them takes a millisecond or two; of more the collector has to find out


def end_unheld(generation: RetiredGeneration, *, may_return: bool = False) -> None:
    """Empty the modules of a generation that nothing has held, and its classes.

    If something has come to hold it, it stays whole.

    Args:
        generation: that.
        may_return: whether its modules may become current again where they stay whole.
    """
    if not may_return:
        _spend(generation)
    if not _may_be_emptied(generation) or generation.is_held(others=list(_instances(generation))):
        return
    classes = [value for kind, _, value in generation.living() if kind == "class"]
    for space in list(_spaces(generation)):
        space.clear()
    for cls in classes:
        parts = copy_space(vars(cls)).items()
        own = [
            name
            for name, part in parts
            if id(type(part)) in _METHODS or not (is_dunder(name) or name.startswith(_ABSTRACT))
        ]
        delete_attributes(cls, own)  # they may be what the classes of now have as well, and count as held by that


def _spend(generation: RetiredGeneration) -> None:
    for kind, _, value in generation.living():
        if kind == "module" and (retired := retired_of(value)) is not None:
            retired.is_spent = True


def _may_be_emptied(generation: RetiredGeneration) -> bool:
    """Say whether the collector would do no better: it calls each `__del__` while all globals are there (PEP 442)."""
    classes = (value for kind, _, value in generation.living() if kind == "class")
    return len(generation.references) <= _MOST and not any("__del__" in vars(cls) for cls in classes)


def _spaces(generation: RetiredGeneration) -> Iterator[dict[str, Any]]:
    for kind, _, value in generation.living():
        if kind == "module" and retired_of(value) is not None:
            yield vars(value)


def _instances(generation: RetiredGeneration) -> Iterator[Any]:
    """Yield what a generation's modules name of the instances of its classes."""
    classes = {id(value) for kind, _, value in generation.living() if kind == "class"}
    for space in _spaces(generation):
        yield from (value for value in copy_space(space).values() if id(type(value)) in classes)
