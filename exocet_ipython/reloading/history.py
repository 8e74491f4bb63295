"""The generations that were current before, known by weak references to their modules.

Each entry says what one publish replaced, and so leads from the generation after it to the one before: going back
through them gives the modules of every earlier generation. What can't be reached any more is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType

from exocet_ipython.loading.references import OwnReference
from exocet_ipython.reloading.recording import ModuleRecord

__all__ = ["History"]

_Reference = Callable[[], ModuleType | None]


@dataclass(frozen=True, slots=True)
class _Past:
    """What one publish replaced: the number of the generation before it, and each module of then (None: not loaded)."""

    number: int
    modules: Mapping[str, _Reference | None]

    @property
    def is_alive(self) -> bool:
        return all(reference is None or reference() is not None for reference in self.modules.values())


class History:
    """Which modules earlier generations had.

    Attributes:
        values: what was ever given another value in place, by module and global name; what retired before has the old.

    >>> history = History()
    >>> history.note(1, {}, ["a"])
    >>> list(history.generations())
    [(1, {'a': None})]
    """

    def __init__(self) -> None:
        self._past: list[_Past] = []
        self.values: dict[str, set[str]] = {}

    def __repr__(self) -> str:
        return f"<history of {len(self._past)} generations>"

    def note(self, number: int, old: Mapping[str, ModuleRecord], names: Iterable[str]) -> None:
        """Note a publish.

        Args:
            number: of the generation before it.
            old: dotted name -> record of a module that retired.
            names: all that it made current or took away.
        """
        modules = {name: _refer(old[name].module) if name in old else None for name in names}
        self._past.append(_Past(number, modules))
        self._prune()

    def note_values(self, values: Mapping[str, Iterable[str]]) -> None:
        """Note which global names of which modules have been given other values in place."""
        for module, names in values.items():
            self.values.setdefault(module, set()).update(names)

    def generations(self) -> Iterator[tuple[int, Mapping[str, _Reference | None]]]:
        """Yield earlier generations, the latest first: its number, and where it differs from the current one.

        A module is None that was not loaded then. The mapping is only good until the next one is asked for.
        """
        modules: dict[str, _Reference | None] = {}
        for past in reversed(self._past):
            modules |= past.modules
            yield past.number, modules

    def _prune(self) -> None:
        """Drop the generations that can't become current again, as one of their modules is gone.

        What lies further back is reached through them, so the next older entry takes over what only they replaced; it
        is dropped as well if that includes the module that is gone. Where a generation was current twice, its last end
        counts.
        """
        kept: list[_Past] = []
        taken_over: Mapping[str, _Reference | None] = {}
        seen: set[int] = set()
        for past in reversed(self._past):
            whole = _Past(past.number, {**taken_over, **past.modules})
            if past.number in seen or not whole.is_alive:
                taken_over = whole.modules
                continue
            taken_over = {}
            seen.add(past.number)
            kept.append(whole)
        self._past = kept[::-1]


def _refer(module: ModuleType) -> _Reference:
    try:
        return OwnReference(module)
    except TypeError:
        return _gone  # an object in a module's stead, which lives or not for all that can be known


def _gone() -> None:
    return None
