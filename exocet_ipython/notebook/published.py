"""The names of a notebook, of which a publish makes some others, and what it did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from exocet_ipython.notebook.names.bindings import Bindings, Kept, Rebinding
from exocet_ipython.reloading.generation import Generation
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.reloading.retired import RetiredModule
from exocet_ipython.survivors.carrying.lost import LostDefinitions
from exocet_ipython.survivors.finding.generations import RetiredGeneration
from exocet_ipython.survivors.moving.migrate import Migration

__all__ = ["Names", "Published"]


@dataclass(frozen=True, slots=True, eq=False)
class Names:
    """The names of a notebook.

    Attributes:
        namespace: name -> value.
        bindings: which of them point where.
        mirrors: where the shell notes the names of its output cache a second time.
    """

    namespace: dict[str, Any]
    bindings: Bindings
    mirrors: Sequence[dict[str, Any]] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Published:
    """What a publish did.

    Attributes:
        generation: what is current now.
        replaced: the records of the modules that retired.
        retired: what they defined, as far as it is to be tracked.
        unheld: all that they defined, if nothing holds any of it.
        again: the ids of what is current again.
        labelled: the retired modules whose code was labelled.
        rebound: the notebook names that have a new value.
        kept: those that keep theirs although its source was replaced, as far as that is news.
        migration: what became of survivors.
        lost: what definitions that are gone have left.
        is_tracked: whether what lives of all that was left as it is.
    """

    generation: Generation
    replaced: tuple[ModuleRecord, ...]
    retired: RetiredGeneration
    unheld: RetiredGeneration | None
    again: frozenset[int]
    labelled: tuple[RetiredModule, ...]
    rebound: tuple[Rebinding, ...]
    kept: tuple[Kept, ...]
    migration: Migration
    lost: LostDefinitions
    is_tracked: bool = False
