"""What can't be tracked as the rest is: each has a policy, and is never hidden."""

from __future__ import annotations

import gc
import sys
import weakref
from types import ModuleType
from typing import Any

import pytest

from exocet_ipython.survivors.finding import search
from exocet_ipython.survivors.finding.census import take_census
from exocet_ipython.survivors.finding.generations import RetiredGeneration
from exocet_ipython.survivors.finding.named import find_named
from exocet_ipython.survivors.finding.paths import find_holds
from exocet_ipython.survivors.finding.roots import Roots

SOURCE = """
class Model: pass
class Sealed:
    __slots__ = ("part",)
class Number(int):
    __slots__ = ()
class Phoenix:
    def __del__(self): nest.append(self)
nest = []
"""


def make() -> tuple[RetiredGeneration, ModuleType]:
    """A retired generation of one module, and the module."""
    module = ModuleType("m")
    exec(compile(SOURCE, "m.py", "exec", dont_inherit=True), vars(module))
    generation = RetiredGeneration(1)
    generation.add(module, "m")
    return generation, module


@pytest.fixture
def old() -> tuple[RetiredGeneration, ModuleType]:
    """The same, for the whole of a test."""
    return make()


@pytest.mark.parametrize("name", ["Sealed", "Number"])
def test_objects_without_weak_references(old: tuple[RetiredGeneration, ModuleType], name: str) -> None:
    """Policy: no record is kept of an instance, so none needs a weak reference; names, paths and counts find all."""
    generation, module = old
    space: dict[str, Any] = {"kept": [getattr(module, name)()]}
    with pytest.raises(TypeError):
        weakref.ref(space["kept"][0])
    assert [survivor.names for survivor in find_named([generation], space).survivors] == [("kept[0]",)]
    assert find_holds([space["kept"][0]], Roots(space)).paths[0].expression == "kept[0]"
    (census,) = take_census([generation])
    assert census.instances[f"m.{name}"].number == 1


def test_objects_that_their_finaliser_brings_back(old: tuple[RetiredGeneration, ModuleType]) -> None:
    """Policy: what `__del__` stores somewhere lives, and is found by its class, which records and paths lead to."""
    generation, module = old
    space: dict[str, Any] = {"nest": module.nest}
    module.Phoenix()
    gc.collect()
    assert len(space["nest"]) == 1
    assert [survivor.names for survivor in find_named([generation], space).survivors] == [("nest[0]",)]
    (census,) = take_census([generation])
    assert census.instances["m.Phoenix"].number == 1
    assert find_holds([module.Phoenix], Roots({"nest": space["nest"]})).paths[0].expression == "type(nest[0])"
    module.Phoenix.__del__ = lambda _: None


def test_frozen_objects(old: tuple[RetiredGeneration, ModuleType]) -> None:
    """Policy: what `gc.freeze` has set aside is not asked for its references; namespaces are, and the rest is said."""
    generation, module = old
    space: dict[str, Any] = {"box": [[module.Model()]], "model": module.Model()}
    gc.freeze()
    try:
        found = find_named([generation], space)
        named = found.survivors
        (census,) = take_census([generation], found.instances)
        by_name = find_holds([space["model"]], Roots(space))
        hidden = find_holds([space["box"][0][0]], Roots(space))
    finally:
        gc.unfreeze()
    assert [survivor.names for survivor in named] == [("model", "box[0][0]")]
    assert census.instances["m.Model"].number == 2  # a scan counts what the names lead to as well
    assert census.frozen > 0
    assert by_name.paths[0].expression == "model"
    assert hidden.frozen > 0
    assert hidden.from_c == 1
    assert [path.kind for path in hidden.paths] == ["code"]


def test_a_million_instances(old: tuple[RetiredGeneration, ModuleType], heap_looks: list[int]) -> None:
    """Policy: all are counted in one scan, a few are listed, and of those that refer to a class some are followed."""
    generation, module = old
    space: dict[str, Any] = {"models": [module.Model() for _ in range(1_000_000)]}
    (census,) = take_census([generation])
    assert len(heap_looks) == 1
    assert census.instances["m.Model"].number == 1_000_000
    heap_looks.clear()
    found = find_holds([module.Model], Roots(space))
    assert found.paths[0].expression.startswith("type(models[")
    assert max(heap_looks) <= search.Bounds().width
    assert found.bounded == "width"
    assert found.from_c is None  # so many are not counted one by one
    (survivor,) = find_named([generation], space).survivors
    assert len(survivor.names) < 10
    assert survivor.more < 100


def test_builds_without_the_global_lock(
    old: tuple[RetiredGeneration, ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Policy: counts of references are deferred there, so what is held from C is unknown, and not said to be nothing.

    No such build is among the tested ones; this tells the same as `sys._is_gil_enabled` does on one.
    """
    _, module = old
    monkeypatch.setattr(sys, "_is_gil_enabled", lambda: False, raising=False)
    space: dict[str, Any] = {"model": module.Model()}
    found = find_holds([space["model"]], Roots(space))
    assert found.paths[0].expression == "model"
    assert found.from_c is None


@pytest.mark.xfail(
    strict=True, reason='README, "What it cannot do": the collector clears the weak references before `__del__` runs'
)
def test_a_whole_generation_that_a_finaliser_brings_back() -> None:
    """An object brought back out of garbage that its class was part of is still known to be old."""
    generation, module = make()
    nest = module.nest
    phoenix = module.Phoenix()
    phoenix.me = phoenix
    del module, phoenix
    gc.collect()
    assert len(nest) == 1
    type(nest[0]).__del__ = lambda _: None
    assert find_named([generation], {"nest": nest}).survivors
