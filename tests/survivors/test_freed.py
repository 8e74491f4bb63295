"""What letting go of objects would free."""

from __future__ import annotations

import gc
import sys
import tracemalloc
from typing import Any

import pytest

from exocet_ipython.survivors.finding.freed import find_freed

pytestmark = pytest.mark.skipif(
    not getattr(sys, "_is_gil_enabled", lambda: True)(), reason="reference counts are deferred"
)
LARGE = 1_000_000


class Node:
    """A node of a graph, with attributes of any kind."""


def node(**attributes: Any) -> Node:
    """Make a node."""
    made = Node()
    vars(made).update(attributes)
    return made


def test_what_only_the_objects_hold_counts() -> None:
    """Directly, through others, in circles, in containers; not what something else holds as well."""
    shared = bytearray(LARGE)
    own = node(data=bytearray(LARGE), deep=[{"a": node(data=bytearray(LARGE))}])
    own.me = own  # type: ignore[attr-defined]  # a circle
    other = node(data=bytearray(LARGE))
    own.kept = [other, shared]  # type: ignore[attr-defined] # put there at run time
    assert LARGE * 2 <= find_freed([own], sys.getsizeof).size < LARGE * 2.1
    assert LARGE * 3 <= find_freed([own, other], sys.getsizeof).size < LARGE * 3.1
    del shared
    assert LARGE * 3 <= find_freed([own], sys.getsizeof).size < LARGE * 3.1


def test_it_is_what_then_goes() -> None:
    """Python's own account of its memory says the same."""
    tracemalloc.start()
    try:
        nodes = [node(data=[bytes(1000 + number) for number in range(100)]) for _ in range(50)]
        said = find_freed(nodes, sys.getsizeof).size
        before = tracemalloc.get_traced_memory()[0]
        del nodes
        gc.collect()
        went = before - tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert said == pytest.approx(went, rel=0.1)


def test_what_everything_leads_to_is_not_followed() -> None:
    """Modules, classes and functions are others'."""
    found = find_freed([node(kind=Node, module=gc, call=find_freed)], sys.getsizeof)
    assert found.size < 2000
    assert found.is_all


def test_bounds_are_told() -> None:
    """Of more objects than are looked at the result says that it is not all."""
    nodes = [node(data=bytearray(100)) for _ in range(100)]
    assert not find_freed(nodes, sys.getsizeof, most=50).is_all
    assert find_freed(nodes, sys.getsizeof).is_all
