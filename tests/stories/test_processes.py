"""Processes that cells have started before an edit: whose workers they are decides what becomes of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

# A real shell in a process of its own, whose workers are started afresh: they import the module as any program does.
SCRIPT = """
import sys
if __name__ == "__main__":
    sys.path.insert(0, {folder!r})
    from IPython.core.interactiveshell import InteractiveShell
    shell = InteractiveShell.instance()
    cells = {cells!r}
    for cell in ["%load_ext exocet_ipython", "%exoauto on", *cells]:
        shell.run_cell(cell).raise_error()
"""
TEXT = "N = {0}\ndef work(n): return n * N\nclass Task:\n    def run(self, n): return n * N\n"
EDIT = "open(task.__file__, 'w').write({0!r})\nNone"
WAIT = """
import os, time
def wait(n):
    for _ in range(6000 if n else 0):
        if os.path.exists({go!r}):
            break
        time.sleep(0.01)  # between two looks at the condition, a minute of them at most
    return n
"""
TITLE = "processes that keep what they have imported; make their pools again:"


def run(folder: Path, *cells: str) -> list[str]:
    """Run cells in a shell beside a module `task`, which the cell `EDIT` edits; return the lines that were printed."""
    (folder / "task.py").write_text(TEXT.format(10))
    script = folder / "main.py"
    script.write_text(SCRIPT.format(folder=str(folder), cells=["import task\nfrom task import work, Task", *cells]))
    environment = dict(os.environ) | {"PYTHONPATH": os.pathsep.join([str(folder), str(Path.cwd())])}
    done = subprocess.run(
        [sys.executable, str(script)], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return [line.strip() for line in done.stdout.splitlines()]


@pytest.mark.parametrize("text", [TEXT.format(20), TEXT.format(20) + "print(N)\n"], ids=["in place", "made anew"])
def test_the_workers_that_joblib_shares_run_the_code_of_now(tmp_path: Path, text: str) -> None:
    """Nobody holds them, and a restart would have none: its next call starts others."""
    call = "print(Parallel(n_jobs=2)([delayed(work)(1), delayed(Task().run)(2)]))"
    lines = run(tmp_path, f"from joblib import Parallel, delayed\n{call}", EDIT.format(text), call)
    assert [line for line in lines if line.startswith("[")] == ["[10, 20]", "[20, 40]"]
    assert TITLE not in lines


def test_workers_that_joblib_shares_end_what_they_were_given(tmp_path: Path) -> None:
    """A call that goes on beside the cells is not cut off: its workers are told of."""
    go = str(tmp_path / "go")
    call = "from joblib import Parallel, delayed\nresults = Parallel(n_jobs=2, return_as='generator')"
    call += "(delayed(wait)(n) for n in range(12))\nfirst = next(results)"
    edit = EDIT.format(TEXT.format(20))
    end = f"open({go!r}, 'w').close()\nprint([first, *results])"
    lines = run(tmp_path, WAIT.format(go=go) + call, edit, end, edit.replace("20", "30"), "0")
    assert str([*range(12)]) in lines
    assert lines.count(TITLE) == 1


def test_the_workers_of_a_persons_pool_are_told_of_once(tmp_path: Path) -> None:
    """They keep what they have imported; a pool that is made again has the code of now."""
    pool = "import multiprocessing\npool = multiprocessing.get_context('spawn').Pool(1)\nprint(pool.map(work, [1]))"
    close = "pool.close()\npool.join()"
    edits = [EDIT.format(TEXT.format(n)) for n in (20, 30)]
    lines = run(tmp_path, pool, edits[0], "print(pool.map(work, [1]))", edits[1], "0", close, pool, close)
    assert [line for line in lines if line.startswith("[")] == ["[10]", "[10]", "[30]"]
    place = lines.index(TITLE)
    assert lines[place + 1].startswith("SpawnPoolWorker-")
    assert lines.count(TITLE) == 1


def test_processes_are_not_told_of_where_only_the_layout_changed(tmp_path: Path) -> None:
    """What they run is what there is."""
    pool = "import multiprocessing\npool = multiprocessing.get_context('spawn').Pool(1)\npool.map(work, [1])"
    lines = run(tmp_path, pool, EDIT.format("# a comment\n" + TEXT.format(10)), "pool.close()\npool.join()")
    assert TITLE not in lines
