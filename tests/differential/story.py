"""A sequence of edits and cells, written as a scenario, and what of it differs from a restarted notebook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tests.differential.classes import Instance, Klass
from tests.differential.definitions import Definition, Ref, Table
from tests.differential.functions import Kept, Registry
from tests.differential.notebook import Cell
from tests.differential.project import Project
from tests.scenarios.scenarios import Probe, Scenario, read_scenario
from tests.scenarios.sessions import Mode, Sessions

__all__ = ["Difference", "Story", "compare"]

_HEADER = "category: differential\nset: random\nsource: a random sequence of edits\n"
# What the probes use.
_LIBRARIES = "import sys, inspect, functools, types, collections, dataclasses"


@dataclass
class Story:
    """Files, and what happens to them in order.

    Attributes:
        project: what the files say, but for the broken ones.
        cells: the cells that ran.
        words: the edits in words.
    """

    project: Project
    cells: list[Cell] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    _sections: list[str] = field(default_factory=list)
    _disk: dict[str, str] = field(default_factory=dict)
    _wholes: set[str] = field(default_factory=set)
    _marks: list[tuple[dict[str, str], str]] = field(default_factory=list)  # files, and what to ask when they are back

    def __post_init__(self) -> None:
        self._disk = self.project.texts()
        self._sections = [f"--- file {path}\n{text}" for path, text in self._disk.items()]
        self._sections.append(f"--- cell\n{_LIBRARIES}\n")

    def run(self, cell: Cell) -> None:
        """Have a cell run."""
        self.cells.append(cell)
        self._wholes |= set(cell.probes) if cell.adds else set()
        self._marks += [(self._disk, cell.returns)] if cell.returns else []
        self._sections.append(f"--- cell\n{cell.code}\n")

    def edit(self, project: Project, words: str) -> None:
        """Have the files be those of a project."""
        self._forget_containers(self.project, project)
        self.project = project
        self._save(project.texts(), words)

    def break_file(self, path: str, text: str, words: str) -> None:
        """Have one file be such that it can't be imported."""
        self._save({**self._disk, path: text}, f"{words} in {path}", "!rejected")

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

    def _save(self, texts: Mapping[str, str], words: str, mark: str = "") -> None:
        changed = [path for path, text in texts.items() if self._disk.get(path) != text]
        gone = self._disk.keys() - texts.keys()
        if not changed and not gone:
            return
        self.words.append(words)
        self._sections.append("--- step\n")
        # A folder of which only `__pycache__` is left would still be importable, as a namespace package.
        left = {path.rpartition("/")[0] for path in texts} | {path.removesuffix(".py") for path in texts}
        emptied = {folder for path in gone if (folder := path.rpartition("/")[0]) not in {"", *left}}
        gone = {path for path in gone if path.rpartition("/")[0] not in emptied} | emptied
        self._sections += [f"--- delete {path}\n" for path in sorted(gone)]
        self._sections += [f"--- edit {path} {mark}".rstrip() + f"\n{texts[path]}" for path in changed]
        self._disk = dict(texts)

    def ask(self) -> None:
        """Look at everything: what the modules export, what the cells hold."""
        if self._sections[-1].startswith("--- probe"):
            return
        back = (probe for files, probe in self._marks if files == self._disk)
        probes = dict.fromkeys([*self._exports(), *(probe for cell in self.cells for probe in cell.probes), *back])
        if probes:
            self._sections.append("--- probe\n" + "".join(f"{probe}\n" for probe in probes))

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
                    self._wholes |= set(probes)  # what cells did counts
                self._wholes |= {probe for probe in probes if ".known" in probe}
            for ref in module.refs(late=False):
                if ref.module in imported and ref.module != module.name and module.style == "from":
                    yield f"{module.name}.{ref.name} is {ref.module}.{ref.name}"
            yield from (f"{module.name}.{name}" for name, _ in module.lazy)
            if module.optional:
                yield f"{module.name}.has_{module.optional}"
            # Not the modules: calling a function that imports late brings one, and the look before may have called it.
            shown = "name[0] != '_' and not inspect.ismodule(value)"
            yield f"sorted(name for name, value in vars({module.name}).items() if {shown})"

    @property
    def text(self) -> str:
        """The scenario."""
        return _HEADER + "\n" + "\n".join(self._sections)

    def scenario(self) -> Scenario:
        """Return the scenario, to be run."""
        return read_scenario(self.text, "random")

    def excerpt(self, difference: Difference) -> str:
        """Return the scenario with the probes that differ and no others, up to where they do: to be kept."""
        wrong = "".join(f"{probe}\n" for probe in dict.fromkeys(probe for probe, _, _ in difference.wrong))
        sections: list[str] = []
        asked = -1
        for section in self._sections:
            if section.startswith("--- probe"):
                asked += 1
                # The probes before are what the session has been looked at with: a look may be what it takes.
                sections.append(f"--- probe\n{wrong}" if asked == difference.checkpoint else section)
                if asked == difference.checkpoint:
                    break
            else:
                sections.append(section)
        return _HEADER + "\n" + "\n".join(sections)

    def is_whole(self, probe: str) -> bool:
        """Say whether what a probe shows needs all cells to have run."""
        return probe in self._wholes


