"""Closures made again: by calls of the new code of the functions that made them, with what they had been given."""

from __future__ import annotations

import ast
import dis
import gc
import inspect
from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from types import CodeType, FunctionType
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from exocet_ipython.loading.cells import texts_of_cells
from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.loading.trees import whole
from exocet_ipython.reloading.holding.contents import is_registry, variables_around
from exocet_ipython.reloading.holding.parameters import defaults_of
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.ladder.operations import parameters_of
from exocet_ipython.survivors.dropped import dropped_by, keep_dropped
from exocet_ipython.survivors.forwarders import rebuild_closure
from exocet_ipython.survivors.inner import Inner, is_stored
from exocet_ipython.survivors.rebasing.putting import Entry, emptied_for_a_moment, find_there, take_out_entry
from exocet_ipython.survivors.rebuilt import Replacement, or_same
from exocet_ipython.survivors.repeating.entries import entries
from exocet_ipython.survivors.sparing import sparing_globals
from exocet_ipython.survivors.storing.functions import definition_of

__all__ = [
    "Again",
    "fills_nothing",
    "in_order_made",
    "on_current_names",
    "only_makes",
    "registers_by_now",
    "remake_closure",
]

_LOADS = ("LOAD_FAST", "LOAD_DEREF", "STORE_FAST_LOAD_FAST")
_SETS = frozenset(("STORE_ATTR", "DELETE_ATTR"))
_PUTS = frozenset(("STORE_SUBSCR", "DELETE_SUBSCR"))
_LATER = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR  # what a call of it doesn't run
_makers: WeakKeyDictionary[CodeType, bool] = WeakKeyDictionary()


class Again(NamedTuple):
    """What calls with the same arguments gave: of the old functions, and of the new ones."""

    before: Any
    now: Any

    def merged(self, old: FunctionType, inner: Inner) -> Any:
        """Return the new closure with the variables of an old one where both have them: their values may be its own."""
        made = self.now
        known = (*inner.variables_of(old).values(), *copy_space(inner.namespace).values())
        if type(made) is not FunctionType or any(part is made for part in known):
            return made  # an object with what it needs, the very function that the old one was made of, or the module's
        if made.__code__ is not inner.new:
            vars(made).update({**vars(old), **vars(made)})
            return made
        cells = made.__closure__ or ()
        made = rebuild_closure(old, inner, made)
        vars(made).update({**vars(self.now), **vars(made)})
        for cell in cells:
            if any(part is self.now for part in gc.get_referents(cell)):
                cell.cell_contents = made
        return made


class _Call(NamedTuple):
    args: tuple[Any, ...]
    keywords: dict[str, Any]


def remake_closure(
    old: FunctionType, inner: Inner, replaced: Replacement, journal: Journal, *, registers: bool
) -> Again | None:
    """Return what the new functions make of what an old closure was made of; None where that can't be told.

    The arguments are known from the variables that it has. What it has not is left out; whether it was left out before
    is tried with the old functions, which must make the same closure of it. Where the new function makes no such one
    any more, it may do more than that, as a decorator does that registers what it is given.

    Args:
        old: a function that retired functions made.
        inner: where that is in them.
        replaced: what takes the place of other such functions, of which this one may have been made.
        journal: how it is taken back that the closure leaves the registries into which the old functions had put it.
        registers: what `registers_by_now` says of `inner`: its answer takes reading texts, and many closures share it.
    """
    path = inner.path()
    codes, known = [inner.before.__code__, *path[:-1]], inner.variables_of(old)
    places = {}
    if inner.new is None or registers:
        places = _registries_of(inner.before)
        if not (_returns(inner.maker) and all(only_makes(code, puts=bool(places)) for code in codes)):
            return None
    elif not all(map(only_makes, (*codes, inner.maker.__code__))):
        return None
    for switched in _switched(inner.before, known):
        writes = Journal()
        try:
            calls = list(_calls(codes, known | switched))
            with emptied_for_a_moment([*places.values()]) as put, sparing_globals(inner.before):
                before = _made(inner.before, calls, path)
            if type(before) is not FunctionType:
                continue
            for name, made in zip(places, put, strict=True):
                _take_out(inner.namespace.get(name), made, {id(before): (before, old)}, writes)
            renewed = {name: or_same(value, replaced) for name, value in known.items()}
            with sparing_globals(inner.maker, inner.before):
                now = _made(inner.maker, list(_calls(codes, renewed | switched)), [])
        except Exception:  # noqa: BLE001 - a person's code with arguments that may not be all of them
            writes.undo()
            continue
        if callable(now) and now is not old:
            journal.add(writes.undo)
            return Again(before, now)
        writes.undo()
    return None


