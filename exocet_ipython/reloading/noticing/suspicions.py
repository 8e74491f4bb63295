"""What may have changed on disk: a suspicion, and those that a detector has not yet given."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

__all__ = ["EVERYTHING", "NOTHING", "Pending", "Suspicion"]


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What may have changed on disk since it was last asked: a hint where to look, never proof of a change.

    Attributes:
        names: dotted names of the modules whose file may differ.
        appeared: a file or folder appeared, vanished or moved where modules are looked for. A module may have become a
            package, an import that failed may succeed, a namespace package may have gained a portion.
        everything: nothing is certain: compare all, whether or not it is in `names`.
        stems: what appeared or vanished, as parts of dotted names; None where it may be anything.

    It is false when there is nothing to look at.

    >>> bool(Suspicion()), bool(Suspicion(appeared=True))
    (False, True)
    """

    names: frozenset[str] = frozenset()
    appeared: bool = False
    everything: bool = False
    stems: frozenset[str] | None = field(default=frozenset(), compare=False)

    def __bool__(self) -> bool:
        return self.appeared or self.everything or bool(self.names)

    def __or__(self, other: Suspicion) -> Suspicion:
        return Suspicion(
            self.names | other.names,
            self.appeared or other.appeared,
            self.everything or other.everything,
            None if self.stems is None or other.stems is None else self.stems | other.stems,
        )


NOTHING = Suspicion()
EVERYTHING = Suspicion(everything=True)


class Pending:
    """The suspicions that are not yet given.

    >>> pending = Pending()
    >>> pending.names.add("b")
    >>> sorted(pending.give().names), bool(pending.give())
    (['b'], False)
    """

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.appeared = False
        self.everything = False
        self._stems: set[str] | None = set()

    def __bool__(self) -> bool:
        return self.appeared or self.everything or bool(self.names)

    def add(self, suspicion: Suspicion) -> None:
        """Take in what another detector suspects."""
        self.names |= suspicion.names
        self.everything |= suspicion.everything
        if suspicion.appeared:
            self.add_appeared(suspicion.stems)

    def add_appeared(self, stems: Iterable[str] | None) -> None:
        """Take in that modules with these parts in their names may have come or gone; any, where that is None."""
        self.appeared = True
        if stems is None:
            self._stems = None
        elif self._stems is not None:
            self._stems.update(stems)

    def give(self) -> Suspicion:
        """Return all that is suspected, and forget it."""
        if not self:
            return NOTHING
        stems = None if self._stems is None else frozenset(self._stems)
        suspicion = Suspicion(frozenset(self.names), self.appeared, self.everything, stems)
        self.names, self.appeared, self.everything, self._stems = set(), False, False, set()
        return suspicion
