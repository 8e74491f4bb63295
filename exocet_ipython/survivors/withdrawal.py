"""Taking off what retired bodies had added to lists of the whole process, where the new ones have added theirs."""

from __future__ import annotations

import atexit
import typing
import warnings
from collections.abc import Callable, Collection, Container, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import FunctionType
from typing import Any

from exocet_ipython.loading.spaces import globals_of
from exocet_ipython.reloading.holding.contents import fingerprint
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.lasting.filters import change_warnings, filter_key
from exocet_ipython.reloading.lasting.loggers import all_loggers
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.reloading.retired import retired_of

__all__ = ["withdraw_effects"]


def withdraw_effects(old: Mapping[str, ModuleRecord], new: Mapping[str, ModuleRecord], journal: Journal) -> None:
    """Take off the logging handlers and filters, the exit functions and the filters of warnings of retired bodies.

    A handler that a global of its module names is taken off where the body had put it, and where the new one is by now:
    a cell may have added it to a logger of its own, where it is replaced by its counterpart.

    Args:
        old: dotted name -> record of a module that retires.
        new: dotted name -> record of each module that is current now.
        journal: how it is taken back.
    """
    handlers = {id(made.reference()) for record in new.values() for made in record.effects.handlers}
    exits = {id(reference()) for record in new.values() for reference in record.effects.exits}
    lists = _Lists(new.values(), journal)
    for record in old.values():
        named = {id(value) for value in list(globals_of(record.module).values())}
        for made in record.effects.handlers:
            handler = made.reference()
            if handler is not None and id(handler) not in handlers:
                for logger, before in _take_off(
                    handler, handlers, lists, made.loggers if id(handler) in named else None
                ):
                    _remember(record, partial(_put_on, handler, logger, "handlers", before))
        for reference in record.effects.exits:
            function = reference()
            if function is not None and id(function) not in exits:
                atexit.unregister(function)
                journal.add(partial(atexit.register, function))
                _remember(record, partial(_register, function))
        _forget_overloads(record, journal)
    _withdraw_filters(old, lists)
    kept = {key for record in new.values() for key in record.effects.filters}
    filters: list[Any] = warnings.filters  # type: ignore[assignment]  # it is a list, and documented to be changed
    for record in old.values():
        gone = {key for key in record.effects.filters if key not in kept and _is_written(key, record)}
        for entry in [found for found in filters if gone and filter_key(found) in gone]:
            place = filters.index(entry)
            change_warnings(partial(filters.remove, entry))
            journal.add(partial(change_warnings, partial(filters.insert, place, entry)))
            _remember(record, partial(_put_warning, entry))


@dataclass(frozen=True, slots=True, eq=False)
class _Lists:
    """The lists of loggers and handlers that are replaced: those who have these are as they were made for all that.

    Attributes:
        records: of the modules that are current now.
        journal: how it is taken back.
    """

    records: Collection[ModuleRecord]
    journal: Journal

    def replace(self, owner: Any, kind: str, entries: list[Any]) -> None:
        """Give a logger or a handler another list, in one step: other threads are logging."""
        mark = fingerprint(owner)
        marks = [
            (record.baseline.fingerprints, name)
            for record in self.records
            for name, known in record.fingerprints.items()
            if known == mark and globals_of(record.module).get(name) is owner
        ]
        self.journal.add(partial(setattr, owner, kind, getattr(owner, kind)))
        setattr(owner, kind, entries)
        for space, name in marks:
            self.journal.set_item(space, name, fingerprint(owner))


def _is_written(key: tuple[Any, ...], record: ModuleRecord) -> bool:
    """Say whether a module's text shows a filter to be its own: a library that it imports may have added it."""
    action, message, _, category, module, _ = key
    text = (record.snapshot.data or b"").decode(errors="replace")
    name = "" if category == "Warning" else category.rpartition(".")[2]  # that one stands for none
    return all(part in text for part in (action, message or "", name, module or ""))


