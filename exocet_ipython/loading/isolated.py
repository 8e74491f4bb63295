"""Isolated copies: modules that are in `sys.modules` nowhere and related to no other.

An import statement looks `__import__` up in its frame's builtins, and these come from the module's `__builtins__`. The
modules of a copy share a private dict of builtins whose `__import__` asks the copy: at top level, inside functions
that run hours later, in any thread, with no global hook and at no cost to running code. It is an exact `dict`: the
interpreter's fast paths refuse a subclass.
"""

from __future__ import annotations

import builtins
import contextlib
import importlib
import operator
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType, TracebackType
from typing import Any, Self

from exocet_ipython.loading.extensions import prefer_source, refuse_extension_core
from exocet_ipython.loading.listings import forget_listings
from exocet_ipython.loading.loader import ModuleBuilder, run_module
from exocet_ipython.loading.mapper import Mapper, governs, pep302_mapper, proxy_module
from exocet_ipython.loading.names import resolve_import
from exocet_ipython.loading.source import is_extension, require_spec
from exocet_ipython.loading.spaces import attach, copy_space
from exocet_ipython.loading.standin import PRESENCE, StandIn
from exocet_ipython.loading.tracebacks import hide_own_frames
from exocet_ipython.loading.turns import Turn

__all__ = ["IsolatedCopy", "load_named", "load_package_named"]

_ROOT_TURNS: dict[str, Turn] = {}


