"""Whether the new text begins to count where the old one did, so that the count can go on."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.reloading.holding.paths import attribute_at
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.survivors.repeating.untouched import is_as_it_was

__all__ = ["as_begun", "begins_alike"]

_missing: Any = object()


def as_begun(known: Mapping[str, Any], path: str, again: ModuleRecord, renamed: Mapping[str, str]) -> Mapping[str, Any]:
    """Return what has some names, in a module that returns, as its body has left it, where that was a constant.

    What it has by now is what cells had made of it when it retired, and of which what retires now has made more.

    Args:
        known: what has these names; for what only has other names by now those that it had.
        path: of what has them; empty for the module.
        again: the record of the module.
        renamed: such names -> what they are now.
    """
    place = re.sub(r"\w+", lambda found: renamed.get(found[0], found[0]), path)
    baseline: Mapping[Any, int] = again.contents.get(place, {}) if path else again.values
    left = {name: again.constants[was] for name, was in baseline.items() if was in again.constants}
    return {name: left.get(renamed.get(name, name), value) for name, value in copy_space(known).items()}


def begins_alike(
    name: str,
    baseline: Mapping[Any, int],
    known: Mapping[str, Any],
    record: ModuleRecord,
    after: Mapping[str, ModuleType | None],
) -> bool:
    """Say whether a name stands for what it stood for when the old body had run.

    That is the same constant, the same member of an enumeration, or what the module has under the same other name.

    Args:
        name: of a global, or an attribute.
        baseline: what had that name then, by id, and others.
        known: what has it in the new module, or in what takes the place of an instance, and others.
        record: of the retired module.
        after: dotted name -> what takes the place of it, and of others.
    """
    was, value = baseline.get(name), known.get(name, _missing)
    if was is None or value is _missing:
        return was is None and value is _missing
    if is_as_it_was(value, was, record.constants):
        return True
    if issubclass(type(value), enum.Enum):
        before = attribute_at(record.module, type(value).__qualname__)
        return issubclass(type(before), enum.EnumMeta) and id(before.__members__.get(value.name)) == was
    old = globals_of(record.module)
    others = [
        other
        for other, part in copy_space(globals_of(after.get(record.name))).items()
        if part is value and other != name
    ]
    return any(id(old.get(other)) == was for other in others)
