"""Putting into containers what cells had put into those before them."""

from __future__ import annotations

from functools import partial
from typing import Any
from weakref import WeakSet

from exocet_ipython.reloading.contents import ATOMS
from exocet_ipython.reloading.generation import Journal
from exocet_ipython.survivors.refilled import is_map

__all__ = ["put_into"]


def put_into(container: Any, key: Any, value: Any, journal: Journal) -> None:
    """Put an entry into a map, or an item into a list or a set that lacks it."""
    if is_map(container):
        journal.set_item(container, key, value)
    elif isinstance(container, (set, WeakSet)):
        if key not in container:
            container.add(key)
            journal.add(partial(container.discard, key))
    elif not any(key is known or (type(key) in ATOMS and key == known) for known in container):
        container.append(key)
        journal.add(partial(_drop_last, container, key))


def _drop_last(items: Any, item: Any) -> None:
    """Take the last item off that is this very one."""
    place = next((at for at in range(len(items) - 1, -1, -1) if items[at] is item), None)
    if place is not None:
        del items[place]
