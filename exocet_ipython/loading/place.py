"""A place in `sys.modules` while batches build a name: one module to the thread that builds, another to all the rest.

`standin.py` decides when a place is taken and left; nothing here does.
"""

from __future__ import annotations

import contextlib
import importlib
import threading
from collections.abc import Iterable, Iterator
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from types import ModuleType
from typing import Any, Protocol

from exocet_ipython.loading.source import require_spec
from exocet_ipython.loading.spaces import attach

__all__ = ["Builder", "Callers", "Place", "StandIn", "StandInLoader", "place_of"]

# A thread that imports a name which only another thread's batch has loads it for itself. Two such threads take turns,
# but only so long: what they wait for may wait for them, and a module loaded twice is better than a deadlock.
_TURN_SECONDS = 5.0


class Builder(Protocol):
    """What builds modules and answers for them in its own thread."""

    def answers(self, name: str) -> bool:
        """Say whether this builder's thread sees `name` through it: it makes the module, or one below it."""
        ...

    def load(self, name: str) -> ModuleType:
        """Return the module it makes for `name`, running it first when it has not begun."""
        ...

    def child(self, package: str, name: str) -> Any:
        """Return what attribute `name` of `package` is in this build; raises AttributeError."""
        ...

    def find_spec(self, name: str) -> ModuleSpec:
        """Return the spec of a module it makes, without running it; raises ModuleNotFoundError."""
        ...


class Callers(Protocol):
    """Who asks for a name: knows which thread builds what (the presence)."""

    def builder_of(self, thread: int, name: str) -> Builder | None:
        """Return the innermost builder of the thread that answers for `name`."""
        ...

    def check_wanted(self, name: str) -> None:
        """Refuse to load `name` for all to see where the present thread must not; raises ImportError."""
        ...


class StandInLoader:
    """The base of the loader that hands a stand-in to importlib: what it writes on the module is not kept.

    No `importlib.abc.Loader`: importing that one costs a third of what importing this package does.
    """

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Return the module that `spec` is loaded into; None for importlib's own."""
        raise NotImplementedError

    def exec_module(self, module: ModuleType) -> None:
        """Load the module."""
        raise NotImplementedError


class Place:
    """One name in `sys.modules` while batches build it: who sees what."""

    def __init__(self, name: str, current: ModuleType | None, presence: Callers) -> None:
        self.name = name
        self._presence = presence
        self.current = current
        self.builders: list[Builder] = []
        self.turn = threading.RLock()
        self.loading: dict[int, ModuleType] = {}
        self.seen_by_others = False
        self.final: ModuleType | None = None
        self.original: ModuleType | None = None  # where the module put another object in its own stead
        self.standin = StandIn(self)

    def resolve(self) -> tuple[Builder | None, ModuleType]:
        """Return the module that the present thread means by the name, and the builder that answers, if one does."""
        if not self.builders:
            return None, self.final or self.current or self._load_current()
        builder = self._presence.builder_of(threading.get_ident(), self.name)
        if builder is not None:
            return (builder, builder.load(self.name)) if self.original is None else (None, self.original)
        self.seen_by_others = True
        return None, self.current or self._load_current()

    def resolve_class(self) -> type:
        """Return the class of the module that the present thread means, as far as that is made; loads nothing."""
        builder = self._presence.builder_of(threading.get_ident(), self.name) if self.builders else None
        made = self.final or self.current if builder is None else getattr(builder, "modules", {}).get(self.name)
        return ModuleType if made is None else type(self.original or made)

    def _load_current(self) -> ModuleType:
        """Import the name for everyone but its builders, as Python would."""
        mine = self.loading.get(threading.get_ident())
        if mine is not None:
            return mine
        self._presence.check_wanted(self.name)
        with _bounded(self.turn):
            parent, _, child = self.name.rpartition(".")
            package = importlib.import_module(parent) if parent and self.current is None else None
            if self.current is None:  # still: the package's body may have imported it
                spec = require_spec(self.name)
                module = module_from_spec(spec)
                self.loading[threading.get_ident()] = module
                try:
                    if spec.loader is not None:
                        spec.loader.exec_module(module)
                finally:
                    del self.loading[threading.get_ident()]
                self.current = module
                if package is not None:
                    attach(package, child, module)
            return self.current


class StandIn(ModuleType):
    """A module object that is one module to the thread that builds it and another to all the rest."""

    def __init__(self, place: Place) -> None:
        object.__setattr__(self, "_exocet_place", place)

    def __getattribute__(self, name: str) -> Any:
        place: Place = object.__getattribute__(self, "_exocet_place")
        if name == "__class__":
            return place.resolve_class()
        builder, module = place.resolve()
        return getattr(module, name) if builder is None else builder.child(place.name, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("__spec__", "__loader__") and isinstance(getattr(value, "loader", value), StandInLoader):
            return  # importlib writes the spec that led it here; the module keeps its own
        place: Place = object.__getattribute__(self, "_exocet_place")
        builder, module = place.resolve()
        if builder is not None and type(value) is StandIn:
            loaded = place_of(value).name
            if loaded == f"{place.name}.{name}" and getattr(builder, "modules", {}).get(place.name) is not module:
                return  # importlib attaches a submodule: to everybody's package that is done when it is published
            value = builder.load(loaded)
        setattr(module, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(object.__getattribute__(self, "_exocet_place").resolve()[1], name)

    def __dir__(self) -> Iterable[str]:
        return dir(object.__getattribute__(self, "_exocet_place").resolve()[1])

    def __repr__(self) -> str:
        return f"<stand-in for module {object.__getattribute__(self, '_exocet_place').name!r}>"


def place_of(standin: StandIn) -> Place:
    """Return the place that a stand-in fills."""
    place: Place = object.__getattribute__(standin, "_exocet_place")
    return place


@contextlib.contextmanager
def _bounded(lock: Any) -> Iterator[None]:
    """Hold a lock, but wait for it only `_TURN_SECONDS`."""
    held = lock.acquire(timeout=_TURN_SECONDS)
    try:
        yield
    finally:
        if held:
            lock.release()
