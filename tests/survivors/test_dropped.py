"""A closure keeps the variables that its new code does without; nothing else has to do with them."""

from __future__ import annotations

import functools
import gc
import pickle
import weakref
from types import CellType, FunctionType
from typing import Any

from exocet_ipython.survivors.dropped import dropped_by, dropped_values, keep_dropped


def _function() -> FunctionType:
    return FunctionType((lambda: "shown").__code__, {})


def test_variables_are_those_of_the_function_and_not_of_a_wrapper() -> None:
    """`functools.wraps` gives a wrapper all that is in the dict of what it wraps."""
    show = _function()
    keep_dropped(show, {"n": CellType(2), "later": CellType()})
    wrapper: Any = functools.wraps(show)(_function())
    assert dropped_values(show) == {"n": 2}
    assert not dropped_by(wrapper)


def test_variables_go_when_the_code_uses_them_all() -> None:
    """A function without such variables has nothing of ours."""
    show = _function()
    keep_dropped(show, {"n": CellType(2)})
    keep_dropped(show, {})
    assert vars(show) == {}


def test_dict_of_the_function_can_be_pickled() -> None:
    """Libraries send functions elsewhere with all that is in their dicts."""
    show, there = _function(), _function()
    keep_dropped(show, {"n": CellType(2)})
    vars(there).update(pickle.loads(pickle.dumps(vars(show))))
    assert not dropped_by(there)


def test_variables_end_with_the_function_that_they_lead_to() -> None:
    """What only such a variable holds goes with the closure, also in a circle."""
    owner: Any = type("Owner", (), {})()
    owner.show = _function()
    keep_dropped(owner.show, {"self": CellType(owner)})
    gone = weakref.ref(owner)
    del owner
    gc.collect()
    assert gone() is None
