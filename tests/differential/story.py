"""A random project's edits and a notebook's cells: what a script says of them, and what to look at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from tests.differential.classes import Instance, Klass
from tests.differential.definitions import Definition, Ref, Table
from tests.differential.functions import Kept, Registry
from tests.differential.notebook import Cell
from tests.differential.project import Project
from tests.differential.script import Script

__all__ = ["Story"]

# What the probes use.
_LIBRARIES = "import sys, inspect, functools, types, collections, dataclasses"


@dataclass
class Story:
    """A project, and what happens to it.

    Attributes:
        project: what the files say, but for the broken ones.
        cells: the cells that ran.
        script: all of it, to be run.
    """

    project: Project
    cells: list[Cell] = field(default_factory=list)
    script: Script = field(init=False)
    _marks: list[tuple[dict[str, str], str]] = field(default_factory=list)  # files, and what to ask when they are back

    def __post_init__(self) -> None:
        self.script = Script(self.project.texts())
        self.script.run(_LIBRARIES)

    def run(self, cell: Cell) -> None:
        """Have a cell run."""
        self.cells.append(cell)
        self.script.wholes |= set(cell.probes) if cell.adds else set()
        self._marks += [(self.script.disk, cell.returns)] if cell.returns else []
        self.script.run(cell.code)

    def edit(self, project: Project, words: str) -> None:
        """Have the files be those of a project."""
        self._forget_containers(self.project, project)
        self.project = project
        self.script.save(project.texts(), words)

    def break_file(self, path: str, text: str, words: str) -> None:
        """Have one file be such that it can't be imported."""
        self.script.save({**self.script.disk, path: text}, f"{words} in {path}", rejected=True)

    def _forget_containers(self, before: Project, now: Project) -> None:
        """Ask no more for a container whose definition goes: what holds it does not follow when that is back.

        README states this limit, and that an instance without a place for a weak reference is like that. A name that a
        cell has imported is used no more: it goes on meaning the old one. What is a key can't be followed either where
        its definition is something that is no key.
        """
        gone = {ref for ref in before.refs() if _is_unreferenced(before, ref) and not now.provides(ref)}
        tuples = {ref for ref in before.refs() if _is_tuple(before.find(ref)) and _is_tuple(now.find(ref)) is False}
        for place, cell in enumerate(self.cells):
            names = {name for ref, name in cell.given if ref in gone}
            asked = tuple(probe for probe in cell.probes if probe.partition(" ")[0] not in names)
            given = tuple(pair for pair in cell.given if pair[0] not in gone)
            lost = cell.about in gone or (cell.hashes and cell.about in tuples)
            self.cells[place] = replace(cell, probes=() if lost else asked, given=given)

    def ask(self) -> None:
        """Look at everything: what the modules export, what the cells hold."""
        back = (probe for files, probe in self._marks if files == self.script.disk)
        self.script.ask([*self._exports(), *(probe for cell in self.cells for probe in cell.probes), *back])

    def _exports(self) -> Iterator[str]:
        """Yield expressions that show the definitions of the modules that the notebook imports."""
        imported = {name for cell in self.cells for name in cell.modules}
        for module in self.project.modules:
            if module.name not in imported:
                continue
            for definition in module.definitions:
                probes = list(definition.probes(f"{module.name}.{definition.name}"))
                yield from probes
                if type(definition).__name__ in ("Registry", "Meta", "Dispatch", "Constant", "Kept"):
                    self.script.wholes |= set(probes)  # what cells did counts
                self.script.wholes |= {probe for probe in probes if ".known" in probe}
            for ref in module.refs(late=False):
                if ref.module in imported and ref.module != module.name and module.style == "from":
                    yield f"{module.name}.{ref.name} is {ref.module}.{ref.name}"
            yield from (f"{module.name}.{name}" for name, _ in module.lazy)
            if module.optional:
                yield f"{module.name}.has_{module.optional}"
            # Not the modules: calling a function that imports late brings one, and the look before may have called it.
            shown = "name[0] != '_' and not inspect.ismodule(value)"
            yield f"sorted(name for name, value in vars({module.name}).items() if {shown})"


def _is_unreferenced(project: Project, ref: Ref) -> bool:
    """Say whether a definition makes something that can't be referenced weakly."""
    found = project.find(ref)
    if isinstance(found, Instance):
        return isinstance(cls := project.find(found.cls), Klass) and cls.flavour == "slots"
    return isinstance(found, (Kept, Registry, Table))


def _is_tuple(definition: Definition | None) -> bool | None:
    """Say whether a container is a tuple that can be a key; None of anything else."""
    return definition.form == "tuple" and bool(definition.items) if isinstance(definition, Table) else None
