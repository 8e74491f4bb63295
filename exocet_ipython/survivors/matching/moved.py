"""Where classes and functions are from, and what they are called there; what has moved, and second names."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from itertools import islice
from types import FunctionType, ModuleType
from typing import Any

from exocet_ipython.loading.spaces import globals_of
from exocet_ipython.reloading.contents import dict_of
from exocet_ipython.reloading.held import dotted_name, home_of
from exocet_ipython.reloading.paths import attribute_at
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.survivors.definitions import is_definition
from exocet_ipython.survivors.matching.succession import Succession

__all__ = [
    "find_back",
    "find_moved",
    "find_own",
    "have_one_name",
    "is_imported",
    "is_made_by_call",
    "stands_for_another",
]


def is_imported(value: Any, module: str) -> bool:
    """Say whether a class or function, or what a decorator has made of one, is of another module.

    >>> from functools import cache
    >>> [is_imported(value, __name__) for value in (is_imported, cache(is_imported), cache, cache(cache), 1)]
    [False, False, True, True, False]
    """
    home = home_of(value) if is_definition(value) else (dict_of(value) or {}).get("__module__", module)
    return bool(home != module)


def have_one_name(before: Any, now: Any) -> bool:
    """Say whether two definitions are called the same where they are defined."""
    return bool(getattr(now, "__qualname__", None) == before.__qualname__)


def is_made_by_call(function: FunctionType) -> bool:
    """Say whether a function is not its module's own: a decorator that is defined there, or `exec`, has made it."""
    home: str | None = function.__module__
    space = globals_of(sys.modules.get(home or ""))
    made = home is None or "<locals>" in function.__qualname__
    return made and all(value is not function for value in list(space.values()))


def find_own(modules: Mapping[str, ModuleRecord] | Mapping[str, ModuleType], definition: Any) -> Any:
    """Return what modules, or those of records, have under the own name of a definition."""
    return _names(modules.get(home_of(definition))).get(definition.__qualname__)


def stands_for_another(attribute: str, before: Any, now: Any, succession: Succession) -> bool:
    """Say whether a second name of a class or function is another's by now.

    Where the definition goes on under its own name, or what has the name now was defined before, that is so; not where
    the second name becomes the definition's own (`_Box = Box` goes with `class Box`, and `class _Box` is there).
    """
    old = succession.old
    if not is_definition(before) or attribute == before.__qualname__ or find_own(old, before) is not before:
        return False
    known = find_own(old, now) if is_definition(now) else None
    return find_own(succession.new, before) is not None or (is_definition(known) and have_one_name(known, now))


def find_moved(before: Any, succession: Succession) -> Any:
    """Return the class or function that one other module alone has gained under the name of one that is gone.

    Args:
        before: a class or function of a module that retires, without a counterpart there.
        succession: which modules retire, and which are current now.

    Returns:
        That, or None where there is none, or more than one.
    """
    name, is_function = before.__qualname__, type(before) is FunctionType
    found: list[Any] = []
    for home, module in succession.new.items():
        now: Any = _names(module).get(name)
        if not is_definition(now) or home_of(now) != home or now.__qualname__ != name:
            continue
        if (type(now) is FunctionType) is is_function and name not in _names(succession.old.get(home)):
            found.append(now)
    return found[0] if len(found) == 1 else None


def find_back(before: Any, succession: Succession) -> Any:
    """Return the class or function that has appeared where one that is gone was before it was moved or renamed.

    Args:
        before: a class or function of a module that retires, without a counterpart.
        succession: which modules retire, and which are current now.
    """
    for name in islice(succession.names(dotted_name(before)), 1, None):
        module, path = succession.place_of(name)
        was, now = succession.old.get(module), succession.find(name)
        if is_definition(now) and was is not None and attribute_at(was.module, path) is None:
            return now
    return None


def _names(home: ModuleRecord | ModuleType | None) -> Mapping[str, Any]:
    """Return what a module, or that of a record, has under its names."""
    return globals_of(home.module if type(home) is ModuleRecord else home)
