"""What a module says for itself while its body runs: what it keeps, what it reads, and what is due when it retires.

All of it is noted in the module's own dict and dies with it. There is no registry, and where nobody reloads, as in
production, the functions do nothing else: `keep` calls its factory, the other two return what they were given.
"""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, TypeVar

from exocet_ipython.errors import NotInModuleBodyError, WishTwiceError, WishTypeError
from exocet_ipython.loading.spaces import globals_of

__all__ = ["Wishes", "depends_on", "hand_on", "keep", "on_retire", "stamp_data", "wishes_of"]

_NAME = "__exo_wishes__"
_numbers = itertools.count()
DataStamp = tuple[int, int, int]
_Value = TypeVar("_Value")
_Callback = TypeVar("_Callback", bound=Callable[[], object])


class Wishes:
    """What one version of a module has said.

    Attributes:
        kept: name -> value, of this version and of those before it.
        asked: the names that this version keeps.
        callbacks: number, over all modules in the order of registration -> what is to be called when it retires.
        files: absolute path of a data file -> what `stamp_data` said of it when it was named.
        is_retired: whether the callbacks were called: what they let go of is gone.
    """

    __slots__ = ("asked", "callbacks", "files", "is_retired", "kept", "spec")

    def __init__(self, spec: object, kept: Mapping[str, Any] | None = None) -> None:
        self.spec = spec  # `importlib.reload` runs another body in the same dict, under another spec
        self.kept: dict[str, Any] = dict(kept or {})
        self.asked: set[str] = set()
        self.callbacks: dict[int, Callable[[], object]] = {}
        self.files: dict[str, DataStamp | None] = {}
        self.is_retired = False

    def __repr__(self) -> str:
        return f"<wishes: {len(self.kept)} kept, {len(self.callbacks)} callbacks, {len(self.files)} files>"

    def own_parts(self) -> list[object]:
        """Return the objects through which the callbacks hold what they use: these go on meaning this version."""
        callbacks = self.callbacks.values()
        closures = [closure for callback in callbacks if (closure := getattr(callback, "__closure__", None))]
        return [self.callbacks, *callbacks, *closures, *(cell for closure in closures for cell in closure)]


def keep(name: str, factory: Callable[[], _Value]) -> _Value:
    """Return what an earlier version of this module kept under `name`; the first time, what `factory` makes.

    For the body of a module: `CACHE = keep("cache", dict)`. The value outlives reloads, failures and undo, and is no
    longer kept when the module's file is deleted. It is the very same object each time; an instance of a class of this
    module changes to the new class only when survivors migrate.

    Args:
        name: under which the value is kept; each name once in a module.
        factory: called without arguments when there is no such value yet.

    Raises:
        NotInModuleBodyError: called in a cell, or in a function when no body of its module runs.
        WishTypeError: the name is no string, or the factory can't be called.
        WishTwiceError: this version has asked for the name already.
    """
    wishes, where = _calling_module("keep")
    if not isinstance(name, str):
        raise WishTypeError(
            f"keep needs a name that is a string, not {type(name).__name__}",
            where=where,
            advice='write keep("name", factory)',
        )
    if not callable(factory):
        raise WishTypeError(
            f"keep needs a function that makes {name!r}, not {type(factory).__name__}",
            where=where,
            advice=f"give the function and not its result: keep({name!r}, lambda: ...)",
        )
    if name in wishes.asked:
        raise WishTwiceError(f"{name!r} is kept twice by one module", where=where, advice="use another name for one")
    if wishes.spec is not None:
        wishes.asked.add(name)
    if name not in wishes.kept:
        wishes.kept[name] = factory()
    value: _Value = wishes.kept[name]
    return value


def on_retire(callback: _Callback) -> _Callback:
    """Have `callback` called once, without arguments, when this version of the module has been replaced.

    For what only the author knows: a thread to stop, a connection to close. It is called after the new version has
    become current, the newest registration first; it sees the globals of its own version. An error in it is shown, and
    stops nothing. A version whose build failed was never current and is not called. A version that was called isn't
    brought back by undo: the module is made anew then.

    Returns:
        The callback itself, so that this is a decorator as well.

    Raises:
        NotInModuleBodyError: called in a cell, or in a function when no body of its module runs.
        WishTypeError: it can't be called.
    """
    wishes, where = _calling_module("on_retire")
    if not callable(callback):
        raise WishTypeError(
            f"on_retire needs a function, not {type(callback).__name__}",
            where=where,
            advice="give the function and not its result: on_retire(pool.close)",
        )
    wishes.callbacks[next(_numbers)] = _as_it_is(callback)
    return callback


