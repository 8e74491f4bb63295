"""Which notebook names follow an edit when the imports were ordinary statements in cells."""

from __future__ import annotations

import pytest

from tests.shells import Notebook
from tests.workshop import Workshop

MODEL = """
    import enum
    RATE = {rate}
    NAME = "{rate}"
    LIMITS = (1, {rate})
    class Color(enum.Enum):
        RED = {rate}
    class Model:
        class Inner:
            rate = {rate}
        def rate(self):
            return {rate}
    def rate():
        return {rate}
    default = Model()
    TABLE = {{"rate": {rate}}}
"""


@pytest.fixture
def model(auto: Notebook, workshop: Workshop) -> Notebook:
    """A notebook on a project with a module `pkg.model`; nothing is imported yet."""
    workshop.write({"pkg/__init__.py": "", "pkg/model.py": MODEL.format(rate=1000)})
    return auto


def edit(workshop: Workshop) -> None:
    """Make each value of the module another one."""
    workshop.edit("pkg/model.py", MODEL.format(rate=2000))


@pytest.mark.parametrize(
    ("cell", "expression"),
    [
        ("import pkg.model", "pkg.model.RATE"),
        ("import pkg.model as m", "m.RATE"),
        ("from pkg import model", "model.RATE"),
        ("from pkg.model import RATE", "RATE"),
        ("from pkg.model import RATE as lr, NAME as label", "(int(label) and lr)"),
        ("from pkg.model import LIMITS", "LIMITS[1]"),
        ("from pkg.model import *", "RATE"),
        ("if True:\n    from pkg.model import RATE", "RATE"),
        ("try:\n    from pkg.model import RATE\nexcept ImportError:\n    RATE = None", "RATE"),
        ("try:\n    from nope import RATE\nexcept ImportError:\n    from pkg.model import RATE", "RATE"),
        ("try:\n    pass\nfinally:\n    from pkg.model import RATE", "RATE"),
        ("import contextlib\nwith contextlib.suppress(ImportError):\n    from pkg.model import RATE", "RATE"),
        ("for _ in range(1):\n    from pkg.model import RATE", "RATE"),
        ("while True:\n    from pkg.model import RATE\n    break", "RATE"),
        ("match 1:\n    case 1:\n        from pkg.model import RATE", "RATE"),
        ("%%time\nfrom pkg.model import RATE", "RATE"),
        ("%time from pkg.model import RATE", "RATE"),
        ("%prun -q -l 3 from pkg.model import RATE", "RATE"),
        ("%%capture out\nfrom pkg.model import RATE", "RATE"),
        ("%%time\n%%capture out\nfrom pkg.model import RATE", "RATE"),
        ("import asyncio\nfrom pkg.model import RATE\nawait asyncio.sleep(0)", "RATE"),
        ("!true\nfrom pkg.model import RATE", "RATE"),
        ("from pkg.model import rate", "rate()"),
        ("import pkg.model\nf = pkg.model.rate", "f()"),
        ("exec('from pkg.model import rate as f')", "f()"),
        ("globals()['f'] = __import__('pkg.model', fromlist=['x']).rate", "f()"),
        ("import importlib\nm = importlib.import_module('pkg.model')", "m.RATE"),
        ("from pkg.model import Color\nred = Color.RED", "red.value"),
        ("from pkg.model import Color\nred = Color.RED", "(red is Color.RED) and red.value"),
        ("from pkg.model import Model\nInner = Model.Inner", "Inner.rate"),
        ("from pkg.model import default", "default.rate()"),
        ("from pkg.model import TABLE", "TABLE['rate']"),
        ("import pkg.model\ntable = pkg.model.TABLE", "table['rate']"),
    ],
)
@pytest.mark.parametrize("instances", ["track", "migrate"])
def test_a_name_follows(model: Notebook, workshop: Workshop, cell: str, expression: str, instances: str) -> None:
    """Atoms by the import statement that bound them, everything else by its identity."""
    model.run(f'%config Exocet.instances = "{instances}"\n%config Exocet.report = "quiet"')
    model.run(cell)
    assert model.value(expression) == 1000
    edit(workshop)
    assert model.value(expression) == 2000


def test_run_i_binds_names_that_follow(model: Notebook, workshop: Workshop) -> None:
    """What `%run -i` leaves in the notebook is known by its identity."""
    workshop.write({"script.py": "from pkg.model import Model, rate\nimport pkg.model as m\nmine = Model"})
    model.run(f"%run -i {workshop.path('script.py')}")
    edit(workshop)
    assert model.value("(Model().rate(), rate(), m.RATE, mine is Model)") == (2000, 2000, 2000, True)


