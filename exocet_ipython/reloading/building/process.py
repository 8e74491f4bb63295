"""What bodies had added to the process is not there when they run again: entries of `sys.path`, finders, variables."""

from __future__ import annotations

import contextlib
import os
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from exocet_ipython.reloading.recording import ModuleRecord

__all__ = ["without_additions"]


@contextlib.contextmanager
def without_additions(names: Collection[str], records: Mapping[str, ModuleRecord]) -> Iterator[None]:
    """Take off, before the block, what these modules had added to the process; all is as it was where it fails.

    What another module has added as well stays: it may have been imported by one of these, and doesn't run again.

    Args:
        names: dotted names of the modules whose bodies run in the block.
        records: those of the session, by dotted name.
    """
    running = [record for name, record in records.items() if name in names and _has_additions(record)]
    if not running:
        yield
        return
    others = [record for name, record in records.items() if name not in names and _has_additions(record)]
    hooks: tuple[list[Any], ...] = sys.meta_path, sys.path_hooks
    paths, lists = list(sys.path), [(found, list(found)) for found in hooks]
    variables = _values_before(running, others)
    _take_paths(_most(running) - _most(others))
    gone = {id(ref()) for record in running for ref in record.effects.finders} - {
        id(ref()) for record in others for ref in record.effects.finders
    }
    for found, before in lists:
        found[:] = [entry for entry in before if id(entry) not in gone]
    now = {name: os.environ.get(name) for name in variables}
    _set_variables(variables)
    try:
        yield
    except BaseException:
        sys.path[:] = paths
        for found, before in lists:
            found[:] = before
        _set_variables(now)
        raise
    if Counter(sys.path) == Counter(paths):
        sys.path[:] = paths  # in the order of then: cells may have put theirs before these


def _has_additions(record: ModuleRecord) -> bool:
    effects = record.effects
    return bool(effects.paths or effects.finders or effects.variables)


def _most(records: Iterable[ModuleRecord]) -> Counter[str]:
    """Return how often entries were added: a body's note has those of the bodies within it as well."""
    most = Counter[str]()
    for record in records:
        most |= Counter(record.effects.paths)
    return most


def _take_paths(gone: Counter[str]) -> None:
    for path in gone.elements():
        with contextlib.suppress(ValueError):  # a cell has taken it off
            sys.path.remove(path)


def _values_before(running: Iterable[ModuleRecord], others: Iterable[ModuleRecord]) -> dict[str, str | None]:
    """Return the variables that are as these modules have left them, with what they were before."""
    kept = {(name, after) for record in others for name, _, after in record.effects.variables}
    found: dict[str, str | None] = {}
    for record in sorted(running, key=lambda record: -record.order):
        for name, before, after in record.effects.variables:
            if (name, after) not in kept and found.get(name, os.environ.get(name)) == after:
                found[name] = before
    return found


def _set_variables(values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
