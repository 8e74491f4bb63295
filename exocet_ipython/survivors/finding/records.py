"""The retired generations of a session, and which of a person's names still hold something of them."""

from __future__ import annotations

import gc
import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from exocet_ipython.loading.classes import mro_of
from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.survivors.definitions import Kind
from exocet_ipython.survivors.finding.garbage import is_much
from exocet_ipython.survivors.finding.generations import RetiredGeneration
from exocet_ipython.survivors.finding.unheld import end_unheld

__all__ = ["HIDDEN_NAMES", "RetiredNames", "Retirement", "Survivor", "describe", "named_values"]

# What IPython puts into the namespace for itself: the input and output caches, and its own helpers.
HIDDEN_NAMES = re.compile(r"_{1,3}|_i{1,3}|_i?\d+|_[oid]h|In|Out|get_ipython|exit|quit|open|__\w+__")


@dataclass(frozen=True, slots=True)
class Survivor:
    """What is alive of one definition of a retired generation, and where the person's names hold it.

    Attributes:
        generation: the number of the generation that the definition belongs to.
        kind: `instance`, `class`, `function` or `module`.
        name: dotted name of the class, function or module.
        names: how the person reaches it: notebook names, and entries of `Out`.
        more: how many further such names there are.
    """

    generation: int
    kind: Kind
    name: str
    names: tuple[str, ...]
    more: int = 0

    def __str__(self) -> str:
        more = f" and {self.more} more" if self.more else ""
        return f"{describe(self.kind, self.name)} alive: {', '.join(self.names)}{more}"


def describe(kind: Kind, name: str) -> str:
    """Say in a few words what something old is.

    >>> describe("instance", "game.world.Room"), describe("function", "game.look")
    ('old Room', 'old function look')
    """
    return f"old {'' if kind == 'instance' else f'{kind} '}{name.rpartition('.')[2]}"


class RetiredNames:
    """What retired objects are called: tells a retired class, function, module or an instance from everything else.

    It knows them by id, and so only as long as they are held elsewhere.
    """

    def __init__(self, generations: Iterable[RetiredGeneration]) -> None:
        self._known: dict[int, tuple[int, Kind, str]] = {}
        for generation in generations:
            for kind, name, value in generation.living():
                self._known[id(value)] = generation.number, kind, name

    def of(self, value: Any) -> tuple[int, Kind, str] | None:
        """Return generation, kind and dotted name of what an object is, or of the class that it is an instance of."""
        known = self._known
        found = known.get(id(value))
        if found is not None:
            return found
        for base in mro_of(type(value)):
            if (owner := known.get(id(base))) is not None:
                return owner[0], "instance", owner[2]
        return None

    def describe(self, value: Any) -> str:
        """Say what an object is; empty for what is not old.

        >>> RetiredNames([]).describe(1)
        ''
        """
        found = self.of(value)
        return "" if found is None else describe(found[1], found[2])


