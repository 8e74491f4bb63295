"""People type `%exoreload`: it looks where something was noticed, and everywhere where that was nothing."""

from __future__ import annotations

import mmap
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from exocet_ipython.reloading.noticing.changes import Detector, StatSweep
from exocet_ipython.reloading.noticing.detectors import make_detector
from tests.plain_notebook import PlainNotebook, python_import
from tests.shells import Notebook
from tests.workshop import Workshop

OPTIONAL = "try:\n    import extra\nexcept ImportError:\n    extra = None"


@pytest.fixture(params=[StatSweep, make_detector], ids=["sweep", "system's"])
def notebook(
    request: pytest.FixtureRequest, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> Iterator[PlainNotebook]:
    """A notebook beside an empty project, with the one detector or the other."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    workshop.write({})
    make: Callable[[], Detector] = request.param
    notebook = PlainNotebook(detector=make())
    yield notebook
    notebook.session.managed.close()


@pytest.fixture
def pair(notebook: PlainNotebook, workshop: Workshop) -> PlainNotebook:
    """The notebook with two modules `a` and `b`, loaded and looked at."""
    workshop.write({"a.py": "N = 1", "b.py": "N = 1"})
    notebook.run("import a, b")
    assert notebook.reloaded() == []
    return notebook


class Asked:
    """A finder that finds nothing, and notes what is looked for."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:  # noqa: ARG002 - protocol
        """Note the name."""
        self.names.add(name)


def test_only_what_was_noticed_is_looked_for(
    notebook: PlainNotebook, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many modules there are, no finder is asked for those of which nothing was noticed."""
    others = {f"m{number}" for number in range(9)}
    workshop.write({"edited.py": "N = 1", **dict.fromkeys((f"{name}.py" for name in others), "")})
    notebook.run(f"import edited, {', '.join(sorted(others))}")
    notebook.reload()
    asked = Asked()
    monkeypatch.setattr(sys, "meta_path", [asked, *sys.meta_path])
    workshop.edit("edited.py", "N = 2")
    assert notebook.reloaded() == ["edited"]
    assert not asked.names & others


@pytest.mark.parametrize("wrong", ["1 / 0", "def", "raise KeyboardInterrupt", "raise SystemExit"])
def test_what_failed_is_tried_again_until_it_succeeds(pair: PlainNotebook, workshop: Workshop, wrong: str) -> None:
    """Also together with what changes meanwhile, and without any other change."""
    workshop.edit("a.py", wrong)
    for number in (2, 2, 3):
        workshop.edit("b.py", f"N = {number}")
        with pytest.raises((ZeroDivisionError, SyntaxError, KeyboardInterrupt, SystemExit)):
            pair.reload()
        assert (pair["a"].N, pair["b"].N) == (1, 1)
    workshop.edit("a.py", "N = 4")
    assert pair.reloaded() == ["a", "b"]
    assert (pair["a"].N, pair["b"].N) == (4, 3)


def test_what_was_only_planned_is_still_to_be_done(pair: PlainNotebook, workshop: Workshop) -> None:
    """A dry run says the same as often as it is asked, and the reload does it."""
    workshop.edit("a.py", "N = 2")
    for _ in range(2):
        assert [module.name for module in pair.session.reload(dry_run=True).reloaded] == ["a"]
    assert pair.reloaded() == ["a"]


def test_what_was_not_asked_for_is_still_to_be_done(pair: PlainNotebook, workshop: Workshop) -> None:
    """After a reload of one module by name, the others that changed are reloaded by the next one."""
    workshop.edit("a.py", "N = 2")
    workshop.edit("b.py", "N = 2")
    assert [module.name for module in pair.reload("a").reloaded] == ["a"]
    assert pair.reload("a").reloaded == ()
    assert pair.reloaded() == ["b"]


def test_what_is_frozen_is_said_with_each_reload(pair: PlainNotebook, workshop: Workshop) -> None:
    """A frozen module that is stale is named as long as it is, whatever else has changed."""
    workshop.edit("a.py", "N = 2\n__exo_frozen__ = True")
    pair.reload()
    workshop.edit("a.py", "N = 3\n__exo_frozen__ = True")
    for number in (2, 3):
        workshop.edit("b.py", f"N = {number}")
        report = pair.reload()
        assert [module.name for module in report.skipped] == ["a"]
        assert [module.name for module in report.reloaded] == ["b"]


def test_what_no_detector_notices_is_found(pair: PlainNotebook, workshop: Workshop) -> None:
    """A write through a mapping is no event while the mapping is there: nothing was noticed, so everything is read."""
    with Path(workshop.path("a.py")).open("r+b") as file, mmap.mmap(file.fileno(), 0) as mapping:
        mapping[:] = b"N = 2"
        mapping.flush()
        assert pair.reloaded() == ["a"]
    assert pair["a"].N == 2


def test_modules_are_looked_for_again_when_sys_path_has_changed(pair: PlainNotebook, workshop: Workshop) -> None:
    """A module that is found elsewhere by now is reloaded together with one that was edited."""
    workshop.write({"first/a.py": "N = 'first'"})
    sys.path.insert(0, workshop.path("first"))
    workshop.edit("b.py", "N = 2")
    assert pair.reloaded() == ["a", "b"]
    assert (pair["a"].N, pair["b"].N) == ("first", 2)


def test_what_appeared_before_a_module_joined_is_found(pair: PlainNotebook, workshop: Workshop) -> None:
    """Python has imported a module by itself, what it looked for in vain came then, and only then it was noticed."""
    workshop.write({"late.py": OPTIONAL})
    late = python_import("late")
    workshop.write({"extra.py": ""})
    workshop.edit("a.py", "N = 2")
    assert late.extra is None
    assert pair.reloaded() == ["a", "extra", "late"]
    assert sys.modules["late"].extra is sys.modules["extra"]


@pytest.mark.parametrize("load", [PlainNotebook.exoload, lambda notebook, name: notebook.run(f"import {name}")])
def test_what_appeared_while_a_module_ran_is_found(
    notebook: PlainNotebook, workshop: Workshop, load: Callable[[PlainNotebook, str], object]
) -> None:
    """The first load takes its time, and what a module looked for in vain comes before it has ended."""
    slow = f"{OPTIONAL}\nopen({workshop.path('extra.py')!r}, 'a').close()"
    workshop.write({"a.py": "N = 1", "slow.py": slow, "both.py": "import a\nimport slow"})
    load(notebook, "both")
    workshop.edit("a.py", "N = 2")
    assert notebook.reloaded() == ["a", "both", "extra", "slow"]
    assert notebook["both"].slow.extra is sys.modules["extra"]


def test_a_module_that_comes_is_found_in_a_package_of_a_later_load(pair: PlainNotebook, workshop: Workshop) -> None:
    """The folders of what is loaded later are followed as well."""
    workshop.write({"pkg/__init__.py": "", "pkg/use.py": OPTIONAL.replace("import", "from pkg import")})
    pair.exoload("pkg.use")
    workshop.write({"pkg/extra.py": "N = 1"})
    workshop.edit("a.py", "N = 2")
    assert pair.reloaded() == ["a", "pkg.extra", "pkg.use"]
    assert pair["use"].extra.N == 1


def test_automatic_reloading_takes_over_what_is_to_be_done(tracking: Notebook, workshop: Workshop) -> None:
    """What a dry run has found is reloaded before the next cell once automatic reloading is on."""
    workshop.write({"a.py": "N = 1"})
    tracking.run("%exoload a")
    workshop.edit("a.py", "N = 2")
    tracking.run("%exoreload --dry-run")
    tracking.run("%exoauto on")
    assert tracking.value("a.N") == 2


def test_what_a_cell_only_plans_is_reloaded_before_the_next(auto: Notebook, workshop: Workshop) -> None:
    """Automatic reloading misses nothing that `%exoreload` has looked at in the cell in which it was saved."""
    workshop.write({"a.py": "N = 1", "b.py": "N = 1"})
    auto.run("import a, b")
    auto.run(f"from pathlib import Path\nb_py = Path({workshop.path('b.py')!r})")
    for number, line in enumerate(["%exoreload --dry-run", "%exoreload a"]):
        auto.run(f"b_py.write_text('N = {number + 2}') and None\n{line}")
        assert auto.value("b.N") == number + 2


@pytest.mark.parametrize("line", ["%exoload a", "%exoreload --force", "%exoreload a"])
@pytest.mark.parametrize("look", ["%exoreload --dry-run", "%config Exocet.rerun_limit = 0\n%exoauto on"])
def test_what_is_asked_for_is_read_when_it_is_made(
    tracking: Notebook, workshop: Workshop, look: str, line: str
) -> None:
    """An earlier look that made nothing, or left it for later, has read another text."""
    workshop.write({"a.py": "N = 1\nN += len('')"})
    tracking.run("%exoload a")
    workshop.edit("a.py", "N = 2\nN += len('')")
    tracking.run(look)
    tracking.run("0\n%exoauto off")
    workshop.edit("a.py", "N = 345\nN += len('')")
    tracking.run(line)
    assert tracking.value("a.N") == 345


def test_what_automatic_reloading_left_is_still_to_be_done(auto: Notebook, workshop: Workshop) -> None:
    """After it was turned off, `%exoreload` does what has failed before, and what has changed since."""
    workshop.write({"a.py": "N = 1", "b.py": "N = 1"})
    auto.run("import a, b")
    workshop.edit("a.py", "N = 2 if PARTS else 3")
    auto.run("%exoauto off")
    auto.run("import builtins\nbuiltins.PARTS = True")
    workshop.edit("b.py", "N = 2")
    auto.run("%exoreload\ndel builtins.PARTS")
    assert auto.value("(a.N, b.N)") == (2, 2)
