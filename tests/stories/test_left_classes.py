"""Instances that could not move to the new class: they are tried and said once, until their class is another."""

from __future__ import annotations

import gc

import pytest

from tests.shells import Notebook
from tests.workshop import Workshop

POINT = "from collections import namedtuple\nPoint = namedtuple('Point', {fields})\n"


@pytest.fixture
def stuck(auto: Notebook, workshop: Workshop) -> Notebook:
    """A notebook with old points, which the new class has no value for, and something else that reloads."""
    workshop.write({"points.py": POINT.format(fields="'x'"), "other.py": "class Other: age = 1\n"})
    auto.run("from points import Point\nimport other\npoints = [Point(n) for n in range(3)]\nthing = other.Other()")
    workshop.edit("points.py", POINT.format(fields="'x y'"))
    text = auto.run("0")
    assert "3 of points.Point stay as they were" in text
    assert "%exomigrate" in text
    return auto


def test_what_is_left_is_not_said_again(stuck: Notebook, workshop: Workshop) -> None:
    """Reloads of something else move what is theirs, and say nothing of it."""
    for number in (2, 3):
        workshop.edit("other.py", f"class Other: age = {number}\n")
        assert "points" not in stuck.run("answer = thing.age, isinstance(thing, other.Other)")
        assert stuck["answer"] == (number, True)
    assert stuck.value("points[0], isinstance(points[0], Point)")[1] is False


