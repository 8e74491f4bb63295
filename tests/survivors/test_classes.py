"""Which dicts are the namespaces of classes, told without another pass over the heap."""

from __future__ import annotations

from typing import Any

import pytest

from exocet_ipython.survivors import classes
from exocet_ipython.survivors.classes import class_of, raw_dicts


class Plain:
    """Has the marks of a class that stands alone."""


class Derived(Plain):
    """Its base has the marks."""


Twin: Any = type("Twin", (), dict(vars(Plain)))  # made anew beside the other, from all that it has


@pytest.mark.parametrize("cls", [Plain, Derived, Twin])
def test_a_namespace_is_found(cls: type) -> None:
    """The very dict of a class leads to it."""
    (space,) = raw_dicts(cls)
    assert class_of(space) is cls


def test_a_copy_of_a_namespace_is_nobodys_and_soon_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decorators keep copies (`functools.update_wrapper`, attrs): not all living classes are asked for them."""
    monkeypatch.setattr(classes, "living_classes", lambda: pytest.fail("all classes were looked at"))
    assert class_of(dict(vars(Plain))) is None
    assert class_of({"name": 1}) is None
