"""Edits of constants: their values go where import time has taken them, and nothing runs."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from exocet_ipython.notebook.session import Session
from tests.plain_notebook import PlainNotebook
from tests.workshop import Workshop

CONFIG = "RATE = 2\nNAME = 'shop'\n"
PRICES = "from config import RATE as rate\nDOUBLE = rate * 2\nLABEL = f'{rate}!'\ndef price(n): return n * rate\n"
APP = "import sys\nsys.runs_of_app += 1\nfrom prices import DOUBLE, price\nTABLE = (price, DOUBLE)\n"


@pytest.fixture
def notebook(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> PlainNotebook:
    """A notebook with three modules, each of which computes something of what the one below has."""
    monkeypatch.setattr(sys, "runs_of_app", 0, raising=False)
    workshop.write({"config.py": CONFIG, "prices.py": PRICES, "app.py": APP})
    notebook = PlainNotebook()
    notebook.run("import app, prices, config\nfrom config import RATE\nfrom app import DOUBLE as twice")
    return notebook


def values(notebook: PlainNotebook) -> tuple[Any, ...]:
    """Return all that follows from the constant."""
    app, prices, config = (notebook[name] for name in ("app", "prices", "config"))
    found = (config.RATE, prices.rate, prices.DOUBLE, prices.LABEL, app.DOUBLE, app.TABLE[1], prices.price(1))
    return (*found, notebook["RATE"], notebook["twice"])


def of_rate(rate: int) -> tuple[Any, ...]:
    """Return what a restart gives."""
    return (rate, rate, rate * 2, f"{rate}!", rate * 2, rate * 2, rate, rate, rate * 2)


def test_nothing_runs(notebook: PlainNotebook, workshop: Workshop) -> None:
    """The modules, their functions and their state stay; only values are others, in the notebook's names as well."""
    app, price = notebook["app"], notebook["prices"].price
    app.extra = "a person's"
    workshop.edit("config.py", CONFIG.replace("2", "7"))
    report = notebook.session.reload(migrate=True)
    assert values(notebook) == of_rate(7)
    assert (report.rung, report.reloaded) == (1, ())
    assert [module.name for module in report.revised] == ["config", "prices", "app"]
    assert {name.name for name in report.rebound} == {"RATE", "twice"}
    assert (sys.runs_of_app, notebook["app"] is app, app.extra) == (1, True, "a person's")  # type: ignore[attr-defined]
    assert (notebook["prices"].price is price, app.TABLE[0] is price) == (True, True)


def test_there_and_back(notebook: PlainNotebook, workshop: Workshop) -> None:
    """Any number of edits, layout and bodies between them, comes to what a restart gives."""
    for rate in (7, 2, -3, 100):
        workshop.edit("config.py", f"# rate\nRATE = {rate}\nNAME = 'shop'\n")
        assert notebook.session.reload(migrate=True).rung == 1
        assert values(notebook) == of_rate(rate)
        workshop.edit("config.py", f"# the rate\n\nRATE = {rate}\nNAME = 'shop'\n")
        assert notebook.session.reload(migrate=True).rung == 0
        workshop.edit("prices.py", f"{PRICES}    # {rate}\ndef other(): return {rate}\n")
        notebook.session.reload(migrate=True)
        assert values(notebook) == of_rate(rate)


def test_a_value_that_stays_leads_nowhere(notebook: PlainNotebook, workshop: Workshop) -> None:
    """What is computed of an edited constant and comes to the same has no effect on what is made of it."""
    workshop.edit("prices.py", PRICES.replace("rate * 2", "rate * 3"))
    workshop.edit("config.py", CONFIG.replace("shop", "store"))
    report = notebook.session.reload(migrate=True)
    assert report.rung == 1
    assert [module.name for module in report.revised] == ["prices", "config", "app"]
    workshop.edit("config.py", CONFIG.replace("shop", "market"))
    assert [module.name for module in notebook.session.reload(migrate=True).revised] == ["config"]


