"""The notebook about old instances, run in a real kernel: a model in training outlives the edits of its class."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

from tests.notebooks.stored import NOTEBOOKS, code_cells, output_text, run_notebook
from tests.shells import person_environment

pytestmark = pytest.mark.notebook

NOTEBOOK = NOTEBOOKS / "02-old-instances.ipynb"


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The text below each cell after a run, by the cell's id."""
    temporary = tmp_path_factory.mktemp("temporary")
    notebook = run_notebook(NOTEBOOK, person_environment(temporary) | {"TMPDIR": str(temporary)})
    return {cell.id: output_text(cell) for cell in code_cells(notebook)}


def test_a_reload_leaves_the_model_in_training_alone(shown: dict[str, str]) -> None:
    """The report names what is old; the model is no instance of the new class, and goes on learning."""
    assert "old Model alive: model" in shown["reload"]
    assert shown["old"].splitlines()[:2] == ["of the new class: False", "can explain itself: False"]


def test_what_lives_is_counted_and_explained(shown: dict[str, str]) -> None:
    """`%exostatus --scan` counts the instances, and `%exowhy` gives the expression that reaches the model."""
    assert "2 instances of lab.model.Layer" in shown["exostatus"]
    assert "model" in shown["exowhy"]
    assert "trainer.model" in shown["exowhy"]


def test_migrating_keeps_what_was_learned(shown: dict[str, str]) -> None:
    """After each way of moving, the same training goes on where it was, and gets better every time."""
    assert shown["moved"].splitlines()[:3] == [
        "of the new class: True",
        "the same object: True",
        "the loop has the same one: True",
    ]
    assert "2 of lab.model.Layer stay as they were" in shown["stuck"]
    assert shown["rebuilt"].splitlines()[-3:-1] == ["slots now: True", "the best layers are the model's: True"]
    losses = [
        float(number)
        for cell in ("train", "old", "moved", "hooked", "rebuilt")
        for number in re.findall(r"(?:loss|learning:) (\d\.\d+)", shown[cell])
    ]
    assert len(losses) == 5
    assert losses == sorted(losses, reverse=True)


def test_collecting_lets_go_of_what_only_ipython_keeps(shown: dict[str, str]) -> None:
    """`Out` held the last old layer; afterwards nothing old is alive."""
    assert "old Layer alive: Out[5]" in shown["done"]
    assert shown["collect"].startswith("let go of Out[5]")
    assert "alive still" not in shown["collect"]
    assert shown["clean"].startswith("generation 4: 3 modules, 0 files changed on disk, no old object")


def test_the_stored_outputs_are_those_of_a_run(shown: dict[str, str]) -> None:
    """Who reads the notebook without running it sees what a run shows; `stored.py` stores the outputs anew."""
    stored = {cell.id: output_text(cell) for cell in code_cells(nbformat.read(NOTEBOOK, as_version=4))}
    assert stored == shown


def test_the_notebook_stores_nothing_of_a_machine() -> None:
    """No metadata beside the kernel's name and our tags, no temporary folder."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert sorted(notebook.metadata) == ["kernelspec", "language_info"]
    assert [cell.id for cell in notebook.cells if set(cell.metadata) - {"tags"}] == []
    text = Path(NOTEBOOK).read_text(encoding="utf-8").replace('training-\\"', "")
    assert re.findall(r"training-\w+", text) == []
