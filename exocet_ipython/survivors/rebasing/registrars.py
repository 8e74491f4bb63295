"""What cells may have registered something with, and that an edit has register it otherwise.

Functions, methods, and classes whose instances are called with it, as in `@Route("/x")`.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from types import FunctionType, MethodType, ModuleType
from typing import Any, cast

from exocet_ipython.loading.classes import first_named, mro_of
from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.loading.trees import whole
from exocet_ipython.reloading.holding.contents import ATOM_IDS, BOUND_IDS, is_plain
from exocet_ipython.reloading.holding.held import home_of
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.survivors.classes import changed_constants
from exocet_ipython.survivors.comparison import runs_alike
from exocet_ipython.survivors.rebasing.calls import Key
from exocet_ipython.survivors.rebasing.constants import changed_globals
from exocet_ipython.survivors.rebasing.hooks import HookText, read_text
from exocet_ipython.survivors.rebasing.retelling import do_alike
from exocet_ipython.survivors.storing.functions import definition_of

__all__ = ["Registrar", "find_changed", "function_of"]

_NOTHING = cast("ast.FunctionDef", ast.parse("def nothing(): pass").body[0])


@dataclass(frozen=True, slots=True, eq=False)
class Registrar:
    """A function or method that registers what cells give it, as it did and as it does now.

    Attributes:
        now: what is called now.
        before: what was called.
        texts: of both.
        names: what cells may call it.
        makes: whether it is a decorator that gave what it was given, and makes something else of that now.
    """

    now: Any
    before: Any
    texts: tuple[RegisteringText, RegisteringText]
    names: AbstractSet[str]
    makes: bool = False

    @property
    def depth(self) -> int:
        """How many calls it takes to register something."""
        return self.texts[0].depth


def find_changed(
    old: Mapping[str, ModuleRecord],
    made: Mapping[str, ModuleType],
    words: Callable[[], Iterable[frozenset[str]]],
    names: Mapping[int, set[str]],
) -> dict[Key, Registrar]:
    """Return what cells may have registered something with, and what does that otherwise now.

    Args:
        old: dotted name -> record of a module that retires.
        made: dotted name -> module that takes its place.
        words: gives those of each cell: what none of them names is nothing with which they have registered.
        names: id of a function -> what the notebook calls it.
    """
    pairs, called = dict[Key, tuple[Any, Any]](), defaultdict[Key, set[str]](set)
    for key, name, before, now in _pairs(old, made):
        pairs[key] = before, now
        called[key] |= {name, now.__name__, *names.get(key[0], ())} if not key[1] else {name}
    said = frozenset[str]().union(*words())
    called_by_cells = [key for key in pairs if not said.isdisjoint(called[key])]
    if not called_by_cells:
        return {}
    otherwise = {name for before, now in _classes(old, made) for name in changed_constants(before, now)}
    spaces = [(globals_of(old[name].module), globals_of(made[name])) for name in old.keys() & made.keys()]
    otherwise |= {name for before, now in spaces for name in changed_globals(before, now)}
    known = {key: {name for names in _names_in(pairs[key][1]) for name in names} for key in called_by_cells}
    helpers = frozenset[str]().union(*known.values())
    edited = {
        key
        for key, (before, now) in pairs.items()
        if key in known or now.__name__ in helpers
        if not (_runs_alike(before, now) and all(map(otherwise.isdisjoint, _names_in(now))))
    }
    asked = {pairs[key][1].__name__ for key in edited}
    found = {}
    for key, names_said in known.items():
        before, now = pairs[key]
        if key not in edited and asked.isdisjoint(names_said):
            continue
        if (texts := _read_both(before, now, otherwise)) is not None:
            found[key] = Registrar(now, before, texts, called[key])
        elif (texts := _read_maker(before, now)) is not None:
            found[key] = Registrar(now, before, texts, called[key], makes=True)
    return found


def _pairs(old: Mapping[str, ModuleRecord], made: Mapping[str, ModuleType]) -> Iterator[tuple[Key, str, Any, Any]]:
    """Yield the functions and methods of modules with those of now, and what they are called there."""
    for name in old.keys() & made.keys():
        space, now = globals_of(old[name].module), globals_of(made[name])
        for attribute, before in copy_space(space).items():
            after = now.get(attribute)
            if type(before) is type(after) is FunctionType:
                if before.__globals__ is space and after.__globals__ is now:
                    yield (id(after), ""), attribute, before, after
            elif type(before) is type(after) is MethodType:
                functions = before.__func__, after.__func__
                if type(functions[0]) is type(functions[1]) is FunctionType and home_of(functions[0]) in old:
                    yield (id(after), ""), attribute, before, after
            elif after is not None and id(type(before)) not in ATOM_IDS:
                for key, one, other in _methods(before, after, name, old):
                    yield key, key[1] or attribute, one, other


def _methods(before: Any, after: Any, home: str, retiring: Container[str]) -> Iterator[tuple[Key, Any, Any]]:
    """Yield the methods of a class of a module, or of an instance of one that the module has, as calls bind them."""
    is_class = issubclass(type(before), type)
    old, new = (before, after) if is_class else (type(before), type(after))
    if issubclass(type(after), type) is not is_class or home_of(old) not in retiring or home_of(new) != home_of(old):
        return
    if is_class and home_of(old) != home:
        return  # another module's, which has it by that name as well
    if is_class and _makes_decorators(before) and _makes_decorators(after):
        yield (id(after), ""), before, after
    kinds = BOUND_IDS if is_class else {id(FunctionType)}  # ids: a metaclass may compare classes in its own way
    spaces = [copy_space(vars(base)) for base in mro_of(old) if home_of(base) in retiring]
    for name in {name: None for space in spaces for name, part in space.items() if id(type(part)) in kinds}:
        parts = first_named(name, mro_of(old)), first_named(name, mro_of(new))
        if type(parts[0]) is not type(parts[1]) or id(type(parts[0])) not in kinds:
            continue
        functions = [part if type(part) is FunctionType else part.__func__ for part in parts]
        if not all(type(function) is FunctionType for function in functions):
            continue
        if type(parts[0]) is staticmethod:
            yield (id(after), name), functions[0], functions[1]
        else:
            key = (id(after), "" if name == "__call__" and not is_class else name)
            yield key, MethodType(functions[0], before), MethodType(functions[1], after)


def function_of(called: Any) -> FunctionType:
    """Return what is called in the end: a function, that of a method, or that of the instances of a class."""
    return _functions_of(called)[0]


def _functions_of(called: Any) -> list[FunctionType]:
    """Return what runs at a call: of a class what its instances are called by, and what they are made by."""
    if type(called) is FunctionType:
        return [called]
    if issubclass(type(called), type):
        found = (first_named(name, mro_of(called)) for name in ("__call__", "__init__", "__post_init__"))
        return [function for function in found if type(function) is FunctionType]
    return [getattr(called, "__func__", called)]


def _is_of_dataclass(function: FunctionType, cls: type) -> bool:
    """Say whether it is `dataclass` that has written a method of a class: that has no text, and sets the fields."""
    return function.__code__.co_filename == "<string>" and first_named("__dataclass_fields__", mro_of(cls)) is not None


def _makes_decorators(cls: type) -> bool:
    """Say whether instances of a class are made in Python's own way, and can be called."""
    is_made_plainly = type(cls) is type and first_named("__new__", mro_of(cls)) is object.__new__
    return is_made_plainly and type(first_named("__call__", mro_of(cls))) is FunctionType