class Retirement:
    """All retired generations of a session that something keeps alive, and the latest that nothing does.

    >>> Retirement().survivors({})
    ()
    """

    def __init__(self) -> None:
        self._generations: list[RetiredGeneration] = []
        self._unheld: RetiredGeneration | None = None
        self._names: dict[int, str] = {}  # generation -> one of the names that have held something of it
        self._told: set[int] = set()  # generations of which a report has named something
        self._gone: list[int] = []  # those of them of which nothing is alive by now

    def doubt(self, changed: Container[int]) -> None:
        """Forget what tells that generations, given by their numbers, are held: their records are others now."""
        for known in self._generations:
            if known.number in changed:
                known.doubt()

    def retire(self, generation: RetiredGeneration, current: frozenset[int] = frozenset()) -> None:
        """Add what a publish replaced.

        Args:
            generation: that.
            current: the ids of what became current again, which is forgotten.
        """
        if current:
            self._generations = [known.without(current) for known in self._generations]
            self._told -= {known.number for known in self._generations if not known.references}
            self._unheld = self._unheld and self._unheld.without(current)
        self._generations.append(generation)

    def living(self, held: Container[int] = (), *, by_what_is_used: bool = False) -> tuple[RetiredGeneration, ...]:
        """Return the generations of which something is alive and held, oldest first; the others are forgotten.

        What nothing holds is only waiting for the collector, and each reload would look at all of it again.

        Args:
            held: the numbers of generations that are known to be held.
            by_what_is_used: as `RetiredGeneration.is_held` takes it.
        """
        known = self.referenced()
        self._generations = [g for g in known if g.number in held or g.is_held(by_what_is_used=by_what_is_used)]
        for generation in known:
            if generation not in self._generations:
                self.note_unheld(generation)
        gone = self._told - {generation.number for generation in self._generations}
        self._gone += sorted(gone)
        self._told -= gone
        return tuple(self._generations)

    def living_at_a_glance(self, namespace: Mapping[str, Any]) -> tuple[RetiredGeneration, ...]:
        """Return the same; what was held and seems to be still counts as held, and so does what a name holds.

        What may only refer to itself is left to the collector where there is so much of it that this is the quick way.

        Args:
            namespace: the notebook's names.
        """
        known = self.referenced()
        held = {
            one.number for one in known if one.seems_held or one.has(namespace.get(self._names.get(one.number, "")))
        }
        if len(held) < len(known):
            self._names = {survivor.generation: survivor.names[0] for survivor in self.survivors(namespace)}
            held |= self._names.keys()
        doubtful = [generation for generation in known if generation.number not in held]
        if is_much(sum(len(generation.references) for generation in doubtful)) and any(g.is_held() for g in doubtful):
            gc.collect()
        return self.living(held, by_what_is_used=True)

    def note_unheld(self, generation: RetiredGeneration | None) -> None:
        """Note a generation of which nothing is held, and be done with the one before it.

        Args:
            generation: that; None where only what moved may now be in the one before as well.
        """
        if (before := self._unheld) is not None:
            # What has no counterpart any more is tracked for itself: something may hold that.
            end_unheld(before, may_return=any(known.number == before.number for known in self.referenced()))
        self._unheld = generation

    def tell(self, survivors: Iterable[Survivor]) -> None:
        """Note that a report names these: when the last of a generation is gone, the person is to know."""
        self._told |= {survivor.generation for survivor in survivors}

    def take_gone(self, current: int) -> tuple[int, ...]:
        """Return the generations that a report has named and that `living` has forgotten since; each only once.

        Args:
            current: the number of the current generation: one that nothing held any more may be back.
        """
        gone, self._gone = tuple(number for number in self._gone if number != current), []
        return gone

    def survivors(self, namespace: Mapping[str, Any]) -> tuple[Survivor, ...]:
        """Return what the names of a namespace and its `Out` hold of retired generations, in one pass over them."""
        retired = RetiredNames(self._generations)
        held: dict[tuple[int, Kind, str], list[str]] = {}
        for name, value in named_values(namespace) if self._generations else ():
            if (found := retired.of(value)) is not None:
                held.setdefault(found, []).append(name)
        return tuple(Survivor(*found, tuple(names)) for found, names in sorted(held.items()))

    def referenced(self) -> list[RetiredGeneration]:
        """Return the generations of which something is alive; the others are forgotten."""
        for generation in self._generations:
            generation.prune()
        self._generations = [generation for generation in self._generations if generation.references]
        return self._generations


def named_values(namespace: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the person's names and the entries of `Out`, as they would write them, with their values."""
    for name, value in copy_space(namespace).items():
        if not HIDDEN_NAMES.fullmatch(name):
            yield name, value
    outputs = namespace.get("Out")
    if isinstance(outputs, dict):
        for number, value in copy_space(outputs).items():
            yield f"Out[{number}]", value
