"""Descriptors of a module in classes of cells: they are told their names again when they make something else of them.

`__set_name__` is told when the `class` statement runs, which a restart does again. It is told again only where its text
shows that it sets attributes of the descriptor and of the class that has it, as lists of fields, and puts something
into containers, and no more; what they were told of is there already.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from types import FunctionType, NoneType
from typing import Any

from exocet_ipython.loading.classes import delete_attribute, first_named, module_said_by, mro_of
from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.reloading.collector import referrers_of
from exocet_ipython.reloading.holding.contents import is_registry
from exocet_ipython.reloading.holding.held import CELLS, dotted_name
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.survivors.comparison import runs_alike
from exocet_ipython.survivors.matching.counterparts import Pairs
from exocet_ipython.survivors.rebasing.hooks import HookText
from exocet_ipython.survivors.rebasing.putting import emptied_for_a_moment, find_there, is_alike, refill, take_out_entry
from exocet_ipython.survivors.rebasing.retelling import do_alike
from exocet_ipython.survivors.rebasing.trying import put_back
from exocet_ipython.survivors.rebuilt import Replacement
from exocet_ipython.survivors.repeating.entries import entries
from exocet_ipython.survivors.replacing.instances import Moving
from exocet_ipython.survivors.replacing.states import InstanceState
from exocet_ipython.survivors.storing.functions import definition_of

__all__ = ["name_again"]

_TOLD = "__set_name__"
_missing = object()


@dataclass(frozen=True, slots=True)
class _Naming:
    """What a class of descriptors did with the names that they were told, and what it does now.

    Attributes:
        before: the function that it had for that; None where it made nothing of them.
        attributes: the names of what either of the functions sets of the class that has a descriptor.
        known: the containers into which they put something that is there already.
        filled: those into which the function of before has put something, each with the one that is current now.
    """

    before: FunctionType | None
    attributes: frozenset[str]
    known: tuple[Any, ...] = ()
    filled: tuple[tuple[Any, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class _Place:
    """A descriptor, the name that it has in a class, and how it was told of that."""

    name: str
    descriptor: Any
    naming: _Naming


def name_again(holders: Iterable[Any], pairs: Pairs, moving: Moving) -> None:
    """Tell descriptors their names again that have moved to a class which makes something else of these.

    Args:
        holders: what referred to the retired classes.
        pairs: what retired.
        moving: what is moved; an error is noted there, and leaves a class and its descriptors as they were.
    """
    found = {id(now): _read_naming(before, now) for before, now in pairs.classes}
    renewed = {key: naming for key, naming in found.items() if naming is not None}
    descriptors = [holder for holder in holders if id(type(holder)) in renewed] if renewed else []
    for owner, places in _places_of(descriptors, renewed) if descriptors else ():
        _tell(owner, places, pairs.objects, moving)


def _tell(owner: type, places: list[_Place], replaced: Replacement, moving: Moving) -> None:
    """Tell all descriptors of a class their names again; what cells have made of its attributes stays."""
    names = frozenset(name for place in places for name in place.naming.attributes)
    before, states = copy_space(vars(owner)), [InstanceState(place.descriptor) for place in places]

    def restore() -> None:
        for state in states:
            state.restore()
        put_back(owner, names, before)

    writes = Journal()
    try:
        theirs = names - _answers(owner, places, names, before, replaced) if names else names
        restore()
        _withdraw(owner, places, replaced, writes)
        restore()
        _take_off(owner, names)
        with emptied_for_a_moment([part for place in places for part in place.naming.known]):
            for place in places:
                place.descriptor.__set_name__(owner, place.name)
        put_back(owner, theirs & before.keys(), before)
    except Exception as error:  # noqa: BLE001 - a person's hook may raise anything
        writes.undo()
        restore()
        moving.note(dotted_name(owner), error)
    else:
        moving.journal.add(restore)
        moving.journal.add(writes.undo)


def _withdraw(owner: type, places: list[_Place], replaced: Replacement, journal: Journal) -> None:
    """Take out of the containers of now what the descriptors of a class had put there when they were told names."""
    for place in places:
        if (told := place.naming.before) is None or not place.naming.filled:
            continue
        olds, nows = zip(*place.naming.filled, strict=True)
        with emptied_for_a_moment(olds) as put:
            told(place.descriptor, owner, place.name)
        for now, made in zip(nows, put, strict=True):
            journal.add(partial(refill, now, list(entries(now))))
            for entry in made:
                there = find_there(entries(now), entry, replaced)
                if there is not None:
                    take_out_entry(now, there, Journal())


def _answers(
    owner: type, places: list[_Place], names: Iterable[str], before: Mapping[str, Any], replaced: Replacement
) -> frozenset[str]:
    """Return which attributes of a class are as its descriptors have set them when they were told, and no one since."""
    _take_off(owner, names)
    known = [part for place in places for part in (*place.naming.known, *(old for old, _ in place.naming.filled))]
    with emptied_for_a_moment(known):
        for place in places:
            if place.naming.before is not None:
                place.naming.before(place.descriptor, owner, place.name)
    made = copy_space(vars(owner))
    return frozenset(name for name in names if is_alike(before.get(name, _missing), made.get(name, _missing), replaced))


def _take_off(owner: type, names: Iterable[str]) -> None:
    for name in names:
        if name in vars(owner):
            delete_attribute(owner, name)


def _read_naming(before: type, now: type) -> _Naming | None:
    """Return what a class made of names and makes now; None where that is the same, or its text doesn't say it all."""
    told, tells = (first_named(_TOLD, mro_of(cls)) for cls in (before, now))
    text = _read(tells)
    if text is None or type(told) not in (FunctionType, NoneType):
        return None
    old = _read(told)
    codes = [function.__code__ for function in (told, tells) if type(function) is FunctionType]
    if do_alike([old], [text], ()) if old is not None else len(codes) > 1 and runs_alike(codes[0], codes[1]):
        return None
    filled = {} if old is None else old.places()
    known = text.places().values() if old is None and told is not None else ()
    given = frozenset(text.given).union(old.given if old is not None else ())
    pairs = ((part, text.known.get(name)) for name, part in filled.items())
    return _Naming(told, given, (*known,), tuple((part, now) for part, now in pairs if is_registry(now)))


