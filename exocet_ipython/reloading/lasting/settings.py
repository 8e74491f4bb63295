"""What a module's body sets in objects that outlive it: the level of a logger, an environment variable, an option.

A body that runs again sets them again, where cells may have set them otherwise since: after a restart these cells would
run after it. So what the bodies have left is noted, as marks: nothing is held. Where something differs from its mark by
now, others have set it since.
"""

from __future__ import annotations

import ast
import functools
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import FunctionType, MethodType, ModuleType
from typing import Any

from exocet_ipython.loading.classes import module_said_by
from exocet_ipython.loading.spaces import globals_of
from exocet_ipython.reloading.holding.contents import dict_of, is_plain
from exocet_ipython.reloading.scope import is_own_folder

__all__ = [
    "MISSING",
    "Setting",
    "attribute_of",
    "evaluate",
    "is_librarys",
    "is_of_own_code",
    "is_own",
    "mark_of_value",
    "parse",
    "take_marks",
]

MISSING = object()  # what an entry is that is not there


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that a body sets.

    Attributes:
        home: dotted name of the module in whose globals its owner is found; "" for the body's own.
        owner: the expression for what has it; "" for the module itself.
        way: how it is read and written: as an `attribute`, as an `item`, as a `member` of a set, or by a pair of
            `methods`; that of a `list` is written as a whole, by who knows more.
        key: the attribute's name, the key, the member, or the names of the methods that give and set it, with their
            first arguments.
        is_certain: whether what the body leaves there doesn't depend on what was there.
    """

    home: str
    owner: str
    way: str
    key: Any
    is_certain: bool = True

    def __str__(self) -> str:
        """As a person would write it.

        >>> print(Setting("", "os.environ", "item", "HOME"))
        os.environ['HOME']
        """
        owner = ".".join(part for part in (self.home, self.owner) if part)
        if self.way in ("item", "member"):
            return f"{owner}[{self.key!r}]"
        if self.way == "list":
            return owner
        return f"{owner}.{self.key if self.way == 'attribute' else self.key[1]}"

    def find(self, space: Mapping[str, Any]) -> Any:
        """Return what has it, found from a module's globals.

        Raises:
            Exception: whatever comes of looking for it.
        """
        if not self.owner:
            return sys.modules[self.home]
        return evaluate(parse(self.owner), globals_of(sys.modules[self.home]) if self.home else space)

    def read(self, owner: Any) -> Any:
        """Return its value; `MISSING` where an entry is not there.

        >>> Setting("", "log", "attribute", "real").read(3)
        3
        """
        if self.way == "attribute":
            return attribute_of(owner, self.key, MISSING)
        if self.way == "item":
            return owner.get(self.key, MISSING)
        if self.way == "member":
            return True if self.key in owner else MISSING
        getter, _, first = self.key
        return getattr(owner, getter)(*first)

    def write(self, owner: Any, value: Any) -> None:
        """Give it a value, by the object's own method for that where it has one: it may derive something from it."""
        if self.way == "item":
            if value is MISSING:
                del owner[self.key]
            else:
                owner[self.key] = value
        elif self.way == "member":
            (owner.discard if value is MISSING else owner.add)(self.key)
        elif self.way == "methods":
            _, setter, first = self.key
            if issubclass(type(value), dict) and not first:
                getattr(owner, setter)(**value)
            else:
                getattr(owner, setter)(*first, value)
        elif value is MISSING:
            delattr(owner, self.key)
        elif (setter := _setter(owner, self.key)) is not None:
            getattr(owner, setter)(value)
        else:
            setattr(owner, self.key, value)


def take_marks(module: Any, settings: Iterable[Setting]) -> dict[Setting, int]:
    """Return the marks of what is set by now, as far as it can be told, of what a module's body sets."""
    found: dict[Setting, int] = {}
    space = globals_of(module)
    for setting in dict.fromkeys(one for one in settings if one.way != "list"):
        try:
            mark = mark_of_value(setting, setting.find(space))
        except Exception:  # noqa: BLE001, S112 - the path to it needs names that are gone: nothing can be said of it
            continue
        if mark is not None:
            found[setting] = mark
    return found


