"""Module-level instances whose definition is gone, and is back later as another object."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

from tests.plain_notebook import PlainNotebook
from tests.workshop import Workshop

TOOLS = "class Tool:\n    def __init__(self, n):\n        self.n = n\n"
SHOP = "from tools import Tool\n"
WITH = SHOP + "hammer = Tool({})\n"


@pytest.fixture
def notebook(workshop: Workshop) -> PlainNotebook:
    """A notebook that holds an instance of a module in a list."""
    workshop.write({"tools.py": TOOLS, "shop.py": WITH.format(1)})
    notebook = PlainNotebook()
    notebook.run("import shop\nheld = [shop.hammer]")
    return notebook


def migrate(notebook: PlainNotebook) -> None:
    """Reload as `%exoreload --migrate` does."""
    assert notebook.session.reload(migrate=True).error is None


def test_what_is_back_takes_its_place(workshop: Workshop, notebook: PlainNotebook) -> None:
    """What held the old one holds the new one, whatever was edited in between."""
    workshop.edit("shop.py", SHOP)
    migrate(notebook)
    workshop.edit("shop.py", SHOP + "# nothing here")
    migrate(notebook)
    workshop.edit("shop.py", WITH.format(2))
    migrate(notebook)
    assert notebook["held"][0] is notebook["shop"].hammer


def test_moving_later(workshop: Workshop, notebook: PlainNotebook) -> None:
    """What was only tracked moves when the person asks."""
    workshop.edit("shop.py", SHOP)
    notebook.reload()
    workshop.edit("shop.py", WITH.format(2))
    notebook.reload()
    assert notebook["held"][0].n == 1
    notebook.session.old.migrate()
    assert notebook["held"][0] is notebook["shop"].hammer


def test_what_the_person_changed_stays(workshop: Workshop, notebook: PlainNotebook) -> None:
    """Once changed it is the person's state."""
    workshop.edit("shop.py", SHOP)
    migrate(notebook)
    notebook["held"][0].n = 99
    workshop.edit("shop.py", WITH.format(2))
    migrate(notebook)
    assert notebook["held"][0].n == 99


def test_what_another_module_defines_stays(workshop: Workshop, notebook: PlainNotebook) -> None:
    """A module that imported an instance, and defines one of that name later, has not taken its place."""
    workshop.write({"office.py": "from shop import hammer\n"})
    notebook.run("import office")
    workshop.edit("office.py", "")
    migrate(notebook)
    workshop.edit("office.py", "hammer = {3}\n")
    migrate(notebook)
    assert notebook["held"][0] is notebook["shop"].hammer


def test_nothing_is_held_alive(workshop: Workshop, notebook: PlainNotebook) -> None:
    """An instance whose definition is gone dies with its last holder."""
    watched: weakref.ref[Any] = weakref.ref(notebook["held"][0])
    workshop.edit("shop.py", SHOP)
    migrate(notebook)
    notebook["held"].clear()
    gc.collect()
    assert watched() is None
