"""Functions with which cells have registered something, and that an edit has register otherwise, are called again.

A restart runs the cells, and with them `@register` or `@registry.add` on their functions and classes. The rules are
those for hooks (see `retelling`): the text, and that of before, does no more than to put something into containers.
What it has put there is seen by calling that of before once more with these emptied.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any, Self

from exocet_ipython.loading.classes import delete_attribute
from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.reloading.holding.contents import is_registry
from exocet_ipython.reloading.holding.held import CELLS, dotted_name, home_of
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.reloading.retired import retired_module
from exocet_ipython.survivors.comparison import runs_alike
from exocet_ipython.survivors.decorating.called import Call
from exocet_ipython.survivors.decorating.calls import find_calls, words_of_cells
from exocet_ipython.survivors.decorating.given_back import GivenBack
from exocet_ipython.survivors.decorating.registrars import Registrar, find_changed
from exocet_ipython.survivors.decorating.registrations import function_of
from exocet_ipython.survivors.former import renamed_by, under_old_names
from exocet_ipython.survivors.rebasing.putting import (
    Entry,
    emptied_for_a_moment,
    find_there,
    is_alike,
    take_out_doubles,
    take_out_new,
)
from exocet_ipython.survivors.rebasing.replaying import Replay
from exocet_ipython.survivors.rebasing.trying import put_back
from exocet_ipython.survivors.refusals import Refusals
from exocet_ipython.survivors.repeating.entries import entries

__all__ = ["Registering"]


class Registering:
    """Registers again what cells have registered, where that is done otherwise by now.

    Args:
        journal: how it is taken back.
        refusals: what is noted of calls that fail now: what they had registered stays as it was.
    """

    def __init__(self, journal: Journal, refusals: Refusals) -> None:
        self._journal, self._refusals = journal, refusals
        self._replay = Replay(journal)
        self._calls: list[_Repeated] = []

    def withdraw(
        self,
        old: Mapping[str, ModuleRecord],
        made: Mapping[str, ModuleType],
        namespace: Mapping[str, Any],
        *,
        migrating: bool,
    ) -> None:
        """Take out what cells have registered with functions that retire, if that is registered otherwise now.

        Args:
            old: dotted name -> record of a module that retires.
            made: dotted name -> module that takes its place.
            namespace: the notebook's, with what is current now.
            migrating: whether definitions of cells may be replaced.
        """
        names: dict[int, set[str]] = {}
        for name, value in copy_space(namespace).items():
            names.setdefault(id(value), set()).add(name)
        found = find_changed(old, made, words_of_cells, names)
        called = {name for one in found.values() for name in one.names}
        left: dict[int, list[Entry]] = {}
        for call, registrar in find_calls(found, called, namespace):
            if call.decorated is not None and call.decorated.owner and type(call.given) is not FunctionType:
                continue
            if not registrar.makes or (migrating and call.decorated is not None and _is_bare(call, registrar)):
                self._take_out(call, registrar, left)

    def register(self) -> None:
        """Register it again, when all else has moved."""
        functions = [one.call.given for one in self._calls if one.makes and type(one.call.given) is FunctionType]
        given_back = GivenBack(functions, self._journal)
        for turn in self._replay.turns(range(len(self._calls))):
            one = self._calls[turn]
            before = [list(entries(place)) for place in one.places]
            given_back.take_latest(one.call)
            try:
                with one.given.set_again(self._journal):
                    made = one.call.repeat(one.now)
            except Exception as error:  # noqa: BLE001 - a person's function may raise anything: it is said
                for place, content in zip(one.places, before, strict=True):
                    take_out_new(place, content)
                self._replay.restore(turn)
                self._refusals.note(f"the registrations by {dotted_name(one.now)}", error)
            else:
                for place, content in zip(one.places, before, strict=True):
                    if id(place) in one.returned:
                        take_out_doubles(place, len(content))
                if one.makes and type(one.call.given) is FunctionType:
                    given_back.note(one.call, made)
        given_back.replace()

    def _take_out(self, call: Call, registrar: Registrar, left: dict[int, list[Entry]]) -> None:
        """Take out of the new containers what a call has put into the old ones, if it is all there.

        Args:
            call: that.
            registrar: what was called.
            left: id of an old container -> what no other call was found to have put there.
        """
        texts = registrar.texts
        places = texts[0].places()
        renamed = renamed_by(function_of(registrar.before))
        renamed = {**renamed, **{f".{was}": f".{name}" for was, name in renamed.items()}}
        counterparts = under_old_names(texts[1].known, renamed)
        contents = [
            left.setdefault(id(place), _carried_first(place, counterparts.get(name))) for name, place in places.items()
        ]
        call.replace_given(_function_in(entry for content in contents for entry in content))
        given = _Given.of(call, texts[0].attributes | texts[1].attributes)
        with given.as_it_is(texts[0].attributes):
            made = _put_by(call, registrar.before, [*places.values()])
        found = [
            (name, content, find_there(content, entry))
            for name, content, put in zip(places, contents, made, strict=True)
            for entry in put
        ]
        known = [(name, content, entry) for name, content, entry in found if entry is not None]
        if (len(known) < len(found) or (places and not found)) and not registrar.makes:
            return  # a cell has taken it out, or it was put there in another way
        for name, content, entry in known:
            if entry[1] is None:  # an item of a list: each is there for one call
                content[:] = [other for other in content if other is not entry]
            self._replay.take_out(counterparts.get(name), entry, len(self._calls))
        if (retired := retired_module(function_of(registrar.before).__globals__)) is not None:
            retired.is_spent = True  # an undo would bring back what was registered, and in its order
        now = (*texts[1].places().values(),)
        returned = {*map(id, now)} - {id(counterparts.get(name)) for name in places}
        self._calls.append(_Repeated(call, registrar.now, now, returned, given, registrar.makes))


@dataclass(frozen=True, slots=True, eq=False)
class _Repeated:
    """A call that is made again.

    Attributes:
        call: it.
        now: what is called.
        places: the containers into which that puts something.
        returned: the ids of those into which what was called put nothing. They may have been there before, and have
            what was put there then.
        given: what it is given.
        makes: whether it makes something else of that.
    """

    call: Call
    now: Any
    places: tuple[Any, ...]
    returned: AbstractSet[int]
    given: _Given
    makes: bool


@dataclass(slots=True, eq=False)
class _Given:
    """What a call is given, and what it sets of that.

    Attributes:
        thing: that.
        names: of the attributes which the call has set, or sets now; none where the thing takes none.
        answers: of those that are as the call has set them.
    """

    thing: Any
    names: AbstractSet[str]
    answers: AbstractSet[str] = frozenset()

    @classmethod
    def of(cls, call: Call, names: AbstractSet[str]) -> Self:
        """Return the first thing that a call is given, with the names of attributes that are set of it."""
        return cls(call.given, names) if hasattr(call.given, "__dict__") else cls(None, frozenset())

    @contextlib.contextmanager
    def as_it_is(self, known: AbstractSet[str]) -> Iterator[None]:
        """Leave it as it is when a call is made once more, and note which of the known attributes that sets again."""
        before = self._attributes()
        yield
        now, names = self._attributes(), known & before.keys()
        self.answers = {name for name in names if name in now and _are_alike(before[name], now[name])}
        self._put_back(self.names, before)

    @contextlib.contextmanager
    def set_again(self, journal: Journal) -> Iterator[None]:
        """Have a call set the attributes, but for those that a cell has set since; all stay where the call fails."""
        before, kept = self._attributes(), self.names
        journal.add(functools.partial(self._put_back, self.names, before))
        try:
            for name in self.answers:
                delete_attribute(self.thing, name)
            yield
            kept = before.keys() & self.names - self.answers
        finally:
            self._put_back(kept, before)

    def _attributes(self) -> dict[str, Any]:
        return copy_space(vars(self.thing)) if self.names else {}

    def _put_back(self, names: AbstractSet[str], before: Mapping[str, Any]) -> None:
        if names:
            put_back(self.thing, names, before)


def _is_bare(call: Call, registrar: Registrar) -> bool:
    """Say whether a call decorates the function of a cell's own text, or registers a class that nothing else decorates.

    A class stays the one that it is, whatever its decorator gives back: it has instances. What only changes classes is
    not taken for a call here (see `redecorating`).
    """
    given = call.given
    if type(given) is FunctionType:
        return given.__module__ == CELLS and given.__code__.co_name == given.__name__
    is_class = issubclass(type(given), type) and home_of(given) == CELLS
    is_registered = is_class and bool(registrar.texts[0].places())
    return is_registered and call.decorated is not None and call.decorated.count == 1


def _put_by(call: Call, function: Any, places: Sequence[Any]) -> list[list[Entry]]:
    """Return what a call puts into containers, which then are as they were; nothing where the function refuses."""
    try:
        with emptied_for_a_moment(places) as put:
            call.repeat(function)
    except Exception:  # noqa: BLE001 - a person's function, which may need what is gone, as it would in the cell
        return [[] for _ in places]
    return put


def _are_alike(before: Any, now: Any) -> bool:
    """Say whether two values are equal, or functions that one and the same call makes."""
    if type(before) is type(now) is property:
        return all(map(_are_alike, *((one.fget, one.fset, one.fdel) for one in (before, now))))
    is_made = type(before) is type(now) is FunctionType and "<locals>" in before.__code__.co_qualname
    return before.__code__ is now.__code__ if is_made else is_alike(before, now, {})


def _carried_first(before: Any, now: Any) -> list[Entry]:
    """Return the entries of a container of before, those first that the one of now has: a module puts its own there."""
    carried = {id(key) for key, _ in entries(now)} if is_registry(now) else set()
    return sorted(entries(before), key=lambda entry: id(entry[0]) not in carried)


def _function_in(contents: Iterable[Entry]) -> Callable[[Any], Any]:
    """Return what gives, for a function that the text of a cell has made again, the one among entries that it made."""
    known = [part for entry in contents for part in entry if type(part) is FunctionType and part.__module__ == CELLS]

    def find(given: Any) -> Any:
        if type(given) is not FunctionType or given.__name__ != "<lambda>":
            return given
        alike = (one for one in known if runs_alike(one.__code__, given.__code__) and _line(one) == _line(given))
        return next(alike, given)

    return find


def _line(function: FunctionType) -> tuple[str, int]:
    return function.__code__.co_filename, function.__code__.co_firstlineno
