"""What a reload does not do, as it would take ever longer: look over the heap, collect, compile all, keep reports."""

from __future__ import annotations

import builtins
import contextlib
import gc
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from exocet_ipython.survivors.finding import generations
from exocet_ipython.survivors.replacing import owners
from tests.plain_notebook import PlainNotebook
from tests.shells import Notebook
from tests.workshop import Workshop

CLASSES = 20
SOURCE = "NUMBER = {number}\nBY_NAME = {{}}\n" + "".join(
    f"class C{i}:\n    number = {{number}}\ndef f{i}(): return {{number}}\nBY_NAME['f{i}'] = f{i}\n"
    for i in range(CLASSES)
)


@contextlib.contextmanager
def counted_scans() -> Iterator[Counter[str]]:
    """Count what goes over the whole heap in the block, in the present thread: scans and full collections."""
    counts: Counter[str] = Counter()
    scans = {gc.get_referrers: "get_referrers", gc.get_objects: "get_objects"}

    def note(_frame: object, event: str, called: Any) -> None:
        if event == "c_call" and type(called) is type(gc.get_objects) and called in scans:
            counts[scans[called]] += 1

    def note_collection(phase: str, info: dict[str, int]) -> None:
        if phase == "start" and info["generation"] == 2:
            counts["collect"] += 1

    gc.collect()
    gc.callbacks.append(note_collection)
    sys.setprofile(note)
    try:
        yield counts
    finally:
        sys.setprofile(None)
        gc.callbacks.remove(note_collection)


@pytest.fixture
def notebook(workshop: Workshop) -> PlainNotebook:
    """A notebook that has loaded a module with twenty classes."""
    workshop.write({"shapes.py": SOURCE.format(number=0)})
    notebook = PlainNotebook()
    notebook.run("import shapes")
    return notebook


def edit(workshop: Workshop, number: int) -> None:
    """Give every class, function and constant of the module another number."""
    workshop.edit("shapes.py", SOURCE.format(number=number))


def migrate(notebook: PlainNotebook) -> None:
    """Reload and move what lives."""
    assert notebook.session.reload(migrate=True).error is None


def test_tracking_scans_nothing(notebook: PlainNotebook, workshop: Workshop) -> None:
    """A reload that tracks looks at no other object, whatever lives of the old module."""
    notebook.run("held = [getattr(shapes, f'C{i}')() for i in range(20)]")
    edit(workshop, 1)
    with counted_scans() as counts:
        notebook.reload()
    assert not counts
    assert notebook.space["held"][0].number == 0


def test_migrating_scans_once(notebook: PlainNotebook, workshop: Workshop) -> None:
    """A reload that migrates goes over the heap once, whatever the number of classes and of earlier generations."""
    notebook.run("held = []")
    for number in range(1, 5):
        notebook.run("held += [getattr(shapes, f'C{i}')() for i in range(20)]")
        edit(workshop, number)
        notebook.reload()
    edit(workshop, 5)
    with counted_scans() as counts:
        migrate(notebook)
    assert counts == {"get_referrers": 1}
    assert {(type(thing), thing.number) for thing in notebook["held"]} == {
        (getattr(sys.modules["shapes"], f"C{i}"), 5) for i in range(CLASSES)
    }


def test_migrating_scans_nothing_where_nothing_is_held(notebook: PlainNotebook, workshop: Workshop) -> None:
    """What only the notebook's names have of a module is replaced there, and nothing is looked for."""
    notebook.run("from shapes import C1, f1, BY_NAME")
    edit(workshop, 1)
    with counted_scans() as counts:
        migrate(notebook)
    assert not counts
    assert (notebook["C1"].number, notebook["f1"]()) == (1, 1)


def test_attributes_of_a_subclass_are_replaced_without_another_scan(
    notebook: PlainNotebook, workshop: Workshop
) -> None:
    """The dict of a class whose base has the marks of one is known without asking the collector for its holder."""
    notebook.run("class Base: pass\nclass Derived(Base):\n    part = shapes.f1\n    kind = shapes.C1")
    edit(workshop, 1)
    with counted_scans() as counts:
        migrate(notebook)
    assert counts == {"get_referrers": 1}
    assert (notebook["Derived"].part(), notebook["Derived"].kind.number) == (1, 1)


