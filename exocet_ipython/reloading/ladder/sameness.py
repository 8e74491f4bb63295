"""Code objects compared in themselves: what they do, how they are called, and where they stand."""

from __future__ import annotations

import inspect
from types import CodeType
from typing import Any

from exocet_ipython.loading.trees import nested
from exocet_ipython.reloading.ladder.operations import is_same_constant, parameters_of

__all__ = ["do_alike", "interface_of", "is_equal"]

# A docstring's flag (3.14) says nothing of how a function is called.
_FLAGS = (
    inspect.CO_VARARGS
    | inspect.CO_VARKEYWORDS
    | inspect.CO_GENERATOR
    | inspect.CO_COROUTINE
    | inspect.CO_ITERABLE_COROUTINE
    | inspect.CO_ASYNC_GENERATOR
)


def interface_of(code: CodeType) -> tuple[Any, ...]:
    """Return what must stay for a function to take other code: how it is called, and its free variables by name.

    Equal counts of free variables would do for Python, and bind wrongly in silence.
    """
    return (
        code.co_argcount,
        code.co_posonlyargcount,
        code.co_kwonlyargcount,
        code.co_flags & _FLAGS,
        parameters_of(code, with_stars=True),
        code.co_freevars,
        code.co_filename,
    )


def do_alike(old: CodeType, new: CodeType) -> bool:
    """Say whether two code objects do the same in their own part, wherever they stand."""
    return _own_part(old) == _own_part(new) and _same_constants(old.co_consts, new.co_consts)


def _own_part(code: CodeType) -> tuple[Any, ...]:
    """Return what a function does, but for its constants: no positions."""
    return (
        code.co_code,
        code.co_names,
        code.co_varnames,
        code.co_cellvars,
        code.co_freevars,
        code.co_flags,
        code.co_exceptiontable,
        code.co_stacksize,
    )


def _same_constants(before: tuple[Any, ...], now: tuple[Any, ...]) -> bool:
    if len(before) != len(now):
        return False
    return all(
        old.co_name == new.co_name if type(old) is CodeType and type(new) is CodeType else is_same_constant(old, new)
        for old, new in zip(before, now, strict=True)
    )


def is_equal(old: CodeType, new: CodeType) -> bool:
    """Say whether two code objects are equal in all, positions included."""
    return old is new or (
        old.co_linetable == new.co_linetable and old == new and all(map(is_equal, nested(old), nested(new)))
    )
