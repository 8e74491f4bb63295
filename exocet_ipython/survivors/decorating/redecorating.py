"""What decorators of modules have made of functions of cells, where they make something else by now: it is made again.

A restart runs `@retry(3)` with the text of now. What closures become is known from their code (see `closures`); of
instances, partials and what else a decorator makes, and of what it sets of them, the decorators themselves tell: that
of before and that of now make one each of the function in the cell. What differs is put in place.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any

from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.reloading.collector import referrers_of
from exocet_ipython.reloading.holding.contents import CACHE, dict_of, is_plain, variables_around
from exocet_ipython.reloading.holding.held import CELLS, dotted_name
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.survivors.decorating.bare import BareClass, bare_class, decorate_class
from exocet_ipython.survivors.decorating.called import Call
from exocet_ipython.survivors.decorating.calls import find_calls, words_of_decorators
from exocet_ipython.survivors.decorating.decorators import Decorator, changed_decorators, makes_only, touches_nothing
from exocet_ipython.survivors.decorating.registrations import filled_by, read_both
from exocet_ipython.survivors.rebasing.putting import is_alike, take_out_doubles
from exocet_ipython.survivors.refusals import Refusals
from exocet_ipython.survivors.replacing.references import replace_references
from exocet_ipython.survivors.sparing import sparing_globals

__all__ = ["Redecorating"]

_LABELS = ("__name__", "__qualname__", "__doc__", "__module__")
_OTHER = {"dict": "cell", "cell": "dict"}  # what a closure has around it an instance has as an attribute
_missing: Any = object()


@dataclass(frozen=True, slots=True, eq=False)
class _Decoration:
    """What a decorator has made of a function of a cell.

    Attributes:
        call: of the decorator, with that function.
        now: what the decorator is.
        traits: what it has made, and what nobody has changed since, by place; of what is no plain value only that.
        added: the attributes that cells have given it beside.
        is_anew: whether another one takes its place in any case.
        is_untouched: whether nobody has changed anything of it.
    """

    call: Call
    now: Any
    traits: Mapping[tuple[str, str], Any]
    added: Mapping[str, Any]
    is_anew: bool
    is_untouched: bool


class Redecorating:
    """Makes again what decorators have made.

    Args:
        journal: how it is taken back.
        refusals: what is noted of decorators that fail now: what they had made stays.
    """

    def __init__(self, journal: Journal, refusals: Refusals) -> None:
        self._journal, self._refusals = journal, refusals
        self._found: list[_Decoration] = []
        self._classes: list[tuple[Call, Any, BareClass]] = []

    def find(
        self, old: Mapping[str, ModuleRecord], made: Mapping[str, ModuleType], namespace: Mapping[str, Any]
    ) -> None:
        """Find what decorators that retire have made of functions of cells, when the notebook has those of now."""
        retiring = old.keys() & made.keys()
        words = words_of_decorators(namespace) if retiring else set[str]()
        found = [changed_decorators(globals_of(old[name].module), made[name], words) for name in retiring]
        targets = {(id(one.now), ""): one for space in found for one in space.values()}
        names = {name for space in found for name in space}
        names |= {name for name, value in copy_space(namespace).items() if targets and (id(value), "") in targets}
        for call, decorator in find_calls(targets, names, namespace, decorators_only=True):
            if call.decorated is None or call.decorated.count > 1:
                continue
            if issubclass(type(call.given), type):
                self._note_class(call, decorator)
            else:
                self._note(call, decorator, call.decorated.name)

    def decorate(self, namespace: Mapping[str, Any]) -> None:
        """Make it again, when all else has moved."""
        for call, now, bare in self._classes:
            cls = call.decorated.find(namespace) if call.decorated is not None else None
            if issubclass(type(cls), type):
                lists = [(one, len(one)) for one in filled_by(now, len(call.arguments)) or () if hasattr(one, "insert")]
                try:
                    decorate_class(cls, bare, functools.partial(_decorate, call, now), self._journal)
                    for one, count in lists:  # that of before put nothing there: an earlier one has
                        take_out_doubles(one, count)
                except Exception as error:  # noqa: BLE001 - as below
                    self._refusals.note(f"what {dotted_name(now)} makes", error)
        for one in self._found:
            held = one.call.decorated.find(namespace) if one.call.decorated is not None else None
            try:
                made = one.call.repeat(one.now)
            except Exception as error:  # noqa: BLE001 - a person's decorator may raise anything: it is said
                self._refusals.note(f"what {dotted_name(one.now)} makes", error)
                continue
            if held is None or made is None or made is held:
                continue
            is_kept = not one.is_anew and _are_of_one_kind(held, made)
            if is_kept and not (one.is_untouched and _holds_another(held, made)):
                _bring_up_to_date(held, made, one.traits, self._journal)
            else:
                if (space := dict_of(made)) is not None:
                    space.update({**one.added, **space})
                replaced = {id(held): (held, made)}
                own = {id(replaced), *map(id, replaced.values())}
                replace_references(replaced, own, referrers_of([held]), self._journal)

    def _note_class(self, call: Call, decorator: Decorator) -> None:
        """Note what a class of a cell was before it was decorated, where all that is done with it is to change it."""
        before, now, calls = decorator.before, decorator.now, len(call.arguments)
        is_known = touches_nothing(now, calls) or filled_by(now, calls) is not None
        if not (is_known and touches_nothing(before, calls)) or read_both(before, now, ()) is not None:
            return
        with sparing_globals(before):
            bare = bare_class(call.given, functools.partial(_decorate, call, before))
        if bare is not None:
            call.replace_given(lambda part: None if part is call.given else part)
            self._classes.append((call, now, bare))

    def _note(self, call: Call, decorator: Decorator, name: str) -> None:
        """Note what a decorator has made of a function of a name, if making it again does nothing else."""
        held = call.given
        function = _function_within(held, name)
        if function is None or function is held or not makes_only(decorator.before, len(call.arguments)):
            return
        call.replace_given(lambda part: function if part is held else part)
        try:
            with sparing_globals(decorator.before):
                before = call.repeat(decorator.before)
        except Exception:  # noqa: BLE001 - a person's decorator, which may need what is gone
            return
        if type(before) is not type(held):
            return  # a cell has put something else there
        is_pure = makes_only(decorator.now, len(call.arguments))
        if not is_pure and type(held) is FunctionType:
            return
        made, had = _traits_of(before), _traits_of(held)
        alike = [place for place, value in made.items() if is_alike(had.get(place, _missing), value, {})]
        traits = {place: had[place] if is_plain(had[place]) else _missing for place in alike}
        added = {name: part for (kind, name), part in had.items() if kind == "dict" and (kind, name) not in made}
        is_untouched = traits.keys() | {("dict", name) for name in added} == had.keys()
        self._found.append(_Decoration(call, decorator.now, traits, added, not is_pure, is_untouched))


def _decorate(call: Call, decorator: Any, cls: Any) -> Any:
    """Decorate a class as its statement does."""
    *made, (args, keywords) = call.arguments
    for given, named in made:
        decorator = decorator(*given, **named)
    return decorator(cls, *args[1:], **keywords)


def _function_within(value: Any, name: str) -> FunctionType | None:
    """Return the function of a cell with a name that something is, or has been made of."""
    waiting = [value]
    if type(value) is functools.partial:
        waiting += [value.func, *value.args, *value.keywords.values()]
    elif type(value) is FunctionType:
        waiting += [*variables_around(value).values(), *(value.__defaults__ or ())]
    else:
        waiting += [value.__wrapped__] if type(value) is CACHE else [*(dict_of(value) or {}).values()]
    known = (part for part in waiting if type(part) is FunctionType and part.__module__ == CELLS)
    return next((part for part in known if part.__code__.co_name == name), None)


def _traits_of(value: Any) -> dict[tuple[str, str], Any]:
    """Return what something has that a decorator can give it: attributes, labels, variables around it, by place."""
    found = {("dict", name): part for name, part in (dict_of(value) or {}).items()}
    if type(value) is FunctionType:
        found |= {("label", name): getattr(value, name) for name in _LABELS}
        found |= {("cell", name): part for name, part in variables_around(value).items()}
    return found


def _are_of_one_kind(held: Any, made: Any) -> bool:
    """Say whether two things run the same code, and can have different attributes only."""
    if type(held) is not type(made):
        return False
    match held:
        case FunctionType():
            return held.__code__ is made.__code__
        case functools.partial():
            return False
    return type(held) is not CACHE


def _holds_another(held: Any, made: Any) -> bool:
    """Say whether a closure has an object around it that the one made now has otherwise, of its own call."""
    has = variables_around(made) if type(made) is FunctionType else {}
    return any(
        value is not has[name] and value is not held and not is_plain(value)
        for name, value in (variables_around(held).items() if has else ())
        if name in has
    )


def _bring_up_to_date(held: Any, made: Any, traits: Mapping[tuple[str, str], Any], journal: Journal) -> None:
    """Give what a decorator has made what that of now gives it; what is not as it was made stays."""
    had, has, space = _traits_of(held), _traits_of(made), dict_of(held) or {}
    for (kind, name), value in has.items():
        was = had.get((kind, name), _missing)
        known = traits.get((kind, name), _missing)
        known = traits.get((_OTHER.get(kind, kind), name), _missing) if known is _missing else known
        is_left = known is not _missing and is_plain(was) and is_plain(value) and is_alike(was, known, {})
        if was is value or not (is_left or was is _missing):
            continue
        if kind == "dict":
            journal.set_item(space, name, value)
        elif kind == "label":
            journal.add(functools.partial(setattr, held, name, was))
            setattr(held, name, value)
        elif was is not _missing:
            cell = dict(zip(held.__code__.co_freevars, held.__closure__ or (), strict=True))[name]
            journal.add(functools.partial(setattr, cell, "cell_contents", was))
            cell.cell_contents = value
    for kind, name in had.keys() & traits.keys() - has.keys():
        if kind == "dict":
            journal.add(functools.partial(space.__setitem__, name, space.pop(name)))
