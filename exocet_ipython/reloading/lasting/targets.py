"""Which settings of objects that outlive a module its body sets: known by its text.

They are the targets of assignments, what a method is called of that has `set...` in its name, and the objects that a
library's function names which is called; of `logging` all loggers, where a loop or a call tells which. Functions of the
person's own that the body calls are read as well.
"""

from __future__ import annotations

import ast
import codecs
import dis
import importlib.util
import linecache
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from exocet_ipython.loading.classes import defines
from exocet_ipython.loading.source import Snapshot
from exocet_ipython.loading.spaces import globals_of
from exocet_ipython.loading.trees import nested
from exocet_ipython.reloading.holding.contents import ATOM_IDS, dict_of, is_plain
from exocet_ipython.reloading.ladder.operations import is_class_body
from exocet_ipython.reloading.lasting.loggers import all_loggers
from exocet_ipython.reloading.lasting.settings import (
    Setting,
    attribute_of,
    evaluate,
    is_librarys,
    is_own,
    parse,
    take_marks,
)
from exocet_ipython.reloading.scope import is_own_folder

__all__ = ["may_set", "note_settings", "read_targets"]

_DEEP = 3  # functions that call functions
_COOKIE = 200  # bytes: the first two lines may say how a text is encoded
_FOR_ITER = dis.opmap["FOR_ITER"]
_STATES = (("getstate", "setstate"), ("get_state", "set_state"))
_OTHER_GETTERS = {"chdir": "getcwd", "signal": "getsignal"}  # of `os` and `signal`
_MANY = 20  # names of a library's function


def _operations(text: str) -> bytes:
    return compile(text, "<targets>", "exec").co_code[::2]


def _find_signs() -> tuple[bytes, ...]:
    """Return the operations that call something for good, and those that assign to a part of something."""
    calls = [_operations(text) for text in ("f()", "f(a=b)", "f(*a)")]
    ends = [code.rindex(dis.opmap["POP_TOP"]) for code in calls]
    begins = [max(place for place in range(end) if code[place]) for code, end in zip(calls, ends, strict=True)]
    found = [code[begin : end + 1] for code, begin, end in zip(calls, begins, ends, strict=True)]
    return (*dict.fromkeys(found), *(bytes([dis.opmap[name]]) for name in ("STORE_ATTR", "STORE_SUBSCR")))


_SIGNS = _find_signs()
# Where variables are annotated, that looks like an assignment to an entry, and there are many.
_ANNOTATING = _operations("a: b = c").partition(bytes([dis.opmap["STORE_SUBSCR"]]))[0][-2:]
_SETTING = re.compile(b"|".join(map(re.escape, _SIGNS)), re.DOTALL)
_SETTING_BUT_ANNOTATIONS = re.compile(b"(?<!" + re.escape(_ANNOTATING) + b")(?:" + _SETTING.pattern + b")", re.DOTALL)


def may_set(code: CodeType) -> bool:
    """Say whether a code object may set something; told in a microsecond, since nearly none does.

    >>> may_set(compile("import json; json.dumps = None", "m.py", "exec")), may_set(compile("x = 1", "m.py", "exec"))
    (True, False)
    """
    operations = code.co_code[::2]
    for sign in _SIGNS:
        if sign in operations:
            return bool(_places(code))
    return False


def note_settings(
    module: Any,
    code: CodeType | None,
    text: Callable[[], Snapshot],
    originals: Iterable[tuple[Setting, Any]] = (),
    known: Iterable[Setting] | None = None,
) -> dict[Setting, int]:
    """Return what a body has set that has just run, with a mark of what it left.

    Args:
        module: the module.
        code: what ran; None where that is not known.
        text: gives what it was compiled from; only asked where the code sets something.
        originals: what it was seen to set, with what was there before.
        known: what an earlier run of the same code had set, where there was one.

    >>> module, text = ModuleType("m"), b"import decimal; decimal.getcontext().prec = 28"
    >>> code = compile(text, "m.py", "exec")
    >>> exec(code, vars(module))
    >>> [(one.owner, one.key) for one in note_settings(module, code, lambda: Snapshot("m", "m.py", text))]
    [('decimal.getcontext()', 'prec')]
    """
    seen = (setting for setting, _ in originals)
    if known is not None:
        return take_marks(module, (*known, *seen))
    if code is None or not may_set(code):
        return take_marks(module, seen)  # nearly all
    return take_marks(module, (*_Reader(globals_of(module), text().data or b"").read(code), *seen))


