"""What a frontend gets to show: one bundle of text and HTML for each report, escaped, and each error once."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from exocet_ipython.notebook.old.status import StatusReport
from exocet_ipython.notebook.report import ReloadedModule, ReloadReport
from tests.shells import KernelNotebook, Notebook, open_kernel
from tests.workshop import Workshop

NASTY = "<script>alert('&')</script>"


class Reader(HTMLParser):
    """Reads HTML as a browser does: which tags there are, each closed, and the text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""
        self.open: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - HTMLParser's signature
        """Enter an element."""
        self.tags.add(tag)
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Leave the innermost element, which must be this one."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Collect text."""
        self.text += data


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the kernel of this file runs."""
    return tmp_path_factory.mktemp("project")


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory, project: Path) -> Iterator[KernelNotebook]:
    """One real kernel for all tests of this file, with the extension loaded; each test has its own modules."""
    with open_kernel(tmp_path_factory.mktemp("kernel"), project) as notebook:
        notebook.run("%load_ext exocet_ipython")
        yield notebook


def test_html_is_well_formed_and_escaped() -> None:
    """Whatever a name or a reason holds is text in the HTML, and nothing of it a tag."""
    report = ReloadReport(2, (ReloadedModule(NASTY, NASTY),), error=ValueError(NASTY), gone=(NASTY,))
    read = Reader(report._repr_html_())
    assert read.tags <= {"details", "summary", "div", "em", "ul", "li", "code", "pre"}
    assert read.open == []
    assert read.text.count(NASTY) >= 3


def test_a_status_without_modules_is_a_line_in_html_too() -> None:
    """There is nothing to open where there is nothing to list."""
    read = Reader(StatusReport(0)._repr_html_())
    assert read.tags == {"div"}
    assert "%exoload" in read.text


def test_the_text_of_a_plan_shows_the_line_of_the_import(notebook: Notebook, workshop: Workshop) -> None:
    """A person's own line, markup and all, is shown as it stands in text and escaped in HTML."""
    workshop.write({"base.py": "X = 1", "user.py": f"import base  # {NASTY}"})
    notebook.run("%exoload user")
    workshop.edit("base.py", "X = 2")
    report = notebook.value("%exoreload --dry-run")
    assert NASTY in repr(report)
    assert NASTY not in report._repr_html_()
    assert NASTY in Reader(report._repr_html_()).text


@pytest.mark.kernel
def test_a_report_is_one_bundle_of_text_and_html(kernel: KernelNotebook, project: Path) -> None:
    """The reply of `%exoreload` and `%exostatus` is one result with text/plain and text/html, and nothing printed."""
    (project / "model.py").write_text("class Model: pass")
    kernel.run("%exoload model\nm = model.Model()")
    (project / "model.py").write_text("class Model: x = 1")
    for line in ("%exoreload", "%exostatus"):
        cell = kernel.run(line)
        assert [kind for kind, _ in cell.outputs] == ["execute_result"]
        assert set(cell.data) == {"text/plain", "text/html"}
        assert "old Model alive: m" in cell.data["text/plain"]
        assert "old Model alive: m" in Reader(cell.data["text/html"]).text
    assert kernel.run("report = %exoreload").outputs == ()
    assert set(kernel.run("report").data) == {"text/plain", "text/html"}


@pytest.mark.kernel
def test_a_failed_reload_shows_the_error_once_and_its_report(kernel: KernelNotebook, project: Path) -> None:
    """One error with the person's file, line and text, then one report, escaped; the cell goes on."""
    (project / "broken.py").write_text("X = 1")
    kernel.run("%exoload broken")
    (project / "broken.py").write_text(f'X = 2\nraise ValueError("{NASTY}")')
    cell = kernel.run("report = %exoreload\nreport")
    assert [kind for kind, _ in cell.outputs] == ["error", "execute_result"]
    assert "broken.py:2" in cell.traceback
    assert "raise ValueError(" in cell.traceback
    assert "exocet_ipython" not in cell.traceback
    assert NASTY not in cell.data["text/html"]
    assert NASTY in Reader(cell.data["text/html"]).text
    assert kernel.run("broken.X").data["text/plain"] == "1"


@pytest.mark.kernel
@pytest.mark.parametrize(
    ("source", "cell", "shown"),
    [
        ("1 / 0", "%exoload failing", ("ZeroDivisionError", "failing.py:1")),
        ("x = = 1", "%exoload failing", ("SyntaxError", "x = = 1")),
        ("", "%exoload not_there_at_all", ("SourceNotFoundError", "No module named 'not_there_at_all'")),
        ("1 / 0", "%%exoload\nimport failing", ("ZeroDivisionError", "failing.py")),
        ("", "%%exoload\nimport failing\nfailing.x", ("AttributeError", "failing.x")),
        ("", "%%exoload\nimport failing\nx = = 1", ("SyntaxError", "x = = 1")),
    ],
)
def test_a_failing_magic_shows_its_error_once_and_fails_the_cell(
    kernel: KernelNotebook, project: Path, source: str, cell: str, shown: tuple[str, str]
) -> None:
    """The kernel sends one error, and its reply is that error: `Run All` stops there."""
    kind, said = shown
    (project / "failing.py").write_text(source)
    done = kernel.try_cell(cell)
    assert [found for found, _ in done.outputs] == ["error"]
    assert said in done.traceback
    assert "exocet_ipython/" not in done.traceback
    assert done.reply["status"] == "error"
    assert done.reply["ename"] == kind
    assert kernel.run("1 + 1").data["text/plain"] == "2"


@pytest.mark.kernel
def test_an_exoload_cell_displays_and_awaits_as_any_cell(kernel: KernelNotebook, project: Path) -> None:
    """What the cell prints, displays and ends with arrives once; a usage error is one line."""
    (project / "plain.py").write_text("X = 7")
    cell = kernel.run("%%exoload\nimport plain\nprint('hello')\nplain.X")
    assert [kind for kind, _ in cell.outputs] == ["stream", "execute_result"]
    assert cell.text == "hello\n"
    assert cell.data["text/plain"] == "7"
    wrong = kernel.try_cell("%exoload")
    assert wrong.reply["status"] == "error"
    assert len(wrong.text.strip().splitlines()) == 1


@pytest.mark.kernel
def test_a_kernel_completes_the_arguments(kernel: KernelNotebook, project: Path) -> None:
    """The frontend's Tab gets module names, names in modules, options, and nothing is loaded for it."""
    package = project / "toolkit"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / "saw.py").write_text("class Blade: pass")
    assert "toolkit" in kernel.complete("%exoload toolk")
    assert kernel.complete("%exoload toolkit.") == ["toolkit.saw"]
    assert kernel.complete("%exoload from toolkit.saw import Bl") == ["Blade"]
    assert kernel.complete("%exoreload --f") == ["--force"]
    assert kernel.run("import sys\n'toolkit' in sys.modules").data["text/plain"] == "False"
