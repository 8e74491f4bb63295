"""What a body changes of the containers of libraries that it names, in whatever way: seen, not read from its text.

`d |= {...}`, `d.pop(key)`, a key that a loop names: what the containers hold is read when the body is about to run, and
compared when it has run. What other bodies do meanwhile, that it imports, is none of it.
"""

from __future__ import annotations

import contextlib
import dis
import sys
import warnings
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import CodeType, GetSetDescriptorType, MemberDescriptorType, ModuleType
from typing import Any

from exocet_ipython.loading.references import OwnReference
from exocet_ipython.loading.spaces import globals_of
from exocet_ipython.loading.standin import PRESENCE
from exocet_ipython.loading.trees import nested, whole
from exocet_ipython.reloading.holding.contents import dict_of, is_plain
from exocet_ipython.reloading.ladder.operations import is_class_body, is_special, iter_operations, words
from exocet_ipython.reloading.lasting.merging import Change, keys_of
from exocet_ipython.reloading.lasting.settings import MISSING, Setting, is_of_own_code

__all__ = ["Origin", "Watched", "may_change"]

Origin = tuple[str, str]  # the module that a body imports something from, and the name there; "" for a module itself
_Change = tuple[Setting, Any]
_MANY = 5_000  # entries of a container
_FEW = 500  # entries of a list: comparing takes long
_STARTS = frozenset(dis.opmap.get(name, -1) for name in ("LOAD_NAME", "LOAD_GLOBAL"))
_STEPS = frozenset(dis.opmap.get(name, -1) for name in ("LOAD_ATTR", "LOAD_METHOD"))
_USES = _STARTS | _STEPS
_COPY = dis.opmap["COPY"]
_WRITING = "STORE_SLICE", "STORE_ATTR", "STORE_SUBSCR", "DELETE_SUBSCR", "DELETE_ATTR"  # the first since 3.12
_SIGNS = tuple(bytes([dis.opmap[name]]) for name in _WRITING if name in dis.opmap)
_BINARY_OP = dis.opmap["BINARY_OP"]
_INPLACE = range(13, 26)  # its arguments
_STORE_ATTR = dis.opmap["STORE_ATTR"]
_OF_ATTRIBUTES = words("setattr delattr vars")
_CHANGING = _OF_ATTRIBUTES | words("add append clear discard extend insert pop popitem remove setdefault update")


@dataclass(frozen=True, slots=True)
class _Place:
    """Something that may be changed.

    Attributes:
        home: dotted name of the module that has it.
        path: the expression for it there; "" for the module itself.
        value: it.
        content: what it holds, as a copy.
        way: how that is written: as an `attribute`, as an `item`, a `member` or a `list`.
    """

    home: str
    path: str
    value: Any
    content: Any
    way: str

    def changes(self) -> Iterator[_Change]:
        """Yield what of it is another by now, with what that was."""
        before, now = self.content, _content(self.value, self.way)
        if now is None:
            return
        if self.way == "list":
            change = Change(keys_of(before), keys_of(now))
            others = [[key for key in keys if not key[0]] for keys in (change.before, change.after)]
            if change.before != change.after and others[0] == others[1]:  # what is not plain shows whose it is
                yield Setting(self.home, self.path, "list", None), change
        elif self.way == "member":
            for key in filter(is_plain, before ^ now):
                yield Setting(self.home, self.path, "member", key), True if key in before else MISSING
        else:
            for key in before.keys() | now.keys():
                was, value = before.get(key, MISSING), now.get(key, MISSING)
                if was is not value and is_plain(key) and self._is_bodys(key, value):
                    known = _kept(was)
                    yield from () if known is None else [(Setting(self.home, self.path, self.way, key), known)]

    def _is_bodys(self, key: Any, value: Any) -> bool:
        """Say whether the body has set that: libraries give attributes to what is theirs too, of what they make."""
        if self.way != "attribute":
            return True
        return not is_special(key) and (value is MISSING or is_plain(value) or is_of_own_code(value))

    def again(self) -> _Place | None:
        """Return it with what it holds by now."""
        content = _content(self.value, self.way)
        return None if content is None else _Place(self.home, self.path, self.value, content, self.way)


