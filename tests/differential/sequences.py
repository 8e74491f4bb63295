"""Random sequences of a person's work: a state machine that edits files, runs cells, breaks, repairs and undoes.

It draws values only; what happened is run at the end, in live sessions and in restarted ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import groupby
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from tests.differential.definitions import Constant, Definition, Ref
from tests.differential.edits import BREAKS, EDITS, Edit
from tests.differential.machine import Machine
from tests.differential.newcomers import new_definitions
from tests.differential.notebook import Cell, holding_cells, import_cells, marking_cell, other_cells, targets
from tests.differential.project import STYLES, Module, Project
from tests.differential.story import Story

__all__ = ["WorkMachine"]

_T = TypeVar("_T")
# Which modules a project begins with; one needs those before it.
_SKELETONS = (
    ("base", "app"),
    ("base",),
    ("base", "util", "app"),
    ("lib.core", "lib", "app"),
    ("lib.core", "lib.util", "lib", "app"),
    ("lib.core", "lib.sub.deep", "lib.sub", "lib", "app"),
)
_TRIES = 6
_WEIGHTS = {"Klass": 4, "Function": 4, "Enumeration": 2, "Instance": 2}  # of the kinds of definitions; else 1


class WorkMachine(Machine):
    """A person's work with one project and one notebook."""

    story: Story
    _earlier: list[Project]
    _is_broken: bool = False

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        """Write the first files, import them."""
        self._draw = data.draw
        names = self._pick(_SKELETONS)
        project = Project(tuple(Module(name) for name in names))
        for _ in range(self._draw(st.integers(2, 10))):
            project = self._extended(project)
        for module in project.modules:
            project = project.with_module(self._styled(module))
        if not project.is_sound():
            project = Project(tuple(Module(name, module.definitions) for name, module in project.named.items()))
        self.story = Story(project)
        self.script = self.story.script
        self._earlier = [project]
        for module in project.modules:
            if module is project.modules[-1] or not self._is_one_of(5):
                self.story.run(Cell(f"import {module.name}", modules=(module.name,)))
        for _ in range(self._draw(st.integers(2, 12))):
            self._run_some_cell()
        self.story.ask()

    @rule(data=st.data())
    def edit(self, data: st.DataObject) -> None:
        """Save an edit, now and then two at once; what is held is edited more often."""
        self._draw = data.draw
        edit = self._drawn_edit(self.story.project)
        if edit is None:
            return
        words, project = edit.words, edit.project
        if self._is_one_of(4):
            second = self._drawn_edit(project)
            if second is not None:
                words, project = f"{words}; {second.words}", second.project
        self._save(project, words)

    @rule(data=st.data())
    def run_cells(self, data: st.DataObject) -> None:
        """Run new cells, on what is current, and save an edit."""
        self._draw = data.draw
        for _ in range(self._draw(st.integers(1, 3))):
            self._run_some_cell()
        self.edit(data)

    @rule(data=st.data())
    def return_or_break(self, data: st.DataObject) -> None:
        """Bring the texts of an earlier moment back, or save a file that can't be imported and repair it."""
        self._draw = data.draw
        if self._is_one_of(2):
            self._break()
            return
        others = [project for project in self._earlier[::-1] if project != self.story.project]
        if others:
            self._save(self._pick(others), "undo")

    @rule(data=st.data())
    def go_back(self, data: st.DataObject) -> None:
        """Save edits and take them back, where something keeps alive what was there before: it is there again."""
        self._draw = data.draw
        project = self.story.project
        if all(module.has_code for module in project.modules):
            imported = {name for cell in self.story.cells for name in cell.modules}
            self.story.run(marking_cell(project, imported, len(self.story.cells)))
        for _ in range(self._draw(st.integers(1, 2))):
            if self._is_one_of(3):
                self._run_some_cell()
            self.edit(data)
        self._save(project, "undo")

    def _break(self) -> None:
        """Save a file that can't be imported; repair it by another edit, or by what was there."""
        project = self.story.project
        imported = [name for cell in self.story.cells for name in cell.modules if name in project.named]
        if not imported:
            return
        words = self._pick(tuple(BREAKS))
        path = project.path(self._pick(imported))
        self.story.break_file(path, project.texts()[path] + BREAKS[words], words)
        self.story.ask()
        edit = self._drawn_edit(project) if self._is_one_of(2) else None
        self._save(edit.project if edit is not None else project, "repair" + (f"; {edit.words}" if edit else ""))

    # -- drawing -------------------------------------------------------------------------------------------------

    def _save(self, project: Project, words: str) -> None:
        self.story.edit(project, words)
        self._earlier.append(project)
        self.story.ask()

    def _extended(self, project: Project) -> Project:
        """Return a project with one definition more: the kind is drawn first, so that none is rare."""
        for _ in range(_TRIES):
            module = self._pick(project.modules)
            found = self._by_kind(list(new_definitions(project)), lambda found: type(found).__name__)
            after = project.with_module(replace(module, definitions=(*module.definitions, found)))
            after = Project(after.modules, project.following + 1)
            if after.is_sound():
                return after
        return project

    def _by_kind(self, values: list[_T], kind: Callable[[_T], str]) -> _T:
        groups = {name: list(group) for name, group in groupby(sorted(values, key=kind), key=kind)}
        wheel = [name for name in groups for _ in range(_WEIGHTS.get(name, 1))]
        return self._pick(groups[self._pick(wheel)])

    def _styled(self, module: Module) -> Module:
        return replace(
            module,
            style=self._pick(STYLES),
            at_end=self._draw(st.booleans()),
            public=self._is_one_of(4),
            lazy=(("lazy", 1),) if self._is_one_of(8) else (),
            optional="extra" if self._is_one_of(8) else "",
        )

    def _drawn_edit(self, project: Project) -> Edit | None:
        held = {cell.about for cell in self.story.cells}
        for _ in range(_TRIES):
            found = list(self._pick(EDITS)(project))
            wanted = [edit for edit in found if edit.touched in held]
            if wanted and not self._is_one_of(4):
                found = wanted
            if found:
                edit = self._pick(found)
                if edit.project.is_sound() and not any(map(edit.project.hands_on, self._assigned)):
                    return edit
        return None

    def _run_some_cell(self) -> None:
        project, number = self.story.project, len(self.story.cells)
        if self._is_one_of(4):
            self.story.run(self._pick(list(import_cells(project, number))))
            return
        reachable = list(self._reachable())
        if not reachable:
            return
        definition, ref, it = self._by_kind(reachable, lambda found: type(found[0]).__name__)
        found = list(other_cells(definition, ref, it, number))
        held = list(targets(definition, ref, it))
        if held and (not found or not self._is_one_of(4)):
            self.story.run(self._pick(list(holding_cells(self._pick(held), number))))
        elif found and not (isinstance(definition, Constant) and project.hands_on(ref)):
            self.story.run(self._pick(found))

    @property
    def _assigned(self) -> list[Ref]:
        """The constants that cells have assigned: a module that runs again would take the value of the cell."""
        found = [cell.about for cell in self.story.cells if cell.adds and cell.about is not None]
        return [ref for ref in found if isinstance(self.story.project.find(ref), Constant)]

    def _reachable(self) -> Any:
        """Yield what the notebook can name: definition, reference, expression."""
        project = self.story.project
        imported = {name for cell in self.story.cells for name in cell.modules}
        for ref in project.refs():
            definition = project.find(ref)
            if definition is not None and ref.module in imported:
                yield definition, ref, f"{ref.module}.{ref.name}"
        for cell in self.story.cells:
            for ref, name in cell.given:
                given: Definition | None = project.find(ref)
                if given is not None:
                    yield given, ref, name
