"""What hooks do when they are told of a class once more: seen, and all taken back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from exocet_ipython.loading.classes import delete_attribute, set_attribute
from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.survivors.rebasing.hooks import HookText
from exocet_ipython.survivors.rebasing.putting import Entry, emptied_for_a_moment, find_there, is_alike
from exocet_ipython.survivors.rebuilt import Replacement
from exocet_ipython.survivors.repeating.entries import entries

__all__ = ["Answer", "Telling", "ask", "put_back"]

_missing = object()


class Telling(Protocol):
    """How hooks are told of a class."""

    def tell(self, cls: Any, attributes: Collection[str]) -> None:
        """Tell the hooks of a class that set these attributes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What hooks do when they are told of a class once more.

    Attributes:
        attributes: the names of those that they set to what they are.
        entries: what they put into containers that is there, each with what they call the container.
        is_whole: whether all that they put there is there.
    """

    attributes: frozenset[str]
    entries: tuple[tuple[str, Entry], ...] = ()
    is_whole: bool = False


def ask(
    cls: type, attributes: frozenset[str], hooks: Sequence[HookText], given: Telling, replaced: Replacement
) -> Answer | None:
    """Return which attributes of a class its hooks give again as they are, and which entries that are there.

    What they do is taken back. None where they refuse the class by now.
    """
    places = [entry for hook in hooks for entry in hook.places().items()]
    before, had = copy_space(vars(cls)), [list(entries(place)) for _, place in places]
    lengths = {id(place): _place_in(content, cls) for (_, place), content in zip(places, had, strict=True)}
    try:
        with emptied_for_a_moment([place for _, place in places], lengths if any(map(_asks, hooks)) else {}) as put:
            given.tell(cls, attributes)
    except Exception:  # noqa: BLE001 - a person's hook, which may need what is gone
        return None
    finally:
        now = copy_space(vars(cls))
        put_back(cls, attributes, before)
    answers = (name for name in attributes if is_alike(before.get(name, _missing), now.get(name, _missing), replaced))
    found = [
        (name, find_there(content, entry, replaced))
        for (name, _), content, made in zip(places, had, put, strict=True)
        for entry in made
    ]
    there = tuple((name, entry) for name, entry in found if entry is not None)
    return Answer(frozenset(answers), there, len(there) == len(found))


def _asks(hook: HookText) -> bool:
    return hook.asks


def _place_in(content: Sequence[Entry], cls: type) -> int:
    """Return how many entries of a container stand before the one that a class is in, or its name."""
    names = cls, cls.__name__, cls.__qualname__
    places = (place for place, entry in enumerate(content) for part in entry if _is_among(part, names))
    return next(places, 0)


def _is_among(value: Any, names: tuple[Any, ...]) -> bool:
    parts = value if type(value) in (tuple, list) else (value,)
    return any(part is names[0] or (type(part) is str and part.lower() in map(str.lower, names[1:])) for part in parts)


def put_back(cls: type, names: Collection[str], before: Mapping[str, Any]) -> None:
    """Give a class the attributes of some names that it had before, and take off those that it had not."""
    now = copy_space(vars(cls))
    for name in names:
        if name in before and now.get(name, _missing) is not before[name]:
            set_attribute(cls, name, before[name])
        elif name not in before and name in now:
            delete_attribute(cls, name)