def _runs_alike(before: Any, now: Any) -> bool:
    """Say whether two run the same code, with the same data as defaults."""
    functions = _functions_of(before), _functions_of(now)
    return len(functions[0]) == len(functions[1]) and all(map(_is_same, *functions))


def _is_same(before: FunctionType, now: FunctionType) -> bool:
    is_same = before.__code__ is now.__code__ and before.__defaults__ is now.__defaults__
    if is_same and before.__kwdefaults__ is now.__kwdefaults__:
        return True  # most: what an edit leaves alone is not compiled again
    old, new = ((*(one.__defaults__ or ()), *(one.__kwdefaults__ or {}).values()) for one in (before, now))
    has_others = is_plain((old, new)) and old != new
    return (before.__code__ is now.__code__ or runs_alike(before.__code__, now.__code__)) and not has_others


def _names_in(called: Any) -> Iterator[tuple[str, ...]]:
    return (code.co_names for function in _functions_of(called) for code in whole(function.__code__))


class RegisteringText(HookText):
    """What the text of a function does with what it is given, beside returning it.

    Attributes:
        depth: how many calls it takes: two where it returns a function that does it.
        gives: whether it returns what it was given.
        defines: whether it makes functions, which it may set as attributes.
    """

    depth = 1
    gives = False
    defines = False

    def reads(self, node: ast.stmt) -> bool:
        """Say whether a statement does nothing else when it runs again, and note what it does."""
        match node:
            case ast.FunctionDef(decorator_list=[]):
                self.defines = True
                return True
            case ast.Return(value=ast.Name(id=name)):
                self.gives = name == self._names[0]
                return self.gives
        return super().reads(node)

    def finds_its_own(self, function: ast.FunctionDef) -> bool:
        """Say whether it reads attributes that it sets: it has found those that were there when it first ran."""
        parts = [node for node in ast.walk(function) if isinstance(node, ast.Attribute)]
        return any(part.attr in self.attributes and isinstance(part.ctx, ast.Load) for part in parts)

    def _computes(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Lambda):
            self.defines = True
            return True
        return super()._computes(node)


