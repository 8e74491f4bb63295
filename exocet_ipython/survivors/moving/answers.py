"""Answers that instances keep of a `cached_property` or its like, and whether the new code would give the same."""

from __future__ import annotations

import dis
from types import FunctionType

from exocet_ipython.loading.classes import mro_of
from exocet_ipython.reloading.ladder.operations import iter_operations, whole
from exocet_ipython.reloading.retired import functions_in
from exocet_ipython.survivors.carrying.answers import kept_answers_of
from exocet_ipython.survivors.comparison import Comparison, class_attributes

__all__ = ["stale_answers"]

_missing = object()
_STORE_ATTR = dis.opmap["STORE_ATTR"]


def stale_answers(before: type, now: type) -> tuple[str, ...]:
    """Return the names under which instances may keep answers of a `cached_property`, say, that would be others now.

    Where the new class has no such property, they would hide what it has, or be there where nothing is; but for one
    that assigns an attribute of this name itself, as an eager form of the property does: they stand for that.

    Args:
        before: a retired class.
        now: the new one.
    """
    return tuple(
        name
        for name, part in class_attributes(before).items()
        if (functions := kept_answers_of(part)) and _is_stale(name, functions, before, now)
    )


def _is_stale(name: str, functions: list[FunctionType], before: type, now: type) -> bool:
    current = class_attributes(now).get(name, _missing)
    if others := kept_answers_of(current):
        same = Comparison(before, now).is_same
        return len(functions) != len(others) or not all(map(same, functions, others))
    return current is not _missing or name not in _assigned(now)


def _assigned(cls: type) -> set[str]:
    """Return the names of the attributes that the methods of a class and its bases assign, and of its fields."""
    fields = {name for base in mro_of(cls) for name in vars(base).get("__annotations__", ())}
    functions = [function for part in class_attributes(cls).values() for function in functions_in(part)]
    codes = [code for function in functions for code in whole(function.__code__)]
    return fields | {name for code in codes for _, operation, name in iter_operations(code) if operation == _STORE_ATTR}
