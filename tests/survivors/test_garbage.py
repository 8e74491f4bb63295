"""What only refers to itself."""

from __future__ import annotations

import gc
import random
import subprocess
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from exocet_ipython.survivors.finding.garbage import is_garbage
from tests.plain_notebook import PlainNotebook
from tests.workshop import Workshop

pytestmark = pytest.mark.skipif(
    not getattr(sys, "_is_gil_enabled", lambda: True)(), reason="reference counts are deferred"
)
APP = """
from functools import partial
COLUMNS = []
class Column:
    def __init__(self, get):
        self.get = get
        COLUMNS.append(self)
    def __get__(self, row, owner):
        return self.get(owner)
class Row:
    number = object() and {number}
    @Column
    def id(owner):
        return owner.number
ROWS = [Row()]
KINDS = [Row, Column]
def first(rows):
    return rows[0].id
one = partial(first, ROWS)
"""

USES = """
from app import Column, Row
@Column
def name(row):
    return Row.__name__
"""


class Node:
    """A node of a graph."""


@pytest.fixture(autouse=True)
def no_collector() -> Iterator[None]:
    """No automatic collection runs."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("seed", range(40))
def test_the_collector_agrees(seed: int) -> None:
    """What is told of objects that refer to one another in any way is what it finds.

    Where garbage that they don't lead to refers to them, nothing is told.
    """
    chance = random.Random(seed)  # noqa: S311 - no secret
    nodes = [Node() for _ in range(12)]
    for node in nodes:
        others = chance.sample(nodes, chance.randrange(3))
        match chance.randrange(3):
            case 0:
                vars(node)["parts"] = tuple(others)
            case 1:
                vars(node).update({f"part{place}": other for place, other in enumerate(others)})
            case 2:
                vars(node)["ask"] = lambda others=others: others
        others = []
    kept = chance.sample(nodes, chance.randrange(3))
    asked = chance.sample(nodes, chance.choice([3, len(nodes)]))
    is_all = len(asked) == len(nodes)
    references = list(map(weakref.ref, asked))
    node = Node()
    nodes.clear()
    found = is_garbage(asked, [asked])
    asked.clear()
    gc.collect()
    is_used = any(reference() is not None for reference in references)
    assert found is not is_used if is_all else not (found and is_used)
    del kept


@pytest.mark.parametrize("number", [50_000, 5_000])
def test_what_is_too_much_to_look_at_counts_as_used(number: int) -> None:
    """The look takes a bounded time, whatever what is asked about leads to: in one list, or in many."""
    node = Node()
    vars(node)["parts"] = [[node, *([] for _ in range(number))] for _ in range(50_000 // number)] + [[node]]
    nodes = [node]
    del node
    assert not is_garbage(nodes, [nodes])
    del vars(nodes[0])["parts"][:-1]
    assert is_garbage(nodes, [nodes])


def test_a_generation_that_only_its_own_instances_hold_is_none_that_lives(workshop: Workshop) -> None:
    """Edits don't take longer with each one that went before, however long the collector stays away."""
    workshop.write({"app.py": APP.format(number=0), "uses.py": USES})  # which only has a column of its own
    notebook = PlainNotebook()
    notebook.run("import app, uses")
    living = []
    for number in range(1, 5):
        workshop.write({"app.py": APP.format(number=number)})
        notebook.session.reload(migrate=True)
        assert notebook["app"].one() == number
        living.append(len(notebook.session.old.generations(quickly=True)))
    assert living == [0, 0, 0, 0]


LARGE = """
def note(function):
    held = []
    def wait(function):
        yield held
        function()
    held.append(wait(function))
    next(held[0])
    return held[0]
NOTED = []
class Kind:
    number = object() and {number}
""" + "".join(f"def task{number}():\n    return Kind\nNOTED.append(note(task{number}))\n" for number in range(1_500))


EDITS = """
import gc, sys
from pathlib import Path
from types import FunctionType
from tests.plain_notebook import PlainNotebook
from tests.workshop import Workshop

text = sys.stdin.read()
with Workshop(Path(sys.argv[1])) as workshop:
    workshop.write({"app.py": text.format(number=0)})
    notebook = PlainNotebook()
    notebook.run("import app; kind: object = app.Kind()")
    gc.collect()
    gc.disable()
    for number in range(1, 5):
        workshop.write({"app.py": text.format(number=number)})
        notebook.session.reload(migrate=True)
        assert notebook["kind"].number == number
        print(sum(type(one) is FunctionType and one.__name__ == "task7" for one in gc.get_objects()))
"""


def test_a_large_generation_that_only_refers_to_itself_is_gone_after_the_next_reload(tmp_path: Path) -> None:
    """Where there is too much to look at, the collector is asked: edits take no longer with each that went before.

    In a process of its own: in a heap of millions it takes too long, and comes in its own time.
    """
    command = [sys.executable, "-W", "error", "-c", EDITS, str(tmp_path / "project")]
    root = Path(__file__).parents[2]
    run = subprocess.run(command, cwd=root, input=LARGE, capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 0, run.stdout + run.stderr
    alive = list(map(int, run.stdout.split()))
    assert len(alive) == 4
    assert max(alive) <= 3, alive  # with what has just retired, and what the last reload had no doubt of


def test_what_a_name_holds_of_a_generation_is_in_use(workshop: Workshop) -> None:
    """An instance leads to its class, and that to all of its module."""
    workshop.write({"app.py": APP.format(number=0)})
    notebook = PlainNotebook()
    notebook.run("import app\nrow: object = app.ROWS[0]")
    workshop.write({"app.py": APP.format(number=1)})
    notebook.session.reload()
    assert [old.number for old in notebook.session.old.generations(quickly=True)] == [0]
    assert notebook["row"].id == 0


def test_what_makes_up_a_retired_member_stays_as_it_was(workshop: Workshop) -> None:
    """Garbage of an enumeration doesn't lead to the next version, whose migration would have to look at it again."""
    text = "import enum\nclass Level(enum.Enum):\n    LOW = 1\nNUMBER = object() and {}\n"
    workshop.write({"app.py": text.format(0)})
    notebook = PlainNotebook()
    notebook.run("import app\nlevels = [app.Level.LOW]")
    member, old = weakref.ref(notebook["app"].Level.LOW), notebook["app"].Level
    attributes = vars(member())
    workshop.write({"app.py": text.format(1)})
    notebook.session.reload(migrate=True)
    assert notebook["levels"] == [notebook["app"].Level.LOW] != [member()]
    assert attributes["__objclass__"] is old
