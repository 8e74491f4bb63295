"""Which values something else than themselves holds."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from exocet_ipython.survivors.finding.elsewhere import held_elsewhere

pytestmark = pytest.mark.skipif(
    not getattr(sys, "_is_gil_enabled", lambda: True)(), reason="reference counts are deferred"
)


class Node:
    """A node of a graph that refers to itself: by an attribute, a bound method and a closure."""

    def __init__(self, other: Any = None) -> None:
        self.me = self
        self.other = other
        self.methods = [self.is_itself, lambda: self]

    def is_itself(self) -> bool:
        """Say whether it is."""
        return self.me is self


def held(cache: dict[str, Any], **options: int) -> list[str]:
    """Return the keys of what somebody else than the cache has."""
    found = held_elsewhere([*cache.values()], [cache], **options)
    return [key for key in cache if id(cache[key]) in found]


def test_circles_hold_nothing() -> None:
    """What refers to itself, or to others that nobody has, is held by nobody."""
    cache = {name: Node() for name in "abc"}
    cache["a"].other, cache["b"].other = cache["b"], cache["a"]
    assert held(cache) == []


def test_what_somebody_has_is_held_with_what_it_leads_to() -> None:
    """Directly, in a container, or as what the held one refers to."""
    cache = {name: Node() for name in "abcd"}
    cache["b"].other = cache["c"]
    somewhere = [cache["a"], {"deep": (cache["b"],)}]
    assert held(cache) == ["a", "b", "c"]
    somewhere.clear()
    assert held(cache) == []


def test_what_leads_to_a_value_from_within_holds_it_when_it_is_held() -> None:
    """A part that somebody has, and that knows its owner, keeps the owner."""
    cache = {"a": Node(), "b": Node()}
    kept = cache["a"].methods
    assert held(cache) == ["a"]
    assert kept[0]()


def test_what_is_too_far_away_counts_as_somebody() -> None:
    """A circle that is larger than what is looked at holds what is in it; a small one beside it does not."""
    cache = {"far": Node(), "near": Node([[] for _ in range(50)])}
    deep: list[Any] = [cache["far"]]
    for _ in range(2000):
        deep = [deep]
    cache["far"].other = deep
    del deep
    assert held(cache, most=10_000) == []
    assert held(cache) == ["far"]


def test_many_circles_hold_nothing() -> None:
    """So many values that looking at all they refer to takes more than a thousand objects: still none is held."""
    cache = {str(number): Node() for number in range(600)}
    assert held(cache) == []
