"""Other threads while a reload runs: they see current modules only, whole ones, and nobody waits for ever."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from exocet_ipython.loading.standin import StandIn
from tests.plain_notebook import PlainNotebook, python_import
from tests.workshop import Workshop, living_standins

SECONDS = 30.0  # no wait is longer, and none is expected to come near it


@contextmanager
def running(*works: Callable[[threading.Event], None]) -> Iterator[None]:
    """Run each work in a thread until the block ends; what one raises is raised here."""
    stop = threading.Event()
    errors: list[BaseException] = []

    def guarded(work: Callable[[threading.Event], None]) -> None:
        try:
            work(stop)
        except BaseException as error:  # noqa: BLE001 - handed to the test
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(work,), daemon=True) for work in works]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)  # threads that only look would hold the interpreter for 5 ms each turn
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        sys.setswitchinterval(interval)
        for thread in threads:
            thread.join(SECONDS)
    assert [thread for thread in threads if thread.is_alive()] == []
    if errors:
        raise errors[0]


PAIR = "A = {number}\nfor _ in range(300): pass\nB = {number}\ndef both():\n    return A, B\n"


def test_others_never_see_half_a_module(workshop: Workshop) -> None:
    """Through 200 reloads each thread sees modules whose parts agree, and no import fails."""
    workshop.write({"pair.py": PAIR.format(number=0), "user.py": "import pair\nfrom pair import A, B\n"})
    notebook = PlainNotebook()
    notebook.exoload("user")
    seen: set[int] = set()
    looked = threading.Semaphore(0)

    def look(stop: threading.Event) -> None:
        while not stop.is_set():
            module = python_import("pair")
            assert module.A == module.B
            assert len({*module.both()}) == 1
            assert set(vars(module)) >= {"A", "B", "both"}
            user = sys.modules["user"]
            assert user.A == user.B
            space: dict[str, int] = {}
            exec("from pair import A, B", space)
            assert abs(space["A"] - space["B"]) <= 1  # two statements may straddle one publish, never more
            seen.add(module.A)
            looked.release()

    with running(look):
        for number in range(1, 201):
            workshop.edit("pair.py", PAIR.format(number=number), same_time=True)
            assert len(notebook.reload().reloaded) == 2
            if number % 10 == 0:
                assert looked.acquire(timeout=SECONDS)
    assert len(seen) > 2


SLOW = """
    import gate
    NUMBER = {number}
    gate.enter()
    import slow_part
    DONE = {number}
    def name(): return __name__
