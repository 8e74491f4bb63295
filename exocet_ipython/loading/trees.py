"""Code objects with those inside of them: a function's code is a constant of what defines it."""

from __future__ import annotations

from collections.abc import Iterator
from types import CodeType

__all__ = ["nested", "whole"]


def nested(code: CodeType) -> Iterator[CodeType]:
    """Yield the code objects that are constants of another."""
    return (const for const in code.co_consts if type(const) is CodeType)


def whole(code: CodeType) -> Iterator[CodeType]:
    """Yield a code object and all that are inside of it.

    >>> [part.co_name for part in whole(compile("def f(): return lambda: 1", "m.py", "exec"))]
    ['<module>', 'f', '<lambda>']
    """
    yield code
    for inner in nested(code):
        yield from whole(inner)