def on_current_names(old: FunctionType, inner: Inner) -> FunctionType | None:
    """Return an old closure whose code finds the new module's globals; None where they lack what it names.

    What it makes and compares then is of the current classes, as all that has moved.
    """
    names = [name for code in whole(old.__code__) for name in code.co_names if name in old.__globals__]
    if not all(name in inner.namespace for name in names):
        return None
    made = FunctionType(old.__code__, inner.namespace, old.__name__, old.__defaults__, old.__closure__)
    made.__kwdefaults__, made.__annotations__ = old.__kwdefaults__, old.__annotations__
    made.__module__, made.__qualname__, made.__doc__ = old.__module__, old.__qualname__, old.__doc__
    vars(made).update(vars(old))
    keep_dropped(made, dropped_by(old))
    return made


def in_order_made(closures: Collection[FunctionType]) -> list[FunctionType]:
    """Return closures in the order in which cells define the functions that they were made of, the others last."""
    files = {file: -place for place, (file, _) in enumerate(texts_of_cells())} if closures else {}

    def place_of(closure: FunctionType) -> tuple[float, int]:
        codes = [part.__code__ for part in variables_around(closure).values() if type(part) is FunctionType]
        known = ((files[code.co_filename], code.co_firstlineno) for code in codes if code.co_filename in files)
        return next(known, (1, 0))

    return sorted(closures, key=place_of)


def registers_by_now(inner: Inner) -> bool:
    """Say whether the new function puts something into registries, and the retired one did not."""
    return bool(_registries_of(inner.maker)) and not _registries_of(inner.before)


def fills_nothing(function: FunctionType) -> bool:
    """Say whether the text of a function is there, and puts nothing into anything."""
    node = definition_of(function)
    return node is not None and not [*_names_filled(node, ast.Subscript), *_names_filled(node, ast.Attribute)]


def _registries_of(maker: Any) -> dict[str, Any]:
    """Return the containers of its module into which a function puts something, by name.

    Nothing where it puts something under a key of what is none of these.
    """
    node = definition_of(maker) if type(maker) is FunctionType else None
    found = {name: maker.__globals__.get(name) for name in _names_filled(node, ast.Subscript)}
    if not all(map(is_registry, found.values())):
        return {}
    more = {name: maker.__globals__.get(name) for name in _names_filled(node, ast.Attribute)}
    return found | {name: part for name, part in more.items() if is_registry(part)}


def _names_filled(function: ast.AST | None, kind: type[ast.Subscript | ast.Attribute]) -> Iterator[str]:
    """Yield the names of what a function gives an item, or calls such a method of; "" for what has none."""
    for node in ast.walk(function) if function is not None else ():
        match node:
            case (
                ast.Subscript(value=held, ctx=ast.Store() | ast.Del())
                | ast.Call(func=ast.Attribute(value=held, attr="append" | "add"))
            ) if isinstance(node, ast.Subscript) is (kind is ast.Subscript):
                yield held.id if isinstance(held, ast.Name) else ""


def _take_out(container: Any, made: Iterable[Entry], replaced: Replacement, journal: Journal) -> None:
    for entry in made if is_registry(container) else ():
        if (there := find_there(entries(container), entry, replaced)) is not None:
            take_out_entry(container, there, journal)


