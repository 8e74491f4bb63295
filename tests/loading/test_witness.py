"""What the interpreter says of the functions that have run: when each was called for the first time."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any

import pytest

from exocet_ipython.loading.trees import whole
from exocet_ipython.loading.witness import Witness

pytestmark = pytest.mark.skipif(sys.version_info < (3, 12), reason="Python says it since 3.12 (PEP 669)")

MONITORING: Any = getattr(sys, "monitoring", None)
TEXT = """
def called(): return 1
def never(): return 2
def outer():
    def inner(): return 3
    return inner
def generate(): yield 1
X = called()
made = outer()
begins_later = generate()
"""


class Counting(Witness):
    """A witness that counts what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []

    def _note(self, code: CodeType, place: int) -> Any:
        self.told.append(code.co_name)
        return super()._note(code, place)


@pytest.fixture
def witness() -> Iterator[Counting]:
    """A witness with a number of its own."""
    witness = Counting()
    witness.open()
    yield witness
    witness.close()


@contextlib.contextmanager
def loading(witness: Witness) -> Iterator[None]:
    """Run a body in the block."""
    witness.begin_load()
    try:
        yield
    finally:
        witness.end_load()


def load(witness: Witness, text: str = TEXT, before: CodeType | None = None) -> dict[str, Any]:
    """Run a module's body as a load does, and return its globals; its code is `CODE` there."""
    code = compile(text, "m.py", "exec")
    space: dict[str, Any] = {"CODE": code}
    witness.watch(code, before)
    with loading(witness):
        exec(code, space)
    return space


def when(witness: Witness, code: CodeType) -> str:
    """Say in words when a code object has run."""
    if not witness.watches(code):
        assert witness.ran_at_import(code)
        assert witness.ran_later(code)
        return "unknown"
    told = [word for word, ran in (("at import", witness.ran_at_import), ("later", witness.ran_later)) if ran(code)]
    return " and ".join(told) or "never"


def test_it_is_known_when_a_function_ran_first(witness: Counting) -> None:
    """At import, later, or never; a function inside of another one has its own answer, and a generator begins late."""
    space = load(witness)
    asked = {name: space[name].__code__ for name in ("called", "never", "outer", "made", "generate")}
    assert {name: when(witness, code) for name, code in asked.items()} == {
        "called": "at import",
        "never": "never",
        "outer": "at import",
        "made": "never",
        "generate": "never",
    }
    assert witness.watches(space["CODE"])
    space["made"]()
    list(space["begins_later"])
    assert when(witness, asked["called"]) == "at import"
    space["called"]()
    told = [when(witness, asked[name]) for name in ("made", "generate", "called")]
    assert told == ["later", "later", "at import and later"]


def test_each_function_is_told_of_once(witness: Counting) -> None:
    """From its second call on nothing is called for it, also after another tool has had all events begin anew."""
    space = load(witness)
    for _ in range(5):
        space["never"]()
    assert witness.told.count("never") == 1
    MONITORING.restart_events()
    space["never"]()
    space["never"]()
    assert witness.told.count("never") == 2
    assert when(witness, space["never"].__code__) == "later"


def test_what_is_not_watched_is_unknown(witness: Counting) -> None:
    """Of code that ran before somebody looked, and of code that only equals what is watched, nothing is known."""
    space = load(witness)
    alike: dict[str, Any] = {}
    exec(compile(TEXT, "m.py", "exec"), alike)
    assert alike["called"].__code__ == space["called"].__code__
    assert when(witness, alike["called"].__code__) == "unknown"


def test_code_that_runs_again_is_seen_again(witness: Counting) -> None:
    """A function that a cell has called, and that the next load of the same code calls, has run at import."""
    text = "def f(): return 1\nif AGAIN: f()\n"
    code = compile(text, "m.py", "exec")
    for again in (False, True):
        space: dict[str, Any] = {"AGAIN": again}
        witness.watch(code)
        with loading(witness):
            exec(code, space)
        space["f"]()
        assert when(witness, space["f"].__code__) == ("at import and later" if again else "later")


