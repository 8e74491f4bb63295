"""Code that runs at import: which of its statements name something, and which of these only name it."""

from __future__ import annotations

import dis
import sys
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from types import CodeType
from typing import Any, NamedTuple

from exocet_ipython.reloading.operations import iter_operations

__all__ = ["Body", "Mention", "alive", "names_in", "strings_in"]

_CONSTANTS = frozenset(dis.hasconst)
_LOAD_NAMES = frozenset(dis.opmap[name] for name in ("LOAD_NAME", "LOAD_GLOBAL") if name in dis.opmap)
_STORES = frozenset(dis.opmap[name] for name in ("STORE_NAME", "STORE_GLOBAL"))
_IMPORT_FROM = dis.opmap["IMPORT_FROM"]
_IMPORT_NAME = dis.opmap["IMPORT_NAME"]
_LOAD_CONST = dis.opmap["LOAD_CONST"]
_MAKES = frozenset(dis.opmap[name] for name in ("MAKE_FUNCTION", "SET_FUNCTION_ATTRIBUTE") if name in dis.opmap)
# What a statement may consist of that only gives values a name: it calls nothing, not even an operator or a property.
_NAMING = frozenset(
    (
        *_LOAD_NAMES,
        _LOAD_CONST,
        *_MAKES,
        *(
            dis.opmap[name]
            for name in (
                "BUILD_CONST_KEY_MAP",
                "BUILD_LIST",
                "BUILD_MAP",
                "BUILD_SET",
                "BUILD_TUPLE",
                "LIST_EXTEND",
                "NOP",
                "RESUME",
            )
            if name in dis.opmap
        ),
    )
)
# Where a statement ends, and the next one begins.
_ENDS = frozenset((*_STORES, dis.opmap["POP_TOP"], dis.opmap["RETURN_VALUE"], dis.opmap["STORE_SUBSCR"]))
_COMPARES, _BRANCHES = dis.opmap["COMPARE_OP"], frozenset(dis.hasjrel) | frozenset(dis.hasjabs)
_ENDS_OR_BRANCHES = _ENDS | _BRANCHES
_WITH_STRINGS = frozenset((str, tuple, frozenset))  # constants


if sys.version_info >= (3, 14):  # pragma: no cover - what a newer compiler emits is not known here
    _NAMING = frozenset()


class Mention(NamedTuple):
    """One statement of a body that names something: where, the names it gives to it, and whether it only does that.

    A statement that does more may call what it names, or hand it to somebody who does.
    """

    offset: int
    targets: tuple[str, ...] = ()
    only_names: bool = False


@dataclass(eq=False)
class Body:
    """Code that runs at import: the body of a module or a class, or a comprehension or lambda in one.

    Attributes:
        module: dotted name of the module.
        outer: the body that it is in; None for a module's.
        is_hot: whether all that it names counts as called: a comprehension, a lambda.
    """

    module: str
    _code: weakref.ref[CodeType]
    outer: Body | None = None
    is_hot: bool = False

    @property
    def code(self) -> CodeType:
        """What runs; held weakly, since who refers to code objects is counted. The record of the module holds it."""
        return alive(self._code)

    def is_of(self, code: CodeType | None) -> bool:
        """Say whether this is about a code object."""
        return self._code() is code

    @cached_property
    def shape(self) -> tuple[object, ...]:
        """All on which it depends what is mentioned where, and how; to be read while the code is in use."""
        code = self.code
        strings = [name for const in code.co_consts if type(const) is not CodeType for name in strings_in(const)]
        return (code.co_code, code.co_names, strings, self.names, self.is_hot)

    def is_like(self, other: Body) -> bool:
        """Say whether another version mentions the same names in the same way; the shape of this must be known."""
        return self._code() is other.code or ("shape" in vars(self) and self.shape == other.shape)

    def renew(self, other: Body) -> None:
        """Take the code of another version that is like this one."""
        if self._code() is not other.code:
            self._code = other._code
            for cached in ("operations", "_places"):  # what refers to the code objects inside
                vars(self).pop(cached, None)

    @cached_property
    def names(self) -> frozenset[str]:
        """All names that it mentions."""
        return frozenset(names_in(self.code, whole=self.is_hot))

    @cached_property
    def operations(self) -> list[tuple[int, int, Any]]:
        """Its operations; code objects among their arguments as references."""
        return [
            (offset, operation, weakref.ref(argument) if type(argument) is CodeType else argument)
            for offset, operation, argument in iter_operations(self.code)
        ]

    def _place_of(self, code: CodeType) -> int:
        """Return where the body loads a code object that is inside of it; -1 where it doesn't."""
        return self._places.get(id(code), -1)

    @cached_property
    def _places(self) -> dict[int, int]:
        """Where the body loads each code object that is inside of it, by the id of that: these live as long as it."""
        found: dict[int, int] = {}
        for place, (_, operation, argument) in enumerate(self.operations):
            if operation == _LOAD_CONST and type(argument) is weakref.ref:
                found.setdefault(id(argument()), place)
        return found

    def mentions(self, name: str) -> Iterable[Mention]:
        """Return the statements that name something, or hold a string that reads like it; its definition is none."""
        if self.is_hot:
            return (Mention(0),)
        return self._mentions.get(name, ())

    @cached_property
    def _mentions(self) -> dict[str, list[Mention]]:
        """All names that statements mention, each with these statements; read in one pass."""
        found: dict[str, list[Mention]] = {}
        statement = _Statement()
        skipped = self.skipped
        operations = self.operations
        for place, (offset, operation, argument) in enumerate(operations):
            if offset in skipped:
                continue
            if operation in _ENDS_OR_BRANCHES:
                statement.end(operation, argument, found)
            elif operation == _IMPORT_FROM:
                target = operations[place + 1][2]
                if target != argument:
                    found.setdefault(argument, []).append(Mention(offset, (target,), only_names=True))
            elif operation != _IMPORT_NAME and operations[place + 1][1] != _IMPORT_NAME:
                statement.add(offset, operation, argument)
        return found

    def line(self, mention: Mention) -> int:
        """Return the line of a statement."""
        lines = ((start, end, line) for start, end, line in self.code.co_lines() if line)
        return next((line for start, end, line in lines if start <= mention.offset < end), 0)

    @property
    def own_decorators(self) -> frozenset[str]:
        """The names in the decorators of the class whose body this is."""
        if self.outer is None:
            return frozenset()
        place = self.outer._place_of(self.code)  # noqa: SLF001 - its own class
        first, _ = self.outer._statement(place)  # noqa: SLF001 - likewise
        before = self.outer.operations[first:place]
        return _loaded(operation for operation in before if operation[1] != _LOAD_CONST)

    def decorators(self, code: CodeType) -> frozenset[str] | None:
        """Return the names in the decorators of a function that this body defines; None where it has none."""
        operations = self.operations
        place = self._place_of(code)
        after = place + 1
        while after < len(operations) and operations[after][1] in _MAKES:
            after += 1
        if 0 < after < len(operations) and operations[after][1] in _STORES:
            return None
        first, last = self._statement(place)
        return _loaded(operations[first:last])

    def _statement(self, place: int) -> tuple[int, int]:
        """Return where the statement around a place begins, and where the operation that ends it is."""
        operations = self.operations
        first = place
        while first and operations[first - 1][1] not in _ENDS and operations[first - 1][1] not in _BRANCHES:
            first -= 1
        last = place
        while last < len(operations) and operations[last][1] not in _ENDS:
            last += 1
        return first, last

    @cached_property
    def skipped(self) -> range:
        """The offsets of what only runs in a script: the body of `if __name__ == "__main__":`."""
        if "__main__" not in self.code.co_consts:
            return range(0)
        operations = self.operations
        for place in range(len(operations) - 3):
            (_, _, left), (_, _, right), (_, compares, _) = operations[place : place + 3]
            if left == "__name__" and right == "__main__" and compares == _COMPARES:
                for offset, operation, argument in operations[place + 3 : place + 5]:
                    if operation in _BRANCHES:
                        return range(offset, offset + 2 + 2 * argument)
        return range(0)


