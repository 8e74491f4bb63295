"""`%exomigrate`: a person who has only tracked until now moves the old objects to the new code when it suits them."""

from __future__ import annotations

import sys
import textwrap
from dataclasses import dataclass

import pytest
from IPython.core.error import UsageError

from exocet_ipython import ExocetError
from tests.shells import Notebook
from tests.workshop import Workshop


@dataclass(frozen=True, slots=True)
class Case:
    """An old text of `zoo.py`, what a cell makes of it, the new text, and what must be true after moving."""

    old: str
    cell: str
    new: str
    truth: str

    def __str__(self) -> str:
        return self.cell


def grow_old(notebook: Notebook, workshop: Workshop, case: Case) -> None:
    """Let a cell make objects of the old text, and reload the new one."""
    workshop.write({"zoo.py": case.old})
    notebook.run("%exoload zoo")
    notebook.run(textwrap.dedent(case.cell))
    reload_with(notebook, workshop, case.new)


def reload_with(notebook: Notebook, workshop: Workshop, text: str) -> None:
    """Save `zoo.py` with another text and reload, only tracking."""
    workshop.write({"zoo.py": text})
    assert notebook.value("%exoreload").error is None


PLAIN = {
    "a plain class": Case(
        """
            class Cat:
                def speak(self): return 'old'
            """,
        """
            cat = zoo.Cat()
            cats = {'tom': cat}
            """,
        """
            class Cat:
                def speak(self): return 'new'
            """,
        "cat is cats['tom'] and type(cat) is zoo.Cat and cat.speak() == 'new'",
    ),
    "an enum member": Case(
        """
            import enum
            class Colour(enum.Enum):
                RED = 1
            """,
        """
            held = [zoo.Colour.RED]
            keyed = {zoo.Colour.RED: 5}
            """,
        """
            import enum
            class Colour(enum.Enum):
                RED = 'red'
            """,
        "held[0] is zoo.Colour.RED and keyed[zoo.Colour.RED] == 5",
    ),
    "an exception": Case(
        """
            class Oops(Exception):
                def hint(self): return 'old'
            """,
        """
            error = zoo.Oops('why', 3)
            """,
        """
            class Oops(Exception):
                def hint(self): return 'new'
            """,
        "type(error) is zoo.Oops and error.args == ('why', 3) and error.hint() == 'new'",
    ),
    "a class with slots": Case(
        """
            class Point:
                __slots__ = ('x',)
                def show(self): return 'old'
            """,
        """
            point = zoo.Point()
            point.x = 7
            """,
        """
            class Point:
                __slots__ = ('x',)
                def show(self): return ('new', self.x)
            """,
        "type(point) is zoo.Point and point.show() == ('new', 7)",
    ),
    "a generic alias": Case(
        """
            class Box:
                pass
            """,
        """
            import types
            kinds = {'boxes': list[zoo.Box], 'maybe': zoo.Box | None}
            """,
        """
            class Box:
                size = 2
            """,
        "kinds['boxes'] == list[zoo.Box] and kinds['maybe'] == (zoo.Box | None)",
    ),
    "a frozen dataclass": Case(
        """
            import dataclasses
            @dataclasses.dataclass(frozen=True)
            class Conf:
                lr: float = 0.1
            """,
        """
            conf = zoo.Conf(0.5)
            index = {conf: 'mine'}
            """,
        """
            import dataclasses
            @dataclasses.dataclass(frozen=True)
            class Conf:
                lr: float = 0.1
                steps: int = 9
            """,
        "type(conf) is zoo.Conf and conf == zoo.Conf(0.5, 9) and index[zoo.Conf(0.5, 9)] == 'mine'",
    ),
    "a dataclass with slots": Case(
        """
            import dataclasses
            @dataclasses.dataclass(slots=True)
            class Conf:
                lr: float = 0.1
            """,
        """
            conf = zoo.Conf(0.5)
            """,
        """
            import dataclasses
            @dataclasses.dataclass(slots=True)
            class Conf:
                lr: float = 0.1
                def double(self): return self.lr * 2
            """,
        "type(conf) is zoo.Conf and conf.double() == 1.0",
    ),
    "an attrs class": Case(
        """
            import attrs
            @attrs.define(slots=False)
            class Conf:
                lr: float = 0.1
            """,
        """
            conf = zoo.Conf(0.5)
            """,
        """
            import attrs
            @attrs.define(slots=False)
            class Conf:
                lr: float = 0.1
                steps: int = 9
            """,
        "conf == zoo.Conf(0.5, 9)",
    ),
    "a pydantic model": Case(
        """
            import pydantic
            class Conf(pydantic.BaseModel):
                lr: float = 0.1
            """,
        """
            conf = zoo.Conf(lr=0.5)
            """,
        """
            import pydantic
            class Conf(pydantic.BaseModel):
                lr: float = 0.1
                steps: int = 9
            """,
        "type(conf) is zoo.Conf and conf.model_dump() == {'lr': 0.5, 'steps': 9}",
    ),
    "a SQLAlchemy instance": Case(
        """
            from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
            class Base(DeclarativeBase): pass
            class User(Base):
                __tablename__ = 'users'
                id: Mapped[int] = mapped_column(primary_key=True)
                def tag(self): return 'old'
            """,
        """
            user = zoo.User(id=4)
            """,
        """
            from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
            class Base(DeclarativeBase): pass
            class User(Base):
                __tablename__ = 'users'
                id: Mapped[int] = mapped_column(primary_key=True)
                def tag(self): return ('new', self.id)
            """,
        "type(user) is zoo.User and user.tag() == ('new', 4)",
    ),
    "a numpy subclass": Case(
        """
            import numpy
            class Field(numpy.ndarray):
                def total(self): return 'old'
            """,
        """
            import numpy
            field = numpy.arange(4).view(zoo.Field)
            """,
        """
            import numpy
            class Field(numpy.ndarray):
                def total(self): return int(self.sum())
            """,
        "type(field) is zoo.Field and field.total() == 6",
    ),
    "a pandas accessor": Case(
        """
            import pandas
            @pandas.api.extensions.register_series_accessor('zoo')
            class Tools:
                def __init__(self, series): self.series = series
                def size(self): return 'old'
            """,
        """
            import pandas
            series = pandas.Series([1, 2, 3])
            tools = series.zoo
            """,
        """
            import pandas, warnings
            warnings.simplefilter('ignore')
            @pandas.api.extensions.register_series_accessor('zoo')
            class Tools:
                def __init__(self, series): self.series = series
                def size(self): return len(self.series)
            """,
        "type(tools) is zoo.Tools and tools.size() == 3 and series.zoo.size() == 3",
    ),
    "a tree of modules, as torch's": Case(
        """
            class Module:
                def __init__(self): self.__dict__['_modules'] = {}
                def __setattr__(self, name, value): self._modules[name] = value
                def __getattr__(self, name):
                    try: return self.__dict__['_modules'][name]
                    except KeyError: raise AttributeError(name) from None
            class Layer(Module):
                def forward(self, x): return x
            class Net(Module):
                def __init__(self, n):
                    super().__init__()
                    for i in range(n): setattr(self, f'l{i}', Layer())
                def forward(self, x):
                    for m in self._modules.values(): x = m.forward(x)
                    return x
            """,
        """
            net = zoo.Net(3)
            before = [id(layer) for layer in net._modules.values()]
            """,
        """
            class Module:
                def __init__(self): self.__dict__['_modules'] = {}
                def __setattr__(self, name, value): self._modules[name] = value
                def __getattr__(self, name):
                    try: return self.__dict__['_modules'][name]
                    except KeyError: raise AttributeError(name) from None
            class Layer(Module):
                def forward(self, x): return x + 1
            class Net(Module):
                def __init__(self, n):
                    super().__init__()
                    for i in range(n): setattr(self, f'l{i}', Layer())
                def forward(self, x):
                    for m in self._modules.values(): x = m.forward(x)
                    return x * 10
            """,
        "net.forward(1) == 40 and isinstance(net.l0, zoo.Layer) and before == [id(x) for x in net._modules.values()]",
    ),
}
REBUILT = {
    "a named tuple": Case(
        """
            import typing
            class Pair(typing.NamedTuple):
                a: int
            """,
        """
            pair = zoo.Pair(1)
            pairs = [pair]
            deep = ((pair,),)
            """,
        """
            import typing
            class Pair(typing.NamedTuple):
                a: int
                b: int = 2
            """,
        "type(pair) is zoo.Pair and pair == (1, 2) and pairs[0] is pair and deep[0][0] is pair",
    ),
    "slots that changed, of a class that answers for every attribute from them": Case(
        """
            class Found:
                __slots__ = ('items',)
                def __init__(self): self.items = {'a': 1}
                def __getattr__(self, name): return self.items.get(name)
            """,
        "found = zoo.Found()",
        """
            class Found:
                __slots__ = ('items', 'more')
                def __init__(self): self.items = {'a': 1}
                def __getattr__(self, name): return self.items.get(name)
            """,
        "type(found) is zoo.Found and found.a == 1",
    ),
    "slots that changed": Case(
        """
            class Point:
                __slots__ = ('x',)
            """,
        """
            point = zoo.Point()
            point.x = 7
            held = {'p': point}
            """,
        """
            class Point:
                __slots__ = ('x', 'y')
                def show(self): return self.x
            """,
        "type(point) is zoo.Point and point.show() == 7 and held['p'] is point",
    ),
    "slots that became a dict": Case(
        """
            class Point:
                __slots__ = ('x',)
            """,
        """
            point = zoo.Point()
            point.x = 7
            """,
        """
            class Point:
                def show(self): return self.x
            """,
        "type(point) is zoo.Point and point.show() == 7",
    ),
}


