"""What retired and what took its place, as the matching found it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

from exocet_ipython.survivors.inner import Inner

__all__ = ["Pairs"]


@dataclass(slots=True)
class Pairs:
    """What retired, and its counterparts.

    Attributes:
        objects: id of a retired object -> the object and its counterpart; references to it are replaced.
        classes: retired class, new class: the classes whose instances move.
        functions: retired function, new function, globals of the retired module that has the first one, which may
            be those of no function: what holds a retired function for good gets the new one's answers.
        inner: id of a code object in a retired function -> it and what its closures become.
        orphans: retired classes without a counterpart.
        lost: retired functions without one; what holds them follows when the definition is back.
        made: classes that functions have made on top of retired ones, and that no module names.
        former: dotted name of a class or function -> the one that its counterpart had, where that is another.
        spent: ids of the globals of retired modules that lose a function: only cells have it, and get the new one.
        own: ids of the dicts, tuples and cells that make up the retired side, which is left as it was.
    """

    objects: dict[int, tuple[Any, Any]] = field(default_factory=dict)
    classes: list[tuple[type, type]] = field(default_factory=list)
    functions: list[tuple[FunctionType, FunctionType, dict[str, Any]]] = field(default_factory=list)
    inner: dict[int, Inner] = field(default_factory=dict)
    orphans: list[type] = field(default_factory=list)
    lost: list[FunctionType] = field(default_factory=list)
    made: list[type] = field(default_factory=list)
    former: dict[str, str] = field(default_factory=dict)
    spent: set[int] = field(default_factory=set)
    own: set[int] = field(default_factory=set)

    def retired(self) -> list[Any]:
        """Return everything whose holders must be found."""
        matched = [*(old for old, _ in self.objects.values()), *(inner.old for inner in self.inner.values())]
        return [*matched, *self.orphans, *self.lost, *self.made]

    def leave(self, is_meant: Callable[[Any], bool]) -> None:
        """Have nothing take the place of what is meant: it goes on to be what it is in all that holds it."""
        for key in [key for key, (before, _) in self.objects.items() if is_meant(before)]:
            del self.objects[key]

    def predecessors(self) -> dict[int, type]:
        """Return the classes whose place others took, by the id of each of these: the latest, where older ones live."""
        return {id(now): before for before, now in reversed(self.classes)}

    def containers(self) -> list[Any]:
        """Return the containers of these records, whose references to retired objects are ours."""
        pairs = [*self.objects.values(), *self.classes, *self.functions, *self.inner.values()]
        makers = [maker for inner in self.inner.values() for maker in inner.makers if maker is not None]
        parts = [*pairs, *makers, *map(vars, makers)]
        return [self.objects, self.classes, self.functions, self.inner, self.orphans, self.lost, self.made, *parts]
