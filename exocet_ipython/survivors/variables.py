"""Variables of types and named aliases: made anew, since Python 3.12 lets nobody change what they are bound to."""

from __future__ import annotations

import builtins
import gc
import sys
import typing
from collections.abc import Callable, Container
from types import FunctionType
from typing import Any, ParamSpec, TypeVar

__all__ = ["VARIABLES", "remake_variable"]

_OPTIONS = ("__covariant__", "__contravariant__", "__infer_variance__")
# `type Tree = Leaf | Branch`. Before 3.12 there are none, and a variable has attributes like any instance.
_ALIAS: Any = getattr(typing, "TypeAliasType", None)
VARIABLES: tuple[Any, ...] = (TypeVar, ParamSpec, _ALIAS) if sys.version_info >= (3, 12) else ()


def remake_variable(holder: Any, replaced: Container[int], find: Callable[[Any], Any]) -> Any:
    """Make a variable of types, or a named alias, anew, of what takes the place of what it is bound to.

    Args:
        holder: the variable or alias. What it was not asked for yet it computes when it is, from the names of then.
        replaced: ids of what is replaced.
        find: gives what takes the place of something, or the same.

    Returns:
        None where nothing that it has is replaced.

    >>> T = TypeVar("T", bound=list)
    >>> remake_variable(T, [id(list)], lambda value: dict if value is list else value).__bound__
    <class 'dict'>
    >>> remake_variable(T, [id(set)], lambda value: value)
    """
    if not any(id(part) in replaced for part in gc.get_referents(holder)):
        return None
    # Each takes for its module that of the function which makes it.
    call = FunctionType(_call.__code__, {"__name__": holder.__module__, "__builtins__": builtins})
    if type(holder) is _ALIAS:
        return call(_ALIAS, holder.__name__, find(holder.__value__), type_params=find(holder.__type_params__))
    options = {name.strip("_"): getattr(holder, name) for name in _OPTIONS if hasattr(holder, name)}
    options |= {} if holder.__bound__ is None else {"bound": find(holder.__bound__)}
    options |= {"default": find(holder.__default__)} if getattr(holder, "has_default", bool)() else {}
    constraints = find(getattr(holder, "__constraints__", ()))
    return call(type(holder), holder.__name__, *constraints, **options)


def _call(make: Callable[..., Any], *args: Any, **options: Any) -> Any:
    return make(*args, **options)
