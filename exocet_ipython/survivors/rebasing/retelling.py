"""Hooks of bases that are told of a cell's class again, as a restart does when it runs the `class` statement.

`__init_subclass__` may have another text now, or collect what the bases have (`cls.fields = [*super().fields, ...]`).
It is told again only where that does nothing twice: where its text shows that it sets attributes of the class and puts
something into containers, and computes all that with Python's own functions.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import FunctionType
from typing import Any

from exocet_ipython.loading.classes import delete_attribute
from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.loading.trees import whole
from exocet_ipython.reloading.retired import retired_class
from exocet_ipython.survivors.classes import changed_constants
from exocet_ipython.survivors.rebasing.constants import does_alike
from exocet_ipython.survivors.rebasing.hooks import HookText, options_of, read_hook
from exocet_ipython.survivors.rebasing.putting import Entry
from exocet_ipython.survivors.rebasing.replaying import Replay
from exocet_ipython.survivors.rebasing.statements import keywords_said, names_said, takes_keyword
from exocet_ipython.survivors.rebasing.told import HOOK, hooked, hooked_now, tell
from exocet_ipython.survivors.rebasing.trying import Answer, Telling, ask, put_back
from exocet_ipython.survivors.rebuilt import Replacement, or_same

__all__ = ["Retelling", "do_alike", "find_statement", "plan_from", "plan_retelling"]

_Texts = tuple[Sequence[HookText], Sequence[HookText]]  # what hooks said, and what those in their place say


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
class Retelling:
    """How the hooks of the bases of a class are told of it again.

    Attributes:
        tellers: those bases, each with what takes its place, where one has another text: what it registered goes first.
        attributes: the names of those that they set.
        answers: those of them that are as the hooks have set them, and no one since.
        put: what they have put into containers, where they have another text: each that is current now, and an entry.
        dropped: the names of what the hooks have set and no one sets now.
        said: those of what they have set and the body of the class has set before.
        is_taken_out: whether a cell has taken the class out of where they put it, and it goes there only for a moment.
        given: how its statement tells them.
    """

    tellers: tuple[tuple[type, type], ...]
    attributes: frozenset[str]
    answers: frozenset[str]
    put: tuple[tuple[Any, Entry], ...] = ()
    dropped: frozenset[str] = frozenset()
    said: frozenset[str] = frozenset()
    is_taken_out: bool = False
    given: Telling = field(default_factory=_Given)

    def tell(self, cls: Any) -> None:
        """Tell the hooks of a class; attributes that a cell has set since its statement stay."""
        before = copy_space(vars(cls))
        self.given.tell(cls, self.answers)
        put_back(cls, self.attributes - self.answers, before)
        for name in self.dropped & vars(cls).keys():
            delete_attribute(cls, name)
        put_back(cls, self.said - vars(cls).keys(), before)

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
    if not any(id(base) in counterparts for base in cls.__mro__):
        return None
    before, now = _each_once(hooked(cls.__bases__)), _each_once(hooked_now(cls, counterparts))
    places = [counterparts.get(id(teller), teller) for teller in before]
    is_lost = any(all(place is not teller for teller in now) for place in places)
    is_meant = is_lost or len(now) <= len(before)  # else those that know it not yet are told of it
    known = [text for teller in (*before, *now) if is_meant and (text := read_hook(teller)) is not None]
    if not is_meant or len(known) < len(before) + len(now):
        return None
    attributes = _attributes_of((known, ()))
    pairs, texts = tuple(zip(before, places, strict=True)), known[: len(before)]
    bases = ((base, counterparts[id(base)]) for base in cls.__mro__ if id(base) in counterparts)
    otherwise = {name for pair in bases for name in changed_constants(*pair)}
    is_news = not do_alike(texts, known[len(before) :], otherwise) or any(text.asks for text in known)
    if not is_news and (not attributes or any(text.lists() or not text.names(cls) for text in texts)):
        return None
    found = _find_given(cls, texts, replaced)
    if found is None and any(text.options for text in known):
        return None  # the statement has given it more, or a cell has changed something: which, nothing tells
    given, answer = found or (_Given(), ask(cls, attributes, texts, _Given(), replaced))
    if answer is None and not is_news:
        return None
    answers = attributes if found or answer is None else answer.attributes
    answer = Answer(answers) if answer is None else replace(answer, attributes=answers)
    return _retelling(cls, pairs if is_news else (), (texts, known[len(before) :]), (answer, given), replaced)


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
    answer = ask(cls, _attributes_of(texts), texts[0], tellings[0], replaced)
    return None if answer is None else _retelling(cls, (pair,), texts, (answer, tellings[1]), replaced)


def _retelling(
    cls: type,
    pairs: tuple[tuple[type, type], ...],
    texts: _Texts,
    told: tuple[Answer, Telling],
    replaced: Replacement,
) -> Retelling:
    """Return how a class is told of to those that have another text now, if any, and in whose stead."""
    answer, telling = told
    olds = {name: place for text in texts[0] for name, place in text.known.items()}
    news = {name: place for text in texts[1] for name, place in text.known.items()}
    put = tuple((or_same(news.get(name, olds[name]), replaced), entry) for name, entry in answer.entries)
    lost = answer.attributes & _attributes_of((texts[0], ())) - _attributes_of((texts[1], ()))
    said = lost if not lost or (names := names_said(cls)) is None else lost & names
    return Retelling(
        pairs,
        _attributes_of(texts),
        answer.attributes,
        put if pairs else (),
        lost - said,
        said,
        is_taken_out=not (answer.entries or answer.is_whole) and any(text.is_without(cls) for text in texts[0]),
        given=telling,
    )


def _each_once(classes: Iterable[type]) -> list[type]:
    return [*{id(cls): cls for cls in classes}.values()]


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


def _find_given(cls: type, hooks: Sequence[HookText], replaced: Replacement) -> tuple[_Given, Answer] | None:
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
        answer = ask(cls, attributes, hooks, given, replaced)
        if answer is not None and answer.attributes == attributes and answer.is_whole:
            return given, answer
    return None
