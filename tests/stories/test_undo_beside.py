"""Going back to a generation beside modules that it did not have, or that it has in common with the current one."""

from __future__ import annotations

import sys

import pytest

from exocet_ipython.notebook.report import ReloadReport
from tests.exports import Exports
from tests.plain_notebook import PlainNotebook, state_of
from tests.workshop import Workshop

LOW = "NAMES = []\nclass Base:\n    number = {0}\n    def show(self): return {0}\n"
MORE = "import low\nRAN = {0}\nclass More(low.Base): pass\n"

pytestmark = pytest.mark.parametrize("migrate", [False, True])


@pytest.fixture
def notebook(workshop: Workshop) -> PlainNotebook:
    """A notebook that has loaded a module, edited it, and loaded its importer then; a frame keeps the first one."""
    workshop.write({"low.py": LOW.format(1), "other.py": "N = [1]\ndef other(): return N\n"})
    notebook = PlainNotebook()
    notebook.run("import low, other\ndef hold(*held):\n    yield\nframe = hold(low)\nnext(frame)")
    return notebook


def reload(notebook: PlainNotebook, *, migrate: bool) -> ReloadReport:
    """Reload and return the report; what made it fail is raised."""
    report = notebook.session.reload(migrate=migrate)
    if report.error is not None:
        raise report.error
    return report


def made(report: ReloadReport) -> list[str]:
    """Return the dotted names of what was made anew."""
    return [module.name for module in report.reloaded]


def test_an_importer_that_was_loaded_since(workshop: Workshop, notebook: PlainNotebook, *, migrate: bool) -> None:
    """It is made anew on top of the very class that is back; instances follow where they are to."""
    first = Exports("low", "other")
    workshop.write({"low.py": LOW.format(2), "more.py": MORE.format(1)})
    reload(notebook, migrate=migrate)
    notebook.run("import more\nfrom low import Base\ninstance = more.More()")
    workshop.write({"low.py": LOW.format(1)})
    report = reload(notebook, migrate=migrate)
    assert (report.returned, made(report)) == (("low",), ["more"])
    assert report.headline.startswith("reloaded more beside low as before in ")
    assert Exports("low", "other") == first
    assert notebook["more"].low is notebook["low"]
    assert notebook["more"].More.__base__ is notebook["low"].Base is notebook["Base"]
    assert notebook["more"].More().show() == 1
    assert isinstance(notebook["instance"], notebook["low"].Base) is migrate
    assert not notebook.session.reload(migrate=migrate)


def test_a_module_in_common_that_was_edited(workshop: Workshop, notebook: PlainNotebook, *, migrate: bool) -> None:
    """One module is undone while another gets an edit that must run: only this one runs."""
    low = notebook["low"].Base.__mro__
    workshop.write({"low.py": LOW.format(2)})
    reload(notebook, migrate=migrate)
    workshop.write({"low.py": LOW.format(1), "other.py": "N = [2]\ndef other(): return N\n"})
    report = reload(notebook, migrate=migrate)
    assert (report.returned, made(report)) == (("low",), ["other"])
    assert notebook["low"].Base is low[0]
    assert notebook["other"].other() == [2]


def test_a_revision_that_is_undone_beside(workshop: Workshop, notebook: PlainNotebook, *, migrate: bool) -> None:
    """What only needs another layout is revised in place, while of what comes back even the layout is of then."""
    workshop.write({"more.py": "class More: pass\n", "low.py": LOW.format(1)})
    notebook.run("import more\nframe = hold(low, more)\nnext(frame)")
    first = Exports("low", "more", "other")
    workshop.write({"low.py": LOW.format(2), "more.py": "# a comment\nclass More: pass\n"})
    reload(notebook, migrate=migrate)
    workshop.write({"other.py": "# a comment\nN = [1]\ndef other(): return N\n"})
    reload(notebook, migrate=migrate)
    workshop.write({"low.py": LOW.format(1), "more.py": "class More: pass\n"})
    workshop.write({"other.py": "N = [1]\ndef other(): return N\n"})
    report = reload(notebook, migrate=migrate)
    assert (set(report.returned), made(report)) == ({"low", "more"}, [])
    assert [module.name for module in report.revised] == ["other"]
    assert Exports("low", "more", "other") == first


def test_a_module_that_came_and_went_since(workshop: Workshop, notebook: PlainNotebook, *, migrate: bool) -> None:
    """What only a function imported meanwhile, and whose file is gone, keeps nothing from coming back."""
    first = Exports("low", "other")
    late = "def ask():\n    import late\n    return late.N\n"
    workshop.write({"low.py": LOW.format(2) + late, "late.py": "N = 1\n"})
    reload(notebook, migrate=migrate)
    notebook.run("low.ask()")
    notebook.session.managed.adopt()
    workshop.write({"low.py": LOW.format(1)})
    (workshop.folder / "late.py").unlink()
    report = reload(notebook, migrate=migrate)
    assert (report.returned, report.gone, made(report)) == (("low",), ("late",), [])
    assert Exports("low", "other") == first
    assert "late" not in sys.modules


