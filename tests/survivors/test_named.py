"""What a person's names lead to of retired generations: bounded, without a scan, and written as Python."""

from __future__ import annotations

import gc
from collections import defaultdict, deque
from types import ModuleType
from typing import Any

import pytest

from exocet_ipython.survivors.finding.generations import RetiredGeneration
from exocet_ipython.survivors.finding.named import find_named

SOURCE = """
class Model:
    def __init__(self): self.part = None
class Plain:
    __slots__ = ()
class Slotted:
    __slots__ = ("part",)
def train(): pass
"""
CELL = """
class Deep(old.Model): pass
class Both(dict, old.Model): pass
class Config: model = old.Model()
class Handler: fit = staticmethod(old.train)
def run(plain: old.Plain, *, slotted=old.Slotted): pass
made = defaultdict(old.Slotted)
"""


@pytest.fixture
def old() -> tuple[RetiredGeneration, ModuleType]:
    """A retired generation of one module, and the module."""
    module = ModuleType("m")
    exec(compile(SOURCE, "m.py", "exec", dont_inherit=True), vars(module))
    generation = RetiredGeneration(1)
    generation.add(module, "m")
    return generation, module


def names(
    generation: RetiredGeneration, space: dict[str, Any], **options: Any
) -> dict[tuple[str, str], tuple[str, ...]]:
    """Where names lead to something old: by kind and dotted name."""
    found = find_named([generation], space, **options).survivors
    return {(survivor.kind, survivor.name): survivor.names for survivor in found}


def closure(value: Any) -> Any:
    """A function that holds a value."""
    return lambda: value


class App:
    """A person's object."""


class Registry(dict[str, Any]):
    """A person's container."""


def test_names_containers_and_attributes(old: tuple[RetiredGeneration, ModuleType]) -> None:
    """Names, outputs, items, keys, attributes, slots and closures are followed, the nearest first."""
    generation, module = old
    app, registry = App(), Registry(train=module.train)
    app.model = App()  # type: ignore[attr-defined] # put there at run time
    app.model.layers = [1, 2, 3, module.Model()]  # type: ignore[attr-defined] # put there at run time
    registry.extra = module.Slotted  # type: ignore[attr-defined] # put there at run time
    space = {
        "model": module.Model(),
        "_": module.Model(),
        "_7": module.Model(),
        "Out": {5: module.Model()},
        "app": app,
        "registry": registry,
        "handlers": {"click": module.train, module.Plain: 1},
        "fit": closure(module),
        "queue": deque([module.Slotted()]),
    }
    assert names(generation, space) == {
        ("instance", "m.Model"): ("model", "Out[5]", "_", "app.model.layers[3]"),
        ("instance", "m.Slotted"): ("queue[0]",),
        ("function", "m.train"): ('registry["train"]', 'handlers["click"]'),
        ("class", "m.Plain"): ("list(handlers)[1]",),
        ("class", "m.Slotted"): ("registry.extra",),
        ("module", "m"): ("fit.__closure__[0].cell_contents",),
    }


def test_instances_of_subclasses_and_without_attributes(old: tuple[RetiredGeneration, ModuleType]) -> None:
    """An instance of a class that a cell derived counts; one that can't be referenced weakly is found as well."""
    generation, module = old
    space = {"sub": type("Sub", (module.Model,), {})(), "plain": [module.Plain()]}
    assert names(generation, space) == {("instance", "m.Model"): ("sub",), ("instance", "m.Plain"): ("plain[0]",)}


def test_classes_and_functions_of_cells(old: tuple[RetiredGeneration, ModuleType]) -> None:
    """What a class or function of a cell refers to is its own: bases, attributes, annotations, defaults, factories."""
    generation, module = old
    space: dict[str, Any] = {"old": module, "__name__": "__main__", "defaultdict": defaultdict}
    exec(compile(CELL, "cell", "exec", dont_inherit=True), space)
    del space["old"]
    assert names(generation, space) == {
        ("class", "m.Model"): ("Deep.__base__", "Both.__bases__[1]"),
        ("instance", "m.Model"): ("Config.model",),
        ("function", "m.train"): ('vars(Handler)["fit"].__func__',),
        ("class", "m.Plain"): ('run.__annotations__["plain"]',),
        ("class", "m.Slotted"): ("made.default_factory", 'run.__kwdefaults__["slotted"]'),
    }


def test_what_is_twice_in_one_container_is_named_once(old: tuple[RetiredGeneration, ModuleType]) -> None:
    """The second place of the same object in a tuple says nothing more."""
    generation, module = old
    model = module.Model()
    assert names(generation, {"pair": (model, model)}) == {("instance", "m.Model"): ("pair[0]",)}


def test_what_is_looked_into_is_bounded(old: tuple[RetiredGeneration, ModuleType]) -> None:
    """Of a million objects a few are looked into, of many places a few are listed, and the others are counted."""
    generation, module = old
    space: dict[str, Any] = {"models": [module.Model() for _ in range(10_000)]}
    (survivor,) = find_named([generation], space).survivors
    assert survivor.names == tuple(f"models[{place}]" for place in range(6))
    assert 0 < survivor.more < 100
    assert "and " in str(survivor)
    far = {"far": [[[[[[[[module.Model()]]]]]]]], "many": [[[place]] for place in range(1000)]}
    assert names(generation, far) == {}
    assert names(generation, {"far": [[module.Model()]], "boxes": [[1]]}, most=1) == {}


def test_wide_containers_cost_no_more_than_deep_ones(
    old: tuple[RetiredGeneration, ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lists of lists of dicts: of all that they hold a few thousand parts are looked at, and each name itself."""
    generation, module = old
    space: dict[str, Any] = {f"rows{n}": [[{1: []} for _ in range(30)] for _ in range(30)] for n in range(30)}
    space["model"] = module.Model()
    asked: list[int] = []
    is_tracked = gc.is_tracked

    def note(value: object) -> bool:
        asked.append(id(value))
        return is_tracked(value)

    monkeypatch.setattr(gc, "is_tracked", note)
    assert names(generation, space) == {("instance", "m.Model"): ("model",)}
    assert len(asked) < 5_000


def test_nothing_of_the_persons_runs(old: tuple[RetiredGeneration, ModuleType]) -> None:
    """Values whose every method raises are looked into all the same."""
    generation, module = old

    class Nasty:
        def __getattribute__(self, name: str) -> Any:
            raise RuntimeError(name)

        def __eq__(self, other: object) -> bool:
            raise RuntimeError

        __hash__ = None  # type: ignore[assignment] # so the data model has it
        __class__ = property(lambda _: 1 / 0)

    nasty = Nasty()
    object.__setattr__(nasty, "part", module.Model())
    assert names(generation, {"nasty": nasty}) == {("instance", "m.Model"): ("nasty.part",)}
