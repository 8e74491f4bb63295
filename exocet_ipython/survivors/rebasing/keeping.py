"""A change of a class that is made whole or not at all."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.reloading.holding.held import dotted_name
from exocet_ipython.survivors.rebasing.trying import put_back
from exocet_ipython.survivors.replacing.instances import Moving

__all__ = ["change_class"]


def change_class(cls: Any, change: Callable[[Any], object], moving: Moving) -> bool:
    """Change a class, and say whether that went well; else, and where it is taken back, its attributes are as before.

    Args:
        cls: the class.
        change: is called with it.
        moving: what is moved; an error is noted there.
    """
    before = copy_space(vars(cls))
    try:
        change(cls)
    except Exception as error:  # noqa: BLE001 - fields that no longer fit together, a schema that can't be built
        _restore(cls, before)
        moving.note(dotted_name(cls), error)
        return False
    moving.journal.add(functools.partial(_restore, cls, before))
    return True


def _restore(cls: type, before: dict[str, Any]) -> None:
    put_back(cls, {*before, *copy_space(vars(cls))}.difference(("__dict__", "__weakref__")), before)