class Watched:
    """The containers of libraries that a body names, while it runs; `code` is that of the body.

    >>> import mimetypes
    >>> body = compile("import mimetypes; mimetypes.knownfiles.append('/etc/own')", "m.py", "exec")
    >>> watched = Watched(body)
    >>> watched.look({"mimetypes": ("mimetypes", "")})
    >>> exec(body, {})
    >>> [(str(setting), change.after[-1]) for setting, change in watched.changes()]
    [('mimetypes.knownfiles', ('str', '/etc/own'))]
    >>> del mimetypes.knownfiles[-1]
    """

    __slots__ = ("_places", "code")

    def __init__(self, code: CodeType) -> None:
        self.code = code
        self._places: dict[tuple[int, str], _Place] = {}

    def look(self, origins: Mapping[str, Origin]) -> None:
        """Look at what the body names that is loaded by now.

        Args:
            origins: what its import statements bind, and where that is from.
        """
        code = self.code
        are_set = any(_STORE_ATTR in part.co_code[::2] for part in (code, *nested(code)) if not _is_class(part, code))
        for part in _run_by(code) if origins else ():
            if not origins.keys().isdisjoint(part.co_names) and (part is code or _may_change(part)):
                for home, path, value, is_attributes in _named(part, origins):
                    is_object = are_set and not issubclass(type(value), ModuleType)
                    for way in [*_ways(value), *(["attribute"] if is_attributes or is_object else [])]:
                        if (id(value), way) not in self._places and (content := _content(value, way)) is not None:
                            self._places[id(value), way] = _Place(home, path, value, content, way)

    def changes(self, known: Container[int] = ()) -> Iterator[_Change]:
        """Yield what the body has changed since it was looked at, with what that was before.

        Args:
            known: ids of objects of which attributes are read in another way: by what their library gives for these.
        """
        for place in self._places.values():
            if not (place.way == "attribute" and id(place.value) in known):
                yield from place.changes()

    def renew(self) -> None:
        """Take what others have changed meanwhile as what was there before."""
        again = {key: place.again() for key, place in self._places.items()}
        self._places = {key: place for key, place in again.items() if place is not None}


def may_change(code: CodeType) -> bool:
    """Say whether a body, or a function in it, may change a container.

    >>> may_change(compile("import m; m.d.update(x)", "n.py", "exec")), may_change(compile("x = m.f()", "n.py", "exec"))
    (True, False)
    """
    return any(map(_may_change, whole(code)))


def _may_change(code: CodeType) -> bool:
    operations = code.co_code[::2]
    if not _CHANGING.isdisjoint(code.co_names) or any(sign in operations for sign in _SIGNS):
        return True
    # Which operators there are is asked only where there is one: a loop over all operations takes fifty times as long.
    arguments = code.co_code[1::2] if _BINARY_OP in operations else b""
    pairs = zip(operations, arguments, strict=False)
    return any(operation == _BINARY_OP and argument in _INPLACE for operation, argument in pairs)


def _run_by(body: CodeType) -> Iterator[CodeType]:
    r"""Yield a body, those of its classes, and the functions in it whose names these use, or such functions.

    >>> text = "class A:\n    def f(self): h()\ndef g(): pass\ndef h(): pass\nA().f()"
    >>> [part.co_name for part in _run_by(compile(text, "m.py", "exec"))]
    ['<module>', 'A', 'f', 'h']
    """
    waiting, functions = [body], list[CodeType]()
    names = {_name_in(argument) for _, operation, argument in iter_operations(body) if operation in _USES}
    while waiting:
        for part in waiting:
            yield part
            names.update(part.co_names if part is not body else ())
            functions += nested(part)
        waiting = [part for part in functions if part.co_name in names or part.co_name[0] == "<" or is_class_body(part)]
        functions = [part for part in functions if part not in waiting]


def _is_class(part: CodeType, body: CodeType) -> bool:
    return part is not body and is_class_body(part)


