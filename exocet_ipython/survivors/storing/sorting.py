"""Lists that functions keep in order: what is carried over is put where they would put it, not at the end.

A function that registers a step sorts the steps (`STEPS.sort(key=...)`), puts one in by `bisect.insort`, or keeps a
heap. Nothing but its text says so.
"""

from __future__ import annotations

import ast
import functools
import heapq
import re
from collections.abc import Callable, Mapping
from functools import partial
from types import CodeType
from typing import Any

from exocet_ipython.loading.parsing import parse_text
from exocet_ipython.reloading.holding.contents import refill
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.survivors.storing.containers import container_of
from exocet_ipython.survivors.storing.functions import FUNCTIONS

__all__ = ["find_sorted", "put_in_order"]

_SORTING = re.compile(rb"\.sort\(|\binsort|\bheappush\(")  # most texts have none
# Functions that put something into a list in order -> what puts all of a list in that order.
_CALLS = {"insort": "sorted", "insort_left": "sorted", "insort_right": "sorted", "heappush": "_heap"}


@functools.lru_cache(100)
def find_sorted(text: bytes) -> Mapping[str, CodeType]:
    """Return the names of the lists that functions of a text keep in order, with the code of a function that does that.

    >>> text = b"def step(s): STEPS.append(s); STEPS.sort(key=len, reverse=True)"
    >>> [(name, eval(code)(["a", "bcd"])) for name, code in find_sorted(text).items()]
    [('STEPS', ['bcd', 'a'])]
    """
    if _SORTING.search(text) is None:
        return {}
    functions = [node for node in ast.walk(parse_text(text)) if isinstance(node, FUNCTIONS)]
    return {name: code for one in functions for node in ast.walk(one) for name, code in _sorted_by(node).items()}


def _sorted_by(node: ast.AST) -> dict[str, CodeType]:
    """Return the name of a list that a call sorts, or puts something into in order, with the code that does it."""
    match node:
        case ast.Call(func=ast.Attribute(value=held, attr="sort"), args=[], keywords=keywords):
            called = "sorted"
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[held, _], keywords=keywords) if (
            name in _CALLS
        ):
            called = _CALLS[name]
        case _:
            return {}
    sort = ast.Call(ast.Name(called, ast.Load()), [ast.Name("_items", ast.Load())], keywords)
    arguments = ast.arguments([], [ast.arg("_items")], None, [], [], None, [])
    code = compile(ast.fix_missing_locations(ast.Expression(ast.Lambda(arguments, sort))), "<order>", "eval")
    return dict.fromkeys(container_of(held), code)


def put_in_order(items: Any, code: CodeType, space: Mapping[str, Any], journal: Journal) -> None:
    """Put what is in a list in order; where it can't be compared, it stays as it is.

    Args:
        items: the list, which nobody sees yet.
        code: what `find_sorted` has returned.
        space: the globals that the function sees.
        journal: how it is taken back.
    """
    try:
        order: Callable[[list[Any]], list[Any]] = eval(code, {**space, "_heap": _heap})  # noqa: S307 - the module's own text
        ordered = order([*items])
    except Exception:  # noqa: BLE001 - the key needs what the function has, or the items don't compare
        return
    journal.add(partial(refill, items, [*items]))
    refill(items, ordered)


def _heap(items: list[Any]) -> list[Any]:
    heapq.heapify(items)
    return items
