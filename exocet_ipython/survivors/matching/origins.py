"""Where classes and functions are from, and what they are called there."""

from __future__ import annotations

import sys
from types import FunctionType
from typing import Any

from exocet_ipython.reloading.held import home_of
from exocet_ipython.survivors.definitions import is_definition

__all__ = ["have_one_name", "is_imported", "is_made_by_call"]


def is_imported(value: Any, module: str) -> bool:
    """Say whether a class or function is of another module."""
    return is_definition(value) and home_of(value) != module


def have_one_name(before: Any, now: Any) -> bool:
    """Say whether two definitions are called the same where they are defined."""
    return bool(getattr(now, "__qualname__", None) == before.__qualname__)


def is_made_by_call(function: FunctionType) -> bool:
    """Say whether a function is not its module's own: a decorator that is defined there, or `exec`, has made it."""
    home: str | None = function.__module__
    space = getattr(sys.modules.get(home or ""), "__dict__", {})
    made = home is None or "<locals>" in function.__qualname__
    return made and all(value is not function for value in list(space.values()))
