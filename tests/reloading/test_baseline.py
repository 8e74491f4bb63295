"""What a module held when its body had run."""

from __future__ import annotations

from types import ModuleType

from exocet_ipython.reloading.holding.baseline import take_baseline


class Node:
    """A node of a tree that knows its parent."""

    def __init__(self, parent: Node | None = None) -> None:
        self.parent = parent
        self.children: list[Node] = []
        if parent is not None:
            parent.children.append(self)


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
