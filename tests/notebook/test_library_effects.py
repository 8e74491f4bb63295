"""What a library adds to the process when a module of the person's imports it first stays when that runs again."""

from __future__ import annotations

import atexit
import logging
import os
import sys
import warnings
from collections.abc import Iterator

import pytest

from exocet_ipython.reloading.lasting.exits import exit_functions
from tests.plain_notebook import PlainNotebook
from tests.workshop import Workshop

LIBRARY = """
    import atexit, logging, os, sys, warnings
    from importlib.machinery import ModuleSpec
    class Finder:
        def find_spec(self, name, path=None, target=None):
            return ModuleSpec(name, self) if name == "lib_of_effects.virtual" else None
        def create_module(self, spec):
            return None
        def exec_module(self, module):
            module.x = 1
    def bye():
        pass
    __path__ = []
    finder, handler = Finder(), logging.NullHandler()
    sys.meta_path.append(finder)
    sys.path.append("/lib/of/effects")
    os.environ["LIB_OF_EFFECTS"] = "1"
    logging.getLogger("lib_of_effects").addHandler(handler)
    atexit.register(bye)
    warnings.filterwarnings("ignore", message="lib of effects")
    """
# Its own text has all the words, so that these can't tell.
IMPORTING = """
    import atexit, logging, os, sys, warnings
    import lib_of_effects
    from lib_of_effects.virtual import x
    logging.getLogger("own_of_effects").addHandler(logging.StreamHandler())
    sys.path.append("/own/of/effects")
    LIST = [{number}]
    """


def added() -> list[object]:
    """Return what the library has added, one entry each, as far as it is there."""
    library = sys.modules["lib_of_effects"]
    return [
        library.finder in sys.meta_path,
        "/lib/of/effects" in sys.path,
        os.environ.get("LIB_OF_EFFECTS"),
        logging.getLogger("lib_of_effects").handlers == [library.handler],
        library.bye in exit_functions(),
        any("lib of effects" in str(entry[1]) for entry in warnings.filters),
    ]


@pytest.fixture
def library(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A library, as an environment has it; what it adds is taken off in the end."""
    workshop.write({"site-packages/lib_of_effects.py": LIBRARY})
    monkeypatch.setattr(sys, "path", [*sys.path, workshop.path("site-packages")])
    monkeypatch.setenv("LIB_OF_EFFECTS", "0")
    with warnings.catch_warnings():
        yield
    loaded = sys.modules["lib_of_effects"]
    sys.meta_path.remove(loaded.finder)
    atexit.unregister(loaded.bye)
    for name in ("lib_of_effects", "own_of_effects"):
        logging.getLogger(name).handlers.clear()


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("comes_late", [False, True])
def test_what_a_library_adds_stays_when_its_importer_runs_again(workshop: Workshop, *, comes_late: bool) -> None:
    """The library doesn't run again; it came with the module, or with an edit of it. The module's own is there once."""
    first = IMPORTING.format(number=1)
    workshop.write({"mine.py": "X = [0]" if comes_late else first})
    notebook = PlainNotebook()
    notebook.run("import mine")
    if comes_late:
        workshop.write({"mine.py": first})
        notebook.reload()
    assert added() == [True, True, "1", True, True, True]
    workshop.write({"mine.py": IMPORTING.format(number=2)})
    report = notebook.session.reload(migrate=True)
    assert report.error is None
    assert notebook["mine"].LIST == [2]
    assert added() == [True, True, "1", True, True, True]
    assert len(logging.getLogger("own_of_effects").handlers) == 1
    assert sys.path.count("/own/of/effects") == 1
