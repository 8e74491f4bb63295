"""Run the quickstart notebook in a real kernel and say in plain words what happened, with the outputs of the run.

`make demo` runs it. Each fact is shown by the cell that has the fact's tag; a fact that the output of its cell doesn't
prove is an error.
"""

from __future__ import annotations

import platform
import re
import sys
import textwrap
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

NOTEBOOK = Path(__file__).resolve().parent / "01-quickstart.ipynb"
WIDTH = 80
TIMEOUT = 60  # seconds for one cell


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened: the tag of its cell, the sentence that says it, and the output that proves it."""

    tag: str
    sentence: str
    proof: str


FACTS = (
    Fact(
        "demo:loaded",
        "Loaded: a new module object was made from the file.",
        "<module 'game.commands.general'",
    ),
    Fact(
        "demo:edited",
        "Edited: the file was saved with a change, as an editor saves it.",
        "+++ game/commands/general.py",
    ),
    Fact(
        "demo:reloaded",
        "Reloaded: what the edit reaches was made anew, and the report says so.",
        "reloaded game.commands.general",
    ),
    Fact(
        "demo:replaced",
        "Names replaced: `general` is the new module; new objects run the new code.",
        "'Mill: ",
    ),
    Fact(
        "demo:alive",
        "Old instances alive: `look` was made before the edit and works as before.",
        "of the new class: False",
    ),
    Fact(
        "demo:collected",
        "Collected: nothing holds the old code any more, and it is gone.",
        "the old CmdLook is gone: True",
    ),
    Fact(
        "demo:refused",
        "And a broken edit changes nothing: the error shows the line in the file.",
        "not reloaded, nothing has changed",
    ),
)


class MissingFactError(Exception):
    """The notebook ran, but the cell of a fact is not in it, or its output doesn't prove the fact."""


def main() -> int:
    """Run the notebook, print the facts, and return the exit status."""
    print(f"Running notebooks/{NOTEBOOK.name} in a real kernel ...\n", flush=True)
    began = time.perf_counter()
    try:
        notebook = run_notebook(NOTEBOOK)
        story = list(tell(notebook))
    except (CellExecutionError, CellTimeoutError, DeadKernelError, MissingFactError) as error:
        print(f"The demo failed: the notebook did not do what it should.\n\n{plain(str(error))}", file=sys.stderr)
        return 1
    seconds = time.perf_counter() - began
    cells = sum(cell.cell_type == "code" for cell in notebook.cells)
    print(*story, sep="\n\n")
    print(f"\n{cells} cells ran on Python {platform.python_version()} in {seconds:.0f} s. To try it yourself: make lab")
    print(f"JupyterLab opens in your browser; there, open {NOTEBOOK.name}.")
    return 0


def run_notebook(path: Path) -> Any:
    """Run a notebook in a kernel of this Python, in the notebook's folder, and return it with its new outputs.

    Raises:
        CellExecutionError: a cell failed.
        CellTimeoutError: a cell took too long.
        DeadKernelError: the kernel died.
    """
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]  # nbformat has no types for it
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    # The kernel warns that it talks to us over TCP: it does so on 127.0.0.1, and it is ours.
    quiet = ["--IPKernelApp.log_level=ERROR"]
    NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=TIMEOUT,
        coalesce_streams=True,
        extra_arguments=quiet,
        resources={"metadata": {"path": path.parent}},
    ).execute()
    return notebook


def tell(notebook: Any) -> Iterator[str]:
    """Yield a paragraph for each fact: what happened, the cell, and the output of the cell.

    Raises:
        MissingFactError: no cell has the fact's tag, or the output of the one that has it doesn't prove the fact.
    """
    for number, fact in enumerate(FACTS, 1):
        cell = next((cell for cell in notebook.cells if fact.tag in cell.metadata.get("tags", ())), None)
        if cell is None:
            raise MissingFactError(f"no cell of {NOTEBOOK.name} has the tag {fact.tag!r}")
        output = output_of(cell)
        if fact.proof not in output:
            raise MissingFactError(
                f"the cell with the tag {fact.tag!r} of {NOTEBOOK.name} should have put out {fact.proof!r}\n"
                f"and has put out: {output or 'nothing'}"
            )
        shown = [*prompted(cell.source), *output.splitlines()]
        yield "\n".join([f"{number}. {fact.sentence}", "", *(row for line in shown for row in wrapped(line))])


def output_of(cell: Any) -> str:
    """Return what a cell put out, as text: its streams, its errors as tracebacks, its result."""
    parts = []
    for output in cell.outputs:
        if output.output_type == "stream":
            parts.append(output.text)
        elif output.output_type == "error":
            parts.append("\n".join(output.traceback))
        else:
            parts.append(output.data.get("text/plain", ""))
    return plain("\n".join(part.strip("\n") for part in parts)).rstrip()


def prompted(source: str) -> list[str]:
    """Return the lines of a cell as Python's prompt would have them."""
    first, *rest = source.splitlines()
    return [f">>> {first}", *(f"... {line}" for line in rest)]


def wrapped(line: str) -> list[str]:
    """Return a line indented, in rows that fit the terminal.

    >>> wrapped("short")
    ['    short']
    """
    start = " " * 4
    return textwrap.wrap(
        line,
        WIDTH,
        initial_indent=start,
        subsequent_indent=start * 2,
        replace_whitespace=False,
        drop_whitespace=bool(line.strip()),
        break_on_hyphens=False,
    ) or [""]


def plain(text: str) -> str:
    """Return a text without terminal colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


if __name__ == "__main__":
    sys.exit(main())
