"""Functions with which cells have registered something, and that an edit has register otherwise, are called again.

A restart runs the cells, and with them `@register` or `@registry.add` on their functions and classes. The rules are
those for hooks (see `retelling`): the text, and that of before, does no more than to put something into containers.
What it has put there is seen by calling that of before once more with these emptied.
"""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Container, Iterator, Mapping
from types import FunctionType, MethodType, ModuleType
from typing import Any

from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.reloading.generation import Journal
from exocet_ipython.reloading.holding.contents import attributes_of
from exocet_ipython.reloading.holding.held import home_of
from exocet_ipython.reloading.ladder.operations import whole
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.reloading.retired import functions_in
from exocet_ipython.survivors.carrying.entries import entries
from exocet_ipython.survivors.carrying.filled import fills
from exocet_ipython.survivors.comparison import runs_alike
from exocet_ipython.survivors.rebasing.calls import Call, Key, find_calls, find_mentioned
from exocet_ipython.survivors.rebasing.hooks import HookText, read_text
from exocet_ipython.survivors.rebasing.putting import Entry, emptied_for_a_moment, find_there, take_out_entry, withdraw
from exocet_ipython.survivors.storing.functions import definition_of

__all__ = ["register_otherwise"]


def register_otherwise(
    old: Mapping[str, ModuleRecord],
    made: Mapping[str, ModuleType],
    returned: Container[str],
    namespace: Mapping[str, Any],
    journal: Journal,
) -> None:
    """Call the new functions with what cells have handed to those that retire, where they register it otherwise.

    Args:
        old: dotted name -> record of a module that retires.
        made: dotted name -> module that takes its place.
        returned: dotted names of those that an undo has brought back, with what cells had registered there.
        namespace: the notebook's, with what is current now.
        journal: how it is taken back.
    """
    pairs = {key: (before, now) for key, before, now in _changed(old, made)}
    if not pairs:
        return
    names = {key: {now.__name__} for key, (_, now) in pairs.items()}
    for name, value in copy_space(namespace).items():
        names.get((id(value), ""), set()).add(name)
    mentioned = find_mentioned(set[str]().union(*names.values()))
    # Most of what fills a container is nothing with which one registers: no cell is read for that.
    told = {
        key: (before, now, texts)
        for key, (before, now) in pairs.items()
        if names[key] & mentioned and (texts := _read_both(before, now)) is not None
    }
    left: dict[int, list[Entry]] = {}
    anew = []
    for call, (before, now, texts) in find_calls(told, set[str]().union(*map(names.__getitem__, told)), namespace):
        places = [*texts[1].places().values()]
        put = _put_by(call, now, places)
        if put is not None and _take_back(call, before, texts, left, journal):
            anew.append((call, now, zip(places, put, strict=True)))
    for _, now, made_by in anew:
        for place, entries_made in made_by if now.__module__ in returned else ():
            withdraw(place, entries_made, journal)
    for call, now, _ in anew:
        with contextlib.suppress(Exception):  # it has just gone well with the containers empty; a cell would show it
            call.repeat(now)


def _changed(old: Mapping[str, ModuleRecord], made: Mapping[str, ModuleType]) -> Iterator[tuple[Key, Any, Any]]:
    """Yield the functions and methods that are otherwise now, and may put something into a container."""
    for name in old.keys() & made.keys():
        space, now = globals_of(old[name].module), globals_of(made[name])
        for attribute, before in copy_space(space).items():
            after = now.get(attribute)
            if type(before) is type(after) is FunctionType:
                if before.__globals__ is space and after.__globals__ is now and _puts_otherwise(before, after):
                    yield (id(after), ""), before, after
            else:
                yield from _changed_methods(before, after, name)


