"""What holds a retired class, found from the notebook's names forward: all of it, or nothing is said."""

from __future__ import annotations

import gc
from types import FrameType, GetSetDescriptorType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exocet_ipython.reloading.collector import counts_are_exact
from exocet_ipython.survivors.finding.held import count_outside
from exocet_ipython.survivors.finding.near import find_near
from tests.survivors.random_graphs import MAKERS, connect

COUNT = 8  # objects, beside two instances
PLACES = st.integers(0, COUNT + 2)
TO_THE_CLASS = st.just(COUNT + 2)
EDGES = st.lists(st.tuples(PLACES, PLACES | TO_THE_CLASS, st.integers(0, 11)), min_size=5, max_size=25)
KINDS = st.lists(st.integers(0, len(MAKERS) - 1), min_size=COUNT, max_size=COUNT)


def holders_on_the_heap(retired: list[Any]) -> set[int]:
    """Return the ids of what the heap shows to refer to the one class of a list, without what makes up the class."""
    (cls,) = retired
    own = {id(retired), id(cls.__mro__), id(cls)}
    found = gc.get_referrers(cls)
    return {
        id(holder)
        for holder in found
        if id(holder) not in own and not isinstance(holder, (FrameType, GetSetDescriptorType))
    }


@pytest.mark.skipif(not counts_are_exact(), reason="a build without the global lock defers counts")
@settings(deadline=None, max_examples=150, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(kinds=KINDS, edges=EDGES, hidden=st.sets(st.integers(0, COUNT + 1), max_size=3))
def test_near_holders_are_those_of_the_heap(
    kinds: list[int], edges: list[tuple[int, int, int]], hidden: set[int]
) -> None:
    """On random graphs with the class and instances in them; where all have names, the search finds them all."""
    retired = [type("Cat", (), {})]
    nodes: list[Any] = [*(MAKERS[kind]() for kind in kinds), retired[0](), retired[0]()]
    for start, end, how in edges:
        if start < COUNT:
            connect(nodes[start], [*nodes, retired[0]][end], how)
    names = {f"name{place}": node for place, node in enumerate(nodes) if place not in hidden}
    numbers = {id(item): number for item, number in count_outside(retired, [retired])}
    found = find_near(retired, numbers, retired, names, ())
    if found is None:
        assert hidden or any(isinstance(node, type) for node in nodes)  # other modules' classes are not followed
    else:
        ids = list(map(id, found))
        assert len(ids) == len(set(ids))
        assert set(ids) == holders_on_the_heap(retired)
