"""The bodies that a thread is running, one within another, and the baselines that are due when the outermost ends.

A module's baseline is taken when the import statement that brought it is done: what it imports, and what imports it,
has registered with it by then, and the cell has not gone on yet. Of a cell that does nothing but import they can wait
until it ends. What a module that is imported later registers with
it, itself or by a function of a third one, is added, so that what is left is the cells'.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType
from typing import Any, Protocol

from exocet_ipython.loading.source import Snapshot
from exocet_ipython.loading.standin import PRESENCE
from exocet_ipython.reloading.collector import paused_collector
from exocet_ipython.reloading.failed import FailedLoad
from exocet_ipython.reloading.holding.baseline import Baseline, add_changes
from exocet_ipython.reloading.holding.glances import Glances
from exocet_ipython.reloading.holding.inventory import take_baseline
from exocet_ipython.reloading.imports import ImportStatement, read_imports
from exocet_ipython.reloading.lasting.effects import Effects
from exocet_ipython.reloading.lasting.settings import Setting, take_marks
from exocet_ipython.reloading.lasting.targets import note_settings

__all__ = ["Ended", "Known", "KnownModules", "Nesting"]

_LOCAL = frozenset(("contextvars", "sqlalchemy", "sqlite3", "sqlmodel", "threading"))

Known = tuple[ModuleType, Baseline, Iterable[ImportStatement], dict[Setting, int]]


class Ended(Protocol):
    """The notes of one load."""

    baseline: Baseline | None
    code: CodeType | None
    effects: Effects
    settings: dict[Setting, int] | None
    spec: Any

    def text(self) -> Snapshot:
        """Return the text that ran."""


class KnownModules:
    """The own modules that were loaded before.

    Args:
        find: dotted name -> module, baseline, imports and what its body has set elsewhere; None for a module that is
            not known.
    """

    def __init__(self, find: Callable[[str], Known | None]) -> None:
        self.find = find
        # Tuples, since another thread may add to one while this one reads it.
        self._by_stem: dict[str, tuple[str, ...]] = {}

    def add(self, *names: str) -> None:
        """Note that modules are known by now; a name's last part is what an import statement has in its code."""
        for name in names:
            stem = _stem(name)
            self._by_stem[stem] = *(known for known in self._by_stem.get(stem, ()) if known != name), name

    def named_by(self, code: CodeType) -> list[str]:
        """Return the modules that import statements of a body could be of, by its names alone."""
        if not self._by_stem:
            return []
        stems = {*map(_stem, code.co_names)} & self._by_stem.keys()
        return [name for stem in stems for name in self._by_stem[stem]]


def _stem(name: str) -> str:
    return name.rpartition(".")[2]


def _is_local(notes: Ended) -> bool:
    """Say whether a module may hold what another thread would find empty, in another context, or not be let at."""
    return notes.code is not None and not _LOCAL.isdisjoint(notes.code.co_names)


class Nesting(threading.local):
    """What one thread is loading.

    Args:
        known: the own modules that were loaded before.
        waits: says whether the baselines of what this thread loads can wait until its cell ends.
        due: takes those that wait, each as the notes of its load and the module.
        tell: called when a body has run.

    Attributes:
        seconds: for each body, outermost first, how long those that it imports took so far; the lowest entry is the
            thread itself.
        failed: likewise, which loads have failed within it.
    """

    def __init__(
        self,
        known: KnownModules,
        waits: Callable[[], bool],
        due: list[tuple[Ended, ModuleType]],
        tell: Callable[[], object],
    ) -> None:
        self.seconds = [0.0]
        self.failed: list[list[FailedLoad]] = [[]]
        self._known = known
        self._waits = waits
        self._due = due
        self.tell = tell
        self._ended: list[tuple[Ended, ModuleType]] = []
        self._before: dict[str, tuple[ModuleType, Baseline, Baseline]] = {}
        self._others: set[str] = set()
        self._glances = Glances()
        self._settings: list[tuple[ModuleType, dict[Setting, int], dict[Setting, int]]] = []

    def look_at_imports(self, spec: ModuleSpec, code: CodeType) -> tuple[ImportStatement, ...] | None:
        """Look at the known modules that a body is about to import, and at the containers of those that they import.

        It may put something into them, by itself or by a function that it calls.

        Returns:
            The import statements of the body; None where they were not looked at, as none can be of a known module, or
            only of those that another body has had looked at.
        """
        named = self._known.named_by(code)
        if not named or all(name in self._before or name in self._others for name in named):
            return None
        direct = read_imports(code, spec.name, is_package=spec.submodule_search_locations is not None)
        waiting: list[ImportStatement] = []
        for name, (module, baseline, imports, settings) in self._newly_known(direct):
            self._note_settings(module, settings)
            self._before[name] = (module, baseline, take_baseline(module))
            waiting += imports
        while waiting:
            for name, (module, baseline, imports, settings) in self._newly_known([waiting.pop()]):
                self._note_settings(module, settings)
                self._others.add(name)
                self._glances.take(module, baseline)
                waiting += imports
        return direct

    def take(self, ended: Iterable[tuple[Ended, ModuleType]]) -> None:
        """Take the baselines of modules whose bodies have run: what is put into them from now on is another's.

        A body may have put another object in the module's stead.
        """
        for notes, module in ended:
            spec = getattr(module, "__spec__", None)
            current = PRESENCE.current(getattr(spec, "name", "")) or module
            notes.baseline, notes.spec = take_baseline(current), getattr(current, "__spec__", None)
            self._known.add(module.__name__)

    def _note_settings(self, module: ModuleType, settings: dict[Setting, int]) -> None:
        if settings:
            self._settings.append((module, settings, take_marks(module, settings)))

    def _newly_known(self, statements: Iterable[ImportStatement]) -> Iterator[tuple[str, Known]]:
        """Yield the known modules that import statements name, but for those that were looked at before."""
        for statement in statements:
            for name in statement.names:
                if name not in self._before and name not in self._others:
                    known = self._known.find(name)
                    if known is not None:
                        yield name, known

    def end(self, notes: Ended, module: ModuleType) -> None:
        """Note that a body has run, and take the baselines when it was the outermost."""
        self._ended.append((notes, module))
        if len(self.seconds) > 1:
            return
        self.failed[0].clear()  # a cell's own to deal with
        with paused_collector():
            if self._waits():
                local: list[tuple[Ended, ModuleType]] = []
                for ended in self._ended:
                    (local if _is_local(ended[0]) else self._due).append(ended)
                self.take(local)
            else:
                self.take(self._ended)
                for one, loaded in self._ended:  # those that wait are looked at in the thread of the next cell
                    one.settings = note_settings(loaded, one.code, one.text, one.effects.originals)
            for known, baseline, before in self._before.values():
                add_changes(baseline, before, take_baseline(known))
            self._glances.add_changes()
            for known, settings, then in self._settings:
                settings.update(take_marks(known, settings).items() - then.items())
        self._settings.clear()
        self._ended.clear()
        self._before.clear()
        self._others.clear()
