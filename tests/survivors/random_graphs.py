"""Hold paths on random object graphs, a script: `test_paths_random.py` runs it in a process of its own.

Each search, and objgraph's even more often, goes through all modules and all of the heap: no other test's are there.
"""

from __future__ import annotations

import functools
import gc
import weakref
from collections.abc import Callable
from typing import Any

import objgraph
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exocet_ipython.survivors.finding.paths import find_holds
from exocet_ipython.survivors.finding.roots import Roots


class Inline:
    """Attributes of its own."""


class Slotted:
    """Attributes in slots, of which the last one in wins."""

    __slots__ = ("__weakref__", "part0", "part1", "part2")


class Items(list[Any]):
    """A list that may be in a set."""

    __hash__ = object.__hash__  # type: ignore[assignment] # so the data model has it


class Table(dict[Any, Any]):
    """A dict that may be a key."""

    __hash__ = object.__hash__  # type: ignore[assignment] # so the data model has it


def function() -> Any:
    """A new function."""

    def made(*_: Any) -> None:
        pass

    return made


def closure(holder: Any, held: Any) -> None:
    """Hold something in a closure."""
    holder.inner = lambda: held


MAKERS: list[Callable[[], Any]] = [Inline, Slotted, Items, Table, function, lambda: type("Made", (), {})]


def connect(holder: Any, held: Any, how: int) -> None:
    """Let one object refer to another, in one of the ways that its type has."""
    match holder:
        case Slotted():
            setattr(holder, f"part{how % 3}", held)
        case Items():
            holder.append([held, (held,), {held}, functools.partial(print, held)][how % 4])
        case Table() if how % 2:
            holder[held] = how
        case Table():
            holder[f"key {how}"] = held
        case type() | Inline():
            setattr(holder, f"attribute{how}", held)
        case _ if how % 3 == 0:
            holder.__defaults__ = (*(holder.__defaults__ or ()), held)
        case _ if how % 3 == 1:
            closure(holder, held)
        case _:
            setattr(holder, f"attribute{how}", held)


def build(
    makers: list[int], edges: list[tuple[int, int, int]], names: list[int]
) -> tuple[dict[str, Any], list[weakref.ref[Any]]]:
    """A graph of objects: a namespace with a few names, and weak references to all of them."""
    nodes = [MAKERS[maker % len(MAKERS)]() for maker in makers]
    for holder, held, how in edges:
        connect(nodes[holder % len(nodes)], nodes[held % len(nodes)], how)
    space = {f"name{place}": nodes[name % len(nodes)] for place, name in enumerate(names)}
    return space, [weakref.ref(node) for node in nodes]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=12),
    st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11), st.integers(0, 11)), max_size=25),
    st.lists(st.integers(0, 11), min_size=1, max_size=3),
)
def check_paths(makers: list[int], edges: list[tuple[int, int, int]], names: list[int]) -> None:
    """Each object that a name leads to has a path that gives it, as short as objgraph's; the others have none."""
    space, nodes = build(makers, edges, names)
    for node in nodes:
        if node() is None:
            continue
        chain = objgraph.find_backref_chain(node(), lambda found: found is space, max_depth=40)
        theirs = len(chain) - 1
        del chain
        found = find_holds([node()], Roots(space))
        if theirs:
            path = found.paths[0]
            assert eval(path.expression, {"gc": gc, **space}) is node()  # noqa: S307 - what is tested is an expression
            assert path.levels <= theirs
            assert found.passes <= path.levels + 1
        else:
            assert found.paths == ()  # in a cycle that the collector has not seen yet
            assert found.from_c == 0


if __name__ == "__main__":
    gc.collect()
    gc.freeze()  # what was imported refers to no graph
    check_paths()