def test_what_another_load_calls_has_run_at_import(witness: Counting) -> None:
    """A load that begins later is heard, whatever has run before it and will not be told of by itself."""
    space = load(witness)
    space["never"]()
    other: dict[str, Any] = {"never": space["never"]}
    with loading(witness), loading(witness):
        exec("never()", other)
    assert when(witness, space["never"].__code__) == "at import and later"


def test_a_later_version_has_what_the_earlier_may_have_left(witness: Counting) -> None:
    """Where a function has run since its import, its successor counts as one that has; others don't."""
    before = load(witness)
    before["never"]()
    space = load(
        witness, TEXT.replace("X = called()", "X = 5").replace("made = outer()", "made = None"), before["CODE"]
    )
    names = ("never", "called", "generate")
    assert [when(witness, space[name].__code__) for name in names] == ["later", "never", "never"]


def test_new_code_in_an_old_function_takes_over(witness: Counting) -> None:
    """What is known of code holds of what takes its place; what is new inside of that is watched."""
    space = load(witness)
    now: dict[str, Any] = {}
    exec(compile(TEXT.replace("return", "return 0 or"), "m.py", "exec"), now)
    for name in ("called", "never", "outer"):
        witness.follow(space[name].__code__, now[name].__code__)
    assert [when(witness, now[name].__code__) for name in ("called", "never", "outer")] == [
        "at import",
        "never",
        "at import",
    ]
    (inner,) = (code for code in whole(now["outer"].__code__) if code.co_name == "inner")
    assert when(witness, inner) == "never"
    FunctionType(inner, {})()
    assert when(witness, inner) == "later"
    unknown = compile("def f(): pass", "m.py", "exec")
    witness.follow(unknown, now["generate"].__code__)
    assert when(witness, now["generate"].__code__) == "unknown"


def test_a_body_that_fails_has_ended(witness: Counting) -> None:
    """What is called after a load that raised has not run at import."""
    code = compile("def f(): pass\n1 / 0", "m.py", "exec")
    space: dict[str, Any] = {}
    witness.watch(code)
    with pytest.raises(ZeroDivisionError), loading(witness):
        exec(code, space)
    space["f"]()
    assert when(witness, space["f"].__code__) == "later"


def test_it_holds_no_code(witness: Counting) -> None:
    """What is gone is forgotten at once."""
    space = load(witness)
    space["never"]()
    assert len(witness._later) == 1
    space.clear()
    assert [len(known) for known in (witness._watched, witness._at_import, witness._later)] == [0, 0, 0]


def test_a_closed_witness_leaves_nothing() -> None:
    """The number is free again and no code has an event; who asks hears that nothing is known."""
    witness = Counting()
    witness.open()
    witness.open()
    space = load(witness)
    tool = witness._tool
    assert tool is not None
    witness.close()
    assert when(witness, space["called"].__code__) == "at import"
    witness.close()
    assert MONITORING.get_tool(tool) is None
    assert when(witness, space["called"].__code__) == "unknown"
    space["never"]()
    assert "never" not in witness.told
    MONITORING.use_tool_id(tool, "test")
    assert not any(MONITORING.get_local_events(tool, code) for code in whole(space["CODE"]))
    MONITORING.free_tool_id(tool)


def test_without_a_free_number_nothing_is_known() -> None:
    """Where other tools have all of them, code is loaded as ever."""
    taken = [number for number in (3, 4) if MONITORING.get_tool(number) is None]
    for number in taken:
        MONITORING.use_tool_id(number, "another tool")
    try:
        witness = Witness()
        witness.open()
        space = load(witness)
        assert (witness.is_open, when(witness, space["called"].__code__)) == (False, "unknown")
        witness.follow(space["called"].__code__, space["never"].__code__)
        witness.close()
    finally:
        for number in taken:
            MONITORING.free_tool_id(number)
