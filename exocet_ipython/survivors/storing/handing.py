"""What functions hand to others to be put away: `if key not in CACHE: remember(key, compute(key))` fills a cache, too.

The one that puts it away was given it, as a function that registers is. What tells the two apart is the caller: who has
looked first whether it is there, and hands over what it has computed, keeps an answer.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable
from dataclasses import dataclass

from exocet_ipython.survivors.storing.given import is_given

__all__ = ["Handing", "filled_by_hand", "handed_by"]


@dataclass(frozen=True, slots=True)
class Handing:
    """What one function hands on, and puts away.

    Attributes:
        name: its own.
        handed: the names of functions that it calls with what it has computed.
        looked_at: all that it names otherwise than to put something into it.
        keeps: the containers into which it puts what it is given.
    """

    name: str
    handed: frozenset[str]
    looked_at: frozenset[str]
    keeps: frozenset[str]


@functools.lru_cache(maxsize=32)  # asked for each entry of a container
def filled_by_hand(functions: frozenset[Handing]) -> frozenset[str]:
    """Return the containers into which functions have others put what they have computed, having looked for it.

    They look there themselves, or call another one that does (`found = cache.get(key)`).

    >>> put = Handing("put", frozenset(), frozenset(), frozenset({"CACHE"}))
    >>> price = Handing("price", frozenset({"put"}), frozenset({"CACHE", "put"}), frozenset())
    >>> filled_by_hand(frozenset([put, price]))
    frozenset({'CACHE'})
    """
    found = frozenset[str]()
    for keeper in functions:
        callers = [one for one in functions if keeper.keeps and keeper.name in one.handed and one is not keeper]
        for caller in callers:
            asked = [one.looked_at for one in functions if one.name in caller.looked_at and one is not keeper]
            found |= keeper.keeps & caller.looked_at.union(*asked)
    return found


def handed_by(nodes: Iterable[ast.AST], given: frozenset[str]) -> set[str]:
    """Return the names of what a function calls with what it has computed.

    Args:
        nodes: of the function.
        given: the names that it is given.

    >>> sorted(handed_by(ast.walk(ast.parse("put(x, x * 2); say(x)")), frozenset({"x"})))
    ['put']
    """
    handed = set[str]()
    for node in nodes:
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args, keywords=keywords):
                values = *args, *(keyword.value for keyword in keywords)
                handed |= set() if all(is_given(value, given) for value in values) else {name}
    return handed
