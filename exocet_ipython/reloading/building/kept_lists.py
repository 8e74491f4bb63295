"""Lists of libraries to which bodies add that run again: without that meanwhile, then with what others have added."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from exocet_ipython.reloading.lasting.merging import Change, Key, keys_of, merged, with_keys
from exocet_ipython.reloading.lasting.settings import Setting
from exocet_ipython.reloading.recording import ModuleRecord

__all__ = ["kept_lists"]


@contextlib.contextmanager
def kept_lists(names: Collection[str], records: Mapping[str, ModuleRecord]) -> Iterator[None]:
    """Have lists be what they were before these bodies ran, in the block, and put behind it what others have added.

    All is as it was where the block fails. Each list is written in one step.

    Args:
        names: dotted names of the modules whose bodies run in the block.
        records: those of the session, by dotted name.
    """
    found = [_List(owner, changes) for owner, changes in _changed(names, records)]
    for one in found:
        one.take_off()
    try:
        yield
    except BaseException:
        for one in found:
            one.owner[:] = one.values
        raise
    else:
        for one in found:
            one.put_back()
    finally:
        found.clear()


class _List:
    """A list of a library, and what bodies that run again had changed of it, the last one first."""

    __slots__ = ("_before", "_left", "owner", "values")

    def __init__(self, owner: list[Any], changes: list[Change]) -> None:
        self.owner, self.values = owner, list(owner)
        self._before = changes[-1].before
        self._left: list[Key] = [*self._before]  # by these bodies alone
        for change in reversed(changes):
            self._left = merged(change.before, change.after, self._left)

    def take_off(self) -> None:
        """Make it what it was before the bodies ran."""
        self.owner[:] = with_keys(self._before, self.values)

    def put_back(self) -> None:
        """Put there again what others than the bodies have changed."""
        now = list(self.owner)
        self.owner[:] = with_keys(merged(self._left, keys_of(now), keys_of(self.values)), [*self.values, *now])


def _changed(names: Collection[str], records: Mapping[str, ModuleRecord]) -> Iterator[tuple[list[Any], list[Change]]]:
    found: dict[int, tuple[list[Any], list[Change]]] = {}
    for record in sorted(records.values(), key=lambda record: -record.order):
        for setting, change in record.effects.originals if record.name in names else ():
            if type(change) is Change and (owner := _find(setting)) is not None:
                found.setdefault(id(owner), (owner, []))[1].append(change)
    yield from found.values()


def _find(setting: Setting) -> list[Any] | None:
    try:
        owner = setting.find({})
    except Exception:  # noqa: BLE001 - the library has it no more
        return None
    return owner if issubclass(type(owner), list) else None
