"""Claims: ordinary imports of own code are noted while Python loads it, and join the current generation afterwards."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from functools import partial
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from exocet_ipython.loading.files import clock_of_files
from exocet_ipython.loading.listings import forget_listings
from exocet_ipython.loading.source import Snapshot, find_spec
from exocet_ipython.loading.spaces import is_package
from exocet_ipython.loading.standin import PRESENCE
from exocet_ipython.reloading.collector import paused_collector
from exocet_ipython.reloading.generation import Generation
from exocet_ipython.reloading.imports import read_imports
from exocet_ipython.reloading.joining.adoption import make_records
from exocet_ipython.reloading.joining.afterwards import Afterwards, only_imports
from exocet_ipython.reloading.joining.library_loads import leave_out_effects
from exocet_ipython.reloading.joining.nesting import Ended, Known, KnownModules, Nesting
from exocet_ipython.reloading.joining.noting import LoadNotes
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.reloading.scope import Scope

__all__ = ["Claims"]


def _is_folder_new() -> bool:
    """Say whether a folder of `sys.path` was not there when Python looked for it: it would not look again."""
    return any(finder is None and os.path.isdir(folder) for folder, finder in list(sys.path_importer_cache.items()))


class Claims:
    """A finder that notes which own modules are imported for the first time, and what they ran from.

    It loads nothing itself: each module is found and run by the loader that Python would use.

    Args:
        scope: which modules are own code.
        thread: the only thread whose imports are noted; None for all.
        generation: returns the current one, into whose modules a new one may put something.

    Attributes:
        scope: as given; it may be replaced while the finder is on.
        thread: as given.
        known: the own modules that are loaded.
        found_some: whether modules were noted, or have ended loading, since `records` was asked for.
    """

    is_exocet = True

    def __init__(
        self, scope: Scope, thread: int | None = None, generation: Callable[[], Generation] = Generation
    ) -> None:
        self.scope = scope
        self.known = KnownModules(self._find_known)
        self.thread = thread
        self._loaded: dict[str, LoadNotes] = {}
        self.found_some = False
        self._generation = generation
        self._afterwards = Afterwards()
        self._due: list[tuple[Ended, ModuleType]] = []
        self._cell: tuple[int, str] | None = None
        self._asked = 0
        self._others = 0  # modules that there were when the cell began, without those asked for before
        self._nesting = Nesting(self.known, self._only_imports, self._due, self._tell)

    def put_on(self) -> None:
        """Put the finder before all others on `sys.meta_path`, where it is not on it."""
        if not self.is_on:
            forget_listings()
            sys.meta_path.insert(0, self)

    @property
    def is_on(self) -> bool:
        """Whether the finder is on `sys.meta_path`."""
        return self in sys.meta_path

    def take_off(self) -> None:
        """Take the finder off, and wait for what it has begun; harmless when it is off."""
        self._afterwards.wait()
        self.abandon()

    def abandon(self) -> None:
        """Take the finder off, whatever it has begun."""
        if self.is_on:
            sys.meta_path.remove(self)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:  # noqa: ARG002 - protocol
        """Note the text of an own module that is about to be loaded, and have its loader hand us the code."""
        if self.thread not in (None, threading.get_ident()):
            return None
        self._asked += 1
        spec = find_spec(name, path)
        if spec is None and _is_folder_new():
            forget_listings()
            spec = find_spec(name, path)
        if spec is None or not self.scope.includes_spec(spec):
            if spec is not None:
                leave_out_effects(spec)
            return spec  # not None: the other finders need not look for it again
        notes = self._loaded[name] = LoadNotes()
        notes.watch(spec, self._nesting)
        self.found_some = True
        return spec

    @property
    def names(self) -> list[str]:
        """The modules that were noted and that nobody has asked for by `records`."""
        return list(self._loaded)

    def begin_cell(self, cell: str) -> None:
        """Note what the present thread is about to run, and on its own: no other cell that it runs goes on after it.

        A finder that a module has put before this one would find its modules without it: it is the first again.
        """
        if self.found_some:
            self.settle()
        self._cell = threading.get_ident(), cell
        self._others = len(sys.modules) - self._asked
        self._stay_first()

    def end_cell(self) -> None:
        """Begin to note, in a thread, what a moment later could be another: a save that comes after it is a change."""
        self._cell = None
        if self.found_some:
            self._afterwards.start(partial(self._note, clock_of_files()))

    def leave(self) -> None:
        """End a cell likewise, and take the finder off until another one is to be noted; harmless when it is off."""
        if self.is_on:
            self.abandon()
            self.end_cell()

    def _only_imports(self) -> bool:
        """Say whether the present thread runs a cell that does nothing but import."""
        cell = self._cell
        return cell is not None and cell[0] == threading.get_ident() and only_imports(cell[1])

    def _note(self, ended: int) -> None:
        """Read the texts of what a cell that ended at this moment has imported, and see what it holds and reads."""
        with paused_collector():
            for notes in list(self._loaded.values()):  # first, since reading lets the thread of the cell go on
                notes.text()
                notes.note_data(ended)
            self._take_due()

    def settle(self) -> None:
        """Wait for what the end of a cell has begun, and see what its modules hold before others change it."""
        self._afterwards.wait()
        self._take_due()

    def _take_due(self) -> None:
        while self._due:
            self._nesting.take([self._due.pop()])

    @property
    def texts(self) -> list[Snapshot]:
        """The texts of the modules in `names`, as far as they have been read."""
        return [notes.snapshot for notes in list(self._loaded.values()) if notes.snapshot is not None]

    @property
    def folders(self) -> set[str]:
        """The folders of the packages in `names`."""
        return {folder for notes in list(self._loaded.values()) for folder in notes.folders}

    def _find_known(self, name: str) -> Known | None:
        """Return a module that another is about to import, with what is known of it, if it has been loaded."""
        notes, module = self._loaded.get(name), PRESENCE.current(name)
        if notes is not None and notes.baseline is not None and module is not None:
            if notes.imports is None and notes.code is not None:
                notes.imports = read_imports(notes.code, name, is_package=is_package(module))
            return module, notes.baseline, notes.imports or (), notes.settings or {}
        record = self._generation().records.get(name)
        if record is None:
            return None
        record.look_again()
        return record.module, record.baseline, record.imports, record.settings

    def _tell(self) -> None:
        self.found_some = True
        self._stay_first()  # the module that has ended may have put a finder there

    @property
    def is_passed(self) -> bool:
        """Whether a finder that was put before this one, and not for one import of ours, may have found modules."""
        # Asked at each cell and after each body: the first entry tells as a rule.
        first = sys.meta_path[0] if sys.meta_path else self
        return first is not self and self.is_on and (type(first) is not Claims or first.thread is None)

    @property
    def may_have_missed(self) -> bool:
        """Whether a cell may have loaded modules past this finder: by another one, or by hand.

        Then there are more than have been asked for, or its text speaks of `sys.modules`.
        """
        text = "" if self._cell is None else self._cell[1]
        return self.is_passed or len(sys.modules) > self._others + self._asked or "sys.modules" in text

    def _stay_first(self) -> None:
        if self.is_passed:
            sys.meta_path[:] = [self, *(finder for finder in sys.meta_path if finder is not self)]

    def records(self, generation: Generation) -> dict[str, ModuleRecord]:
        """Return the records of the modules that were noted, are loaded, and are not in the generation as they are.

        Another thread may be loading one of them: it is asked for again when it is done. A module that is in the
        generation and was loaded again (taken out of `sys.modules`, or by `importlib.reload`) gets a new record.
        """
        self.settle()
        self.found_some = False
        loaded = {}
        for name in list(self._loaded):
            module = PRESENCE.current(name)
            if module is None:
                continue  # its import failed, has not begun yet, or was only a question: with the next news it shows
            if getattr(getattr(module, "__spec__", None), "_initializing", False):
                self._tell()
                continue
            notes, known = self._loaded.pop(name), generation.records.get(name)
            if known is not None and known.module is module and notes.baseline is not None:
                notes.baseline = known.after_running_again(notes.baseline, notes.code).baseline
            if known is None or known.module is not module or notes.ended:
                loaded[name] = notes
        return make_records(generation, loaded)
