"""What cells had put into containers and assigned to objects: told, and put into others."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from weakref import WeakSet

from exocet_ipython.reloading.contents import ATOMS
from exocet_ipython.reloading.generation import Journal
from exocet_ipython.survivors.refilled import is_map

__all__ = ["assign", "is_as_before", "put_into"]

_missing = object()


def is_as_before(entry: tuple[Any, Any], baseline: Mapping[Any, int], of_map: bool) -> bool:  # noqa: FBT001 - of one pair
    """Say whether a container had an entry when its module's body had run."""
    key, value = entry
    return baseline.get(id(key), _missing) == (id(value) if of_map else 0)


def assign(owner: Any, name: str, value: Any, journal: Journal) -> None:
    """Set an attribute of a class or an instance, whatever it makes of that."""
    kind: Any = type if issubclass(type(owner), type) else object
    before = vars(owner).get(name, _missing)
    kind.__setattr__(owner, name, value)
    if before is _missing:
        journal.add(partial(kind.__delattr__, owner, name))
    else:
        journal.add(partial(kind.__setattr__, owner, name, before))


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