def _named(code: CodeType, origins: Mapping[str, Origin]) -> Iterator[tuple[str, str, Any, bool]]:
    """Yield what of libraries code names: its home, the path there, itself, and whether its attributes may be set."""
    is_attributes = not _OF_ATTRIBUTES.isdisjoint(code.co_names) or _SIGNS[-1] in code.co_code[::2]
    here: tuple[str, str, Any] | None = None
    for _, operation, argument in iter_operations(code):
        if operation in _STARTS:
            here = _start(origins.get(_name_in(argument)))
        elif operation in _STEPS and here is not None:
            here = _step(*here, _name_in(argument))
        elif operation != _COPY:  # `m.d |= x` has one of `m`
            here = None
        if here is not None:
            yield *here, is_attributes


def _name_in(argument: Any) -> str:
    """Return the name that an operation asks for, which some have beside a flag."""
    return str(argument if isinstance(argument, str) else argument[0])


def _start(origin: Origin | None) -> tuple[str, str, Any] | None:
    if origin is None:
        return None
    home, name = origin
    module = PRESENCE.current(home)
    if module is None or is_of_own_code(module):
        return None
    return _step(home, "", module, name) if name else (home, "", module)


def _step(home: str, path: str, owner: Any, name: str) -> tuple[str, str, Any] | None:
    """Return an attribute, without asking anybody: a library may load something for it."""
    kind = type(owner)
    spaces: Iterable[Mapping[str, Any]] = [globals_of(owner) if issubclass(kind, ModuleType) else dict_of(owner) or {}]
    if issubclass(kind, type):
        spaces = [type.__getattribute__(base, "__dict__") for base in type.__getattribute__(owner, "__mro__")]
    for space in spaces:
        if name in space:
            value = space[name]
            if issubclass(type(value), ModuleType):
                known = str(globals_of(value).get("__name__"))
                is_library = PRESENCE.current(known) is value and not is_of_own_code(value)
                return (known, "", value) if is_library else None
            return home, f"{path}.{name}" if path else name, value
    return None


def _ways(value: Any) -> list[str]:
    """Return how the entries of a container are written; none for what is no container, or looked after elsewhere."""
    elsewhere: tuple[Any, ...] = sys.modules, sys.path, sys.meta_path, sys.path_hooks, warnings.filters
    if any(value is one for one in (*elsewhere, sys.path_importer_cache)):
        return []
    kinds = (dict, "item"), (set, "member"), (list, "list")
    return [way for kind, way in kinds if issubclass(type(value), kind)]


def _content(value: Any, way: str) -> Any:
    """Return a copy of what something holds; None where that is too much."""
    if way == "attribute":
        is_module = issubclass(type(value), ModuleType)
        found: Any = globals_of(value) if is_module else dict_of(value)
        if issubclass(type(value), type):
            found = type.__getattribute__(value, "__dict__")
        slots = {} if issubclass(type(value), (type, ModuleType)) else _slots(value)
        return None if found is None and not slots else {**(found or {}), **slots}
    if len(value) > (_FEW if way == "list" else _MANY):
        return None
    return {"item": dict, "member": set, "list": list}[way](value)


def _slots(value: Any) -> dict[str, Any]:
    """Return what is plain of the attributes that are looked after in C: slots, and those of Python's own classes.

    >>> import decimal
    >>> _slots(decimal.Context(prec=7))["prec"], _slots([])
    (7, {})
    """
    found: dict[str, Any] = {}
    for base in type.__getattribute__(type(value), "__mro__"):
        for name, part in type.__getattribute__(base, "__dict__").items():
            if type(part) in (GetSetDescriptorType, MemberDescriptorType) and not is_special(name):
                with contextlib.suppress(Exception):  # it has no value, or isn't to be had
                    if is_plain(one := part.__get__(value)):
                        found.setdefault(name, one)
    return found


def _kept(value: Any) -> Any:
    """Return what may be kept of a value that was there before: itself, or a weak reference; None for neither."""
    if value is MISSING or is_plain(value) or (callable(value) and not is_of_own_code(value)):
        return value
    try:
        return OwnReference(value)
    except TypeError:
        return None