def _classes(old: Mapping[str, ModuleRecord], made: Mapping[str, ModuleType]) -> Iterator[tuple[type, type]]:
    """Yield the classes of modules with those of now."""
    for name in old.keys() & made.keys():
        now = globals_of(made[name])
        for attribute, before in copy_space(globals_of(old[name].module)).items():
            after: Any = now.get(attribute)
            if issubclass(type(before), type) and issubclass(type(after), type) and home_of(before) == name:
                yield before, after


def _read_both(before: Any, now: Any, otherwise: Collection[str]) -> tuple[RegisteringText, RegisteringText] | None:
    """Return what a function did and does, as their texts say it; None where one of them doesn't, or they do alike.

    One of them may register nothing.
    """
    first, second = _read(before), _read(now)
    if first is None or second is None or not any(text.places() or text.attributes for text in (first, second)):
        return None
    return None if _runs_alike(before, now) and do_alike([first], [second], otherwise) else (first, second)


def _read_maker(before: Any, now: Any) -> tuple[RegisteringText, RegisteringText] | None:
    """Return what a function did that gave what it was given, where its text of now makes something else of that.

    What it registers now is not read: its call does that.
    """
    if not type(before) is type(now) is FunctionType or (text := _read(before)) is None or not text.gives:
        return None
    if _read(now) is not None or not isinstance(definition_of(now), ast.FunctionDef):
        return None
    nothing = read_text(RegisteringText, (now, _NOTHING), None, ("",))
    return None if nothing is None else (text, nothing)


def _read(called: Any) -> RegisteringText | None:
    """Return what is done by a call, or by a call of what that returns; None where no text says it."""
    function, *makers = _functions_of(called)
    if not issubclass(type(called), type):
        return _read_body(function, *((called.__self__, 1) if type(called) is MethodType else (None, 0)))
    text = _read_body(function, None, 1)
    if text is None or text.depth > 1:
        return None
    for maker in makers:
        if _is_of_dataclass(maker, called):
            text.functions = [*text.functions, maker]
            continue
        made = _read_body(maker, None, 0)  # it is itself given the instance
        if made is None or made.depth > 1 or made.places():
            return None
        text.functions = [*text.functions, *made.functions]
    text.depth = 2
    return text


def _read_body(function: FunctionType, owner: Any, owners: int) -> RegisteringText | None:
    """Return what a function, or the one that it makes and returns, does; None where its text doesn't say it.

    Args:
        function: it.
        owner: the class or instance of which it is a method; None where it is of none, or of one yet to be made.
        owners: how many arguments there are before the one that it is told of: 1 in a method.
    """
    node = definition_of(function)
    if not isinstance(node, ast.FunctionDef) or function.__closure__:
        return None
    body = [part for part in node.body if not (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))]
    arguments = [part.arg for part in (*node.args.posonlyargs, *node.args.args)]
    own, given, depth = arguments[:owners], arguments[owners:], 1
    match body:
        case [ast.FunctionDef(name=inner, decorator_list=[]) as made, ast.Return(value=ast.Name(id=name))] if (
            name == inner
        ):
            node, given, depth = made, [part.arg for part in (*made.args.posonlyargs, *made.args.args)], 2
    if not given or node.args.vararg or node.args.kwarg:
        return None
    text = read_text(RegisteringText, (function, node), owner, (given[0], *own))
    if text is None or (text.defines and text.finds_its_own(node)):
        return None
    text.depth = depth
    return text
