"""Notebooks are run in a real kernel, and compared with the outputs that are stored in their files.

`python -m tests.notebooks.stored` runs every notebook and stores its outputs anew.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
TIMEOUT = 60  # seconds for one cell

# What differs from run to run, and what stands for it in a stored output.
_VOLATILE = (
    (re.compile(r"(?:/[^\s/'\"\x1b]+)+/(textgame|training)-\w+"), r"/tmp/\1"),  # noqa: S108 - a text, no file
    (re.compile(r"\b\d+ ms\b"), "1 ms"),
    (re.compile(r"\b\d+(?:\.\d)? (?:bytes|kB)"), "1 kB"),
)
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
# How much of an old module lives is the interpreter's affair.
_COUNT = re.compile(r"\b\d+ definitions? (?=not held)")
_GONE = re.compile(r"\b\d+ (old objects gone|x (?:classes|modules))")  # less where the collector came by before
_KINDS = re.compile(r"\b(\d+|no) known instances?.*(?=; about)")


def run_notebook(path: Path, environment: Mapping[str, str] = os.environ, last: str = "") -> Any:
    """Run a notebook from top to bottom in a kernel of this Python, in its own folder, and return it with outputs.

    Args:
        path: of the notebook, which is not written.
        environment: of the kernel's process.
        last: the source of one more cell, with the id `left`.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed that has no `raises-exception` tag.
    """
    notebook = nbformat.read(path, as_version=4)
    for cell in code_cells(notebook):
        cell.outputs = []
        cell.execution_count = None
    if last:
        notebook.cells.append(nbformat.v4.new_code_cell(last, id="left"))
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=TIMEOUT,
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": path.parent}},
    )
    client.execute(env=dict(environment))
    return notebook


def store_outputs(path: Path) -> None:
    """Run a notebook and save it with its outputs, made steady, and no more metadata than it had."""
    metadata = nbformat.read(path, as_version=4).metadata
    notebook = run_notebook(path)
    notebook.metadata = metadata
    for cell in code_cells(notebook):
        cell.outputs = [steady(output) for output in cell.outputs]
    nbformat.write(notebook, path)


def code_cells(notebook: Any) -> list[Any]:
    """Return the cells that run."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def steady(value: Any) -> Any:
    """Return an output, or a part of one, with the same text in each run.

    >>> steady({"text": "<module 'game' from '/tmp/textgame-x7_/game.py'> in 12 ms"})
    {'text': "<module 'game' from '/tmp/textgame/game.py'> in 1 ms"}
    """
    if isinstance(value, dict):
        return type(value)((key, steady(item)) for key, item in value.items())
    if isinstance(value, list):
        return [steady(item) for item in value]
    if isinstance(value, str):
        for pattern, replacement in _VOLATILE:
            value = pattern.sub(replacement, value)
    return value


def output_text(cell: Any) -> str:
    """Return what a person reads below a cell, steady and without colours: results as plain text, errors as shown."""
    parts = []
    for output in cell.outputs:
        match output.output_type:
            case "stream":
                parts.append(output.text)
            case "error":
                parts.append("\n".join(output.traceback))
            case _:
                parts.append(output.data["text/plain"])
    text = _COLOURS.sub("", steady("\n".join(part.rstrip("\n") for part in parts)))
    text = _GONE.sub(r"some \1", text)
    return _KINDS.sub("some known instances", _COUNT.sub("some definitions ", text))


if __name__ == "__main__":
    for notebook_path in [Path(argument) for argument in sys.argv[1:]] or sorted(NOTEBOOKS.glob("*.ipynb")):
        store_outputs(notebook_path)
        print("stored the outputs of", notebook_path.name)
