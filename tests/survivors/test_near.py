"""What holds retired classes and functions, found from the notebook's names forward: all of it, or nothing is said."""

from __future__ import annotations

from types import FrameType, GetSetDescriptorType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from exocet_ipython.reloading.collector import counts_are_exact, referrers_of
from exocet_ipython.survivors.finding.counting import count_outside
from exocet_ipython.survivors.finding.near import find_near
from tests.shares import SEED
from tests.survivors.random_graphs import MAKERS, connect

COUNT = 8  # objects, beside two instances
PLACES = st.integers(0, COUNT + 2)
TO_WHAT_RETIRES = st.integers(COUNT + 2, COUNT + 4)  # the class, the function, and a tuple of both that the class has
EDGES = st.lists(st.tuples(PLACES, PLACES | TO_WHAT_RETIRES, st.integers(0, 11)), min_size=5, max_size=25)
KINDS = st.lists(st.integers(0, len(MAKERS) - 1), min_size=COUNT, max_size=COUNT)


def holders_on_the_heap(retired: list[Any], within: set[int]) -> set[int]:
    """Return the ids of what the heap shows to refer to retired objects, without what makes these up."""
    own = {id(retired), *within}
    return {
        id(holder)
        for holder in referrers_of(retired)
        if id(holder) not in own and not isinstance(holder, (FrameType, GetSetDescriptorType))
    }


@pytest.mark.skipif(not counts_are_exact(), reason="a build without the global lock defers counts")
@seed(SEED)
@settings(deadline=None, max_examples=100, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(kinds=KINDS, edges=EDGES, hidden=st.sets(st.integers(0, COUNT + 1), max_size=3))
def test_near_holders_are_those_of_the_heap(
    kinds: list[int], edges: list[tuple[int, int, int]], hidden: set[int]
) -> None:
    """On random graphs with what retires and instances in them; where all have names, the search finds them all.

    What the class has of its own counts for none that is hidden, though names lead to it.
    """

    def purr() -> None:
        pass

    cat = type("Cat", (), {})
    retired: list[Any] = [cat, purr]
    nodes: list[Any] = [*(MAKERS[kind]() for kind in kinds), cat(), cat(), *retired, (cat, purr)]
    cat.kinds = nodes[-1]  # type: ignore[attr-defined] # in its dict
    for start, end, how in edges:
        if start < COUNT:
            connect(nodes[start], nodes[end], how)
    names = {f"name{place}": node for place, node in enumerate(nodes[:-3]) if place not in hidden}
    elsewhere = [node for place, node in enumerate(nodes[:-3]) if place in hidden]
    kept_whole = any(isinstance(node, type) for node in nodes[:-3])  # other modules' classes are not followed
    del nodes, cat, purr
    outside = count_outside(retired, [retired])
    found = find_near(outside.held, outside.numbers, names, outside.within)
    if found is None:
        assert elsewhere or kept_whole
    else:
        ids = list(map(id, found))
        assert len(ids) == len(set(ids))
        assert set(ids) == holders_on_the_heap(retired, {*outside.within, id(outside.held)})
