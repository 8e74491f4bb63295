"""Which names of a notebook are replaced: by identity, by provenance, never by being equal."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from exocet_ipython.notebook.names.bindings import Bindings
from exocet_ipython.notebook.names.sources import Source, star_names
from tests.plain_notebook import PlainNotebook
from tests.workshop import Workshop

THINGS = """
    import enum, functools, typing
    NUMBER = {number}
    SHARED = 7
    TEXT = "text {number}"
    NOTHING = None
    PAIR = (1, "a", {number})
    ITEMS = [{number}]
    TABLE = {{"n": {number}}}
    class Colour(enum.Enum):
        RED = {number}
        BLUE = 100
    class Outer:
        n = {number}
        class Inner:
            n = {number}
            class Deep:
                n = {number}
        def method(self): return {number}
        @staticmethod
        def static(): return {number}
    def func(): return {number}
    @functools.lru_cache
    def cached(): return {number}
    part = functools.partial(func)
    alias = func
    class Thing:
        def __init__(self): self.n = {number}
    thing = Thing()
    generic = list[Outer]
"""


@pytest.fixture
def notebook(workshop: Workshop) -> PlainNotebook:
    """A notebook with a module `things` loaded and nothing bound."""
    workshop.write({"things.py": THINGS.format(number=1)})
    made = PlainNotebook()
    made.session.load("things")
    return made


def edit(workshop: Workshop) -> None:
    """Save the next version of `things`."""
    workshop.write({"things.py": THINGS.format(number=2)})


IDENTITY = {
    "func": "things.func",
    "cached": "things.cached",
    "part": "things.part",
    "Outer": "things.Outer",
    "Inner": "things.Outer.Inner",
    "Deep": "things.Outer.Inner.Deep",
    "method": "things.Outer.method",
    "Colour": "things.Colour",
    "RED": "things.Colour.RED",
    "thing": "things.thing",
    "ITEMS": "things.ITEMS",
    "TABLE": "things.TABLE",
    "things": "things",
}


@pytest.mark.parametrize("path", IDENTITY.values(), ids=IDENTITY)
def test_names_follow_by_identity(notebook: PlainNotebook, workshop: Workshop, path: str) -> None:
    """Modules, classes, functions, members, instances and containers follow however the name came to them."""

    def current() -> object:
        found: object = sys.modules["things"]
        for part in path.split(".")[1:]:
            found = getattr(found, part)
        return found

    old = current()
    notebook.space |= {"a": old, "any_name_2": old}
    edit(workshop)
    report = notebook.reload()
    assert notebook["a"] is notebook["any_name_2"] is current()
    assert notebook["a"] is not old
    assert {(name.name, name.source) for name in report.rebound} == {("a", path), ("any_name_2", path)}


def test_static_methods_follow(notebook: PlainNotebook, workshop: Workshop) -> None:
    """A static method, which is a plain function when it is read from its class, follows as well."""
    notebook.space["static"] = sys.modules["things"].Outer.static
    edit(workshop)
    notebook.reload()
    assert notebook["static"]() == 2


def test_class_is_known_by_where_it_is_defined(workshop: Workshop) -> None:
    """A class that several modules import is followed to the module that defines it."""
    workshop.write(
        {"low.py": "class C: n = 1\n", "aaa.py": "from low import C\n", "zzz.py": "from low import C as D\n"}
    )
    notebook = PlainNotebook()
    for name in ("zzz", "aaa"):
        notebook.exoload(name)
    notebook.space["X"] = sys.modules["low"].C
    workshop.write({"low.py": "class C: n = 2\n", "aaa.py": "from low import C\nC.n\nC = 5\n"})
    notebook.reload()
    assert notebook["X"] is sys.modules["low"].C


@pytest.mark.parametrize(
    ("attribute", "now"),
    [("NUMBER", 2), ("TEXT", "text 2"), ("PAIR", (1, "a", 2)), ("NOTHING", None), ("SHARED", 7)],
)
def test_atoms_follow_by_provenance(notebook: PlainNotebook, workshop: Workshop, attribute: str, now: object) -> None:
    """Numbers, texts, None and tuples of these follow when an import statement bound the name, under any alias."""
    notebook.run(f"from things import {attribute} as mine\nfrom things import {attribute}")
    edit(workshop)
    notebook.reload()
    assert notebook["mine"] == notebook[attribute] == now


def test_atoms_never_follow_by_being_equal(notebook: PlainNotebook, workshop: Workshop) -> None:
    """A name that holds an equal, or even the same, number or text keeps it when it was not imported."""
    things = sys.modules["things"]
    notebook.run("mine = 1\ntext = 'text 1'\nnothing = None\nseven = 7")
    notebook.space |= {"same": things.TEXT, "pair": things.PAIR}
    before = dict(notebook.space)
    edit(workshop)
    notebook.reload()
    assert {name: value for name, value in notebook.space.items() if name != "__builtins__"} == {
        name: value for name, value in before.items() if name != "__builtins__"
    }


def test_changing_from_an_atom_to_something_else(workshop: Workshop) -> None:
    """An imported name follows its source from a number to a class, to a list and back."""
    workshop.write({"a.py": "X = 1\n"})
    notebook = PlainNotebook()
    notebook.run("from a import X")
    for text in ("class X: pass\n", "X = [1]\n", "X = None\n", "def X(): pass\n", "X = 5\n"):
        workshop.write({"a.py": text})
        notebook.reload()
        assert notebook["X"] is sys.modules["a"].X


@pytest.mark.parametrize(
    "cell",
    [
        "NUMBER = 50",
        "NUMBER = 1",
        "NUMBER: int = 1",
        "NUMBER += 0",
        "for NUMBER in [1]: pass",
        "del NUMBER; NUMBER = 1",
        "(NUMBER := 1)",
        "with __import__('contextlib').nullcontext(1) as NUMBER: pass",
        "NUMBER, other = 1, 2",
    ],
)
def test_reassigned_names_stay(notebook: PlainNotebook, workshop: Workshop, cell: str) -> None:
    """A name that the person assigned since is theirs, whatever value it has."""
    notebook.run("from things import NUMBER")
    notebook.run(cell)
    before = notebook["NUMBER"]
    edit(workshop)
    report = notebook.reload()
    assert notebook["NUMBER"] == before
    assert "NUMBER" not in [name.name for name in report.rebound]


def test_names_assigned_without_a_cell_stay(notebook: PlainNotebook, workshop: Workshop) -> None:
    """A name whose value is no longer what its source gave is left alone, however it was assigned."""
    notebook.run("from things import NUMBER, Outer, func")
    notebook.space |= {"NUMBER": 5, "Outer": int, "func": len}
    edit(workshop)
    notebook.reload()
    assert (notebook["NUMBER"], notebook["Outer"], notebook["func"]) == (5, int, len)


def test_deleted_names_stay_deleted(notebook: PlainNotebook, workshop: Workshop) -> None:
    """A name that the person deleted doesn't come back."""
    notebook.run("from things import NUMBER, Outer")
    notebook.run("del NUMBER, Outer")
    edit(workshop)
    notebook.reload()
    assert "NUMBER" not in notebook.space
    assert "Outer" not in notebook.space


