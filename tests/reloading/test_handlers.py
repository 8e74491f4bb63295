"""Logging handlers of modules that are made anew, seen from the new bodies and from other threads."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from exocet_ipython.reloading.building.handlers import hidden_handlers
from tests.plain_notebook import PlainNotebook
from tests.workshop import Workshop

LOGGER = "exocet.tests.handlers"
TEXT = """
import logging, threading
log = logging.getLogger("exocet.tests.handlers")
SAID = []
class Handler(logging.Handler):
    def emit(self, record): SAID.append(({0}, record.getMessage()))
def seen(): return len(log.handlers), bool(log.handlers), [*log.handlers], log.handlers[:]
HERE = seen()
thread = threading.Thread(target=lambda: log.warning("meanwhile"))
thread.start()
thread.join()
{1}
"""


@pytest.fixture
def notebook(workshop: Workshop) -> Iterator[PlainNotebook]:
    """A notebook that has imported a module with a handler; the logger is empty again at the end."""
    gc.collect()  # the handlers of an earlier test, one of which may be logging's last
    workshop.write({"a.py": TEXT.format(1, "if not log.handlers: log.addHandler(Handler())")})
    notebook = PlainNotebook()
    notebook.run("import a")
    yield notebook
    logging.getLogger(LOGGER).handlers.clear()


def test_a_new_body_finds_the_logger_as_a_restarted_process_does(workshop: Workshop, notebook: PlainNotebook) -> None:
    """It sees no handler, adds its own, and that is the one that stays; other threads log to the old one meanwhile."""
    old = notebook["a"]
    workshop.edit("a.py", TEXT.format(2, "if not log.handlers: log.addHandler(Handler())"))
    assert notebook.session.reload(force=True, migrate=True).error is None
    new = notebook["a"]
    assert new.HERE == (0, False, [], [])
    assert old.SAID == [(1, "meanwhile")]
    assert [type(handler) for handler in new.log.handlers] == [new.Handler]
    assert type(new.log.handlers) is list
    new.log.warning("after")
    assert new.SAID[-1] == (2, "after")  # a log goes on


@pytest.mark.parametrize("end", ["1 / 0", "log.handlers.clear(); 1 / 0"])
def test_a_build_that_fails_leaves_the_logger_as_it_was(workshop: Workshop, notebook: PlainNotebook, end: str) -> None:
    """The very list is there again, and the handler in it."""
    logger = logging.getLogger(LOGGER)
    before, handlers = logger.handlers, [*logger.handlers]
    workshop.edit("a.py", TEXT.format(2, end))
    assert isinstance(notebook.session.reload(migrate=True).error, ZeroDivisionError)
    assert logger.handlers is before
    assert logger.handlers == handlers


@pytest.mark.parametrize("condition", ["if not log.handlers: ", ""])
def test_tracking_takes_off_what_the_old_body_added(
    workshop: Workshop, notebook: PlainNotebook, condition: str
) -> None:
    """Old instances stay, and the process has each handler once: a line that is logged is not written twice."""
    old = notebook["a"]
    workshop.edit("a.py", TEXT.format(2, f"{condition}log.addHandler(Handler())"))
    notebook.reload()
    new = notebook["a"]
    assert new.HERE[0] == 0
    assert [type(handler) for handler in new.log.handlers] == [new.Handler]
    new.log.warning("after")
    assert [said for said in old.SAID + new.SAID if said[1] == "after"] == [(2, "after")]


def test_undo_while_tracking_puts_the_old_handler_back(workshop: Workshop, notebook: PlainNotebook) -> None:
    """The very handler is there again, and the later one is off."""
    (handler,) = notebook["a"].log.handlers
    first = Path(workshop.path("a.py")).read_text("utf-8")
    workshop.edit("a.py", TEXT.format(2, "log.addHandler(Handler())"))
    notebook.reload()
    workshop.edit("a.py", first)
    notebook.reload()
    assert notebook["a"].log.handlers == [handler]


def test_what_a_body_may_do_with_the_list(notebook: PlainNotebook) -> None:
    """Adding, removing, asking and going backwards concern what is seen; a list of its own stays."""
    logger, record = notebook["a"].log, notebook.session.generation.records["a"]
    (old,) = logger.handlers
    new = logging.NullHandler()
    with hidden_handlers([record]):
        logger.addHandler(new)
        logger.addHandler(new)
        assert list(reversed(logger.handlers)) == logger.handlers.copy() == [new]
        assert new in logger.handlers
        assert old not in logger.handlers
        logger.handlers.clear()
        assert not logger.handlers
    assert logger.handlers == [old]
    own = [new]
    with hidden_handlers([record]):
        logger.handlers = own
    assert logger.handlers is own
