"""Descriptors of a module in classes of cells: they are told their names again when they make something else of them.

`__set_name__` is told when the `class` statement runs, which a restart does again. It is told again only where its text
shows that it sets attributes of the descriptor, and no more.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from types import FunctionType
from typing import Any

from exocet_ipython.loading.classes import first_named, mro_of
from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.reloading.collector import referrers_of
from exocet_ipython.reloading.held import CELLS, dotted_name
from exocet_ipython.survivors.comparison import runs_alike
from exocet_ipython.survivors.matching.counterparts import Pairs
from exocet_ipython.survivors.rebasing.hooks import HookText
from exocet_ipython.survivors.replacing.instances import Moving
from exocet_ipython.survivors.replacing.states import InstanceState
from exocet_ipython.survivors.storing.functions import tree_of

__all__ = ["name_again"]

_TOLD = "__set_name__"


def name_again(holders: Iterable[Any], pairs: Pairs, moving: Moving) -> None:
    """Tell descriptors their names again that have moved to a class which makes something else of these.

    Args:
        holders: what referred to the retired classes.
        pairs: what retired.
        moving: what is moved; an error is noted there, and leaves the descriptor as it was.
    """
    renewed = {id(now): now for before, now in pairs.classes if _is_told_otherwise(before, now)}
    descriptors = [holder for holder in holders if id(type(holder)) in renewed] if renewed else []
    for owner, name, descriptor in _places_of(descriptors) if descriptors else ():
        state = InstanceState(descriptor)
        try:
            descriptor.__set_name__(owner, name)
        except Exception as error:  # noqa: BLE001 - a person's hook may raise anything
            state.restore()
            moving.note(dotted_name(type(descriptor)), error)
        else:
            moving.journal.add(state.restore)


def _is_told_otherwise(before: type, now: type) -> bool:
    functions = [first_named(_TOLD, mro_of(cls)) for cls in (before, now)]
    if not all(type(function) is FunctionType for function in functions):
        return False
    return not runs_alike(*(function.__code__ for function in functions)) and _only_sets_itself(functions[1])


def _only_sets_itself(function: FunctionType) -> bool:
    """Say whether all that a function does is to set attributes of what it is called of."""
    tree = tree_of(function)
    node = next((part for part in ast.walk(tree) if isinstance(part, ast.FunctionDef)), None) if tree else None
    text = HookText({}, (function.__code__.co_varnames[0], ""), "", (), ())
    return node is not None and all(map(text.reads, node.body))


def _places_of(descriptors: list[Any]) -> Iterator[tuple[type, str, Any]]:
    """Yield the classes of cells that have descriptors, the names that they have there, and these."""
    known = set(map(id, descriptors))
    spaces = [holder for holder in referrers_of(descriptors) if type(holder) is dict]
    for owner in referrers_of(spaces):
        if issubclass(type(owner), type) and type.__getattribute__(owner, "__module__") == CELLS:
            yield from ((owner, name, part) for name, part in copy_space(vars(owner)).items() if id(part) in known)