def test_definition_that_is_gone(notebook: PlainNotebook, workshop: Workshop) -> None:
    """Names whose definition is gone keep their old value and are reported, until it is back."""
    notebook.run("from things import Outer, func, NUMBER\nimport things")
    old = dict(notebook.space)
    workshop.write({"things.py": "other = 1\n"})
    report = notebook.reload()
    assert [notebook[name] is old[name] for name in ("Outer", "func", "NUMBER")] == [True] * 3
    assert {kept.name for kept in report.kept} == {"Outer", "func", "NUMBER"}
    assert all("no longer defined" in str(kept) for kept in report.kept)
    assert "names kept" in repr(report)
    assert [name.name for name in report.rebound] == ["things"]


def test_that_a_definition_is_gone_is_said_once(notebook: PlainNotebook, workshop: Workshop) -> None:
    """Later reports have room for what is new; when the definition was back meanwhile, it is news again."""
    workshop.write({"other.py": "N = 1", "things.py": "NUMBER = 1\nITEMS = [1]\ndef func(): pass\n"})
    notebook.exoload("other")
    notebook.run("from things import ITEMS, func, NUMBER")
    workshop.write({"things.py": "N = 1\n"})
    assert {kept.name for kept in notebook.reload().kept} == {"ITEMS", "func", "NUMBER"}
    for number in (2, 3):
        workshop.write({"things.py": f"N = {number}\n", "other.py": f"N = {number}\n"})
        assert notebook.reload().kept == ()
    workshop.write({"things.py": "N = 4\ndef func(): pass\n"})
    assert notebook.reload().kept == ()
    workshop.write({"things.py": "N = 5\n"})
    assert [kept.name for kept in notebook.reload().kept] == ["func"]
    for path in ("things.py", "other.py"):
        (workshop.folder / path).unlink()
    report = notebook.reload()
    assert report.headline.startswith("took away ")
    assert f"whose files are gone (generation {report.generation})" in report.headline


