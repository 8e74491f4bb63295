"""Circles of imports: whether one has to begin somewhere else than it did."""

from __future__ import annotations

from exocet_ipython.reloading.building.batch import Texts
from exocet_ipython.reloading.building.plan import Plan
from exocet_ipython.reloading.generation import Generation
from exocet_ipython.reloading.graph import read_imports
from exocet_ipython.reloading.noticing.changes import Change

__all__ = ["changes_imports", "is_circular"]


def changes_imports(plan: Plan, current: Generation, texts: Texts) -> bool:
    """Say whether edits may have changed which module of a circle a restart begins with.

    Which values the modules of a circle take from each other half-way depends on that. As long as all import statements
    are the same, they began as they will.

    Args:
        plan: what is made anew.
        current: what it is made beside.
        texts: dotted name -> what was read again and compiled a moment ago.
    """
    for step in plan.steps:
        if not isinstance(step.because, Change) or step.because.kind == "data":
            continue
        record = current.records.get(step.name)
        if step.because.kind != "modified" or record is None or step.name not in texts:
            return True
        _, code = texts[step.name]
        now = read_imports(code, step.name, is_package=hasattr(record.module, "__path__"))
        if [one.names for one in now] != [one.names for one in record.imports]:
            return True
    return False


def is_circular(error: BaseException) -> bool:
    """Say whether a module was asked for something before its body had come to it.

    >>> is_circular(ImportError("cannot import name 'a' from partially initialized module 'm'"))
    True
    """
    return isinstance(error, (ImportError, AttributeError)) and "partially initialized module" in str(error)
