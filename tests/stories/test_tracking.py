"""Old objects: which of them the notebook still holds, and that nothing of ours holds any."""

from __future__ import annotations

import gc
import sys
import weakref
from collections import Counter
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from exocet_ipython.notebook.old.status import StatusReport
from exocet_ipython.notebook.report import ReloadReport
from tests.plain_notebook import PlainNotebook
from tests.workshop import Workshop, living_standins

PROJECT = {
    "model.py": """
        import enum, dataclasses, functools
        import parts
        from parts import helper
        NUMBER = {number}
        class Colour(enum.Enum):
            RED = 1
        class Model:
            class Options:
                deep = True
            def __init__(self): self.colour = Colour.RED
            def run(self): return helper(self)
        @dataclasses.dataclass
        class Point:
            x: int = 0
        @functools.lru_cache
        def cached(n): return n
        def train(): return Model()
        ready = Model()
        table = {{"a": Model, "b": [ready]}}
        closure = (lambda inner: lambda: inner)(Model)
    """,
    "parts.py": "def helper(thing): return thing\nclass Part: pass\n# {number}\n",
    "app.py": "from model import *\nimport model as m\nclass App(m.Model): pass\n",
    "kit/__init__.py": "from kit import tool\n",
    "kit/tool.py": "import app\nclass Tool: app = app.App\n",
}
ROOTS = ("model", "parts", "app", "kit")

# Whatever a metaclass makes of the attribute.
name_of = type.__dict__["__name__"].__get__


def project(number: int) -> dict[str, str]:
    """The project's files, with a number that makes each edit another text."""
    return {path: text.format(number=number) for path, text in PROJECT.items()}


@pytest.fixture
def notebook(workshop: Workshop) -> PlainNotebook:
    """A notebook in which the project is loaded."""
    workshop.write(project(1))
    made = PlainNotebook()
    made.exoload("kit")
    return made


def retired_references() -> dict[str, weakref.ref[Any]]:
    """Weak references to all that the current modules are and define, which the next reload retires."""
    found: dict[str, weakref.ref[Any]] = {}
    for name in [name for name in sys.modules if name.partition(".")[0] in ROOTS]:
        module = sys.modules[name]
        found[name] = weakref.ref(module)
        for key, value in vars(module).items():
            if getattr(value, "__module__", None) == name and not key.startswith("__"):
                found[f"{name}.{key}"] = weakref.ref(value)
    return found


def alive(references: dict[str, weakref.ref[Any]]) -> list[str]:
    """The names whose object lives after the collector ran."""
    gc.collect()
    return [name for name, reference in references.items() if reference() is not None]


def test_old_generation_is_collected(notebook: PlainNotebook, workshop: Workshop) -> None:
    """When no name holds an old object, old modules, classes, functions, members and instances are all gone."""
    notebook.run("import model, kit.tool\nfrom model import Model, train, Colour, ready\nRED = Colour.RED")
    old = retired_references()
    assert {"model", "model.Model", "model.Colour", "model.train", "model.cached", "model.closure", "app.App"} <= {*old}
    workshop.write(project(2))
    report = notebook.reload()
    assert alive(old) == []
    assert report.survivors == ()
    assert notebook.session.survivors() == ()
    assert notebook.session.status().retired == ()


def test_collected_once_the_names_are_gone(notebook: PlainNotebook, workshop: Workshop) -> None:
    """An instance that a name holds keeps its class alive; without the name all of the old generation is gone."""
    notebook.run("from model import Model\nobj = Model()\nmany = [Model() for _ in range(3)]")
    old = retired_references()
    workshop.write(project(2))
    notebook.reload()
    assert "model.Model" in alive(old)
    del notebook.space["obj"]
    assert "model.Model" in alive(old)
    notebook["many"].clear()
    assert alive(old) == []


def test_survivors_are_named(notebook: PlainNotebook, workshop: Workshop) -> None:
    """The report of a reload says which old definitions live, and by which names and `Out` entries."""
    notebook.run("from model import Model, train, Point")
    notebook.run("model_a = Model()\nmodel_b = model_a\nfun = [Model]\np = Point()")
    notebook.space["Out"] = {5: notebook["model_a"], 6: "text", 7: notebook["p"]}
    notebook.space["_5"] = notebook["model_a"]
    notebook.space["keep"] = keep = {"train": notebook["train"]}
    workshop.write(project(2))
    report = notebook.reload()
    held = {(survivor.kind, survivor.name): survivor.names for survivor in report.survivors}
    assert held == {
        ("instance", "model.Model"): ("model_a", "model_b", "Out[5]"),
        ("instance", "model.Point"): ("p", "Out[7]"),
    }
    assert str(report.survivors[0]) == "old Model alive: model_a, model_b, Out[5]"
    assert "old Model alive: model_a, model_b, Out[5]" in report.headline
    assert {survivor.generation for survivor in report.survivors} == {1}
    assert keep["train"] is not notebook["train"]


