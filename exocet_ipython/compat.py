"""Exocet's names of 2011, so that code written for it runs with `from exocet_ipython import compat as exocet`.

Each name is a thin cover of one in `exocet_ipython`, which new code uses. What is different from 2011: nothing global
is replaced while a module loads or later, and an override or an exclusion of `a` governs `a.b` too.
"""
# ruff: noqa: N812, N815 - the names are Exocet's

from __future__ import annotations

import builtins
import os
from collections.abc import Iterable, Mapping
from functools import partial
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn, Protocol, runtime_checkable

from exocet_ipython.loading import mapper as mappers
from exocet_ipython.loading.extensions import prefer_source
from exocet_ipython.loading.isolated import IsolatedCopy, load_named, load_package_named
from exocet_ipython.loading.modules import ModuleInfo
from exocet_ipython.loading.proxy import proxy_module as proxyModule
from exocet_ipython.loading.source import require_spec

__all__ = [
    "CallableMapper",
    "DictMapper",
    "ExclusiveMapper",
    "IMapper",
    "PackageContext",
    "emptyMapper",
    "getModule",
    "installExocetGlobalHook",
    "load",
    "loadNamed",
    "loadPackage",
    "loadPackageNamed",
    "lookupWithMapper",
    "pep302Mapper",
    "proxyModule",
    "redirectLocalImports",
    "uninstallExocetGlobalHook",
]


@runtime_checkable
class IMapper(Protocol):
    """What a mapper of 2011 offers; `lookup` alone is enough to load with it."""

    def lookup(self, name: str) -> Any:
        """Return the object that `name` means, or raise ImportError."""

    def contains(self, name: str) -> bool:
        """Say whether `lookup(name)` would return."""

    def withOverrides(self, overrides: Mapping[str, Any]) -> Any:
        """Return a mapper in which the names of `overrides` mean what it says."""


class _Overridable:
    def with_overrides(self, mapping: Mapping[str, Any]) -> _StackedMapper:
        return _StackedMapper((DictMapper(mapping), _adapt(self)))

    withOverrides = with_overrides


class DictMapper(_Overridable, mappers.DictMapper):
    """`exocet_ipython.DictMapper` with `withOverrides`."""


class CallableMapper(_Overridable, mappers.CallableMapper):
    """`exocet_ipython.CallableMapper` with `withOverrides`."""


class ExclusiveMapper(_Overridable, mappers.ExclusiveMapper):
    """`exocet_ipython.ExclusiveMapper` with `withOverrides`."""

    def __init__(self, submapper: Any, excluded: Iterable[str]) -> None:
        super().__init__(_adapt(submapper), excluded)


class _StackedMapper(_Overridable, mappers.StackedMapper):
    pass


emptyMapper = CallableMapper(mappers.empty_mapper.lookup)
pep302Mapper = CallableMapper(mappers.pep302_mapper.lookup)


def lookupWithMapper(mapper: Any, fqn: str) -> Any:
    """Return what `fqn` means to `mapper`; whatever goes wrong in the mapper is an ImportError with its cause."""
    try:
        return mapper.lookup(fqn)
    except ImportError:
        raise
    except Exception as error:
        raise ImportError(f"{type(mapper).__name__}.lookup({fqn!r}) failed: {error!r}", name=fqn) from error


def _adapt(mapper: Any) -> mappers.Mapper:
    """Return a mapper that the loader takes, given one of ours or a person's own of 2011."""
    if isinstance(mapper, mappers.Mapper):
        return mapper
    if not hasattr(mapper, "lookup"):
        raise TypeError(f"{type(mapper).__name__} is not a mapper: it has no lookup(name); wrap a dict with DictMapper")
    return CallableMapper(partial(lookupWithMapper, mapper))


class _FilePath(type(Path())):  # type: ignore[misc] # before 3.12 only the platform's own class can be subclassed
    """A `pathlib.Path` that also answers to what the `FilePath` of 2011 spelled otherwise."""

    path = property(os.fspath)

    def basename(self) -> str:
        return str(self.name)

    def splitext(self) -> tuple[str, str]:
        return os.path.splitext(str(self))


class _PythonModule(ModuleInfo):
    """A `ModuleInfo` under the names of 2011; `filePath` is None for a built-in module or a namespace package."""

    iterModules = ModuleInfo.iter_modules
    walkModules = ModuleInfo.walk_modules
    iterImportNames = ModuleInfo.iter_import_names
    iterExportNames = ModuleInfo.iter_export_names

    @property
    def filePath(self) -> _FilePath | None:
        return None if self.path is None else _FilePath(self.path)

    def isPackage(self) -> bool:
        return self.is_package


