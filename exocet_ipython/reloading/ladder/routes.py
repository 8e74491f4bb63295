"""The way that an edit of constants takes: which names it may reach, in the order of what depends on what.

Which way that is depends on the code of modules alone, so it is remembered until some of it changes.
"""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from types import CodeType

from exocet_ipython.loading.names import is_dunder
from exocet_ipython.loading.spaces import is_package
from exocet_ipython.loading.standin import PRESENCE
from exocet_ipython.reloading.ladder.bodies import Body
from exocet_ipython.reloading.ladder.computations import Computation, Computations, has_star
from exocet_ipython.reloading.recording import ModuleRecord

__all__ = ["Notes", "Route", "Starts", "Step", "UnfitError", "find_route"]

Starts = Mapping[str, tuple[CodeType, Iterable[str]]]  # module -> its new code, and names with other constants there
Name = tuple[str, str]  # the dotted name of a module, and a global name of it
Code = Callable[[], CodeType | None]


class UnfitError(Exception):
    """Values can't be put in place; the argument says why."""


class Notes:
    """What is remembered of the bodies of modules: their computations, while their code is the same."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[weakref.ref[CodeType], Computations]] = {}
        self._stars: dict[str, tuple[weakref.ref[CodeType], bool]] = {}
        self.route: Route | None = None  # of the last edit: as a rule the next one goes the same way

    def of(self, record: ModuleRecord, code: CodeType | None = None) -> Computations:
        """Return what a module's body computes; raises UnfitError where nobody can know.

        Args:
            record: of the module.
            code: what it is to run from now on; by default what it ran.
        """
        code = code or record.readable_code
        if code is None:
            raise UnfitError(f"the text of {record.name} is not known")
        known = self._known.get(record.name)
        if known is None or known[0]() is not code:
            reference = weakref.ref(code)
            body = Body(record.name, reference)
            known = reference, Computations.of(body, is_package=is_package(record.module))
            self._known[record.name] = known
        return known[1]

    def require_computed(self, records: Mapping[str, ModuleRecord], starts: Starts) -> None:
        """Raise UnfitError where the edited modules themselves do more with the names; no other is looked at."""
        for name, (code, targets) in starts.items():
            computations = self.of(records[name], code)
            for target in targets:
                if target not in computations.computed or target in computations.unfit:
                    raise UnfitError(f"{name} does more with `{target}` at import")

    def starred(self, records: Iterable[ModuleRecord]) -> set[str]:
        """Return the modules of which others import all names."""
        found: set[str] = set()
        for record in records:
            code = record.readable_code
            known = self._stars.get(record.name)
            if code is not None and (known is None or known[0]() is not code):
                known = self._stars[record.name] = weakref.ref(code), has_star(code)
            if known is not None and known[1]:
                found |= self.of(record, code).stars
        return found


@dataclass(frozen=True, slots=True)
class Step:
    """One name on the way.

    Attributes:
        key: the dotted name of its module, and the global name.
        source: the module and global name that it is taken over from; None where it is computed.
        computed: the statement that computes it.
        unfit: why it can't be given another value in place; empty where it can.
        following: the names that are computed of it, or take it over.
    """

    key: Name
    source: Name | None
    computed: Computation | None
    unfit: str
    following: tuple[Name, ...]


class Route:
    """The steps of one way, each after those that it depends on.

    Attributes:
        starts: the names whose constants have been edited.
        steps: in order.
    """

    def __init__(self, starts: tuple[Name, ...], steps: tuple[Step, ...], codes: dict[str, Code]) -> None:
        self.starts = starts
        self.steps = steps
        self._codes = codes

    def leads_from(self, starts: Starts, records: Mapping[str, ModuleRecord]) -> bool:
        """Say whether the same names have been edited, and no module has other code than when this way was found."""
        known = self._codes
        return (
            self.starts == _names_of(starts)
            and known.keys() == records.keys()
            and all(known[name]() is record.readable_code for name, record in records.items())
        )

    def arrive(self, starts: Starts) -> None:
        """Note the new code of the modules that were edited: but for constants it does what the code before did."""
        self._codes.update((name, weakref.ref(code)) for name, (code, _) in starts.items())


def find_route(
    notes: Notes,
    records: Mapping[str, ModuleRecord],
    starts: Starts,
    bodies_naming: Callable[[str], Iterable[Body]],
) -> Route:
    """Return the way that an edit takes; raises UnfitError where values are computed in a circle.

    Args:
        notes: what is remembered of modules.
        records: the modules of the generation.
        starts: what was edited.
        bodies_naming: returns the bodies of the scope that mention a name.
    """
    found = _Search(notes, records, starts, bodies_naming)
    after: dict[Name, list[Name]] = {}
    waiting = list(_names_of(starts))
    while waiting:
        one = waiting.pop()
        if one not in after:
            after[one] = list(found.following(*one))
            waiting += after[one]
    due = Counter(chain.from_iterable(after.values()))
    ready = [one for one in after if not due[one]]
    for one in ready:
        for following in after[one]:
            due[following] -= 1
            if not due[following]:
                ready.append(following)
    if len(ready) < len(after):
        raise UnfitError("values are computed of each other in a circle")
    codes = {name: _refer(record.readable_code) for name, record in records.items()}
    return Route(_names_of(starts), tuple(found.step(one, after[one]) for one in ready), codes)


class _Search:
    """Finds what bodies do with names."""

    def __init__(
        self,
        notes: Notes,
        records: Mapping[str, ModuleRecord],
        starts: Starts,
        bodies_naming: Callable[[str], Iterable[Body]],
    ) -> None:
        self._notes = notes
        self._records = records
        self._bodies_naming = bodies_naming
        self._starred = notes.starred(records.values())
        self._known = {name: notes.of(records[name], code) for name, (code, _) in starts.items()}
        self._mentions: dict[str, _Mentions] = {}

    def following(self, name: str, target: str) -> Iterator[Name]:
        """Yield the names that are computed of one, or take it over."""
        for reader in self._of(name).readers.get(target, ()):
            yield name, reader
        yield from self._mentioned(target).takers.get(name, ())

    def step(self, one: Name, following: list[Name]) -> Step:
        """Describe a name."""
        name, target = one
        computations = self._of(name)
        source, computed = computations.sources.get(target), computations.computed.get(target)
        return Step(one, source, computed, self._unfit(name, target), tuple(following))

    def _unfit(self, name: str, target: str) -> str:
        computations = self._of(name)
        if self._records[name].code is None:
            return f"{name} was loaded in its own way"
        if name in self._starred or computations.stars:
            return f"all names of {name} may be another module's"
        if target in computations.unfit or is_dunder(target):
            return f"{name} does more with `{target}` at import"
        if loose := self._mentioned(target).loose:
            return f"{loose} mentions `{target}` at import"
        return ""

    def _of(self, name: str) -> Computations:
        if name not in self._known:
            self._known[name] = self._notes.of(self._records[name])
        return self._known[name]

    def _mentioned(self, target: str) -> _Mentions:
        """Find out, once for all modules that have a name of this spelling, what bodies do with it."""
        if target not in self._mentions:
            found = self._mentions[target] = _Mentions()
            # A class body or a comprehension may be the only one of its module that has the name.
            for mentioning in dict.fromkeys(body.module for body in self._bodies_naming(target)):
                computations = self._of(mentioning)
                if target in computations.loose:
                    found.loose = mentioning
                for module, alias in computations.takers(target):
                    found.takers.setdefault(module, []).append((mentioning, alias))
                    if not self._gives(module, target):
                        found.loose = mentioning
        return self._mentions[target]

    def _gives(self, name: str, target: str) -> bool:
        """Say whether it is known what a `from` statement gets as an attribute of a module."""
        if name in self._records:
            computations = self._of(name)
            return target in computations.sources or target in computations.computed or target in computations.unfit
        module = PRESENCE.current(name)  # it may be one of ours by another name
        return module is not None and not any(record.module is module for record in self._records.values())


@dataclass
class _Mentions:
    """What bodies do with a name: source module -> who takes it over; a module that may find it by other ways."""

    takers: dict[str, list[Name]] = field(default_factory=dict)
    loose: str = ""


def _names_of(starts: Starts) -> tuple[Name, ...]:
    return tuple(sorted((name, target) for name, (_, targets) in starts.items() for target in targets))


def _refer(code: CodeType | None) -> Code:
    return (lambda: None) if code is None else weakref.ref(code)