def read_targets(
    code: CodeType, text: Callable[[], bytes | None], space_of: Callable[[CodeType], dict[str, Any]]
) -> Iterator[tuple[Setting, dict[str, Any]]]:
    """Yield what a body sets for certain, with the names by which it is found.

    Args:
        code: the body, which has not run yet.
        text: gives what it was compiled from; only asked where the code sets something.
        space_of: gives the names that can be known of a body.
    """
    space, inner = space_of(code), [*nested(code)]
    names = Counter(one.co_name for one in inner)
    functions = {one.co_name: one for one in inner if names[one.co_name] == 1 and not is_class_body(one)}
    for setting in _Reader(space, text() or b"", inner=functions).read(code):
        if setting.is_certain and not setting.home:
            yield setting, space


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads what the operations of a body, and of the functions that it calls, set.

    Attributes:
        space: the globals in which they run.
        home: the dotted name of their module; "" for the body's own.
        text: what they were compiled from.
        depth: how many calls led here.
        inner: the functions that a body which has not run will define, by name.
    """

    space: dict[str, Any]
    text: bytes
    home: str = ""
    depth: int = 0
    inner: Mapping[str, CodeType] = field(default_factory=dict)

    def read(self, code: CodeType) -> Iterator[Setting]:
        """Yield what a code object sets."""
        places = _places(code)
        local = {*code.co_varnames, *code.co_freevars}
        loops = _FOR_ITER in code.co_code[::2]
        lines = _lines_of(self.text)
        positions = list(islice(code.co_positions(), max(places, default=0) + 1))
        for first, last, start, end in (positions[place] for place in places):
            if first is not None and last is not None and lines[first - 1 : last]:
                rows = lines[first - 1 : last]
                rows[-1] = rows[-1][:end]
                rows[0] = rows[0][start:]
                yield from self._read_part(b"\n".join(rows).decode(errors="replace"), local, loops=loops)

    def _read_part(self, part: str, local: set[str], *, loops: bool) -> Iterator[Setting]:
        """Yield what one target or call sets, given by its text."""
        try:
            node = parse(part)
            names = _names_in(node)
            is_over = not local.isdisjoint(names)  # the call that gave its names values
            if (is_over or loops) and any(self.space.get(name) is sys.modules.get("logging", self) for name in names):
                yield from _loggers()
            if not is_over:
                yield from self._read_node(node)
        except Exception:  # noqa: BLE001 - what has no value by now, or raises when it is asked, can't be looked at
            return

    def _read_node(self, node: ast.expr) -> Iterator[Setting]:
        match node:
            case ast.Attribute(value=owner, attr=name):
                yield self._setting(owner, "attribute", name)
            case ast.Subscript(value=owner, slice=key):
                yield from self._items(owner, [evaluate(key, self.space)])
            case ast.Call():
                yield from self._read_call(node)

    def _read_call(self, node: ast.Call) -> Iterator[Setting]:
        match node:
            case ast.Call(func=ast.Name(id="setattr"), args=[owner, ast.Constant(value=str(name)), _]):
                yield self._setting(owner, "attribute", name)
            case ast.Call(func=ast.Attribute(value=owner, attr="update"), args=given, keywords=keywords):
                keys = [key for one in given if isinstance(one, ast.Dict) for key in one.keys]
                names = [key.value for key in keys if isinstance(key, ast.Constant)]
                yield from self._items(owner, [*names, *(one.arg for one in keywords if one.arg is not None)])
            case ast.Call(func=ast.Attribute(value=owner, attr="signal" | "chdir" as name), args=[*first, _]):
                if self._asks(evaluate(owner, self.space), getter := _OTHER_GETTERS[name]):
                    asked = tuple(evaluate(one, self.space) for one in first)
                    yield self._setting(owner, "methods", (getter, name, asked))
            case ast.Call(func=ast.Attribute(value=owner, attr=name), args=given) if _is_setting(name):
                yield from self._by_method(owner, name, tuple(evaluate(one, self.space) for one in given[:-1]))
            case ast.Call(func=ast.Name(id=name)) if name in self.inner and self.depth < _DEEP:
                yield from replace(self, depth=self.depth + 1).read(self.inner[name])
            case ast.Call(func=ast.Name() | ast.Attribute() as function):
                called = evaluate(function, self.space)
                if type(called) is FunctionType:
                    yield from self._of_function(called)

    def _setting(self, owner: ast.expr, way: str, key: Any, *, is_certain: bool = True) -> Setting:
        return Setting(self.home, owner.id if isinstance(owner, ast.Name) else ast.unparse(owner), way, key, is_certain)

    def _items(self, owner: ast.expr, keys: list[Any]) -> Iterator[Setting]:
        value = evaluate(owner, self.space)
        if value is not sys.modules and defines(type(value), "keys") and not is_own(value):
            yield from (self._setting(owner, "item", key) for key in keys if id(type(key)) in ATOM_IDS)

    @staticmethod
    def _asks(owner: Any, getter: str) -> bool:
        found = attribute_of(owner, getter, None)
        return found is not None and is_librarys(found)

    def _by_method(self, owner: ast.expr, name: str, first: tuple[Any, ...]) -> Iterator[Setting]:
        """Yield what a method like `setLevel` sets: what another one gives, or an attribute of that name."""
        if not is_plain(first):
            return
        value = evaluate(owner, self.space)
        if name == "seed":
            pairs = (pair for pair in _STATES if self._asks(value, pair[0]))
            yield from (self._setting(owner, "methods", (*pair, ()), is_certain=False) for pair in pairs)
        elif self._asks(value, getter := f"get{name[3:]}"):
            yield self._setting(owner, "methods", (getter, name, first))
        elif not first and (attribute := _attribute_of(name)) in (dict_of(value) or {}):
            yield self._setting(owner, "attribute", attribute)

    def _of_function(self, function: FunctionType) -> Iterator[Setting]:
        """Yield what a function sets: an own one is read, of a library's the objects that it names tell."""
        code, home = function.__code__, function.__module__
        if not is_own_folder(os.path.dirname(code.co_filename)):
            yield from _loggers() if home.partition(".")[0] == "logging" else ()
            for name in code.co_names[:_MANY]:
                value = function.__globals__.get(name)
                parts = list((dict_of(value) or {}).items()) if _is_instance(value) else []
                names = [attribute for attribute, part in parts if is_plain(part)]
                yield from (Setting(home, name, "attribute", attribute, is_certain=False) for attribute in names)
        elif self.depth < _DEEP and function.__globals__ is self.space:
            yield from replace(self, depth=self.depth + 1).read(code)
        elif self.depth < _DEEP:
            text = "".join(linecache.getlines(code.co_filename)).encode()
            yield from _Reader(function.__globals__, text, home, self.depth + 1).read(code)


