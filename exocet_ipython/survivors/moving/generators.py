"""Generators that wait for their beginning while their function is given other code."""

from __future__ import annotations

from collections.abc import Iterable
from types import CodeType
from typing import Any

from exocet_ipython.reloading.collector import referrers_of
from exocet_ipython.reloading.generation import Journal
from exocet_ipython.survivors.generators import GENERATING, GENERATORS, code_of, remake_generator
from exocet_ipython.survivors.moving.references import replace_references

__all__ = ["renew_generators"]


def renew_generators(codes: Iterable[tuple[CodeType, CodeType]], journal: Journal) -> None:
    """Replace the generators that have not begun, and whose function runs other code by now, in what holds them.

    Args:
        codes: a code object of a function, and the one that the function runs since.
        journal: how it is taken back.

    >>> def count(): yield "old"
    >>> waiting, before = [count()], count.__code__
    >>> def other(): yield "new"
    >>> count.__code__ = other.__code__
    >>> renew_generators([(before, count.__code__)], Journal())
    >>> list(waiting[0])
    ['new']
    """
    known = {id(before): (before, now) for before, now in codes if before.co_flags & GENERATING}
    if not known:
        return
    replacement: dict[int, tuple[Any, Any]] = {}
    for holder in referrers_of([before for before, _ in known.values()]):
        if issubclass(type(holder), GENERATORS) and id(code_of(holder)) in known:
            made = remake_generator(holder, lambda function: function, known[id(code_of(holder))][1])
            if made is not None:
                replacement[id(holder)] = holder, made
    waiting = [generator for generator, _ in replacement.values()]
    if waiting:
        own = {id(replacement), *(id(pair) for pair in replacement.values())}
        replace_references(replacement, own, referrers_of(waiting), journal)
