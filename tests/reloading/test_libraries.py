"""Modules that register with a library which takes nothing twice: `shutil` refuses an extension that it knows."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from exocet_ipython.notebook import executor
from tests.plain_notebook import PlainNotebook
from tests.workshop import Workshop

FORMAT = """
import shutil
NUMBER = {number}
def unpack(name, path):
    return NUMBER
shutil.register_unpack_format("{name}", [".xqz"], unpack, [], "number {number}")
"""
known: dict[str, Any] = shutil._UNPACK_FORMATS  # type: ignore[attr-defined] # typeshed lacks it


@pytest.fixture
def notebook(workshop: Workshop) -> Iterator[PlainNotebook]:
    """A notebook that uses a module which registers a format, and has registered one itself."""
    before = dict(known)
    workshop.write({"formats.py": FORMAT.format(number=1, name="xqz")})
    notebook = PlainNotebook()
    notebook.run("import formats, shutil")
    notebook.run("shutil.register_unpack_format('own', ['.own'], print)")
    yield notebook
    known.clear()
    known.update(before)


def test_registry_has_what_the_new_text_registers(notebook: PlainNotebook, workshop: Workshop) -> None:
    """The library gets the new function, in its place what the cell registered, and nothing twice."""
    workshop.write({"formats.py": FORMAT.format(number=2, name="other")})
    assert notebook.reload().rung == 3
    assert known["other"][1] is notebook["formats"].unpack
    assert "xqz" not in known
    assert known["own"][1] is print


def test_failure_is_the_one_of_a_restart_and_leaves_the_registry(notebook: PlainNotebook, workshop: Workshop) -> None:
    """The error is what the text raises where nothing is registered; the library knows what it knew before."""
    before = dict(known)
    workshop.write({"formats.py": FORMAT.format(number=2, name="xqz") + "NUMBER / 0\n"})
    with pytest.raises(ZeroDivisionError) as caught:
        notebook.reload()
    assert caught.value.__context__ is None
    assert known == before
    assert list(known) == list(before)
    assert known["xqz"][1] is notebook["formats"].unpack


def test_what_failed_attempts_registered_is_in_the_way_of_nothing(notebook: PlainNotebook, workshop: Workshop) -> None:
    """A text that registers something new, and fails then, can be repaired."""
    new = 'import shutil\nshutil.register_unpack_format("new", [".nqz"], lambda name, path: 0)\n'
    for number in (2, 3):
        workshop.write({"formats.py": new + FORMAT.format(number=number, name="xqz") + "NUMBER / 0\n"})
        with pytest.raises(ZeroDivisionError):
            notebook.reload()
    workshop.write({"formats.py": new + FORMAT.format(number=4, name="xqz")})
    notebook.reload()
    assert known["xqz"][1]("", "") == 4


def test_what_is_not_published_leaves_the_registry(
    notebook: PlainNotebook, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the last step fails, the library knows the old function again."""

    def fail(*_: object, **__: object) -> None:
        raise OSError

    before = dict(known)
    workshop.write({"formats.py": FORMAT.format(number=2, name="xqz")})
    monkeypatch.setattr(executor, "publish", fail)
    with pytest.raises(OSError):  # noqa: PT011 - it has no message
        notebook.reload()
    assert known == before


def test_names_of_the_notebook_are_no_registry(notebook: PlainNotebook, workshop: Workshop) -> None:
    """A library that keeps the dict in which cells run is not asked to forget the names in it."""
    notebook.run("from formats import unpack\nshutil.cells = globals()")
    notebook.run("seen = []\nshutil.seen = lambda: seen.append('unpack' in globals())")
    workshop.write({"formats.py": FORMAT.format(number=2, name="xqz") + "shutil.seen()\n"})
    notebook.reload()
    del shutil.cells, shutil.seen  # type: ignore[attr-defined] # as above
    assert notebook["seen"] == [True]
    assert notebook["unpack"] is notebook["formats"].unpack


def test_undo_makes_the_module_anew(notebook: PlainNotebook, workshop: Workshop) -> None:
    """A version that the library had to forget doesn't come back: it would not be registered."""
    held = notebook["formats"].unpack
    workshop.write({"formats.py": FORMAT.format(number=2, name="xqz")})
    notebook.reload()
    workshop.write({"formats.py": FORMAT.format(number=1, name="xqz")})
    report = notebook.reload()
    assert not report.returned
    assert known["xqz"][1] is notebook["formats"].unpack is not held
