"""Code that runs at import: which of its statements name something, and which of these only name it."""

from __future__ import annotations

import dis
import sys
import weakref
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, pairwise
from types import CodeType
from typing import Any, NamedTuple

from exocet_ipython.reloading.ladder.decorators import read_decorators
from exocet_ipython.reloading.ladder.operations import is_class_body, iter_operations

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
_ENDS = frozenset((*_STORES, *(dis.opmap[name] for name in ("POP_TOP", "RETURN_VALUE", "STORE_ATTR", "STORE_SUBSCR"))))
_COMPARES, _BRANCHES = dis.opmap["COMPARE_OP"], frozenset(dis.hasjrel) | frozenset(dis.hasjabs)
_ENDS_OR_BRANCHES = _ENDS | _BRANCHES
_NOTHING = (0, 0, None)  # an operation after the last
_WITH_STRINGS = frozenset((str, tuple, frozenset))  # constants


if sys.version_info >= (3, 14):  # pragma: no cover - what a newer compiler emits is not known here
    _NAMING = frozenset()
_LONG = 200  # characters: a longer string is a text


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
            vars(self).pop("_statements", None)

    @cached_property
    def names(self) -> frozenset[str]:
        """All names that it mentions."""
        return frozenset(names_in(self.code, whole=self.is_hot))

    def mentions(self, name: str) -> Sequence[Mention]:
        """Return the statements that name something, or hold a string that reads like it; its definition is none."""
        if self.is_hot:
            return (Mention(0),)
        return self._statements.mentions.get(name, ())

    def line(self, mention: Mention, name: str) -> int:
        """Return the line where a statement names something."""
        operations = (one for one in iter_operations(self.code) if one[0] >= mention.offset)
        offset = next((place for place, operation, argument in operations if name in _names_of(operation, argument)), 0)
        lines = ((start, end, line) for start, end, line in self.code.co_lines() if line)
        return next((line for start, end, line in lines if start <= offset < end), 0)

    @property
    def own_decorators(self) -> frozenset[str]:
        """The names in the decorators of the class whose body this is."""
        if self.outer is None:
            return frozenset()
        return self.outer.decorators(self.code) or frozenset()

    def decorators(self, code: CodeType) -> frozenset[str] | None:
        """Return the names in the decorators of a function or class that this body defines; None where it has none."""
        if self.is_hot and self.outer is not None:  # it makes a generic one, and is what is decorated
            return self.outer.decorators(self.code) or None
        return self._statements.decorators.get(id(code))

    @cached_property
    def _statements(self) -> _Statements:
        """What its statements name and define, read in one pass."""
        found = _Statements(self.code.co_code)
        skipped = self.skipped
        operations = pairwise(chain(iter_operations(self.code), [_NOTHING]))
        for (offset, operation, argument), (_, following, target) in operations:
            if offset in skipped:
                continue
            if operation in _ENDS_OR_BRANCHES:
                found.end(operation, argument)
            elif operation == _IMPORT_FROM:
                if target != argument:
                    found.add_mention(argument, Mention(offset, (target,), only_names=True))
            elif _IMPORT_NAME not in (operation, following):
                found.add(offset, operation, argument)
        return found

    @cached_property
    def skipped(self) -> range:
        """The offsets of what only runs in a script: the body of `if __name__ == "__main__":`."""
        if "__main__" not in self.code.co_consts:
            return range(0)
        operations = list(iter_operations(self.code))
        for place in range(len(operations) - 3):
            (_, _, left), (_, _, right), (_, compares, _) = operations[place : place + 3]
            if left == "__name__" and right == "__main__" and compares == _COMPARES:
                for offset, operation, argument in operations[place + 3 : place + 5]:
                    if operation in _BRANCHES:
                        return range(offset, offset + 2 + 2 * argument)
        return range(0)


class _Statements:
    """What the statements of a body name and define: one is read until it ends, then the next one begins.

    Attributes:
        mentions: name -> the statements that name it.
        decorators: id of a code object inside, which lives as long as the body -> the names in the decorators of what
            is defined of it; None for a function without any.
    """

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self.mentions: dict[str, tuple[Mention, ...]] = {}
        self.decorators: dict[int, frozenset[str] | None] = {}
        self._names: set[str] = set()
        self._loads: set[str] = set()
        self._codes: list[CodeType] = []  # of functions
        self._operations: list[tuple[int, int, Any]] = []
        self._offset = -1
        self._only_names = True
        self._is_bare = False  # whether a function was made last, and nothing done with it so far

    def add(self, offset: int, operation: int, argument: Any) -> None:
        """Add an operation to the statement that is being read."""
        self._operations.append((offset, operation, argument))
        if operation not in _NAMING:
            self._only_names = self._is_bare = False
        kind = type(argument)
        if kind is int:
            return
        if self._offset < 0:
            self._offset = offset
        if kind is CodeType:
            if is_class_body(argument):
                self.decorators[id(argument)] = frozenset(self._loads)
            else:
                self._codes.append(argument)
                self._is_bare = True
        elif operation in _CONSTANTS:
            if kind in _WITH_STRINGS:
                self._names.update(strings_in(argument))
        else:
            name = argument[0] if kind is tuple and argument else argument
            if type(name) is str:
                self._names.add(name)
                self._loads.add(name)

    def end(self, operation: int, target: Any) -> None:
        """End the statement; what ends it may give a name to what was named."""
        is_named = operation in _STORES
        if self._codes:
            is_bare = is_named and self._is_bare
            names = None if is_bare else read_decorators(self._raw, self._operations) or frozenset(self._loads)
            self.decorators.update((id(code), names) for code in self._codes)
            self._codes.clear()
        if self._names:
            only_names = is_named and (self._only_names or self._loads <= {target, "getter", "setter", "deleter"})
            mention = Mention(self._offset, (target,) if is_named else (), only_names=only_names)
            for name in self._names:
                self.add_mention(name, mention)
            self._names.clear()
            self._loads.clear()
        self._operations.clear()
        self._offset, self._only_names, self._is_bare = -1, True, False

    def add_mention(self, name: str, mention: Mention) -> None:
        """Add a statement that names something."""
        self.mentions[name] = (*self.mentions.get(name, ()), mention)


def _names_of(operation: int, argument: Any) -> Iterable[str]:
    """Return the names in one operation."""
    if operation in _CONSTANTS:
        return strings_in(argument)
    name = argument[0] if type(argument) is tuple and argument else argument
    return (name,) if type(name) is str else ()


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
