"""What a module's body adds to what the whole process has: logging handlers, functions to call at exit, filters, paths.

A body that runs again adds them again, and nothing takes the first ones off. So what a body added is noted, weakly.
What a library adds while it is loaded is none of it: it doesn't run again.
"""

from __future__ import annotations

import contextlib
import itertools
import operator
import os
import sys
import threading
import warnings
import weakref
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from exocet_ipython.loading.references import OwnReference
from exocet_ipython.reloading.lasting.exits import count_exits, exit_functions
from exocet_ipython.reloading.lasting.filters import filter_key
from exocet_ipython.reloading.lasting.loggers import handlers, last_handler, loggers_with

__all__ = [
    "NO_EFFECTS",
    "Effects",
    "EffectsNote",
    "MadeHandler",
    "are_noted",
    "librarys_effects",
    "read_loaded",
]


@dataclass(frozen=True, slots=True)
class MadeHandler:
    """A logging handler that was made while a body ran.

    Attributes:
        reference: to it.
        loggers: the names of those that had it when the body had run.
    """

    reference: weakref.ref[Any]
    loggers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Effects:
    """What was added while a body ran, by the bodies of the own modules that it imported as well.

    Attributes:
        handlers: the logging handlers that were made.
        exits: the functions that were registered with `atexit`.
        filters: what `filter_key` says of the filters that were put before those that `warnings` had.
        paths: the entries of `sys.path`.
        finders: what was put on `sys.meta_path` and `sys.path_hooks`.
        variables: those of the environment, each with its value before, None where it had none, and after.
        originals: what the body itself was about to set of libraries, with what was there; see `read_originals`.
    """

    handlers: tuple[MadeHandler, ...] = ()
    exits: tuple[weakref.ref[Any], ...] = ()
    filters: tuple[tuple[Any, ...], ...] = ()
    paths: tuple[str, ...] = ()
    finders: tuple[weakref.ref[Any], ...] = ()
    variables: tuple[tuple[str, str | None, str], ...] = ()
    originals: tuple[tuple[Any, Any], ...] = ()


NO_EFFECTS = Effects()


class _State:
    """What the whole process has at a moment."""

    __slots__ = ("exits", "filters", "finders", "last", "paths", "variables")

    def __init__(self) -> None:
        self.last = last_handler()
        self.exits = count_exits()
        self.filters = list(warnings.filters)
        self.paths = sys.path.copy()
        self.finders = sys.meta_path + sys.path_hooks
        self.variables = _raw_environment().copy()

    def stands(self) -> bool:
        """Say whether the process has that still; asked twice for each module that is imported, so in one piece."""
        known = handlers()
        filters = warnings.filters
        return (
            count_exits() == self.exits
            and (known[-1] if known else None) is self.last
            and len(filters) == len(self.filters)
            and all(map(operator.is_, filters, self.filters))
            and sys.path == self.paths
            and sys.meta_path + sys.path_hooks == self.finders
            and getattr(os.environ, "_data", {}) == self.variables
        )


class _Running(threading.local):
    """The notes of what a thread runs, outermost first, and what the process had when one of these was begun last.

    It is forgotten with the outermost: it refers to finders, and to categories of warnings.
    """

    def __init__(self) -> None:
        self.notes: list[EffectsNote] = []
        self.state: _State | None = None


_running = _Running()


class SettingsBefore(Protocol):
    """What a body sets, with what was there before; see `Originals`."""

    found: dict[Any, Any]

    def read_loaded(self, library: str) -> None:
        """Read what a library has that was loaded just now."""

    def pause(self) -> None:
        """Note what the body has changed up to now."""

    def resume(self) -> None:
        """Leave out what others have changed since."""


def _innermost() -> SettingsBefore | None:
    return _running.notes[-1].originals if _running.notes else None