@pytest.mark.parametrize(
    "cell",
    [
        "RATE = 1000",
        "import sys\nRATE = sys.modules['pkg.model'].RATE + 0",
        "RATE: int = 1000",
        "for RATE in [1000]: pass",
        "(RATE := 1000)",
        "RATE, other = 1000, 1",
        "with __import__('contextlib').nullcontext(1000) as RATE: pass",
        "if True:\n    RATE = 1000",
        "%time RATE = 1000",
        "%%time\nRATE = 1000",
        "%%capture\nRATE = 1000",
    ],
)
def test_a_name_assigned_again_stays_the_persons(model: Notebook, workshop: Workshop, cell: str) -> None:
    """Even when its value is the very object that the module has."""
    model.run("from pkg.model import RATE")
    model.run(cell)
    before = model["RATE"]
    edit(workshop)
    model.run("import pkg.model")
    assert model["RATE"] is before


def test_a_name_whose_assignment_was_not_reached_still_follows(model: Notebook, workshop: Workshop) -> None:
    """A cell that failed before it assigned has assigned nothing, whatever its text says."""
    model.run("from pkg.model import RATE")
    model.fail("1 / 0\nRATE = 5", ZeroDivisionError)
    edit(workshop)
    assert model.value("RATE") == 2000


@pytest.mark.parametrize(
    "cell",
    [
        "if False:\n    RATE = 5",
        "if True:\n    pass\nelse:\n    RATE = 5",
        "while False:\n    RATE = 5",
        "for _ in []:\n    RATE = 5",
        "try:\n    pass\nexcept ValueError:\n    RATE = 5",
        "try:\n    pass\nexcept ValueError as RATE:\n    pass",
        "with __import__('contextlib').suppress(ZeroDivisionError):\n    1 / 0\n    RATE = 5",
        "match 1:\n    case 2:\n        RATE = 5",
        "False and (RATE := 5)",
        "1 if True else (RATE := 5)",
        "(lambda: (RATE := 5))()",
        "RATE: int",
        "if False:\n    del RATE",
        "if False:\n    from math import pi as RATE",
        "if False:\n    from other import *",
        "if False:\n    from later import *",
    ],
)
def test_a_name_that_a_block_might_have_assigned_still_follows(model: Notebook, workshop: Workshop, cell: str) -> None:
    """A block that was not run has assigned nothing: the name still has what the module gave it."""
    workshop.write({"other.py": "RATE, EXTRA = 5, 6", "later.py": "N = 5"})
    model.run("from other import EXTRA\nfrom pkg.model import *")
    model.run(cell)
    model.run("import later")
    edit(workshop)
    workshop.edit("later.py", "RATE = 5")
    assert model.value("RATE") == 2000


def test_a_cell_that_failed_after_its_import_has_imported(model: Notebook, workshop: Workshop) -> None:
    """What ran before the error counts."""
    model.fail("from pkg.model import RATE\n1 / 0", ZeroDivisionError)
    edit(workshop)
    assert model.value("RATE") == 2000


def test_a_name_that_a_function_assigns_is_the_persons(model: Notebook, workshop: Workshop) -> None:
    """`global RATE` in a function of a cell: the value tells."""
    model.run("from pkg.model import RATE\ndef f():\n    global RATE\n    RATE = 7")
    model.run("f()")
    edit(workshop)
    assert model.value("RATE") == 7


def test_star_imports_follow_all_as_it_changes(auto: Notebook, workshop: Workshop) -> None:
    """Names come with `__all__` and stay, reported, when they leave it."""
    workshop.write({"tools.py": "__all__ = ['a']\na = 1\nb = 1"})
    auto.run("from tools import *")
    assert "b" not in auto
    workshop.edit("tools.py", "__all__ = ['a', 'b']\na = 2\nb = 2")
    assert auto.value("(a, b)") == (2, 2)
    workshop.edit("tools.py", "__all__ = ['b']\nb = 3")
    text = auto.run("assert (a, b) == (2, 3)")
    assert "a (tools.a) is no longer defined and keeps its old value" in text


