"""Weak records of what retired."""

from __future__ import annotations

import gc
import weakref
from types import ModuleType
from typing import Any

from exocet_ipython.survivors.definitions import definitions
from exocet_ipython.survivors.finding.generations import RetiredGeneration
from exocet_ipython.survivors.finding.records import (
    HIDDEN_NAMES,
    Retirement,
    Survivor,
    named_values,
)

SOURCE = """
import json
from json import JSONDecoder
NUMBER = 1
class A:
    class Inner:
        class Deep: pass
    def method(self): pass
    alias = JSONDecoder
class B(A): pass
Alias = A
def f(): pass
class Sealed:
    __slots__ = ()
"""


def make(name: str = "m") -> ModuleType:
    """A module with classes and functions of its own."""
    module = ModuleType(name)
    exec(compile(SOURCE, f"{name}.py", "exec"), vars(module))
    return module


def retire(module: ModuleType, number: int = 1) -> Retirement:
    """A retirement that holds one generation of one module."""
    retirement, generation = Retirement(), RetiredGeneration(number)
    generation.add(module, module.__name__)
    retirement.retire(generation)
    return retirement


def test_definitions_are_the_modules_own() -> None:
    """Classes, nested ones and functions that a module defines are found; what it imports, and aliases, are not."""
    found = {(kind, path) for kind, path, _ in definitions(make(), "m")}
    assert found == {
        ("class", "A"),
        ("class", "A.Inner"),
        ("class", "A.Inner.Deep"),
        ("class", "B"),
        ("class", "Sealed"),
        ("function", "f"),
    }


def test_records_are_weak() -> None:
    """A record keeps nothing alive, and forgets what is gone."""
    module = make()
    retirement = retire(module)
    references = [weakref.ref(thing) for thing in (module, module.A, module.f)]
    assert [generation.number for generation in retirement.living()] == [1]
    del module
    gc.collect()
    assert [reference() for reference in references] == [None, None, None]
    assert retirement.living() == ()


def test_survivors_by_name() -> None:
    """What the names of a namespace and `Out` hold is found in one pass, an instance by its class and its bases."""
    module = make()
    retirement = retire(module)

    class Sub(module.B):  # type: ignore[name-defined, misc] # a base made at run time
        pass

    space: dict[str, Any] = {
        "a": module.A(),
        "same": None,
        "cls": module.A,
        "fun": module.f,
        "mod": module,
        "sub": Sub(),
        "deep": module.A.Inner.Deep(),
        "number": 1,
        "_": module.A(),
        "_7": module.A(),
        "Out": {3: module.A()},
        "box": [module.A()],
    }
    space["same"] = space["a"]
    found = {(survivor.kind, survivor.name): survivor.names for survivor in retirement.survivors(space)}
    assert found[("instance", "m.A")] == ("a", "same", "Out[3]")
    assert found[("function", "m.f")] == ("fun",)
    assert found[("module", "m")] == ("mod",)
    assert found[("instance", "m.B")] == ("sub",)
    assert found[("instance", "m.A.Inner.Deep")] == ("deep",)
    assert {kind for kind, _ in found} == {"instance", "function", "module", "class"}


def test_survivors_of_several_generations() -> None:
    """Each survivor has the number of its own generation, oldest first."""
    first, second = make(), make()
    retirement = Retirement()
    for number, module in ((1, first), (2, second)):
        generation = RetiredGeneration(number)
        generation.add(module, "m")
        retirement.retire(generation)
    found = retirement.survivors({"new": second.B(), "old": first.B()})
    assert [(survivor.generation, survivor.names) for survivor in found] == [(1, ("old",)), (2, ("new",))]


def test_what_can_not_be_referenced_weakly_is_counted() -> None:
    """An object in a module's stead that allows no weak reference is counted, not hidden."""

    class Bare:
        __slots__ = ("__dict__",)

    generation = RetiredGeneration(1)
    bare: Any = Bare()
    generation.add(bare, "m")
    assert generation.unreferenced == 1
    assert list(generation.living()) == []


def test_words() -> None:
    """A survivor prints as people say it; kinds are counted; a generation prints counts."""
    assert str(Survivor(1, "instance", "a.b.Model", ("m", "Out[5]"))) == "old Model alive: m, Out[5]"
    assert str(Survivor(1, "class", "a.Model", ("M",))) == "old class Model alive: M"
    module = make()
    generation = RetiredGeneration(4)
    generation.add(module, "m")
    assert [kind for kind, _, _ in generation.living()].count("function") == 1
    total = len(generation.references)
    assert repr(generation) == f"<retired generation 4: {total} of {total} alive>"


def test_hidden_names() -> None:
    """What IPython keeps for itself is no name of the person's; names that look like it are."""
    hidden = ("_", "__", "___", "_i", "_ii", "_5", "_i5", "_oh", "_ih", "_dh", "In", "Out", "exit", "quit", "__name__")
    assert [name for name in hidden if not HIDDEN_NAMES.fullmatch(name)] == []
    mine = ("a", "_x", "_5a", "Output", "In2", "__x", "x__", "_private_")
    assert [name for name in mine if HIDDEN_NAMES.fullmatch(name)] == []
    assert list(named_values({"_": 1, "a": 2, "Out": {1: 3}})) == [("a", 2), ("Out[1]", 3)]