@pytest.mark.parametrize("case", PLAIN.values(), ids=PLAIN.keys())
def test_old_objects_move_in_place(tracking: Notebook, workshop: Workshop, case: Case) -> None:
    """What Python lets change its class keeps its identity and its state, and runs the new code in every holder."""
    grow_old(tracking, workshop, case)
    report = tracking.value("%exomigrate")
    assert tracking.value(case.truth), repr(report)
    assert not report.stuck


@pytest.mark.parametrize("case", REBUILT.values(), ids=REBUILT.keys())
def test_what_python_cannot_move_is_rebuilt_on_request(tracking: Notebook, workshop: Workshop, case: Case) -> None:
    """Without `--rebuild` it stays as it is, with the reason; with it a successor takes its place in every holder."""
    grow_old(tracking, workshop, case)
    report = tracking.value("%exomigrate")
    assert [stuck.count for stuck in report.stuck] == [1]
    assert "--rebuild" in repr(report)
    assert not tracking.value(case.truth.partition(" and ")[0])
    report = tracking.value("%exomigrate --rebuild")
    assert not report.stuck
    assert tracking.value(case.truth), repr(report)


def test_a_closure_that_lacks_a_variable_of_the_new_code_is_reported(tracking: Notebook, workshop: Workshop) -> None:
    """The variable was known only to the call that made the closure; the report names both, and no other closure."""
    case = Case(
        """
        def make(n, unit):
            def show(): return n
            return show
        def other(n):
            def show(): return n
            return show
        """,
        "show, other = zoo.make(1, 'm'), zoo.other(2)",
        """
        def make(n, unit):
            def show(): return f"{n} {unit}"
            return show
        def other(n):
            def show(): return -n
            return show
        """,
        "show() == 1 and other() == -2",
    )
    grow_old(tracking, workshop, case)
    report = tracking.value("%exomigrate")
    assert [(stuck.name, stuck.count) for stuck in report.stuck] == [("zoo.make.<locals>.show", 1)]
    assert "needs unit of the function that made it" in repr(report)
    assert tracking.value(case.truth)


