"""Loads that failed while another module went on without them: they are tried again when what they need changes.

`try: import fast` / `except ImportError` leaves nothing of `fast`, and all the same its importer depends on what `fast`
imports: after a restart it may be there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from traceback import walk_tb
from types import CodeType

from exocet_ipython.loading.source import Snapshot, is_package_file
from exocet_ipython.loading.tracebacks import is_machinery
from exocet_ipython.reloading.imports import ImportStatement, lines_of, read_imports
from exocet_ipython.reloading.ladder.bodies import names_in

__all__ = ["FailedLoad", "lacks_module"]


@dataclass(frozen=True, eq=False)
class FailedLoad:
    """A module whose body failed, and whose importer has caught that.

    Attributes:
        name: dotted name.
        snapshot: the text that ran.
        code: what ran; None where the text could not be compiled.
        lacks_module: whether it failed as a module was not found, and not by what another one has or does.

    >>> failed = FailedLoad("fast", Snapshot("fast"), compile("import numba", "fast.py", "exec"))
    >>> failed.needs
    {'numba': 1}
    """

    name: str
    snapshot: Snapshot
    code: CodeType | None
    lacks_module: bool = False

    is_adopted = False

    @property
    def readable_code(self) -> CodeType | None:
        """What ran."""
        return self.code

    @cached_property
    def imports(self) -> tuple[ImportStatement, ...]:
        """The import statements of the source."""
        if self.code is None:
            return ()
        return read_imports(self.code, self.name, is_package=is_package_file(self.snapshot.path))

    @property
    def names(self) -> frozenset[str]:
        """The names in its code."""
        return frozenset() if self.code is None else frozenset(names_in(self.code))

    @cached_property
    def needs(self) -> Mapping[str, int]:
        """The names that its source may import, each with the line where that is said first."""
        return lines_of(self.imports, self.name)


def lacks_module(error: BaseException) -> bool:
    """Say whether an import failed as the import statement of a module's body found no module.

    No function has run then that could do something else.

    >>> lacks_module(ImportError("cannot import name 'a'"))
    False
    """
    if not isinstance(error, ModuleNotFoundError):
        return False
    frames = [frame.f_code for frame, _ in walk_tb(error.__traceback__)]
    return all(code.co_name == "<module>" or is_machinery(code.co_filename) for code in frames)
