"""Runs one of CPython's own test suites in this process and prints the outcome as one line of JSON.

    python cpython_suite.py SUITE MODULE plain|copy

With `copy`, the suite itself is loaded isolated, through a mapper in which MODULE means an isolated copy of it.
`test_cpython_suite.py` runs this in a subprocess, because a suite changes much in its process.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import pkgutil
import sys
import unittest
import warnings
from collections.abc import Iterable
from types import ModuleType
from typing import Any

from exocet_ipython.loading.isolated import load_named, load_package_named
from exocet_ipython.loading.mapper import ExclusiveMapper, Mapper, pep302_mapper, proxy_module


def main(suite: str, name: str, kind: str) -> dict[str, Any]:
    """Run a suite and return its counts, the ids of what did not simply pass, and whose names it used."""
    regular = importlib.import_module(name)
    if kind == "plain":
        tested, modules = regular, [importlib.import_module(module) for module in module_names(suite)]
    else:
        copies = load_copies([name])
        tested = copies[name]
        mapper = pep302_mapper.with_overrides(overrides(name, tested))
        for package in packages_beside(suite):
            samples = load_samples(load_named(package, mapper))
            copies |= samples
            mapper = mapper.with_overrides(samples)
        copies |= load_copies(module_names(suite), mapper)
        modules = [copies[module] for module in module_names(suite)]
        # All was imported through the mapper. The suites are also about what Python finds by name, though (pickle,
        # the C halves of json and typing, dataclasses' look at its own module): now they find the copies.
        sys.modules.update(copies)
        # Sample modules of a suite are loaded by then: dataclasses looks itself up by name while they run.
        sys.modules.update(load_samples(copies[suite]))
    result = unittest.TestResult()
    with warnings.catch_warnings():
        warnings.simplefilter("default")  # as regrtest runs the suites
        unittest.TestSuite(collect(module) for module in modules).run(result)
    return {
        "run": result.testsRun,
        "failures": sorted(test.id() for test, _ in result.failures),
        "errors": sorted(test.id() for test, _ in result.errors),
        "skipped": sorted(test.id() for test, _ in result.skipped),
        "names of the copy": sum(uses(module, tested, instead_of=regular) for module in modules),
        "names of the regular module": sum(uses(module, regular, instead_of=tested) for module in modules),
        "details": [text for _, text in result.failures + result.errors],
    }


def module_names(suite: str) -> list[str]:
    """Return the dotted names of a suite's modules: itself, and where it is a package its test modules."""
    folders = getattr(importlib.util.find_spec(suite), "submodule_search_locations", None)
    found = [entry.name for entry in pkgutil.iter_modules(folders or []) if entry.name.startswith("test_")]
    return [suite, *(f"{suite}.{child}" for child in found)]


def packages_beside(suite: str) -> list[str]:
    """Return the packages with sample code for a suite, which must mean the same module by its imports."""
    package = "test.typinganndata"
    return [package] if suite == "test.test_typing" and importlib.util.find_spec(package) is not None else []


def load_copies(names: list[str], mapper: Mapper = pep302_mapper) -> dict[str, ModuleType]:
    """Load a module, or modules of one package, and return them with the submodules that came with them."""
    if importlib.util.find_spec(names[0]).submodule_search_locations is None:  # type: ignore[union-attr] # it is there
        return {names[0]: load_named(names[0], mapper)}
    copy = load_package_named(names[0], mapper)
    for name in names:
        copy.load_named(name)
    return copy.modules


def load_samples(package: ModuleType) -> dict[str, ModuleType]:
    """Return the modules of an isolated copy of a package but for its command, loading those that it did not need."""
    names = [f"{package.__name__}.{entry.name}" for entry in pkgutil.iter_modules(getattr(package, "__path__", []))]
    load = vars(package)["__builtins__"]["__import__"]
    return {name: load(name, fromlist=("*",)) for name in [package.__name__, *names] if not name.endswith("__main__")}


def overrides(name: str, tested: ModuleType) -> dict[str, Any]:
    """Return what the names that a suite imports mean: the module under test, and how it gets fresh copies of it."""
    helper = importlib.import_module("test.support.import_helper")

    def import_fresh_module(wanted: str, fresh: Iterable[str] = (), blocked: Iterable[str] = ()) -> ModuleType:
        if wanted != name:
            return helper.import_fresh_module(wanted, fresh, blocked)
        return load_named(wanted, ExclusiveMapper(pep302_mapper, blocked))

    fresh_copies = proxy_module(helper, import_fresh_module=import_fresh_module)
    return {name: tested, "test.support.import_helper": fresh_copies}


def collect(module: ModuleType) -> unittest.TestSuite:
    """Return the tests of a module; a package's `load_tests`, which discovers by name, is not asked."""
    loader = unittest.TestLoader()
    if not hasattr(module, "__path__"):
        return loader.loadTestsFromModule(module)
    kinds = [
        value for value in vars(module).values() if isinstance(value, type) and issubclass(value, unittest.TestCase)
    ]
    return unittest.TestSuite(map(loader.loadTestsFromTestCase, kinds))


def uses(module: ModuleType, tested: ModuleType, *, instead_of: ModuleType) -> int:
    """Return how many names of a suite are the one module, or its own objects of that name, and not the other's."""
    if tested is instead_of:
        return 0
    count = 0
    for name, value in vars(module).items():
        theirs = vars(tested).get(name)
        count += value is tested or (theirs is not None and value is theirs and value is not vars(instead_of).get(name))
    return count


if __name__ == "__main__":
    outcome = main(*sys.argv[1:])
    sys.stdout.flush()
    print("\n" + json.dumps(outcome))