def test_a_class_that_moved_to_another_module_is_followed(auto: Notebook, workshop: Workshop) -> None:
    """Nothing is left where it was: the name and its instances have the new one, the report says where that is."""
    workshop.write({"app.py": "class Shape: pass\ndef area(): return 1", "deep.py": "TAIL = 1"})
    auto.run("import deep\nfrom app import Shape, area\nshape = Shape()\nheld = [area]")
    workshop.write({"app.py": "", "deep.py": "class Shape: pass\ndef area(): return 2"})
    text = auto.run("assert type(shape) is Shape is deep.Shape")
    assert "Shape (app.Shape) has moved to deep.Shape" in text
    assert auto.value("(area(), held[0](), held[0] is deep.area)") == (2, 2, True)
    workshop.write({"app.py": "class Shape: pass\ndef area(): return 3", "deep.py": "TAIL = 1"})
    assert auto.value("(type(shape) is Shape, Shape.__module__, area(), held[0]())") == (True, "app", 3, 3)


def test_a_class_that_two_modules_gain_is_not_followed(auto: Notebook, workshop: Workshop) -> None:
    """Which of them it has become is not known; so is one that the other module had before."""
    workshop.write({"app.py": "class A: pass\nclass B: pass", "one.py": "", "two.py": "class B: n = 1"})
    auto.run("import one, two\nfrom app import A, B\na, b = A(), B()")
    workshop.write({"app.py": "", "one.py": "class A: pass", "two.py": "class B: n = 2\nclass A: pass"})
    assert auto.value("(type(a).__module__, type(b).__module__)") == ("app", "app")


def test_a_name_that_two_stars_gain_at_once_has_both_sources(auto: Notebook, workshop: Workshop) -> None:
    """Where the last of them loses it again, it is the other's, as after a restart."""
    workshop.write({"first.py": "N = 1", "second.py": "N = 2"})
    auto.run("from first import *\nfrom second import *")
    workshop.write({"first.py": "N = 1\nRATE = 1000", "second.py": "N = 2\nRATE = 2000"})
    assert auto.value("RATE") == 2000
    workshop.write({"first.py": "N = 1\nRATE = 3000", "second.py": "N = 2"})
    assert auto.value("RATE") == 3000


def test_a_star_in_a_block_that_was_not_run_changes_no_order(auto: Notebook, workshop: Workshop) -> None:
    """The star import that was the last one stays it."""
    workshop.write({"first.py": "RATE = 1000", "second.py": "RATE = 2000"})
    auto.run("from first import *\nfrom second import *")
    auto.run("if False:\n    from first import *")
    workshop.write({"first.py": "RATE = 3000", "second.py": "RATE = 4000"})
    assert auto.value("RATE") == 4000


def test_a_name_that_a_star_no_longer_gives_is_that_of_the_import_before(auto: Notebook, workshop: Workshop) -> None:
    """Also where the star's module goes on to define it, and does not export it."""
    workshop.write({"first.py": "RATE = 1000", "second.py": "RATE = 2000"})
    auto.run("from first import RATE\nfrom second import *")
    assert auto.value("RATE") == 2000
    workshop.edit("second.py", "__all__ = []\nRATE = 3000")
    assert auto.value("RATE") == 1000


def test_star_imports_load_the_submodules_that_all_names(auto: Notebook, workshop: Workshop) -> None:
    """A package that lists a further submodule in `__all__` has it loaded by `from package import *`, as by Python."""
    workshop.write({"game/__init__.py": "__all__ = ['world']", "game/world.py": "N = 1"})
    auto.run("from game import *")
    workshop.write({"game/__init__.py": "__all__ = ['world', 'rules', 'nowhere']", "game/rules.py": "N = 2"})
    assert auto.value("world.N, rules.N") == (1, 2)


def test_star_imports_follow_public_names_as_they_change(auto: Notebook, workshop: Workshop) -> None:
    """Without `__all__` every new public name is bound; a private one isn't, nor one that is the person's."""
    workshop.write({"tools.py": "a = 1000"})
    auto.run("from tools import *\nmine = 'mine'")
    workshop.edit("tools.py", "a = 2000\nb = 2000\n_c = 2000\nmine = 2000")
    assert auto.value("(a, b, mine)") == (2000, 2000, "mine")
    assert "_c" not in auto


def test_a_name_that_a_star_gains_is_replaced_once(auto: Notebook, workshop: Workshop) -> None:
    """It had the name before `__all__` left it out, and still holds what the module then had."""
    workshop.write({"model.py": "class A: n = 1"})
    auto.run("from model import *")
    workshop.edit("model.py", "__all__ = []\nclass A: n = 2")
    auto.run("None")
    workshop.edit("model.py", "class A: n = 3")
    assert auto.run("assert A.n == 3").rstrip().endswith("1 name replaced: A")