"""


MANY = "class Base:\n    def ask(self): return {number}\nITEMS = [Base(), {number}]\n" + "".join(
    f"def f{at}(): return {at}\n" for at in range(300)
)


def test_others_give_and_take_names_during_reloads(workshop: Workshop) -> None:
    """A thread that fills modules, classes and the notebook with names stops no reload, and no name is lost."""
    workshop.write({"many.py": MANY.replace("{number}", "0"), "user.py": "from many import *\nimport many\n"})
    notebook = PlainNotebook()
    notebook.exoload("user")
    notebook.exoload("many")
    notebook.run("held = many.Base()\nclass Mine(many.Base): pass\nmine = Mine()")

    def change(stop: threading.Event) -> None:
        while not stop.is_set():
            module = python_import("many")
            for space in (module, module.Base, notebook["Mine"]):
                for number in range(50):
                    setattr(space, f"_extra{number}", number)
                for number in range(50):
                    delattr(space, f"_extra{number}")
            for number in range(50):
                notebook.space[f"extra{number}"] = number
            for number in range(50):
                del notebook.space[f"extra{number}"]

    with running(change):
        for number in range(1, 40):
            workshop.write({"many.py": MANY.replace("{number}", str(number))})
            report = notebook.session.reload(migrate=True)
            assert report.error is None
            assert notebook["many"].Base is type(notebook["held"])
            assert (notebook["held"].ask(), notebook["mine"].ask()) == (number, number)


def test_others_see_the_current_module_during_a_slow_batch(workshop: Workshop) -> None:
    """While a batch is half-way, another thread imports and uses the current module, complete as it was."""
    workshop.write(
        {
            "gate.py": "enter = lambda: None\n",
            "slow.py": SLOW.format(number=1),
            "slow_part.py": "VALUE = 1\n",
        }
    )
    notebook = PlainNotebook()
    notebook.exoload("slow")
    old = sys.modules["slow"]
    half_way, go_on = threading.Event(), threading.Event()

    def enter() -> None:
        if threading.current_thread() is builder:
            half_way.set()
            assert go_on.wait(SECONDS)

    sys.modules["gate"].enter = enter  # type: ignore[attr-defined] # put there at run time
    errors: list[BaseException] = []

    def build() -> None:
        try:
            notebook.reload()
        except BaseException as error:  # noqa: BLE001 - looked at below
            errors.append(error)

    workshop.write({"slow.py": SLOW.format(number=2), "slow_part.py": "VALUE = 2\n"})
    builder = threading.Thread(target=build)
    builder.start()
    try:
        assert half_way.wait(SECONDS)
        seen = python_import("slow")
        assert (seen.NUMBER, seen.DONE) == (1, 1)
        assert vars(seen)["DONE"] == 1
        space: dict[str, object] = {}
        exec("import slow, slow_part\nfrom slow import NUMBER, DONE, name\nfrom slow_part import VALUE", space)
        assert (space["NUMBER"], space["DONE"], space["VALUE"]) == (1, 1, 1)
        assert notebook.space["slow"] is old
        assert notebook.space["slow"].DONE == 1
        assert python_import("slow_part").VALUE == 1
    finally:
        go_on.set()
        builder.join(SECONDS)
    assert not builder.is_alive()
    assert errors == []
    assert (sys.modules["slow"].NUMBER, sys.modules["slow"].DONE) == (2, 2)
    assert sys.modules["slow"].slow_part.VALUE == 2
    assert notebook["slow"] is sys.modules["slow"]
    held = [value for value in space.values() if type(value) is StandIn]
    assert held == [], "a name that another thread bound meanwhile is a stand-in"


def test_failing_batch_does_not_reach_others(workshop: Workshop) -> None:
    """While reloads fail again and again, other threads import the current module without an error."""
    workshop.write({"pair.py": PAIR.format(number=1)})
    notebook = PlainNotebook()
    current = notebook.exoload("pair")

    def look(stop: threading.Event) -> None:
        while not stop.is_set():
            module = python_import("pair")
            assert (module.A, module.B) == (1, 1)
            space: dict[str, int] = {}
            exec("from pair import A, B", space)
            assert space["A"] == space["B"] == 1

    with running(look, look):
        for number in range(2, 102):
            workshop.write({"pair.py": PAIR.format(number=number) + "1 / 0\n"})
            assert isinstance(notebook.session.reload().error, ZeroDivisionError)
    assert sys.modules["pair"] is current


def test_two_sessions_take_turns(workshop: Workshop) -> None:
    """Two sessions that reload the same modules at once, from two threads, both end with consistent names."""
    workshop.write({"pair.py": PAIR.format(number=0), "user.py": "import pair\nfrom pair import A, B\n"})
    notebooks = PlainNotebook(), PlainNotebook()
    for notebook in notebooks:
        notebook.exoload("user")
    rounds = 40

    def reload(notebook: PlainNotebook) -> Callable[[threading.Event], None]:
        def work(stop: threading.Event) -> None:  # noqa: ARG001 - works are told when to stop; this one counts
            for number in range(rounds):
                # Saved as editors do: nobody reads half a file.
                new = workshop.folder / f"{id(notebook)}.new"
                new.write_text(PAIR.format(number=number))
                new.replace(workshop.folder / "pair.py")
                notebook.reload(force=True)
                user = sys.modules["user"]
                assert user.A == user.B

        return work

    with running(*(reload(notebook) for notebook in notebooks)):
        pass
    for notebook in notebooks:
        report = notebook.reload("user", force=True)
        assert notebook["user"] is sys.modules["user"]
        assert notebook["user"].pair.A == notebook["user"].A
        assert report.error is None


def test_one_session_from_two_threads(workshop: Workshop) -> None:
    """One session may be used from several threads at once: verbs take turns."""
    workshop.write({"pair.py": PAIR.format(number=0), "user.py": "import pair\n"})
    notebook = PlainNotebook()
    notebook.exoload("user")
    numbers: list[int] = []

    def work(stop: threading.Event) -> None:  # noqa: ARG001 - counts
        for _ in range(20):
            notebook.session.load("pair")
            numbers.append(notebook.reload(force=True).generation)
            notebook.session.status()

    with running(work, work, work):
        pass
    assert len(numbers) == len(set(numbers)) == 60
    assert sys.modules["user"].pair is sys.modules["pair"]
    assert notebook["user"] is sys.modules["user"]


def test_reload_in_a_thread_while_main_imports(workshop: Workshop) -> None:
    """First imports of other modules, in Python's own way, go on while a batch runs in another thread."""
    files = {f"plain{number}.py": f"import pair\nX = {number}\n" for number in range(60)}
    workshop.write(files | {"pair.py": PAIR.format(number=0)})
    notebook = PlainNotebook()
    notebook.exoload("pair")

    def reload(stop: threading.Event) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            workshop.edit("pair.py", PAIR.format(number=number))
            notebook.reload()

    with running(reload):
        for number in range(60):
            assert number == python_import(f"plain{number}").X
    notebook.reload("pair", force=True)
    held = [name for name in files if type(sys.modules[name.removesuffix(".py")].pair) is StandIn]
    assert held == []


def test_threads_started_by_a_body(workshop: Workshop) -> None:
    """A thread that a body starts and waits for, and that imports the very module, doesn't wait for ever."""
    text = """
        import threading
        NUMBER = {number}
        seen = []
        def look():
            import starts
            seen.append(getattr(starts, "NUMBER", None))
        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        thread.join(10)
        waited = thread.is_alive()
    """
    workshop.write({"starts.py": "NUMBER = 1\n"})
    notebook = PlainNotebook()
    notebook.exoload("starts")
    workshop.write({"starts.py": text.format(number=2)})
    notebook.reload()
    assert not notebook["starts"].waited
    assert notebook["starts"].NUMBER == 2
    assert notebook["starts"].seen == [1]


@pytest.mark.parametrize("fails", [False, True])
def test_nothing_of_ours_remains(workshop: Workshop, fails: bool) -> None:  # noqa: FBT001
    """After reloads with onlookers no stand-in exists anywhere, and the finders are what they were."""
    finders = [id(finder) for finder in sys.meta_path]
    before = living_standins()
    user = "import pair, sys\nme = sys.modules['user']\n"
    workshop.write({"pair.py": PAIR.format(number=0), "user.py": user})
    notebook = PlainNotebook()
    notebook.exoload("user")

    def look(stop: threading.Event) -> None:
        while not stop.is_set():
            assert python_import("pair").A == python_import("pair").B == 0 or not fails

    with running(look):
        for number in range(1, 40):
            workshop.write({"pair.py": PAIR.format(number=number) + ("1 / 0\n" if fails else "")})
            notebook.session.reload()
    assert [id(finder) for finder in sys.meta_path] == finders
    assert all(any(standin is other for other in before) for standin in living_standins())
