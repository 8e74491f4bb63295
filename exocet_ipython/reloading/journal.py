"""A journal: what has been written while a set of modules becomes current, and how each write is taken back."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from types import CoroutineType, ModuleType
from typing import Any

from exocet_ipython.loading.spaces import attach
from exocet_ipython.loading.standin import PRESENCE

__all__ = ["Journal"]

_absent = object()
_OURS = 2  # references: the variable, the argument of getrefcount


class Journal:
    """Writes that can be taken back, newest first.

    Attributes:
        coroutines: those that have not begun of which one took another's place: Python warns of each that is let go of,
            unless it is closed.

    >>> space, journal = {"a": 1}, Journal()
    >>> journal.set_item(space, "a", 2)
    >>> journal.set_item(space, "b", 3)
    >>> journal.undo()
    >>> space
    {'a': 1}
    """

    def __init__(self) -> None:
        self._undo: list[Callable[[], object]] = []
        self.coroutines: list[CoroutineType[Any, Any, Any]] = []

    def add(self, undo: Callable[[], object]) -> None:
        """Note how a write that was made elsewhere is taken back."""
        self._undo.append(undo)

    @property
    def is_empty(self) -> bool:
        """Whether nothing has been written that could be taken back."""
        return not self._undo

    def set_item(self, mapping: dict[Any, Any], key: Any, value: Any) -> None:
        """Set an item of a dict."""
        undo = _restoring(mapping, key)
        mapping[key] = value
        self._undo.append(undo)

    def set_attribute(self, module: ModuleType, name: str, value: Any) -> None:
        """Set a global of a module, as its own body does: a class that the person gave the module isn't asked."""
        self.set_item(vars(module), name, value)

    def attach(self, package: ModuleType, child: str, module: ModuleType) -> None:
        """Make a submodule an attribute of its package, as an import does."""
        undo = _restoring(vars(package), child)
        attach(package, child, module)
        self._undo.append(undo)

    def delete_attribute(self, module: ModuleType, name: str) -> None:
        """Take a global away from a module that has it."""
        space = vars(module)
        if name in space:
            self._undo.append(_restoring(space, name))
            del space[name]

    def set_module(self, name: str, module: ModuleType | None) -> None:
        """Make a module current under its name in `sys.modules`; None takes the name away."""
        old = PRESENCE.current(name)
        self._undo.append(lambda: PRESENCE.set_current(name, old))
        PRESENCE.set_current(name, module)

    def references(self) -> list[object]:
        """Return what holds the values that would be put back: these references are ours."""
        closures = [cell for undo in self._undo for cell in getattr(undo, "__closure__", None) or ()]
        partials = [undo for undo in self._undo if isinstance(undo, partial)]
        others = [other for undo in self._undo if type(other := getattr(undo, "__self__", None)) is Journal]
        within = [part for other in others for part in other.references()]
        return [*closures, *partials, *(undo.args for undo in partials), *within]

    def confirm(self) -> None:
        """Forget how everything is taken back: it stays."""
        self._undo.clear()
        while self.coroutines:
            one = self.coroutines.pop()
            if sys.getrefcount(one) <= _OURS:
                one.close()

    def undo(self) -> None:
        """Take everything back.

        Raises:
            Exception: the first that a write raised which takes something back; all the others were made.
        """
        failed: list[Exception] = []
        while self._undo:
            try:
                self._undo.pop()()
            except Exception as error:  # noqa: BLE001 - a container of the person's may raise anything
                failed.append(error)
        self.confirm()
        if failed:
            raise failed[0]


def _restoring(mapping: dict[Any, Any], key: Any) -> Callable[[], object]:
    """Return what gives a dict the item that it has now, or none, under a key."""
    old = mapping.get(key, _absent)
    return lambda: mapping.pop(key, None) if old is _absent else mapping.__setitem__(key, old)
