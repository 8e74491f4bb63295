"""What a body has put its own function in front of, in a library: `json.dumps` before the module wrapped it.

The body that runs again would wrap what the last run left there, and once more with each edit. What it had found there
is kept by what it put there: as a variable, a closure's, or `__wrapped__`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from types import FunctionType, MethodType, ModuleType
from typing import Any

from exocet_ipython.loading.trees import whole
from exocet_ipython.reloading.holding.contents import ATOM_IDS, attributes_of, variables_around
from exocet_ipython.reloading.holding.held import home_of
from exocet_ipython.reloading.lasting.settings import MISSING, is_of_own_code
from exocet_ipython.reloading.retired import functions_in

__all__ = ["find_original"]

_MANY = 200  # objects that are looked at


def find_original(owner: Any, key: Any, value: Any) -> Any:
    """Return what of a library stood where a module of the person's has put something, if that keeps it.

    Args:
        owner: what has the attribute or the entry.
        key: its name; None where a method of the owner sets it, as `logging.setLogRecordFactory` does.
        value: what is there now.

    Returns:
        What was there before; `MISSING` where nothing tells.

    >>> import json
    >>> find_original(json, "dumps", partial(json.dumps, indent=1)) is json.dumps
    True
    >>> find_original(json, "dumps", print) is MISSING
    True
    """
    if key is None and not issubclass(type(value), (type, FunctionType)):
        return MISSING
    root = _root(owner.__name__ if issubclass(type(owner), ModuleType) else home_of(owner))
    found = [part for part in _parts_within(value) if key in (None, getattr(part, "__name__", None))]
    near = [part for part in found if _root(getattr(part, "__module__", None)) == root]
    if key is None:
        return near[0] if len(near) == 1 else MISSING
    for original in (*near, *(found if len(found) == 1 else ())):
        is_bound = issubclass(type(owner), type) and type(original) is MethodType and original.__self__ is owner
        return classmethod(original.__func__) if is_bound else original
    return MISSING


def _root(module: Any) -> str:
    return str(module).partition(".")[0]


def _parts_within(value: Any) -> Iterator[Any]:
    """Yield the functions and classes of libraries that something of the person's refers to, the nearest first."""
    waiting, seen = [*_parts(value)], {id(value): value}
    for part in waiting:
        if id(part) in seen or id(type(part)) in ATOM_IDS or len(seen) > _MANY:
            continue
        seen[id(part)] = part
        if not is_of_own_code(part) and callable(part) and not issubclass(type(part), partial):
            yield part
        else:
            waiting += _parts(part)


def _parts(value: Any) -> list[Any]:
    """Return what something of the person's refers to: a function by its variables, all else by what it calls."""
    kind = type(value)
    if kind is MethodType:
        return [value.__func__]
    if issubclass(kind, partial):
        return [value.func, *value.args]
    if not is_of_own_code(value):
        return [*functions_in(value)] if kind is not FunctionType else []
    if kind is FunctionType:
        space, used = value.__globals__, (name for code in whole(value.__code__) for name in code.co_names)
        names = {name: space[name] for name in used if name in space}
        defaults = (*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values())
        return [*vars(value).values(), *variables_around(value).values(), *defaults, *names.values()]
    bases = value.__bases__ if issubclass(kind, type) else ()
    return [*bases, *(part for _, part in attributes_of(value))]
