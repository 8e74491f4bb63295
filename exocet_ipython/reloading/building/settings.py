"""Putting back what cells have set in objects that outlive their modules, where the modules' bodies have run again."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from exocet_ipython.loading.references import OwnReference
from exocet_ipython.loading.spaces import globals_of
from exocet_ipython.reloading.building.wrappers import find_original
from exocet_ipython.reloading.contents import is_plain
from exocet_ipython.reloading.held import home_of
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.reloading.settings import MISSING, Setting, is_of_own_code, mark_of_value

__all__ = ["kept_settings"]


@contextlib.contextmanager
def kept_settings(names: Iterable[str], records: Mapping[str, ModuleRecord]) -> Iterator[None]:
    """Put back, after the block, what others than the bodies of these modules have set, and all of it where it fails.

    Args:
        names: dotted names of the modules whose bodies run in the block.
        records: those of the session, by dotted name.
    """
    before = [found for record in records.values() if record.settings for found in _settings_of(record)]
    left: dict[_Key, set[int]] = {}  # what bodies have left, of whichever module
    for key, mark in [(found.key, found.left) for found in before]:
        left.setdefault(key, set()).add(mark)
    running = set(names)
    for found in sorted(before, key=lambda found: -found.record.order):  # the last one first: it wrapped the others'
        if found.record.name in running:
            found.put_original()
    try:
        yield
    except BaseException:
        _put_back_all(before, running)
        raise
    else:
        _put_back_of_others(before, running, left, records)
    finally:
        before.clear()  # the traceback of what a body raised has this frame


def _put_back_all(before: list[_Found], running: Collection[str]) -> None:
    for found in before:
        if found.record.name in running:
            found.put_back()


def _put_back_of_others(
    before: list[_Found], running: Collection[str], left: Mapping[_Key, set[int]], records: Mapping[str, ModuleRecord]
) -> None:
    """Put back what cells and modules that have not run had set, and note of these what bodies have set of theirs."""
    others = {id(globals_of(record.module)) for name, record in records.items() if name not in running}
    for found in before:
        if found.record.name in running and id(getattr(found.value, "__globals__", None)) in others:
            found.put_back()  # another module has put its function before this one's
    for found in [found for found in before if found.record.name in running and found.mark not in left[found.key]]:
        if found.is_others(records) and (found.setting.is_certain or found.now() in left[found.key]):
            found.put_back()
    for found in before:
        now = found.now()
        if now is not None and now != found.mark:
            found.record.settings[found.setting] = now


_Key = tuple[int, str, Any]  # the id of an owner, and what of it


@dataclass(frozen=True, slots=True)
class _Found:
    """Something that a body has set, as it was before others ran.

    Attributes:
        record: of the module.
        setting: what it is.
        owner: what has it.
        value: what it was.
        mark: the mark of that.
        left: the mark of what the body had left there.
    """

    record: ModuleRecord
    setting: Setting
    owner: Any
    value: Any
    mark: int
    left: int

    @property
    def key(self) -> _Key:
        """What tells it from others, whoever sets it."""
        return id(self.owner), self.setting.way, self.setting.key

    def now(self) -> int | None:
        """Return the mark of what it is by now; None where that can't be told."""
        try:
            return mark_of_value(self.setting, self.owner)
        except Exception:  # noqa: BLE001 - whatever the owner raises
            return None

    def is_others(self, records: Mapping[str, ModuleRecord]) -> bool:
        """Say whether it is no object of the session's modules: these are made anew."""
        if is_plain(self.value):
            return True
        return home_of(self.value) not in records and type(self.value).__module__ not in records

    def put_original(self) -> None:
        """Put back what the body found there, where it has put something of its own in front of that."""
        if is_of_own_code(self.owner) or (self.mark != self.left and not self._is_from_body()):
            return
        with contextlib.suppress(Exception):  # what the owner refuses is as the body has left it
            known = dict(self.record.effects.originals)
            if self.setting in known:
                original = known[self.setting]
                original = original() if type(original) is OwnReference else original
                if original is not None:
                    self.setting.write(self.owner, original)
            elif not is_plain(self.value):
                name = None if self.setting.way == "methods" else self.setting.key
                original = find_original(self.owner, name, self.setting.read(self.owner))
                if original is not MISSING:
                    self.setting.write(self.owner, original)

    def _is_from_body(self) -> bool:
        """Say whether it is a function of the module, which an undo has put there."""
        return getattr(self.value, "__globals__", None) is globals_of(self.record.module)

    def put_back(self) -> None:
        """Make it what it was; what the owner refuses is as the body has left it."""
        if self.now() != self.mark:
            with contextlib.suppress(Exception):
                self.setting.write(self.owner, self.value)


def _settings_of(record: ModuleRecord) -> Iterator[_Found]:
    for setting, left in list(record.settings.items()):
        try:
            owner = setting.find(globals_of(record.module))
            mark = mark_of_value(setting, owner)
            if mark is not None:
                yield _Found(record, setting, owner, setting.read(owner), mark, left)
        except Exception:  # noqa: BLE001, S112 - names that are gone, or whatever the owner raises: then it can't be kept
            continue
