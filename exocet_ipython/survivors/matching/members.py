"""Members of an enumeration that another name has now: known by their value."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Any

from exocet_ipython.reloading.contents import is_shared

__all__ = ["renamed_members"]


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
