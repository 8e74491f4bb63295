"""What definitions that are gone have left: they may be back some day, by an undo or a repair, as other objects.

Classes and functions whose definition is gone are survivors like others. This is about the objects that a module's
body made of them: where the person still holds one, it is replaced when its definition is back.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any

from exocet_ipython.reloading.contents import fingerprint, is_shared
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.survivors.records import RetiredGeneration

__all__ = ["LostDefinitions", "LostValue", "find_lost_values"]


@dataclass(frozen=True, slots=True)
class LostValue:
    """A module-level instance whose definition is gone.

    Attributes:
        name: dotted, of its definition.
        reference: a weak one.
        fingerprint: tells whether the person has changed it since.
    """

    name: str
    reference: weakref.ref[Any]
    fingerprint: int


class LostDefinitions:
    """What is remembered of definitions that are gone, all of it weakly.

    >>> LostDefinitions().returning({}, 1)
    []
    """

    def __init__(self) -> None:
        self._values: list[LostValue] = []

    def __repr__(self) -> str:
        return f"<{len(self._values)} lost values>"

    def add(self, values: Sequence[LostValue]) -> None:
        """Remember instances whose definition is gone, and forget those that are gone themselves."""
        self._values = [value for value in (*self._values, *values) if value.reference() is not None]

    def returning(self, modules: Mapping[str, ModuleType], number: int) -> list[RetiredGeneration]:
        """Return the instances whose definition is back, as survivors of a generation; none where there are none.

        Args:
            modules: dotted name -> module that is current now.
            number: of the generation.
        """
        back = [value for value in self._values if _is_back(value, modules)]
        if not back:
            return []
        named = {id(part) for module in modules.values() for part in list(getattr(module, "__dict__", {}).values())}
        found = [value for value in back if id(value.reference()) not in named]  # others only had it from elsewhere
        return [RetiredGeneration(number, [("instance", value.name, value.reference) for value in found])]


def _is_back(value: LostValue, modules: Mapping[str, ModuleType]) -> bool:
    """Say whether there is another object under the name of one that lives, and that nobody has changed."""
    living = value.reference()
    module, _, attribute = value.name.rpartition(".")
    now = getattr(modules.get(module), "__dict__", {}).get(attribute)
    return now is not None and now is not living and living is not None and fingerprint(living) == value.fingerprint


def find_lost_values(old: Mapping[str, ModuleRecord], modules: Mapping[str, ModuleType]) -> Iterator[LostValue]:
    """Yield the instances that retiring modules made and that have no counterpart.

    What can't be referenced weakly is left out: a list, say.

    Args:
        old: dotted name -> record of a module that retires.
        modules: dotted name -> module that is current then.
    """
    for name, record in old.items():
        space: dict[str, Any] = getattr(record.module, "__dict__", {})
        for attribute in space.keys() - getattr(modules.get(name), "__dict__", {}).keys():
            value = space[attribute]
            is_definition = issubclass(type(value), (type, FunctionType))
            if attribute[:2] == "__" or is_definition or is_shared(value):
                continue
            mark = fingerprint(value)
            if mark != record.fingerprints.get(attribute, 0):
                continue  # the person's by now
            try:
                yield LostValue(f"{name}.{attribute}", weakref.ref(value), mark)
            except TypeError:
                continue
