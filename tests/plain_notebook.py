"""A notebook without IPython: cells that run in a namespace, and a session at its side."""

from __future__ import annotations

import importlib
import linecache
import sys
from itertools import count
from types import ModuleType
from typing import Any

from exocet_ipython.notebook.report import ReloadReport
from exocet_ipython.notebook.session import Session
from exocet_ipython.reloading.noticing.changes import Detector

__all__ = ["PlainNotebook", "python_import", "state_of"]

_numbers = count(1)


class PlainNotebook:
    """What a person has open: names, and the session that reloads for them.

    Attributes:
        space: the names.
        session: the session that owns them.
    """

    def __init__(self, space: dict[str, Any] | None = None, detector: Detector | None = None) -> None:
        self.space: dict[str, Any] = {} if space is None else space
        self.session = Session(self.space, detector=detector)

    def __getitem__(self, name: str) -> Any:
        return self.space[name]

    def run(self, cell: str) -> None:
        """Run a cell as the magics' shell does: first imports of own code join, and its names are learned."""
        name = f"<cell {next(_numbers)}>"
        linecache.cache[name] = (len(cell), None, cell.splitlines(keepends=True), name)
        with self.session.managed.claiming():
            exec(compile(cell, name, "exec"), self.space)
        self.session.learn(cell)

    def exoload(self, name: str, alias: str | None = None) -> ModuleType:
        """Do what `%exoload NAME as ALIAS` does, and return the module that is current then."""
        module = self.session.load(name)
        self.session.bind(alias or name.rpartition(".")[2], name)
        assert module is sys.modules[name]
        return module

    def reload(self, *names: str, force: bool = False) -> ReloadReport:
        """Reload and return the report; what made it fail is raised."""
        report = self.session.reload(names, force=force)
        if report.error is not None:
            raise report.error
        return report

    def reloaded(self) -> list[str]:
        """Reload and return the dotted names of the modules that were made anew, sorted."""
        return sorted(module.name for module in self.reload().reloaded)


def python_import(name: str) -> ModuleType:
    """Import a module as Python does.

    Test files are own code too, as `sys.modules` has it: an import statement in one, or `import_module` beside a
    constant, would make the test file an importer that is run again.
    """
    return importlib.import_module(name)


def state_of(notebook: PlainNotebook, *roots: str) -> dict[str, Any]:
    """Return all that a failing verb may not change: names, modules, their attributes, finders; compare with `==`.

    Args:
        notebook: whose names count.
        roots: top-level names of the modules that count.
    """
    modules = {name: module for name, module in sys.modules.items() if name.partition(".")[0] in roots}
    return {
        "names": [(name, id(value)) for name, value in notebook.space.items()],
        "modules": {name: id(module) for name, module in modules.items()},
        "attributes": {
            (name, key): id(value) for name, module in modules.items() for key, value in vars(module).items()
        },
        "finders": [id(finder) for finder in sys.meta_path],
        "generation": notebook.session.generation.number,
        "records": {name: id(notebook.session.generation.records.get(name)) for name in modules},
    }
