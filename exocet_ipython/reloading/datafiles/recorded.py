"""The data files that a module depends on, as its record has them: those that it has named, and that its code shows."""

from __future__ import annotations

from types import CodeType, ModuleType

from exocet_ipython.loading.source import Snapshot
from exocet_ipython.loading.spaces import globals_of
from exocet_ipython.reloading.datafiles.snapshots import find_data_files, read_declared
from exocet_ipython.reloading.wishes import wishes_of

__all__ = ["data_files_of"]

_Data = tuple[Snapshot, ...]


def data_files_of(
    module: ModuleType,
    snapshot: Snapshot,
    code: CodeType | None,
    same: tuple[ModuleType, _Data] | None = None,
    found: _Data | None = None,
) -> _Data:
    """Return snapshots of the data files that a module has named, and of those that its code shows.

    Args:
        module: that.
        snapshot: of its text.
        code: what it ran, where that is known.
        same: an earlier module that ran the same code, with its data files.
        found: those that the code shows, where they are known.
    """
    if found is None:
        before = wishes_of(same[0]) if same is not None else None
        asked = before.files if before is not None else ()
        again = [data for data in same[1] if data.path not in asked] if same is not None else None
        found = find_data_files(snapshot, code, globals_of(module), again)
    if (wishes := wishes_of(module)) is None:
        return found
    declared = read_declared(snapshot.name, wishes.files)
    named = {data.path for data in declared}
    return (*declared, *(data for data in found if data.path not in named))
