"""Which of the functions inside of an old function is which of those inside of the new one, by their code."""

from __future__ import annotations

from collections.abc import Iterator
from types import CodeType
from typing import Any

from exocet_ipython.reloading.operations import is_class_body, nested

__all__ = ["pair_nested"]


def pair_nested(old: CodeType, new: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    """Yield the functions and classes inside of two functions: by name and text, by name and place, then by text alone.

    Unchanged ones come first: what is added before them, among lambdas say, shifts their places.

    >>> old = compile("f = lambda: 1; g = lambda: 2", "m.py", "exec")
    >>> new = compile("e = lambda: 0; f = lambda: 1; g = lambda: 2", "m.py", "exec")
    >>> [(before.co_consts[-1], now.co_consts[-1]) for before, now in pair_nested(old, new)]
    [(1, 1), (2, 2)]
    """
    waiting, left = list(nested(old)), list(nested(new))
    for fits in (_is_same, _has_same_name, _has_same_text):
        gone = []
        for code in waiting:
            place = next((place for place, now in enumerate(left) if fits(code, now)), None)
            if place is None:
                gone.append(code)
            else:
                yield code, left.pop(place)
        waiting = gone


def _is_same(old: CodeType, new: CodeType) -> bool:
    return _has_same_name(old, new) and _has_same_text(old, new)


def _has_same_name(old: CodeType, new: CodeType) -> bool:
    return old.co_name == new.co_name and is_class_body(old) == is_class_body(new)


def _has_same_text(old: CodeType, new: CodeType) -> bool:
    return old.co_code == new.co_code and _text_of(old) == _text_of(new)


def _text_of(code: CodeType) -> tuple[Any, ...]:
    """Return what code does, without what it is called and where it stands."""
    consts = [_text_of(const) if isinstance(const, CodeType) else (type(const), const) for const in code.co_consts]
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
    return code.co_code, code.co_exceptiontable, consts, names, counts