@pytest.mark.parametrize("holder", ["C1", "C1.__init__", "f1", "[f1]", "{'f': f1}", "partial(f1)", "C1()"])
def test_what_is_held_is_never_forgotten(notebook: PlainNotebook, workshop: Workshop, holder: str) -> None:
    """Whatever holds one object of a generation, in a container that no name has directly, keeps all of it tracked."""
    notebook.run(f"from functools import partial\nfrom shapes import C1, f1\nheld = [[{holder}]]\ndel C1, f1")
    for number in (1, 2, 3):
        edit(workshop, number)
        notebook.reload()
    numbers = [generation.number for generation in notebook.session.old.generations()]
    assert numbers == ([] if holder == "C1.__init__" else [0])  # that one is `object`'s own


def test_what_is_still_held_is_told_by_a_glance(
    notebook: PlainNotebook, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many earlier generations live on, a reload walks through none of them again while they are held."""
    notebook.run("from shapes import C1\nheld = []")
    for number in range(1, 6):
        notebook.run("held.append([C1()])")
        edit(workshop, number)
        notebook.reload()
    old = notebook.session.old
    assert [generation.number for generation in old.generations(quickly=True)] == [0, 1, 2, 3, 4]
    walked: list[int] = []

    def find_nothing(retired: list[Any], _roots: object) -> tuple[None, int]:
        walked.append(len(retired))
        return None, 0

    monkeypatch.setattr(generations, "find_witness", find_nothing)
    assert [generation.number for generation in old.generations(quickly=True)] == [0, 1, 2, 3, 4]
    assert walked == []
    notebook.run("del held[2]")
    assert [generation.number for generation in old.generations(quickly=True)] == [0, 1, 3, 4]
    assert len(walked) == 1  # only what seems to be free


def test_what_a_name_holds_is_told_by_a_glance(
    notebook: PlainNotebook, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first reload after one that left instances to a name walks through nothing to find out that they are held."""
    notebook.run("from shapes import C1\nkept = C1()")
    edit(workshop, 1)
    notebook.reload()
    walked: list[object] = []
    monkeypatch.setattr(generations, "is_garbage", lambda asked, _: walked.append(asked))
    edit(workshop, 2)
    notebook.reload()
    assert walked == []
    assert [generation.number for generation in notebook.session.old.generations(quickly=True)] == [0]


def test_a_label_put_later_does_not_make_a_generation_look_held(notebook: PlainNotebook, workshop: Workshop) -> None:
    """What ran again with its text unchanged is labelled when its text changes; that is no reason to track it."""
    workshop.write({"top.py": "import shapes\nclass Top: part = shapes.C1\n"})
    notebook.run("import top\nheld = [top.Top()]")
    edit(workshop, 1)
    notebook.reload()
    notebook.reload()  # which finds out what holds it
    workshop.edit("top.py", "import shapes\nclass Top: part = shapes.C2\n")
    notebook.reload()
    assert notebook.session.old.generations(quickly=True)
    notebook.run("held.clear()")
    assert notebook.session.old.generations(quickly=True) == ()


def test_what_a_module_usually_has_costs_no_scan(auto: Notebook, workshop: Workshop) -> None:
    """Functions in functions, a sentinel as a default and registries by name are explained without a look."""
    source = (
        "UNSET = object()\ndef on_click(event=UNSET): return event is UNSET, {number}\n"
        "def adder(by): return lambda x: x + by\nHANDLERS = {{'click': on_click}}\nclass Event: number = {number}\n"
    )
    workshop.write({"events.py": source.format(number=0)})
    auto.run("import events\nhandlers = {'click': events.on_click}\nheld = [events.Event(), events.UNSET]")
    gc.collect()  # the defaults are of the kind that the collector stops to follow
    for number in (1, 2, 3):
        workshop.edit("events.py", source.format(number=number))
        with counted_scans() as counts:
            auto.run("answers = held[0].number, handlers['click'](), events.on_click(held[1])")
        assert not counts
        assert auto["answers"] == (number, (True, number), (True, number))


TYPED = """
import abc, enum, functools
from dataclasses import dataclass, field
from typing import Callable, Generic, List, NamedTuple, Optional, Protocol, TypeVar, Union
T = TypeVar("T", bound="Node")
class Kind(enum.Enum):
    LEAF = 1
class Node:
    number = object() and {number}
    kind: Kind = Kind.LEAF
    @functools.cached_property
    def parts(self) -> "List[Node]": return []
class Walks(Protocol):
    def walk(self, node: Node) -> Union[Node, None]: ...
class Spot(NamedTuple):
    node: Node
    x: float = 1.0
class Table(Generic[T]):
    rows: List[T]
    def find(self, which: Callable[[Node], bool], *, other: Optional[Node] = None) -> dict[str, Node]: ...
class Nodes(Table[Node]):
    def one(self, found: list[Node], last: Node | None) -> Kind | Node: ...
@dataclass
class Place:
    node: Node
    others: List[Node] = field(default_factory=list)
    make: Callable[[], Node] = Node
class Base(abc.ABC):
    @property
    @abc.abstractmethod
    def node(self) -> Node: ...
def outer():
    def middle(x=1):
        def inner(y=Node): return x
        return inner
    return middle
EITHER = Node | Table[Node]
"""


@pytest.mark.parametrize(
    "held", ["", "places = [typed.Place(typed.Node())]", "spots = {'a': typed.Spot(typed.Node())}"]
)
def test_what_typed_code_usually_has_costs_no_scan(auto: Notebook, workshop: Workshop, held: str) -> None:
    """Aliases in annotations and bases, fields and functions in functions are parts of what has them."""
    workshop.write({"typed.py": TYPED.format(number=0)})
    auto.run(f"import typed\n{held}")
    for number in (1, 2, 3):
        workshop.edit("typed.py", TYPED.format(number=number))
        with counted_scans() as counts:
            auto.run("number = typed.Node.number")
        assert not counts
        assert auto["number"] == number


NEAR = """
held = [pets.Cat(), {'tom': pets.Cat()}]
class Box: pass
box = Box()
box.cat = pets.Cat()
class Own(pets.Cat): pass
own = Own()
"""


def test_instances_near_the_names_cost_no_scan(auto: Notebook, workshop: Workshop) -> None:
    """In lists, dicts and attributes, and as a base of a cell's class, a class is found from the names forward."""
    workshop.write({"pets.py": "class Cat: number = 0\n"})
    auto.run("import pets")
    auto.run(NEAR)
    gc.collect()
    for number in (1, 2, 3):
        workshop.edit("pets.py", f"class Cat: number = {number}\n")
        with counted_scans() as counts:
            auto.run("cats = [held[0], held[1]['tom'], box.cat, own]")
        assert not counts
        assert {(isinstance(cat, auto["pets"].Cat), cat.number) for cat in auto["cats"]} == {(True, number)}


# What modules have, and what cells hold of them.
HELD = {
    "functions": (
        "def f(): return {n}",
        "held = [m.f, {{'a': (m.f,)}}, frozenset([m.f])]",
        "held[0](), held[1]['a'][0](), *[f() for f in held[2]]",
    ),
    "in a closure": (
        "def f(): return {n}",
        "held = (lambda f: lambda: f())(m.f)\ndef g(f=m.f): return f()",
        "held(), g()",
    ),
    "in a class": ("def f(): return {n}", "class Own: call = staticmethod(m.f)", "Own.call()"),
    "partial": ("def f(n): return n * {n}", "import functools\nheld = functools.partial(m.f, 1)", "held()"),
    "decorated": (
        "import functools\ndef same(f): return functools.wraps(f)(lambda: f())\n@same\ndef f(): return {n}",
        "held = [m.f]",
        "held[0]()",
    ),
    "cached": ("import functools\n@functools.cache\ndef f(): return {n}", "held = {{'f': m.f}}\nm.f()", "held['f']()"),
    "methods": (
        "class Cat:\n    def m(self): return {n}",
        "held = m.Cat().m\nmany = (m.Cat(), [m.Cat().m])",
        "held(), many[0].m(), many[1][0]()",
    ),
    "a cell's class": (
        "class Cat:\n    def m(self): return {n}",
        "class Own(m.Cat): pass\nown = Own()",
        "own.m(), isinstance(own, m.Cat) and {n}",
    ),
    "a dataclass": (
        "import dataclasses\n@dataclasses.dataclass(slots=True)\nclass Point:\n    x: int\n    def m(self): return {n}",
        "held = m.Point(2)",
        "held.m()",
    ),
    "an enumeration": (
        "import enum\nclass Kind(enum.Enum):\n    A = {n}\n    B = 'b'",
        "held = [m.Kind.A], {{m.Kind.B: 1}}",
        "held[0][0].value, m.Kind.B in held[1] and {n}",
    ),
    "answers": (
        "import functools\nclass Cat:\n    @functools.cached_property\n    def m(self): return {n}",
        "held = [m.Cat()]",
        "held[0].m",
    ),
}


@pytest.mark.parametrize("case", HELD)
def test_what_cells_hold_near_their_names_costs_no_scan(auto: Notebook, workshop: Workshop, case: str) -> None:
    """Whatever a module has and a cell holds of it, by whatever holder, is found from the notebook's names forward."""
    module, cell, answers = HELD[case]
    workshop.write({"m.py": f"NUMBER = 0\n{module.format(n=0)}\n"})
    auto.run("import m")
    auto.run(cell.format())
    for number in (1, 2, 3):
        workshop.edit("m.py", f"NUMBER = {number}\n{module.format(n=number)}\n")
        with counted_scans() as counts:
            auto.run(f"answers = [m.NUMBER, {answers.format(n=number)}]")
        assert not counts
        assert set(auto["answers"]) == {number}


def test_an_instance_far_from_the_names_is_found_all_the_same(auto: Notebook, workshop: Workshop) -> None:
    """What only a module, a long list or a chain of many leads to makes a reload look over the heap."""
    workshop.write({"pets.py": "class Cat: number = 0\n"})
    auto.run("import pets, types\naway, deep = types.ModuleType('away'), []")
    auto.run("near, many, away.cat = pets.Cat(), [*map(str, range(10_000)), pets.Cat()], pets.Cat()")
    auto.run("inner = deep\nfor _ in range(5_000): inner.append([]); inner = inner[0]")
    auto.run("inner.append(pets.Cat()); del inner")
    for number in (1, 2):
        workshop.edit("pets.py", f"class Cat: number = {number}\n")
        with counted_scans() as counts:
            auto.run("pass")
        assert counts == {"get_referrers": 1}
        cats = [auto["near"], auto["many"][-1], auto["away"].cat]
        assert {(type(cat), cat.number) for cat in cats} == {(auto["pets"].Cat, number)}


@pytest.mark.parametrize(
    "case",
    [
        ("def make(n):\n    def f(): return n + {n}\n    return f", "f = m.make(0)", "f()"),
        (
            "class Cat:\n    def m(self): return {n}",
            "import weakref\ncat = m.Cat()\nf = weakref.ref(m.Cat)",
            "f()().m()",
        ),
    ],
    ids=["a closure", "a weak reference"],
)
def test_arrays_are_looked_for_only_where_something_unknown_holds(
    auto: Notebook, workshop: Workshop, case: tuple[str, str, str]
) -> None:
    """With numpy loaded, as in most notebooks, all references to what is made anew are accounted for as a rule."""
    module, cell, answer = case
    workshop.write({"m.py": f"ROWS = list(range(0))\n{module.format(n=0)}\n"})
    auto.run(f"import numpy, m\n{cell}")
    for number in (1, 2, 3):
        workshop.edit("m.py", f"ROWS = list(range({number}))\n{module.format(n=number)}\n")
        with counted_scans() as counts:
            auto.run(f"answer = {answer}")
        assert counts["get_objects"] == 0
        assert auto["answer"] == number


def test_classes_are_judged_only_where_a_dict_may_be_of_an_instance(
    auto: Notebook, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dict that a name of the notebook has is looked at as such, also beside a method, which is made anew."""
    monkeypatch.setattr(owners, "living_classes", lambda: pytest.fail("all classes were looked at"))
    workshop.write({"pets.py": "class Cat:\n    number = 0\n    def ask(self): return self.number\n"})
    auto.run("import pets\ncallbacks = {'ask': pets.Cat().ask, 'make': pets.Cat}")
    for number in (1, 2):
        workshop.edit("pets.py", f"class Cat:\n    number = {number}\n    def ask(self): return self.number\n")
        auto.run("answers = callbacks['ask'](), callbacks['make']().ask()")
        assert auto["answers"] == (number, number)


def test_an_edit_of_a_function_compiles_that_function_alone(auto: Notebook, workshop: Workshop) -> None:
    """The rest of a long module stays the very code that it was, also where it stands further down now."""
    text = "LIMIT = 10\ndef work():\n    return LIMIT\n" + "\n".join(f"def f{i}(): return {i}" for i in range(2_000))
    workshop.write({"long.py": text})
    auto.run("import long")
    for answer, body in ((11, "return LIMIT + 1"), (12, "x = 2\n    return LIMIT + x")):
        after = text.replace("return LIMIT", body)
        workshop.edit("long.py", after)
        sizes: list[int] = []
        with compiled_sizes(sizes):
            auto.run("answers = long.work(), long.f1999(), long.f1999.__code__.co_firstlineno")
        assert auto["answers"] == (answer, 1999, len(after.splitlines()))
        assert len(text) > 40_000
        assert sum(sizes) < 4_000


def test_an_edit_of_a_class_reads_that_class_alone(auto: Notebook, workshop: Workshop) -> None:
    """What the functions of a module store is asked only where cells have changed what it has."""
    functions = "\n".join(f"def f{i}(x): return x + {i}" for i in range(200))
    text = f"LIMIT, NAMES = 0, ['a']\nclass Room:\n    doors = ['north']\n    number = 0\n{functions}\n"
    workshop.write({"rooms.py": text})
    auto.run("import rooms\nfrom rooms import Room\nheld = [Room() for _ in range(10)]")
    for number in (1, 2):
        workshop.edit("rooms.py", text.replace("number = 0", f"number = {number}"))
        sizes: list[int] = []
        with compiled_sizes(sizes):
            auto.run("answers = {room.number for room in held}")
        assert auto["answers"] == {number}
        assert sum(sizes) < 1_000 < len(text)


@contextlib.contextmanager
def compiled_sizes(sizes: list[int]) -> Iterator[None]:
    """Note how long the texts are that are compiled in the block, in the present thread, without empty lines."""

    def note(source: Any, *arguments: Any, **more: Any) -> Any:
        if isinstance(source, (bytes, str)):
            sizes.append(len(source.strip()))
        return compiler(source, *arguments, **more)

    compiler: Any = builtins.compile
    builtins.compile = note
    try:
        yield
    finally:
        builtins.compile = compiler


def test_reports_leave_nothing(auto: Notebook, workshop: Workshop) -> None:
    """IPython keeps no HTML and no further form of the reports that a terminal was shown, only the printed text."""
    workshop.write({"shapes.py": SOURCE.format(number=0)})
    auto.run("import shapes")
    for number in (1, 2, 3):
        edit(workshop, number)
        assert "reloaded shapes" in auto.run("pass")
    manager: Any = auto.shell.history_manager
    assert "display_data" not in {output.output_type for outputs in manager.outputs.values() for output in outputs}