def test_only_the_named_classes_move(tracking: Notebook, workshop: Workshop) -> None:
    """`%exomigrate zoo.Cat` leaves the dogs what they are, until they are asked for."""
    text = "class Cat:\n    age = {0}\nclass Dog:\n    age = {0}\n"
    workshop.write({"zoo.py": text.format(1)})
    tracking.run("%exoload zoo\ncat, dog = zoo.Cat(), zoo.Dog()")
    reload_with(tracking, workshop, text.format(2))
    report = tracking.value("%exomigrate zoo.Cat")
    assert tracking.value("cat.age, dog.age") == (2, 1)
    assert report.moved == (("zoo.Cat", 1),)
    assert "1 instance of zoo.Cat" in repr(report)
    tracking.run("%exomigrate Dog")
    assert tracking.value("cat.age, dog.age") == (2, 2)


def test_a_report_lists_classes_by_name(tracking: Notebook, workshop: Workshop) -> None:
    """What has moved and what is stuck come in the order of the names: where on the heap an instance is, is chance."""
    text = (
        "class Dog:\n    age = {0}\nclass Cat:\n    __slots__ = 'a{0}',\n"
        "class Bee:\n    age = {0}\nclass Ant:\n    __slots__ = 'a{0}',\n"
    )
    workshop.write({"zoo.py": text.format(1)})
    tracking.run("%exoload zoo\nanimals = [zoo.Dog(), zoo.Cat(), zoo.Bee(), zoo.Ant()]")
    reload_with(tracking, workshop, text.format(2))
    report = tracking.value("%exomigrate")
    assert report.moved == (("zoo.Bee", 1), ("zoo.Dog", 1))
    assert [stuck.name for stuck in report.stuck] == ["zoo.Ant", "zoo.Cat"]


