"""`Out`, `_` and `_5` show what `%exoload` returned: they follow a reload, and never hold the old module."""

from __future__ import annotations

import builtins
import gc
import weakref

import pytest

from tests.shells import Notebook
from tests.workshop import Workshop


@pytest.fixture(autouse=True)
def no_underscore_in_builtins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have IPython set `_`: it doesn't where the builtins have one, as they do after a doctest in this process."""
    monkeypatch.delattr(builtins, "_", raising=False)


def test_the_output_cache_follows_and_goes_on(notebook: Notebook, workshop: Workshop) -> None:
    """After a reload `Out`, `_` and `_2` are the new module; `_` then follows the outputs, as without a reload."""
    workshop.write({"a.py": "x = 1\n"})
    notebook.run("%exoload a")
    old = weakref.ref(notebook["a"])
    number = max(notebook["Out"])
    workshop.edit("a.py", "x = 2\n")
    notebook.run("report = %exoreload")
    assert notebook["Out"][number] is notebook["_"] is notebook[f"_{number}"] is notebook["a"]
    gc.collect()
    assert old() is None
    notebook.run("7")
    assert notebook["_"] == 7
    notebook.run("8")
    assert (notebook["_"], notebook["__"]) == (8, 7)
