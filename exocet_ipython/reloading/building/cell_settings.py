"""Putting back what cells have set in objects that outlive their modules, where the modules' bodies have run again."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

from exocet_ipython.loading.references import OwnReference
from exocet_ipython.loading.spaces import globals_of
from exocet_ipython.loading.tracebacks import describe_error
from exocet_ipython.reloading.building.wrappers import find_original
from exocet_ipython.reloading.holding.contents import is_plain
from exocet_ipython.reloading.holding.held import home_of
from exocet_ipython.reloading.lasting.originals import Unread
from exocet_ipython.reloading.lasting.settings import MISSING, Setting, is_of_own_code, mark_of_value
from exocet_ipython.reloading.recording import ModuleRecord

__all__ = ["kept_settings"]


@contextlib.contextmanager
def kept_settings(names: Iterable[str], records: Mapping[str, ModuleRecord]) -> Iterator[KeptSettings]:
    """Put back, after the block, what others than the bodies of these modules have set, and all of it where it fails.

    Args:
        names: dotted names of the modules whose bodies run in the block.
        records: those of the session, by dotted name.

    Yields:
        What is known of these settings, to be told of what the bodies have made; what could not be put back is in it
        when the block ends. Where the block fails, the error gets that as a note.
    """
    kept = KeptSettings()
    refused, before, left = kept.refused, kept.before, kept.left
    before += [found for record in records.values() if record.settings for found in _settings_of(record, refused)]
    for key, mark in [(found.key, found.left) for found in before]:
        left.setdefault(key, set()).add(mark)
    running = set(names)
    gone = [
        found
        for found in sorted(before, key=lambda found: -found.record.order)  # the last one first: it wrapped the others'
        if found.record.name in running and not found.put_original(refused)
    ]
    try:
        yield kept
    except BaseException as error:
        failed: list[str] = []
        for found in before:
            if found.record.name in running:
                found.put_back(failed)
        for reason in failed:
            error.add_note(f"Not put back: {reason}")
        raise
    else:
        _put_back_of_others(before, running, left, records, refused)
        refused += [found.say(_GONE) for found in gone if found.now() == found.mark]  # nor has the body set it again
    finally:
        before.clear()  # the traceback of what a body raised has this frame
        gone.clear()


def _put_back_of_others(
    before: list[_Found],
    running: Collection[str],
    left: Mapping[_Key, set[int]],
    records: Mapping[str, ModuleRecord],
    refused: list[str],
) -> None:
    """Put back what cells and modules that have not run had set, and note of these what bodies have set of theirs."""
    others = {id(globals_of(record.module)) for name, record in records.items() if name not in running}
    for found in before:
        if found.record.name in running and id(getattr(found.value, "__globals__", None)) in others:
            found.put_back(refused)  # another module has put its function before this one's
    for found in [found for found in before if found.record.name in running and found.mark not in left[found.key]]:
        if found.is_others(records) and (found.setting.is_certain or found.now() in left[found.key]):
            found.put_back(refused)
    for found in before:
        now = found.now()
        if now is not None and now != found.mark:
            found.record.settings[found.setting] = now


_UNKNOWN = object()
_GONE = "what was there before is gone"
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
        return home_of(self.value) not in records and home_of(type(self.value)) not in records

    def put_original(self, refused: list[str]) -> bool:
        """Put back what the body found there, where it has put something of its own in front of that.

        Args:
            refused: gets a line where that fails.

        Returns:
            False where what was there is no more.
        """
        if is_of_own_code(self.owner) or not self._is_from_body():
            return True
        original: Any = dict(self.record.effects.originals).get(self.setting, _UNKNOWN)
        if type(original) is OwnReference:
            original = original()
            if original is None:
                return False
        unread = original.reason if type(original) is Unread else ""
        try:
            if original is _UNKNOWN or unread:
                name = None if self.setting.way == "methods" else self.setting.key
                found = MISSING if is_plain(self.value) else find_original(self.owner, name, self.value)
                if found is MISSING and unread:
                    refused.append(self.say(f"it could not be read before ({unread})"))
                original = _UNKNOWN if found is MISSING else found
            if original is not _UNKNOWN:
                self.setting.write(self.owner, original)
        except Exception as error:  # noqa: BLE001 - whatever the owner raises
            refused.append(self.say(f"it refuses that ({describe_error(error)})"))
        return True

    def _is_from_body(self) -> bool:
        """Say whether the body has left it there, or it is of the module.

        An undo has put that there, or one that had been put before it has been taken off in the meantime.
        """
        if self.left == self.mark:
            return True
        try:
            value = self.setting.read(self.owner)
        except Exception:  # noqa: BLE001 - whatever the owner raises
            return False
        if type(value) is FunctionType:  # `@wraps` has it say that it is of a library
            return value.__globals__ is globals_of(self.record.module)
        return home_of(value) == self.record.name

    def put_back(self, refused: list[str]) -> None:
        """Make it what it was; where its owner refuses, `refused` gets a line."""
        if self.now() != self.mark:
            try:
                self.setting.write(self.owner, self.value)
            except Exception as error:  # noqa: BLE001 - whatever the owner raises
                refused.append(self.say(f"it refuses that ({describe_error(error)})"))

    def say(self, why: str) -> str:
        """Return a line of a report."""
        return f"{self.record.name}: {self.setting}: {why}"


@dataclass(frozen=True, slots=True, repr=False)
class KeptSettings:
    """What bodies that are about to run had set.

    Attributes:
        refused: what could not be put back, and why.
        before: all of it, as it was.
        left: what tells a setting -> the marks of what bodies have left, of whichever module.
    """

    refused: list[str] = field(default_factory=list)
    before: list[_Found] = field(default_factory=list)
    left: dict[_Key, set[int]] = field(default_factory=dict)

    def note_untouched(self, made: Mapping[str, ModuleRecord]) -> None:
        """Have the records of modules made anew not take for theirs what others had set, and their bodies left so.

        Of a body that may set any of many things, the levels of all loggers say, only a change tells that it did.
        """
        others = {found.key: found.mark for found in self.before if found.mark not in self.left[found.key]}
        known = {(found.record.name, found.key): found.left for found in self.before}
        for name, record in made.items() if others else ():
            for now in _settings_of(record, []):
                if not now.setting.is_certain and others.get(now.key) == now.left:
                    if (name, now.key) in known:
                        record.settings[now.setting] = known[name, now.key]
                    else:
                        del record.settings[now.setting]


def _settings_of(record: ModuleRecord, refused: list[str]) -> Iterator[_Found]:
    for setting, left in list(record.settings.items()):
        try:
            owner = setting.find(globals_of(record.module))
        except Exception:  # noqa: BLE001, S112 - names that are gone by now: then nothing can be said of it
            continue
        try:
            mark = mark_of_value(setting, owner)
            if mark is not None:
                yield _Found(record, setting, owner, setting.read(owner), mark, left)
        except Exception as error:  # noqa: BLE001 - whatever the owner raises
            refused.append(f"{record.name}: {setting}: it can't be read ({describe_error(error)})")