class IsolatedCopy(ModuleBuilder):
    """The modules of one isolated copy: of a package with all its submodules, or of a single module.

    As a context manager it does nothing but end: the copy lives as long as one of its modules or functions does.

    >>> with load_package_named("json") as copy:
    ...     decoder = copy.load_named("json.decoder")
    >>> decoder.JSONDecoder is copy.load_named("json").JSONDecoder
    True
    >>> import json
    >>> decoder.JSONDecoder is json.JSONDecoder
    False
    """

    def __init__(self, spec: ModuleSpec, mapper: Mapper) -> None:
        super().__init__(mapper)
        self.name = spec.name
        self._below = spec.name + "." if spec.submodule_search_locations is not None else None
        self._seen: dict[str, Any] = {}
        self._builtins: dict[str, Any] = {}
        self._importlib: ModuleType | None = None
        self._copy_builtins()

    def __repr__(self) -> str:
        return f"<isolated copy of {self.name}: {len(self.modules)} modules>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        return None

    def claims(self, name: str) -> bool:
        """Say whether `name` is a module of this copy; a name that the mapper decides about is not."""
        if name == self.name:
            return True
        return self._below is not None and name.startswith(self._below) and not governs(self.mapper, name)

    def load_named(self, name: str) -> ModuleType:
        """Return this copy's module of the given dotted name, loading it when it was not asked for before.

        Raises:
            ModuleNotFoundError: the copy has no such module.
        """
        with hide_own_frames():
            if not self.claims(name):
                message = f"{name!r} is not a module of {self.name!r}"
                raise ModuleNotFoundError(message, name=name)
            return self.load(name)

    def load(self, name: str) -> ModuleType:
        """Return this copy's module for a name it claims, as its code put it into `sys.modules` or as it is loaded."""
        if name not in self.modules and _is_handmade(name):
            self._adopt(name, sys.modules[name])
        return super().load(name)

    def present_names(self) -> Sequence[str]:
        """Return the names to stand in for: also those made before, which a module loaded late may look up."""
        return [*super().present_names(), *self.modules]

    @contextlib.contextmanager
    def building(self) -> Iterator[None]:
        """Build modules, and take out of `sys.modules` what their bodies put there: aliases, modules made by hand."""
        if threading.get_ident() in self._open_in:
            with super().building():
                yield
            return
        # One copy of a package at a time: what its code finds in `sys.modules` under its names is then its own.
        with _ROOT_TURNS.setdefault(self.name.partition(".")[0], Turn()).held():
            before = dict(sys.modules)
            try:
                with super().building():
                    yield
            finally:
                self._take_out(before)

    def run(self, module: ModuleType, spec: ModuleSpec) -> None:
        """Run the body of a module, and everything it defines, with the copy's private builtins."""
        vars(module)["__builtins__"] = self._builtins
        run_module(module, spec)

    def find_spec(self, name: str) -> ModuleSpec:
        """Return the spec of a module of this copy, from source where an extension was compiled from it."""
        return prefer_source(super().find_spec(name))

    def find(self, name: str) -> Any:
        """Return what an absolute dotted name means in this copy."""
        found = super().find(name)
        if found is importlib:
            if self._importlib is None:
                self._importlib = proxy_module(importlib, import_module=self.import_module)
            return self._importlib
        return found

    def look_up(self, name: str) -> Any:
        """Return what the mapper says; what it imports for all to share must not see this copy while it loads."""
        with PRESENCE.suspended() if threading.get_ident() in self._open_in else contextlib.nullcontext():
            return self.mapper.lookup(name)

    def import_(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,  # noqa: A002 - the signature of builtins.__import__
        locals: Any = None,  # noqa: A002 - likewise
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        """Do what `__import__` does, in this copy."""
        self._copy_builtins()
        with hide_own_frames():
            return super().import_(name, globals, locals, fromlist, level)

    def import_module(self, name: str, package: str | None = None) -> Any:
        """Do what `importlib.import_module` does, in this copy."""
        level = len(name) - len(name.lstrip("."))
        with hide_own_frames():
            return self.find(resolve_import(name[level:], {"__package__": package}, level))

    def _take_out(self, before: Mapping[str, ModuleType]) -> None:
        own = {id(module) for module in self.modules.values() if not _is_shared(module)}
        # Where another thread imported the whole package meanwhile, its own body has put the same names there.
        claimed = self.name in before or self.name not in sys.modules
        for name, module in copy_space(sys.modules).items():
            if module is before.get(name) or type(module) is StandIn:
                continue
            made_here = getattr(module, "__builtins__", None) is self._builtins
            if made_here or (_is_handmade(name) and (id(module) in own or (claimed and self.claims(name)))):
                if name in before:
                    sys.modules[name] = before[name]
                else:
                    del sys.modules[name]
                if self.claims(name):
                    self._adopt(name, module)

    def _adopt(self, name: str, module: ModuleType) -> None:
        if self.modules.setdefault(name, module) is module:
            parent, _, child = name.rpartition(".")
            if parent in self.modules and child not in vars(self.modules[parent]):
                # `import pkg.alias as alias` asks the package first, and then sys.modules, where it won't be.
                attach(self.modules[parent], child, module)

    def _copy_builtins(self) -> None:
        """Bring the private builtins up to date with what was put into the real ones since.

        Compared by identity: an array among them would not answer `==` with a truth value.
        """
        real = vars(builtins)
        if len(real) == len(self._seen) and all(map(operator.is_, real.values(), self._seen.values())):
            return
        for gone in self._seen.keys() - real.keys():
            self._builtins.pop(gone, None)
        self._seen = dict(real)
        self._builtins.update(self._seen)
        self._builtins["__import__"] = self.import_


def _is_handmade(name: str) -> bool:
    """Say whether what `sys.modules` has for `name` was put there by some code, and not by importing that name.

    >>> _is_handmade("os.path"), _is_handmade("json"), _is_handmade("no_such_module")
    (True, False, False)
    """
    module = sys.modules.get(name)
    if module is None or type(module) is StandIn:
        return False
    return getattr(getattr(module, "__spec__", None), "name", None) != name


def _is_shared(module: ModuleType) -> bool:
    spec: ModuleSpec | None = getattr(module, "__spec__", None)
    return spec is not None and is_extension(spec)


def load_named(name: str, mapper: Mapper = pep302_mapper) -> ModuleType:
    """Return a new module object made from the source of `name`; every call gives another, related to none before.

    A package brings new copies of its submodules; every other name that the code imports, now or in a function called
    hours later, goes to the mapper. Extension modules load once per process and are shared.

    Args:
        name: absolute dotted name.
        mapper: what the imports of the loaded code mean.

    Raises:
        ModuleNotFoundError: there is no such module.
        ExtensionPackageError: the package can't do without an extension module of its own.
        BaseException: whatever the code itself raises.

    >>> import json
    >>> copy = load_named("json")
    >>> copy is json, copy.loads("[1]")
    (False, [1])
    """
    with hide_own_frames():
        forget_listings()
        spec = prefer_source(require_spec(name))
        if is_extension(spec):
            return importlib.import_module(name)
        return _make_copy(spec, mapper).load(name)


def load_package_named(name: str, mapper: Mapper = pep302_mapper) -> IsolatedCopy:
    """Return a copy of the package `name`, whose `load_named` gives modules that belong together.

    Raises:
        ModuleNotFoundError: there is no such module.
        ValueError: it is a module, not a package.
        ExtensionPackageError: the package can't do without an extension module of its own.
    """
    forget_listings()
    spec = require_spec(name)
    if spec.submodule_search_locations is None:
        message = f"{name!r} is a module, not a package; load it with load_named({name!r})"
        raise ValueError(message)
    return _make_copy(spec, mapper)


def _make_copy(spec: ModuleSpec, mapper: Mapper) -> IsolatedCopy:
    refuse_extension_core(spec)
    return IsolatedCopy(spec, mapper)
