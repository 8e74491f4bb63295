"""What the collector doesn't show."""

from __future__ import annotations

import gc

from exocet_ipython.survivors.moving.hidden import find_hidden_holders


def test_a_tuple_that_the_collector_does_not_follow() -> None:
    """It is found for what is in it, but for code: functions have that, and a pass over the heap is spared."""
    sentinel = object()
    held = [(sentinel, test_a_tuple_that_the_collector_does_not_follow.__code__)]
    gc.collect()
    assert not gc.is_tracked(held[0])
    assert [id(found) for found in find_hidden_holders([sentinel])] == [id(held[0])]
    assert find_hidden_holders([test_a_tuple_that_the_collector_does_not_follow.__code__]) == []