def test_old_classes_functions_and_modules_as_survivors(notebook: PlainNotebook, workshop: Workshop) -> None:
    """Old classes, nested classes, functions and modules are survivors where a name still means them."""
    notebook.run("import model")
    old = notebook["model"]
    workshop.write(project(2))
    notebook.reload()
    notebook.space |= {"o": old, "C": old.Model, "N": old.Model.Options, "f": old.train}
    notebook.space["sub"] = type("Sub", (old.Model,), {})()
    held = {(survivor.kind, survivor.name): survivor.names for survivor in notebook.session.survivors()}
    assert held == {
        ("module", "model"): ("o",),
        ("class", "model.Model"): ("C",),
        ("class", "model.Model.Options"): ("N",),
        ("function", "model.train"): ("f",),
        ("instance", "model.Model"): ("sub",),
    }


def test_status_counts_what_no_name_holds(notebook: PlainNotebook, workshop: Workshop) -> None:
    """The status lists a living generation, its named survivors, and how many more definitions live."""
    notebook.run("from parts import Part\npart = Part()")
    workshop.write(project(2))
    notebook.reload()
    gc.collect()
    (retired,) = notebook.session.status().retired
    assert retired.number == 1
    assert [survivor.names for survivor in retired.survivors] == [("part",)]
    assert retired.others == 2  # its module, which could come back, and what else that defines
    shown = repr(notebook.session.status())
    assert "generation 1, replaced" in shown
    assert "old Part alive: part" in shown
    notebook.space["held"] = [notebook["part"]]
    del notebook.space["part"]
    (retired,) = notebook.session.status().retired
    assert [survivor.names for survivor in retired.survivors] == [("held[0]",)]
    notebook.space["held"] = [[[[[[notebook["held"]]]]]]]  # farther than the status looks
    (retired,) = notebook.session.status().retired
    assert retired.survivors == ()
    assert retired.others == 3
    del notebook.space["held"]
    gc.collect()
    assert notebook.session.status().retired == ()


def test_strange_values_in_the_namespace(notebook: PlainNotebook, workshop: Workshop) -> None:
    """Values whose comparison, hash, attributes or class raise don't disturb a reload or the survivors."""
    notebook.run(
        """
class Nasty:
    def __eq__(self, other): raise RuntimeError
    def __hash__(self): raise RuntimeError
    def __getattribute__(self, name): raise RuntimeError
    def __bool__(self): raise RuntimeError
    def __len__(self): raise RuntimeError
    __class__ = property(lambda self: 1 / 0)
class Meta(type):
    def __getattribute__(cls, name): raise RuntimeError
    def __eq__(cls, other): raise RuntimeError
    __hash__ = None
class Sour(metaclass=Meta): pass
nasty = Nasty()
from model import Model
obj = Model()
"""
    )
    notebook.space["sour"] = type.__call__(notebook["Sour"])
    sys.modules["model"].nasty = notebook["nasty"]  # type: ignore[attr-defined] # put there at run time
    sys.modules["model"].Sour = notebook["Sour"]  # type: ignore[attr-defined] # put there at run time
    workshop.write(project(2))
    report = notebook.reload()
    assert [survivor.names for survivor in report.survivors] == [("obj",)]


@pytest.fixture(params=[True, False], ids=["collector on", "collector off"])
def collector(request: pytest.FixtureRequest) -> Iterator[None]:
    """The automatic collector runs, or doesn't."""
    if not request.param:
        gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("collector")
def test_three_hundred_reloads_leave_nothing(workshop: Workshop) -> None:
    """Between reload 100 and reload 300 no type of object has grown, and all retired modules are dead.

    Also where the collector comes late, as it does in a process with many objects.
    """
    workshop.write(project(0))
    notebook = PlainNotebook()
    notebook.exoload("kit")
    notebook.run("import model, kit.tool, app\nfrom model import *\nfrom model import Model as M, train\nOut = {}")
    retired: weakref.WeakSet[ModuleType] = weakref.WeakSet()
    counts: dict[int, Counter[str]] = {}
    for number in range(1, 301):
        retired.update(sys.modules[name] for name in ("model", "parts", "app", "kit", "kit.tool"))
        workshop.edit("parts.py", PROJECT["parts.py"].format(number=number))
        workshop.edit("model.py", PROJECT["model.py"].format(number=number))
        if number in (50, 100, 300):
            gc.collect()  # the next reload forgets which generations could have come back
        report = notebook.reload()
        assert len(report.reloaded) == 5
        assert notebook["NUMBER"] == number
        if number in (50, 100, 300):  # the first count fills caches of collections.abc
            del report
            gc.collect()
            assert notebook.session.survivors() == ()  # which forgets the references to what is gone
            counts[number] = Counter(name_of(type(thing)) for thing in gc.get_objects())
    gc.collect()
    assert len(retired) == 0
    grown = {kind: count for kind, count in (counts[300] - counts[100]).items() if count >= 20}
    assert sum((counts[300] - counts[100]).values()) < 100, counts[300] - counts[100]
    assert grown == {}