def _read(function: Any) -> _NamingText | None:
    """Return what a function does that is told names; None where it may do more than set attributes and register."""
    node = definition_of(function) if type(function) is FunctionType else None
    if node is None or function.__code__.co_argcount != 3:  # noqa: PLR2004 - the descriptor, the class, the name
        return None
    text = _NamingText(function)
    return text if all(map(text.reads, node.body)) and text.filled <= text.given else None


class _NamingText(HookText):
    """What the text of a `function` that is a `__set_name__` says that it does.

    Attributes:
        given: the names of attributes of the class that it sets.
        filled: those of which it changes the value.
    """

    def __init__(self, function: FunctionType) -> None:
        descriptor, self._owner = function.__code__.co_varnames[:2]
        places = {name: part for name, part in copy_space(function.__globals__).items() if is_registry(part)}
        super().__init__(places, (descriptor, ""), "", (), ())
        self.functions = [function]
        self.given, self.filled = set[str](), set[str]()

    def reads(self, node: ast.stmt) -> bool:
        match node:
            case ast.Assign(targets=[target], value=value) if (name := self._attribute(target)) is not None:
                self.given.add(name)
                return self._computes(value)
            case ast.Expr(
                value=ast.Call(func=ast.Name(id="setattr"), args=[held, ast.Constant(value=str(name)), value])
            ):
                self.given.add(name)
                return self._is_owner(held) and self._computes(value)
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=held, attr="append" | "add"), args=args)) if (
                self._fills(held)
            ):
                return all(map(self._computes, args))
            case ast.Assign(targets=[ast.Subscript(value=held, slice=key)], value=value) if self._fills(held):
                return self._computes(key) and self._computes(value)
        return super().reads(node)

    def _fills(self, node: ast.expr) -> bool:
        name = self._attribute(node)
        self.filled.update([] if name is None else [name])
        return name is not None

    def _attribute(self, node: ast.expr) -> str | None:
        """Return the name of an attribute of the class; None of all else."""
        return node.attr if isinstance(node, ast.Attribute) and self._is_owner(node.value) else None

    def _is_owner(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and node.id == self._owner


def _places_of(descriptors: list[Any], renewed: Mapping[int, _Naming]) -> Iterable[tuple[type, list[_Place]]]:
    """Return the classes of cells that have descriptors, bases first, each with these in the order of its statement."""
    known = set(map(id, descriptors))
    spaces = [holder for holder in referrers_of(descriptors) if type(holder) is dict]
    found: defaultdict[type, list[_Place]] = defaultdict(list)
    for owner in referrers_of(spaces):
        if issubclass(type(owner), type) and module_said_by(owner) == CELLS:
            for name, part in copy_space(vars(owner)).items():
                if id(part) in known:
                    found[owner].append(_Place(name, part, renewed[id(type(part))]))
    return sorted(found.items(), key=lambda entry: len(mro_of(entry[0])))
