"""What only has another name by now: the rule, and the attributes that a constructor sets.

These are made of nothing that it is given; of what else a module names `renamings.py` tells.
"""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from types import FunctionType
from typing import NamedTuple

from exocet_ipython.loading.trees import whole
from exocet_ipython.reloading.ladder.operations import parameters_of
from exocet_ipython.survivors.storing.certain import attributes_assigned
from exocet_ipython.survivors.storing.functions import definition_of

__all__ = ["Making", "find_renamed", "pair_alike"]


class Making(NamedTuple):
    """What something that has a name is made of, as text, and by their names what else uses it."""

    text: str
    users: frozenset[str]


def pair_alike(gone: Mapping[str, Making], come: Mapping[str, Making]) -> dict[str, str]:
    """Return the names that have come, each with the gone one for what is made likewise and used by the same.

    Where there are two of either, nothing tells which of them it is.

    >>> made = [Making("[]", frozenset({"add"})), Making("{}", frozenset())]
    >>> pair_alike({"ITEMS": made[0], "TABLE": made[1]}, {"ENTRIES": made[0], "A": made[1], "B": made[1]})
    {'ENTRIES': 'ITEMS'}
    """
    counts = Counter(gone.values()), Counter(come.values())
    known = {how: name for name, how in gone.items() if counts[0][how] == counts[1][how] == 1}
    return {name: known[how] for name, how in come.items() if how in known}


def find_renamed(
    before: FunctionType, now: FunctionType, functions: tuple[Sequence[FunctionType], Sequence[FunctionType]]
) -> dict[str, str]:
    """Return the attributes that only the new constructor sets, each with the one that only the old one made likewise.

    `self.entries = []` where `self.items = []` was: it is the other one where the methods that use it are those that
    used the other.

    Args:
        before: the old constructor.
        now: the new one.
        functions: those of the old class and its bases, and those of the new one.
    """
    users = [_users_of(one) for one in functions]
    gone = {name: how for name, how in _made_by(before, users[0]).items() if name not in users[1]}
    come = {name: how for name, how in _made_by(now, users[1]).items() if name not in users[0]}
    return pair_alike(gone, come)


def _users_of(functions: Iterable[FunctionType]) -> Mapping[str, set[str]]:
    """Return which functions name an attribute, by its name."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for function in functions:
        for name in (name for code in whole(function.__code__) for name in code.co_names):
            found[name].add(function.__name__)
    return found


def _made_by(function: FunctionType, users: Mapping[str, set[str]]) -> dict[str, Making]:
    """Return what a constructor makes attributes of, but for its parameters, and for what nothing else uses."""
    tree, (own, *parameters) = definition_of(function), parameters_of(function.__code__) or ("",)
    made = {}
    for statement in tree.body if tree is not None else ():
        for attribute, value in attributes_assigned(statement, own):
            others = users[attribute] - {function.__name__}
            used = {node.id for node in ast.walk(value) if isinstance(node, ast.Name)}
            if others and used.isdisjoint(parameters):
                made[attribute] = Making(ast.unparse(value), frozenset(others))
    return made
