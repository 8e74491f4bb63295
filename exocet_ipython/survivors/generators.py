"""Generators and coroutines that have not begun: nothing of them has run, so they can be made again of the new code."""

from __future__ import annotations

import dis
import gc
import inspect
from collections.abc import Callable
from types import AsyncGeneratorType, CodeType, CoroutineType, FunctionType, GeneratorType
from typing import Any

from exocet_ipython.survivors.comparison import runs_alike

__all__ = ["GENERATING", "GENERATORS", "code_of", "has_begun", "is_code_of", "remake_generator"]

_PREFIXES = {GeneratorType: "gi", AsyncGeneratorType: "ag", CoroutineType: "cr"}  # of their attributes
GENERATORS = tuple(_PREFIXES)
GENERATING = inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR | inspect.CO_COROUTINE  # flags of their code
_RESUME = dis.opmap["RESUME"]


def remake_generator(
    generator: Any,
    find: Callable[[FunctionType], Any],
    runs: CodeType | None = None,
    renew: Callable[[Any], Any] = lambda argument: argument,
) -> Any:
    """Return what another function makes of the arguments that a generator was made with.

    Args:
        generator: a generator, an asynchronous one, or a coroutine.
        find: gives what takes the place of its function.
        runs: what its function runs by now; None where that is the generator's own code.
        renew: gives what takes the place of an argument: another generator, perhaps.

    Returns:
        None where it has begun, or where its function has no counterpart that makes such generators.

    >>> def old(n): yield "old", n
    >>> def new(n): yield "new", n
    >>> list(remake_generator(old(3), {old: new}.get))
    [('new', 3)]
    """
    code = code_of(generator)
    frame = getattr(generator, f"{_PREFIXES[type(generator)]}_frame")
    if has_begun(generator):
        return None
    runs = runs or code
    parts = gc.get_referents(generator)
    functions = [part for part in parts if type(part) is FunctionType and is_code_of(part.__code__, runs)]
    now: Any = find(functions[0]) if functions else None
    if type(now) is not FunctionType or (now.__code__.co_flags ^ code.co_flags) & GENERATING:
        return None
    names = list(code.co_varnames)
    given = {name: renew(argument) for name, argument in frame.f_locals.items()}
    args = [given[names.pop(0)] for _ in range(code.co_argcount)]
    keywords = {name: given[name] for name in (names.pop(0) for _ in range(code.co_kwonlyargcount))}
    if code.co_flags & inspect.CO_VARARGS:
        args += map(renew, given[names.pop(0)])
    if code.co_flags & inspect.CO_VARKEYWORDS:
        keywords |= {name: renew(argument) for name, argument in given[names.pop(0)].items()}
    try:
        return now(*args, **keywords)  # runs nothing of its body
    except TypeError:
        return None  # it takes other arguments by now


def is_code_of(code: CodeType, other: CodeType) -> bool:
    r"""Say whether a function that runs a code has run another one before: the same, on lines of then.

    >>> is_code_of(compile("x = 1", "m.py", "exec"), compile("# a note\nx = 1", "m.py", "exec"))
    True
    """
    return code is other or (code.co_qualname == other.co_qualname and runs_alike(code, other))


def code_of(generator: Any) -> CodeType:
    """Return the code that a generator runs."""
    code: CodeType = getattr(generator, f"{_PREFIXES[type(generator)]}_code")
    return code


def has_begun(generator: Any) -> bool:
    """Say whether the body of a generator has begun to run, which may have ended: before it come a few instructions.

    >>> def count(): yield 1
    >>> generator = count()
    >>> has_begun(generator), next(generator), has_begun(generator)
    (False, 1, True)
    """
    frame = getattr(generator, f"{_PREFIXES[type(generator)]}_frame")
    return frame is None or frame.f_lasti // 2 >= code_of(generator).co_code[::2].index(_RESUME)
