"""Where classes and functions are from, and what they are called there; what has moved, and second names."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from itertools import islice
from types import FunctionType, ModuleType
from typing import Any

from exocet_ipython.loading.spaces import globals_of
from exocet_ipython.reloading.holding.contents import ATOM_IDS, BOUND_IDS, dict_of
from exocet_ipython.reloading.holding.held import dotted_name, home_of
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.survivors.classes import is_made
from exocet_ipython.survivors.definitions import is_definition
from exocet_ipython.survivors.matching.succession import Succession

__all__ = [
    "find_back",
    "find_moved",
    "find_own",
    "have_one_name",
    "is_decorated_now",
    "is_imported",
    "is_made_by_call",
    "name_of",
    "own_name",
    "stands_for_another",
    "was_made",
]


def is_imported(value: Any, module: str) -> bool:
    """Say whether a class or function, or what a decorator has made of one, is of another module.

    >>> from functools import cache
    >>> [is_imported(value, __name__) for value in (is_imported, cache(is_imported), cache, cache(cache), 1)]
    [False, False, True, True, False]
    """
    found = own_name(value)
    return found is not None and found[0] != module


def name_of(value: Any) -> str:
    """Return the dotted name that a class or function has, or what a decorator has made of one; "" for others.

    >>> from functools import cache
    >>> name_of(cache(name_of)), name_of(1)
    ('exocet_ipython.survivors.matching.moved.name_of', '')
    """
    return ".".join(own_name(value) or ())


def own_name(value: Any) -> tuple[str, str] | None:
    """Return the module that a definition, or what a decorator has made of one, says it is of, and its name there.

    A decorator gives what it makes the name of what it was given (`functools.update_wrapper`).

    >>> own_name(own_name), own_name(1)
    (('exocet_ipython.survivors.matching.moved', 'own_name'), None)
    """
    if is_definition(value):
        return home_of(value), dotted_name(value).removeprefix(f"{home_of(value)}.")
    if id(type(value)) in ATOM_IDS:
        return None
    space = dict_of(value) or {}
    home, name = space.get("__module__"), space.get("__qualname__")
    return (home, name) if type(home) is str and type(name) is str else None


def have_one_name(before: Any, now: Any) -> bool:
    """Say whether two definitions are called the same where they are defined."""
    return bool(getattr(now, "__qualname__", None) == before.__qualname__)


def is_decorated_now(before: Any, now: Any) -> bool:
    """Say whether a decorator has made of a function of a class something that is none, and is called like it.

    >>> from functools import cache
    >>> is_decorated_now(name_of, cache(name_of)), is_decorated_now(cache(name_of), name_of)
    (True, False)
    """
    if type(before) is not FunctionType or type(now) is FunctionType or id(type(now)) in BOUND_IDS:
        return False
    return name_of(before) == name_of(now)


def is_made_by_call(function: FunctionType) -> bool:
    """Say whether a function is not its module's own: a decorator that is defined there, or `exec`, has made it."""
    home: str | None = function.__module__
    space = globals_of(sys.modules.get(home or ""))
    made = home is None or "<locals>" in function.__qualname__
    return made and all(value is not function for value in list(space.values()))


def was_made(definition: Any, modules: Mapping[str, Any]) -> bool:
    """Say whether a function has made a class or function when it was called, so that it is no module's own.

    Args:
        definition: the class or function.
        modules: dotted name -> module; others are asked as they are now.
    """
    return is_made_by_call(definition) if type(definition) is FunctionType else is_made(definition, modules)


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


def find_moved(before: Any, succession: Succession, number: int | None = None) -> Any:
    """Return what one other module alone has gained under the name of what is gone, and is of its kind.

    Args:
        before: what a module that retires has, without a counterpart there; only what has a name of its own moves.
        succession: which modules retire, and which are current now.
        number: of the last generation that had it, where that is not the one which retires.

    Returns:
        That, or None where there is none, or more than one.
    """
    was, name = own_name(before) or ("", "")
    lost = succession.old.get(was) if number is None else number
    found: list[Any] = []
    for home, module in succession.new.items() if name else ():
        now: Any = _names(module).get(name)
        if own_name(now) == (home, name) and _kind(now) == _kind(before):
            found += [now] if succession.has_gained(home, name, lost) else []
    return found[0] if len(found) == 1 else None


def find_back(before: Any, succession: Succession) -> Any:
    """Return what is there again where what is gone was before it was moved or renamed.

    Args:
        before: what a module that retires has, without a counterpart; it has a name of its own.
        succession: which modules retire, and which are current now.
    """
    for name in islice(succession.names(name_of(before)), 1, None):
        now = succession.find(name)
        if own_name(now) is not None:
            return now
    return None


def _kind(value: Any) -> object:
    """Return what is the same of a definition and its counterpart: whether it is a function, a class, or what else."""
    return type(value) is FunctionType if is_definition(value) else dotted_name(type(value))


def _names(home: ModuleRecord | ModuleType | None) -> Mapping[str, Any]:
    """Return what a module, or that of a record, has under its names."""
    return globals_of(home.module if type(home) is ModuleRecord else home)
