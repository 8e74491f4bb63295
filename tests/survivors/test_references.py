"""Whatever holds a retired object holds its counterpart, after one pass over the heap for each level of tuples."""

from __future__ import annotations

from typing import Any

import pytest

from exocet_ipython.reloading.collector import referrers_of
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.survivors.finding import near
from exocet_ipython.survivors.replacing.references import replace_references


class Part:
    """Something that retires, or its counterpart."""


class Town:
    """Hashes itself by an attribute; somebody has looked at `vars()` of its instances."""

    def __init__(self, mayor: Part) -> None:
        self.mayor = mayor
        self.council = (mayor, (mayor,))
        vars(self)

    def __hash__(self) -> int:
        return hash(self.mayor)


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many objects each pass over the heap has looked for."""
    found: list[int] = []

    def counted(objects: list[Any]) -> list[Any]:
        found.append(len(objects))
        return referrers_of(objects)

    monkeypatch.setattr(near, "referrers_of", counted)
    return found


def replace(before: Part, now: Part) -> tuple[list[Any], Journal]:
    """Replace one object; return what was told before its attributes changed, and how it is taken back."""
    journal, noted = Journal(), list[Any]()
    pairs = {id(before): (before, now)}
    own = {id(pairs), *map(id, pairs.values())}
    assert replace_references(pairs, own, referrers_of([before]), journal, noted.append) == []
    return noted, journal


def test_tuples_in_dicts_that_look_like_attributes(passes: list[int]) -> None:
    """A dict whose keys could be attributes holds a tuple that was made anew for two reasons."""
    before, now = Part(), Part()
    table: dict[str, Any] = {"mayor": (before, (before,)), "council": before}
    _, journal = replace(before, now)
    assert table["mayor"][0] is table["mayor"][1][0] is table["council"] is now
    assert len(passes) <= 3, "one for each level of tuples, and one that sees that nothing is left"
    journal.undo()
    assert table["mayor"][0] is table["mayor"][1][0] is table["council"] is before


def test_instances_are_noted_before_their_attributes_change(passes: list[int]) -> None:
    """The instance that hashes itself is found by the dict of its attributes and told of; all that it has follows."""
    before, now = Part(), Part()
    town, plain = Town(before), {"mayor": before}
    noted, journal = replace(before, now)
    assert any(one is town for one in noted)
    assert town.mayor is town.council[0] is town.council[1][0] is plain["mayor"] is now
    assert len(passes) <= 3, "whose the dicts are is found by the pass that looks for the holders of the tuples"
    journal.undo()
    assert town.mayor is town.council[0] is town.council[1][0] is plain["mayor"] is before
