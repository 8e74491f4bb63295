"""Calls by which cells have handed something to what modules define, and what was decorated by them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from exocet_ipython.loading.spaces import copy_space

__all__ = ["Call", "Decorated"]


@dataclass(frozen=True, slots=True, eq=False)
class Decorated:
    """A definition in a cell that has decorators.

    Attributes:
        owner: the name of the class of which it is a method; nothing where it is none.
        name: its own.
        count: how many decorators it has.
    """

    owner: str
    name: str
    count: int

    def find(self, namespace: Mapping[str, Any]) -> Any:
        """Return what it is by now; None where it is nowhere."""
        found = namespace.get(self.owner or self.name)
        if not self.owner:
            return found
        return copy_space(vars(found)).get(self.name) if issubclass(type(found), type) else None


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A call of a function or a method in a cell, `register(Mine)` or `register("mine")(Mine)`.

    Attributes:
        arguments: of each of its calls, in order: what it is given by place, and by keyword. What takes the place of
            one of these takes it here as well.
        decorated: the definition that has it as a decorator, if one has.
    """

    arguments: tuple[tuple[list[Any], dict[str, Any]], ...]
    decorated: Decorated | None = None

    @property
    def given(self) -> Any:
        """What it is given first; None where that is nothing."""
        args, _ = self.arguments[-1]
        return args[0] if args else None

    def repeat(self, function: Any) -> object:
        """Call another function in the same way."""
        for args, keywords in self.arguments:
            function = function(*args, **keywords)
        return function

    def replace_given(self, find: Callable[[Any], Any]) -> None:
        """Have each argument be what a function returns for it."""
        for args, keywords in self.arguments:
            args[:] = map(find, args)
            keywords.update({name: find(value) for name, value in keywords.items()})
