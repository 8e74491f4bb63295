"""What the collector doesn't show."""

from __future__ import annotations

import gc
from typing import Any

from exocet_ipython.survivors.replacing.hidden import find_hidden_holders


def tuples_among(holders: list[Any]) -> list[int]:
    """Return the ids of the tuples; the arrays of objects that there are, of other tests' too, may hold anything."""
    return [id(holder) for holder in holders if type(holder) is tuple]


def test_a_tuple_that_the_collector_does_not_follow() -> None:
    """It is found for what is in it, but for code: only other code has that there."""
    sentinel = object()
    held = [(sentinel, test_a_tuple_that_the_collector_does_not_follow.__code__)]
    gc.collect()
    assert not gc.is_tracked(held[0])
    assert tuples_among(find_hidden_holders([sentinel], [])) == [id(held[0])]
    assert find_hidden_holders([test_a_tuple_that_the_collector_does_not_follow.__code__], []) == []


def test_defaults_of_retired_functions_are_theirs() -> None:
    """They explain the references to a sentinel, and are not replaced: the old code compares with the old one."""
    space = {"sentinel": object()}
    exec("def f(x=sentinel): return x is sentinel", space)
    gc.collect()
    assert find_hidden_holders([space["sentinel"]], [space], [space["f"]]) == []
    others = [(space["sentinel"],)]
    gc.collect()
    found = find_hidden_holders([space["sentinel"]], [space], [space["f"]])
    assert tuples_among(found) == [id(others[0])]
