"""What a module's body takes from other modules and computes of it, and what it does with names that shows nowhere.

A statement that computes a value of numbers, strings and tuples alone (`RATE = BASE * 2`, `SIZES = (1, RATE)`) can be
evaluated again by itself: nothing else comes of it. All others, and those that need not run once (in a branch, a loop,
an exception handler), make the names that they mention unfit for that.
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

from exocet_ipython.loading.names import resolve_import
from exocet_ipython.loading.trees import nested, whole
from exocet_ipython.reloading.ladder.bodies import Body, names_in, strings_in
from exocet_ipython.reloading.ladder.operations import is_class_body, iter_operations, words

__all__ = ["Computation", "Computations", "assigned_name", "has_star"]

_STORE_NAME, _LOAD_CONST, _LOAD_NAME = (dis.opmap[name] for name in ("STORE_NAME", "LOAD_CONST", "LOAD_NAME"))
_IMPORT_NAME, _IMPORT_FROM = dis.opmap["IMPORT_NAME"], dis.opmap["IMPORT_FROM"]
_RESUME, _RETURN_VALUE, _STORE_SUBSCR = (dis.opmap[name] for name in ("RESUME", "RETURN_VALUE", "STORE_SUBSCR"))
_EXTENDED_ARG = dis.EXTENDED_ARG
_CACHE = b"\0"  # its number
_STARS = frozenset(dis.opmap[name] for name in ("IMPORT_STAR", "CALL_INTRINSIC_1") if name in dis.opmap)  # 3.11, 3.12
_NAMING = frozenset(dis.opmap[name] for name in ("LOAD_NAME", "LOAD_CONST", "BUILD_TUPLE", "NOP", "RESUME"))
_COMPUTING = frozenset(
    dis.opmap[name]
    for name in words(
        "BINARY_OP BINARY_SUBSCR BUILD_STRING COMPARE_OP CONTAINS_OP CONVERT_VALUE FORMAT_SIMPLE FORMAT_VALUE "
        "FORMAT_WITH_SPEC IS_OP UNARY_INVERT UNARY_NEGATIVE UNARY_NOT UNARY_POSITIVE"
    )
    if name in dis.opmap
)
_PURE = _NAMING | _COMPUTING if sys.version_info < (3, 14) else frozenset[int]()  # what newer ones emit is not known
_LISTING = _NAMING | frozenset(dis.opmap[name] for name in words("BUILD_LIST LIST_EXTEND BUILD_SET SET_UPDATE"))
_ENDS = frozenset(
    dis.opmap[name]
    for name in words(
        "IMPORT_STAR POP_TOP RETURN_CONST RETURN_VALUE SETUP_ANNOTATIONS STORE_ATTR STORE_GLOBAL STORE_NAME "
        "STORE_SUBSCR"
    )
    if name in dis.opmap
)
_JUMPS = frozenset(dis.hasjrel) | frozenset(dis.hasjabs)
_SCOPED = frozenset(dis.hasname)
_GLOBALS = frozenset(
    dis.opmap[f"{verb}_{space}"] for verb in ("LOAD", "STORE", "DELETE") for space in ("NAME", "GLOBAL")
)


@dataclass(frozen=True, slots=True)
class Computation:
    """One statement that only computes a value and gives it a name.

    Attributes:
        offset: where it begins in the body.
        loads: the names that it mentions.
        only_names: whether it computes nothing: the value is one of another name, or a tuple of such.
    """

    offset: int
    loads: frozenset[str]
    only_names: bool
    _target: str
    _code: CodeType

    def evaluate(self, values: dict[str, Any]) -> Any:
        """Return what it gives its name, for the values of the names that it mentions; raises what it raises.

        Args:
            values: in which the result is put under the name as well.
        """
        exec(self._code, {}, values)  # noqa: S102 - a statement of the module's own, which calls nothing
        return values[self._target]


@dataclass
class Computations:
    """What one module's body does with names.

    Attributes:
        sources: name -> the module and its attribute that it is taken from by a `from` statement.
        computed: name -> the one statement that gives it its value.
        readers: name -> the names that are computed of it.
        unfit: global names that any other statement mentions or binds, the bodies of classes included.
        loose: names of attributes, and what reads like a name in a string, in any other statement.
        stars: the modules of which all names are imported.
    """

    sources: dict[str, tuple[str, str]] = field(default_factory=dict)
    computed: dict[str, Computation] = field(default_factory=dict)
    readers: dict[str, list[str]] = field(default_factory=dict)
    unfit: set[str] = field(default_factory=set)
    loose: set[str] = field(default_factory=set)
    stars: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, body: Body, *, is_package: bool) -> Computations:
        r"""Read a module's body.

        >>> import weakref
        >>> code = compile("from a import B as b\nC = b + 1\nprint(C)", "m.py", "exec")
        >>> found = Computations.of(Body("m", weakref.ref(code)), is_package=False)
        >>> found.sources, sorted(found.computed), found.readers, sorted(found.unfit)
        ({'b': ('a', 'B')}, ['C'], {'b': ['C']}, ['C', 'print'])
        """
        found = cls()
        found._read(body, {"__package__": body.module if is_package else body.module.rpartition(".")[0]})
        for inner in nested(body.code):
            # A class in a function is made by a call of it.
            bodies = [part for part in whole(inner) if is_class_body(part)]
            names = {name for part in bodies for name in names_in(part, whole=False)}
            if inner.co_name.startswith("<") or is_class_body(inner):
                names.update(_names_run(inner))
            found.unfit |= names
            found.loose |= names
        return found

    def takers(self, attribute: str) -> Iterator[tuple[str, str]]:
        """Yield which names hold an attribute of another module: this one, and the name."""
        for alias, (module, wanted) in self.sources.items():
            if wanted == attribute:
                yield module, alias

    def _read(self, body: Body, package: dict[str, str]) -> None:
        code = body.code
        doubtful = list(_branches(code, body.skipped))
        base: str | None = None  # of the `from` statement that is being read
        for start, end, statement in _statements(body):
            if start in body.skipped:
                continue
            operations = statement
            target = operations[-1][2]
            is_sure = not any(start < until and end > since for since, until in doubtful)
            imported = next((place for place, one in enumerate(operations) if one[1] == _IMPORT_NAME), None)
            if imported is not None:
                level, wanted = (one[2] for one in operations[imported - 2 : imported])
                base = _absolute(level, operations[imported][2], package) if type(wanted) is tuple else None
                if wanted == ("*",) and base is not None:
                    self.stars.add(base)
                    base = None
                operations = operations[imported + 1 :]
            elif operations[0][1] != _IMPORT_FROM:
                base = None
            if base is not None and [one[1] for one in operations] == [_IMPORT_FROM, _STORE_NAME] and is_sure:
                self._bind(target)
                self.sources[target] = base, operations[0][2]
            elif is_sure and _is_pure(operations) and (cut := _cut(code, start, end)) is not None:
                self._bind(target)
                self._compute(start, cut, operations)
            else:
                self._spoil(operations)

    def _bind(self, name: str) -> None:
        if name in self.sources or name in self.computed:
            self.unfit.add(name)  # what it was in between, others may have seen

    def _compute(self, start: int, code: CodeType, operations: list[tuple[int, int, Any]]) -> None:
        target = operations[-1][2]
        loads = frozenset(argument for _, operation, argument in operations if operation == _LOAD_NAME)
        only_names = all(one[1] in _NAMING for one in operations[:-1])
        self.computed[target] = Computation(start, loads, only_names, target, code)
        for name in loads:
            self.readers.setdefault(name, []).append(target)

    def _spoil(self, operations: list[tuple[int, int, Any]]) -> None:
        if operations[-1][1] == _STORE_SUBSCR and [one[2] for one in operations[-3:-2]] == ["__annotations__"]:
            operations = operations[:-2]  # the name that it annotates is only a string there
        is_list = all(one[1] in _LISTING for one in operations[:-1]) and operations[-1][1] == _STORE_NAME  # `__all__`
        for _, operation, argument in operations:
            if operation == _LOAD_CONST and not is_list:
                self.loose.update(strings_in(argument))
            elif operation in _SCOPED:
                name = argument[0] if type(argument) is tuple else argument
                (self.unfit if operation in _GLOBALS else self.loose).add(name)


def _names_run(code: CodeType) -> Iterator[str]:
    """Yield the names in what runs when a body comes to code inside of it: not those in the methods of a class."""
    if not is_class_body(code):
        yield from names_in(code)
        return
    yield from names_in(code, whole=False)
    for inner in nested(code):
        if inner.co_name.startswith("<") or is_class_body(inner):
            yield from _names_run(inner)


def assigned_name(operations: list[tuple[int, int, Any]], place: int) -> str:
    """Return the name that a statement gives the value which it computes, of the constant at a place; none for others.

    Args:
        operations: of a module's body.
        place: of an operation that is part of the statement.
    """
    for _, operation, argument in operations[place:]:
        if operation == _STORE_NAME:
            return str(argument)
        if operation not in _PURE:
            break
    return ""


def has_star(code: CodeType) -> bool:
    """Say whether a module's body may import all names of another one."""
    return not _STARS.isdisjoint(code.co_code[::2])


