"""Hooks of bases that are told of a cell's class again, as a restart does when it runs the `class` statement.

`__init_subclass__` may have another text now, or collect what the bases have (`cls.fields = [*super().fields, ...]`).
It is told again only where that does nothing twice: where its text shows that it sets attributes of the class, computes
these with Python's own functions, and puts the class into containers.
"""

from __future__ import annotations

import ast
import builtins
import inspect
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from exocet_ipython.loading.classes import delete_attribute, set_attribute
from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.reloading.contents import is_registry
from exocet_ipython.reloading.generation import Journal
from exocet_ipython.survivors.carrying.entries import entries, take_out
from exocet_ipython.survivors.carrying.functions import tree_of
from exocet_ipython.survivors.comparison import runs_alike
from exocet_ipython.survivors.moving.told import HOOK, hooked, tell

__all__ = ["Retelling", "plan_retelling", "put_back"]

# Functions of Python's own that do more than to compute something, and the methods that do no more.
_DOING = ("__build_class__", "__import__", "anext", "breakpoint", "delattr", "eval", "exec", "exit", "help", "input")
_FUNCTIONS = frozenset(vars(builtins)).difference(_DOING, ("next", "open", "print", "quit", "setattr"))
_METHODS = frozenset((*dir(str), *dir(tuple), *dir(frozenset), "get", "items", "keys", "mro", "values"))
_missing = object()


@dataclass(frozen=True, slots=True)
class Retelling:
    """How the hooks of the bases of a class are told of it again.

    Attributes:
        tellers: those bases, each with what takes its place, where one has another text: what it registered goes first.
        attributes: the names of those that they set.
        answers: those of them that are as the hooks have set them, and no one since.
        is_taken_out: whether a cell has taken the class out of where they put it, and it goes there only for a moment.
    """

    tellers: tuple[tuple[type, type], ...]
    attributes: frozenset[str]
    answers: frozenset[str]
    is_taken_out: bool = False

    def tell(self, cls: Any) -> None:
        """Tell the hooks of a class; attributes that a cell has set since its statement stay."""
        before = copy_space(vars(cls))
        tell(cls)
        put_back(cls, self.attributes - self.answers, before)


def plan_retelling(cls: type, counterparts: Mapping[int, type]) -> Retelling | None:
    """Return how hooks are to be told of a class again when its bases are replaced; None where they are not.

    Args:
        cls: the class, with the bases of before.
        counterparts: id of a retired class -> what takes its place.
    """
    before = [*hooked(cls.__bases__)]
    now = [counterparts.get(id(teller), teller) for teller in before]
    is_concerned = any(id(teller) in counterparts for teller in before)
    if not (is_concerned and all(HOOK in vars(teller) for teller in now)):
        return None
    known = [text for teller in (*before, *now) if (text := _read_hook(teller)) is not None]
    if len(known) < len(before) + len(now):
        return None
    attributes = frozenset(name for text in known for name in text.attributes)
    pairs, texts = tuple(zip(before, now, strict=True)), known[: len(before)]
    is_news = any(not runs_alike(*(vars(one)[HOOK].__func__.__code__ for one in pair)) for pair in pairs)
    if not is_news and (not attributes or any(text.lists() or not text.names(cls) for text in texts)):
        return None
    asked = _ask(cls, attributes, texts)
    if asked is None and not is_news:
        return None
    answers, is_alike = asked or (attributes, False)
    if any(text.takes_more for text in known) and not (is_alike and answers == attributes):
        return None  # the statement has given it more, or a cell has changed something: which, nothing tells
    return Retelling(pairs if is_news else (), attributes, answers, any(text.is_without(cls) for text in texts))


def _ask(cls: type, attributes: frozenset[str], hooks: Sequence[_Text]) -> tuple[frozenset[str], bool] | None:
    """Return which attributes of a class its hooks give again as they are, and whether they put it where it is.

    What they do is taken back. None where they refuse the class by now: one that has it already, say.
    """
    places = [place for hook in hooks for place in hook.places()]
    before, had = copy_space(vars(cls)), [list(entries(place)) for place in places]
    try:
        tell(cls)
    except Exception:  # noqa: BLE001 - a person's hook, which may need what is gone
        return None
    finally:
        now, have = copy_space(vars(cls)), [list(entries(place)) for place in places]
        put_back(cls, attributes, before)
        for place, content in zip(places, had, strict=True):
            _restore(place, content)
    answers = (name for name in attributes if _is_equal(before.get(name, _missing), now.get(name, _missing)))
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


def _is_equal(before: Any, now: Any) -> bool:
    try:
        return bool(before == now)
    except Exception:  # noqa: BLE001 - arrays have no truth, and a person's class may refuse
        return False


