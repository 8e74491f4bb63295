"""Fixtures that tests of every floor use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.workshop import Workshop


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    """A temporary project on `sys.path`; leaving it proves that nothing leaked."""
    with Workshop(tmp_path / "project") as project:
        yield project
