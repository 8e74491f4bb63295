"""Proof on code that none of us wrote: two isolated copies of each package side by side, each doing a real job."""

from __future__ import annotations

import contextlib
import importlib
import sys
import warnings
from importlib.machinery import ExtensionFileLoader
from types import ModuleType
from typing import Any

import pytest

from exocet_ipython.loading.isolated import load_named, load_package_named
from exocet_ipython.loading.source import require_spec
from tests.loading.real_packages import PACKAGES, Load, Package
from tests.workshop import standin_names

pytestmark = pytest.mark.proof


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_two_copies_side_by_side(package: Package) -> None:
    """Two copies of a package have classes of their own, each does its job, and `sys.modules` is what it was."""
    for name in package.needs:
        with contextlib.suppress(ModuleNotFoundError):
            importlib.import_module(name)
    before, finders = dict(sys.modules), list(sys.meta_path)
    with warnings.catch_warnings():
        for message in package.warnings:
            warnings.filterwarnings("ignore", message)
        first, second = load_copy(package.name), load_copy(package.name)
        results = [package.job(first), package.job(second), package.job(first)]

    assert results == [package.result] * 3
    for path in package.classes:
        kinds = [find_class(load, path) for load in (first, second)]
        regular = before.get(path.partition(":")[0])
        kinds += [getattr(regular, path.partition(":")[2])] if regular is not None else []
        assert len(set(map(id, kinds))) == len(kinds), f"the copies share {path}"
    assert sys.meta_path == finders
    assert standin_names() == []
    assert changed_names(package, before) == []


def load_copy(name: str) -> Load:
    """Make a copy and return what gives its modules by dotted name."""
    if require_spec(name).submodule_search_locations is None:
        module = load_named(name)
        return {name: module}.__getitem__
    copy = load_package_named(name)
    copy.load_named(name)
    return copy.load_named


def find_class(load: Load, path: str) -> Any:
    """Return what `module:name` is in a copy."""
    module, _, name = path.partition(":")
    return getattr(load(module), name)


def changed_names(package: Package, before: dict[str, ModuleType]) -> list[str]:
    """Return the package's names that mean something else in `sys.modules` now; its extensions are shared there."""
    changed = []
    for name in before.keys() | sys.modules.keys():
        if name.partition(".")[0] != package.name or before.get(name) is sys.modules.get(name):
            continue
        spec = getattr(sys.modules.get(name), "__spec__", None)
        if name not in before and spec is not None and isinstance(spec.loader, ExtensionFileLoader):
            continue
        changed.append(name)
    return sorted(changed)
