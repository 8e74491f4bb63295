"""What others put into known modules while they are imported."""

from __future__ import annotations

import gc
import weakref
from collections import deque
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from exocet_ipython.reloading.holding.baseline import Baseline
from exocet_ipython.reloading.holding.glances import Glances
from exocet_ipython.reloading.holding.inventory import take_baseline


class Named(dict[str, Any]):
    """A container with attributes beside its entries."""


class Plugin:
    """A class of the module, with a registry."""

    known: list[Any]


def make_module() -> Any:
    """Return a module that holds containers in containers, of every kind."""
    module = ModuleType(__name__)
    module.__dict__.update(
        TABLE={"rows": [[1], ({"deep": []},)], "size": 1},
        SETTINGS=SimpleNamespace(paths=["a"]),
        NAMED=Named(a=1),
        QUEUE=deque(["a"]),
        MANY=dict.fromkeys(range(2_000)),
        WORDS={"a"},
        Plugin=type("Plugin", (), {"known": [], "__module__": __name__}),
    )
    module.NAMED.tags = ["t"]
    return module


CHANGES: dict[str, Callable[[Any], object]] = {
    "nothing": lambda _: None,
    "a global": lambda module: setattr(module, "TABLE", {"rows": []}),
    "an entry": lambda module: module.TABLE.update(size=2),
    "an entry of an entry": lambda module: module.TABLE["rows"][0].append(2),
    "an entry below a tuple": lambda module: module.TABLE["rows"][1][0]["deep"].append(2),
    "a container for a container": lambda module: module.TABLE.update(rows=[[3]]),
    "an entry that goes": lambda module: module.TABLE["rows"].pop(),
    "an attribute": lambda module: setattr(module.SETTINGS, "paths", ["b"]),
    "an entry of an attribute": lambda module: module.SETTINGS.paths.append("b"),
    "an attribute of a container": lambda module: setattr(module.NAMED, "tags", ["u"]),
    "an entry of an attribute of a container": lambda module: module.NAMED.tags.append("u"),
    "an item": lambda module: module.QUEUE.append("b"),
    "one of many": lambda module: module.MANY.update({0: 1}),
    "a word": lambda module: module.WORDS.add("b"),
    "a registration": lambda module: module.Plugin.known.append(Plugin),
    "an attribute of a class": lambda module: setattr(module.Plugin, "known", [1]),
}


def known_of(baseline: Baseline, known: Baseline) -> Baseline:
    """Return a baseline with only what one of the same module had before, and still has."""
    return Baseline(
        baseline.values,
        {path: value for path, value in baseline.fingerprints.items() if path in known.fingerprints},
        {path: value for path, value in baseline.contents.items() if path in known.contents},
        baseline.ties,
    )


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_an_import_changes_is_the_baseline_afterwards(change: Callable[[Any], object]) -> None:
    """The baseline tells of all that the module held before what a baseline that is taken now tells."""
    module = make_module()
    before, baseline = take_baseline(module), take_baseline(module)
    glances = Glances()
    glances.take(module, baseline)
    change(module)
    glances.add_changes()
    now = known_of(take_baseline(module), before)
    assert baseline.values == now.values
    assert {path: baseline.contents[path] for path in now.contents} == now.contents
    assert {path: baseline.fingerprints[path] for path in now.fingerprints if path in now.contents} == {
        path: value for path, value in now.fingerprints.items() if path in now.contents
    }


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_a_cell_has_changed_before_is_no_imports(change: Callable[[Any], object]) -> None:
    """What was changed before the glance stays out of the baseline: it is the person's."""
    module = make_module()
    before, baseline = take_baseline(module), take_baseline(module)
    change(module)
    glances = Glances()
    glances.take(module, baseline)
    glances.add_changes()
    assert baseline.without_gone()[:3] == before.without_gone()[:3]


def test_a_container_of_two_modules_is_told_of_both() -> None:
    """Each object is looked at once, and the baselines of all modules that hold it tell what was put into it."""
    first, second = make_module(), ModuleType("other")
    vars(second)["TABLE"] = first.TABLE
    baselines = take_baseline(first), take_baseline(second)
    glances = Glances()
    for module, baseline in zip((first, second), baselines, strict=True):
        glances.take(module, baseline)
    first.TABLE["rows"].append([2])
    glances.add_changes()
    for module, baseline in zip((first, second), baselines, strict=True):
        assert baseline.contents["TABLE['rows']"] == take_baseline(module).contents["TABLE['rows']"]


def test_what_is_freed_meanwhile_is_no_other_object() -> None:
    """An object that takes the place, and the number, of one that is gone has been put there."""
    module = make_module()
    baseline = take_baseline(module)
    glances = Glances()
    glances.take(module, baseline)
    number = id(module.TABLE["rows"][0])
    del module.TABLE["rows"][0]
    module.TABLE["rows"].insert(0, [1])
    assert id(module.TABLE["rows"][0]) != number
    glances.add_changes()
    assert baseline.contents["TABLE['rows']"] == take_baseline(module).contents["TABLE['rows']"]


def test_nothing_is_held_once_it_is_done() -> None:
    """What was looked at dies with its last user, and not when the collector comes."""
    module = make_module()
    reference = weakref.ref(module.NAMED)
    glances = Glances()
    glances.take(module, take_baseline(module))
    module.NAMED.tags = ["u"]
    gc.disable()
    try:
        glances.add_changes()
        del module.NAMED
        assert reference() is None
    finally:
        gc.enable()
