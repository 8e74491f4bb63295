"""Fixtures that tests of every floor use."""

from __future__ import annotations

import gc
import importlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.workshop import Workshop

# Tests look through the heap, and what is imported here all of them would look over: a parser of 120,000 objects, for
# a format that no notebook has. `nbformat` imports it by way of `jsonschema`, which does without it.
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment] # as Python has it: importing it fails
importlib.import_module("jsonschema")
del sys.modules["rfc3987_syntax"]

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # So a shell starts what it runs in the background: no interrupt would arrive, here or in kernels.
    signal.signal(signal.SIGINT, signal.default_int_handler)
# Two saves within a second that keep the size leave a `.pyc` that a fresh interpreter takes for the second one's. The
# tests of byte code turn it on.
sys.dont_write_bytecode = True
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests on real packages last, those that look over the heap first: what is loaded stays, and is seen."""

    def rank(item: pytest.Item) -> tuple[bool, bool]:
        is_on_packages = item.get_closest_marker("proof") is not None
        return is_on_packages, item.path.parent.name not in {"stories", "survivors"}

    items.sort(key=rank)


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    """A temporary project on `sys.path`; leaving it proves that nothing leaked."""
    with Workshop(tmp_path / "project") as project:
        yield project


@pytest.fixture
def heap_looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The looks through the heap since the test began: about how many objects each has asked."""
    looks: list[int] = []
    look = gc.get_referrers

    def counted(*sought: object) -> list[Any]:
        looks.append(len(sought))
        return look(*sought)

    monkeypatch.setattr(gc, "get_referrers", counted)
    return looks
