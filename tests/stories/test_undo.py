"""Going back: sources that return to what a living generation ran bring its very objects back."""

from __future__ import annotations

import gc
import mimetypes
import os
import sys

import pytest

from exocet_ipython.notebook.report import ReloadReport
from tests.exports import Exports
from tests.plain_notebook import PlainNotebook
from tests.workshop import Workshop

SHAPES = """
    import enum, functools
    RAN = []
    SCALE = {scale}
    class Shape:
        def area(self): return SCALE
    class Circle(Shape):
        class Part: pass
        def area(self): return super().area() + {scale}
    class Bare: size = {scale}
    class Colour(enum.Enum):
        RED = {scale}
    def draw(shape=None): return {scale}
    cached = functools.lru_cache(draw)
    later = lambda: SCALE
    ready = Circle()
    table = {{"draw": draw, "shapes": [ready]}}
"""


@pytest.fixture
def notebook(workshop: Workshop) -> PlainNotebook:
    """A notebook on the project `workshop`."""
    assert workshop.folder.is_dir()
    return PlainNotebook()


def shapes(scale: int) -> dict[str, str]:
    """The module `shapes`, whose definitions differ with the number."""
    return {"shapes.py": SHAPES.format(scale=scale)}


def reload(notebook: PlainNotebook, *, migrate: bool) -> ReloadReport:
    """Reload, with or without moving survivors, and return the report."""
    report = notebook.session.reload(migrate=migrate)
    if report.error is not None:
        raise report.error
    return report


@pytest.mark.parametrize("migrate", [False, True])
def test_very_objects_come_back(workshop: Workshop, notebook: PlainNotebook, *, migrate: bool) -> None:
    """After A, B, A, B, A each export is the one of that text, by identity; nothing runs, and the report says so."""
    workshop.write(shapes(1))
    notebook.run("import shapes")
    seen, numbers = {1: Exports("shapes")}, {1: notebook.session.generation.number}
    workshop.write(shapes(2))
    reload(notebook, migrate=migrate)
    seen[2], numbers[2] = Exports("shapes"), notebook.session.generation.number
    assert seen[1] != seen[2]
    for scale in (1, 2, 1, 2, 1):
        workshop.write(shapes(scale))
        report = reload(notebook, migrate=migrate)
        assert Exports("shapes") == seen[scale]
        assert (report.reloaded, report.returned, report.generation) == ((), ("shapes",), numbers[scale])
        assert report.headline.startswith(f"went back to generation {numbers[scale]}: nothing ran (shapes)")
        module = notebook["shapes"]
        assert module is sys.modules["shapes"]
        assert (module.Circle().area(), module.draw(), module.later()) == (2 * scale, scale, scale)
        assert module.Colour.RED.value == scale
        assert module.Circle.__mro__[1] is module.Shape
        assert module.Circle in module.Shape.__subclasses__()


def test_instances_made_before_are_current_once_more(workshop: Workshop, notebook: PlainNotebook) -> None:
    """`isinstance` holds for an object made before the edit, tracked by nothing but itself."""
    workshop.write(shapes(1))
    notebook.run("import shapes\ncircle = shapes.Circle()\n")
    workshop.write(shapes(2))
    notebook.reload()
    gc.collect()
    assert not isinstance(notebook["circle"], notebook["shapes"].Circle)
    workshop.write(shapes(1))
    report = notebook.reload()
    assert isinstance(notebook["circle"], notebook["shapes"].Circle)
    assert type(notebook["circle"]) is notebook["shapes"].Circle
    assert notebook["circle"].area() == 2
    assert report.survivors == ()
    assert notebook.session.survivors() == ()


@pytest.mark.parametrize("kind", ["Bare", "Colour", "Circle.Part"])
def test_class_without_functions_brings_its_module_back(workshop: Workshop, notebook: PlainNotebook, kind: str) -> None:
    """A class that has no function holds its module all the same, and shows no attribute that it didn't have."""
    workshop.write(shapes(1))
    notebook.run(f"import shapes\nheld = [shapes.{kind}]\nnames = set(dir(held[0]))")
    workshop.write(shapes(2))
    notebook.reload()
    gc.collect()
    assert set(dir(notebook["held"][0])) == notebook["names"]
    assert notebook["held"][0].__module__ == "shapes"
    workshop.write(shapes(1))
    assert notebook.reload().returned == ("shapes",)
    assert type(notebook["held"][0].__module__) is str


def test_cached_function_brings_its_module_back(workshop: Workshop, notebook: PlainNotebook) -> None:
    """A module whose only function is in a cache is held by that as well."""
    text = "import functools\n@functools.cache\ndef f(x): return {}\n"
    workshop.write({"shapes.py": text.format(1)})
    notebook.run("import shapes\nheld = [shapes.f]")
    workshop.write({"shapes.py": text.format(2)})
    notebook.reload()
    gc.collect()
    workshop.write({"shapes.py": text.format(1)})
    assert notebook.reload().returned == ("shapes",)
    assert notebook["shapes"].f is notebook["held"][0]


def test_nothing_of_ours_holds_what_retired(workshop: Workshop, notebook: PlainNotebook) -> None:
    """Without an object of the person's the generation dies, and the same text is run anew."""
    workshop.write(shapes(1))
    notebook.run("import shapes")
    first = id(notebook["shapes"])
    number = notebook["shapes"].SCALE
    workshop.write(shapes(2))
    notebook.reload()
    gc.collect()
    assert not any(
        type(thing) is type(sys) and getattr(thing, "SCALE", None) == number for thing in gc.get_objects()
    ), first
    workshop.write(shapes(1))
    report = notebook.reload()
    assert [module.name for module in report.reloaded] == ["shapes"]
    assert report.returned == ()


def test_going_back_sets_again_what_bodies_set_elsewhere(
    workshop: Workshop, notebook: PlainNotebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After going back, the process is as if the old body had run last: it runs, where it sets something else."""
    monkeypatch.setenv("EXOCET_MODE", "")
    for mode in ("a", "b", "a"):
        workshop.write({"modes.py": f"import os\nos.environ['EXOCET_MODE'] = {mode!r}\ndef f(): return os\n"})
        notebook.run("import modes")
        notebook.run("held = globals().get('held') or [modes]")
        notebook.reload()
    assert os.environ["EXOCET_MODE"] == "a"


@pytest.mark.xfail(strict=True, reason="nothing runs, and what a call does in a library is known to nobody")
def test_going_back_restores_what_calls_set_elsewhere(workshop: Workshop, notebook: PlainNotebook) -> None:
    """After going back, a library has what the old body has told it last."""
    text = "import mimetypes\nmimetypes.add_type('exo/{}', '.exocet')\ndef f(): return mimetypes\n"
    for mode in ("a", "b", "a"):
        workshop.write({"modes.py": text.format(mode)})
        notebook.run("import modes")
        notebook.run("held = globals().get('held') or [modes]")
        notebook.reload()
    try:
        assert mimetypes.guess_type("x.exocet")[0] == "exo/a"
    finally:
        mimetypes.init()
