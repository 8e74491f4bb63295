"""What an instance has, noted before anything of a person's or a library's changes it, so that it can be put back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.reloading.holding.contents import dict_of
from exocet_ipython.reloading.holding.slots import filled_slots

__all__ = ["InstanceState", "attributes_of_instance", "put_back", "set_class"]

# The class that an object has, whatever it or a property of its class says of it.
set_class: Callable[[Any, type], None] = object.__dict__["__class__"].__set__


class InstanceState:
    """The attributes of one instance at one moment, in its dict and in its slots, and SQLAlchemy's bookkeeping.

    It holds what the instance held: it is for the journal of one step, and dies with it.

    >>> class Cat: pass
    >>> tom = Cat(); tom.name = "Tom"
    >>> before = InstanceState(tom)
    >>> del tom.name; tom.age = 3
    >>> before.restore()
    >>> vars(tom)
    {'name': 'Tom'}
    """

    __slots__ = ("_attributes", "_instance", "_mapped", "_slots")

    def __init__(self, instance: Any) -> None:
        self._instance = instance
        self._attributes = dict(dict_of(instance) or {})
        self._slots = filled_slots(instance)
        state = self._attributes.get("_sa_instance_state")
        self._mapped = None if state is None else (state, state.manager, state.class_)

    def restore(self) -> None:
        """Put all of it back; the instance has the class again that it had then. Its dict stays the same dict."""
        space = dict_of(self._instance)
        if space is not None:
            for name in space.keys() - self._attributes.keys():
                del space[name]
            space |= self._attributes
            if list(space) != list(self._attributes):
                for name, value in self._attributes.items():
                    del space[name]
                    space[name] = value
        known = {slot.__name__: slot for slot, _ in self._slots}
        for slot, _ in filled_slots(self._instance):
            if slot.__name__ not in known:
                slot.__delete__(self._instance)
        for slot, value in self._slots:
            slot.__set__(self._instance, value)
        if self._mapped is not None:
            state, manager, cls = self._mapped
            state.manager, state.class_ = manager, cls


def put_back(instance: Any, before: type, state: InstanceState | None) -> None:
    """Give an instance its old class again, and what it had."""
    set_class(instance, before)
    if state is not None:
        state.restore()


def attributes_of_instance(instance: Any) -> Iterator[tuple[str, Any]]:
    """Yield the attributes that an instance has in its dict and in its slots."""
    yield from copy_space(dict_of(instance) or {}).items()
    yield from ((slot.__name__, value) for slot, value in filled_slots(instance))
