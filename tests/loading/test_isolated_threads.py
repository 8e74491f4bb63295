"""Isolated loading in several threads: no deadlock, and no thread sees what another one is building."""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from exocet_ipython.loading.isolated import load_named, load_package_named
from exocet_ipython.loading.mapper import pep302_mapper
from tests.workshop import Workshop

# Seconds until a thread is taken to be stuck. None needs one, but with the heap of a worker that has run thousands of
# tests: each load looks there for what holds its stand-ins.
PATIENCE = 40


def run_all(*jobs: Callable[[], Any]) -> list[Any]:
    """Run jobs at once, a thread each, and return what they returned; a job that raised or is stuck fails the test."""
    results: dict[int, Any] = {}
    errors: list[BaseException] = []

    def run(number: int, job: Callable[[], Any]) -> None:
        try:
            results[number] = job()
        except BaseException as error:  # noqa: BLE001 - it is raised in the main thread
            errors.append(error)

    threads = [threading.Thread(target=run, args=pair, daemon=True) for pair in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert [thread.name for thread in threads if thread.is_alive()] == [], "stuck"
    if errors:
        raise errors[0]
    return [results[number] for number in range(len(jobs))]


def package(name: str) -> dict[str, str]:
    """Return the files of a package whose modules import each other in a circle, and look themselves up."""
    return {
        f"{name}/__init__.py": (
            f"from . import a, b\nimport {name}.c as c\ndef late():\n    from . import d\n    return d\n"
        ),
        f"{name}/a.py": f"import sys\nfrom {name} import b\nME = sys.modules[__name__]\nMARK = []\nME.named = {name!r}",
        f"{name}/b.py": "from . import a",
        f"{name}/c.py": (
            "from __future__ import annotations\nimport dataclasses\nfrom .a import MARK\n"
            "@dataclasses.dataclass\nclass C:\n    x: dataclasses.InitVar[int]\n    y: C | None = None\n"
        ),
        f"{name}/d.py": f"import {name}.a\nMARK = {name}.a.MARK",
    }


@pytest.mark.parametrize("regular", [False, True], ids=["not imported", "imported"])
def test_eight_threads_at_once(workshop: Workshop, regular: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Threads that load different packages and the same one at once get a consistent copy each."""
    names = ["same", "same", "same", "same", "one", "two", "three", "four"]
    for name in set(names):
        workshop.write(package(name))
    if regular:
        for name in set(names):
            importlib.import_module(name)
    start = threading.Barrier(len(names))
    before = dict(sys.modules)

    def job(name: str) -> list[ModuleType]:
        start.wait(PATIENCE)
        return [load_named(name) for _ in range(10)]

    rounds = run_all(*[lambda name=name: job(name) for name in names])
    copies = [copy for loaded in rounds for copy in loaded]
    assert len({id(copy.a.MARK) for copy in copies}) == 80
    for name, loaded in zip(names, rounds, strict=True):
        for copy in loaded:
            assert copy.a.named == copy.__name__ == name
            assert copy.c.MARK is copy.a.MARK is copy.late().MARK
            assert copy.b.a is copy.a is copy.a.b.a
            assert not hasattr(copy.c.C(1), "x")
    assert dict(sys.modules) == before


def test_one_copy_in_eight_threads(workshop: Workshop) -> None:
    """Threads that need the same module of one copy for the first time at once get the same object, complete."""
    workshop.write(package("same"))
    start = threading.Barrier(8)
    with load_package_named("same") as copy:

        def job() -> tuple[ModuleType, list[Any]]:
            start.wait(PATIENCE)
            module = copy.load_named("same.d")
            return module, module.MARK

        results = run_all(*[job] * 8)
        assert {(id(module), id(mark)) for module, mark in results} == {(id(results[0][0]), id(results[0][1]))}


@pytest.mark.parametrize("regular", [False, True], ids=["not imported", "imported"])
@pytest.mark.parametrize("fails", [False, True], ids=["ends well", "fails"])
def test_plain_imports_while_a_copy_is_made(workshop: Workshop, regular: bool, fails: bool) -> None:  # noqa: FBT001
    """While one thread makes a copy, plain imports in others give the regular module, whatever becomes of the copy."""
    workshop.write(
        {
            "slow/__init__.py": "from . import part\nimport slow.leaf\nimport gate\ngate.arrive()\nfrom . import after",
            "slow/part.py": "class Part: ...",
            "slow/leaf.py": "from slow.part import Part",
            "slow/after.py": "",
            "gate.py": "def arrive(): pass",
        }
    )
    if regular:
        importlib.import_module("slow")
    reached, go = threading.Event(), threading.Event()

    def arrive() -> None:
        reached.set()
        assert go.wait(PATIENCE)
        if fails:
            raise OSError("cut off")

    def build() -> ModuleType | None:
        mapper = pep302_mapper.with_overrides({"gate": SimpleNamespace(arrive=arrive)})
        try:
            return load_named("slow", mapper)
        except OSError:
            return None

    def look() -> list[Any]:
        assert reached.wait(PATIENCE)
        try:
            import slow.leaf  # type: ignore[import-not-found] # written by the test
            from slow import part
            from slow.part import Part  # type: ignore[import-not-found] # written by the test

            namespace: dict[str, Any] = {}
            exec("from slow import *\nfrom slow import part", namespace)
            return [Part, part.Part, slow.part.Part, slow.leaf.Part, namespace["part"].Part, slow]
        finally:
            seen.release()

    seen = threading.Semaphore(0)

    def open_gate() -> None:
        for _ in range(2):
            assert seen.acquire(timeout=PATIENCE)
        go.set()

    copy, first, second, _ = run_all(build, look, look, open_gate)
    shared = importlib.import_module("slow")
    assert shared.part is sys.modules["slow.part"]
    assert shared.leaf.Part is shared.part.Part
    assert {id(kind) for kind in first[:5] + second[:5]} == {id(shared.part.Part)}
    assert first[5].__dict__ is second[5].__dict__ is vars(shared)
    assert (copy is None) is fails
    if copy is not None:
        assert copy.part.Part is copy.leaf.Part is not shared.part.Part
        assert copy.after is not getattr(shared, "after", None)


def test_copies_that_need_each_other(workshop: Workshop) -> None:
    """Threads that each load a part of a copy which calls into the other's do not wait for each other forever."""
    for name, other in (("left", "right"), ("right", "left")):
        workshop.write(
            {
                f"{name}/__init__.py": "def get():\n    from . import part\n    return part",
                f"{name}/part.py": f"import table\ntable.meet()\nSEEN = table.{other}.get()\nDONE = {name!r}",
            }
        )
    meeting = threading.Barrier(2)
    first_time = threading.local()

    def meet() -> None:
        if not hasattr(first_time, "met"):
            first_time.met = True
            meeting.wait(PATIENCE)

    table = SimpleNamespace(meet=meet)
    mapper = pep302_mapper.with_overrides({"table": table})
    table.left, table.right = load_named("left", mapper), load_named("right", mapper)
    run_all(table.left.get, table.right.get)
    assert [table.left.get().DONE, table.right.get().DONE] == ["left", "right"]


def test_a_package_imported_in_a_body_is_the_regular_one(workshop: Workshop) -> None:
    """A module that is imported for all to share while a copy is made sees the regular modules, and never the copy."""
    workshop.write(
        {
            "game/__init__.py": "import library",
            "game/world.py": "class Room: ...",
            "library.py": "import game.world\nRoom = game.world.Room",
        }
    )
    copy = load_package_named("game")
    room = copy.load_named("game.world").Room
    library = copy.load_named("game").library
    assert library is sys.modules["library"]
    assert library.Room is sys.modules["game.world"].Room is not room


def test_finders_forget_their_listings_in_several_threads() -> None:
    """CPython's own call raises KeyError when two threads make it at once; ours takes turns."""
    from exocet_ipython.loading.listings import forget_listings

    errors: list[BaseException] = []

    def forget() -> None:
        try:
            for _ in range(300):
                sys.path_importer_cache.update(dict.fromkeys((f"/nowhere/{number}" for number in range(50)), None))
                forget_listings()
        except BaseException as error:  # noqa: BLE001 - it is told to the test's own thread
            errors.append(error)

    threads = [threading.Thread(target=forget) for _ in range(4)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # the threads are to meet within the call
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    finally:
        sys.setswitchinterval(interval)
    assert errors == []
