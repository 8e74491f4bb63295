"""Making a new module object from source and running it: make, run, hand over.

Two builders stand on this file: isolated copies (`isolated.py`) and the batches of a reload
(`reloading/building/batch.py`). They share the meaning of an import statement; what differs is which names they make
and who answers for the others.
"""

from __future__ import annotations

import contextlib
import importlib.util
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from exocet_ipython.loading.extensions import share_extension
from exocet_ipython.loading.mapper import Mapper, governs, proxy_module
from exocet_ipython.loading.names import require_attribute, resolve_import
from exocet_ipython.loading.place import StandIn, place_of
from exocet_ipython.loading.running import bytecode_is_safe, compile_module, run_body, run_module, without_bytecode
from exocet_ipython.loading.source import find_search_path, find_spec, is_extension, missing_source
from exocet_ipython.loading.spaces import attach
from exocet_ipython.loading.standin import PRESENCE
from exocet_ipython.loading.turns import Turn

__all__ = ["ModuleBuilder", "bytecode_is_safe", "compile_module", "run_body", "run_module", "without_bytecode"]

_missing = object()


class ModuleBuilder(ABC):
    """Makes new module objects that import one another, and never touches an existing one.

    Attributes:
        mapper: answers for every name that the builder doesn't make itself.
        modules: dotted name -> the module made for it, complete or still running.
        covered: dotted name of a submodule -> what its package had under its name until it was made, where no import
            statement has named the submodule so far.
        abandoned: dotted name -> the module whose body failed last; who took it half-way, in a circle, keeps it.
    """

    def __init__(self, mapper: Mapper) -> None:
        self.mapper = mapper
        self.modules: dict[str, ModuleType] = {}
        self.abandoned: dict[str, ModuleType] = {}
        self.covered: dict[str, Any] = {}
        # One lock a builder, held while module bodies run: two threads that need the same module share one copy.
        self._turn = Turn()
        self._open_in: dict[int, int] = {}
        self._attached: dict[str, ModuleType] = {}  # modules made elsewhere -> the package that has it as an attribute

    @abstractmethod
    def claims(self, name: str) -> bool:
        """Say whether this builder makes the module `name` itself."""

    @abstractmethod
    def run(self, module: ModuleType, spec: ModuleSpec) -> None:
        """Run the body of a module that was just made."""

    def answers(self, name: str) -> bool:
        """Say whether this builder's thread sees `name` through it: it makes the module, or one below it."""
        return self.claims(name)

    def present_names(self) -> Sequence[str]:
        """Return the names in `sys.modules` that must be stood in for while this builder works."""
        return [name for name in list(sys.modules) if self.claims(name)]

    def load(self, name: str) -> ModuleType:
        """Return this builder's module for a name it claims, making and running it when that has not begun.

        Raises:
            ModuleNotFoundError: no finder has the name.
            BaseException: whatever the module's body raised; the module is then forgotten.
        """
        module = self.modules.get(name)
        thread = threading.get_ident()
        if thread in self._open_in:
            if module is not None:
                return module  # perhaps half-way: a circular import, as Python has it
            if self._turn.is_held_by(thread):
                return self._load_new(name)  # for a body that this thread runs: what follows is in force
        with self._turn.held() as held:
            module = self.modules.get(name)
            if module is not None:
                parent, _, child = name.rpartition(".")
                if not held and parent in self.modules:
                    # Half-way in another thread that waits for this one. Where a package lacks the attribute, the
                    # interpreter asks sys.modules, which has the current module for this thread.
                    attach(self.modules[parent], child, module)
                return module
            with self.building():
                return self._load_new(name)

    @contextlib.contextmanager
    def building(self) -> Iterator[None]:
        """Hold the builder's names present in `sys.modules`, for the present thread, while modules are made."""
        thread = threading.get_ident()
        with contextlib.ExitStack() as stack:
            if thread not in self._open_in:
                stack.enter_context(PRESENCE.opened(self, self.present_names()))
            self._open_in[thread] = self._open_in.get(thread, 0) + 1
            try:
                yield
            finally:
                self._open_in[thread] -= 1
                if not self._open_in[thread]:
                    del self._open_in[thread]

    @property
    def is_open(self) -> bool:
        """Whether the present thread is building."""
        return threading.get_ident() in self._open_in

    def child(self, package: str, name: str) -> Any:
        """Return what attribute `name` of `package` is in this build; raises AttributeError."""
        return getattr(self.load(package), name)

    def import_(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,  # noqa: A002 - the signature of builtins.__import__
        locals: Any = None,  # noqa: A002, ARG002 - likewise
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        """Do what `__import__` does, with this builder's modules and its mapper's objects (PEP 302, PEP 328)."""
        absolute = resolve_import(name, globals, level)
        leaf = self.find(absolute)
        if fromlist:
            return self._with_submodules(leaf, absolute, fromlist)
        if level:
            # `__import__("x.y", globals(), None, (), 1)` returns the package's x, as importlib does.
            return self.find(absolute[: len(absolute) - len(name) + len(name.partition(".")[0])])
        return self._top_of(absolute, leaf)

    def find(self, name: str) -> Any:
        """Return what an absolute dotted name means in this build; raises ImportError."""
        if self.claims(name):
            module = self.load(name)
            self.covered.pop(name, None)
            return module
        found = self.look_up(name)
        parent, _, child = name.rpartition(".")
        if parent and self.claims(parent):
            package = self.load(parent)
            if self._attached.get(name) is not package:  # once, as a first import does: the package may rebind the name
                self._attached[name] = package
                attach(package, child, found)
        return found

    def look_up(self, name: str) -> Any:
        """Return what the mapper says of a name that this builder doesn't make; raises ImportError."""
        return self.mapper.lookup(name)

    def find_spec(self, name: str) -> ModuleSpec:
        """Return the spec of a name this builder makes; raises ModuleNotFoundError."""
        parent = name.rpartition(".")[0]
        if not parent:
            spec = find_spec(name)
        else:
            search = getattr(self.load(parent), "__path__", None) if self.claims(parent) else find_search_path(parent)
            spec = None if search is None else find_spec(name, search)
        if spec is None:
            raise missing_source(name)
        return spec

    def _load_new(self, name: str) -> ModuleType:
        parent, _, child = name.rpartition(".")
        if parent and self.claims(parent):
            self.load(parent)
            if name in self.modules:
                return self.modules[name]
        spec = self.find_spec(name)
        if is_extension(spec):
            module = share_extension(spec)
        else:
            module = self._make(spec)
            # A module that is half-way is marked as importlib marks it: Python then says "most likely due to a circular
            # import" (`Python/import.c` reads the attribute).
            spec._initializing = True  # type: ignore[attr-defined]  # noqa: SLF001 - likewise
            try:
                self.run(module, spec)
            except BaseException:
                self.abandoned[name] = self.modules.pop(name, module)
                raise
            finally:
                spec._initializing = False  # type: ignore[attr-defined]  # noqa: SLF001 - likewise
            module = PRESENCE.take_replacement(name, module) or module
        self.modules[name] = module
        if parent and self.claims(parent):
            package = self.modules[parent]
            if child in vars(package):
                self.covered[name] = vars(package)[child]
            attach(package, child, module)
        return module

    def _make(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.util.module_from_spec(spec)
        if spec.submodule_search_locations is not None:
            # A namespace package's path object looks its parent up in sys.modules whenever it is read.
            module.__path__ = list(spec.submodule_search_locations)
        self.modules[spec.name] = module
        PRESENCE.enter(self, spec.name)
        return module

    def _with_submodules(self, leaf: Any, absolute: str, fromlist: Sequence[str]) -> Any:
        """Import the submodules that a `from` statement names, as importlib's `_handle_fromlist` does."""
        if not hasattr(leaf, "__path__"):
            return leaf
        names = [name for name in fromlist if name != "*"]
        if "*" in fromlist:
            names += getattr(leaf, "__all__", ())
        replaced: dict[str, Any] = {}
        for name in names:
            full = f"{absolute}.{name}"
            decided = governs(self.mapper, full) and not self.claims(full)
            if hasattr(leaf, name) and not decided:
                continue
            found = self._find_submodule(full)
            if found is _missing:
                standin = sys.modules.get(full)
                if type(standin) is StandIn and place_of(standin).name == full:
                    require_attribute(leaf, absolute, name)  # else the statement would take the stand-in
                continue  # no such submodule: the statement itself reports the name it can't import
            if decided and getattr(leaf, name, _missing) is not found:
                replaced[name] = found
        return proxy_module(leaf, **replaced) if replaced else leaf

    def _find_submodule(self, full: str) -> Any:
        """Return what the dotted name of a submodule means; `_missing` where there is none."""
        try:
            return self.find(full)
        except ModuleNotFoundError as error:
            if error.name != full:
                raise
            return _missing

    def _top_of(self, absolute: str, leaf: Any) -> Any:
        """Return what `import a.b.c` binds: `a`, seen so that `a.b.c` is the leaf even where a mapper replaced it."""
        found = leaf
        name = absolute
        while "." in name:
            name, _, child = name.rpartition(".")
            package = self.find(name)
            if not self.claims(name) and getattr(package, child, _missing) is not found:
                package = proxy_module(package, **{child: found})
            found = package
        return found
