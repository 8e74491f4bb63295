"""The bounded presence in `sys.modules` of modules that are being built.

Code that runs while it is loaded looks itself up in `sys.modules`: dataclasses with string annotations, `typing`,
`pickle`, `this = sys.modules[__name__]`. So a module must be there while its batch builds it. Other threads must go on
seeing the module that is current. Both hold through a stand-in: a module object whose attributes are the new module's
for the thread that builds, and the current one's for every other thread. When the last batch that builds the name has
ended, the entry is what it was before, or what was made current meanwhile.

importlib's own way (the new module in `sys.modules`, a lock for those who wait) doesn't do: on CPython 3.11 to 3.13
a thread that waited for an import that failed receives the module that was rolled back.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import weakref
from collections.abc import Iterable, Iterator
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from exocet_ipython.loading.place import Builder, Place, StandIn, StandInLoader, place_of
from exocet_ipython.loading.references import OwnReference
from exocet_ipython.loading.settling import abandoned_by, built_by, settle, settle_own

__all__ = ["PRESENCE", "Builder", "Presence", "StandIn"]


class Presence:
    """The only writer of stand-ins: which names have one, and who builds in which thread.

    There is one for the process (`PRESENCE`), because there is one `sys.modules`.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._places: dict[str, Place] = {}
        self._replaced: list[Place] = []
        self._builders: dict[int, list[Builder]] = {}
        self._unwanted: dict[int, tuple[str, list[str]]] = {}
        # id -> module. Not a WeakSet: its references have callbacks, which are holders to whoever migrates.
        self._published: dict[int, weakref.ref[ModuleType]] = {}
        self._room = _ROOM
        self._finder = _PresenceFinder(self)

    @contextlib.contextmanager
    def opened(self, builder: Builder, names: Iterable[str]) -> Iterator[None]:
        """Let `builder` build in the present thread: `names` are stood in for, and so is each name it claims later.

        When the block ends, each name's entry in `sys.modules` is what it was, or what `set_current` made it.
        """
        thread = threading.get_ident()
        with self._lock:
            self._builders.setdefault(thread, []).append(builder)
            if self._finder not in sys.meta_path:
                sys.meta_path.insert(0, self._finder)
            for name in names:
                self.enter(builder, name)
        try:
            yield
        finally:
            with self._lock:
                stack = self._builders[thread]
                stack.remove(builder)
                if not stack:
                    del self._builders[thread]
                leaked = self._leave(builder)
                if not self._places and self._finder in sys.meta_path:
                    sys.meta_path.remove(self._finder)
            settle(leaked)

    @contextlib.contextmanager
    def suspended(self, unwanted: str = "") -> Iterator[list[str]]:
        """Let the present thread see the current modules for a while, as all other threads do.

        Args:
            unwanted: top-level name of a package whose modules are not to be loaded meanwhile for all to see.

        Yields:
            The names below `unwanted` that were asked for, each refused with ImportError.
        """
        thread = threading.get_ident()
        asked: list[str] = []
        with self._lock:
            stack = self._builders.pop(thread, None)
            before = self._unwanted.pop(thread, None)
            if unwanted:
                self._unwanted[thread] = (unwanted, asked)
        try:
            yield asked
        finally:
            with self._lock:
                self._unwanted.pop(thread, None)
                if before is not None:
                    self._unwanted[thread] = before
                if stack is not None:
                    self._builders[thread] = stack

    def check_wanted(self, name: str) -> None:
        """Refuse to load `name` for all to see where the present thread must not; raises ImportError."""
        unwanted, asked = self._unwanted.get(threading.get_ident(), ("", []))
        if unwanted and name.partition(".")[0] == unwanted:
            asked.append(name)
            raise ImportError(f"{name!r} is not loaded yet", name=name)

    def enter(self, builder: Builder, name: str) -> StandIn:
        """Stand in for `name` on behalf of `builder`, until its block ends."""
        with self._lock:
            place = self._places.get(name)
            if place is None:
                place = self._places[name] = Place(name, sys.modules.get(name), self)
                sys.modules[name] = place.standin
            if builder not in place.builders:
                place.builders.append(builder)
            return place.standin

    def builder_of(self, thread: int, name: str) -> Builder | None:
        """Return the innermost builder of the thread that answers for `name`."""
        for builder in reversed(self._builders.get(thread, ())):
            if builder.answers(name):
                return builder
        return None

    def take_replacement(self, name: str, original: ModuleType) -> ModuleType | None:
        """Return what a module put into `sys.modules` in its own stead while it ran, and stand in again.

        `sys.modules[__name__] = something` is an idiom that importlib honours. That something may be a proxy around
        the stand-in it found there, which goes on meaning `original`; so the name gets another stand-in.
        """
        with self._lock:
            place = self._places.get(name)
            found: Any = sys.modules.get(name)
            if place is None or found is place.standin:
                return None
            place.original = original
            self._replaced.append(place)
            later = self._places[name] = Place(name, place.current, self)
            later.builders = list(place.builders)
            sys.modules[name] = later.standin
            replacement: ModuleType = found
            return replacement

    def current(self, name: str) -> ModuleType | None:
        """Return the module that `name` means to threads that build nothing, without importing it."""
        with self._lock:
            place = self._places.get(name)
            found: ModuleType | None = sys.modules.get(name) if place is None else place.current
            return found

    def is_published(self, module: Any) -> bool:
        """Say whether a module was made current here, by whatever session, and not by Python's own import."""
        known = self._published.get(id(module))
        return known is not None and known() is module

    def set_current(self, name: str, module: ModuleType | None) -> None:
        """Make `module` what `name` means to everyone; None takes the name away."""
        with self._lock:
            if type(module) is ModuleType:
                self._note_published(module)
            place = self._places.get(name)
            if place is not None:
                place.current = module
            elif module is None:
                sys.modules.pop(name, None)
            else:
                sys.modules[name] = module

    def forget_gone(self) -> None:
        """Forget the modules that were published and are no more."""
        with self._lock:
            self._published = {key: known for key, known in self._published.items() if known() is not None}

    def _note_published(self, module: ModuleType) -> None:
        self._published[id(module)] = OwnReference(module)
        if len(self._published) > self._room:
            self.forget_gone()
            self._room = 2 * len(self._published) + _ROOM

    def _leave(self, builder: Builder) -> list[tuple[StandIn, Builder]]:
        """End the builder's part in all places; return the stand-ins that something still holds."""
        leaked = []
        for place in [*self._places.values(), *self._replaced]:
            name = place.name
            if builder not in place.builders:
                continue
            place.builders.remove(builder)
            if place.builders:
                settle_own(place.standin, builder)
                continue
            if self._places.get(name) is place:
                del self._places[name]
            else:
                self._replaced.remove(place)
            if sys.modules.get(name) is place.standin:
                if place.current is None:
                    del sys.modules[name]
                else:
                    sys.modules[name] = place.current
            if not place.seen_by_others:
                place.final = place.original or built_by(builder, name)
                if place.final is None and place.current is None:
                    place.final = abandoned_by(builder, name)
            leaked.append((place.standin, builder))
            place.standin = _NOBODY
        return [pair for pair in leaked if sys.getrefcount(pair[0]) > _PAIR_REFERENCES]