def getModule(moduleName: str) -> _PythonModule:
    """Return what can be known of a module without running it; raises ModuleNotFoundError.

    >>> getModule("json").isPackage(), getModule("json.decoder").filePath.basename()
    (True, 'decoder.py')
    """
    return _PythonModule.find(moduleName)


def load(maker: ModuleInfo, mapper: Any, m: ModuleType | None = None) -> ModuleType:
    """Return a new module object made from what `getModule` or `iterModules` found.

    Args:
        maker: the module to load.
        mapper: what the imports of the loaded code mean.
        m: an empty module object to load into, for modules that need each other: each finds the other's object in its
            mapper. A package's submodules come from the mapper then. After an error it is empty again.
    """
    if m is None:
        own = _adapt(mapper)
        return load_named(maker.name, _Sheltered(own, maker.name) if maker.is_package else own)
    before = dict(vars(m))
    try:
        return _CopyInto(prefer_source(require_spec(maker.name)), _adapt(mapper), m).load_named(maker.name)
    except BaseException:
        vars(m).clear()
        vars(m).update(before)
        raise


def loadNamed(fqn: str, mapper: Any, m: ModuleType | None = None) -> ModuleType:
    """Return a new module object made from the source of `fqn`; see `load`.

    >>> loadNamed("json", pep302Mapper) is loadNamed("json", pep302Mapper)
    False
    """
    return load(getModule(fqn), mapper, m)


class _CopyInto(IsolatedCopy):
    """A copy of one module in a module object that was given."""

    def __init__(self, spec: ModuleSpec, mapper: mappers.Mapper, module: ModuleType) -> None:
        super().__init__(spec, mapper)
        self._given = module

    def claims(self, name: str) -> bool:
        return name == self.name

    def _make(self, spec: ModuleSpec) -> ModuleType:
        vars(self._given).update(vars(super()._make(spec)))
        self.modules[spec.name] = self._given
        return self._given


class PackageContext:
    """One consistent copy of a package, whose `__init__` has run; `loadNamed` gives its modules.

    Attributes:
        packageMaker: what `getModule` says of the package.
        mapper: finds the copy's own modules, and every other name in the mapper that was given.
    """

    def __init__(self, packageMaker: ModuleInfo, mapper: Any) -> None:
        name = packageMaker.name
        self.packageMaker = packageMaker
        copy = load_package_named(name, _Sheltered(_adapt(mapper), name))
        self.mapper = CallableMapper(copy.find)
        self.lookup = self.loadNamed = self.mapper.lookup
        copy.load_named(name)


class _Sheltered(_StackedMapper):
    """A mapper with which `import a.b.c` in a copy of `a.b` binds an empty `a` where it has none, as in 2011."""

    def __init__(self, mapper: mappers.Mapper, name: str) -> None:
        super().__init__((mapper,))
        self._parents = [name[:place] for place, character in enumerate(name) if character == "."]

    def lookup(self, name: str) -> Any:
        try:
            return super().lookup(name)
        except ImportError:
            if name not in self._parents:
                raise
            return ModuleType(name)


def loadPackage(pkg: ModuleInfo, mapper: Any) -> PackageContext:
    """Return a context whose `loadNamed` gives modules of one copy of a package; raises ValueError for a module."""
    return PackageContext(pkg, mapper)


def loadPackageNamed(fqn: str, mapper: Any) -> PackageContext:
    """Return a context whose `loadNamed` gives modules of one copy of a package.

    >>> context = loadPackageNamed("json", pep302Mapper)
    >>> context.loadNamed("json").decoder is context.loadNamed("json.decoder")
    True
    """
    return PackageContext(getModule(fqn), mapper)


def redirectLocalImports(name: str, globals: Mapping[str, Any] | None = None, *args: Any, **kwargs: Any) -> Any:
    """Do what an import statement does in the module that has these `globals`, however long ago it was loaded."""
    own = (globals or {}).get("__builtins__", builtins)
    return (own if isinstance(own, dict) else vars(own))["__import__"](name, globals, *args, **kwargs)


def installExocetGlobalHook() -> None:
    """Do nothing: imports in functions always find the module's own context, without a global hook."""


def uninstallExocetGlobalHook() -> None:
    """Do nothing: nothing global was replaced."""


_METHOD = "call it on what getModule returns"
_GRAPH = "use graphlib.TopologicalSorter on what walkModules and iterImportNames give"
_ABSENT = {
    **dict.fromkeys(["iterModules", "walkModules", "iterImportNames", "iterExportNames"], _METHOD),
    **dict.fromkeys(["strongly_connected_components", "topological_sort", "robust_topological_sort"], _GRAPH),
    "analyzePackage": _GRAPH,
    "MakerFinder": "imports go to the mapper without a finder; give loadNamed a mapper",
}


def __getattr__(name: str) -> NoReturn:
    reason = f": {_ABSENT[name]}" if name in _ABSENT else ""
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}{reason}", name=name)
