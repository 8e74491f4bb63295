"""What a module's body adds to what the whole process has: logging handlers, functions to call at exit, filters, paths.

A body that runs again adds them again, and nothing takes the first ones off. So what a body added is noted, weakly.
"""

from __future__ import annotations

import atexit
import itertools
import operator
import os
import sys
import warnings
import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from exocet_ipython.loading.references import OwnReference

__all__ = ["NO_EFFECTS", "Effects", "EffectsNote", "all_loggers", "change_warnings", "exit_functions", "filter_key"]


@dataclass(frozen=True, slots=True)
class Effects:
    """What was added while a body ran, by the bodies of the modules that it imported as well.

    Attributes:
        handlers: the logging handlers that were made.
        exits: the functions that were registered with `atexit`.
        filters: what `filter_key` says of the filters that were put before those that `warnings` had.
        paths: the entries of `sys.path`.
        finders: what was put on `sys.meta_path` and `sys.path_hooks`.
        variables: those of the environment, each with its value before, None where it had none, and after.
        originals: what the body itself was about to set of libraries, with what was there; see `read_originals`.
    """

    handlers: tuple[weakref.ref[Any], ...] = ()
    exits: tuple[weakref.ref[Any], ...] = ()
    filters: tuple[tuple[Any, ...], ...] = ()
    paths: tuple[str, ...] = ()
    finders: tuple[weakref.ref[Any], ...] = ()
    variables: tuple[tuple[str, str | None, str], ...] = ()
    originals: tuple[tuple[Any, Any], ...] = ()


NO_EFFECTS = Effects()


class EffectsNote:
    """Notes where the lists ended when a body began to run.

    >>> EffectsNote().effects()
    Effects(handlers=(), exits=(), filters=(), paths=(), finders=(), variables=(), originals=())
    """

    __slots__ = ("_exits", "_filters", "_finders", "_last", "_paths", "_variables")

    def __init__(self) -> None:
        self._last = _last_handler()
        self._exits = _count_exits()
        self._filters = list(warnings.filters)
        self._paths = sys.path.copy()
        self._finders = sys.meta_path + sys.path_hooks
        self._variables = _raw_environment().copy()

    def effects(self, originals: tuple[tuple[Any, Any], ...] = ()) -> Effects:
        """Return what was added since; with what was known before of what the body sets."""
        added = _count_exits() - self._exits
        now = list(warnings.filters)
        are_known = len(now) == len(self._filters) and all(map(operator.is_, now, self._filters))
        if added <= 0 and _last_handler() is self._last and are_known and self._is_process_as_it_was():
            return Effects(originals=originals) if originals else NO_EFFECTS
        known = set(map(id, self._filters))
        handlers = list(_handlers())
        start = len(handlers)
        while start and handlers[start - 1] is not self._last:
            start -= 1
        # The handler that was the last one may be gone by now, and its entry with it: then nothing is known.
        new = handlers[start:] if start or self._last is None else []
        filters = itertools.takewhile(lambda entry: id(entry) not in known, now)
        exits = tuple(_weakly(exit_functions()[-added:])) if added > 0 else ()
        known_finders = set(map(id, self._finders))
        finders = [entry for entry in (*sys.meta_path, *sys.path_hooks) if id(entry) not in known_finders]
        return Effects(
            tuple(new),
            exits,
            tuple(map(filter_key, filters)),
            tuple((Counter(sys.path) - Counter(self._paths)).elements()),
            tuple(_weakly(finders)),
            tuple(self._changed_variables()),
            originals,
        )

    def _is_process_as_it_was(self) -> bool:
        is_same = sys.path == self._paths and sys.meta_path + sys.path_hooks == self._finders
        return is_same and _raw_environment() == self._variables

    def _changed_variables(self) -> Iterator[tuple[str, str | None, str]]:
        environment: Any = os.environ
        for key, after in _raw_environment().copy().items():
            before = self._variables.get(key)
            if before != after:
                values = [None if value is None else environment.decodevalue(value) for value in (before, after)]
                yield (environment.decodekey(key), *values)


def _raw_environment() -> dict[Any, Any]:
    """Return the dict that `os.environ` looks after: comparing its texts would decode them all."""
    found: dict[Any, Any] = getattr(os.environ, "_data", {})
    return found


def filter_key(entry: Any) -> tuple[Any, ...]:
    """Return what tells a filter of `warnings` from others; its category by name, so that no class is held.

    >>> filter_key(("ignore", None, UserWarning, None, 0))
    ('ignore', None, 'builtins', 'UserWarning', None, 0)
    """
    action, message, category, module, line = entry
    patterns = [getattr(pattern, "pattern", pattern) for pattern in (message, module)]
    names = [getattr(category, name, "") for name in ("__module__", "__qualname__")]
    return action, patterns[0], *names, patterns[1], line


def change_warnings(change: Callable[[], object]) -> None:
    """Change the list of filters, and have `warnings` forget what it has derived from it."""
    change()
    with warnings.catch_warnings():
        pass


def all_loggers() -> Iterator[Any]:
    """Yield the root logger and all others; none where logging was never imported."""
    logging: Any = sys.modules.get("logging")
    if logging is None:
        return
    yield logging.root
    for logger in list(logging.root.manager.loggerDict.values()):
        if hasattr(logger, "handlers"):  # a placeholder has none
            yield logger


def _handlers() -> Sequence[weakref.ref[Any]]:
    """Return logging's own list of all handlers, oldest first; none where logging was never imported."""
    return getattr(sys.modules.get("logging"), "_handlerList", ())


def _last_handler() -> weakref.ref[Any] | None:
    known = _handlers()[-1:]  # in one step: other threads make handlers too
    return known[0] if known else None


def _count_exits() -> int:
    count = getattr(atexit, "_ncallbacks", None)
    return int(count()) if count is not None else 0


class _Spy:
    """Equal to nothing, and shown everything that it is compared with."""

    __slots__ = ("shown",)

    def __init__(self) -> None:
        self.shown: list[Any] = []

    def __eq__(self, other: object) -> bool:
        self.shown.append(other)
        return False

    __hash__ = None  # type: ignore[assignment] # so the data model has it


def exit_functions() -> list[Any]:
    """Return the functions that are to be called at exit, in the order in which they were registered.

    `atexit` lists them nowhere, but compares each with what it is asked to take off; from the newest one on 3.14.
    """
    spy = _Spy()
    atexit.unregister(spy)  # type: ignore[arg-type] # it is compared, never called
    return spy.shown[::-1] if sys.version_info >= (3, 14) else spy.shown


def _weakly(values: list[Any]) -> list[weakref.ref[Any]]:
    found: list[weakref.ref[Any]] = []
    for value in values:
        try:
            found.append(OwnReference(value))
        except TypeError:
            continue  # a bound method of a built-in: its object is not a module's own
    return found
