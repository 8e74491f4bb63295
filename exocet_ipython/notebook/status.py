"""What `%exostatus` tells: the state of each module, and what lives of replaced generations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from exocet_ipython.notebook.report import plural, to_html
from exocet_ipython.reloading.changes import Change
from exocet_ipython.reloading.generation import Generation
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.survivors.records import RetiredGeneration, Survivor

__all__ = ["GenerationStatus", "ModuleStatus", "StatusReport", "describe_status"]


@dataclass(frozen=True, slots=True)
class ModuleStatus:
    """One module of the current generation: its dotted name, file, the generation it was made in, and its state.

    The state is `current`, `modified`, `deleted`, `unreadable`, or `unknown` where the text that ran is not known.
    """

    name: str
    path: str
    generation: int
    state: str


@dataclass(frozen=True, slots=True)
class GenerationStatus:
    """One replaced generation of which something lives.

    Attributes:
        number: of the generation.
        survivors: what the notebook's names hold of it.
        others: how many of its modules, classes and functions live without such a name: held by other objects, or
            garbage that the collector has not seen yet.
        unreferenced: how many of its definitions can't be tracked, because they can't be referenced weakly.
    """

    number: int
    survivors: tuple[Survivor, ...]
    others: int
    unreferenced: int = 0

    def lines(self) -> list[str]:
        """Return one line for each thing that lives."""
        lines = [str(survivor) for survivor in self.survivors]
        if self.others:
            lines.append(f"{plural(self.others, 'definition')} not held by a name (or not collected yet)")
        if self.unreferenced:
            lines.append(f"{plural(self.unreferenced, 'definition')} that can't be tracked")
        return lines


@dataclass(frozen=True, slots=True)
class StatusReport:
    """The modules of the current generation, what lives of those before it, and what slows noticing changes."""

    generation: int
    modules: tuple[ModuleStatus, ...] = ()
    retired: tuple[GenerationStatus, ...] = ()
    limits: tuple[str, ...] = ()

    def __repr__(self) -> str:
        lines = [self.headline]
        for title, entries in self.details():
            lines += [f"  {title}:", *(f"    {entry}" for entry in entries)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return to_html(self.headline, self.details(), opened=True)

    @property
    def headline(self) -> str:
        """The one line that sums it up.

        >>> StatusReport(0).headline
        'nothing is loaded; load a module with %exoload NAME'
        """
        if not self.modules:
            return "nothing is loaded; load a module with %exoload NAME"
        return f"generation {self.generation}: {plural(len(self.modules), 'module')}, {self._summary}"

    @property
    def _summary(self) -> str:
        alive = sum(len(generation.survivors) for generation in self.retired)
        changed = sum(module.state in ("modified", "deleted", "unreadable") for module in self.modules)
        old = f"{plural(alive, 'old definition')} held by names" if alive else "no old object held by a name"
        return f"{plural(changed, 'file')} changed on disk, {old}"

    def details(self) -> list[tuple[str, list[str]]]:
        """Return the modules and the living old generations, as (title, lines)."""
        width = max((len(module.name) for module in self.modules), default=0)
        modules = [f"{module.name:<{width}}  {module.state} (made in {module.generation})" for module in self.modules]
        old = [(f"generation {generation.number}, replaced", generation.lines()) for generation in self.retired]
        return [
            (title, lines) for title, lines in [("modules", modules), *old, ("noticing", list(self.limits))] if lines
        ]


def describe_status(
    generation: Generation,
    changes: Iterable[Change],
    retired: Iterable[RetiredGeneration],
    survivors: Iterable[Survivor],
    limits: tuple[str, ...] = (),
) -> StatusReport:
    """Return the report on a session.

    Args:
        generation: the current one.
        changes: the files that differ on disk.
        retired: the replaced generations of which something lives.
        survivors: what the notebook's names hold of them.
        limits: what is noticed in a slower way than it could be, and why.
    """
    states = {change.name: change.kind for change in changes}
    modules = tuple(_module(record, states) for record in generation.records.values())
    living = tuple(_generation(old, list(survivors)) for old in retired)
    return StatusReport(generation.number, modules, living, limits)


def _module(record: ModuleRecord, states: Mapping[str, str]) -> ModuleStatus:
    known = "current" if record.snapshot.digest or not record.snapshot.path else "unknown"
    path = record.snapshot.path or ""
    return ModuleStatus(record.name, path, record.generation, states.get(record.name, known))


def _generation(retired: RetiredGeneration, survivors: Iterable[Survivor]) -> GenerationStatus:
    held = tuple(survivor for survivor in survivors if survivor.generation == retired.number)
    named = {survivor.name for survivor in held}  # an instance that a name holds says why its class lives
    others = sum(name not in named for _, name, _ in retired.living())
    return GenerationStatus(retired.number, held, others, retired.unreferenced)