def _lines_of(text: bytes) -> list[bytes]:
    r"""Return the lines of a source as the compiler counts their columns: in UTF-8; none where it is no Python.

    >>> _lines_of("# coding: latin-1\nä = 1".encode("latin-1"))[1].decode()
    'ä = 1'
    """
    if b"coding" not in text[:_COOKIE] and not text.startswith(codecs.BOM_UTF8):
        return text.split(b"\n")  # nearly all
    try:
        return [line.encode() for line in importlib.util.decode_source(text).split("\n")]
    except (SyntaxError, ValueError):
        return []  # another language, which its own loader has made code of


def _names_in(node: ast.expr) -> set[str]:
    """Return the names on which it depends what is set, whatever it is set to."""
    parts = [node.func, *node.args[:-1]] if isinstance(node, ast.Call) else [node]
    return {found.id for part in parts for found in ast.walk(part) if isinstance(found, ast.Name)}


def _loggers() -> Iterator[Setting]:
    """Yield what is set of any logger: a loop, or a dict, may name those that a body sets."""
    for logger in all_loggers():
        owner = f"getLogger({logger.name!r})" if logger.parent is not None else "root"
        for name, default in (("level", 0), ("propagate", True), ("disabled", False)):
            if getattr(logger, name) != default:
                yield Setting("logging", owner, "attribute", name, is_certain=False)


def _places(code: CodeType) -> list[int]:
    """Return which operations of a code object may set something."""
    pattern = _SETTING_BUT_ANNOTATIONS if "__annotations__" in code.co_names else _SETTING
    return [match.start() for match in pattern.finditer(code.co_code[::2])]


def _is_setting(name: str) -> bool:
    return name == "seed" or (name.startswith("set") and name not in ("set", "setdefault"))


def _is_instance(value: Any) -> bool:
    return not issubclass(type(value), (type, ModuleType, FunctionType, BuiltinFunctionType, MethodType))


def _attribute_of(setter: str) -> str:
    name = setter[3:].lstrip("_")
    return name[:1].lower() + name[1:]