class EffectsNote:
    """Notes where the lists ended when a body began to run; of a library's, so that it counts for no other body.

    Args:
        originals: what the body sets of libraries.
        is_librarys: whether it is a library's.

    >>> EffectsNote().effects()
    Effects(handlers=(), exits=(), filters=(), paths=(), finders=(), variables=(), originals=())
    """

    __slots__ = ("_before", "_foreign", "is_librarys", "originals")

    def __init__(self, originals: SettingsBefore | None = None, *, is_librarys: bool = False) -> None:
        self.originals = originals
        self.is_librarys = is_librarys
        self._foreign: list[Effects] = []
        outer = _innermost()
        if outer is not None:
            outer.pause()
        _running.notes.append(self)
        state = _running.state
        if state is None or not state.stands():
            state = _running.state = _State()
        self._before = state

    def effects(self) -> Effects:
        """Return what was added since, in the end; with what was there before of what the body sets."""
        if self.originals is not None:
            self.originals.pause()
        originals = () if self.originals is None else tuple(self.originals.found.items())
        _running.notes.remove(self)
        outer = _innermost()
        if outer is not None:
            outer.resume()
        if not _running.notes:
            _running.state = None
        if self._before.stands():
            return Effects(originals=originals) if originals else NO_EFFECTS
        found = self._find(originals)
        return _without(found, self._foreign) if self._foreign else found

    def leave_out(self, foreign: Effects) -> None:
        """Have what something else has added count for nothing."""
        self._foreign.append(foreign)

    def _find(self, originals: tuple[tuple[Any, Any], ...]) -> Effects:
        before = self._before
        added = count_exits() - before.exits
        now = list(warnings.filters)
        known = set(map(id, before.filters))
        made = list(handlers())
        start = len(made)
        while start and made[start - 1] is not before.last:
            start -= 1
        # The handler that was the last one may be gone by now, and its entry with it: then nothing is known.
        new = made[start:] if start or before.last is None else []
        filters = itertools.takewhile(lambda entry: id(entry) not in known, now)
        exits = tuple(_weakly(exit_functions()[-added:])) if added > 0 else ()
        known_finders = set(map(id, before.finders))
        finders = [entry for entry in (*sys.meta_path, *sys.path_hooks) if id(entry) not in known_finders]
        return Effects(
            tuple(MadeHandler(ref, loggers_with(ref())) for ref in new),
            exits,
            tuple(map(filter_key, filters)),
            tuple((Counter(sys.path) - Counter(before.paths)).elements()),
            tuple(_weakly(finders)),
            tuple(self._changed_variables()),
            originals,
        )

    def _changed_variables(self) -> Iterator[tuple[str, str | None, str]]:
        environment: Any = os.environ
        for key, after in _raw_environment().copy().items():
            before = self._before.variables.get(key)
            if before != after:
                values = [None if value is None else environment.decodevalue(value) for value in (before, after)]
                yield (environment.decodekey(key), *values)


def are_noted() -> bool:
    """Say whether the present thread runs a body, and no library's within it, so that effects would count for it."""
    notes = _running.notes
    return bool(notes) and not notes[-1].is_librarys


@contextlib.contextmanager
def librarys_effects() -> Iterator[None]:
    """Have what is added within the block count for none of the bodies that the present thread runs.

    >>> note = EffectsNote()
    >>> with librarys_effects():
    ...     sys.path.append("/library")
    >>> sys.path.append("/own")
    >>> note.effects().paths
    ('/own',)
    >>> del sys.path[-2:]
    """
    note = EffectsNote(is_librarys=True)
    try:
        yield
    finally:
        found = note.effects()
        for outer in _running.notes if found is not NO_EFFECTS else ():
            outer.leave_out(found)


def read_loaded(library: str) -> None:
    """Have the bodies that the present thread runs look at what a library has that it has just loaded.

    Args:
        library: dotted name of its module.
    """
    for note in _running.notes:
        if note.originals is not None:
            note.originals.read_loaded(library)


def _without(found: Effects, foreign: Sequence[Effects]) -> Effects:
    """Return what was added without what others have."""
    ids = {id(made.reference) for other in foreign for made in other.handlers}
    objects = {id(ref()) for other in foreign for ref in (*other.exits, *other.finders)}
    filters = {key for other in foreign for key in other.filters}
    paths = sum((Counter(other.paths) for other in foreign), Counter[str]())
    variables = {(name, after) for other in foreign for name, _, after in other.variables}
    return Effects(
        tuple(made for made in found.handlers if id(made.reference) not in ids),
        tuple(ref for ref in found.exits if id(ref()) not in objects),
        tuple(key for key in found.filters if key not in filters),
        tuple((Counter(found.paths) - paths).elements()),
        tuple(ref for ref in found.finders if id(ref()) not in objects),
        tuple(entry for entry in found.variables if (entry[0], entry[2]) not in variables),
        found.originals,
    )


def _raw_environment() -> dict[Any, Any]:
    """Return the dict that `os.environ` looks after: comparing its texts would decode them all."""
    found: dict[Any, Any] = getattr(os.environ, "_data", {})
    return found


def _weakly(values: list[Any]) -> list[weakref.ref[Any]]:
    found: list[weakref.ref[Any]] = []
    for value in values:
        try:
            found.append(OwnReference(value))
        except TypeError:
            continue  # a bound method of a built-in: its object is not a module's own
    return found