def test_a_module_that_was_deleted_between(workshop: Workshop, notebook: PlainNotebook, *, migrate: bool) -> None:
    """Deleting a module that all generations had makes another one, and what was before it still comes back whole."""
    text = "def other(): return 1\n"
    workshop.write({"other.py": text})
    reload(notebook, migrate=migrate)
    for number in (2, 1):
        workshop.write({"low.py": LOW.format(number)})
        reload(notebook, migrate=migrate)
    notebook.run("keeping = hold(low, other)\nnext(keeping)")
    first = Exports("low", "other")
    (workshop.folder / "other.py").unlink()
    report = reload(notebook, migrate=migrate)
    assert (report.gone, report.returned, report.generation) == (("other",), (), notebook.session.generation.newest)
    workshop.write({"low.py": LOW.format(3)})
    reload(notebook, migrate=migrate)
    workshop.write({"low.py": LOW.format(1), "other.py": text})
    assert set(reload(notebook, migrate=migrate).returned) == {"low", "other"}
    assert Exports("low", "other") == first


def test_packages_and_their_submodules(workshop: Workshop, notebook: PlainNotebook, *, migrate: bool) -> None:
    """A package that is back has the new submodule as an attribute; a new package has the one that is back."""
    workshop.write({"p/__init__.py": "class P: n = 1\n", "q/__init__.py": "N = 1\n", "q/leaf.py": "class L: n = 1\n"})
    notebook.run("import p, q.leaf\nheld = hold(p, q.leaf)\nnext(held)")
    package, leaf = notebook["p"].P.__mro__[0], sys.modules["q.leaf"].L.__mro__[0]
    workshop.write({"p/__init__.py": "class P: n = 2\n", "q/leaf.py": "class L: n = 2\n", "p/late.py": "N = 1\n"})
    reload(notebook, migrate=migrate)
    notebook.run("import p.late")
    workshop.write({"p/__init__.py": "class P: n = 1\n", "q/leaf.py": "class L: n = 1\n"})
    workshop.write(
        {"p/late.py": "import sys\nN = [2]\n", "q/__init__.py": "import sys\nfrom q import leaf as own\nN = [2]\n"}
    )
    report = reload(notebook, migrate=migrate)
    assert (set(report.returned), set(made(report))) == ({"p", "q.leaf"}, {"p.late", "q"})
    assert notebook["p"].P is package
    assert notebook["p"].late is sys.modules["p.late"]
    assert notebook["q"].leaf is notebook["q"].own is sys.modules["q.leaf"]
    assert notebook["q"].leaf.L is leaf


def test_an_error_beside_leaves_all_as_it_was(workshop: Workshop, notebook: PlainNotebook, *, migrate: bool) -> None:
    """Where what is made beside fails, nothing comes back, and what was to come back is as it was; then it does."""
    base = notebook["low"].Base.__mro__[0]
    workshop.write({"low.py": LOW.format(2), "more.py": MORE.format(1)})
    reload(notebook, migrate=migrate)
    notebook.run("import more")
    before = state_of(notebook, "low", "more", "other")
    retired = (dict(vars(base)), base.__qualname__, base.__bases__)
    workshop.write({"low.py": LOW.format(1), "more.py": MORE.format(2) + "low.ADDED = 1\nlow.NAMES.append(1)\n1 / 0\n"})
    assert isinstance(notebook.session.reload(migrate=migrate).error, ZeroDivisionError)
    assert state_of(notebook, "low", "more", "other") == before
    assert (dict(vars(base)), base.__qualname__, base.__bases__) == retired
    workshop.write({"more.py": MORE.format(2)})
    report = reload(notebook, migrate=migrate)
    assert (report.returned, made(report)) == (("low",), ["more"])
    assert notebook["low"].Base is base
    assert not hasattr(notebook["low"], "ADDED")
    assert notebook["low"].NAMES == []


def test_registering_by_name_beside(workshop: Workshop, notebook: PlainNotebook, *, migrate: bool) -> None:
    """What is made beside registers in what is back, once, as it does after a restart."""
    text = "import low\nlow.NAMES.append('more')\nclass More(low.Base): n = {0}\n"
    workshop.write({"more.py": text.format(1)})
    notebook.run("import more")
    workshop.write({"low.py": LOW.format(2)})
    reload(notebook, migrate=migrate)
    assert notebook["low"].NAMES == ["more"]
    for number in (1, 2, 1):
        workshop.write({"low.py": LOW.format(number), "more.py": text.format(number + 1)})
        reload(notebook, migrate=migrate)
        assert notebook["low"].NAMES == ["more"]
        assert notebook["more"].More().show() == number
        assert notebook["more"].More.n == number + 1
