"""Commands of chance."""

from __future__ import annotations

import random

from game.commands.base import Command
from game.world import Player


class CmdRoll(Command):
    """Roll a die with six sides."""

    word = "roll"

    def run(self, player: Player, rest: str) -> str:
        return f"{player.name} rolls a {random.randint(1, 6)}."
