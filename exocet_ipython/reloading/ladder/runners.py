"""Which living functions run a code object: all of them, or it is said that they can't be known.

Most are found by walking what a module defines. That these are all is proved by reference counts: a function holds its
code exactly once, and so do the constants of the code around it; what the count says beyond that is somebody else.
Only then the heap is asked, in one pass over all such code objects: functions are always tracked by the collector, and
show it their code (CPython `Objects/funcobject.c`, `func_traverse`). What remains are frames, generators and
coroutines, which go on with what they run, and whoever keeps a code object without running it.

The proof needs the code objects that the module's functions really have. A module that Python had loaded before us is
only known by equal ones; then the heap is asked once for all functions that have the module's globals, and these are
given ours, which nobody can tell from theirs.
"""

from __future__ import annotations

import functools
import gc
import inspect
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import CodeType, FunctionType, ModuleType
from typing import Any

from exocet_ipython.loading.classes import module_said_by
from exocet_ipython.loading.trees import whole
from exocet_ipython.reloading.collector import count_frozen, counts_are_exact, referrers_of
from exocet_ipython.reloading.holding.contents import CACHE, cell_values
from exocet_ipython.reloading.ladder.codes import CodePair
from exocet_ipython.reloading.retired import retired_module

__all__ = ["Runners", "are_run", "find_runners", "has_other_holders", "seat_codes"]

_BESIDES = 2  # the pair that the code came in, and the constants of the code around it; more only costs a pass
# Ids of what wraps a function, and the attributes that lead to it.
_PARTS: Mapping[int, tuple[str, ...]] = {
    id(staticmethod): ("__func__",),
    id(classmethod): ("__func__",),
    id(property): ("fget", "fset", "fdel"),
    id(functools.cached_property): ("func",),
    id(functools.partial): ("func",),
    id(functools.partialmethod): ("func",),
    id(functools.singledispatchmethod): ("func",),
    id(CACHE): ("__wrapped__",),
}


@dataclass(slots=True)
class Runners:
    """The functions that run certain code objects.

    Attributes:
        functions: id of a code object -> the functions that run it.
        wrappers: id of a function -> what was found to wrap it: these copy its docstring.
        unknown: whether functions may be hidden from the collector (`gc.freeze`) and so from us.
    """

    functions: dict[int, list[FunctionType]] = field(default_factory=dict)
    wrappers: dict[int, list[Any]] = field(default_factory=dict)
    unknown: bool = False

    def of(self, code: CodeType) -> list[FunctionType]:
        """Return the functions that run a code object."""
        return self.functions.get(id(code), [])

    def add(self, function: FunctionType) -> None:
        """Add one, once."""
        known = self.functions.setdefault(id(function.__code__), [])
        if not any(function is one for one in known):
            known.append(function)


def find_runners(module: ModuleType, pairs: Sequence[CodePair]) -> Runners:
    r"""Return the functions that run the old code of these pairs, wherever they are.

    The pairs are those of `match_codes`; the tree that the old code is part of lives. A module that was made anew with
    its text as it was has run the same code: what has retired since keeps what it ran, to come back one day.

    >>> module, tree = ModuleType("m"), compile("def f(): pass", "m.py", "exec")
    >>> exec(tree, vars(module))
    >>> hidden = vars(module).pop("f")
    >>> from exocet_ipython.reloading.ladder.codes import match_codes
    >>> match = match_codes(tree, compile("# moved down\ndef f(): pass", "m.py", "exec"))
    >>> find_runners(module, match.pairs).of(hidden.__code__) == [hidden]
    True
    """
    found = Runners()
    codes = [pair.old for pair in pairs]
    wanted = set(map(id, codes))
    for function, wrapper in _walk(module):
        if id(function.__code__) in wanted:
            found.add(function)
            if wrapper is not None:
                found.wrappers.setdefault(id(function), []).append(wrapper)
    unexplained = _unexplained(codes, found)
    if unexplained:
        wanted = set(map(id, unexplained))
        for holder in referrers_of(unexplained):
            if type(holder) is not FunctionType or id(holder.__code__) not in wanted:
                continue
            if retired_module(holder.__globals__) is None:  # a module may have put another in its place
                found.add(holder)
        found.unknown = count_frozen() > 0
    return found


