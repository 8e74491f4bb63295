"""What a process pays for importing the package, and a session for loading the extension: whole processes, compared."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from tests.shells import person_environment

REPEATS = 9
SHELL = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_cell("1 + 1")
"""
LOADED = SHELL.replace("shell.run_cell", 'shell.run_line_magic("load_ext", "exocet_ipython")\nshell.run_cell')
AUTO = SHELL.replace(
    "shell.run_cell", LOADED.splitlines()[3] + '\nshell.run_line_magic("exoauto", "on")\nshell.run_cell'
)


def medians(folder: Path, **programs: str) -> dict[str, float]:
    """Return the median milliseconds of whole processes, taken in turns so that all meet the same machine."""
    found: dict[str, list[float]] = {name: [] for name in programs}
    environment = person_environment(folder)
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    for number in range(REPEATS + 1):
        for name, text in programs.items():
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", text], env=environment, cwd=folder, check=True, capture_output=True)
            if number:  # the first round writes the .pyc files
                found[name].append((time.perf_counter() - began) * 1e3)
    return {name: statistics.median(times) for name, times in found.items()}


def show(title: str, base: float, took: float) -> None:
    """Print one figure."""
    print(f"{title:<44} {base:7.1f} ms -> {took:7.1f} ms  (+{took - base:.1f} ms, {took / base:.2f} times)")


def test_startup(tmp_path: Path) -> None:
    """Print what `import exocet_ipython` adds to Python, and `%load_ext` and `%exoauto on` to IPython."""
    found = medians(tmp_path, python="pass", package="import exocet_ipython", shell=SHELL, loaded=LOADED, auto=AUTO)
    print()
    show("python, with import exocet_ipython", found["python"], found["package"])
    show("IPython, with %load_ext exocet_ipython", found["shell"], found["loaded"])
    show("IPython, with %load_ext and %exoauto on", found["shell"], found["auto"])
