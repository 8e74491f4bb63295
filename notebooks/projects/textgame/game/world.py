"""The world: rooms, and the players in them."""

from __future__ import annotations

from dataclasses import dataclass, field

WELCOME = "Welcome to the mill."


@dataclass
class Room:
    """A place: its name, what a player sees there, and the rooms that one can walk to."""

    name: str
    view: str
    exits: dict[str, Room] = field(default_factory=dict)


@dataclass
class Player:
    """Somebody who plays: a name, the room they are in, and what they carry."""

    name: str
    room: Room
    items: list[str] = field(default_factory=list)


def build_mill() -> Room:
    """Make the rooms of the mill and return the first one."""
    yard = Room("Yard", "A yard with a well.")
    mill = Room("Mill", "Two stones, and flour everywhere.", {"out": yard})
    yard.exits["in"] = mill
    return yard