def _statements(body: Body) -> Iterator[tuple[int, int, list[tuple[int, int, Any]]]]:
    """Yield the stretches of a body up to what ends a statement: the offsets around each, and its operations."""
    start, part = 0, []
    for operation in iter_operations(body.code):
        part.append(operation)
        if operation[1] in _ENDS or operation[1] in _JUMPS:
            end = operation[0] + 2
            yield start, end, part
            while body.code.co_code[end : end + 1] == _CACHE:
                end += 2
            start, part = end, []
    if part:
        yield start, part[-1][0] + 2, part


def _branches(code: CodeType, skipped: range) -> Iterator[tuple[int, int]]:
    """Yield the stretches of a body that need not run, or may run again."""
    if not _JUMPS.isdisjoint(code.co_code[::2]) or code.co_exceptiontable:
        read = dis.Bytecode(code)
        for instruction in read:
            if (
                instruction.opcode in _JUMPS
                and instruction.offset + 2 not in skipped
                and instruction.offset not in skipped
            ):
                ends = sorted((instruction.offset, int(instruction.argval)))
                yield ends[0], ends[1]
        for entry in getattr(read, "exception_entries", ()):  # typeshed lacks it
            yield entry.start, max(entry.end, entry.target) + 2


def _is_pure(operations: list[tuple[int, int, Any]]) -> bool:
    return operations[-1][1] == _STORE_NAME and all(one[1] in _PURE for one in operations[:-1])


