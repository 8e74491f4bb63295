"""Which dicts may be those of instances that hash themselves."""

from __future__ import annotations

from typing import Any

from exocet_ipython.reloading.collector import referrers_of
from exocet_ipython.survivors.replacing.owners import find_owners, may_be_attributes, owners_among


class Point:
    """Hashes itself by an attribute, which it has from a method of its base."""

    def __init__(self, place: list[int]) -> None:
        self.place_on_map = place

    def __hash__(self) -> int:
        return len(self.place_on_map)


class Town(Point):
    """Has one that is only annotated."""

    name_of_town: str


def test_the_instance_is_found_among_plain_dicts() -> None:
    """One dict among the holders is of its attributes; others begin with the same names, or with other ones."""
    place, town = [1], Town([1])
    attributes = town.__dict__ = {"name_of_town": "Rome", "place_on_map": place}
    plain: list[dict[Any, Any]] = [
        {"place_on_map": place, "else": 1},
        {"name_of_town": place, 2: 3},
        {"place_on_map": place},
        {f"place{number}": place for number in range(20)},
    ]
    holders = referrers_of([place])
    assert all(any(holder is one for holder in holders) for one in [*plain, attributes])
    assert owners_among(holders, {id(attributes): attributes}) == {}, "nothing leads from the dict to the instance"
    known, unknown = find_owners(holders, ())
    assert not known
    assert may_be_attributes([unknown[id(attributes)]])
    assert not any(may_be_attributes([unknown.get(id(one), one)]) for one in (plain[0], plain[1], plain[3]))
    assert owners_among(referrers_of([*unknown.values()]), unknown) == {id(attributes): town}


def test_classes_that_come_and_go_are_judged_anew() -> None:
    """What was said of a class that is gone isn't said of one that is made since, at its place maybe."""
    for number in range(20):
        name = f"name_of_key_{number}"
        key = type("Key", (), {"__annotations__": {name: str}} | ({"__hash__": lambda _: 1} if number % 2 else {}))
        assert may_be_attributes([{name: key}]) is bool(number % 2)
