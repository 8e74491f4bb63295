"""Generators that wait for their beginning while their function is given other code."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Sequence
from types import CodeType, FunctionType
from typing import Any

from exocet_ipython.reloading.collector import referrers_of
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.survivors.generators import GENERATING, GENERATORS, code_of, is_code_of, remake_generator
from exocet_ipython.survivors.replacing.references import replace_references

__all__ = ["renew_generators"]


def renew_generators(exchanged: Iterable[tuple[CodeType, Sequence[FunctionType]]], journal: Journal) -> None:
    """Replace the generators that have not begun, and whose function runs other code by now, in what holds them.

    Those of a module that Python had loaded run code that only equals the one that is known of it.

    Args:
        exchanged: code of functions, and the functions that have run it until now.
        journal: how it is taken back.

    >>> def count(): yield "old"
    >>> waiting, before = [count()], count.__code__
    >>> def other(): yield "new"
    >>> count.__code__ = other.__code__
    >>> renew_generators([(before, [count])], Journal())
    >>> list(waiting[0])
    ['new']
    """
    ran = {id(one): (one, code) for code, functions in exchanged if code.co_flags & GENERATING for one in functions}
    if not ran:
        return
    replacement: dict[int, tuple[Any, Any]] = {}
    for holder in referrers_of([function for function, _ in ran.values()]):
        if not issubclass(type(holder), GENERATORS):
            continue
        known = (ran[id(part)] for part in gc.get_referents(holder) if id(part) in ran)  # arguments of it, perhaps
        own = next((function for function, code in known if is_code_of(code_of(holder), code)), None)
        made = remake_generator(holder, lambda function: function, own.__code__) if own is not None else None
        if made is not None:
            replacement[id(holder)] = holder, made
    waiting = [generator for generator, _ in replacement.values()]
    if waiting:
        ours = {id(replacement), *(id(pair) for pair in replacement.values())}
        replace_references(replacement, ours, referrers_of(waiting), journal)
