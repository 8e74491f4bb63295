"""Notebook names whose definition is gone: they keep their values, are said once, and follow when it is back."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from typing import Any

from exocet_ipython.loading.references import OwnReference
from exocet_ipython.notebook.names.sources import Source
from exocet_ipython.reloading.holding.contents import is_shared

__all__ = ["Orphans"]

_unknown = object()


@dataclass(frozen=True, slots=True)
class _Orphan:
    """Where a name came from, and the value that it kept.

    A value that can't be referenced weakly is an atom, or one whose name doesn't follow again.
    """

    source: Source
    value: Any
    key: int

    @classmethod
    def of(cls, source: Source, value: Any) -> _Orphan:
        try:
            return cls(source, OwnReference(value), id(value))
        except TypeError:
            return cls(source, value if is_shared(value) else _unknown, id(value))

    def is_of(self, value: Any) -> bool:
        if type(self.value) is OwnReference:
            return value is not None and self.value() is value  # None is what one gives that is gone
        return self.value is value


class Orphans:
    """The names that are known to have lost their definition.

    >>> orphans = Orphans()
    >>> orphans.add("rate", Source("config", "LR"), 0.1), orphans.add("rate", Source("config", "LR"), 0.1)
    (True, False)
    """

    def __init__(self) -> None:
        self._known: dict[str, _Orphan] = {}

    def add(self, name: str, source: Source, value: Any) -> bool:
        """Take in that a name keeps a value that is no longer defined; say whether that is news."""
        known = self._known.get(name)
        self._known[name] = _Orphan.of(source, value)
        return known is None or (known.source, known.key) != (source, id(value))

    def keep(self, names: Container[str]) -> None:
        """Take in that no other names than these are without their definition: what they had may be back, as it was."""
        self._known = {name: orphan for name, orphan in self._known.items() if name in names}

    def source(self, name: str, value: Any) -> Source | None:
        """Return where a name came from that still has the value that it kept."""
        orphan = self._known.get(name)
        return orphan.source if orphan is not None and orphan.is_of(value) else None
