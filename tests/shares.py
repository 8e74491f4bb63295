"""Which of many like cases each Python runs: together the tested Pythons run all of them, in a third of the time."""

from __future__ import annotations

import sys
import zlib

__all__ = ["SEED", "is_of_share", "take_turn"]

# For random cases: each Python makes others, and always the same ones.
SEED = sys.version_info.minor
_SHARES = 3  # the tested Pythons: three neighbours


def take_turn(case: str | int, number: int) -> int:
    """Return one of `number` ways to run a case: always the same one on a Python, on its neighbours others.

    Args:
        case: its name, or its place in a list that is too short for chance.
        number: of ways.

    >>> take_turn("late-import", 2) in (0, 1)
    True
    """
    place = case if isinstance(case, int) else zlib.crc32(case.encode())
    return (place + sys.version_info.minor) % number


def is_of_share(case: str | int) -> bool:
    """Return whether this Python runs a case; those between them have each case run by one of them.

    >>> is_of_share("late-import") in (True, False)
    True
    """
    return take_turn(case, _SHARES) == 0