def test_reports_hold_nothing(notebook: PlainNotebook, workshop: Workshop) -> None:
    """Fifty kept reports and statuses keep no old object alive."""
    notebook.run("from model import *\nimport kit\nobj = Model()")
    reports: list[ReloadReport | StatusReport] = []
    old = []
    for number in range(2, 52):
        old.append(retired_references())
        workshop.write(project(number))
        reports += [notebook.reload(), notebook.session.status(), notebook.session.reload(force=True, dry_run=True)]
    assert len({repr(report) for report in reports}) > 50
    del notebook.space["obj"]
    assert alive({f"{name} of {place}": one for place, names in enumerate(old) for name, one in names.items()}) == []


def test_reports_with_an_error_hold_nothing(notebook: PlainNotebook, workshop: Workshop) -> None:
    """Kept reports of failed reloads keep no old object alive, although their error has a traceback."""
    reports: list[ReloadReport] = []
    old = []
    number = 1
    for _ in range(5):
        old.append(retired_references())
        for text in ("import model\n1 / 0\n", "import model\ndef f(x): return x.y.z\nf(model)\n", "def f(:\n"):
            number += 1
            workshop.write(project(number) | {"app.py": text})
            reports.append(notebook.session.reload())
            assert reports[-1].error is not None
        number += 1
        workshop.write(project(number))
        notebook.reload()
    assert alive({f"{name} of {place}": one for place, names in enumerate(old) for name, one in names.items()}) == []
    assert {report.error.__traceback__ is not None for report in reports if report.error} >= {True}


def test_error_as_last_error_holds_no_old_object(
    notebook: PlainNotebook, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error of a failed reload, kept as `sys.last_value` for the debugger, keeps no old object alive."""
    old = retired_references()
    workshop.write(project(2) | {"app.py": "import model\n1 / 0\n"})
    error = notebook.session.reload().error
    assert error is not None
    monkeypatch.setattr(sys, "last_value", error, raising=False)
    monkeypatch.setattr(sys, "last_traceback", error.__traceback__, raising=False)
    workshop.write(project(2))
    notebook.reload()
    del error
    assert alive(old) == []


def test_session_itself_is_collected(workshop: Workshop) -> None:
    """A session that nobody uses any more is garbage, and so are its notebook's objects."""
    workshop.write(project(1))
    notebook = PlainNotebook()
    notebook.exoload("kit")
    notebook.run("import model\nobj = model.Model()")
    session = weakref.ref(notebook.session)
    instance = weakref.ref(notebook["obj"])
    del notebook
    gc.collect()
    assert session() is None
    assert instance() is None


def test_no_standin_remains(notebook: PlainNotebook, workshop: Workshop) -> None:
    """After reloads, failed ones too, no stand-in object exists anywhere in the process."""
    before = living_standins()
    notebook.run("from model import *")
    keeps_itself = "import sys\nme = sys.modules[__name__]\nkept = [me, {'me': me}]\n"
    for number, app in ((2, keeps_itself), (3, "1 / 0\n"), (4, "")):
        workshop.write(project(number) | {"app.py": app + "class App: pass\n"})
        notebook.session.reload()
    assert all(any(standin is other for other in before) for standin in living_standins())


def test_bases_that_go_on_list_no_class_that_nobody_holds(notebook: PlainNotebook, workshop: Workshop) -> None:
    """`__subclasses__()` has the new class alone, before any collection; an old one where its module is held."""
    text = "from base import Base\nclass Sub(Base): n = {}\nclass SubSub(Sub): pass\ndef f(): return Sub\n"
    workshop.write({"base.py": "class Base:\n    def f(self): return 1\n", "sub.py": text.format(1)})
    notebook.run("import base, sub")
    gc.disable()
    try:
        for number in (2, 3):
            workshop.write({"sub.py": text.format(number)})
            notebook.reload()
            assert notebook["base"].Base.__subclasses__() == [notebook["sub"].Sub]
        notebook.run("held = [sub.f]")
        old = notebook["sub"].Sub
        workshop.write({"sub.py": text.format(4)})
        notebook.reload()
        assert set(notebook["base"].Base.__subclasses__()) == {old, notebook["sub"].Sub}
        assert notebook["held"][0]()().f() == 1
        del old
        notebook.run("held = None")
        workshop.write({"sub.py": text.format(3)})
        notebook.reload()
        assert notebook["sub"].Sub.n == 3
        assert notebook["sub"].Sub().f() == 1
        assert notebook["sub"].Sub in notebook["base"].Base.__subclasses__()
    finally:
        gc.enable()


def test_new_code_is_not_given_an_old_instance_that_nobody_holds(workshop: Workshop) -> None:
    """A function that makes one instance makes another of the new class, where old ones are only tracked."""
    text = """
        NUMBER = {number}
        class Conf:
            def __init__(self): self.given = {{}}
        made = None
        def conf():
            global made
            if made is None: made = Conf()
            return made
    """
    workshop.write({"single.py": text.format(number=1)})
    notebook = PlainNotebook()
    notebook.exoload("single")
    notebook.run("import single; single.conf().given['a'] = 1")
    workshop.write({"single.py": text.format(number=[2])})
    notebook.reload()
    notebook.run("import single; known = isinstance(single.conf(), single.Conf)")
    assert notebook["known"]
