"""The code that may run when a module is imported: its own, and functions of other modules of the person's.

A function counts where code that counts names it. That it is defined is not enough: what a function reads that only
cells call is read again at its next call, and what it writes is no source of its module. One that keeps its answers
(`@cache def settings()`) doesn't read again, and counts.
"""

from __future__ import annotations

import dis
import functools
import os
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from types import CodeType, FunctionType, ModuleType
from typing import Any

from exocet_ipython.loading.classes import module_said_by
from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.loading.trees import whole
from exocet_ipython.reloading.holding.contents import ATOM_IDS, BOUND_IDS, CACHE, attributes_of, dict_of
from exocet_ipython.reloading.ladder.operations import is_class_body, iter_operations, words
from exocet_ipython.reloading.scope import is_own_folder

__all__ = ["READING", "Readers", "readers_at_import", "reads_elsewhere"]

_STANDARD = sys.stdlib_module_names
_MANY = 40  # functions of other modules
_LONG = 200  # characters: a longer string is no path
_NAMING = frozenset(dis.hasname) - {dis.opmap["STORE_NAME"], dis.opmap["DELETE_NAME"]}
_STANDING_FOR = frozenset(map(id, (CACHE, classmethod, functools.cached_property, property, staticmethod)))
_UNNAMED = ("<lambda>", "<listcomp>", "<genexpr>", "<dictcomp>", "<setcomp>")
READING = frozenset(
    words(
        "fromfile genfromtxt get_data imread loadtxt open open_binary open_text read_binary read_bytes read_csv "
        "read_excel read_json read_parquet read_pickle read_table read_text run_path SourceFileLoader "
        "spec_from_file_location"
    )
)


@dataclass(frozen=True, slots=True)
class Readers:
    """The code that may run at an import.

    Attributes:
        codes: it.
        folders: those of the files that it is in.
        places: the paths of files and folders among the values that it names, and in instances.
        functions: those of other modules.
        keeping: ids of those of them that may give what they have given before: they remember it, or are methods of an
            instance that another module has.
    """

    codes: list[CodeType]
    folders: list[str]
    places: list[str]
    functions: list[FunctionType]
    keeping: set[int]


def readers_at_import(code: CodeType, here: str, space: Mapping[str, Any]) -> Readers:
    """Return the code of a module's body and its classes' bodies, and the functions that these name, and those they do.

    Args:
        code: of the module's body.
        here: the folder of the module.
        space: its globals, as the body has left them. Functions of other modules are found there, if they read files.
    """
    own = _own(code, [name for name, value in space.items() if type(value) is CACHE])
    search = _Search(space)
    functions = list(search.find(set(_named(part)) for part in own))
    if not _any_reads(functions):
        functions = []
    others = [part for function in functions for part in whole(function.__code__)]
    folders = [here, *(os.path.dirname(function.__code__.co_filename) for function in functions)]
    places = [*dict.fromkeys(search.places)]
    return Readers([*own, *others], [*dict.fromkeys(folders)], places, functions, search.keeping)


def reads_elsewhere(code: CodeType, space: Mapping[str, Any]) -> bool:
    """Say whether functions of other modules that a body names may read files, or what these call.

    Asked of each module that is imported: it is in a hurry, and says yes of too many.
    """
    names = code.co_names
    for name in names:
        value: Any = space.get(name)
        kind: Any = type(value)
        if kind is FunctionType or kind is CACHE:
            function = _function_of(value)
            if type(function) is FunctionType and function.__globals__ is not space and _may_read(function):
                return True
        elif kind is ModuleType:
            if value.__name__ not in _STANDARD and any(map(_may_read, map(value.__dict__.get, names))):
                return True
        elif kind is not str and kind is not int:
            cls = value if issubclass(kind, type) else kind
            home = module_said_by(cls)
            if home not in _STANDARD and home != space.get("__name__"):
                parts = list(type.__getattribute__(cls, "__dict__").values())
                if any(map(_may_read, parts)) and _is_own(cls):
                    return True
    return False


def _may_read(value: Any) -> bool:
    """Say whether a value is or stands for a function that names what reads files, or another function that does."""
    value = _function_of(value) if id(type(value)) in _STANDING_FOR else value
    if type(value) is not FunctionType:
        return False
    names, space = value.__code__.co_names, value.__globals__
    if not READING.isdisjoint(names):
        return True
    for name in names:
        other: Any = space.get(name)
        if type(other) is CACHE:
            other = other.__wrapped__
        if type(other) is FunctionType and not READING.isdisjoint(other.__code__.co_names):
            return True
    return False


def _own(code: CodeType, keeping: Collection[str]) -> list[CodeType]:
    inside = list(whole(code))[1:]
    reached = [code, *(inner for inner in inside if is_class_body(inner))]
    functions: dict[str, list[CodeType]] = {}
    for inner in inside:
        if is_class_body(inner):
            continue
        if inner.co_name[:2] == "__":  # Python itself calls these
            reached.append(inner)
        else:
            functions.setdefault(inner.co_name, []).append(inner)
    for part in reached:
        for name in (*_named(part), *_UNNAMED, *keeping):
            reached += functions.pop(name, ())
    return reached


