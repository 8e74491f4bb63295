"""Counting what lives of retired generations."""

from __future__ import annotations

import gc

from exocet_ipython.survivors.finding.census import Census, take_census
from tests.plain_notebook import PlainNotebook
from tests.workshop import Workshop

TEXT = """
class Cat:
    age = {0}
    class Tail: pass
class Slim: __slots__ = ("x",)
def feed(): return {0}
"""


def census(notebook: PlainNotebook) -> tuple[Census, ...]:
    """What lives, after the collector ran."""
    gc.collect()
    return take_census(notebook.session.old.generations())


def test_everything_that_lives_is_counted_by_kind(workshop: Workshop) -> None:
    """Instances by class, also those of subclasses made in cells; classes, functions and modules; each with a size.

    Classes come in the order of their names: where on the heap an instance is, is chance.
    """
    workshop.write({"zoo.py": TEXT.format(0)})
    notebook = PlainNotebook({"__name__": "__main__"})
    notebook.exoload("zoo")
    notebook.run("import zoo\ncats = [zoo.Cat() for _ in range(5)]\nslim = zoo.Slim()\ntail = zoo.Cat.Tail()")
    notebook.run("class Lion(zoo.Cat): pass\nlion = Lion()\nheld = [zoo.feed, zoo]")
    workshop.write({"zoo.py": TEXT.format(1)})
    notebook.reload()
    (one,) = census(notebook)
    assert [(name, count.number) for name, count in one.instances.items()] == [
        ("zoo.Cat", 6),
        ("zoo.Cat.Tail", 1),
        ("zoo.Slim", 1),
    ]
    kinds = [one.subclasses, one.classes, one.functions, one.modules]
    assert [count.number for count in kinds] == [1, 3, 1, 1]
    assert all(count.size > 0 for count in [*one.instances.values(), *kinds])
    assert one.total.number == 14


def test_each_generation_counts_its_own(workshop: Workshop) -> None:
    """Instances of two retired classes of one name count for the generations that their classes belong to."""
    workshop.write({"zoo.py": TEXT.format(0)})
    notebook = PlainNotebook({"__name__": "__main__"})
    notebook.exoload("zoo")
    notebook.run("import zoo\ncats = [zoo.Cat()]")
    for number in (1, 2):
        workshop.write({"zoo.py": TEXT.format(number)})
        notebook.reload()
        notebook.run("cats += [zoo.Cat(), zoo.Cat()]")
    first, second = census(notebook)
    assert (first.instances["zoo.Cat"].number, second.instances["zoo.Cat"].number) == (1, 2)
    notebook.run("cats[:] = cats[-1:]")
    assert census(notebook) == ()


def test_counting_makes_no_dicts_and_asks_nothing_of_the_objects(workshop: Workshop) -> None:
    """An instance whose class has a `__sizeof__` or attribute access of its own is counted without either."""
    workshop.write(
        {
            "zoo.py": """
                class Shy:
                    def __getattribute__(self, name): raise RuntimeError(name)
                    def __sizeof__(self): raise RuntimeError("no")
                """
        }
    )
    notebook = PlainNotebook({"__name__": "__main__"})
    notebook.exoload("zoo")
    notebook.run("import zoo\nshy = zoo.Shy()")
    workshop.write({"zoo.py": "class Shy: pass\n"})
    notebook.reload()
    (one,) = census(notebook)
    assert one.instances["zoo.Shy"].number == 1


def test_garbage_of_reloads_before_is_no_subclass(workshop: Workshop) -> None:
    """A class that an earlier reload replaced, and that only waits for the collector, doesn't count as a subclass."""
    workshop.write({"base.py": "class Base: pass\n", "zoo.py": "from base import Base\nclass Cat(Base): age = 0\n"})
    notebook = PlainNotebook({"__name__": "__main__"})
    notebook.exoload("zoo")
    notebook.run("import base, zoo\nthing, cat = base.Base(), zoo.Cat()")
    gc.disable()
    try:
        workshop.write({"zoo.py": "from base import Base\nclass Cat(Base): age = 1\n"})
        notebook.reload()
        notebook.run("del cat")
        workshop.write({"base.py": "class Base: size = 1\n"})
        notebook.reload()
        counts = [one.subclasses.number for one in take_census(notebook.session.old.generations())]
    finally:
        gc.enable()
    assert sum(counts) == 0