class _PresenceFinder:
    """Answers importlib, in a building thread, for the names that its builder makes and `sys.modules` lacks."""

    is_exocet = True

    def __init__(self, presence: Presence) -> None:
        self._presence = presence

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:  # noqa: ARG002 - protocol
        builder = self._presence.builder_of(threading.get_ident(), name)
        if builder is None:
            return None
        try:
            found = builder.find_spec(name)
        except ModuleNotFoundError:
            return None  # `importlib.util.find_spec` asks whether there is such a module
        loader: Any = _PresenceLoader(self._presence, builder)
        spec = ModuleSpec(name, loader, origin=found.origin)
        spec.submodule_search_locations = found.submodule_search_locations
        return spec


class _PresenceLoader(StandInLoader):
    """Hands importlib the stand-in of a name, having its builder run it."""

    def __init__(self, presence: Presence, builder: Builder) -> None:
        self._presence = presence
        self._builder = builder

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return self._presence.enter(self._builder, spec.name)

    def exec_module(self, module: ModuleType) -> None:
        name = place_of(module).name if isinstance(module, StandIn) else module.__name__
        self._builder.load(name)


_ROOM = 1_000  # modules that were published, before those that are gone are forgotten
_NOBODY: Any = None
_PAIR_REFERENCES = 2  # the pair itself, and the argument of getrefcount

PRESENCE = Presence()
