"""Texts that were read again and compiled, for whichever rung of the ladder is taken in the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import CodeType
from typing import TypeAlias

from exocet_ipython.loading.source import Snapshot
from exocet_ipython.reloading.imports import ImportStatement, read_imports

__all__ = ["ReadText", "Texts"]


@dataclass(frozen=True, eq=False)
class ReadText:
    """The new text of a module.

    Attributes:
        snapshot: as it was read.
        code: what it compiles to.
        is_package: whether the module is one.
    """

    snapshot: Snapshot
    code: CodeType
    is_package: bool

    @cached_property
    def imports(self) -> tuple[ImportStatement, ...]:
        """The import statements in it."""
        return read_imports(self.code, self.snapshot.name, is_package=self.is_package)


Texts: TypeAlias = Mapping[str, ReadText]  # by dotted names
