"""Constants that functions name, and that are others in the new modules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from types import FunctionType, ModuleType
from typing import Any

from exocet_ipython.loading.names import is_dunder
from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.loading.trees import whole
from exocet_ipython.reloading.holding.contents import is_plain
from exocet_ipython.reloading.ladder.operations import is_same_constant
from exocet_ipython.reloading.retired import retired_module
from exocet_ipython.survivors.comparison import runs_alike
from exocet_ipython.survivors.former import renamed_by, under_old_names

__all__ = ["any_other", "changed_globals", "does_alike"]


def changed_globals(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of the constants that one module has, and that of now has otherwise, or has not.

    >>> list(changed_globals({"SIDES": 4, "name": "shape"}, {"SIDES": 5, "name": "shape", "all": []}))
    ['SIDES']
    """
    was, has = copy_space(before), copy_space(now)
    for name in {**was, **has}:
        old, new = was.get(name), has.get(name)
        if old is new or not (is_plain(old) and is_plain(new)):
            continue
        if not (is_dunder(name) or is_same_constant(old, new)):
            yield name


def does_alike(before: FunctionType, now: FunctionType) -> bool:
    """Say whether a function has the code of another, and finds the same constants, also by the name of a module."""
    names = {name for code in whole(now.__code__) for name in code.co_names}
    is_same = runs_alike(before.__code__, now.__code__, renamed_by(before))
    return is_same and not any_other(names, before.__globals__, now.__globals__)


def any_other(names: AbstractSet[str], before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Say whether one of some names is another constant in the globals of now, also in a module that these name.

    >>> any_other({"SIDES"}, {"SIDES": 4}, {"SIDES": 5}), any_other({"NAME"}, {"SIDES": 4}, {"SIDES": 5})
    (True, False)
    """
    if before is now:
        return False
    retired = retired_module(before)
    renamed = {} if retired is None else retired.renamed
    spaces = before, under_old_names(now, renamed)
    names = names | {was for was, name in renamed.items() if name in names}
    modules = ((spaces[0].get(name), spaces[1].get(name)) for name in names)
    pairs = [(globals_of(old), globals_of(new)) for old, new in modules if _are_modules(old, new)]
    return any(not names.isdisjoint(changed_globals(*pair)) for pair in (spaces, *pairs))


def _are_modules(old: Any, new: Any) -> bool:
    return old is not new and issubclass(type(old), ModuleType) and issubclass(type(new), ModuleType)