def test_what_is_left_is_no_reason_to_look_through_the_heap(
    stuck: Notebook, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor do its classes and their module count as held by others."""
    stuck.run("del thing")
    looks: list[int] = []
    look = gc.get_referrers

    def noted(*objects: object) -> list[object]:
        looks.append(len(objects))
        return look(*objects)

    monkeypatch.setattr(gc, "get_referrers", noted)
    workshop.edit("other.py", "class Other: age = 2\n")
    stuck.run("other.Other.age")
    assert looks == []


@pytest.mark.parametrize("edited", ["points.py", "base.py"])
def test_another_class_is_tried_again(auto: Notebook, workshop: Workshop, edited: str) -> None:
    """An edit of its own file, or of what that imports, makes it another."""
    texts = {"points.py": "from base import DEFAULTS\n" + POINT.format(fields="'x y', defaults=DEFAULTS")}
    workshop.write({"points.py": POINT.format(fields="'x'"), "base.py": "DEFAULTS = []\n"})
    auto.run("from points import Point\npoints = [Point(3)]")
    workshop.edit("points.py", texts["points.py"])
    assert "stays as it was" in auto.run("0")
    workshop.edit(edited, texts.get(edited, "DEFAULTS = []\n").replace("[]", "[5]").replace("=DEFAULTS", "=[5]"))
    auto.run("0")
    assert auto.value("points == [(3, 5)], isinstance(points[0], Point)") == (True, True)


def test_the_person_may_ask(stuck: Notebook, workshop: Workshop) -> None:
    """`%exomigrate` tries it, and says what stands in the way: not a way that fails as well."""
    workshop.edit("other.py", "class Other: age = 2\n")
    stuck.run("0")
    text = stuck.run("%exomigrate")
    assert "the new field 'y' has no default" in text
    assert "--rebuild" not in text


@pytest.mark.parametrize("kind", ["str", "int", "Exception", "collections.deque", "threading.local"])
def test_what_an_object_cannot_become_is_said_with_what_to_do(auto: Notebook, workshop: Workshop, kind: str) -> None:
    """A plain object has no value that a kind of text or number could be made of: Python's own words don't help."""
    workshop.write({"box.py": "import collections, threading\nclass Box: pass"})
    auto.run("from box import Box\nbox = Box()")
    workshop.edit("box.py", f"import collections, threading\nclass Box({kind}): pass")
    name = kind.rpartition(".")[2].replace("local", "_local")
    for cell in ("0", "%exomigrate", "%exomigrate --rebuild"):
        text = auto.run(cell)
        assert f"its class is a kind of {name} now, which it can't become: make a new object instead" in text
        assert "--rebuild puts" not in text


def test_what_of_an_object_cannot_be_taken_over_is_said(auto: Notebook, workshop: Workshop) -> None:
    """It is a kind of queue before and after, so that this is not what stands in the way."""
    workshop.write({"box.py": "import collections\nclass Box(collections.deque): __slots__ = ()"})
    auto.run("from box import Box\nbox = Box([1])")
    workshop.edit("box.py", "import collections\nclass Box(collections.deque): __slots__ = ('size',)")
    text = auto.run("0")
    assert "its layout is another one by now, and what it has as a deque can't be taken over: make a new" in text
    assert auto.value("list(box)") == [1]


@pytest.mark.parametrize(("kind", "value"), [("float", "2.5"), ("str", "'a'"), ("list", "[1]"), ("tuple", "(1, 2)")])
def test_an_object_keeps_a_value_that_its_class_has_no_place_for(
    auto: Notebook, workshop: Workshop, kind: str, value: str
) -> None:
    """A plain object in its place would be an empty one: it stays, and what stands in the way is said."""
    workshop.write({"box.py": f"class Box({kind}): pass"})
    auto.run(f"from box import Box\nbox = Box({value})")
    workshop.edit("box.py", "class Box:\n    def __init__(self, value): self.value = value")
    assert f"its class is no kind of {kind} by now, and what it has as one would be lost" in auto.run("0")
    assert auto.value(f"box == {value}") is True


def test_what_is_left_runs_its_own_code_after_other_reloads(auto: Notebook, workshop: Workshop) -> None:
    """Also where something else of its old module is held, and replaced."""
    text = "class Box:\n    __slots__ = ('a',)\n    def size(self): return {0}\n"
    hook = "    def __exo_migrate__(self, old): raise ValueError('no')\n"
    workshop.write({"box.py": text.format(1), "other.py": "class Other: age = 1\n"})
    auto.run("import box, other\nbox1 = box.Box()\nthing = other.Other()")
    workshop.edit("box.py", text.format(2).replace("('a',)", "('a', 'b')") + hook)
    assert "ValueError: no" in auto.run("0")
    workshop.edit("other.py", "class Other: age = 2\n")
    assert auto.value("box1.size(), box.Box().size(), thing.age") == (1, 2, 2)


def test_an_enum_that_a_function_has_made_stays_whole(auto: Notebook, workshop: Workshop) -> None:
    """Its metaclass makes members of what its body assigns; a bare number among them would be none, so it is said."""
    text = (
        "import enum\ndef make():\n    class Colour(enum.Enum):\n        RED = 1\n{more}"
        "        def call(self): return {answer}\n    return Colour\n"
    )
    workshop.write({"colours.py": text.format(more="", answer=1)})
    auto.run("from colours import make\nMine = make()\nred = Mine.RED")
    workshop.edit("colours.py", text.format(more="        BLUE = 4\n", answer=2))
    assert "its metaclass makes something else of what its body assigns; make it again" in auto.run("0")
    assert auto.value("[one.name for one in Mine], hasattr(Mine, 'BLUE'), red.call()") == (["RED"], False, 2)
    assert auto.value("[one.name for one in make()]") == ["RED", "BLUE"]


def test_a_trial_is_not_finalised(auto: Notebook, workshop: Workshop) -> None:
    """What is made to see whether an instance could have a successor is nothing that a person would have closed."""
    box = "class Box:\n    __slots__ = {}\n    def __del__(self): print('closed', self.size)\n"
    auto.run("%exoauto off")
    workshop.write({"box.py": box.format("('size',)")})
    auto.run("%exoload box\nbox_ = box.Box()\nbox_.size = 3")
    workshop.edit("box.py", box.format("('size', 'name')"))
    auto.run("%exoreload")
    printed = auto.run("%exomigrate")
    assert "--rebuild puts a new object in its place" in printed
    assert "closed" not in printed + auto.run("%exomigrate --rebuild")
    assert "closed 3" in auto.run("del box_")