def _named(code: CodeType) -> Iterator[str]:
    """Yield the names that code uses; those that a body only gives to something are not used by it."""
    if not is_class_body(code):
        yield from code.co_names
        return
    for _, operation, argument in iter_operations(code):
        if operation in _NAMING:
            yield argument[0] if type(argument) is tuple else argument


class _Search:
    """Looks for what code finds under the names that it uses: functions of other modules, and paths.

    Attributes:
        places: the paths.
        keeping: ids of the functions that may give what they have given before.

    Args:
        space: the globals of the module.
    """

    def __init__(self, space: Mapping[str, Any]) -> None:
        self.places: list[str] = []
        self.keeping: set[int] = set()
        self._space = space
        self._seen: set[int] = set()
        self._known: set[int] = set()  # ids of what was looked at, which the module and those that it names hold
        self._classes: dict[int, dict[str, list[Any]]] = {}  # id of a class -> what it and its own bases have, by name

    def find(self, named: Iterable[Collection[str]]) -> Iterator[FunctionType]:
        """Yield the person's functions that code may call, of other modules, and those that these may.

        Args:
            named: the names that pieces of the module's own code use.
        """
        waiting = [(names, [self._space.get(name) for name in names]) for names in named]
        for names, values in waiting:
            for function, owner in (found for value in values for found in self._look_at(value, names)):
                if function.__globals__ is self._space or id(function) in self._seen or len(self._seen) >= _MANY:
                    continue
                self._seen.add(id(function))
                yield function
                used = {name for part in whole(function.__code__) for name in part.co_names}
                waiting.append((used, [owner, *map(function.__globals__.get, used)]))

    def _look_at(self, value: Any, names: Collection[str]) -> Iterator[tuple[FunctionType, type | None]]:
        """Yield the functions that a value is, or has as a module, a class or its instance, as far as they are named.

        Each comes with the class, whose other methods it may call. Paths are noted.
        """
        kind = type(value)
        parts: list[Any] = [value]
        owner: type | None = None
        if kind is ModuleType:
            parts = [value.__dict__.get(name) for name in names]
        elif issubclass(kind, type) or (id(kind) not in ATOM_IDS and _is_own(kind)):
            owner = value if issubclass(kind, type) else kind
            parts = self._parts_of(owner, names)
            if owner is kind:
                parts += [held for _, held in attributes_of(value) if _path_of(held)]
        for part in parts:
            if part is None or id(part) in self._known:
                continue
            self._known.add(id(part))
            if path := _path_of(part):
                self.places.append(os.path.normpath(path))
            elif id(type(part)) not in ATOM_IDS:
                function = _function_of(part)
                if type(function) is FunctionType and is_own_folder(os.path.dirname(function.__code__.co_filename)):
                    if type(part) is CACHE or owner is kind:
                        self.keeping.add(id(function))
                    yield function, owner

    def _parts_of(self, cls: type, names: Collection[str]) -> list[Any]:
        """Return what a class has under some names, and once what needs none: Python's own protocols, and paths.

        A large project names the same few classes in all its functions.
        """
        unnamed: list[Any] = []
        known = self._classes.get(id(cls))
        if known is None:
            known = self._classes[id(cls)] = {}
            for base in filter(_is_own, type.__getattribute__(cls, "__mro__")):
                for name, part in copy_space(type.__getattribute__(base, "__dict__")).items():
                    known.setdefault(name, []).append(part)
                    if name[:2] == "__" or _path_of(part):
                        unnamed.append(part)
        return [*unnamed, *(part for name in names if name in known for part in known[name])]


def _function_of(value: Any) -> Any:
    """Return the function that a method, a property or what a decorator has made of it stands for; else the value."""
    kind = type(value)
    if id(kind) in BOUND_IDS:
        value = value.__func__
    elif kind is property:
        value = value.fget
    elif kind is functools.cached_property:
        value = value.func
    space = value.__dict__ if type(value) is FunctionType else dict_of(value) or {}
    return space.get("__wrapped__", value)


def _path_of(value: Any) -> str:
    """Return the path that a value is; none where it is none, or one that depends on the working folder."""
    kind = type(value)
    if kind is not str and not issubclass(kind, PurePath):
        return ""  # nearly all
    path = os.fspath(value)
    return path if len(path) < _LONG and os.path.isabs(path) else ""


def _is_own(cls: type) -> bool:
    """Say whether a class is of a module that is the person's."""
    module = sys.modules.get(module_said_by(cls))
    path = getattr(module, "__file__", None)
    return path is not None and is_own_folder(os.path.dirname(path))


def _any_reads(functions: Iterable[FunctionType]) -> bool:
    """Say whether one of some functions names what reads a file."""
    return any(not READING.isdisjoint(part.co_names) for function in functions for part in whole(function.__code__))