class _Statement:
    """What a stretch of code names, until it ends and the next one begins."""

    __slots__ = ("_loads", "_names", "_only_names")

    def __init__(self) -> None:
        self._names: dict[str, int] = {}  # name -> offset
        self._loads: set[str] = set()
        self._only_names = True

    def add(self, offset: int, operation: int, argument: Any) -> None:
        """Add an operation."""
        if operation not in _NAMING:
            self._only_names = False
        if operation in _CONSTANTS:
            if type(argument) in _WITH_STRINGS:
                for name in strings_in(argument):
                    self._names.setdefault(name, offset)
        elif type(argument) is not int:
            name = argument[0] if type(argument) is tuple and argument else argument
            if type(name) is str:
                self._names.setdefault(name, offset)
                self._loads.add(name)

    def end(self, operation: int, target: Any, found: dict[str, list[Mention]]) -> None:
        """Put what was named into `found`; the operation that ends it may give it a name."""
        if self._names:
            is_named = operation in _STORES
            only_names = is_named and (self._only_names or self._loads <= {target, "getter", "setter", "deleter"})
            targets = (target,) if is_named else ()
            for name, offset in self._names.items():
                found.setdefault(name, []).append(Mention(offset, targets, only_names=only_names))
            self._names.clear()
            self._loads.clear()
        self._only_names = True


def alive(reference: weakref.ref[CodeType]) -> CodeType:
    """Return the code object of a module that is in use.

    Raises:
        ReferenceError: its module's record is gone.
    """
    code = reference()
    if code is None:
        raise ReferenceError("the module's code is gone")
    return code


def names_in(code: CodeType, *, whole: bool = True) -> Iterator[str]:
    """Yield the names in a code object, and in those inside of it where it is a function's."""
    yield from code.co_names
    yield from code.co_freevars  # a class body has the variables of the function around it from there
    for const in code.co_consts:
        kind = type(const)
        if kind in _WITH_STRINGS:
            yield from strings_in(const)
        elif kind is CodeType and whole:
            yield from names_in(const)


def strings_in(constant: Any) -> Iterator[str]:
    """Yield what reads like a name in a constant: strings, and the parts of dotted ones.

    >>> sorted(strings_in(("run", "pkg.mod:main", "two words", 3)))
    ['main', 'mod', 'pkg', 'run']
    """
    if type(constant) is str:
        if constant.isidentifier():
            yield constant
        elif len(constant) < _LONG and (parts := constant.replace(":", ".").split("."))[-1].isidentifier():
            yield from (part for part in parts if part.isidentifier())
    elif type(constant) in (tuple, frozenset):
        for part in constant:
            yield from strings_in(part)


_LONG = 200  # characters: a longer string is a text


def _loaded(operations: Iterable[tuple[int, int, Any]]) -> frozenset[str]:
    """Return the names of globals and attributes in a stretch of code."""
    names = (
        argument[0] if type(argument) is tuple and argument else argument
        for _, operation, argument in operations
        if operation not in _CONSTANTS
    )
    return frozenset(name for name in names if type(name) is str)
