"""The baseline of a module at which nobody looked when its body had run: what it has, but for what cells put there."""

from __future__ import annotations

from types import CodeType, ModuleType
from typing import Any
from weakref import WeakKeyDictionary, WeakValueDictionary

from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.reloading.holding.baseline import Baseline
from exocet_ipython.reloading.holding.constants import constants_held
from exocet_ipython.reloading.holding.contents import is_registry, state_of
from exocet_ipython.reloading.holding.held import CELLS, home_of
from exocet_ipython.reloading.holding.inventory import take_baseline
from exocet_ipython.reloading.holding.items import items_of, pairs_of
from exocet_ipython.reloading.holding.paths import value_at

__all__ = ["guess_baseline"]


def guess_baseline(module: ModuleType, code: CodeType | None = None) -> Baseline:
    """Return the baseline of a module that has run some time ago: without what is certain to be the doing of cells.

    Args:
        module: that.
        code: what it ran, where that is known.

    >>> module = ModuleType("m")
    >>> module.HOOKS, theirs = [len], type("Theirs", (), {"__module__": "__main__"})
    >>> module.HOOKS.append(theirs)
    >>> [len(guess(module).contents["HOOKS"]) for guess in (take_baseline, guess_baseline)]
    [2, 1]
    """
    found, space = take_baseline(module), copy_space(globals_of(module))
    for name in [name for name in found.values if _is_of_cells(space.get(name))]:
        del found.values[name]
    for path, parts in found.contents.items():
        for key in _keys_of_cells(value_at(space, path)) & parts.keys():
            del parts[key]
    return found._replace(constants=constants_held(space, found.contents, code))


def _keys_of_cells(value: Any) -> set[Any]:
    """Return the keys, as `parts_of` has them, of what cells have put into a container, a class or an instance."""
    if not is_registry(value):
        return {name for name, part in state_of(value) if _is_of_cells(part)}
    if isinstance(value, (dict, WeakKeyDictionary, WeakValueDictionary)):
        return {id(key) for key, part in pairs_of(value) if _is_of_cells(key) or _is_of_cells(part)}
    return {id(item) for item in items_of(value) if _is_of_cells(item)}


def _is_of_cells(value: Any) -> bool:
    """Say whether a value is a function or a class of a cell, or an instance of such a class."""
    return home_of(value) == CELLS
