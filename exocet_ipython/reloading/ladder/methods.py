"""The methods that can name something, and whether all their classes are plain ones: asked at each edit of a body."""

from __future__ import annotations

import operator
import weakref
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from exocet_ipython.loading.classes import module_said_by
from exocet_ipython.reloading.ladder.operations import words
from exocet_ipython.reloading.ladder.uses import Method
from exocet_ipython.reloading.recording import ModuleRecord

__all__ = ["PLAIN_DECORATORS", "Methods"]

# Decorators of classes that call none of the methods that the class itself defines, but for Python's own.
PLAIN_DECORATORS = words(
    "attr attrs dataclass dataclasses define enum final frozen functools mutable runtime_checkable s total_ordering "
    "typing typing_extensions unique"
)
_NOTHING_ELSE = (object,)
_BASES = operator.attrgetter("__bases__")


class Methods:
    """Methods of modules of the scope, a thousand perhaps, with what is known of their classes.

    Args:
        methods: the methods.
    """

    def __init__(self, methods: Sequence[Method]) -> None:
        self._methods = methods
        self._classes: list[weakref.ref[type] | None] = [None] * len(methods)  # None: to be looked up
        self._unknown = set(range(len(methods)))
        self._places: defaultdict[str, list[int]] = defaultdict(list)
        for place, method in enumerate(methods):
            self._places[method.definition.module].append(place)

    def __iter__(self) -> Iterator[Method]:
        return iter(self._methods)

    def forget(self, module: str) -> None:
        """Look up the classes of a module once more when they are asked about: its record is another one by now."""
        self._unknown.update(self._places.get(module, ()))

    def are_alone(self, records: Mapping[str, ModuleRecord]) -> bool:
        """Say whether all are of plain classes that stand in their modules, with neither bases nor others below.

        False also where that takes a closer look. What a class is, where it stands and what decorates it is looked up
        once a record; what may come later, subclasses and other bases, each time.
        """
        for place in list(self._unknown):
            found = _find_plain(self._methods[place], records)
            if found is None:
                return False
            self._classes[place] = weakref.ref(found)
            self._unknown.discard(place)
        classes: list[Any] = [known and known() for known in self._classes]
        if any(type(cls) is not type for cls in classes) or any(map(type.__subclasses__, classes)):
            return False
        return [*map(_BASES, classes)].count(_NOTHING_ELSE) == len(classes)


def _find_plain(method: Method, records: Mapping[str, ModuleRecord]) -> type | None:
    """Return the class of a method where that stands in its module and has been made by nothing but Python."""
    if not PLAIN_DECORATORS.issuperset(method.decorators):
        return None
    module = method.definition.module
    found: Any = vars(records[module].module).get(method.owner)
    if type(found) is not type or (module_said_by(found), found.__qualname__) != (module, method.owner):
        return None
    return found
