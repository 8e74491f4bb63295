"""What the parameters of functions have where a call gives nothing for them."""

from __future__ import annotations

from collections.abc import Mapping
from types import CodeType, FunctionType
from typing import Any

__all__ = ["defaults_of", "keep_surplus", "set_defaults"]


def defaults_of(function: FunctionType) -> dict[str, Any]:
    """Return the parameters of a function that have defaults, with these.

    >>> def add(x, y=1): pass
    >>> defaults_of(add)
    {'y': 1}
    >>> add.__defaults__ = (1, 2, 3)  # as those of a function around it: Python takes the last ones
    >>> defaults_of(add)
    {'x': 2, 'y': 3}
    """
    names, defaults = _parameters(function.__code__)[0], function.__defaults__ or ()
    count = min(len(names), len(defaults))
    names, defaults = names[len(names) - count :], defaults[len(defaults) - count :]
    return {**dict(zip(names, defaults, strict=True)), **(function.__kwdefaults__ or {})}


def set_defaults(function: FunctionType, defaults: Mapping[str, Any]) -> None:
    """Give the parameters of a function their defaults.

    >>> def add(x, y, *, z): return x + y + z
    >>> set_defaults(add, {"y": 2, "z": 3})
    >>> add(1)
    6
    """
    names, keywords = _parameters(function.__code__)
    function.__defaults__ = tuple(defaults[name] for name in names if name in defaults) or None
    function.__kwdefaults__ = {name: defaults[name] for name in keywords if name in defaults} or None


def keep_surplus(made: FunctionType, old: FunctionType) -> None:
    """Give a function the defaults that an old one has for no parameter: those of a function that it wraps.

    >>> def call(*args): return args
    >>> call.__defaults__ = (1, 2)
    >>> def again(*args): return args
    >>> keep_surplus(again, call)
    >>> again.__defaults__
    (1, 2)
    """
    if len(old.__defaults__ or ()) > old.__code__.co_argcount:
        made.__defaults__ = old.__defaults__
    _, keywords = _parameters(old.__code__)
    if more := {name: value for name, value in (old.__kwdefaults__ or {}).items() if name not in keywords}:
        made.__kwdefaults__ = (made.__kwdefaults__ or {}) | more


def _parameters(code: CodeType) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the parameters that have defaults in `__defaults__`, and those that have them in `__kwdefaults__`."""
    count = code.co_argcount
    return code.co_varnames[:count], code.co_varnames[count : count + code.co_kwonlyargcount]
