"""One figure, taken in a fresh process by one of the workers beside this file."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.shells import person_environment

Figures = dict[str, float]


def measure(worker: str, folder: Path, what: str, tool: str, **arguments: Any) -> Figures:
    """Take figures in a fresh process that runs in a folder.

    Args:
        worker: the script, in this folder.
        folder: where it runs.
        what: the measurement.
        tool: the reloader.
        arguments: what the measurement takes.
    """
    environment = person_environment(folder)
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    script = Path(__file__).with_name(worker)
    command = [sys.executable, str(script), what, tool, json.dumps(arguments)]
    done = subprocess.run(command, env=environment, cwd=folder, check=True, capture_output=True, text=True)
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures
