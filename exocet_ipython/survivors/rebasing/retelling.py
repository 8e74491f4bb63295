"""Hooks of bases that are told of a cell's class again, as a restart does when it runs the `class` statement.

`__init_subclass__` may have another text now, or collect what the bases have (`cls.fields = [*super().fields, ...]`).
It is told again only where that does nothing twice: where its text shows that it sets attributes of the class, computes
these with Python's own functions, and puts the class into containers.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

from exocet_ipython.loading.classes import delete_attribute, set_attribute
from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.reloading.generation import Journal
from exocet_ipython.survivors.carrying.entries import entries, take_out
from exocet_ipython.survivors.comparison import runs_alike
from exocet_ipython.survivors.rebasing.hooks import HookText, options_of, read_hook
from exocet_ipython.survivors.rebasing.statements import keywords_said, takes_keyword
from exocet_ipython.survivors.rebasing.told import HOOK, hooked, tell
from exocet_ipython.survivors.rebuilt import Replacement, or_same

__all__ = ["Retelling", "find_keywords", "is_alike", "plan_retelling", "put_back"]

_missing = object()


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
        is_taken_out: whether a cell has taken the class out of where they put it, and it goes there only for a moment.
        given: how its statement tells them.
    """

    tellers: tuple[tuple[type, type], ...]
    attributes: frozenset[str]
    answers: frozenset[str]
    is_taken_out: bool = False
    given: _Given = field(default_factory=_Given)

    def tell(self, cls: Any) -> None:
        """Tell the hooks of a class; attributes that a cell has set since its statement stay."""
        before = copy_space(vars(cls))
        self.given.tell(cls, self.answers)
        put_back(cls, self.attributes - self.answers, before)


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
    attributes = frozenset(name for text in known for name in text.attributes)
    pairs, texts = tuple(zip(before, now, strict=True)), known[: len(before)]
    is_news = any(not runs_alike(*(vars(one)[HOOK].__func__.__code__ for one in pair)) for pair in pairs)
    if not is_news and (not attributes or any(text.lists() or not text.names(cls) for text in texts)):
        return None
    given, answers = _find_given(cls, texts, replaced), attributes
    if given is None:
        if any(text.options for text in known):
            return None  # the statement has given it more, or a cell has changed something: which, nothing tells
        asked = _ask(cls, attributes, texts, _Given(), replaced)
        if asked is None and not is_news:
            return None
        answers = attributes if asked is None else asked[0]
    is_taken_out = any(text.is_without(cls) for text in texts)
    return Retelling(pairs if is_news else (), attributes, answers, is_taken_out, given or _Given())


def find_keywords(cls: type, bases: tuple[type, ...], metaclass: type, replaced: Replacement) -> dict[str, Any]:
    """Return the keywords that the statement of a class has given, as far as new bases or their metaclass take them.

    Args:
        cls: the class, with the bases of before.
        bases: those that it gets.
        metaclass: that it gets.
        replaced: what has taken the place of others already.
    """
    functions = [getattr(vars(teller)[HOOK], "__func__", None) for teller in hooked(bases)]
    taken = {name for function in functions if type(function) is FunctionType for name in options_of(function.__code__)}
    said = {key: value for key, value in keywords_said(cls).items() if key in taken or takes_keyword(metaclass, key)}
    texts = [text for teller in hooked(cls.__bases__) if (text := read_hook(teller)) is not None]
    if not any(text.options for text in texts) or len(texts) < len([*hooked(cls.__bases__)]):
        return said
    given = _find_given(cls, texts, replaced) or _Given()
    return said | {name: value for name, value in given.keywords.items() if name in taken}


def _find_given(cls: type, hooks: Sequence[HookText], replaced: Replacement) -> _Given | None:
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
    return next((given for given in tries if _ask(cls, attributes, hooks, given, replaced) == (attributes, True)), None)


def _ask(
    cls: type, attributes: frozenset[str], hooks: Sequence[HookText], given: _Given, replaced: Replacement
) -> tuple[frozenset[str], bool] | None:
    """Return which attributes of a class its hooks give again as they are, and whether they put it where it is.

    What they do is taken back. None where they refuse the class by now: one that has it already, say.
    """
    places = [place for hook in hooks for place in hook.places()]
    before, had = copy_space(vars(cls)), [list(entries(place)) for place in places]
    try:
        given.tell(cls, attributes)
    except Exception:  # noqa: BLE001 - a person's hook, which may need what is gone
        return None
    finally:
        now, have = copy_space(vars(cls)), [list(entries(place)) for place in places]
        put_back(cls, attributes, before)
        for place, content in zip(places, had, strict=True):
            _restore(place, content)
    answers = (name for name in attributes if is_alike(before.get(name, _missing), now.get(name, _missing), replaced))
    ids = [[{(id(key), id(value)) for key, value in content} for content in contents] for contents in (had, have)]
    return frozenset(answers), ids[0] == ids[1]


def _restore(place: Any, content: list[tuple[Any, Any]]) -> None:
    """Take out of a container what has been put into it since."""
    if hasattr(place, "append"):
        while len(place) > len(content):
            place.pop()
        return
    before = dict(content)
    for key, value in list(entries(place)):
        if key not in before:
            take_out(place, key, Journal())
        elif before[key] is not value:
            place[key] = before[key]


def is_alike(before: Any, now: Any, replaced: Replacement) -> bool:
    """Say whether two values are equal, but for what has taken the place of others in the first one."""
    try:
        if type(before) is type(now) is dict:
            keys = {_renewed(key, replaced): key for key in now}
            return before.keys() == keys.keys() and all(
                is_alike(before[key], now[keys[key]], replaced) for key in before
            )
        if type(before) is type(now) and type(now) in (list, tuple):
            return len(before) == len(now) and all(is_alike(*pair, replaced) for pair in zip(before, now, strict=True))
        if type(before) is type(now) and type(now) in (set, frozenset):
            return bool(before == {_renewed(item, replaced) for item in now})
        return or_same(now, replaced) is before or bool(before == now)
    except Exception:  # noqa: BLE001 - arrays have no truth, and a person's class may refuse
        return False


def _renewed(key: Any, replaced: Replacement) -> Any:
    """Return what is in the place of a key, or of an item of a set, by now."""
    if type(key) in (tuple, frozenset):
        return type(key)(_renewed(part, replaced) for part in key)
    return or_same(key, replaced)


def put_back(cls: type, names: Collection[str], before: Mapping[str, Any]) -> None:
    """Give a class the attributes of some names that it had before, and take off those that it had not."""
    now = copy_space(vars(cls))
    for name in names:
        if name in before and now.get(name, _missing) is not before[name]:
            set_attribute(cls, name, before[name])
        elif name not in before and name in now:
            delete_attribute(cls, name)
