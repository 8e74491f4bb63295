"""Fixtures for sessions in which ordinary imports follow the files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from exocet_ipython.notebook.shell import detach
from tests.shells import Notebook, open_shell
from tests.workshop import Workshop


@pytest.fixture
def tracking(workshop: Workshop, tmp_path: Path) -> Iterator[Notebook]:
    """A notebook on the project `workshop`, in which reloads only track what they replace."""
    assert workshop.folder.is_dir()
    with open_shell(tmp_path / "ipython") as shell:
        notebook = Notebook(shell)
        notebook.run("%load_ext exocet_ipython")
        yield notebook
        detach(shell)


@pytest.fixture
def auto(tracking: Notebook) -> Notebook:
    """A notebook on the project `workshop`, in which automatic reloading is on."""
    tracking.run("%exoauto on")
    return tracking
