"""Modules whose body the person has run again by hand: `importlib.reload(module)` in a cell.

Python runs it in the dict that the module has. What its globals hold since is the body's, as far as the text names it,
and no cell's; and what lives of the classes and functions of the runs before is old, although no reload of ours
replaced it.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from types import FunctionType
from typing import Any

from exocet_ipython.loading.classes import module_said_by
from exocet_ipython.loading.references import OwnReference
from exocet_ipython.reloading.generation import Generation
from exocet_ipython.reloading.joining.adoption import run_again
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.survivors.classes import living_classes
from exocet_ipython.survivors.definitions import Kind
from exocet_ipython.survivors.finding.generations import RetiredGeneration

__all__ = ["earlier_runs", "find_reruns"]


def find_reruns(generation: Generation, names: Iterable[str]) -> dict[str, ModuleRecord]:
    """Return those modules whose body has run again by hand, with records of what they hold since.

    Args:
        generation: the current one.
        names: of the modules to look at.
    """
    records = generation.records
    return run_again(generation, [name for name in names if name in records and records[name].has_run_again])


def earlier_runs(records: Iterable[ModuleRecord], number: int) -> RetiredGeneration:
    """Return what lives of the classes and functions that earlier runs of the bodies of these modules defined.

    One look at all functions and classes that there are: nothing else leads to them.

    Args:
        records: of modules that have run again.
        number: of the generation that they belong to.
    """
    found = list(_earlier_definitions({id(vars(record.module)): record for record in records}))
    return RetiredGeneration(number, [(kind, name, OwnReference(value)) for kind, name, value in found])


def _earlier_definitions(records: dict[int, ModuleRecord]) -> Iterator[tuple[Kind, str, Any]]:
    for value in gc.get_objects():
        if type(value) is FunctionType:
            record = records.get(id(value.__globals__))
            if record is not None and _is_replaced(record, value, value.__module__):
                yield "function", f"{record.name}.{value.__name__}", value
    names = {record.name: record for record in records.values()}
    for cls in living_classes():
        home = module_said_by(cls)
        record = names.get(home) if type(home) is str else None
        if record is not None and _is_replaced(record, cls, home):
            yield "class", f"{record.name}.{cls.__qualname__}", cls


def _is_replaced(record: ModuleRecord, value: Any, home: Any) -> bool:
    """Say whether another definition has the name of a top-level one by now."""
    name = value.__qualname__
    now = vars(record.module).get(name)
    return home == record.name and now is not None and now is not value and type(now).__name__ == type(value).__name__
