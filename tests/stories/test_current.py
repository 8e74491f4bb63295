"""Python's own tools on the current generation after a reload: they see ordinary modules."""

from __future__ import annotations

import copy
import doctest
import inspect
import io
import linecache
import os
import pdb  # noqa: T100 - it is what is tested
import pickle
import subprocess
import sys
import traceback
import typing
from pathlib import Path

import pytest

from tests.plain_notebook import PlainNotebook
from tests.workshop import Workshop

TEXT = '''
    from __future__ import annotations
    import dataclasses
    # {0}
    @dataclasses.dataclass
    class Box:
        """A box.

        >>> Box({0}).double()
        {1}
        """
        size: Size
        def double(self) -> int:
            return self.size * {0} * 0 + {1}
    Size = int
    VERSION = {0}
    def fail():
        raise ValueError(VERSION)  # version {0}
'''
IMPORTER = "from box import Box\nclass Crate(Box): pass\ndef pack(): return Crate(1)\n"
# What a notebook is to `multiprocessing`: a main program that does nothing when a worker imports it.
SCRIPT = """
import multiprocessing, sys
if __name__ == "__main__":
    sys.path.insert(0, {folder!r})
    from pathlib import Path
    from exocet_ipython.notebook.session import Session
    session = Session({{}})
    task = session.load("task")
    old = task.work
    Path({folder!r}, "task.py").write_text("X = 2\\ndef work(n): return n * X\\n")
    report = session.reload(migrate={migrate})
    assert report.error is None and report.reloaded, report
    task = sys.modules["task"]
    for method in {methods!r}:
        with multiprocessing.get_context(method).Pool(1) as pool:
            print(method, pool.map(task.work, [1, 2]))
"""


@pytest.fixture(params=[False, True], ids=["tracking", "migrating"])
def notebook(request: pytest.FixtureRequest, workshop: Workshop) -> PlainNotebook:
    """A notebook whose modules were made anew twice, with old objects held."""
    workshop.write({"box.py": TEXT.format(1, 2), "crates.py": IMPORTER})
    notebook = PlainNotebook()
    notebook.run("import box, crates\nheld = [box.Box, crates.pack()]\ncalls = iter([box.fail])")
    for number in (2, 3):
        workshop.write({"box.py": TEXT.format(number, 2 * number)})
        assert notebook.session.reload(migrate=request.param).error is None
    return notebook


def test_copies_and_pickles(notebook: PlainNotebook) -> None:
    """Instances of current classes survive pickle and copy as themselves, by every protocol."""
    box, crate = notebook["box"].Box(3), notebook["crates"].pack()
    for thing in (box, crate):
        made = [pickle.loads(pickle.dumps(thing, protocol)) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
        for again in (*made, copy.copy(thing), copy.deepcopy(thing)):
            assert type(again) is type(thing)
            assert again == thing
    assert pickle.loads(pickle.dumps(notebook["box"].fail)) is notebook["box"].fail


def test_sources_and_hints(notebook: PlainNotebook) -> None:
    """`inspect` shows the text of now, and annotations that are strings mean what the module of now has."""
    box = notebook["box"]
    assert "# version 3" in inspect.getsource(box.fail)
    assert ">>> Box(3)" in inspect.getsource(box.Box)
    assert ">>> Box(3)" in inspect.getsource(box)
    assert typing.get_type_hints(box.Box) == {"size": int}
    assert typing.get_type_hints(notebook["crates"].Crate) == {"size": int}
    assert inspect.getmodule(box.Box) is box


def test_tracebacks(notebook: PlainNotebook, workshop: Workshop) -> None:
    """A traceback shows the line that ran, under the path of its file."""
    with pytest.raises(ValueError, match="3") as caught:
        notebook["box"].fail()
    linecache.checkcache()
    entry = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert (entry.filename, entry.line) == (workshop.path("box.py"), "raise ValueError(VERSION)  # version 3")


def test_doctests(notebook: PlainNotebook) -> None:
    """The examples of now are found, and hold."""
    assert doctest.testmod(notebook["box"]) == doctest.TestResults(failed=0, attempted=1)


def test_breakpoints_bind(notebook: PlainNotebook, workshop: Workshop) -> None:
    """A breakpoint at a line of the file stops the code of now, and the debugger shows its text."""
    line = (workshop.folder / "box.py").read_text().splitlines().index("    raise ValueError(VERSION)  # version 3") + 1
    said = io.StringIO()
    debugger = pdb.Pdb(stdin=io.StringIO("list\nquit\n"), stdout=said, nosigint=True, readrc=False)
    debugger.use_rawinput = False
    assert debugger.set_break(workshop.path("box.py"), line) is None
    before = sys.gettrace()
    try:
        debugger.runcall(notebook["box"].fail)  # it is quit before the line is run
    finally:
        sys.settrace(before)
        debugger.clear_all_breaks()
    assert "B->" in said.getvalue()
    assert "# version 3" in said.getvalue()
    assert "version 1" not in said.getvalue()


@pytest.mark.parametrize("migrate", [False, True])
def test_worker_processes(tmp_path: Path, *, migrate: bool) -> None:
    """Workers run the code of now, forked or started afresh."""
    methods = ["fork", "forkserver", "spawn"] if sys.platform == "linux" else ["spawn"]
    (tmp_path / "task.py").write_text("X = 1\ndef work(n): return n * X\nT = (work,)\n")
    script = tmp_path / "main.py"
    script.write_text(SCRIPT.format(folder=str(tmp_path), migrate=migrate, methods=methods))
    done = subprocess.run(
        [sys.executable, str(script)], env=dict(os.environ), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout.splitlines() == [f"{method} [2, 4]" for method in methods], done.stderr
