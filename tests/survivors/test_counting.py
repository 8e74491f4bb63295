"""What of retired modules is referred to from elsewhere, told by counts."""

from __future__ import annotations

import gc
import sys
import typing
from types import GenericAlias, ModuleType
from typing import Any

import pytest

from exocet_ipython.survivors.finding.counting import count_outside
from tests.plain_notebook import PlainNotebook
from tests.workshop import Workshop

pytestmark = pytest.mark.skipif(
    not getattr(sys, "_is_gil_enabled", lambda: True)(), reason="reference counts are deferred"
)

TYPED = """
from dataclasses import dataclass, field
from typing import Callable, Generic, List, NamedTuple, Optional, TypeVar, Union
T = TypeVar("T", bound="Node")
class Node:
    size = object() and {size}
    def walk(self) -> "List[Node]": ...
class Table(Generic[T]):
    rows: List[T]
    def first(self, which: Callable[[Node], bool], *, other: Optional[Node] = None) -> Union[T, Node, None]: ...
class Nodes(Table[Node]):
    def one(self, found: list[Node], last: Node | None) -> dict[str, Node]: ...
@dataclass
class Place:
    node: Node
    nodes: List[Node] = field(default_factory=list)
    maker: Callable[[], Node] = Node
class Spot(NamedTuple):
    node: Node
    x: float
    @staticmethod
    def at(node: Node, x: float = 1.0): return Spot(node, x)
NODES = List[Node]
EITHER = Node | Table[Node]
def outer():
    def middle(x=1):
        def inner(y=Node): return x
        return inner
    return middle
"""


def held_of(module: Any) -> list[str]:
    """Return the names of what of a module is referred to from elsewhere."""
    names = [name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__]
    found = count_outside([vars(module)[name] for name in names], [vars(module), vars(module)["__annotations__"]])
    kept = {id(value) for value in found.held}
    return [name for name in names if id(vars(module)[name]) in kept]


def make_typed() -> Any:
    """Return a module whose classes refer to each other in annotations and bases; `typing` remembers nothing of it."""
    module = ModuleType("typed")
    sys.modules["typed"] = module
    try:
        exec(TYPED.format(size=1), vars(module))
    finally:
        del sys.modules["typed"]
    vars(module).setdefault("__annotations__", {})
    for clear in getattr(typing, "_cleanups", ()):
        clear()
    gc.collect()
    return module


def test_what_only_annotations_and_bases_refer_to_is_not_held() -> None:
    """Aliases, unions and fields of dataclasses are parts of the classes that have them."""
    assert held_of(make_typed()) == []


@pytest.mark.parametrize("path", ["NODES", "EITHER", "Nodes.__orig_bases__", "Place.__dataclass_fields__"])
def test_an_alias_that_something_else_has_as_well_holds_what_it_names(path: str) -> None:
    """It is a way to the class, as is each that it is in."""
    module = make_typed()
    name, _, attribute = path.partition(".")
    value = vars(module)[name]
    kept: Any = getattr(value, attribute) if attribute else [value]
    parts = list(kept.values()) if isinstance(kept, dict) else list(kept)
    del value, kept
    assert "Node" in held_of(module)
    del parts
    gc.collect()
    assert held_of(module) == []


def test_a_typed_module_that_nobody_uses_is_let_go_of(workshop: Workshop) -> None:
    """No old class of it is listed, and the heap need not be looked through for its holders."""
    workshop.write({"typed.py": TYPED.format(size=1)})
    notebook = PlainNotebook()
    notebook.run("import typed")
    for size in range(2, 5):
        workshop.write({"typed.py": TYPED.format(size=size)})
        notebook.session.reload(migrate=True)
        assert notebook["typed"].Node.size == size
        assert notebook.session.old.generations(quickly=True) == ()


def test_an_alias_that_a_list_of_the_notebook_has_follows(workshop: Workshop) -> None:
    """What a cell keeps of a module's types is of the new classes."""
    workshop.write({"typed.py": TYPED.format(size=1)})
    notebook = PlainNotebook()
    notebook.run("import typed\nkinds = [typed.NODES, typed.EITHER, typed.Nodes.__orig_bases__[0], list[typed.Node]]")
    workshop.write({"typed.py": TYPED.format(size=2)})
    notebook.session.reload(migrate=True)
    typed, kinds = notebook["typed"], notebook["kinds"]
    assert kinds == [typed.NODES, typed.EITHER, typed.Nodes.__orig_bases__[0], GenericAlias(list, (typed.Node,))]
