"""The command table: which word runs which command."""

from __future__ import annotations

from game.commands.base import Command
from game.world import Player


class CommandTable:
    """The commands that a player can type."""

    def __init__(self) -> None:
        self.commands: dict[str, Command] = {}

    def __repr__(self) -> str:
        return f"<commands: {', '.join(sorted(self.commands))}>"

    def add(self, command: Command) -> None:
        """Add a command, in place of the one that has the same word."""
        self.commands[command.word] = command

    def run(self, player: Player, line: str) -> str:
        """Run what a player typed and return the answer."""
        word, _, rest = line.partition(" ")
        return self.commands[word].run(player, rest)
