"""Members of an enumeration that another name has now, known by their value, and flags that are composed of members."""

from __future__ import annotations

import enum
import functools
import operator
from collections.abc import Iterator, Mapping
from typing import Any

from exocet_ipython.reloading.holding.contents import is_shared

__all__ = ["composed_members", "find_by_members", "renamed_members"]


def find_by_members(old: Any, space: Mapping[str, Any], namespace: Mapping[str, Any]) -> type | None:
    """Return the new name's enumeration of one that is gone: a module has its members under the names of the other's.

    Args:
        old: what is gone.
        space: globals of the retired module.
        namespace: those of the new one.

    >>> Short, Long = enum.Enum("Short", ["RAISE", "DROP"]), enum.Enum("Long", ["RAISE", "DROP"])
    >>> find_by_members(Short, {"RAISE": Short.RAISE}, {"Long": Long, "RAISE": Long.RAISE})
    <enum 'Long'>
    >>> find_by_members(Short, {"Long": Long, "RAISE": Short.RAISE}, {"Long": Long, "RAISE": Long.RAISE})
    """
    if not issubclass(type(old), enum.EnumMeta):
        return None
    names = [name for name, value in space.items() if type(value) is old and name in namespace]
    kinds = {type(namespace[name]) for name in names}
    now = kinds.pop() if len(kinds) == 1 else None
    if now is None or not issubclass(now, enum.Enum) or space.get(now.__name__, old) is not old:
        return None
    return now if all(namespace[name].name == space[name].name for name in names) else None


def renamed_members(old: Any, new: Any) -> Iterator[tuple[enum.Enum, enum.Enum]]:
    """Yield the members whose name is gone, each with the one that has the same value under a new name.

    >>> old, new = enum.Enum("Colour", {"RED": 1, "BLUE": 2}), enum.Enum("Colour", {"CRIMSON": 1, "BLUE": 2})
    >>> list(renamed_members(old, new))
    [(<Colour.RED: 1>, <Colour.CRIMSON: 1>)]
    """
    if not (issubclass(old, enum.Enum) and issubclass(new, enum.Enum)):
        return
    gained = [member for name, member in new.__members__.items() if name not in old.__members__]
    for name, before in old.__members__.items():
        if name in new.__members__ or not is_shared(before.value):
            continue
        for now in gained:
            if type(now.value) is type(before.value) and now.value == before.value:
                yield before, now


def composed_members(old: Any, new: Any) -> Iterator[tuple[enum.Flag, enum.Flag]]:
    """Yield the flags that were composed of members (`READ | WRITE`), each with what the same names compose by now.

    >>> old, new = enum.Flag("Access", {"READ": 1, "WRITE": 2}), enum.Flag("Access", {"READ": 1, "WRITE": 4})
    >>> both = old.READ | old.WRITE
    >>> [(before is both, now.value) for before, now in composed_members(old, new)]
    [(True, 5)]
    """
    if not (issubclass(old, enum.Flag) and issubclass(new, enum.Flag)):
        return
    for before in list(old._value2member_map_.values()):
        if before.name in old.__members__:
            continue
        parts = list(before)
        if all(part.name in new.__members__ for part in parts) and _value_of(parts) == before.value:
            yield before, new(_value_of([new.__members__[part.name] for part in parts]))


def _value_of(members: list[Any]) -> Any:
    return functools.reduce(operator.or_, (member.value for member in members), 0)