def _cut(code: CodeType, start: int, end: int) -> CodeType | None:
    """Return a statement of a body as code of its own, which holds no code object of the module.

    None where it takes something from the stack that an operation before it has put there, or leaves something.
    """
    depth, extended = 0, 0
    raw = code.co_code[start:end]
    for operation, argument in zip(raw[::2], raw[1::2], strict=True):
        if operation == _EXTENDED_ARG:
            extended = (extended | argument) << 8
        elif operation != _CACHE[0]:
            oparg = argument | extended if operation >= dis.HAVE_ARGUMENT else None
            least = depth - (1 if operation == _STORE_NAME else 0)
            depth += dis.stack_effect(operation, oparg)
            extended = 0
            if min(depth, least) < 0:
                return None
    if depth:
        return None
    consts = (*(None if type(const) is CodeType else const for const in code.co_consts), None)
    place = len(consts) - 1
    load = bytes((_EXTENDED_ARG, place >> 8, _LOAD_CONST, place & 0xFF))
    whole = bytes((_RESUME, 0)) + raw + load + bytes((_RETURN_VALUE, 0))
    return code.replace(co_code=whole, co_consts=consts, co_linetable=b"", co_exceptiontable=b"")


def _absolute(level: int, name: str, package: dict[str, str]) -> str | None:
    try:
        return resolve_import(name, package, level).rstrip(".")
    except ImportError:
        return None
