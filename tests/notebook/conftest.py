"""Fixtures with a real IPython shell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from exocet_ipython.notebook.shell import detach
from tests.shells import Notebook, open_shell
from tests.workshop import Workshop


@pytest.fixture
def plain(workshop: Workshop, tmp_path: Path) -> Iterator[Notebook]:
    """A notebook on the project `workshop`, with nothing loaded; the shell is gone before the workshop looks."""
    assert workshop.folder.is_dir()
    with open_shell(tmp_path / "ipython") as shell:
        yield Notebook(shell)


@pytest.fixture
def notebook(plain: Notebook) -> Iterator[Notebook]:
    """A notebook on the project `workshop`, in which the extension is loaded; it is taken off at the end."""
    plain.run("%load_ext exocet_ipython")
    yield plain
    detach(plain.shell)
