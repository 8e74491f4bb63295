"""The operations of a code object, read without a disassembler: that is for people, and ten times slower."""

from __future__ import annotations

import dis
import inspect
import sys
from collections.abc import Iterator
from types import CodeType
from typing import Any

__all__ = [
    "argument_at",
    "docstring_of",
    "is_class_body",
    "is_same_constant",
    "is_special",
    "iter_operations",
    "mangled",
    "parameters_of",
    "strings_of",
    "words",
]

_EXTENDED_ARG = dis.opmap["EXTENDED_ARG"]
_CONSTANTS = frozenset(dis.hasconst)
_CACHE = 0
_LOAD_GLOBAL = dis.opmap["LOAD_GLOBAL"]
_LOAD_ATTR = dis.opmap["LOAD_ATTR"]
_LOAD_SUPER_ATTR = dis.opmap.get("LOAD_SUPER_ATTR", -1)  # 3.12
_ATTR_SHIFT = int(sys.version_info >= (3, 12))
_NAMES = frozenset(dis.hasname) - {_LOAD_GLOBAL, _LOAD_ATTR, _LOAD_SUPER_ATTR}


def iter_operations(code: CodeType) -> Iterator[tuple[int, int, Any]]:
    """Yield the operations of a code object: offset, number, argument; a constant or a stored name as what it means.

    What specialisation keeps inline is left out.
    """
    raw, consts, names = code.co_code, code.co_consts, code.co_names
    extended = 0
    for offset in range(0, len(raw), 2):
        operation, argument = raw[offset], raw[offset + 1] | extended
        extended = argument << 8 if operation == _EXTENDED_ARG else 0
        if operation in _CONSTANTS:
            yield offset, operation, consts[argument]
        elif operation in _NAMES:
            yield offset, operation, names[argument]
        elif operation == _LOAD_GLOBAL:
            yield offset, operation, (names[argument >> 1], argument & 1)
        elif operation == _LOAD_ATTR:
            yield offset, operation, (names[argument >> _ATTR_SHIFT], argument & _ATTR_SHIFT)
        elif operation == _LOAD_SUPER_ATTR:
            yield offset, operation, (names[argument >> 2], argument & 3)
        elif operation not in (_EXTENDED_ARG, _CACHE):
            yield offset, operation, argument


def argument_at(raw: bytes, offset: int) -> int:
    """Return the argument of the operation at an offset of `co_code`, as a number."""
    argument, shift, place = raw[offset + 1], 8, offset - 2
    while place >= 0 and raw[place] == _EXTENDED_ARG:
        argument |= raw[place + 1] << shift
        shift, place = shift + 8, place - 2
    return argument


def is_class_body(code: CodeType) -> bool:
    """Say whether a code object is the body of a class (or module): its names are not the fast ones of a function."""
    return not code.co_flags & inspect.CO_OPTIMIZED


def parameters_of(code: CodeType, *, with_stars: bool = False) -> tuple[str, ...]:
    """Return the names of a function's parameters, with `*args` and `**kwargs` where these are asked for.

    >>> parameters_of(parameters_of.__code__), parameters_of((lambda x, *y: x).__code__, with_stars=True)
    (('code', 'with_stars'), ('x', 'y'))
    """
    count = code.co_argcount + code.co_kwonlyargcount
    if with_stars:
        count += bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
    return code.co_varnames[:count]


def docstring_of(code: CodeType) -> str | None:
    """Return the docstring of a function's code; None where it has none.

    >>> docstring_of(docstring_of.__code__).splitlines()[0], docstring_of((lambda: 1).__code__)
    ("Return the docstring of a function's code; None where it has none.", None)
    """
    first = code.co_consts[0] if code.co_consts else None
    return first if isinstance(first, str) else None


def strings_of(code: CodeType) -> Iterator[str]:
    """Yield the strings that are constants of code, those in tuples included: `for name in ("fast", "slow"):`.

    >>> list(strings_of(compile("for name in ('fast', 'slow'): load(name, 'r')", "m.py", "exec")))
    ['fast', 'slow', 'r']
    """
    for const in code.co_consts:
        yield from (part for part in (const if type(const) is tuple else (const,)) if type(part) is str)


def is_same_constant(before: Any, now: Any) -> bool:
    """Say whether two constants are the same: `1`, `1.0` and `True` are equal and are not, nor are `0.0` and `-0.0`."""
    if type(before) is not type(now):
        return False
    if type(before) is tuple:
        return len(before) == len(now) and all(map(is_same_constant, before, now))
    if type(before) is frozenset:
        return sorted(map(_key, before)) == sorted(map(_key, now))
    if type(before) in (float, complex):
        return repr(before) == repr(now)
    return bool(before == now)


def _key(constant: Any) -> str:
    return f"{type(constant).__name__} {constant!r}"


def is_special(name: str) -> bool:
    """Say whether Python or a library may call a method by its name alone.

    >>> [is_special(name) for name in ("__init__", "_missing_", "_private", "_")]
    [True, True, False, False]
    """
    return name.startswith("_") and name.endswith("_") and name.strip("_") != ""


def mangled(name: str, owner: str) -> str:
    """Return how a private name of a class is spelled outside of its text.

    >>> mangled("__secret", "_Box"), mangled("__init__", "Box"), mangled("__private", "<module>")
    ('_Box__secret', '__init__', '__private')
    """
    is_private = name.startswith("__") and not name.endswith("__") and not owner.startswith("<")
    return f"_{owner.lstrip('_')}{name}" if is_private else name


def words(text: str) -> frozenset[str]:
    """Return the words of a text: a long list of names reads best as one.

    >>> sorted(words("read write"))
    ['read', 'write']
    """
    return frozenset(text.split())
