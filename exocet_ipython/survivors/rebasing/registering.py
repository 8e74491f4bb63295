"""Functions with which cells have registered something, and that an edit has register otherwise, are called again.

A restart runs the cells, and with them `@register` on their functions and classes. A function is called again under the
rules for hooks (see `retelling`): where its text, and that of before, does no more than to put something into
containers. What it has put there is seen by calling that of before once more with these emptied.
"""

from __future__ import annotations

import ast
import dis
import inspect
from collections.abc import Container, Iterable, Iterator, Mapping
from functools import partial
from types import CodeType, FunctionType, ModuleType
from typing import Any

from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.reloading.generation import Journal
from exocet_ipython.reloading.ladder.operations import whole
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.survivors.carrying.entries import entries
from exocet_ipython.survivors.comparison import runs_alike
from exocet_ipython.survivors.rebasing.calls import Call, find_calls
from exocet_ipython.survivors.rebasing.hooks import HookText, read_text
from exocet_ipython.survivors.rebasing.putting import Entry, emptied_for_a_moment, find_there, take_out_entry
from exocet_ipython.survivors.rebasing.retelling import is_alike, withdraw
from exocet_ipython.survivors.storing.functions import tree_of

__all__ = ["register_otherwise"]

_PUTTING = frozenset(("append", "add"))
_STORING = dis.opmap["STORE_SUBSCR"]


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
    pairs = {id(now): (before, now) for before, now in _changed(old, made)}
    if not pairs:
        return
    texts: dict[int, tuple[HookText | None, HookText | None]] = {}
    left: dict[int, list[Entry]] = {}
    anew = []
    for call in find_calls(_names_of(pairs.keys(), pairs.values(), namespace), namespace):
        before, now = pairs[id(call.function)]
        if id(now) not in texts:
            texts[id(now)] = _read(before), _read(now)
        first, second = texts[id(now)]
        if first is not None and second is not None and _take_back(call, before, (first, second), left, journal):
            anew.append((call, now, [*second.places().values()]))
    for call, now, places in anew:
        if now.__module__ in returned:
            for place, put in zip(places, _put_by(call, now, places), strict=True):
                withdraw(place, put, journal)
    for call, now, _ in anew:
        call.repeat(now)


def _names_of(
    keys: Container[int], pairs: Iterable[tuple[Any, Any]], namespace: Mapping[str, Any]
) -> dict[str, set[int]]:
    """Return what functions are called, each with the ids of those that are."""
    names: dict[str, set[int]] = {}
    for _, now in pairs:
        names.setdefault(now.__name__, set()).add(id(now))
    for name, value in copy_space(namespace).items():
        if id(value) in keys:
            names.setdefault(name, set()).add(id(value))
    return names


def _changed(old: Mapping[str, ModuleRecord], made: Mapping[str, ModuleType]) -> Iterator[tuple[Any, Any]]:
    """Yield the functions of modules that are otherwise now, and may put something into a container."""
    for name in old.keys() & made.keys():
        space, now = globals_of(old[name].module), globals_of(made[name])
        for attribute, before in copy_space(space).items():
            after = now.get(attribute)
            if type(before) is type(after) is FunctionType and before.__code__ is not after.__code__:
                is_own = before.__globals__ is space and after.__globals__ is now
                if is_own and _may_put(before.__code__) and not runs_alike(before.__code__, after.__code__):
                    yield before, after


def _may_put(code: CodeType) -> bool:
    """Say whether code, or code in it, may put something into a container: `x[key] = ...`, or by a method."""
    return any(not _PUTTING.isdisjoint(part.co_names) or _STORING in part.co_code[::2] for part in whole(code))


class _RegisteringText(HookText):
    """What the text of a function does with what it is given, beside returning it."""

    def reads(self, node: ast.stmt) -> bool:
        """Say whether a statement does nothing else when it runs again, and note what it does."""
        match node:
            case ast.Return(value=ast.Name(id=name)):
                return name == self._names[0]
        return super().reads(node)


def _read(function: FunctionType) -> HookText | None:
    """Return what a function, or the one that it makes and returns, does; None where its text doesn't say it."""
    code, tree = function.__code__, tree_of(function)
    node = next((part for part in ast.walk(tree) if isinstance(part, ast.FunctionDef)), None) if tree else None
    if node is None or function.__closure__ or code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS):
        return None
    body = [part for part in node.body if not (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))]
    match body:
        case [ast.FunctionDef(name=inner, decorator_list=[]) as made, ast.Return(value=ast.Name(id=name))] if (
            name == inner
        ):
            node = made
    arguments = [*node.args.posonlyargs, *node.args.args]
    if not arguments or node.args.vararg or node.args.kwarg:
        return None
    text = read_text(_RegisteringText, (function, node), None, (arguments[0].arg,))
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
        (name, content, find_there(content, entry, partial(is_alike, replaced={})))
        for (name, content, put) in zip(places, contents, _put_by(call, before, [*places.values()]), strict=True)
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


def _put_by(call: Call, function: Any, places: list[Any]) -> list[list[Entry]]:
    """Return what a call puts into containers, which then are as they were; nothing where it refuses."""
    try:
        with emptied_for_a_moment(places) as put:
            call.repeat(function)
    except Exception:  # noqa: BLE001 - a person's function, which may need what is gone
        return [[] for _ in places]
    return put
