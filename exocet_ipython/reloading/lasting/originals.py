"""What was there before a body set it, in a library: read when the body is about to run, or has just loaded that."""

from __future__ import annotations

import ast
import contextlib
import dis
import enum
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CodeType, ModuleType
from typing import Any

from exocet_ipython.loading.classes import module_said_by
from exocet_ipython.loading.references import OwnReference
from exocet_ipython.loading.spaces import attach, globals_of
from exocet_ipython.loading.standin import PRESENCE
from exocet_ipython.loading.tracebacks import describe_error
from exocet_ipython.loading.trees import whole
from exocet_ipython.reloading.holding.contents import is_plain
from exocet_ipython.reloading.ladder.operations import iter_operations
from exocet_ipython.reloading.lasting.merging import Change
from exocet_ipython.reloading.lasting.settings import MISSING, Setting, evaluate, is_of_own_code, parse
from exocet_ipython.reloading.lasting.targets import may_set, read_targets
from exocet_ipython.reloading.lasting.watched import Origin, Watched, may_change

__all__ = ["Originals", "Unread", "origins_of"]

_LOADS = frozenset((dis.opmap["LOAD_CONST"], dis.opmap.get("LOAD_SMALL_INT", -1)))  # the second since 3.14
_HAS_SMALL = "LOAD_SMALL_INT" in dis.opmap  # then a small number is no constant
_IMPORT_NAME, _IMPORT_FROM, _STORE_NAME = map(dis.opmap.__getitem__, ("IMPORT_NAME", "IMPORT_FROM", "STORE_NAME"))
_PLAIN = ("builtins", "collections")  # modules of containers that are anybody's


@dataclass(frozen=True, slots=True)
class Unread:
    """Stands for what could not be read, with the reason."""

    reason: str


class Originals:
    """What one body is about to set of libraries, with what that was before.

    Instances, and functions of other modules of the person's, are only referred to weakly.

    Attributes:
        found: each setting with its value.

    >>> text = b"import json; json.dumps = None; json.is_patched = True"
    >>> originals = Originals()
    >>> originals.read(compile(text, "m.py", "exec"), lambda: text)
    >>> [(one.key, was is MISSING) for one, was in originals.found.items()]
    [('dumps', False), ('is_patched', True)]
    """

    __slots__ = ("_code", "_owners", "_text", "_watched", "found")

    def __init__(self) -> None:
        self._watched: Watched | None = None  # most bodies change nothing of others
        self._owners: set[int] = set()  # ids of the instances of which attributes are read by their names
        self.found: dict[Setting, Any] = {}
        self._code: CodeType | None = None
        self._text: Callable[[], bytes | None] = bytes

    def read(self, code: CodeType | None, text: Callable[[], bytes | None]) -> None:
        """Read what is there now, before the body runs.

        Args:
            code: the body; None where it is not known.
            text: gives what it was compiled from; only asked where the code sets something.
        """
        if code is not None and may_set(code):
            self._code, self._text = code, text
            self._add_read(code)
        if code is not None and _may_import(code) and may_change(code):
            self._watched = Watched(code)
            self._watched.look(origins_of(code))

    def read_loaded(self, library: str) -> None:
        """Read what a library has that was loaded just now, if the body has it imported: it can't have set it yet.

        Args:
            library: dotted name of its module.
        """
        code, root = self._code if self._watched is None else self._watched.code, library.partition(".")[0]
        if code is not None and any(name.partition(".")[0] == root for name in code.co_names):
            package, _, child = library.rpartition(".")
            parent, module = PRESENCE.current(package), PRESENCE.current(library)
            if parent is not None and module is not None:
                attach(parent, child, module)  # as the import is about to do
            self._add_read(self._code)
            if self._watched is not None:
                self._watched.look(origins_of(code))

    def _add_read(self, code: CodeType | None) -> None:
        for setting, owner, value in _read(code, self._text) if code is not None else ():
            self.found.setdefault(setting, value)
            if setting.way == "attribute" and not issubclass(type(owner), (type, ModuleType)):
                self._owners.add(id(owner))

    def pause(self) -> None:
        """Note what the body has changed up to now: it has run, or another one is about to, which it has imported."""
        for setting, value in self._watched.changes(self._owners) if self._watched is not None else ():
            known = self.found.setdefault(setting, value)
            if known is not value and type(known) is Change:
                self.found[setting] = known.followed_by(value)

    def resume(self) -> None:
        """Leave out what others have changed since the pause."""
        if self._watched is not None:
            self._watched.renew()


