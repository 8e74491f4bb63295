"""Attributes of modules, classes and instances that go on, as before a build: a body that fails may have set some."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from types import ModuleType
from typing import Any

from exocet_ipython.loading.classes import delete_attribute, set_attribute
from exocet_ipython.loading.names import is_dunder
from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.reloading.holding.contents import dict_of

__all__ = ["Attributes"]


class Attributes:
    """The globals of modules, and the attributes of classes and instances.

    Args:
        owners: these; what has no attributes of its own is passed over.
    """

    def __init__(self, owners: Iterable[Any]) -> None:
        spaces = ((owner, _space_of(owner)) for owner in owners)
        self._before = [(owner, copy_space(space)) for owner, space in spaces if space is not None]

    def __repr__(self) -> str:
        return f"<attributes of {len(self._before)} objects>"

    def changed(self) -> Iterator[tuple[Any, str]]:
        """Yield those that are others now, or new, each as owner and name; not modules that were loaded meanwhile."""
        for owner, before in self._before:
            now = copy_space(_space_of(owner) or {})
            if [*map(id, now.values())] != [*map(id, before.values())]:  # hardly ever
                names = (name for name in now if not is_dunder(name) and now[name] is not before.get(name, self))
                yield from ((owner, name) for name in names if not _is_attached(owner, name, now[name]))

    def restore(self) -> None:
        """Put back those that are others now; modules that were loaded meanwhile stay where importlib attached them."""
        for owner, before in self._before:
            space: Any = _space_of(owner)
            now = copy_space(space)
            is_class = issubclass(type(owner), type)
            put = partial(set_attribute, owner) if is_class else space.__setitem__
            take = partial(delete_attribute, owner) if is_class else space.__delitem__
            for name in now.keys() - before.keys():
                if not (is_dunder(name) or _is_attached(owner, name, now[name])):
                    take(name)
            for name, value in before.items():
                if not (is_dunder(name) or now.get(name, owner) is value):
                    put(name, value)


def _space_of(owner: Any) -> Mapping[str, Any] | None:
    return vars(owner) if issubclass(type(owner), type) else dict_of(owner)


def _is_attached(owner: Any, name: str, value: Any) -> bool:
    is_module = issubclass(type(owner), ModuleType)
    return is_module and sys.modules.get(f"{globals_of(owner).get('__name__')}.{name}") is value
