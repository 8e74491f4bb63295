"""What retired and what took its place, as the matching found it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
        alike: the same of code that several retired functions have: one decorator has made them.
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
    alike: dict[int, list[Inner]] = field(default_factory=dict)
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

    def add_inner(self, found: Mapping[int, Inner]) -> None:
        """Add what the closures become that a retired function has made."""
        for key, inner in found.items():
            known = self.inner.get(key)
            if known is not None and known.before is not inner.before:
                self.alike.setdefault(key, [known]).append(inner)
        self.inner |= found

    def inner_of(self, closure: FunctionType) -> Inner:
        """Return what a closure becomes: what was made by the very function of which it has variables.

        Raises:
            KeyError: no retired function has made it.
        """
        key, cells = id(closure.__code__), {id(cell) for cell in closure.__closure__ or ()}
        among = (one for one in self.alike.get(key, ()) if not cells.isdisjoint(map(id, one.before.__closure__ or ())))
        return next(among, self.inner[key])

    def leave(self, is_meant: Callable[[Any], bool]) -> None:
        """Have nothing take the place of what is meant: it goes on to be what it is in all that holds it."""
        for key in [key for key, (before, _) in self.objects.items() if is_meant(before)]:
            del self.objects[key]

    def predecessors(self) -> dict[int, type]:
        """Return the classes whose place others took, by the id of each of these: the latest, where older ones live."""
        return {id(now): before for before, now in reversed(self.classes)}

    def containers(self) -> list[Any]:
        """Return the containers of these records, whose references to retired objects are ours."""
        inner = [*self.inner.values(), *(one for several in self.alike.values() for one in several)]
        pairs = [*self.objects.values(), *self.classes, *self.functions, *inner]
        makers = [maker for one in inner for maker in one.makers if maker is not None]
        parts = [*pairs, *makers, *map(vars, makers), self.alike, *self.alike.values()]
        return [self.objects, self.classes, self.functions, self.inner, self.orphans, self.lost, self.made, *parts]
