"""What stands where a body is about to set something, in libraries: looked at without running anybody's code."""

from __future__ import annotations

import json
import sys
from types import ModuleType
from typing import Any, NoReturn

import pytest

from exocet_ipython.reloading.lasting.originals import Originals


class Lazy:
    """Settings that are not configured yet: to ask for anything raises, for the class as well (Django's are such)."""

    def __getattribute__(self, name: str) -> NoReturn:
        raise RuntimeError("not configured")


def originals_of(text: str) -> list[tuple[Any, Any]]:
    """Return the names that a body is about to set, with what is there."""
    originals = Originals()
    originals.read(compile(text, "m.py", "exec"), text.encode)
    return [(setting.key, was) for setting, was in originals.found.items()]


def test_lazy_objects_of_libraries_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing a module that names one goes on as it would without us."""
    library = ModuleType("library")
    vars(library)["settings"] = Lazy()
    monkeypatch.setitem(sys.modules, "library", library)
    assert originals_of("from library import settings\nimport json\njson.dumps = settings") == [("dumps", json.dumps)]


def test_a_text_that_sets_nothing_is_not_asked_for() -> None:
    """Nearly all modules are such."""
    code = compile("import json\nclass Shape:\n    sides = 4\ndef f(x): return x", "m.py", "exec")
    originals = Originals()
    originals.read(code, lambda: pytest.fail("the text was read"))
    originals.read_loaded("json")
    assert originals.found == {}
