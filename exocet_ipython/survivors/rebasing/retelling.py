"""Hooks of bases that are told of a cell's class again, as a restart does when it runs the `class` statement.

`__init_subclass__` may have another text now, or collect what the bases have (`cls.fields = [*super().fields, ...]`).
It is told again only where that does nothing twice: where its text shows that it sets attributes of the class and puts
something into containers, and computes all that with Python's own functions.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import FunctionType
from typing import Any, Protocol

from exocet_ipython.loading.classes import delete_attribute, set_attribute
from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.loading.trees import whole
from exocet_ipython.reloading.retired import retired_class
from exocet_ipython.survivors.carrying.entries import entries
from exocet_ipython.survivors.classes import changed_constants
from exocet_ipython.survivors.rebasing.constants import does_alike
from exocet_ipython.survivors.rebasing.hooks import HookText, options_of, read_hook
from exocet_ipython.survivors.rebasing.putting import Entry, emptied_for_a_moment, find_there, is_alike
from exocet_ipython.survivors.rebasing.replaying import Replay
from exocet_ipython.survivors.rebasing.statements import keywords_said, takes_keyword
from exocet_ipython.survivors.rebasing.told import HOOK, hooked, tell
from exocet_ipython.survivors.rebuilt import Replacement

__all__ = ["Retelling", "Telling", "do_alike", "find_statement", "plan_from", "plan_retelling", "put_back"]

_Texts = tuple[Sequence[HookText], Sequence[HookText]]  # what hooks said, and what those in their place say
_missing = object()


class Telling(Protocol):
    """How hooks are told of a class."""

    def tell(self, cls: Any, attributes: Collection[str]) -> None:
        """Tell the hooks of a class that set these attributes."""


@dataclass(frozen=True, slots=True)
class _Given:
    """How the statement of a class tells the hooks of its bases.

    Attributes:
        keywords: what it gives them.
        is_bare: whether the class has none of the attributes yet that they set.
    """

    keywords: Mapping[str, Any] = field(default_factory=dict)
    is_bare: bool = False

    def tell(self, cls: Any, attributes: Collection[str]) -> None:
        """Tell the hooks of a class that set these attributes."""
        for name in attributes if self.is_bare else ():
            if name in vars(cls):
                delete_attribute(cls, name)
        tell(cls, self.keywords)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What hooks do when they are told of a class once more.

    Attributes:
        attributes: the names of those that they set to what they are.
        entries: what they put into containers that is there, each with what they call the container.
        is_whole: whether all that they put there is there.
    """

    attributes: frozenset[str]
    entries: tuple[tuple[str, Entry], ...] = ()
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class Retelling:
    """How the hooks of the bases of a class are told of it again.

    Attributes:
        tellers: those bases, each with what takes its place, where one has another text: what it registered goes first.
        attributes: the names of those that they set.
        answers: those of them that are as the hooks have set them, and no one since.
        put: what they have put into containers, where they have another text: each that is current now, and an entry.
        is_taken_out: whether a cell has taken the class out of where they put it, and it goes there only for a moment.
        given: how its statement tells them.
    """

    tellers: tuple[tuple[type, type], ...]
    attributes: frozenset[str]
    answers: frozenset[str]
    put: tuple[tuple[Any, Entry], ...] = ()
    is_taken_out: bool = False
    given: Telling = field(default_factory=_Given)

    def tell(self, cls: Any) -> None:
        """Tell the hooks of a class; attributes that a cell has set since its statement stay."""
        before = copy_space(vars(cls))
        self.given.tell(cls, self.answers)
        put_back(cls, self.attributes - self.answers, before)

    def withdraw(self, replay: Replay) -> None:
        """Take out of the containers what hooks of another text have put there; those of before are for no undo."""
        for before, _ in self.tellers:
            if (retired := retired_class(before)) is not None:
                retired.is_spent = True
        for container, entry in self.put:
            replay.take_out(container, entry, id(self))


def plan_retelling(cls: type, counterparts: Mapping[int, type], replaced: Replacement) -> Retelling | None:
    """Return how hooks are to be told of a class again when its bases are replaced; None where they are not.

    Args:
        cls: the class, with the bases of before.
        counterparts: id of a retired class -> what takes its place.
        replaced: what has taken the place of others already.
    """
    before = [*hooked(cls.__bases__)]
    now = [counterparts.get(id(teller), teller) for teller in before]
    is_concerned = any(id(base) in counterparts for base in cls.__mro__)
    if not (is_concerned and all(HOOK in vars(teller) for teller in now)):
        return None
    known = [text for teller in (*before, *now) if (text := read_hook(teller)) is not None]
    if len(known) < len(before) + len(now):
        return None
    attributes = _attributes_of((known, ()))
    pairs, texts = tuple(zip(before, now, strict=True)), known[: len(before)]
    bases = ((base, counterparts[id(base)]) for base in cls.__mro__ if id(base) in counterparts)
    otherwise = {name for pair in bases for name in changed_constants(*pair)}
    is_news = not do_alike(texts, known[len(before) :], otherwise) or any(text.asks for text in known)
    if not is_news and (not attributes or any(text.lists() or not text.names(cls) for text in texts)):
        return None
    found = _find_given(cls, texts, replaced)
    if found is None and any(text.options for text in known):
        return None  # the statement has given it more, or a cell has changed something: which, nothing tells
    given, answer = found or (_Given(), _ask(cls, attributes, texts, _Given(), replaced))
    if answer is None and not is_news:
        return None
    answers = attributes if found or answer is None else answer.attributes
    answer = _Answer(answers) if answer is None else replace(answer, attributes=answers)
    return _retelling(cls, pairs if is_news else (), (texts, known[len(before) :]), answer, given)


