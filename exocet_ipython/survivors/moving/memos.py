"""What answers from a dict of its own what a function has answered before: a decorator that remembers, by whomever.

Nothing says so but its text: where it finds nothing in that dict, it puts there what the function gives
(`self.cache[key] = self.f(key)`).
"""

from __future__ import annotations

from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any

from exocet_ipython.loading.classes import first_named, mro_of
from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.reloading.holding.contents import dict_of, variables_around
from exocet_ipython.survivors.definitions import is_definition
from exocet_ipython.survivors.replacing.states import attributes_of_instance
from exocet_ipython.survivors.storing.asking import Answers, as_written
from exocet_ipython.survivors.storing.functions import tree_of

__all__ = ["asked_by", "has_own_call", "may_remember", "remembered_by"]


def asked_by(value: Any) -> dict[str, Any]:
    """Return, by name, what a function has from around it, or a callable instance as attributes, that it can call.

    >>> class Twice:
    ...     def __init__(self, function): self.function, self.kind = function, int
    ...     def __call__(self, x): return self.function(self.function(x))
    >>> asked_by(Twice(len))
    {'function': <built-in function len>}
    """
    return {name: part for name, part in _parts(value) if callable(part) and not issubclass(type(part), type)}


def remembered_by(value: Any) -> list[dict[Any, Any]]:
    """Return the dicts into which a function or a callable instance puts what functions that it has give; none empty.

    >>> from exocet_ipython.reloading.holding.held import dotted_name
    >>> remembered_by(dotted_name)
    []
    """
    kept = _kept_by(value)
    asked = {*asked_by(value)} if kept else set()
    functions, count = list(_functions_of(value)) if asked else [], 0
    while count != len(asked):  # a method that asks the function gives what that gives
        count = len(asked)
        codes = [function.__code__ for function in functions]
        asked |= {code.co_name for code in codes if code.co_name[:2] != "__" and not asked.isdisjoint(_names_in(code))}
    both = [
        one for one in functions if not any(names.isdisjoint(_names_in(one.__code__)) for names in (asked, kept.keys()))
    ]
    answers = Answers(frozenset(map(as_written, asked)))
    remembering = {name for one in both if (tree := tree_of(one)) is not None for name in answers.kept_by(tree)}
    return [part for name, part in kept.items() if as_written(name) in remembering]


def may_remember(value: Any) -> bool:
    """Say whether something has a dict, which is not empty, and what it may put there the answers of.

    >>> may_remember(may_remember)
    False
    """
    return bool(_kept_by(value)) and bool(asked_by(value))


def has_own_call(kind: type) -> bool:
    """Say whether instances of a class can be called, by a function that somebody has written in Python."""
    return type(first_named("__call__", mro_of(kind))) is FunctionType


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield what a function or a callable instance has of its own, by the names that its code uses."""
    kind = type(value)
    if kind is FunctionType:
        yield from variables_around(value).items()
        yield from copy_space(value.__dict__).items()
    elif has_own_call(kind):
        yield from attributes_of_instance(value)


def _kept_by(value: Any) -> dict[str, dict[Any, Any]]:
    """Return the dicts into which it may put something: its own, those of instances around it, and its module's."""
    found = dict(_parts(value))
    if type(value) is FunctionType and value.__closure__:
        around = [dict_of(owner) or {} for owner in variables_around(value).values() if not is_definition(owner)]
        found |= {name: part for space in around for name, part in copy_space(space).items()}
        found |= {name: value.__globals__[name] for name in value.__code__.co_names if name in value.__globals__}
    return {name: part for name, part in found.items() if issubclass(type(part), dict) and dict.__len__(part)}


def _names_in(code: CodeType) -> set[str]:
    return {*code.co_names, *code.co_freevars}


def _functions_of(value: Any) -> Iterator[FunctionType]:
    if type(value) is FunctionType:
        yield value
        return
    spaces = [copy_space(type.__getattribute__(base, "__dict__")) for base in mro_of(type(value))]
    yield from (part for space in spaces for part in space.values() if type(part) is FunctionType)
