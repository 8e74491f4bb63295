"""How a function computes the defaults of the functions that it makes, read from its operations."""

from __future__ import annotations

import dis
import functools
from collections.abc import Mapping, Sequence
from types import CodeType
from typing import Any, NamedTuple

__all__ = ["DefaultsMade", "Operation"]

_POSITIONAL, _KEYWORD = 1, 2  # flags of what a function is made with besides its code, those that say defaults
_FLAGS = (8, 4, _KEYWORD, _POSITIONAL)  # all of them, from what is pushed last to what is pushed first
_VARIABLES = ("LOAD_FAST", "LOAD_DEREF")
_JUMPS = frozenset((*dis.hasjrel, *dis.hasjabs))


class Operation(NamedTuple):
    """One operation of an expression.

    Attributes:
        name: of it; `LOAD_FAST` for all that loads a variable, whether or not functions inside share it.
        kind: the type of its argument: `1` and `True` are equal and not the same.
        argument: what it loads, or how many values it takes.
        effect: how many values it leaves on the stack.
    """

    name: str
    kind: type
    argument: Any
    effect: int


_Expression = tuple[Operation, ...]


class _UnreadableError(Exception):
    """The operations are none of an expression without branches."""


class DefaultsMade:
    """What computes the defaults of the functions inside of another one; its operations are read once for all of them.

    Args:
        maker: the code around.

    >>> def maker(name):
    ...     def inner(x, by=name, *, n=3): ...
    >>> inner = next(const for const in maker.__code__.co_consts if hasattr(const, "co_code"))
    >>> found = DefaultsMade(maker.__code__).of(inner)
    >>> {of: [part.argument for part in parts] for of, parts in found.items()}
    {'by': ['name'], 'n': [3]}
    """

    def __init__(self, maker: CodeType) -> None:
        self._maker = maker

    @functools.cached_property
    def _parts(self) -> list[Operation | None]:
        return _operations(self._maker)

    @functools.cached_property
    def _places(self) -> dict[int, int]:
        """Where code is loaded, by its id."""
        parts = [*enumerate(self._parts)]
        return {id(part.argument): at for at, part in reversed(parts) if part is not None and part.kind is CodeType}

    def of(self, code: CodeType) -> Mapping[str, _Expression] | None:
        """Return what computes them, by parameter.

        None where the text has branches in them (`x=1 if fast else 2`), or makes the function in a way of its own.

        Args:
            code: that of the function, one of the maker's constants.
        """
        if not code.co_argcount + code.co_kwonlyargcount:
            return {}
        try:
            found = _operands(self._parts, self._places.get(id(code), -1))
            keywords = _map_of(found[_KEYWORD]) if _KEYWORD in found else []
            values = _tuple_of(found[_POSITIONAL]) if _POSITIONAL in found else []
        except _UnreadableError:
            return None
        names = code.co_varnames[code.co_argcount - len(values) : code.co_argcount]
        pairs = [*zip(names, values, strict=True), *keywords]
        return {
            name: tuple(part._replace(argument=_comparable(part.argument)) for part in parts) for name, parts in pairs
        }


def _operations(code: CodeType) -> list[Operation | None]:
    """Return the operations of code; None for those to or from which it jumps."""
    found: list[Operation | None] = []
    for part in dis.get_instructions(code):
        if part.opname in ("EXTENDED_ARG", "CACHE"):
            continue
        if part.opcode in _JUMPS or part.is_jump_target:
            found.append(None)
        elif type(part.argval) is tuple and part.opname.count("_FAST") > 1:  # two at once, since Python 3.13
            names = part.opname.replace("_LOAD", " LOAD").replace("_STORE", " STORE").split()
            effects = [1 if name.startswith("LOAD") else -1 for name in names]
            found += map(Operation, names, (str, str), part.argval, effects)
        else:
            effect = dis.stack_effect(part.opcode, part.arg, jump=False)
            name = "LOAD_FAST" if part.opname.startswith(_VARIABLES) else part.opname
            found.append(Operation(name, type(part.argval), part.argval, effect))
    return found


def _operands(operations: Sequence[Operation | None], place: int) -> dict[int, _Expression]:
    """Return, by flag, what computes the values with which the function is made whose code is loaded at a place."""
    after = [part for part in operations[place + 1 : place + 6] if part is not None]
    if place < 0 or not after or after[0].name != "MAKE_FUNCTION":
        raise _UnreadableError
    flags = after[0].argument or 0
    for part in after[1:]:  # since Python 3.13
        if part.name != "SET_FUNCTION_ATTRIBUTE":
            break
        flags |= part.argument
    found = {}
    for flag in _FLAGS:
        if flags & flag:
            begin = _begin(operations, place)
            found[flag] = tuple(part for part in operations[begin:place] if part is not None)
            place = begin
    return found


def _begin(operations: Sequence[Operation | None], end: int) -> int:
    """Return the place of the first operation of the expression that ends before another one."""
    lacking = 1
    while lacking > 0:
        end -= 1
        part = operations[end] if end >= 0 else None
        if part is None:
            raise _UnreadableError
        lacking -= part.effect
    if lacking:
        raise _UnreadableError
    return end


def _split(operations: Sequence[Operation], count: int) -> list[_Expression]:
    """Return the expressions that leave so many values."""
    end, found = len(operations), list[_Expression]()
    for _ in range(count):
        begin = _begin(operations, end)
        found.insert(0, tuple(operations[begin:end]))
        end = begin
    return found


def _tuple_of(operations: _Expression) -> list[_Expression]:
    """Return what computes the items of a tuple."""
    *items, last = operations
    if last.name == "BUILD_TUPLE":
        return _split(items, last.argument)
    if last.name == "LOAD_CONST" and last.kind is tuple:
        return [(_constant(value),) for value in last.argument]
    raise _UnreadableError


def _map_of(operations: _Expression) -> list[tuple[str, _Expression]]:
    """Return what computes the values of a map, each with its key."""
    *items, last = operations
    if last.name == "BUILD_CONST_KEY_MAP":
        names = items.pop()
        return list(zip(names.argument, _split(items, last.argument), strict=True))
    if last.name == "BUILD_MAP":
        parts = _split(items, 2 * last.argument)
        return [(name[0].argument, value) for name, value in zip(parts[::2], parts[1::2], strict=True)]
    raise _UnreadableError


def _comparable(argument: Any) -> Any:
    """Return the argument of an operation; of the code of a function only its name: what it does is its own matter."""
    return argument.co_name if type(argument) is CodeType else argument


def _constant(value: Any) -> Operation:
    return Operation("LOAD_CONST", type(value), value, 1)
