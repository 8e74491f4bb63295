"""What `%run` runs: scripts and notebooks, whose names are names of this notebook from then on."""

from __future__ import annotations

import ast
import getopt
import json
import os
import re
import shlex
import tokenize
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from IPython.core.inputtransformer2 import TransformerManager
from IPython.utils.module_paths import find_mod

__all__ = ["scripts_run"]

_RUN = re.compile(r"""\.run_line_magic\('run', (['"].*['"])\)$""", re.MULTILINE)
_OPTIONS = "nidtN:b:pD:l:rs:T:em:G"  # of the magic


def scripts_run(cell: str) -> Iterator[str]:
    """Yield the texts of what a cell has run with `%run`; nothing of what is not there any more.

    Args:
        cell: its text, as IPython has made Python of it.
    """
    for line in _RUN.findall(cell):
        # Whatever is wrong with the line or the script, IPython has shown when it ran: there is nothing to learn of it.
        with suppress(OSError, SyntaxError, ValueError, getopt.GetoptError):
            yield from _texts_of(ast.literal_eval(line))


def _texts_of(line: str) -> Iterator[str]:
    """Yield the texts of a script, or of the cells of a notebook."""
    options, others = getopt.getopt(shlex.split(line, posix=os.name == "posix"), _OPTIONS)
    module = dict(options).get("-m")
    named = [find_mod(module)] if module else [name + end for name in others[:1] for end in ("", ".py")]
    for path in [path for path in named if isinstance(path, str) and os.path.isfile(path)][:1]:
        with tokenize.open(path) as file:
            text = file.read()
        manager: Any = TransformerManager
        if path.endswith(".ipynb"):
            cells = (cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code")
            yield from (str(manager().transform_cell("".join(cell["source"]))) for cell in cells)
        else:
            yield str(manager().transform_cell(text)) if path.endswith(".ipy") else text
