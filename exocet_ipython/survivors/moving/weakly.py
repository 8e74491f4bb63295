"""What somebody means by weak references only: a `WeakSet` of classes, what was registered with an abstract class."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from exocet_ipython.survivors.carrying.registrations import (
    is_of_abstract_class,
    is_registered_again,
    registering_references,
)
from exocet_ipython.survivors.weak import references_to

__all__ = ["meant_weakly"]


def meant_weakly(values: Iterable[Any]) -> list[Any]:
    """Return the weak references by which somebody means some of what retires.

    Not those by which abstract classes remember what they were asked about, or what the modules register anew.

    Args:
        values: what retires.
    """
    found = {id(one): (one, value) for value in values for one in references_to(value)}
    asked = {key for key, (one, _) in found.items() if is_of_abstract_class(one)}
    registered = registering_references() if asked else frozenset()
    again = {key for key in asked & registered if is_registered_again(*found[key])}
    return [one for key, (one, _) in found.items() if key not in asked or key in registered - again]