def depends_on(path: str | os.PathLike[str]) -> Path:
    """Count a data file as a source of this module: when it changes, the module and its importers are made anew.

    A missing file will do; its appearing is a change then. Name a file before you read it: what is saved between the
    two is noticed. Files of more than 16 MB are compared by time and size, all others by content.

    Args:
        path: of the file; a relative one is seen from the module's folder.

    Returns:
        The absolute path.

    Raises:
        NotInModuleBodyError: called in a cell, or in a function when no body of its module runs.
        WishTypeError: it is no path, or that of a folder.
    """
    wishes, where = _calling_module("depends_on")
    space = sys._getframe(1).f_globals  # noqa: SLF001 - as below
    given: Any = os.fspath(path) if isinstance(path, os.PathLike) else path
    if not isinstance(given, str) or not given or "\0" in given:
        raise WishTypeError(
            f"depends_on needs the path of a file, not {path!r}", where=where, advice='write depends_on("words.txt")'
        )
    folder = os.path.dirname(os.path.abspath(space.get("__file__") or where.rpartition(":")[0]))
    file = os.path.normpath(os.path.join(folder, given))
    if os.path.isdir(file):
        raise WishTypeError(f"{file} is a folder", where=where, advice="name the files in it, one by one")
    wishes.files[file] = stamp_data(file)
    return Path(file)


def stamp_data(path: str) -> DataStamp | None:
    """Return a file's times of modification and of change in nanoseconds, and its size in bytes; None for no file."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size


def wishes_of(module: ModuleType) -> Wishes | None:
    """Return what a module has said; None where it has said nothing, or is an object in a module's stead."""
    found = globals_of(module).get(_NAME)
    return found if isinstance(found, Wishes) else None


def hand_on(before: ModuleType, module: ModuleType) -> None:
    """Give a new module, whose body has not run yet, what the versions before it have kept."""
    wishes = wishes_of(before)
    if wishes is not None and wishes.kept:
        vars(module)[_NAME] = Wishes(module.__spec__, wishes.kept)


def _calling_module(function: str) -> tuple[Wishes, str]:
    """Return the wishes of the module whose body called a function of this file, and the file and line.

    The body is among the callers: a function or a class body that runs meanwhile may ask as well.
    """
    caller = sys._getframe(2)  # noqa: SLF001 - the documented way to see a caller
    space = caller.f_globals
    where = f"{caller.f_code.co_filename}:{caller.f_lineno}"
    spec = space.get("__spec__")
    if spec is None and "__file__" not in space:
        raise NotInModuleBodyError(
            f"{function} was called outside of a module's file",
            where=where,
            advice="call it in a module that is imported; what a cell assigns stays over reloads by itself",
        )
    frame = caller
    while frame.f_globals is not space or frame.f_code.co_name != "<module>":
        if frame.f_back is None:
            raise NotInModuleBodyError(
                f"{function} was called when no body of {space.get('__name__')!r} runs",
                where=where,
                advice="call it at the top of the module, not in a function that is called later",
            )
        frame = frame.f_back
    wishes = space.get(_NAME)
    if not isinstance(wishes, Wishes):
        wishes = space[_NAME] = Wishes(spec)
    elif wishes.spec is not spec:
        wishes = space[_NAME] = Wishes(spec, wishes.kept)
    return wishes, where


def _as_it_is(callback: Callable[[], object]) -> Callable[[], object]:
    """Return a copy of a function, or the callable itself: the function of a retired module may be made to forward."""
    if type(callback) is not FunctionType:
        return callback
    made = FunctionType(
        callback.__code__, callback.__globals__, callback.__name__, callback.__defaults__, callback.__closure__
    )
    made.__kwdefaults__ = callback.__kwdefaults__
    made.__qualname__ = callback.__qualname__
    made.__module__ = callback.__module__
    return made