def only_makes(code: CodeType, *, puts: bool = False, fills: bool = False) -> bool:
    """Say whether a function makes something of what it is given, returns it, and by its text changes none of that.

    One that assigns to an attribute or an item of a parameter, or calls a method of one, may: `self.hooks.append(f)`.

    Args:
        code: of the function.
        puts: whether all that it assigns to items is known.
        fills: whether it is an `__init__`, which sets attributes of its first parameter and returns nothing.
    """
    if puts:
        return _reads_as_maker(code, ())
    if fills:
        return _reads_as_maker(code, is_init=True)
    known = _makers.get(code)  # one function may have made hundreds
    if known is None:
        known = _makers[code] = _reads_as_maker(code)
    return known


def _returns(maker: Any) -> bool:
    """Say whether a call of a function runs it, and gives something; that of a class gives an instance."""
    if type(maker) is not FunctionType:
        return True
    code = maker.__code__
    constants = [part.argval for part in dis.get_instructions(code) if part.opname == "RETURN_CONST"]
    return not code.co_flags & _LATER and constants != [None]


def _reads_as_maker(code: CodeType, changes: Container[str] = _PUTS, *, is_init: bool = False) -> bool:
    given = {*parameters_of(code)[is_init:], *code.co_freevars}
    returned, is_given, is_none = is_init, False, False
    for part in dis.get_instructions(code):
        name, value = part.opname, part.argval
        if name in changes or (is_given and (name in _SETS or _is_method(part))):
            return False
        returned |= name == "RETURN_VALUE" and not is_none
        is_none = name == "LOAD_CONST" and value is None
        is_load = name.startswith(_LOADS)
        loaded = value[-1] if is_load and type(value) is tuple else value  # two at once, since Python 3.13
        is_given = (is_given and name == "LOAD_ATTR") or (is_load and loaded in given)
    return returned and not code.co_flags & _LATER


def _is_method(part: dis.Instruction) -> bool:
    """Say whether an instruction gets a method to call it: since Python 3.12 that is a flag of `LOAD_ATTR`."""
    return part.opname == "LOAD_METHOD" or (part.opname == "LOAD_ATTR" and "NULL|self" in part.argrepr)


def _switched(maker: FunctionType, known: Mapping[str, Any]) -> Iterator[dict[str, bool]]:
    """Yield arguments to try beside the known ones: none, and each of the switches that is not as by default."""
    yield {}
    for name, value in defaults_of(maker).items():
        if type(value) is bool and name not in known:
            yield {name: not value}


def _calls(codes: list[CodeType], known: Mapping[str, Any]) -> Iterator[_Call]:
    """Yield the arguments of each function of a chain, as far as they are known."""
    for code in codes:
        names = parameters_of(code)
        stars = iter(code.co_varnames[len(names) :])
        given = {name: known[name] for name in names if name in known and not is_stored(name, code)}
        first = names[: code.co_argcount]
        until = next((at for at, name in enumerate(first) if name not in given), len(first))
        args = tuple(given.pop(name) for name in first[:until])
        if code.co_flags & inspect.CO_VARARGS:
            args += tuple(known.get(next(stars), ()))
        if code.co_flags & inspect.CO_VARKEYWORDS:
            given |= known.get(next(stars), {})
        yield _Call(args, given)


def _made(function: Any, calls: list[_Call], path: list[CodeType]) -> Any:
    """Call one function after the other; None where one is not of the code that it has to be."""
    for place, call in enumerate(calls):
        function = function(*call.args, **call.keywords)
        if path and not (type(function) is FunctionType and _is_same(function.__code__, path[place])):
            return None
    return function


def _is_same(code: CodeType, other: CodeType) -> bool:
    """Say whether two code objects are one but for the labels that retired code gets."""
    same = ("co_code", "co_name", "co_qualname", "co_firstlineno", "co_names", "co_freevars")
    return code is other or all(getattr(code, part) == getattr(other, part) for part in same)
