"""Which of the functions inside of an old function is which of those inside of the new one, by their code."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from types import CodeType
from typing import Any, TypeAlias

from exocet_ipython.loading.trees import nested
from exocet_ipython.reloading.ladder.operations import is_class_body

__all__ = ["pair_nested"]

_OWN_FLAGS = 0xFFFF  # those above say what the file has from `__future__`
_Pairs = Iterator[tuple[CodeType, CodeType]]
_Behind: TypeAlias = Mapping[int, int]


def pair_nested(old: CodeType, new: CodeType) -> _Pairs:
    """Yield the functions and classes inside of two functions: by name and text, by name and place, then by text alone.

    Unchanged ones come first: what is added before them, among lambdas say, shifts their places. Where of the others
    there are more or fewer with a name, their places tell nothing: those that have most in common belong together.

    >>> old = compile("f = lambda: 1; g = lambda: 2", "m.py", "exec")
    >>> new = compile("e = lambda: 0; f = lambda: 1; g = lambda: 2", "m.py", "exec")
    >>> [(before.co_consts[-1], now.co_consts[-1]) for before, now in pair_nested(old, new)]
    [(1, 1), (2, 2)]
    """
    waiting, left = list(nested(old)), list(nested(new))
    if not (waiting and left):
        return
    known: set[int] = set()

    def pairs_by_name(waiting: Iterable[CodeType], left: Iterable[CodeType]) -> _Pairs:
        return _pairs_by_name(waiting, left, _count_known(nested(old), known) | _count_known(nested(new), known))

    for pairs in (_pairs_of_same, pairs_by_name, _pairs_by_text):
        found = list(pairs(waiting, left))
        yield from found
        known |= {id(code) for pair in found for code in pair}
        waiting = [code for code in waiting if id(code) not in known]
        left = [code for code in left if id(code) not in known]


def _count_known(codes: Iterable[CodeType], known: Container[int]) -> dict[int, int]:
    """Return by the id of each code how many of those before it belong together with another by now."""
    behind, count = {}, 0
    for code in codes:
        behind[id(code)] = count
        count += id(code) in known
    return behind


def _pairs_of_same(waiting: Iterable[CodeType], left: Iterable[CodeType]) -> _Pairs:
    return _pairs_by(lambda code: (_kind_of(code), _text_of(code)), waiting, left)


def _pairs_by_text(waiting: Iterable[CodeType], left: Iterable[CodeType]) -> _Pairs:
    return _pairs_by(_text_of, waiting, left)


def _pairs_by(key: Callable[[CodeType], Any], waiting: Iterable[CodeType], left: Iterable[CodeType]) -> _Pairs:
    """Yield those of one key in order; what is left of the old ones has the last one of the new, which does it too."""
    known = _grouped(key, left)
    for what, befores in _grouped(key, waiting).items():
        nows = known[what]
        for place, before in enumerate(befores if nows else ()):
            yield before, nows[min(place, len(nows) - 1)]


def _pairs_by_name(waiting: Iterable[CodeType], left: Iterable[CodeType], behind: _Behind) -> _Pairs:
    known = _grouped(_kind_of, left)
    for kind, befores in _grouped(_kind_of, waiting).items():
        nows = known[kind]
        yield from (
            zip(befores, nows, strict=True) if len(befores) == len(nows) else _pairs_in_common(befores, nows, behind)
        )


def _pairs_in_common(befores: list[CodeType], nows: list[CodeType], behind: _Behind) -> _Pairs:
    """Yield those that have most in common first, and of equals those whose places are nearest; none with nothing.

    Places are nearest behind as many of those that belong together already: `a` is gone, not `c`, where `a, b, c` is
    `b, d`.
    """
    words = [[_words_of(code) for code in codes] for codes in (befores, nows)]
    common = [
        (len(old & new) / len(old | new), -abs(behind[id(before)] - behind[id(now)]), -abs(place - other), place, other)
        for place, (before, old) in enumerate(zip(befores, words[0], strict=True))
        for other, (now, new) in enumerate(zip(nows, words[1], strict=True))
        if old & new
    ]
    taken: set[int] = set()
    for *_, place, other in sorted(common, reverse=True):
        before, now = befores[place], nows[other]
        if taken.isdisjoint((id(before), id(now))):
            taken |= {id(before), id(now)}
            yield before, now


def _grouped(key: Callable[[CodeType], Any], codes: Iterable[CodeType]) -> defaultdict[Any, list[CodeType]]:
    found: defaultdict[Any, list[CodeType]] = defaultdict(list)
    for code in codes:
        found[key(code)].append(code)
    return found


def _kind_of(code: CodeType) -> tuple[str, bool]:
    return code.co_name, is_class_body(code)


def _words_of(code: CodeType) -> set[Any]:
    """Return what code names, its parameters included, and the number of these."""
    names = {*code.co_names, *code.co_varnames, *code.co_freevars, *code.co_cellvars}
    return {*names, code.co_argcount, *(const for const in code.co_consts if isinstance(const, (str, int)))}


def _text_of(code: CodeType) -> tuple[Any, ...]:
    """Return what code does, without what it is called and where it stands."""
    consts = tuple(_text_of(const) if isinstance(const, CodeType) else (type(const), const) for const in code.co_consts)
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags & _OWN_FLAGS)
    return code.co_code, code.co_exceptiontable, consts, names, counts