def test_tracking_makes_new_modules(notebook: PlainNotebook, workshop: Workshop) -> None:
    """Who hasn't asked that objects move gets new modules, as for any edit."""
    app = notebook["app"]
    workshop.edit("config.py", CONFIG.replace("2", "7"))
    assert notebook.session.reload().rung == 2
    assert (values(notebook), notebook["app"] is app) == (of_rate(7), False)


def test_an_error_is_shown_and_changes_nothing(notebook: PlainNotebook, workshop: Workshop) -> None:
    """What can't be computed of the new value is the person's error, as when the module runs."""
    workshop.edit("prices.py", PRICES.replace("rate * 2", "rate * 2 // (rate - 3) * 0 + rate * 2"))
    notebook.session.reload(migrate=True)
    assert values(notebook) == of_rate(2)
    workshop.edit("config.py", CONFIG.replace("2", "3"))
    assert isinstance(notebook.session.reload(migrate=True).error, ZeroDivisionError)
    assert values(notebook) == of_rate(2)
    workshop.edit("config.py", CONFIG.replace("2", "5"))
    notebook.session.reload(migrate=True)
    assert values(notebook) == of_rate(5)


class Refusing(dict[str, Any]):
    """A namespace whose names can't be bound when a test says so."""

    refuses = False

    def __setitem__(self, name: str, value: Any) -> None:
        if self.refuses:
            raise RuntimeError(name)
        super().__setitem__(name, value)


def test_all_or_nothing(workshop: Workshop) -> None:
    """Where a name can't take its new value, all modules have the old ones."""
    workshop.write({"config.py": CONFIG, "prices.py": PRICES})
    space = Refusing()
    session = Session(space)
    session.load_from("prices", [("DOUBLE", "twice")])
    session.load_from("config", [("RATE", "RATE")])
    space.refuses = True
    workshop.edit("config.py", CONFIG.replace("2", "7"))
    with pytest.raises(RuntimeError):
        session.reload(migrate=True)
    config, prices = sys.modules["config"], sys.modules["prices"]
    assert (config.RATE, prices.rate, prices.DOUBLE, space["twice"]) == (2, 2, 4, 4)
    space.refuses = False
    assert session.reload(migrate=True).rung == 1
    assert (config.RATE, prices.rate, prices.DOUBLE, space["twice"]) == (7, 7, 14, 14)


OTHERS = {
    "a default": "from config import RATE\ndef f(x=RATE): ...\n",
    "a class": "from config import RATE\nclass A:\n    x = RATE\n",
    "a call": "from config import RATE\nX = str(RATE)\n",
    "a branch": "from config import RATE\nif RATE: X = 1\n",
    "a list": "from config import RATE\nX = [RATE]\n",
    "an attribute": "import config\nX = config.RATE\n",
    "a string": "import config\nX = getattr(config, 'RATE')\n",
    "all names": "from config import *\nX = RATE\n",
    "a function that ran": "from config import RATE\ndef f(): return RATE\nX = f()\n",
    "a comprehension": "from config import RATE\nX = (*[RATE for _ in 'ab'],)\n",
    "two statements": "from config import RATE\nRATE = RATE + 1\n",
    "an operator of its own": "from config import RATE\nfrom pathlib import Path\nP = Path('a')\nX = P / str(RATE)\n",
    "a name of another spelling": "import config\nX = vars(config)\n",
}


@pytest.mark.parametrize("way", OTHERS)
def test_what_else_import_time_does_with_a_constant(way: str, workshop: Workshop) -> None:
    """It is done again, by running the module."""
    workshop.write({"config.py": CONFIG, "other.py": OTHERS[way]})
    notebook = PlainNotebook()
    notebook.run("import other, config")
    workshop.edit("config.py", CONFIG.replace("2", "7"))
    report = notebook.session.reload(migrate=True, dry_run=True)
    assert report.rung == 2
    assert any(module.name == "other" for module in report.reloaded)