def do_alike(before: Iterable[HookText], now: Iterable[HookText], otherwise: Collection[str]) -> bool:
    """Say whether hooks do what others did, they and all that they call, and ask for nothing that is otherwise now.

    Args:
        before: the hooks.
        now: those in their place.
        otherwise: the names of attributes that are otherwise.
    """
    functions = [[function for text in texts for function in text.functions] for texts in (before, now)]
    codes = (part for one in functions[1] for part in whole(one.__code__))
    asked = {name for code in codes for name in code.co_names} if otherwise else set()
    is_same = len(functions[0]) == len(functions[1]) and asked.isdisjoint(otherwise)
    return is_same and all(map(does_alike, *functions))


def plan_from(
    cls: type,
    pair: tuple[type, type],
    texts: _Texts,
    tellings: tuple[Telling, Telling],
    replaced: Replacement,
) -> Retelling | None:
    """Return how a class is to be told of to one that has another text now; None where nothing tells what it did.

    Args:
        cls: the class.
        pair: what was told of it, and what takes its place.
        texts: of both.
        tellings: how it is told to both.
        replaced: what has taken the place of others already.
    """
    answer = _ask(cls, _attributes_of(texts), texts[0], tellings[0], replaced)
    return None if answer is None else _retelling(cls, (pair,), texts, answer, tellings[1])


def _retelling(
    cls: type, pairs: tuple[tuple[type, type], ...], texts: _Texts, answer: _Answer, telling: Telling
) -> Retelling:
    """Return how a class is told of to those that have another text now, if any, and in whose stead."""
    places = {name: place for text in texts[1] for name, place in text.known.items()}
    put = tuple((places[name], entry) for name, entry in answer.entries if name in places)
    return Retelling(
        pairs,
        _attributes_of(texts),
        answer.attributes,
        put if pairs else (),
        is_taken_out=not answer.entries and any(text.is_without(cls) for text in texts[0]),
        given=telling,
    )


def _attributes_of(texts: _Texts) -> frozenset[str]:
    return frozenset(name for text in (*texts[0], *texts[1]) for name in text.attributes)


def find_statement(
    cls: type, bases: tuple[type, ...], metaclass: type, replaced: Replacement
) -> tuple[dict[str, Any], frozenset[str]]:
    """Return what the statement of a class has given hooks, and the names of the attributes that these have set for it.

    Of the keywords those that new bases or their metaclass take, and of the attributes those that are as hooks set them
    where there are none yet.

    Args:
        cls: the class, with the bases of before, and with all that it has as it was.
        bases: those that it gets.
        metaclass: that it gets.
        replaced: what has taken the place of others already.
    """
    functions = [getattr(vars(teller)[HOOK], "__func__", None) for teller in hooked(bases)]
    taken = {name for function in functions if type(function) is FunctionType for name in options_of(function.__code__)}
    said = {key: value for key, value in keywords_said(cls).items() if key in taken or takes_keyword(metaclass, key)}
    texts = [text for teller in hooked(cls.__bases__) if (text := read_hook(teller)) is not None]
    is_known = len(texts) == len([*hooked(cls.__bases__)])
    found = (
        _find_given(cls, texts, replaced) if is_known and any(one.options or one.attributes for one in texts) else None
    )
    if found is None:
        return said, frozenset()
    given = {name: value for name, value in found[0].keywords.items() if name in taken}
    return said | given, found[1].attributes if found[0].is_bare else frozenset()


def _find_given(cls: type, hooks: Sequence[HookText], replaced: Replacement) -> tuple[_Given, _Answer] | None:
    """Return how hooks make all of a class that they have made of it; None where nothing tells.

    The statement's text does, and most hooks set attributes that are called as their keywords are.
    """
    attributes = frozenset(name for hook in hooks for name in hook.attributes)
    space = copy_space(vars(cls))
    named = {name: space[name] for hook in hooks for name in hook.options if name in space}
    options = {name for hook in hooks for name in hook.options}
    said = {name: value for name, value in keywords_said(cls).items() if name in options} if options else {}
    tries = [_Given(said, is_bare) for is_bare in (True, False)] if said else []
    tries += [_Given(keywords, is_bare) for is_bare in (True, False) for keywords in ({}, named)]
    for given in tries:
        answer = _ask(cls, attributes, hooks, given, replaced)
        if answer is not None and answer.attributes == attributes and answer.is_whole:
            return given, answer
    return None


def _ask(
    cls: type, attributes: frozenset[str], hooks: Sequence[HookText], given: Telling, replaced: Replacement
) -> _Answer | None:
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
    return _Answer(frozenset(answers), there, len(there) == len(found))


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