def test_survivors_of_all_generations_move(tracking: Notebook, workshop: Workshop) -> None:
    """Instances of three earlier generations belong to the current class afterwards, and nothing old is left."""
    for number in range(4):
        if number:
            reload_with(tracking, workshop, f"class Cat:\n    age = {number}\n")
        else:
            workshop.write({"zoo.py": "class Cat:\n    age = 0\n"})
            tracking.run("%exoload zoo\ncats = []")
        tracking.run("cats.append(zoo.Cat())")
    assert tracking.value("[cat.age for cat in cats]") == [0, 1, 2, 3]
    report = tracking.value("%exomigrate")
    assert report.moved == (("zoo.Cat", 3),)
    assert tracking.value("[cat.age for cat in cats]") == [3, 3, 3, 3]
    tracking.run("import gc; gc.collect();")
    assert not tracking.value("%exostatus").retired


HOOKS = """
class Cat:
    def __exo_migrate__(self, old):
        self.moods = ["half done"]
        del self.name
        if self.sick:
            raise RuntimeError("too sick to move")
    def speak(self): return "new"
"""


def test_a_hook_that_raises_leaves_its_object_whole(tracking: Notebook, workshop: Workshop) -> None:
    """What the hook had done to that object is taken back; the others move, and the error is shown."""
    workshop.write({"zoo.py": "class Cat:\n    def __init__(self, sick): self.sick, self.name = sick, 'tom'\n"})
    tracking.run("%exoload zoo\nwell, ill = zoo.Cat(False), zoo.Cat(True)\nthing = vars(ill)")
    reload_with(tracking, workshop, HOOKS)
    report = tracking.value("%exomigrate")
    assert tracking.value("well.speak(), vars(well)") == ("new", {"sick": False, "moods": ["half done"]})
    assert tracking.value("list(vars(ill).items())") == [("sick", True), ("name", "tom")]
    assert not tracking.value("isinstance(ill, zoo.Cat)")
    assert "too sick to move" in repr(report)
    assert "zoo.py" in repr(report)


def test_a_hook_that_gives_the_old_class_back_is_said_to_have(tracking: Notebook, workshop: Workshop) -> None:
    """That object has not moved: it is as it was, and reported."""
    workshop.write({"zoo.py": "class Cat: age = 1"})
    tracking.run("%exoload zoo\ncat = zoo.Cat()")
    hook = "    def __exo_migrate__(self, old): self.seen, self.__class__ = True, old\n"
    reload_with(tracking, workshop, f"class Cat:\n    age = 2\n{hook}")
    report = tracking.value("%exomigrate")
    assert report.moved == ()
    assert "1 of zoo.Cat stays as it was: TypeError: its __exo_migrate__ has given it the old class" in repr(report)
    assert tracking.value("cat.age, vars(cat)") == (1, {})