def _may_import(code: CodeType) -> bool:
    """Say whether a body may import a library: not where all its imports are relative, told without a look at them.

    >>> [_may_import(compile(text, "m.py", "exec")) for text in ("from . import a", "import json")]
    [False, True]
    """
    return _HAS_SMALL or any(type(one) is int and not one for one in code.co_consts)  # the level


def _read(code: CodeType, text: Callable[[], bytes | None]) -> Iterator[tuple[Setting, Any, Any]]:
    """Yield what the text of a body sets, with what has that, and what that has there now."""
    for setting, space in read_targets(code, text, _imported):
        try:
            owner = setting.find(space)
            if is_of_own_code(owner) or _is_own_container(setting, owner, space):
                continue
        except Exception:  # noqa: BLE001, S112 - what the path to it needs is not there yet
            continue
        try:
            value = setting.read(owner)
        except Exception as error:  # noqa: BLE001 - whatever the owner raises: it is said when that is missing
            yield setting, owner, Unread(describe_error(error))
            continue
        is_librarys = (callable(value) or issubclass(type(value), enum.Enum)) and not is_of_own_code(value)
        if value is MISSING or is_plain(value) or is_librarys:
            yield setting, owner, value
        else:
            with contextlib.suppress(TypeError):  # a list or a dict may be another one by then
                yield setting, owner, OwnReference(value)


def _is_own_container(setting: Setting, owner: Any, space: dict[str, Any]) -> bool:
    """Say whether a body puts an entry into a container that a module of the person's, or what is of one, has.

    That one is made anew with what was put there; what cells took out of it would seem to be gone from it.
    """
    path = parse(setting.owner)
    is_plain_container = setting.way == "item" and module_said_by(type(owner)) in _PLAIN
    return is_plain_container and isinstance(path, ast.Attribute) and is_of_own_code(evaluate(path.value, space))


def _may_be_proxy(value: Any) -> bool:
    """Say whether a value may stand for something else, which it makes or asks for when it is asked.

    >>> import decimal, types
    >>> _may_be_proxy(decimal.DefaultContext), _may_be_proxy(type("Lazy", (), {"__getattr__": lambda *_: 1})())
    (False, True)
    """
    if issubclass(type(value), (ModuleType, type)):
        return False
    kinds: Any = type.__getattribute__(type(value), "__mro__")
    asked = [vars(kind).get(name) for kind in kinds[:-1] for name in ("__getattr__", "__getattribute__")]
    return any(part is not None for part in asked) and module_said_by(kinds[0]) not in sys.stdlib_module_names


def _imported(code: CodeType) -> dict[str, Any]:
    """Return what the import statements of a body will bind, as far as it is loaded, and no proxy.

    Not those of relative ones: these are the person's own. A module that is made anew as well would be loaded by a look
    at its stand-in, out of its turn. Parsing the text would take twenty times as long.

    >>> body = compile("import os.path, enum as e; from types import CodeType as C; from . import dis", "m.py", "exec")
    >>> _imported(body) == {"os": PRESENCE.current("os"), "e": enum, "C": CodeType}
    True
    """
    return {name: value for name, value, _ in _bindings(code)}


def origins_of(code: CodeType) -> dict[str, Origin]:
    """Return where that is from what the import statements of a body will bind.

    >>> origins_of(compile("import os.path, enum as e; from types import CodeType as C", "m.py", "exec"))
    {'os': ('os', ''), 'e': ('enum', ''), 'C': ('types', 'CodeType')}
    """
    return {name: origin for name, _, origin in _bindings(code)}


def _bindings(code: CodeType) -> Iterator[tuple[str, Any, Origin]]:
    """Yield the names that import statements bind, with what these will be, and where that is from."""
    origin = "", ""
    level: Any = 0
    wanted: Any = None
    home, found = "", MISSING
    for _, operation, argument in iter_operations(code):
        if operation in _LOADS:
            level, wanted, found = wanted, argument, MISSING
        elif operation == _IMPORT_NAME:
            home = argument
            origin = home.partition(".")[0], ""
            found = MISSING if level else PRESENCE.current(home.partition(".")[0])
            if wanted == ("*",) and not level:
                there = globals_of(PRESENCE.current(home))
                names = {name for part in whole(code) for name in part.co_names if not name.startswith("_")}
                names &= there.keys()
                yield from ((name, there[name], (home, name)) for name in names if not _may_be_proxy(there[name]))
        elif operation == _IMPORT_FROM and not level:
            module = PRESENCE.current(home)
            origin = (home, "") if wanted is None else (home, argument)
            found = (
                module if wanted is None else globals_of(module).get(argument, PRESENCE.current(f"{home}.{argument}"))
            )
        elif operation == _STORE_NAME:
            if found is not None and found is not MISSING and not _may_be_proxy(found):
                yield argument, found, origin
            found = MISSING