def has_other_holders(module: ModuleType, pairs: Sequence[CodePair]) -> bool:
    """Say whether somebody else than functions may have the old code of these pairs: a generator, a container.

    Nobody but the pairs and the code around it may hold it beside them, as for `find_runners`.
    """
    found = find_runners(module, pairs)
    return found.unknown or bool(_unexplained([pair.old for pair in pairs], found))


def are_run(codes: Sequence[CodeType]) -> bool:
    """Say whether functions may live that run one of these, which the code around them holds, and nothing else of ours.

    >>> def make():
    ...     return lambda: make
    >>> inner = make.__code__.co_consts[1]
    >>> codes = [inner]
    >>> del inner
    >>> are_run(codes)
    False
    >>> kept = make()
    >>> are_run(codes)
    True
    """
    if not counts_are_exact():
        return bool(codes)
    alone = _count_alone()
    return any(count > alone + 1 for count in _counts(codes))


def seat_codes(module: ModuleType, tree: CodeType) -> list[tuple[FunctionType, CodeType]]:
    """Return the functions of a module that run code equal to that of a tree, and is not it, each with the tree's.

    None where what the module has shows that the tree's code objects are the ones in use.
    """
    codes = [code for code in whole(tree) if code.co_flags & inspect.CO_OPTIMIZED]  # no class body is run again
    if not codes:
        return []
    ids = set(map(id, codes))
    by_value: dict[CodeType, CodeType] = {}
    for code in codes:
        by_value.setdefault(code, code)
    space = vars(module)
    own = [
        function
        for function, _ in _walk(module)
        if function.__globals__ is space and function.__code__.co_filename == tree.co_filename
    ]
    if own and all(id(function.__code__) in ids or function.__code__ not in by_value for function in own):
        return []
    return [
        (holder, by_value[holder.__code__])
        for holder in gc.get_referrers(space)
        if type(holder) is FunctionType and id(holder.__code__) not in ids and holder.__code__ in by_value
    ]


def _unexplained(codes: Sequence[CodeType], found: Runners) -> list[CodeType]:
    """Return the code objects to which there are more references than those that are known.

    What a loop like this one holds itself is measured, not assumed: on code of our own that nobody else refers to.
    Builds without the global lock defer counts; there, all code objects are asked about.
    """
    if not counts_are_exact():
        return list(codes)
    alone, counts = _count_alone(), _counts(codes)
    known = [alone + _BESIDES + len(found.of(code)) for code in codes]
    return [code for code, count, most in zip(codes, counts, known, strict=True) if count > most]


def _count_alone() -> int:
    """Return the count of a code object that only the list has which is counted."""
    return _counts([_unexplained.__code__.replace(co_name="nobody's")])[0]


def _counts(codes: Sequence[CodeType]) -> list[int]:
    return [sys.getrefcount(code) for code in codes]


def _walk(module: ModuleType) -> Iterator[tuple[FunctionType, Any]]:
    """Yield the functions that a module's globals and classes lead to, each with what wraps it (or None)."""
    name = module.__name__
    seen: set[int] = set()
    waiting: list[tuple[Any, Any]] = [(value, None) for value in list(vars(module).values())]
    while waiting:
        value, wrapper = waiting.pop()
        kind = type(value)
        if kind is FunctionType:
            yield value, wrapper
        if id(value) in seen:
            continue
        seen.add(id(value))
        if issubclass(kind, type):
            if module_said_by(value) == name:
                waiting += [(part, None) for part in list(vars(value).values())]
        elif kind is FunctionType:
            waiting += [(cell, value) for cell in cell_values(value) if type(cell) is FunctionType]
            wrapped = value.__dict__.get("__wrapped__")
            if wrapped is not None:
                waiting.append((wrapped, value))
        elif (parts := _PARTS.get(id(kind))) is not None:
            waiting += [(part, value) for part in (getattr(value, name, None) for name in parts) if part is not None]