def put_back(cls: type, names: Collection[str], before: Mapping[str, Any]) -> None:
    """Give a class the attributes of some names that it had before, and take off those that it had not."""
    now = copy_space(vars(cls))
    for name in names:
        if name in before and now.get(name, _missing) is not before[name]:
            set_attribute(cls, name, before[name])
        elif name not in before and name in now:
            delete_attribute(cls, name)


def _read_hook(teller: type) -> _Text | None:
    """Return what the hook of a class does; None where its text doesn't say it, or it takes more than the class."""
    function = getattr(vars(teller)[HOOK], "__func__", None)
    if type(function) is not FunctionType:
        return None
    code, tree = function.__code__, tree_of(function)
    others = code.co_argcount - 1 + code.co_kwonlyargcount
    given = len(function.__defaults__ or ()) + len(function.__kwdefaults__ or ())
    if others != given or code.co_flags & inspect.CO_VARARGS or tree is None:
        return None
    node = next((part for part in ast.walk(tree) if isinstance(part, ast.FunctionDef)), None)
    if node is None:
        return None
    places = {name: part for name, part in copy_space(function.__globals__).items() if is_registry(part)}
    places |= {f".{name}": part for name, part in copy_space(vars(teller)).items() if is_registry(part)}
    names = code.co_varnames[0], teller.__name__
    text = _Text(places, names, node.args.kwarg.arg if node.args.kwarg else "", takes_more=others > 0)
    return text if all(map(text.reads, node.body)) else None


def _has(container: Any, cls: type) -> bool:
    return any(cls is key or cls is value for key, value in entries(container))


class _Text:
    """What the text of a hook says that it does.

    Args:
        places: the containers that it may mean, by name; those of its own class with a dot before it.
        names: what it calls the class that it is told of, and its own.
        keywords: what it calls the keywords that it hands on.
        takes_more: whether it takes keywords of its own.

    Attributes:
        attributes: the names of the attributes of the class that it sets.
    """

    def __init__(self, places: Mapping[str, Any], names: tuple[str, str], keywords: str, *, takes_more: bool) -> None:
        self.attributes, self.takes_more = set[str](), takes_more
        self._places, self._names, self._keywords = places, names, keywords
        self._containers: set[str] = set()

    def names(self, cls: type) -> bool:
        """Say whether each container into which it puts classes has this one."""
        return all(_has(place, cls) for place in self.places())

    def is_without(self, cls: type) -> bool:
        """Say whether it puts classes into containers, and none of these has this one."""
        return bool(self._containers) and not any(_has(place, cls) for place in self.places())

    def places(self) -> list[Any]:
        """Return the containers into which it puts classes."""
        return [self._places[name] for name in self._containers]

    def lists(self) -> list[Any]:
        """Return the lists and queues into which it puts classes: they have one twice when it is told twice."""
        return [place for place in self.places() if hasattr(place, "append")]

    def reads(self, node: ast.stmt) -> bool:
        """Say whether a statement does nothing else when it runs again, and note what it does."""
        match node:
            case ast.Pass() | ast.Return(value=None) | ast.Raise() | ast.Assert() | ast.Expr(value=ast.Constant()):
                return True
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=held, attr=attr), args=args)):
                if attr == HOOK:
                    return isinstance(held, ast.Call) and ast.unparse(held.func) == "super"
                return attr in ("append", "add") and all(map(self._is_class, args)) and self._is_container(held)
            case ast.Assign(targets=[target], value=value):
                return self._sets(target, value)
            case ast.If(test=value, body=body, orelse=others) | ast.For(iter=value, body=body, orelse=others):
                return self._computes(value) and all(map(self.reads, [*body, *others]))
        return False

    def _sets(self, target: ast.expr, value: ast.expr) -> bool:
        match target:
            case ast.Attribute(value=owner, attr=name) if self._is_class(owner):
                self.attributes.add(name)
                return self._computes(value)
            case ast.Subscript(value=held, slice=key) if self._is_class(value):
                return self._is_container(held) and self._computes(key)
        return isinstance(target, ast.Name) and self._computes(value)

    def _is_class(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and node.id == self._names[0]

    def _is_container(self, node: ast.expr) -> bool:
        match node:
            case ast.Name(id=name):
                place = name
            case ast.Attribute(value=ast.Name(id=owner), attr=name) if owner in self._names:
                place = f".{name}"
            case _:
                return False
        self._containers.add(place)
        return place in self._places

    def _computes(self, node: ast.expr) -> bool:
        return all(map(self._is_plain, ast.walk(node)))

    def _is_plain(self, node: ast.AST) -> bool:
        match node:
            case ast.Call(func=ast.Name(id=name)):
                return name in _FUNCTIONS
            case ast.Call(func=ast.Attribute(attr=name)):
                return name in _METHODS
            case ast.Name(id=name):
                return name != self._keywords
        return not isinstance(node, (ast.Await, ast.Call, ast.NamedExpr, ast.Yield, ast.YieldFrom))
