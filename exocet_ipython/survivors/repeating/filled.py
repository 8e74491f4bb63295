"""Whether the functions that may put something into a container are what they were.

Then what they have computed and put there, to answer from it, is what they would answer now. It goes on with what cells
have made of it: `SESSIONS[name] = new_session(name)` keeps an answer, and the cells have filled that.
"""

from __future__ import annotations

import dis
from collections.abc import Collection, Iterator
from types import CodeType, FunctionType
from typing import Any

from exocet_ipython.loading.trees import nested, whole
from exocet_ipython.reloading.ladder.operations import iter_operations, words
from exocet_ipython.reloading.retired import functions_in
from exocet_ipython.survivors.comparison import Answering, Beside
from exocet_ipython.survivors.storing.asking import as_written, find_asking
from exocet_ipython.survivors.storing.readings import Part, ReadStores, codes_in
from exocet_ipython.survivors.storing.slicing import sliced

__all__ = ["fills", "is_filled_alike", "names_asked_alike"]

_FILLING = frozenset((dis.opmap["STORE_SUBSCR"], dis.opmap["STORE_ATTR"]))
_CHANGING = words("add append appendleft discard extend insert pop popitem popleft remove setdefault update")


def is_filled_alike(names: Collection[str], read: ReadStores) -> bool:
    """Say whether the functions that may put something into what they get by some names do what they did.

    What they have computed and put there is an answer of their old code else.

    Args:
        names: of globals, attributes or functions by which they get it.
        read: what the functions of the session's modules store.
    """
    return all(
        Answering(part.cls, part.new_cls, names, read.beside).is_same(part.before, part.now)
        for part in _fillers(names, read)
    )


def names_asked_alike(names: Collection[str], begun: Collection[str], read: ReadStores) -> set[str] | None:
    """Return what functions look at that would put again into containers what they have computed and put there.

    Args:
        names: of the containers.
        begun: of all containers of their module that began as they do now.
        read: what the functions of the session's modules store.

    Returns:
        All names in these functions and in those that call them, but for those of the containers and of others that
        they fill; None where any of it does something else now.
    """
    together, parts = {*names}, list[Part]()
    count = 0
    while count != len(together):
        count = len(together)
        parts = _fillers(together, read)
        used = {name for part in parts for code in codes_in(part.before) for name in code.co_names}
        together |= used.intersection(begun)
    fillers = [*parts]
    parts += _callers(parts, read)
    beside, asked = read.beside, set[str]()
    called = {function.__name__: part for part in parts for function in functions_in(part.before)}
    # These are compared by themselves, but a method of another class may have the name of one.
    but = together | {name for name, part in called.items() if part.cls is object and name not in beside.parts}
    for part in parts:
        comparison = _Asking(asked, part.cls, part.new_cls, but, beside)
        pairs = _deciding(part, together | called.keys(), read)
        if not all(comparison.is_same(before, now) for before, now in pairs):
            return None
    asks_others = any(_asks_what_it_was_given(part.before, together, read) for part in fillers)
    return asked - together if fillers and not asks_others else None


def _deciding(part: Part, names: Collection[str], read: ReadStores) -> list[tuple[Any, Any]]:
    """Return what of a function decides what is put away under some names, before and now."""
    functions = [functions_in(one) for one in (part.before, part.now)]
    if type(part.before) is not type(part.now) or not functions[0] or len(functions[0]) != len(functions[1]):
        return [(part.before, part.now)]
    names = read.with_new_names(names)
    return [
        sliced(before, now, names, answers=bool(read.naming(before.__name__)))
        for before, now in zip(*functions, strict=True)
    ]


def _asks_what_it_was_given(filler: Any, names: Collection[str], read: ReadStores) -> bool:
    """Say whether something puts into containers what functions answer that it was given: these are not compared.

    As what a decorator gives does, wherever it keeps that.
    """
    functions = functions_in(filler)
    inner = [code for function in functions for part in nested(function.__code__) for code in whole(part)]
    homes = [read.session[home] for home in {function.__module__ for function in functions} if home in read.session]
    asking = {name for home in homes for name, _ in find_asking(home.snapshot.data or b"")}
    return any(map(fills, inner)) or not asking.isdisjoint(map(as_written, names))


class _Asking(Answering):
    """Compares what functions answer, and notes all names that they ask for."""

    def __init__(self, asked: set[str], before: type, now: type, but: Collection[str], beside: Beside) -> None:
        super().__init__(before, now, but, beside)
        self._asked = asked

    def _is_same_function(self, before: FunctionType, now: FunctionType) -> bool:
        self._asked.update(name for code in codes_in(before) for name in code.co_names)
        return super()._is_same_function(before, now)


def _fillers(names: Collection[str], read: ReadStores) -> list[Part]:
    found = {id(part.before): part for name in names for part in read.naming(name)}
    return [part for part in found.values() if any(map(fills, _codes_near(part.before)))]


def _callers(parts: Collection[Part], read: ReadStores) -> list[Part]:
    """Return what may call functions that fill something, directly or by others: they tell these what to compute."""
    known = {id(part.before): part for part in parts}
    waiting, found = [*parts], list[Part]()
    while waiting:
        names = {function.__name__ for function in functions_in(waiting.pop().before)}
        new = [part for name in names for part in read.naming(name) if id(part.before) not in known]
        known |= {id(part.before): part for part in new}
        waiting += new
        found += new
    return found


def _codes_near(part: Any) -> Iterator[CodeType]:
    """Yield the code of a function, and of the functions that it names: it may hand on what it got."""
    yield from codes_in(part)
    for function in functions_in(part):
        for name in function.__code__.co_names:
            other = function.__globals__.get(name)
            if type(other) is FunctionType:
                yield from codes_in(other)


def fills(code: CodeType) -> bool:
    """Say whether code may put something into a container or an attribute, or take it out."""
    stores = any(operation in _FILLING for _, operation, _ in iter_operations(code))
    return stores or not _CHANGING.isdisjoint(code.co_names)