def test_what_stays_runs_the_code_that_it_was_made_by(tracking: Notebook, workshop: Workshop) -> None:
    """An object that can't move hashes, compares and acts as before, so that dicts find it; it can be rebuilt later."""
    header = "from dataclasses import dataclass\n@dataclass(frozen=True, slots=True)\nclass Point:\n    x: int\n"
    workshop.write({"zoo.py": f"{header}    def size(self): return self.x\n"})
    tracking.run("%exoload zoo\npoint = zoo.Point(3)\nseen = {point: 'here'}")
    reload_with(tracking, workshop, f"{header}    y: int = 4\n    def size(self): return self.x * self.y\n")
    assert [(one.name, one.count) for one in tracking.value("%exomigrate").stuck] == [("zoo.Point", 1)]
    assert tracking.value("seen[point], hash(point) == hash(next(iter(seen))), point.size()") == ("here", True, 3)
    assert tracking.value("%exomigrate --rebuild").stuck == ()
    assert tracking.value("seen[point], seen[zoo.Point(3)], point.size()") == ("here", "here", 12)


def test_nothing_to_move_is_said(tracking: Notebook, workshop: Workshop) -> None:
    """Where nothing old is alive, the answer says so and nothing happens."""
    workshop.write({"zoo.py": "class Cat: pass\n"})
    tracking.run("%exoload zoo")
    report = tracking.value("%exomigrate")
    assert not report
    assert repr(report) == "nothing to move: no old object is alive"


def test_what_has_no_successor_is_said_to_be_alive(tracking: Notebook, workshop: Workshop) -> None:
    """A function that the new text hasn't got lives on by its name, and is not said to be gone or replaced."""
    workshop.write({"zoo.py": "def feed(): pass\n"})
    tracking.run("%exoload from zoo import feed")
    reload_with(tracking, workshop, "KEEPERS = []\n")
    report = tracking.value("%exomigrate")
    assert not report
    assert "nothing in the place of what is alive" in repr(report)


def test_what_stays_is_not_counted_as_replaced(tracking: Notebook, workshop: Workshop) -> None:
    """The class of an instance that can't move is still the instance's."""
    workshop.write({"zoo.py": "class Cat:\n    __slots__ = ('age',)\n"})
    tracking.run("%exoload zoo\ncat = zoo.Cat()")
    reload_with(tracking, workshop, "class Cat:\n    __slots__ = ('age', 'name')\n")
    assert repr(tracking.value("%exomigrate")).splitlines()[0] == "1 instance not moved"


def test_wrong_input_is_answered_with_what_to_do(tracking: Notebook, workshop: Workshop) -> None:
    """A class of which nothing old lives, and an option that doesn't exist, are errors that point on."""
    workshop.write({"zoo.py": "class Cat: pass\n"})
    tracking.run("%exoload zoo\ncat = zoo.Cat()")
    reload_with(tracking, workshop, "class Cat: age = 1\n")
    assert "%exostatus" in tracking.fail("%exomigrate zoo.Dog", ExocetError)
    assert "%exomigrate?" in tracking.fail("%exomigrate --rebuilt", UsageError)
    assert not tracking.value("hasattr(cat, 'age')")


def test_a_moved_object_is_what_a_reload_that_migrates_makes_of_it(tracking: Notebook, workshop: Workshop) -> None:
    """Functions that a callback table holds, modules, and subclasses made in cells move as well."""
    text = "def f(): return {0}\nclass Base:\n    def g(self): return {0}\n"
    workshop.write({"zoo.py": text.format(1)})
    tracking.run("%exoload zoo\nclass Sub(zoo.Base): pass\nsub, table, mods = Sub(), {'f': zoo.f}, [zoo]")
    reload_with(tracking, workshop, text.format(2))
    assert tracking.value("sub.g(), table['f']()") == (1, 1)
    tracking.run("%exomigrate")
    assert tracking.value("sub.g(), table['f'](), table['f'] is zoo.f, mods[0] is zoo") == (2, 2, True, True)
    assert tracking.value("Sub.__bases__ == (zoo.Base,)")
    assert sys.modules["zoo"] is tracking["zoo"]


