"""Retired functions that answer as the new ones do, for what holds them for good.

The retired function keeps its identity; its code is exchanged for one that calls the new function, which it has as the
default of a keyword of its own. So it works for closures and methods alike, and the globals of the retired module stay
untouched. The collector sees that reference; it would not see a constant, since code objects are not traversed, and a
function held by a constant that is part of a cycle would live for ever.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import cache, partial
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR
from types import CodeType, FunctionType, MappingProxyType
from typing import Any

from exocet_ipython.loading.classes import module_said_by, set_attribute
from exocet_ipython.loading.trees import nested
from exocet_ipython.reloading.holding.parameters import defaults_of, keep_surplus, set_defaults
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.ladder.operations import docstring_of
from exocet_ipython.reloading.retired import retired_class, retired_module
from exocet_ipython.survivors.dropped import dropped_by, keep_dropped
from exocet_ipython.survivors.inner import Inner

__all__ = ["TARGET", "forward", "rebuild_closure", "target_of"]

_absent: Any = object()
TARGET = "exocet_target"  # the keyword under which a forwarder has what it calls
_KINDS = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR


# What follows the return is never run: it makes the code a closure's, which begins with fetching its cells. A frame
# without them can't be looked at (CPython `Objects/frameobject.c`, `PyFrame_FastToLocalsWithError`).
_TEMPLATE = """
def maker({names}):
    def template(*args, exocet_target=None, {more}**kwargs):
        return {call}
        ({names})
