"""What somebody means by weak references only: a `WeakSet` of classes, what was registered with an abstract class."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.survivors.carrying.registrations import (
    is_of_abstract_class,
    registering_references,
    without_registered,
)
from exocet_ipython.survivors.weak import references_to

__all__ = ["meant_weakly"]


def meant_weakly(values: Iterable[Any], records: Collection[ModuleRecord]) -> list[Any]:
    """Return the weak references by which somebody means some of what retires.

    Not those by which abstract classes remember what they were asked about, or what the modules register with them.

    Args:
        values: what retires.
        records: of the modules that retire.
    """
    found = {id(one): (one, value) for value in values for one in references_to(value)}
    asked = {key for key, (one, _) in found.items() if is_of_abstract_class(one)}
    forgotten = asked - registering_references() if asked else asked
    return [
        one
        for key, (one, value) in found.items()
        if key not in forgotten and without_registered({key: (one, value)}, value, records)
    ]