def test_turning_automatic_reloading_on_names_what_is_still_old(tracking: Notebook, workshop: Workshop) -> None:
    """Objects that were only tracked wait for the next reload, of whatever, or for the person to ask."""
    workshop.write({"zoo.py": "class Cat: pass\n", "other.py": ""})
    tracking.run("%exoload zoo\ncat = zoo.Cat()")
    reload_with(tracking, workshop, "class Cat: age = 1\n")
    on = "<automatic reloading: on; old Cat alive: cat, until the next reload or %exomigrate>"
    assert repr(tracking.value("%exoauto on")) == on
    assert repr(tracking.value("%exoauto")) == "<automatic reloading: on>"
    tracking.run("import other")
    workshop.edit("other.py", "N = len('a')")
    tracking.run("0")
    assert tracking.value("cat.age") == 1
    assert repr(tracking.value("%exoauto on")) == "<automatic reloading: on>"


def test_list_that_cells_gave_the_old_and_the_new(tracking: Notebook, workshop: Workshop) -> None:
    """What a cell has put into a list before and after a reload is there twice: no body has registered it."""
    text = "def speak(): return 'old'\nclass Cat: pass"
    grow_old(tracking, workshop, Case(text, "heard = [zoo.speak, zoo.Cat]", text.replace("old", "new"), ""))
    tracking.run("heard += [zoo.speak, zoo.Cat]")
    tracking.run("%exomigrate")
    assert tracking.value("heard == [zoo.speak, zoo.Cat] * 2")


def test_what_modules_have_made_is_replaced_where_it_is_held(tracking: Notebook, workshop: Workshop) -> None:
    """Instances, patterns and lambdas in tables, as by a reload that migrates; no name and no class leads to these."""
    text = """
        import re
        class Cat:
            def __init__(self, name): self.name = name
        tom, WORD = Cat('tom{0}'), re.compile('{0}+')
        TABLE = {{'f': lambda: {0}}}
        """
    workshop.write({"zoo.py": text.format(1)})
    tracking.run("%exoload zoo\nheld = [zoo.tom, zoo.WORD, zoo.TABLE['f'], zoo.TABLE]")
    reload_with(tracking, workshop, textwrap.dedent(text.format(2)))
    assert tracking.value("held[0].name, held[2]()") == ("tom1", 1)
    tracking.run("%exomigrate")
    assert tracking.value("held == [zoo.tom, zoo.WORD, zoo.TABLE['f'], zoo.TABLE]")


def test_names_of_what_cells_changed_follow_where_the_new_one_has_it_all(
    tracking: Notebook, workshop: Workshop
) -> None:
    """Not so where a cell has changed it since, or something in it; then the report says which one is new."""
    text = """
        class Cat: age = {0}
        A, B, C, D = ['a'], ['a'], {{'in': {{}}}}, {{'in': {{}}}}
        """
    workshop.write({"zoo.py": text.format(1)})
    tracking.run("%exoload from zoo import Cat, A, B, C, D\ncat = Cat()\nA.append('mine'); B.append('mine')")
    tracking.run("C['mine'] = D['mine'] = 1\nold = [A, B, C, D]")
    reload_with(tracking, workshop, textwrap.dedent(text.format(2)))
    tracking.run("B.append('later')\nC['in']['later'] = 2")
    tracking.run("import zoo")
    report = tracking.value("%exomigrate")
    assert tracking.value("A is zoo.A, D is zoo.D, old[0] is A, old[3] is D, A") == (True,) * 4 + (["a", "mine"],)
    assert tracking.value("B, C, old[1] is B") == (["a", "mine", "later"], {"in": {"later": 2}, "mine": 1}, True)
    assert report.rebound == ("A", "D")
    assert [line.partition(" ")[0] for line in report.kept] == ["B", "C"]
    assert "B (zoo.B) was changed since it was made and stays; zoo.B is the new one" in repr(report)