"""
_OF_FUNCTION = {"more": "", "call": "exocet_target(*args, **kwargs)"}
_OF_METHOD = {"more": "exocet_now=None, ", "call": "exocet_now(exocet_target, args)(**kwargs)"}


def forward(old: FunctionType, new: Any, journal: Journal, space: Mapping[str, Any] = MappingProxyType({})) -> None:
    """Have `old` call `new` from now on; calls that are running finish as they began.

    Args:
        old: a retired function.
        new: what answers.
        journal: how it is taken back.
        space: globals of the retired module that has it, where a decorator of another module has made it.

    >>> def old(): return "old"
    >>> def new(): return "new"
    >>> forward(old, new, Journal())
    >>> old()
    'new'
    """
    before = old.__doc__, vars(old).get("__wrapped__", _absent)
    journal.add(partial(_restore, old, old.__code__, old.__defaults__, old.__kwdefaults__, *before))
    retired = retired_module(old.__globals__) or retired_module(space)
    if retired is not None:
        retired.remember(old)
    outer, _, name = old.__code__.co_qualname.rpartition(".")
    is_method = bool(outer) and not outer.endswith("<locals>")
    now = {"exocet_now": _constructed if name == "__new__" else partial(_called, _copy(old))} if is_method else {}
    _set(old, _shaped(old.__code__, is_method=is_method), None, {TARGET: new, **now})
    old.__doc__ = getattr(new, "__doc__", None)
    vars(old)["__wrapped__"] = new  # inspect.signature shows the new one's


def target_of(function: FunctionType) -> Any:
    """Return what a forwarder calls; None for any other function."""
    return (function.__kwdefaults__ or {}).get(TARGET)


def rebuild_closure(old: FunctionType, inner: Inner, again: FunctionType | None = None) -> FunctionType:
    """Return the function that the new code makes of an old closure: its cells, defaults and attributes kept.

    Args:
        old: a function that a retired function made.
        inner: what the new version of that function would make it of.
        again: one that it has made, which has the variables and defaults that the old closure may lack.

    Raises:
        NameError: the new code needs a variable or a default that the old closure doesn't have.
    """
    code, namespace = inner.new, inner.namespace
    if code is None:
        raise NameError(f"no function makes {old.__code__.co_qualname} any more; make it again")
    cells, others = (
        dict(zip(one.__code__.co_freevars, one.__closure__ or (), strict=True)) for one in (old, again or old)
    )
    dropped = dropped_by(old)
    cells |= {name: cell for name, cell in dropped.items() if name not in cells and inner.is_given(name)}
    names = [name if name in cells else inner.renamed.get(name, name) for name in code.co_freevars]
    lacking = []
    for name in (name for name in names if name not in cells):
        try:
            cells[name] = others[name] if name in others else inner.default_of(name)
        except KeyError:
            lacking.append(name)
    if lacking:
        raise NameError(f"its new code needs {', '.join(lacking)} of the function that made it; make it again")
    name = code.co_name if old.__name__ == old.__code__.co_name else old.__name__
    made = FunctionType(code, namespace, name, None, tuple(cells[name] for name in names))
    defaults = inner.renewed_defaults(old, {} if again is None else defaults_of(again))
    set_defaults(made, defaults)
    keep_surplus(made, old)
    made.__annotations__ = old.__annotations__
    made.__module__ = old.__module__
    # `functools.wraps` gives a closure the name and the docstring of what it wraps.
    made.__qualname__ = code.co_qualname if old.__qualname__ == old.__code__.co_qualname else old.__qualname__
    if old.__doc__ != docstring_of(old.__code__):
        made.__doc__ = old.__doc__
    vars(made).update(vars(old))
    used, now = {*names}, {before: name for name, before in inner.renamed.items()}
    keep_dropped(made, {now.get(name, name): cell for name, cell in {**dropped, **cells}.items() if name not in used})
    return made


def _called(before: FunctionType, target: Any, args: tuple[Any, ...]) -> Callable[..., Any]:
    """Return the call of a new method: of the new class, or with an instance that is one of it from now on.

    Code that runs since before makes instances of the retired class, and of such a one the new code is no method. One
    that can't change class goes on with what ran before.
    """
    first, *rest = args or (None,)
    if issubclass(type(first), type):
        return partial(target, _current(first), *rest)
    if (now := _current(type(first))) is not type(first):
        try:
            set_attribute(first, "__class__", now)
        except TypeError:  # its instances are laid out in another way, or have slots
            return partial(before, *args)
    return partial(target, *args)


def _copy(function: FunctionType) -> FunctionType:
    copy = FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy


def _constructed(target: Any, args: tuple[Any, ...]) -> Callable[..., Any]:
    """Return the same of a `__new__`; Python gives what is no instance of the retired class to no `__init__`."""
    now = _current(args[0])
    return partial(target, *args) if now is args[0] else partial(now, *args[1:])


def _current(cls: Any) -> Any:
    """Return what has the name of a retired class by now, if that is a class, and any other class itself."""
    if retired_class(cls) is None:
        return cls
    now: Any = sys.modules.get(module_said_by(cls))
    for part in type.__getattribute__(cls, "__qualname__").split("."):
        now = getattr(now, "__dict__", {}).get(part)
    return now if issubclass(type(now), type) else cls


@cache
def _template(count: int, *, is_method: bool) -> CodeType:
    """Return the code of a forwarder with so many free variables."""
    names = "".join(f"free{number}, " for number in range(count))
    code = compile(_TEMPLATE.format(names=names, **(_OF_METHOD if is_method else _OF_FUNCTION)), "<forwarder>", "exec")
    for _ in ("maker", "template"):
        code = next(nested(code))
    return code


def _shaped(shape: CodeType, *, is_method: bool) -> CodeType:
    """Return a forwarder's code with the free variables of `shape`, as many as Python demands, and its labels.

    And its kind: who asks `inspect` whether it makes a coroutine or a generator is told so still. It returns that of
    the new function; what makes one itself is an operation, which it has not.
    """
    plain = _template(len(shape.co_freevars), is_method=is_method)
    return plain.replace(
        co_flags=plain.co_flags | shape.co_flags & _KINDS,
        co_freevars=shape.co_freevars,
        co_name=shape.co_name,
        co_qualname=shape.co_qualname,
        co_filename=shape.co_filename,
        co_firstlineno=shape.co_firstlineno,
    )


def _restore(function: FunctionType, code: CodeType, defaults: Any, kwdefaults: Any, doc: Any, wrapped: Any) -> None:  # noqa: PLR0913, PLR0917 - what a function is
    _set(function, code, defaults, kwdefaults)
    function.__doc__ = doc
    if wrapped is _absent:
        vars(function).pop("__wrapped__", None)
    else:
        vars(function)["__wrapped__"] = wrapped


def _set(function: FunctionType, code: CodeType, defaults: Any, kwdefaults: Any) -> None:
    function.__code__ = code
    function.__defaults__ = defaults
    function.__kwdefaults__ = kwdefaults
