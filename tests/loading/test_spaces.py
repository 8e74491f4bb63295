"""Namespaces are copied in one step, whatever other threads and finalisers do meanwhile."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pytest

from exocet_ipython.loading.spaces import copy_space

_NAMES = 3_000  # more pairs than Python keeps ready to be used again, so that listing them makes the collector run
_Change = Callable[[str, int], object]


def _module() -> tuple[Mapping[str, Any], _Change, Callable[[str], object]]:
    module = ModuleType("module")
    return vars(module), module.__setattr__, module.__delattr__


def _class() -> tuple[Mapping[str, Any], _Change, Callable[[str], object]]:
    cls = type("Class", (), {})
    return vars(cls), lambda name, value: setattr(cls, name, value), lambda name: delattr(cls, name)


@pytest.fixture(params=[_module, _class], ids=["module", "class"])
def filled(request: pytest.FixtureRequest) -> tuple[Mapping[str, Any], _Change, Callable[[str], object]]:
    """A namespace with many names, and how it is given one and loses one."""
    space, give, take = request.param()
    for number in range(_NAMES):
        give(f"name{number}", number)
    return space, give, take


@contextmanager
def _collecting(change: Callable[[], object]) -> Iterator[None]:
    """Have the collector run as often as it can, and change something each time, as a finaliser may."""

    def changed(phase: str, _: object) -> None:
        if phase == "start":
            change()

    threshold = gc.get_threshold()
    gc.callbacks.append(changed)
    gc.set_threshold(1)
    try:
        yield
    finally:
        gc.set_threshold(*threshold)
        gc.callbacks.remove(changed)


def test_the_collector_may_run_while_a_space_is_copied(
    filled: tuple[Mapping[str, Any], _Change, Callable[[str], object]],
) -> None:
    """What finalisers add meanwhile is in the copy or not; nothing breaks off, and no name is lost."""
    space, give, _ = filled
    added = iter(range(100_000))
    with _collecting(lambda: give(f"more{next(added)}", 0)):
        copies = [copy_space(space) for _ in range(20)]
    assert all(copy[f"name{number}"] == number for copy in copies for number in range(_NAMES))


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="the collector runs between two steps of Python code only")
def test_listing_the_items_is_not_one_step(
    filled: tuple[Mapping[str, Any], _Change, Callable[[str], object]],
) -> None:
    """This is why namespaces are copied: a list of their items breaks off on 3.11 when a finaliser adds a name."""
    space, give, _ = filled
    added = iter(range(100_000))
    with _collecting(lambda: give(f"more{next(added)}", 0)), pytest.raises(RuntimeError, match="changed size"):
        _ = [list(space.items()) for _ in range(20)]


def test_threads_may_change_a_space_while_it_is_copied(
    filled: tuple[Mapping[str, Any], _Change, Callable[[str], object]],
) -> None:
    """Each copy has what was there all the time; a pair of names that come and go one after the other is whole."""
    space, give, take = filled
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            give("first", 1)
            give("second", 2)
            take("second")
            take("first")

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    thread = threading.Thread(target=work)
    thread.start()
    try:
        copies = [copy_space(space) for _ in range(300)]
    finally:
        stop.set()
        thread.join()
        sys.setswitchinterval(interval)
    assert all(copy[f"name{number}"] == number for copy in copies for number in range(0, _NAMES, 100))
    assert not [copy for copy in copies if "second" in copy and "first" not in copy]


def test_a_copy_of_any_mapping_is_a_dict() -> None:
    """The notebook's namespace is what its front end has made it: an instance of a subclass, or a mapping."""

    class Names(dict[str, int]):
        pass

    copy = copy_space(Names(a=1))
    assert (copy, type(copy)) == ({"a": 1}, dict)