def test_name_whose_definition_comes_back(notebook: PlainNotebook, workshop: Workshop) -> None:
    """A name that kept its old value follows again once its definition is back."""
    notebook.run("from things import Outer, NUMBER")
    workshop.write({"things.py": "other = 1\n"})
    notebook.reload()
    edit(workshop)
    notebook.reload()
    assert notebook["Outer"] is sys.modules["things"].Outer
    assert notebook["NUMBER"] == 2


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("ITEMS", "ITEMS.append(9)"),
        ("ITEMS", "ITEMS[0] = 9"),
        ("TABLE", "TABLE['new'] = 9"),
        ("TABLE", "TABLE['n'] = 9"),
        ("thing", "thing.n = 'trained'"),
        ("thing", "thing.weights = [1]"),
        ("thing", "del thing.n"),
    ],
)
def test_changed_state_is_kept(notebook: PlainNotebook, workshop: Workshop, name: str, cell: str) -> None:
    """A container or instance that was changed since its module ran stays; the report says how to get the new one."""
    notebook.run(f"from things import {name}")
    notebook.run(cell)
    old = notebook[name]
    edit(workshop)
    report = notebook.reload()
    assert notebook[name] is old
    (kept,) = report.kept
    assert (kept.name, str(kept.source)) == (name, f"things.{name}")
    assert "was changed since" in str(kept)
    assert f"things.{name}" in str(kept)
    notebook.run(f"from things import {name}")
    assert notebook[name] is getattr(sys.modules["things"], name) is not old


def test_kept_state_follows_after_it_was_taken_anew(notebook: PlainNotebook, workshop: Workshop) -> None:
    """After the person took the new object, and left it as its module made it, the name follows again."""
    notebook.run("from things import ITEMS\nITEMS.append(1)")
    edit(workshop)
    notebook.reload()
    notebook.run("from things import ITEMS\nITEMS.remove(1)")
    workshop.write({"things.py": THINGS.format(number=3)})
    notebook.reload()
    assert notebook["ITEMS"] == [3]


# -- star imports ------------------------------------------------------------------------------------------------------


def test_star_names_follow(workshop: Workshop) -> None:
    """Star-imported names follow, gained ones are bound, removed ones are kept and reported."""
    workshop.write({"s.py": "a = 1\nb = 2\ndef f(): return 1\n_hidden = 1\n"})
    notebook = PlainNotebook()
    notebook.run("from s import *")
    workshop.write({"s.py": "a = 10\nc = 30\ndef f(): return 2\n_hidden = 2\n"})
    report = notebook.reload()
    assert (notebook["a"], notebook["b"], notebook["c"], notebook["f"]()) == (10, 2, 30, 2)
    assert "_hidden" not in notebook.space
    assert [kept.name for kept in report.kept] == ["b"]
    assert sorted(name.name for name in report.rebound) == ["a", "c", "f"]
    workshop.write({"s.py": "a = 10\nc = 31\n"})
    notebook.reload()
    assert notebook["c"] == 31


def test_star_respects_all(workshop: Workshop) -> None:
    """A changed `__all__` gains and loses names like definitions do."""
    workshop.write({"s.py": "__all__ = ['a']\na = 1\nb = 1\n_c = 1\n"})
    notebook = PlainNotebook()
    notebook.run("from s import *")
    workshop.write({"s.py": "__all__ = ['b', '_c']\na = 2\nb = 2\n_c = 2\n"})
    notebook.reload()
    assert notebook["b"] == 2
    assert notebook["_c"] == 2


def test_two_stars(workshop: Workshop) -> None:
    """With two star imports, a name means the last one that still has it."""
    workshop.write({"one.py": "x = 'one 1'\ny = 'one 1'\n", "two.py": "x = 'two 1'\n"})
    notebook = PlainNotebook()
    notebook.run("from one import *\nfrom two import *")
    assert notebook["x"] == "two 1"
    workshop.write({"one.py": "x = 'one 2'\ny = 'one 2'\n"})
    notebook.reload()
    assert (notebook["x"], notebook["y"]) == ("two 1", "one 2")
    workshop.write({"two.py": "other = 1\n"})
    notebook.reload()
    assert notebook["x"] == "one 2"
    workshop.write({"one.py": "x = 'one 3'\ny = 'one 3'\n"})
    notebook.reload()
    assert notebook["x"] == "one 3"
    workshop.write({"two.py": "x = 'two 2'\ny = 'two 2'\n"})
    notebook.reload()
    assert (notebook["x"], notebook["y"]) == ("two 2", "two 2")


def test_stars_the_other_way_round(workshop: Workshop) -> None:
    """Importing the first star again makes it the last."""
    workshop.write({"one.py": "x = 'one 1'\n", "two.py": "x = 'two 1'\n"})
    notebook = PlainNotebook()
    notebook.run("from one import *\nfrom two import *")
    notebook.run("from one import *")
    workshop.write({"one.py": "x = 'one 2'\n", "two.py": "x = 'two 2'\n"})
    notebook.reload()
    assert notebook["x"] == "one 2"


