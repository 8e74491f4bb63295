"""What import time can have run: every function that did run is among it."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import CodeType, FrameType

import pytest
from hypothesis import HealthCheck, given, settings

from exocet_ipython.reloading.generation import Generation
from exocet_ipython.reloading.ladder.codes import CodePair
from exocet_ipython.reloading.ladder.judge import Judge
from exocet_ipython.reloading.ladder.reach import Reach
from exocet_ipython.reloading.ladder.uses import Definition
from tests.plain_notebook import PlainNotebook, python_import
from tests.reloading.programs import Program, programs
from tests.workshop import Workshop


def functions_run(*modules: str) -> dict[int, CodeType]:
    """Import modules and return the code of all functions that ran meanwhile, by id: equal ones are others."""
    ran: dict[int, CodeType] = {}

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            ran[id(frame.f_code)] = frame.f_code

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        for module in modules:
            python_import(module)
    finally:
        sys.setprofile(before)
    return ran


def definitions(generation: Generation) -> Iterator[Definition]:
    """Yield the functions of a generation's modules."""
    for record in generation.records.values():
        yield from record.uses.definitions


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(programs())
def test_no_function_that_ran_is_missed(tmp_path_factory: pytest.TempPathFactory, program: Program) -> None:
    """Of a generated program, every function that ran at import is refused new code in place."""
    with Workshop(tmp_path_factory.mktemp("program")) as workshop:
        workshop.write(program.files())
        notebook = PlainNotebook()
        with notebook.session.managed.claiming():
            ran = functions_run("low", "high")
        records = notebook.session.generation.records
        judge = Judge()
        for definition in definitions(notebook.session.generation):
            if id(definition.code) in ran:
                new = definition.code.replace(co_stacksize=definition.code.co_stacksize + 1)
                path = definition.path
                pair = CodePair(path, definition.code, new, changed=True, fits=True, outer=path)
                assert judge.why_not(records, records[definition.module], [pair]), f"{definition.path} ran"


def test_a_version_that_is_current_again_is_read_by_its_own_code(workshop: Workshop) -> None:
    """What was taken over for a later text of a module says nothing about the code of the one before it."""
    workshop.write({"low.py": "SIZE = [1]\ndef f(): return SIZE\n"})
    notebook = PlainNotebook()
    notebook.exoload("low")
    first = notebook.session.generation.records["low"]
    reach = Reach()
    reach.update({"low": first})
    reach.keep(["low"])
    later = replace(first, code=compile("SIZE = [2]\ndef f(): return SIZE\n", "low.py", "exec"))
    reach.update({"low": later})
    del later  # and with it the code
    reach.update({"low": first})
    (found,) = reach.definitions("low", "f")
    assert found.code is notebook["low"].f.__code__


# Imports a package in a process of its own and prints the functions that ran and that the closure doesn't have.
REAL = """
import sys
ran = set()
sys.setprofile(lambda frame, event, _: ran.add(frame.f_code) if event == "call" else None)
import importlib
for name in sys.argv[1:]:
    importlib.import_module(name)
sys.setprofile(None)
from exocet_ipython.reloading.joining.adoption import adopt_modules
from exocet_ipython.reloading.generation import Generation
from exocet_ipython.reloading.ladder.exposure import exposed
from exocet_ipython.reloading.ladder.reach import Reach
from exocet_ipython.reloading.ladder.uses import Reached
from exocet_ipython.reloading.scope import Scope
root = sys.argv[1].partition(".")[0]
records = {
    name: record
    for name, record in adopt_modules(Generation(), Scope().with_root(root)).items()
    if name.partition(".")[0] == root
}
reach = Reach()
reach.update(records)
keys = {(code.co_filename, code.co_qualname, code.co_firstlineno) for code in ran}
count = 0
for name, record in records.items():
    for one in record.uses.definitions:
        if (record.snapshot.path, one.path, one.code.co_firstlineno) in keys:
            count += 1
            method = reach.method(one)
            if isinstance(reach.callers([one]), Reached):
                continue
            if method is None or not exposed(method, record, records):
                print("missed", name, one.path)
print("functions", count)
"""


@pytest.mark.parametrize(
    "names",
    [
        ("attr",),
        ("click",),
        ("httpx",),
        ("jinja2",),
        ("markdown",),
        ("more_itertools",),
        ("networkx",),
        ("rich", "rich.console", "rich.progress", "rich.table"),
        ("typer",),
    ],
    ids=lambda names: names[0],
)
@pytest.mark.proof
def test_no_function_of_a_real_package_is_missed(names: tuple[str, ...]) -> None:
    """Of a real package, every function that ran at import is in the closure of what import time names."""
    pytest.importorskip(names[0])
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(REAL), *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr
    *missed, count = done.stdout.splitlines()
    assert missed == []
    assert int(count.split()[1]) > 0