def test_of_two_star_imports_the_last_that_has_a_name_wins(auto: Notebook, workshop: Workshop) -> None:
    """As running both statements again would have it."""
    workshop.write({"one.py": "x = 1000\ny = 1000", "two.py": "x = 2000"})
    auto.run("from one import *\nfrom two import *")
    workshop.edit("two.py", "y = 3000")
    assert auto.value("(x, y)") == (1000, 3000)


def test_a_name_that_all_stars_have_lost_is_told_with_the_one_that_gave_it(auto: Notebook, workshop: Workshop) -> None:
    """Not with the last one, which had lost it before."""
    workshop.write({"one.py": "x = 1000", "two.py": "x = 2000"})
    auto.run("from one import *\nfrom two import *")
    workshop.edit("two.py", "y = 2")
    assert auto.value("x") == 1000
    workshop.edit("one.py", "z = 3")
    assert "x (one.x) is no longer defined and keeps its old value" in auto.run("assert x == 1000")


def test_a_function_that_imports_into_the_notebook(auto: Notebook, workshop: Workshop) -> None:
    """`global` in a function: what it imports is the notebook's; what others import is their own."""
    workshop.write({"config.py": "rate = 1000\nsize = 1000\nname = 1000"})
    auto.run(
        "def load():\n    global rate, other\n    from config import rate, size\n    other = 1\n"
        "async def wait():\n    if True:\n        global late\n        from config import name as late\n"
        "load()\nawait wait()\nsize = 1000"
    )
    workshop.edit("config.py", "rate = 2000\nsize = 2000\nname = 2000")
    assert auto.value("(rate, size, late, other)") == (2000, 1000, 2000, 1)


def test_an_enum_member_follows_by_its_name(auto: Notebook, workshop: Workshop) -> None:
    """The value may change, and the order; a member that is gone stays and is reported."""
    workshop.write({"colors.py": "import enum\nclass Color(enum.Enum):\n    RED = 1\n    BLUE = 2"})
    auto.run("from colors import Color\nred, blue = Color.RED, Color.BLUE")
    workshop.edit("colors.py", "import enum\nclass Color(enum.Enum):\n    BLACK = 0\n    RED = 7")
    text = auto.run("assert red is Color.RED and red.value == 7 and blue.value == 2")
    assert "blue (colors.Color.BLUE) is no longer defined" in text


@pytest.mark.parametrize("instances", ["track", "migrate"])
@pytest.mark.parametrize("both", [True, False])
def test_names_in_other_managed_modules_follow(
    auto: Notebook, workshop: Workshop, instances: str, *, both: bool
) -> None:
    """`helpers.model_cls = Model` in a cell is a name as good as the notebook's own; made anew or not."""
    auto.run(f'%config Exocet.instances = "{instances}"')
    workshop.write({"model.py": "class Model:\n    n = 1\ndef f(): return 1"})
    workshop.write({"helpers.py": "N = 1\ndef make(): return model_cls()"})
    auto.run("import helpers\nfrom model import Model, f")
    auto.run("import model\nhelpers.model_cls = Model\nhelpers.f = f\nhelpers.m = model\nhelpers.mine = 'mine'")
    workshop.edit("model.py", "class Model:\n    n = 2\ndef f(): return 2")
    if both:
        workshop.edit("helpers.py", "N = 2\ndef make(): return model_cls()")
    auto.run("")
    assert auto.value("(helpers.make().n, helpers.f(), helpers.m is model, helpers.mine)") == (2, 2, True, "mine")
    assert auto.value("helpers.model_cls is Model")
    assert auto.value("helpers.N") == 1 + both


@pytest.mark.parametrize("loaded", [False, True])
def test_what_cells_imported_before_the_extension_follows(
    tracking: Notebook, workshop: Workshop, *, loaded: bool
) -> None:
    """Cells that ran before `%load_ext`, or while another session had the names, have bound theirs as well."""
    workshop.write({"model.py": "RATE = 1\nLR = 1\nMINE = 1"})
    if not loaded:
        tracking.run("%unload_ext exocet_ipython")
    tracking.run("from model import RATE as rate, LR, MINE\nMINE = 5")
    tracking.run("LR = 7")
    if loaded:
        tracking.run("%unload_ext exocet_ipython")
    tracking.run("%load_ext exocet_ipython\n%exoauto on")
    workshop.edit("model.py", "RATE = 2\nLR = 2\nMINE = 2")
    assert tracking.value("rate, LR, MINE") == (2, 7, 5)
