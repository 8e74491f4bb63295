"""Attributes of modules, classes and instances that go on, as before a build: a body that fails may have set some."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any

from exocet_ipython.loading.classes import delete_attribute, set_attribute
from exocet_ipython.loading.names import is_dunder
from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.reloading.contents import dict_of
from exocet_ipython.reloading.paths import value_at
from exocet_ipython.reloading.recording import ModuleRecord

__all__ = ["Attributes"]


class Attributes:
    """The globals of modules, and the attributes of the classes and instances that their bodies had made.

    Args:
        records: of the modules.
    """

    def __init__(self, records: Iterable[ModuleRecord]) -> None:
        self._before = [(owner, copy_space(space)) for record in records for owner, space in _spaces_of(record)]

    def __repr__(self) -> str:
        return f"<attributes of {len(self._before)} objects>"

    def restore(self) -> None:
        """Put back those that are others now; modules that were loaded meanwhile stay where importlib attached them."""
        for owner, before in self._before:
            is_class = issubclass(type(owner), type)
            space = vars(owner) if is_class else dict_of(owner) or {}
            now = copy_space(space)
            for name in now.keys() - before.keys():
                if is_dunder(name) or _is_attached(owner, name, now[name]):
                    continue
                if is_class:
                    delete_attribute(owner, name)
                else:
                    del space[name]
            for name, value in before.items():
                if now.get(name, owner) is value or is_dunder(name):
                    continue
                if is_class:
                    set_attribute(owner, name, value)
                else:
                    space[name] = value


def _spaces_of(record: ModuleRecord) -> Iterator[tuple[Any, Any]]:
    space = globals_of(record.module)
    if space:
        yield record.module, space
    for path in record.contents:
        found = value_at(space, path)
        own = vars(found) if issubclass(type(found), type) else dict_of(found)
        if own is not None:
            yield found, own


def _is_attached(owner: Any, name: str, value: Any) -> bool:
    is_module = issubclass(type(owner), ModuleType)
    return is_module and sys.modules.get(f"{globals_of(owner).get('__name__')}.{name}") is value
