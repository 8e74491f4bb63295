"""What the README shows is what happens: its blocks run, and its outputs are those of the run."""

from __future__ import annotations

import doctest
import itertools
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import IPython
import pytest

from tests.shells import Notebook, open_shell
from tests.workshop import Workshop

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
PERSON = "/home/ada"  # the folder of the person who types the tour


@pytest.fixture
def notebook(workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Notebook]:
    """A notebook whose kernel was started in an empty folder."""
    monkeypatch.chdir(workshop.write({}))
    with open_shell(tmp_path / "ipython") as shell:
        yield Notebook(shell)


def test_the_tour(notebook: Notebook, workshop: Workshop) -> None:
    """Each cell of the tour puts out what the README shows below it."""
    cells = [cell for language, text in BLOCKS if language == "ipython" for cell in read_transcript(text)]
    assert len(cells) > 10
    for number, (source, shown) in enumerate(cells, 1):
        _, printed = notebook.try_cell(source)
        assert steady(printed, workshop) == shown, f"In [{number}]: {source}"


def test_the_examples_of_the_api() -> None:
    """The examples that need no notebook pass as doctests, one after the other."""
    text = "\n".join(text for language, text in BLOCKS if language == "pycon")
    examples = doctest.DocTestParser().get_doctest(text, {}, "README.md", "README.md", 0)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    said: list[str] = []
    runner.run(examples, out=said.append)
    assert (runner.failures, runner.tries > 10) == (0, True), "".join(said)


def test_links_and_targets() -> None:
    """Each file that the README links to is there, and each target of make that it names."""
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
    targets = set(re.findall(r"\bmake (?=[a-z]+\b(?:`|\s{2,}#))([a-z]+)", README))
    assert {"demo", "test", "lab"} <= targets
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert [target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


def test_the_transcript_is_read_as_it_is_shown() -> None:
    """A prompt begins a cell, dots continue it, and what stands below is its output."""
    text = "In [1]: a = 1\n   ...: a\nOut[1]: 1\n\nIn [2]: pass\n\nIn [3]: %%time\n   ...:\n   ...: a\n"
    assert list(read_transcript(text)) == [("a = 1\na", "Out[1]: 1"), ("pass", ""), ("%%time\n\na", "")]


@dataclass(frozen=True)
class Row:
    """A row of the comparison with %autoreload.

    Attributes:
        before: the file -> its text, the modules that the cell imports among them.
        after: the file that is edited, and its new text.
        imports: the import statements of the first cell.
        cell: what the person does before the edit.
        probe: what they ask after it.
        autoreload: the answer with `%autoreload 2`.
        exocet: the answer with this package.
        seconds: how much later the time stamp of the edit is.
    """

    before: dict[str, str]
    after: tuple[str, str]
    imports: str
    probe: str
    autoreload: str
    exocet: str
    cell: str = "pass"
    seconds: int = 5


CONF = {"conf.py": "LR = 1\n", "use.py": "from conf import LR\n"}
ROWS = {
    "keep an instance, edit its class": Row(
        before={"shape.py": "class Box:\n    def sides(self): return 4\n"},
        after=("shape.py", "class Box:\n    def sides(self): return 6\n"),
        imports="import shape",
        cell="box = shape.Box()",
        probe="box.sides()",
        autoreload="6",
        exocet="4",
    ),
    "`from conf import LR`, edit the number": Row(
        CONF, ("conf.py", "LR = 2\n"), "from conf import LR", "LR", autoreload="1", exocet="2"
    ),
    "edit `conf.py`, which `use.py` imports": Row(
        CONF, ("conf.py", "LR = 2\n"), "import use", "use.LR", autoreload="1", exocet="2"
    ),
    "`red = colour.RED`, edit the enum": Row(
        before={"paint.py": "import enum\nclass colour(enum.Enum):\n    RED = 1\n    BLUE = 2\n"},
        after=("paint.py", "import enum\nclass colour(enum.Enum):\n    RED = 1\n    BLUE = 3\n"),
        imports="from paint import colour",
        cell="red = colour.RED",
        probe="import paint; (red == paint.colour.RED, red is paint.colour.RED)",
        autoreload="(False, False)",
        exocet="(True, True)",
    ),
    "save with a time stamp that goes back": Row(
        CONF, ("conf.py", "LR = 2\n"), "import conf", "conf.LR", autoreload="1", exocet="2", seconds=-5
    ),
    "save twice within the clock's tick": Row(
        CONF, ("conf.py", "LR = 2\n"), "import conf", "conf.LR", autoreload="1", exocet="2", seconds=0
    ),
}


@pytest.mark.parametrize("title", ROWS)
@pytest.mark.parametrize("tool", ["autoreload", "exocet"])
def test_the_comparison(notebook: Notebook, workshop: Workshop, title: str, tool: str) -> None:
    """Each row of the comparison is in the README, and says what both tools do."""
    assert f"| {title}" in README
    version = ".".join(IPython.__version__.split(".")[:2])
    if tool == "autoreload" and f"(IPython {version})" not in README:
        pytest.skip(f"the README compares with another IPython than {version}")
    row = ROWS[title]
    workshop.write(row.before)
    name, text = row.after
    if tool == "autoreload":
        notebook.run("%load_ext autoreload\n%autoreload 2\n")
        notebook.run(row.imports)
    else:
        notebook.run("%load_ext exocet_ipython")
        notebook.run(f"%%exoload\n{row.imports}")
    notebook.run(row.cell)
    saved = (workshop.folder / name).stat()
    workshop.edit(name, text)
    at = saved.st_mtime_ns + row.seconds * 10**9
    os.utime(workshop.folder / name, ns=(at, at))
    _, said = notebook.try_cell("%exoreload" if tool == "exocet" else "pass")
    assert "reloaded " in said or tool == "autoreload"
    _, answer = notebook.try_cell(row.probe)
    assert answer.rstrip().endswith(f": {row.autoreload if tool == 'autoreload' else row.exocet}")


def read_transcript(text: str) -> Iterator[tuple[str, str]]:
    """Yield the cells of an IPython transcript: the source, and what is shown below it."""
    prompt = re.compile(r"(?:In \[\d+\]| {3,}\.\.\.):(?: (.*))?$")
    for block in re.split(r"^(?=In \[)", text, flags=re.MULTILINE):
        lines = block.splitlines()
        typed = list(itertools.takewhile(prompt.match, lines))
        if typed:
            source = "\n".join(prompt.sub(r"\1", line) for line in typed)
            yield source, "\n".join(line.rstrip() for line in lines[len(typed) :]).strip()


def steady(printed: str, workshop: Workshop) -> str:
    """Return what a cell printed as it would be in the person's own folder, with the README's durations."""
    text = re.sub(r"\b\d+ ms\b", "1 ms", printed.replace(str(workshop.folder), PERSON))
    return "\n".join(line.rstrip() for line in text.splitlines()).strip()
