"""What bodies set in objects that outlive their modules: found in their text, marked, and put back."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from types import ModuleType

import pytest

from exocet_ipython.loading.source import Snapshot
from exocet_ipython.reloading.lasting.settings import MISSING, Setting, mark_of_value
from exocet_ipython.reloading.lasting.targets import note_settings

FILE = str(Path("m.py").absolute())  # in a folder of the person's


def settings_of(text: str) -> dict[Setting, int]:
    """Run a body, and return what it has set."""
    module = ModuleType("m")
    code = compile(text, FILE, "exec")
    exec(code, vars(module))
    return note_settings(module, code, lambda: Snapshot("m", FILE, text.encode()))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import logging\nlog = logging.getLogger('a')\nlog.setLevel(10)", ["log.level"]),
        ("import logging\nlogging.getLogger('a').setLevel(\n  10)", ["logging.getLogger('a').level"]),
        ("import logging\nif True:\n  # ö\n  logging.root.propagate = bool('ä')", ["logging.root.propagate"]),
        ("import decimal\ndecimal.getcontext().prec = 28", ["decimal.getcontext().prec"]),
        ("import os\nos.environ['A'] = os.environ['B'] = '1'", ["os.environ.A", "os.environ.B"]),
        ("import os\na: int = 1\nos.environ['A'] = '1'", ["os.environ.A"]),
        ("import os\nKEY = 'A'\nos.environ[KEY] = '1'", ["os.environ.A"]),
        ("import os\nos.environ.update({'A': '1', **{}}, B='2')", ["os.environ.A", "os.environ.B"]),
        ("import sys\nsys.setrecursionlimit(sys.getrecursionlimit())", ["sys.getrecursionlimit"]),
        ("import sys\ndef go(n):\n  n.x = 1\n  sys.a = 1\ngo(type('A', (), {})())", ["sys.a"]),
        ("import random\nrandom.seed(1)", ["random.getstate"]),
        ("def again(): again()\nagain", []),
        ("class A: pass\ndef make():\n  1 / 0\nmake.x = 1\nA().y = 2", ["make.x"]),
        ("import sys\nsys.modules['exo_other'] = sys", []),
        ("import logging\ndel logging", []),
        ("class C: get_it = set_it = print\nimport sys\nsys.c = C\nsys.c.set_it(['a'], 1)\ndel sys.c", ["sys.c"]),
        ("import logging\nlogging.root.propagate = True\ndel logging", []),
    ],
)
def test_what_a_body_sets_is_read_from_its_text(text: str, found: list[str]) -> None:
    """Targets that are found again without running anything of the person's a second time."""
    own = [one for one in settings_of(text) if not one.home]
    shown = [f"{one.owner}.{one.key[0] if one.way == 'methods' else one.key}" for one in own]
    assert shown == found


def test_a_text_that_is_none_of_python_tells_nothing() -> None:
    """A loader may make code of anything."""
    code = compile("import sys\nsys.a = 1", FILE, "exec")
    assert note_settings(ModuleType("m"), code, lambda: Snapshot("m", FILE, b"# coding: none\n\xff")) == {}


def test_a_getter_of_the_persons_is_not_called_again() -> None:
    """`get_settings()` of the own module may do anything: what it gives is not looked at."""
    text = "calls = []\ndef get_it():\n  calls.append(1)\n  return get_it\nget_it().x = 1\nassert calls == [1]"
    assert settings_of(text) == {}


def test_loggers_that_a_text_names_are_noted_alone() -> None:
    """A thousand modules that set a level each don't note each other's; a loop may set any."""
    for number in range(3):
        logging.getLogger(f"exo.settings.{number}").setLevel(logging.INFO)
    assert len(settings_of("import logging\nlogging.getLogger('exo.settings.0').setLevel(20)")) == 1
    loop = "import logging\nfor name in ['exo.settings.0']:\n  logging.getLogger(name).setLevel(20)"
    assert len(settings_of(loop)) > 3
    assert len(settings_of("import logging\ndef go(n):\n  logging.getLogger(n).setLevel(20)\ngo('exo.settings.1')")) > 3


ASKING = """
calls = []
class Server:
    def __getattr__(self, name):
        if name[:2] != "__": calls.append(name)
        raise AttributeError(name)
    def get_mode(self): calls.append("get_mode")
    def set_mode(self, mode): self.mode = mode
    def get(self, *key): calls.append("get")
    def keys(self): return []
    def __setitem__(self, key, value): pass
    @property
    def lazy(self):
        calls.append("lazy")
        return self
    @lazy.setter
    def lazy(self, value): self.given = value
server = Server()
server.set_mode("fast")
server.lazy = 1
server["key"] = 1
server.set_missing = print
server.set_missing(1)
"""


def test_what_is_of_the_persons_own_classes_is_asked_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what an instance has itself counts: a property, or a method, may do anything."""
    module = ModuleType("m")
    module.__file__ = FILE
    monkeypatch.setitem(sys.modules, "m", module)
    code = compile(ASKING, FILE, "exec")
    exec(code, vars(module))
    found = note_settings(module, code, lambda: Snapshot("m", FILE, ASKING.encode()))
    assert [one.key for one in found if one.owner == "server"] == ["mode", "lazy", "set_missing"]
    assert vars(module)["calls"] == []


def test_the_objects_own_method_sets_a_value() -> None:
    """A logger derives from its level what it has remembered."""
    logger = logging.getLogger("exo.settings")
    logger.setLevel(logging.INFO)
    assert not logger.isEnabledFor(logging.DEBUG)
    Setting("", "log", "attribute", "level").write(logger, logging.DEBUG)
    assert logger.isEnabledFor(logging.DEBUG)


def test_what_was_not_there_is_taken_away() -> None:
    """An entry or an attribute that a body has added."""
    entries, module = {"a": 1}, ModuleType("m")
    module.name = 1  # type: ignore[attr-defined] # as a body does
    for setting, owner in ((Setting("", "o", "item", "a"), entries), (Setting("", "o", "attribute", "name"), module)):
        setting.write(owner, MISSING)
        assert setting.read(owner) is MISSING
    assert entries == {}


def test_marks_tell_types_apart() -> None:
    """`1` and `True` are equal, and are not the same setting; a value made for each who asks has no mark."""
    one = Setting("", "o", "item", "a")
    assert mark_of_value(one, {"a": 1}) == mark_of_value(one, {"a": 1})
    assert mark_of_value(one, {"a": 1}) != mark_of_value(one, {"a": True})
    assert mark_of_value(Setting("", "l", "methods", ("copy", "clear", ())), {1, 2}) is None
