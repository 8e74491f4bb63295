"""Constants of a module's body: by their ids they tell, of what the module holds, what the body itself has said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import CodeType
from typing import Any

from exocet_ipython.reloading.holding.contents import ATOM_IDS, is_registry, state_of
from exocet_ipython.reloading.holding.items import items_of, pairs_of
from exocet_ipython.reloading.holding.paths import value_at

__all__ = ["constants_by_id", "constants_held"]


def constants_by_id(code: CodeType | None) -> dict[int, Any]:
    """Return the constants of a code object by their ids; none where it isn't known.

    >>> sorted(map(str, constants_by_id(compile("x = 0.5", "m.py", "exec")).values()))
    ['0.5', 'None']
    """
    return {} if code is None else {id(constant): constant for constant in _constants_of(code)}


def constants_held(space: dict[str, Any], paths: Iterable[str], code: CodeType | None) -> dict[int, Any]:
    """Return what a module holds that equals constants of a code object, by id: it may have run another, equal one.

    Args:
        space: its globals.
        paths: of its containers, classes and instances.
        code: what its body has run, as it was read again.

    >>> code = compile("x = 0.5", "m.py", "exec")
    >>> list(constants_held({"x": float("0.5"), "y": 1.5, "z": [0.5]}, ["z"], code).values())
    [0.5, 0.5]
    """
    said = {(type(one), one) for one in constants_by_id(code).values() if id(type(one)) in ATOM_IDS}
    held = [*space.values(), *(part for path in paths for part in _parts_of(value_at(space, path)))] if said else []
    return {id(part): part for part in held if id(type(part)) in ATOM_IDS and (type(part), part) in said}


def _parts_of(value: Any) -> list[Any]:
    if not is_registry(value):
        return items_of(value) if type(value) is tuple else [part for _, part in state_of(value)]
    if issubclass(type(value), dict):
        return [part for pair in pairs_of(value) for part in pair]
    return items_of(value)


def _constants_of(code: CodeType) -> Iterator[Any]:
    """Yield the constants in a code object and in all that are inside of it, and what is in tuples of these."""
    waiting: list[Any] = [code]
    while waiting:
        found = waiting.pop()
        if isinstance(found, CodeType):
            waiting += found.co_consts
        elif type(found) in (tuple, frozenset):
            waiting += found
        else:
            yield found
