"""Extension modules: they load once per process, so they are shared and never copied."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from exocet_ipython.errors import ExtensionPackageError
from exocet_ipython.loading.names import resolve_import, with_packages
from exocet_ipython.loading.source import extension_files, find_spec, is_extension
from exocet_ipython.loading.standin import PRESENCE

__all__ = ["prefer_source", "refuse_extension_core", "share_extension"]

_LOADING = threading.RLock()


def share_extension(spec: ModuleSpec) -> ModuleType:
    """Return the one module object of an extension, loading it as Python would where that was not done.

    It is loaded with the present thread seeing the current modules: what an extension imports when it starts is held
    in its own memory for good, so it must be the shared modules and never a copy. An extension that imports its own
    package at that moment (yaml._yaml) needs it loaded first, and shared too.
    """
    with _LOADING:
        loaded = PRESENCE.current(spec.name)
        if loaded is not None:
            return loaded
        root = spec.name.partition(".")[0]
        with PRESENCE.suspended(unwanted=root if PRESENCE.current(root) is None else "") as asked:
            try:
                return _load_extension(spec)
            except BaseException:
                if not asked:
                    raise
        with PRESENCE.suspended():
            return importlib.import_module(spec.name)


def _load_extension(spec: ModuleSpec) -> ModuleType:
    """Make an extension's module without importing the package it is in."""
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        if spec.loader is not None:
            spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(spec.name, None)
        raise
    return sys.modules[spec.name]


def prefer_source(spec: ModuleSpec) -> ModuleSpec:
    """Return the spec of the source beside an extension module that was compiled from it, else the spec itself.

    mypyc and Cython's pure mode leave `name.py` beside `name.so`: the same module, which can be made again.
    """
    if spec.origin is None or not is_extension(spec):
        return spec
    twin = os.path.join(os.path.dirname(spec.origin), spec.name.rpartition(".")[2] + ".py")
    return (importlib.util.spec_from_file_location(spec.name, twin) or spec) if os.path.isfile(twin) else spec


def refuse_extension_core(spec: ModuleSpec) -> None:
    """Refuse a package that can't be imported without an extension module of its own, before anything runs.

    Followed are the import statements that run whenever the package is imported; one that the package can do without,
    or needs only in a function called later, is no reason: then the extension is shared.

    Raises:
        ExtensionPackageError: with the dotted `name` of the package and the `path` of the extension.
    """
    locations = spec.submodule_search_locations
    if locations is None or not extension_files(locations):
        return
    waiting = [spec]
    seen = {spec.name}
    while waiting:
        module = waiting.pop()
        if is_extension(module):
            raise ExtensionPackageError(
                f"{spec.name!r} can't be loaded twice: its core is the extension module {module.name!r}",
                where=module.origin or "",
                advice=f"leave {spec.name!r} out, so that its one copy is shared",
                name=spec.name,
                path=module.origin,
            )
        for name in _required_imports(module):
            parent, _, _ = name.rpartition(".")
            if name in seen or not name.startswith(spec.name + "."):
                continue
            seen.add(name)
            found = _find_inside(spec, name)
            waiting += [found] if found is not None else []
            if parent not in seen and (package := _find_inside(spec, parent)) is not None:
                seen.add(parent)
                waiting.append(package)


def _find_inside(package: ModuleSpec, name: str) -> ModuleSpec | None:
    """Return the spec of a submodule, following the packages' folders without running them."""
    search = package.submodule_search_locations
    found: ModuleSpec | None = package
    for inner in with_packages(name)[package.name.count(".") + 1 :]:
        found = None if search is None else find_spec(inner, search)
        if found is None:
            return None
        found = prefer_source(found)
        search = found.submodule_search_locations
    return found


def _required_imports(spec: ModuleSpec) -> list[str]:
    """Return the dotted names that a module can't be imported without."""
    loader: Any = spec.loader
    source = loader.get_source(spec.name) if hasattr(loader, "get_source") and spec.origin else None
    if not source:
        return []
    package = {"__package__": spec.name if spec.submodule_search_locations is not None else spec.parent}
    names = []
    for statement in _required_statements(ast.parse(source).body):
        if isinstance(statement, ast.Import):
            names += [alias.name for alias in statement.names]
        else:
            base = resolve_import(statement.module or "", package, statement.level).rstrip(".")
            names += [base, *(f"{base}.{alias.name}" for alias in statement.names)]
    return names


def _required_statements(body: Sequence[ast.stmt]) -> Iterator[ast.Import | ast.ImportFrom]:
    """Find the import statements that run whichever way a block is gone through.

    An `if` with imports on both sides offers a choice, and so does a `try` with a handler that doesn't raise. An
    `if` with imports on one side is taken to be the way it goes: a file of another platform isn't there to be found.
    """
    for statement in body:
        match statement:
            case ast.Import() | ast.ImportFrom():
                yield statement
            case ast.With():
                yield from _required_statements(statement.body)
            case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")):
                yield from _required_statements(statement.orelse)
            case ast.If():
                sides = [list(_required_statements(side)) for side in (statement.body, statement.orelse)]
                if not all(sides):
                    yield from sides[0] + sides[1]
            case ast.Try() if all(isinstance(handler.body[-1], ast.Raise) for handler in statement.handlers):
                yield from _required_statements(statement.body)
            case _:
                pass