def _is_unreferenced(project: Project, ref: Ref) -> bool:
    """Say whether a definition makes something that can't be referenced weakly."""
    found = project.find(ref)
    if isinstance(found, Instance):
        return isinstance(cls := project.find(found.cls), Klass) and cls.flavour == "slots"
    return isinstance(found, (Kept, Registry, Table))


def _is_tuple(definition: Definition | None) -> bool | None:
    """Say whether a container is a tuple that can be a key; None of anything else."""
    return definition.form == "tuple" and bool(definition.items) if isinstance(definition, Table) else None


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a session differs first from restarted ones.

    Attributes:
        mode: of the session.
        checkpoint: number of the look, from 0.
        wrong: probe, what a restarted notebook shows, what the session shows.
        log: what the session has printed.
    """

    mode: Mode
    checkpoint: int
    wrong: tuple[tuple[str, str, str], ...]
    log: str = ""

    def __str__(self) -> str:
        lines = [f"{self.mode}, look {self.checkpoint}:"]
        for probe, want, got in self.wrong:
            lines += [f"  {probe}", f"    want {want}", f"    got  {got}"]
        return "\n".join(lines)


def compare(story: Story, sessions: Sessions, modes: Sequence[Mode]) -> Iterator[Difference]:
    """Yield where the sessions of a story differ from restarted ones.

    A cell that fails in a restarted notebook, since its definition is gone, has made nothing there, and the live
    notebook keeps what it made: what can't be shown there is not compared. Nor, while such cells fail, what lists what
    cells have put into modules.
    """
    scenario = story.scenario()
    if not scenario.probes:
        return
    checkpoints = [*scenario.checkpoints()]
    lives = {mode: sessions.submit(scenario, mode) for mode in modes}
    truths = [sessions.ask_fresh(scenario, *checkpoint) for checkpoint in checkpoints]
    for mode, live in lives.items():
        answer = live.result()
        difference = _first_difference(story, mode, [probes for _, _, probes in checkpoints], truths, answer)
        if difference is not None:
            yield difference


def _first_difference(
    story: Story,
    mode: Mode,
    checkpoints: Sequence[Sequence[Probe]],
    truths: Sequence[Mapping[str, Any]],
    live: Mapping[str, Any],
) -> Difference | None:
    shown = iter(live["shown"])
    for number, (probes, truth) in enumerate(zip(checkpoints, truths, strict=True)):
        wrong = []
        for probe, want in zip(probes, truth["shown"], strict=True):
            got = next(shown, "the session ended")
            if want == "raises NameError":
                continue  # its definition is gone: the live notebook keeps the name
            if truth["failed"] and (want.startswith("raises") or story.is_whole(probe.code)):
                continue
            if got != want:
                wrong.append((probe.code, want, got))
        if wrong:
            return Difference(mode, number, tuple(wrong), "\n".join([*live["failed"], live["log"]]))
    return None