def test_star_never_takes_the_persons_name(workshop: Workshop) -> None:
    """A gained name that the person uses already is left alone; so is one imported from elsewhere later."""
    workshop.write({"s.py": "a = 1\n", "t.py": "c = 't'\n"})
    notebook = PlainNotebook()
    notebook.run("from s import *")
    notebook.run("b = 'mine'\nfrom t import c")
    workshop.write({"s.py": "a = 1\nb = 's'\nc = 's'\nlen = 's'\n"})
    notebook.reload()
    assert (notebook["b"], notebook["c"], notebook["len"]) == ("mine", "t", "s")


def test_star_of_a_wrong_all() -> None:
    """An `__all__` that names what is not there gives the names that are."""
    module = ModuleType("m")
    vars(module).update(__all__=["a", "missing"], a=1, b=2)
    assert star_names(module) == ("a",)


# -- the output cache --------------------------------------------------------------------------------------------------


def test_outputs_are_not_rebound_except_modules(notebook: PlainNotebook, workshop: Workshop) -> None:
    """`Out`, `_` and `_5` keep old instances, classes and values; a retired module in them is replaced."""
    notebook.run("import things\nfrom things import Outer, thing, NUMBER")
    old = dict(notebook.space)
    notebook.space |= {
        "Out": {1: old["Outer"], 2: old["thing"], 3: old["things"], 4: 1, 5: [old["things"]]},
        "_": old["Outer"],
        "__": old["things"],
        "_2": old["thing"],
        "_3": old["things"],
    }
    edit(workshop)
    notebook.reload()
    new = sys.modules["things"]
    assert notebook["Out"][1] is notebook["_"] is old["Outer"]
    assert notebook["Out"][2] is notebook["_2"] is old["thing"]
    assert notebook["Out"][3] is notebook["_3"] is notebook["__"] is new
    assert notebook["Out"][4] == 1
    assert notebook["Out"][5] == [old["things"]]


def test_dunder_names_are_not_the_persons(notebook: PlainNotebook, workshop: Workshop) -> None:
    """Names such as `__builtins__` and `__loader__` are never written."""
    notebook.space |= {"__loader__": sys.modules["things"].Outer, "In": sys.modules["things"].ITEMS}
    before = dict(notebook.space)
    edit(workshop)
    notebook.reload()
    assert all(notebook.space[name] is value for name, value in before.items())


# -- the value itself --------------------------------------------------------------------------------------------------


def _no_star(module: str) -> tuple[str, ...]:
    raise AssertionError(module)


def test_learn_forgets_what_was_assigned() -> None:
    """An import teaches a name's source; an assignment after it unteaches it, in the order of the cell."""
    bindings = Bindings()
    bindings.learn("from m import a as b, c\nimport p.q as r, s.t", _no_star)
    assert bindings.sources("b") == (Source("m", "a"),)
    assert bindings.sources("r") == (Source("p.q"),)
    assert bindings.sources("s") == (Source("s"),)
    bindings.learn("c = 1\nb = 1\nfrom m import b", _no_star)
    assert bindings.sources("c") == ()
    assert bindings.sources("b") == (Source("m", "b"),)
    bindings.learn("%magic\nb = 2", _no_star)
    assert bindings.sources("b") == (Source("m", "b"),)


def test_sources_print_as_people_write_them() -> None:
    """A source prints as the dotted name of what it means."""
    assert (str(Source("a.b")), str(Source("a.b", "C"))) == ("a.b", "a.b.C")


# -- repeated ----------------------------------------------------------------------------------------------------------


def test_everything_follows_every_time(notebook: PlainNotebook, workshop: Workshop) -> None:
    """Names that followed once follow again and again."""
    notebook.run("from things import *\nimport things\nfrom things import NUMBER as n, Outer as o\nRED = Colour.RED")
    for number in range(2, 8):
        workshop.write({"things.py": THINGS.format(number=number)})
        report = notebook.reload()
        assert report.kept == ()
        new = sys.modules["things"]
        assert notebook["n"] == notebook["NUMBER"] == number
        assert notebook["o"] is notebook["Outer"] is new.Outer
        assert notebook["RED"] is new.Colour.RED
        assert notebook["things"] is new
        assert notebook["ITEMS"] is new.ITEMS
        assert notebook["generic"].__args__ == (new.Outer,)


def test_long_cells_are_read_in_order() -> None:
    """A long cell is read when somebody asks, after those before it and before those that come later."""
    bindings = Bindings()
    filler = "\n# a long cell" * 40
    bindings.learn("from m import a\nfrom m import b, c" + filler, _no_star)
    bindings.learn("a = 1" + filler, _no_star)
    bindings.learn("from n import c", _no_star)
    assert [bindings.sources(name) for name in "abc"] == [(), (Source("m", "b"),), (Source("n", "c"),)]
