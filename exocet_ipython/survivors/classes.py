"""The classes that are alive, and which of them a dict is the namespace of."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from types import GetSetDescriptorType
from typing import Any

__all__ = ["class_of", "living_classes"]


def class_of(holder: dict[Any, Any]) -> type | None:
    """Return the class whose namespace a dict is, if it is one."""
    marks = holder.get("__dict__"), holder.get("__weakref__")
    for mark in marks:
        if type(mark) is GetSetDescriptorType:
            return mark.__objclass__
    if "__module__" in holder and "__doc__" in holder:
        # Its bases have the marks. Asking the collector for its holder would be another pass over the heap.
        for cls in living_classes():
            is_of_module = type.__getattribute__(cls, "__dict__").get("__module__") is holder["__module__"]
            if is_of_module and any(part is holder for part in gc.get_referents(cls)):
                return cls
    return None


def living_classes() -> Iterator[type]:
    """Yield all classes that there are."""
    seen: set[int] = set()  # ids: a metaclass may define what equality is
    waiting: list[type] = [object]
    while waiting:
        cls = waiting.pop()
        if id(cls) not in seen:
            seen.add(id(cls))
            yield cls
            waiting += type.__subclasses__(cls)
