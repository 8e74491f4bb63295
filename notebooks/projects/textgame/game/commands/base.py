"""What every command has."""

from __future__ import annotations

from game.world import Player


class Command:
    """One command; `word` is what the player types."""

    word = ""

    def __repr__(self) -> str:
        return f"<command {self.word}>"

    def run(self, player: Player, rest: str) -> str:
        """Do the command for a player and return the answer."""
        raise NotImplementedError