def _put_warning(entry: Any, journal: Journal) -> None:
    filters: list[Any] = warnings.filters  # type: ignore[assignment]  # as above
    if entry not in filters:
        change_warnings(partial(filters.insert, 0, entry))
        journal.add(partial(change_warnings, partial(filters.remove, entry)))


def _withdraw_filters(old: Mapping[str, ModuleRecord], lists: _Lists) -> None:
    """Take off the filters that retired bodies had added to loggers and handlers, where the new ones came after them.

    Those that cells have added come behind the body's own, and stay.
    """
    for owner in {id(found): found for logger in all_loggers() for found in (logger, *logger.handlers)}.values():
        before: list[Any] = owner.filters
        after = list(before)
        for place, entry in enumerate(before):
            home = _definition(entry).__module__
            if home not in old or entry not in after:
                continue
            successor = next((later for later in before[place:] if later in after and _replaces(later, entry)), None)
            if successor is not None and after.index(entry) < after.index(successor):
                after.remove(successor)
                after[after.index(entry)] = successor
                _remember(old[home], partial(_put_on, entry, owner, "filters", before))
        if after != before:
            lists.replace(owner, "filters", after)


def _replaces(later: Any, entry: Any) -> bool:
    """Say whether a filter is of the new class or function that has the name of another's."""
    return _definition(later) is not _definition(entry) and _is_alike(later, entry)


def _is_alike(later: Any, entry: Any) -> bool:
    """Say whether a handler or a filter is of the class or function of another, or of one that has its name."""
    now, before = _definition(later), _definition(entry)
    return now is before or (now.__module__, now.__qualname__) == (before.__module__, before.__qualname__)


def _definition(entry: Any) -> Any:
    return entry if issubclass(type(entry), FunctionType) else type(entry)


def _forget_overloads(record: ModuleRecord, journal: Journal) -> None:
    """Take the functions of a retired body off what `typing.get_overloads` gives, by name and line."""
    registry: Any = getattr(typing, "_overload_registry", {})
    for found in list(registry.get(record.name, {}).values()):
        for line, function in list(found.items()):
            if getattr(function, "__globals__", None) is getattr(record.module, "__dict__", None):
                del found[line]
                journal.add(partial(found.__setitem__, line, function))
                _remember(record, partial(_put_among, found, line, function))


def _put_among(found: dict[int, Any], line: int, function: Any, journal: Journal) -> None:
    journal.set_item(found, line, function)


def _remember(record: ModuleRecord, again: Callable[[Journal], object]) -> None:
    """Have the retired module itself, and nothing else, hold what is put back when it becomes current again."""
    if (retired := retired_of(record.module)) is not None:
        retired.remember_effect(again)


def _put_on(entry: Any, owner: Any, kind: str, before: list[Any], journal: Journal) -> None:
    """Put a handler or a filter back on a logger that lacks it, or a filter on a handler.

    Where nothing else was added since, the very list of `before` is there again: what has it is as it was.
    """
    entries = getattr(owner, kind)
    if entries == [other for other in before if other is not entry]:
        journal.add(partial(setattr, owner, kind, entries))
        setattr(owner, kind, before)
    elif entry not in entries:
        entries.append(entry)
        journal.add(partial(entries.remove, entry))


def _register(function: Any, journal: Journal) -> None:
    atexit.register(function)
    journal.add(partial(atexit.unregister, function))


def _take_off(
    handler: Any, new: set[int], lists: _Lists, own: Container[str] | None
) -> Iterator[tuple[Any, list[Any]]]:
    """Take a handler off all loggers; the new one of its class that was added takes its place. Yield what they had.

    One that a global names is only taken off where there is such a new one, and its `own` loggers: cells may have
    added it to others.
    """
    for logger in all_loggers():
        if handler not in logger.handlers:
            continue
        before: list[Any] = logger.handlers
        after = [entry for entry in before if entry is not handler]
        place = before.index(handler)
        successor = next((entry for entry in after[place:] if id(entry) in new and _is_alike(entry, handler)), None)
        if successor is None and own is not None and logger.name not in own:
            continue
        if successor is not None:
            after.remove(successor)
            after.insert(place, successor)
        lists.replace(logger, "handlers", after)
        yield logger, before
