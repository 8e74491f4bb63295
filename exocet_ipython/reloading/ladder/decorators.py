"""Which names in the statement that defines a function are those of its decorators; the others annotate it."""

from __future__ import annotations

import dis
from collections.abc import Sequence
from itertools import accumulate, takewhile
from types import CodeType
from typing import Any

from exocet_ipython.reloading.ladder.operations import argument_at

__all__ = ["read_decorators"]

_MAKE = dis.opmap["MAKE_FUNCTION"]
_SET = dis.opmap.get("SET_FUNCTION_ATTRIBUTE", -1)  # 3.13
_CONSTANTS = frozenset(dis.hasconst)
_JUMPS = frozenset(dis.hasjrel) | frozenset(dis.hasjabs)


def read_decorators(raw: bytes, operations: Sequence[tuple[int, int, Any]]) -> frozenset[str] | None:
    r"""Return the names in the decorators of a function; None where they can't be told from the others.

    Decorators are evaluated first, and wait on the stack. What lies above them when the function is made are its
    defaults, annotations and variables (CPython `Python/compile.c`, `compiler_function`).

    Args:
        raw: the operations of the code that defines it, as bytes.
        operations: those of the statement, as `iter_operations` gives them.

    >>> from exocet_ipython.reloading.ladder.operations import iter_operations
    >>> code = compile("@deco(OPTION, way='fast')\ndef f(x: int = SIZE) -> str: pass", "m.py", "exec")
    >>> sorted(read_decorators(code.co_code, list(iter_operations(code))))
    ['OPTION', 'deco']
    """
    made = [place for place, (_, operation, _) in enumerate(operations) if operation == _MAKE]
    if not made or made[-1] == 0 or any(operation in _JUMPS for _, operation, _ in operations):
        return None
    code = operations[made[-1] - 1][2]
    if type(code) is not CodeType or code.co_name.startswith("<"):
        return None  # the function that makes a generic one
    before = operations[: made[-1] - 1]
    depths = list(accumulate((_effect(raw, offset, operation) for offset, operation, _ in before), initial=0))
    lowest = depths[-1] - _attributes(raw, operations, made[-1])
    if lowest < 1:
        return None
    end = max(place for place, depth in enumerate(depths) if depth == lowest)
    arguments = (argument for _, operation, argument in before[:end] if operation not in _CONSTANTS)
    names = (one[0] if type(one) is tuple and one else one for one in arguments)
    return frozenset(name for name in names if type(name) is str)


def _attributes(raw: bytes, operations: Sequence[tuple[int, int, Any]], made: int) -> int:
    """Return how many attributes are set when a function is made: each is one value on the stack."""
    if _SET < 0:
        return argument_at(raw, operations[made][0]).bit_count()
    return sum(1 for _ in takewhile(lambda one: one[1] == _SET, operations[made + 1 :]))


def _effect(raw: bytes, offset: int, operation: int) -> int:
    return dis.stack_effect(operation, argument_at(raw, offset) if operation >= dis.HAVE_ARGUMENT else None, jump=False)