def test_caches_of_cells_hold_no_answers_of_old_code(tracking: Notebook, workshop: Workshop) -> None:
    """They ask names that are replaced; what they have about an old object goes when that moves."""
    text = "RATE = {0}\nclass Cat:\n    def price(self): return {0}\n"
    workshop.write({"zoo.py": text.format(1)})
    tracking.run("%exoload zoo\ncat = zoo.Cat()")
    tracking.run(
        """
        import functools
        @functools.cache
        def total(n): return n * zoo.RATE
        @functools.cache
        def ask(cat): return cat.price()
        @functools.cache
        def make(): return zoo.Cat()
        kept = id(make())
        """
    )
    assert tracking.value("total(3), ask(cat)") == (3, 1)
    reload_with(tracking, workshop, text.format(2))
    assert tracking.value("total(3), ask(cat), id(make()) == kept") == (6, 1, True)
    tracking.run("%exomigrate")
    assert tracking.value("total(3), ask(cat)") == (6, 2)


def test_what_earlier_generations_have_made_is_replaced_as_well(tracking: Notebook, workshop: Workshop) -> None:
    """Instances, lambdas in tables, and what a cell has changed, of all that is alive."""
    text = """
        class Cat:
            def __init__(self, name): self.name = name
        tom, LOG = Cat('tom{0}'), ['{0}']
        TABLE = {{'f': lambda: {0}}}
        """
    workshop.write({"zoo.py": text.format(0)})
    tracking.run("%exoload zoo\nheld, logs = [], []")
    for number in range(1, 4):
        tracking.run("held += [(zoo.tom, zoo.TABLE['f'])]; logs += [zoo.LOG]; zoo.LOG.append('mine')")
        reload_with(tracking, workshop, textwrap.dedent(text.format(number)))
    assert tracking.value("[(one.name, f()) for one, f in held]") == [("tom0", 0), ("tom1", 1), ("tom2", 2)]
    tracking.run("%exomigrate")
    assert tracking.value("held == [(zoo.tom, zoo.TABLE['f'])] * 3, zoo.tom.name") == (True, "tom3")
    assert tracking.value("[log is zoo.LOG for log in logs], zoo.LOG") == ([True] * 3, ["3", "mine", "mine", "mine"])


def test_what_the_latest_has_not_got_stays(tracking: Notebook, workshop: Workshop) -> None:
    """A list that the next generation had all of, and the one after that no more, is the person's."""
    text = "class Cat: age = {0}\nNAMES, LEVELS = ['a'], ['a']\n"
    workshop.write({"zoo.py": text.format(1)})
    tracking.run("%exoload from zoo import Cat, NAMES, LEVELS")
    tracking.run("import zoo\ncat = Cat(); NAMES.append('mine'); LEVELS.append('mine')")
    reload_with(tracking, workshop, text.format(2))
    assert tracking.value("zoo.NAMES, NAMES is zoo.NAMES") == (["a", "mine"], False)
    reload_with(tracking, workshop, text.format(3).replace("NAMES, LEVELS = ['a'],", "NAMES, LEVELS = ('a',),"))
    tracking.run("%exomigrate")
    assert tracking.value("NAMES, zoo.NAMES, LEVELS is zoo.LEVELS") == (["a", "mine"], ("a",), True)


def test_caches_of_new_modules_forget_what_old_objects_answered(tracking: Notebook, workshop: Workshop) -> None:
    """They keep what they were asked about other things."""
    text = """
        import functools
        class Cat:
            def price(self): return {0}
        @functools.cache
        def ask(cat): return cat.price()
        @functools.cache
        def count(text): return len(text)
        """
    workshop.write({"zoo.py": text.format(1)})
    tracking.run("%exoload zoo\ncat = zoo.Cat()")
    reload_with(tracking, workshop, textwrap.dedent(text.format(2)))
    assert tracking.value("zoo.ask(cat), zoo.count('abc')") == (1, 3)
    tracking.run("%exomigrate")
    assert tracking.value("zoo.count.cache_info().currsize, zoo.ask(cat)") == (1, 2)
