"""Assigning to what is made anew what cells had assigned to the old one."""

from __future__ import annotations

from functools import partial
from types import FunctionType
from typing import Any

from exocet_ipython.loading.classes import delete_attribute, set_attribute
from exocet_ipython.reloading.holding.parameters import defaults_of, set_defaults
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.survivors.classes import own_attributes

__all__ = ["assign"]

_missing = object()


def assign(owner: Any, name: str, value: Any, journal: Journal) -> None:
    """Set an attribute of a class, an instance or a function, or a variable around that or a default of it."""
    if type(owner) is FunctionType and name in owner.__code__.co_freevars:
        cell = (owner.__closure__ or ())[owner.__code__.co_freevars.index(name)]
        journal.add(partial(setattr, cell, "cell_contents", cell.cell_contents))
        cell.cell_contents = value
        return
    if type(owner) is FunctionType and name in (defaults := defaults_of(owner)):
        journal.add(partial(set_defaults, owner, defaults))
        set_defaults(owner, defaults | {name: value})
        return
    attributes = vars(owner) if issubclass(type(owner), type) else own_attributes(owner)
    before = attributes.get(name, _missing)
    set_attribute(owner, name, value)
    back = partial(delete_attribute, owner, name) if before is _missing else partial(set_attribute, owner, name, before)
    journal.add(back)
