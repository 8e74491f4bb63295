"""Commands that every player has."""

from __future__ import annotations

from game.commands.base import Command
from game.world import Player


class CmdLook(Command):
    """Describe the room that the player is in."""

    word = "look"

    def run(self, player: Player, rest: str) -> str:
        return f"You see {player.room.view}"


class CmdGo(Command):
    """Walk to another room."""

    word = "go"

    def run(self, player: Player, rest: str) -> str:
        player.room = player.room.exits[rest]
        return f"You walk to the {player.room.name}."
