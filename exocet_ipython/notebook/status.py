"""What `%exostatus` tells: the state of each module, and what lives of replaced generations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from exocet_ipython.notebook.report import GenerationStatus, ModuleStatus, StatusReport
from exocet_ipython.reloading.changes import Change
from exocet_ipython.reloading.generation import Generation
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.survivors.records import RetiredGeneration, Survivor

__all__ = ["describe_status"]


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