def _changed_methods(before: Any, after: Any, home: str) -> Iterator[tuple[Key, Any, Any]]:
    """Yield the methods of a class of a module, or of an instance of one that the module has, as calls bind them."""
    is_class = issubclass(type(before), type)
    old, new = (before, after) if is_class else (type(before), type(after))
    if after is None or issubclass(type(after), type) is not is_class or home_of(old) != home or home_of(new) != home:
        return
    for name, part in copy_space(vars(old)).items():
        other = vars(new).get(name)
        is_bound = type(part) is type(other) and (type(part) is classmethod if is_class else type(part) is FunctionType)
        functions = functions_in(part)[:1] + functions_in(other)[:1] if is_bound else []
        if functions and _puts_otherwise(*functions):
            yield (id(after), name), MethodType(functions[0], before), MethodType(functions[1], after)


def _puts_otherwise(before: FunctionType, now: FunctionType) -> bool:
    """Say whether a function may put something into a container, and its counterpart does so otherwise, maybe."""
    codes = before.__code__, now.__code__
    return codes[0] is not codes[1] and any(map(fills, whole(codes[0]))) and not runs_alike(*codes)


class _RegisteringText(HookText):
    """What the text of a function does with what it is given, beside returning it."""

    def reads(self, node: ast.stmt) -> bool:
        """Say whether a statement does nothing else when it runs again, and note what it does."""
        match node:
            case ast.Return(value=ast.Name(id=name)):
                return name == self._names[0]
        return super().reads(node)


def _read_both(before: Any, now: Any) -> tuple[HookText, HookText] | None:
    first, second = _read(before), _read(now)
    return None if first is None or second is None else (first, second)


def _read(called: Any) -> HookText | None:
    """Return what a function, or the one that it makes and returns, does; None where its text doesn't say it."""
    owner = called.__self__ if type(called) is MethodType else None
    function: Any = getattr(called, "__func__", called)
    node = definition_of(function)
    if not isinstance(node, ast.FunctionDef) or function.__closure__ or node.args.vararg or node.args.kwarg:
        return None
    body = [part for part in node.body if not (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))]
    arguments = [part.arg for part in (*node.args.posonlyargs, *node.args.args)]
    owners = arguments[:1] if owner is not None else []
    given = arguments[len(owners) :]
    match body:
        case [ast.FunctionDef(name=inner, decorator_list=[]) as made, ast.Return(value=ast.Name(id=name))] if (
            name == inner
        ):
            node, given = made, [part.arg for part in (*made.args.posonlyargs, *made.args.args)]
    if not given or node.args.vararg or node.args.kwarg:
        return None
    is_class = issubclass(type(owner), type)
    own = copy_space(vars(owner)) if is_class else dict(attributes_of(owner))
    text = read_text(_RegisteringText, (function, node), own, (given[0], *owners))
    return text if text is not None and text.places() and not text.attributes else None


def _take_back(
    call: Call, before: Any, texts: tuple[HookText, HookText], left: dict[int, list[Entry]], journal: Journal
) -> bool:
    """Take out of the new containers what a call has put into the old ones; say whether it is all there.

    Args:
        call: that.
        before: the function that was called.
        texts: of that, and of the one in its stead.
        left: id of an old container -> what no other call was found to have put there.
        journal: how it is taken back.
    """
    places = texts[0].places()
    contents = [left.setdefault(id(place), list(entries(place))) for place in places.values()]
    found = [
        (name, content, find_there(content, entry))
        for (name, content, put) in zip(places, contents, _put_by(call, before, [*places.values()]) or (), strict=False)
        for entry in put
    ]
    known = [(name, content, entry) for name, content, entry in found if entry is not None]
    if not found or len(known) < len(found):
        return False  # a cell has taken it out, or it was put there in another way
    for name, content, entry in known:
        if entry[1] is None:  # an item of a list: each is there for one call
            content[:] = [other for other in content if other is not entry]
        take_out_entry(texts[1].known.get(name), entry, journal)
    return True


def _put_by(call: Call, function: Any, places: list[Any]) -> list[list[Entry]] | None:
    """Return what a call puts into containers, which then are as they were; None where the function refuses."""
    try:
        with emptied_for_a_moment(places) as put:
            call.repeat(function)
    except Exception:  # noqa: BLE001 - a person's function, which may need what is gone
        return None
    return put
