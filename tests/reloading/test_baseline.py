"""What a module held when its body had run."""

from __future__ import annotations

import enum
import math
import sys
from types import ModuleType

from exocet_ipython.reloading.holding.baseline import NO_FINGERPRINT
from exocet_ipython.reloading.holding.inventory import take_baseline
from exocet_ipython.reloading.holding.paths import values_at


class Color(enum.Enum):
    """A class of few instances, which all that name it share."""

    RED = 1
    BLUE = 2


class Kind(type):
    """A metaclass."""


class Shape(metaclass=Kind):
    """A class whose metaclass is written in Python."""

    registry: dict[str, list[str]] = {"square": []}  # noqa: RUF012 - a registry of the class's own


class Node:
    """A node of a tree that knows its parent."""

    def __init__(self, parent: Node | None = None) -> None:
        self.parent = parent
        self.children: list[Node] = []
        if parent is not None:
            parent.add(self)

    def add(self, child: Node) -> None:
        """Add a child."""
        self.children.append(child)


def test_each_instance_is_noted_once() -> None:
    """In a tree whose nodes know their parents all leads to all, and a module that has many of them notes each once."""
    module = ModuleType("m")
    root = Node()
    twigs = [Node(Node(root)) for _ in range(30)]
    for place, twig in enumerate(twigs):
        setattr(module, f"twig{place}", twig)
    contents = take_baseline(module).contents
    noted = [entries for path, entries in contents.items() if not path.endswith("children")]
    assert len(noted) == 1 + 30 + 30
    assert {f"twig{place}" for place in range(30)} <= contents.keys()
    assert contents["twig7"]["parent"] == id(twigs[7].parent)


def test_an_object_without_the_dict_that_its_class_says_it_has() -> None:
    """A class that mypyc has compiled (plum's) may say that it has a dict, and raise an error where there is none."""

    class Base:
        __slots__ = ("member",)

    class Compiled(Base):
        __slots__ = ()
        __dict__ = vars(Base)["member"]  # of what nobody has set

    module = ModuleType("m")
    module.dispatch = Compiled()  # type: ignore[attr-defined]
    assert take_baseline(module).contents.get("dispatch", {}) == {}


def test_each_global_is_noted_under_its_name() -> None:
    """An instance that another one leads to first has its own name as well, wherever that stands in the text."""
    module = ModuleType("m")
    inner = Node()
    module.outer, module.inner, module.again = Node(inner), inner, inner  # type: ignore[attr-defined]
    contents = take_baseline(module).contents
    assert contents["inner"] == contents["again"] == {"parent": id(None), "children": id(inner.children)}
    assert "outer.parent" not in contents


def test_what_a_registry_only_names_is_noted_where_it_is_its_own() -> None:
    """Classes, members and methods in a container have, or are of what has, a place elsewhere: a big table is cheap."""
    module = ModuleType("m")
    vars(module)["TABLE"] = {"shape": Shape, "color": Color.RED, "add": Node().add}
    baseline = take_baseline(module)
    assert list(baseline.contents) == ["TABLE"]
    assert "TABLE['add']" not in baseline.fingerprints


def test_entries_under_keys_that_a_path_does_not_spell_are_found() -> None:
    """Classes and members are keys too, also beside those that are spelled, and of a key that is gone there is none."""
    module = ModuleType("m")
    table = vars(module)["TABLE"] = {Node: [1], Color.RED: [2], (Node, 0): [3], None: [4], "a": [5]}
    paths = list(take_baseline(module).contents)
    assert len(paths) == 6
    found = values_at(vars(module), paths)
    assert [found[path] for path in paths[1:]] == [[1], [2], [3], [4], [5]]
    del table[Node]
    assert len(values_at(vars(module), paths)) == 5


def test_no_id_stands_for_an_instance_that_is_gone() -> None:
    """Another one that has its address in memory is not the module's; that an entry was there is known still."""
    module = ModuleType("app")
    vars(module).update(ROOT=Node(), HOOKS=[Node(), Node()], ACTIVE={Node()}, TABLE={"a": Node()})
    baseline = take_baseline(module)
    known = {path: {*parts, *parts.values()} for path, parts in baseline.contents.items()}
    root, hook, active, entry = map(id, (module.ROOT, module.HOOKS[0], *module.ACTIVE, module.TABLE["a"]))
    del module.ROOT, module.HOOKS[0], module.TABLE["a"]
    module.ACTIVE.clear()
    now = baseline.without_gone()
    assert now.values["ROOT"] != root
    for path, gone in (("HOOKS", hook), ("ACTIVE", active), ("TABLE", entry)):
        assert gone in known[path]
        assert gone not in {*now.contents[path], *now.contents[path].values()}
        assert len(now.contents[path]) == len(baseline.contents[path])
        assert now.fingerprints[path] == NO_FINGERPRINT
    assert id(module.HOOKS[0]) in now.contents["HOOKS"]


def test_numbers_and_short_texts_live_as_long_as_the_baseline_knows_them() -> None:
    """So no other one has their address in memory; a long text may go when the person lets go of it."""
    module = ModuleType("app")
    vars(module).update(RATE=math.sqrt(2.0), CONFIG={"rate": math.sqrt(3.0), "name": "-".join("ab")}, TEXT="ab" * 9_999)
    baseline = take_baseline(module)
    known = [baseline.values["RATE"], *baseline.contents["CONFIG"].values()]
    vars(module).update(RATE=0, CONFIG={})
    assert {id(math.sqrt(count)) for count in range(99)}.isdisjoint(known)
    with_baseline = sys.getrefcount(module.TEXT)
    del baseline
    without_it = sys.getrefcount(module.TEXT)
    assert with_baseline == without_it
