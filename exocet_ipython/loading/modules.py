"""Modules as things to look at before they are loaded: for plug-in systems and for browsing a package."""

from __future__ import annotations

import ast
import os
import pkgutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Self

from exocet_ipython.errors import SourceNotFoundError
from exocet_ipython.loading.isolated import load_named
from exocet_ipython.loading.listings import forget_listings
from exocet_ipython.loading.mapper import Mapper, pep302_mapper
from exocet_ipython.loading.names import resolve_import
from exocet_ipython.loading.source import find_spec, is_namespace, read_snapshot, require_spec

__all__ = ["ModuleInfo", "get_module", "load"]


@dataclass(frozen=True, slots=True)
class ModuleInfo:
    """A module that can be loaded: where it is and what is in it, without running it.

    Attributes:
        name: absolute dotted name.
        path: file it is loaded from; None for a built-in module or a namespace package.
        is_package: whether it can have submodules.
    """

    name: str
    path: str | None
    is_package: bool
    _spec: ModuleSpec

    @classmethod
    def find(cls, name: str) -> Self:
        """Do what `get_module` does."""
        forget_listings()
        return cls.of(require_spec(name))

    @classmethod
    def of(cls, spec: ModuleSpec) -> Self:
        """Describe the module that a finder found."""
        path = spec.origin if spec.has_location else None
        return cls(spec.name, path, spec.submodule_search_locations is not None, spec)

    def __repr__(self) -> str:
        kind = "package" if self.is_package else "module"
        return f"<{kind} {self.name} at {self.path or 'no file'}>"

    def __hash__(self) -> int:
        return hash((self.name, self.path))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ModuleInfo) and (self.name, self.path) == (other.name, other.path)

    def iter_modules(self) -> Iterator[Self]:
        """Yield the modules and packages directly below this package, by name; a module has none.

        A folder without `__init__.py` is not listed: it may as well hold data. `get_module` finds it by its name.
        """
        search = self._spec.submodule_search_locations
        if search is None:
            return
        forget_listings()
        for entry in sorted(pkgutil.iter_modules(list(search)), key=lambda entry: entry.name):
            spec = find_spec(f"{self.name}.{entry.name}", search)
            if spec is not None:
                yield self.of(spec)

    def walk_modules(self) -> Iterator[Self]:
        """Yield this module, then everything below it, parents before children; a folder within itself only once."""
        waiting: list[tuple[Self, frozenset[str]]] = [(self, frozenset())]
        while waiting:
            module, above = waiting.pop()
            yield module
            folders = frozenset(map(os.path.realpath, module._spec.submodule_search_locations or ()))  # noqa: SLF001 - our own
            if above.isdisjoint(folders):  # else a link leads back to a folder that is being walked
                waiting += [(child, above | folders) for child in reversed(list(module.iter_modules()))]

    def iter_import_names(self) -> Iterator[str]:
        """Yield the absolute dotted names that the source imports, those in functions included, in their order.

        `from game import world` yields `game.world`, and `from game import *` yields `game`.

        Raises:
            SyntaxError: the source doesn't parse.
            SourceNotFoundError: there is no Python source: a built-in or an extension module.
            ImportError: a relative import leads out of its top-level package.
        """
        package = {"__package__": self.name if self.is_package else self._spec.parent}
        found = [node for node in ast.walk(self._parse()) if isinstance(node, ast.Import | ast.ImportFrom)]
        for node in sorted(found, key=lambda node: (node.lineno, node.col_offset)):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            else:
                base = resolve_import(node.module or "", package, node.level).rstrip(".")
                yield from (base if alias.name == "*" else f"{base}.{alias.name}" for alias in node.names)

    def iter_export_names(self) -> Iterator[str]:
        """Yield the names of a literal `__all__`; without one, the public names that the source itself defines.

        These are its functions, classes and variables, in `if`, `try` and `with` blocks too; not what it imports, and
        no name that begins with an underscore. An `__all__` that is computed when the module runs counts as none.

        Raises:
            SyntaxError: the source doesn't parse.
            SourceNotFoundError: there is no Python source: a built-in or an extension module.
        """
        tree = self._parse()
        listed = _literal_all(tree)
        if listed is None:
            listed = [name for name in _defined_names(tree.body) if not name.startswith("_")]
        yield from dict.fromkeys(listed)

    def load(self, mapper: Mapper = pep302_mapper) -> ModuleType:
        """Return a new module object made from this source, as `load_named` does."""
        return load_named(self.name, mapper)

    def _parse(self) -> ast.Module:
        if is_namespace(self._spec):
            return ast.Module([], [])
        loader: Any = self._spec.loader
        # Bytes where they are to be had: a wrong encoding is then the SyntaxError that Python itself would give.
        source = read_snapshot(self._spec, 0).data or None
        if source is None and hasattr(loader, "get_source"):
            source = loader.get_source(self.name)
        if source is None:
            raise SourceNotFoundError(
                f"{self.name!r} has no Python source to read",
                where=self._spec.origin or "",
                advice="load it and look at the module itself",
                name=self.name,
            )
        return ast.parse(source, self.path or self.name)


def get_module(name: str) -> ModuleInfo:
    """Return what can be known of a module without running it or its parents.

    Raises:
        ModuleNotFoundError: no finder has the name.

    >>> module = get_module("json")
    >>> [child.name for child in module.iter_modules()][:2]
    ['json.decoder', 'json.encoder']
    """
    return ModuleInfo.find(name)


def load(source: ModuleInfo, mapper: Mapper = pep302_mapper) -> ModuleType:
    """Return a new module object made from what `get_module` or `iter_modules` found.

    >>> load(get_module("json.scanner")) is load(get_module("json.scanner"))
    False
    """
    return source.load(mapper)


def _literal_all(tree: ast.Module) -> list[str] | None:
    """Return what `__all__` is when it is written out in full, `+=` included; None where it isn't, or isn't there."""
    names: list[str] | None = None
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=value):
                names = _literal_strings(value)
            case ast.AnnAssign(target=ast.Name(id="__all__"), value=ast.expr() as value):
                names = _literal_strings(value)
            case ast.AugAssign(target=ast.Name(id="__all__"), op=ast.Add(), value=value):
                more = _literal_strings(value)
                names = None if names is None or more is None else names + more
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                continue
            case _ if any(isinstance(node, ast.Name) and node.id == "__all__" for node in ast.walk(statement)):
                return None  # `__all__.extend(...)` and the like
            case _:
                continue
        if names is None:
            return None
    return names


def _literal_strings(value: ast.expr) -> list[str] | None:
    """Return the strings of a literal list or tuple of strings, or None."""
    try:
        found = ast.literal_eval(value)
    except (ValueError, TypeError):
        return None
    literal = isinstance(found, list | tuple) and all(isinstance(name, str) for name in found)
    return list(found) if literal else None


def _defined_names(body: Iterable[ast.AST]) -> Iterator[str]:
    """Yield the names that statements bind in the module itself, but for imports and deletions, in their order."""
    for node in body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.AnnAssign(value=None):
                pass  # a declaration without a value
            case ast.Lambda() | ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                pass  # what these bind is their own
            case ast.AST():
                yield from _defined_names(ast.iter_child_nodes(node))