def mark_of_value(setting: Setting, owner: Any) -> int | None:
    """Return a number that changes with what is set; None where that can't be told.

    Raises:
        Exception: whatever the owner raises that is asked.
    """
    value = setting.read(owner)
    if is_plain(value):
        return hash((type(value).__name__, repr(value)))
    if setting.way == "methods" and type(value) in (dict, tuple, list):
        return hash(repr(value))
    return id(value) if setting.read(owner) is value else None


def _setter(owner: Any, attribute: str) -> str | None:
    """Return the name of the method of an instance that sets an attribute, where it has one: `setLevel` of `level`."""
    names = f"set{attribute[:1].upper()}{attribute[1:]}", f"set_{attribute}"
    return next((name for name in names if callable(getattr(type(owner), name, None))), None)


@functools.lru_cache(1_000)
def parse(text: str) -> ast.expr:
    """Return what the text of an expression means.

    Raises:
        SyntaxError: it is none.
    """
    return ast.parse(text.strip(), mode="eval").body


def evaluate(node: ast.expr, space: Mapping[str, Any]) -> Any:
    """Return the value of a path, a constant, or of a library's function that gives something, as `getLogger`.

    >>> evaluate(parse("sys.float_info.dig"), {"sys": sys})
    15

    Raises:
        Exception: it has none, or something else would have to run for it.
    """
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return space[name]
        case ast.Attribute(value=owner, attr=name):
            return attribute_of(evaluate(owner, space), name)
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name) as function, args=args, keywords=[]):
            called = evaluate(function, space)
            if name.startswith("get") and is_librarys(called):
                return called(*(evaluate(argument, space) for argument in args))
    message = f"not to be evaluated a second time: {ast.unparse(node)}"
    raise ValueError(message)


def is_librarys(function: Any) -> bool:
    """Say whether what can be called is Python's or a library's, so that calling it does nothing of the person's.

    >>> is_librarys(sys.getrecursionlimit), is_librarys(os.path.join), is_librarys(os.environ.get)
    (True, True, True)
    """
    code = getattr(function, "__code__", None)
    return not is_own_folder(os.path.dirname(_file_of(type(function)) if code is None else code.co_filename))


def attribute_of(owner: Any, name: str, *default: Any) -> Any:
    """Return an attribute; what is of the person's own code is asked nothing: only what it has itself counts.

    Raises:
        AttributeError: it has none, and no default is given.
    """
    space = globals_of(owner) if issubclass(type(owner), ModuleType) else dict_of(owner) or {}
    return space[name] if name in space else getattr(None if is_own(owner) else owner, name, *default)


def is_own(value: Any) -> bool:
    """Say whether a value is a module of the person's own, or an instance of a class of theirs.

    >>> is_own(sys), is_own([])
    (False, False)
    """
    is_module = issubclass(type(value), ModuleType)
    file = globals_of(value).get("__file__") if is_module else _file_of(type(value))
    return is_own_folder(os.path.dirname(file or ""))


def is_of_own_code(value: Any) -> bool:
    """Say whether a value is a module, class, function or method of the person's own, or an instance of such a class.

    >>> is_of_own_code(sys), is_of_own_code(dict), is_of_own_code(os.path.join)
    (False, False, False)
    """
    kind = type(value)
    if kind is MethodType:
        return is_of_own_code(value.__func__)
    if kind is FunctionType:
        return not is_librarys(value)
    return is_own_folder(os.path.dirname(_file_of(value))) if issubclass(kind, type) else is_own(value)


def _file_of(cls: type) -> str:
    """Return the file of the module that a class is of; nothing where it has none."""
    home = module_said_by(cls)
    return getattr(sys.modules.get(home), "__file__", None) or ""
