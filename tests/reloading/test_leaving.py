"""How a module is left that retires, and what of it has changed since."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from exocet_ipython.loading.source import Snapshot
from exocet_ipython.reloading.holding.leaving import Leaving
from exocet_ipython.reloading.holding.wiring import is_as_made
from exocet_ipython.reloading.recording import ModuleRecord, record_module


class Job:
    """An instance of a module."""

    rows: dict[str, Any] = {}  # noqa: RUF012 - as a person writes it


@pytest.fixture
def record() -> ModuleRecord:
    """The record of a module that has a table, a list and an instance."""
    module = ModuleType("m")
    vars(module).update(TABLE={"a": {"b": {}}}, NAMES=[], job=Job(), Job=Job)
    return record_module(module, Snapshot("m"), None, name="m", order=0, number=1, seconds=0.0)


def own(record: ModuleRecord) -> list[str]:
    """Return the names of what a module's body has left, as its record has it."""
    space = vars(record.module)
    return [name for name in ("TABLE", "NAMES", "job") if is_as_made(record, name, space[name])]


def test_what_has_not_changed_is_the_modules_own(record: ModuleRecord) -> None:
    """A module that nobody has changed is as its body has left it."""
    assert own(Leaving.of(record, ()).since(record)) == ["TABLE", "NAMES", "job"]


def test_what_its_successor_has_is_nobodys(record: ModuleRecord) -> None:
    """What was changed before it retired is the person's, but for that of which the successor has all."""
    names = record.module.NAMES
    names.append(1)
    assert own(Leaving.of(record, ()).since(record)) == ["TABLE", "job"]
    leaving = Leaving.of(record, {id(names)})
    assert own(leaving.since(record)) == ["TABLE", "NAMES", "job"]
    names.append(2)
    assert own(leaving.since(record)) == ["TABLE", "job"]


def test_what_was_changed_since_then_is_the_persons(record: ModuleRecord) -> None:
    """So is all that it is in, as far as that goes with it whole."""
    leaving = Leaving.of(record, ())
    record.module.TABLE["a"]["b"]["c"] = 1
    record.module.job.x = 1
    assert own(leaving.since(record)) == ["NAMES"]
    assert own(record) == ["TABLE", "NAMES"]
