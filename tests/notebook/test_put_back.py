"""What can't be put back of what a body had set in a library: said in the report, with the reason."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from tests.plain_notebook import PlainNotebook
from tests.workshop import Workshop


class Refusing:
    """Options of a library that take values and give none up, and that don't say what was there when asked first."""

    def __delattr__(self, name: str) -> None:
        raise TypeError(f"{name} stays")

    @property
    def level(self) -> Any:
        """What was set; it raises before that."""
        if "given" not in vars(self):
            raise RuntimeError("not configured")
        return vars(self)["given"]

    @level.setter
    def level(self, value: Any) -> None:
        vars(self)["given"] = value


class Sealing:
    """Options of a library that take nothing any more once they are sealed."""

    def __setattr__(self, name: str, value: Any) -> None:
        if hasattr(self, "is_sealed"):
            raise TypeError(f"{name} sealed")
        vars(self)[name] = value


class Hook:
    """What a library has, and nothing else holds."""


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module that is not of the person's own."""
    library = ModuleType("library")
    for kind in (Refusing, Sealing, Hook):
        monkeypatch.setattr(kind, "__module__", "library")
    vars(library).update(options=Refusing(), sealing=Sealing(), hook=Hook())
    monkeypatch.setitem(sys.modules, "library", library)
    return library


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("options.extra = 1", "options.extra: it refuses that (TypeError: extra stays)"),
        ("options.level = 1", "options.level: it could not be read before (RuntimeError: not configured)"),
        ("hook = Mine()", "hook: what was there before is gone"),
    ],
)
@pytest.mark.usefixtures("library")
def test_what_stays_as_a_body_had_set_it_is_said(workshop: Workshop, line: str, why: str) -> None:
    """The line is gone, and the library would be as it was after a restart."""
    workshop.write({"conf.py": f"import library\nclass Mine: pass\nlibrary.{line}\n"})
    notebook = PlainNotebook()
    notebook.run("import conf")
    workshop.write({"conf.py": "import library\nclass Mine: pass\nSTEPS = [1]\n"})
    report = notebook.reload()
    assert report.refused == (f"conf: library.{why}",)
    assert f"    {report.refused[0]}" in report.lines()


def test_what_is_set_again_needs_no_word(workshop: Workshop, library: ModuleType) -> None:
    """The original is gone, and the body puts its own there again."""
    workshop.write({"conf.py": "import library\nclass Mine: pass\nlibrary.hook = Mine()\n"})
    notebook = PlainNotebook()
    notebook.run("import conf")
    workshop.write({"conf.py": "import library\nclass Mine: n = 2\nlibrary.hook = Mine()\n"})
    assert notebook.reload().refused == ()
    assert type(library.hook).n == 2


@pytest.mark.usefixtures("library")
def test_what_can_not_be_put_back_after_an_error_is_noted_on_it(workshop: Workshop) -> None:
    """A body that fails leaves all as it was; where a library refuses that, the error says so."""
    workshop.write({"conf.py": "import library\nlibrary.sealing.extra = 1\n"})
    notebook = PlainNotebook()
    notebook.run("import conf")
    workshop.write({"conf.py": "import library\nlibrary.sealing.is_sealed = True\n1 / 0\n"})
    error = notebook.session.reload().error
    assert isinstance(error, ZeroDivisionError)
    assert error.__notes__ == ["Not put back: conf: library.sealing.extra: it refuses that (TypeError: extra sealed)"]
