"""What refers to what, as the collector sees it."""

from __future__ import annotations

import gc
import random
import sys
import threading
from types import FrameType
from typing import Any

import pytest

from exocet_ipython.reloading.collector import current_frames, referrers_of


class Thing:
    """Something that refers to others."""

    def __init__(self) -> None:
        self.parts: list[Any] = []


@pytest.mark.parametrize("count", [0, 1, 100, 2_000])
def test_referrers_are_those_that_the_collector_finds(count: int) -> None:
    """However many objects are asked for, what refers to them is found, each once, and nothing else."""
    draw = random.Random(count)  # noqa: S311 - no secret
    things = [Thing() for _ in range(3_000)]
    for thing in things:
        thing.parts.append((draw.choice(things), {draw.random(): draw.choice(things)}))
    asked = draw.sample(things, count)
    found = referrers_of(asked)
    wanted = gc.get_referrers(*asked) if asked else []
    ids = set(map(id, found))
    assert len(ids) == len(found)
    ours = {id(asked), id(found), id(wanted)}
    assert {id(one) for one in wanted if type(one) is not tuple or len(one) != count} - ours == ids - ours


def test_the_question_is_no_answer() -> None:
    """The sequence that was asked for is not among what refers to its items; another one with them is."""
    things = [Thing() for _ in range(1_000)]
    other = [*things]
    for asked in (things[:3], things):
        found = referrers_of(asked)
        assert not any(one is asked for one in found)
        assert any(one is other for one in found)


def test_no_collection_begins_while_frames_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Python 3.11 one would wait for ever for a lock that its own thread holds (CPython issue 106883)."""
    ask = sys._current_frames
    enabled: list[bool] = []

    def note() -> dict[int, FrameType]:
        enabled.append(gc.isenabled())
        return ask()

    monkeypatch.setattr(sys, "_current_frames", note)
    assert threading.get_ident() in current_frames()
    assert (enabled, gc.isenabled()) == ([False], True)
