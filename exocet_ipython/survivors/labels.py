"""Labels on retired code: its tracebacks show the text that it ran, and its reprs tell the generation.

Only what ran another text than the one on disk is labelled, when that text is replaced: the file name of its code gets
the generation, and under that name `linecache` has the text, without a time stamp, so that it is never compared with a
file. A module that ran again with its text unchanged is labelled when its text changes, if it is alive by then. Current
code has the real path always: breakpoints bind only to that.

Functions and classes tell their generation by their `__qualname__`, and only where Python prints it: what code makes of
it, as a dataclass does for the reprs of its instances, stays as it was. Pickle, which refuses a retired class in any
case, names the generation in its error. A class that retired says no longer in which line it begins (3.13): `inspect`
would look there in the text of the current one.

A frame that is running, and a closure that was made before, keep the code that they have, and with it the real path.
"""

from __future__ import annotations

import functools
import importlib.util
import io
import linecache
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import CodeType, FunctionType
from typing import Any, Self, SupportsIndex

from exocet_ipython.loading.classes import set_attribute
from exocet_ipython.reloading.holding.contents import CACHE, cell_values
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.reloading.retired import RetiredModule, functions_in, own_classes, retired_of
from exocet_ipython.survivors.finding.generations import RetiredGeneration

__all__ = ["RetiredTexts", "label_replaced"]

_WRAPPERS = frozenset(map(id, (FunctionType, CACHE)))  # what `functools.wraps` and `lru_cache` make
_CONTAINERS = frozenset(map(id, (list, tuple, set, dict)))
_FEW = 100  # entries of a container of functions; a larger one is a table of something else


class _Tagged(str):
    """A name that says its generation where C code takes its characters, and the name alone where Python code uses it.

    The reprs of classes, of functions, and of objects without a repr of their own are made by C code. It compares as
    what C code sees: until 3.12 `inspect` takes a class of an equal name, the current one, for the one it looks for.

    >>> name = _Tagged("Point", " (generation 1)")
    >>> "low." + name, f"{name}(x=0)"
    ('low.Point (generation 1)', 'Point(x=0)')
    """

    __slots__ = ("plain",)
    plain: str

    def __new__(cls, plain: str, tag: str) -> Self:
        tagged = super().__new__(cls, f"{plain}{tag}")
        tagged.plain = plain
        return tagged

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        return str, (self.plain,)


def _on_plain(name: str) -> Callable[..., Any]:
    def method(self: _Tagged, *args: Any, **options: Any) -> Any:
        return getattr(self.plain, name)(*args, **options)

    return method


_OF_THE_CHARACTERS = (
    "__new__",
    "__doc__",
    "__eq__",
    "__ne__",
    "__hash__",
    "__getattribute__",
    "__sizeof__",
    "maketrans",
)
for _name in vars(str).keys() - _OF_THE_CHARACTERS:
    setattr(_Tagged, _name, _on_plain(_name))


class RetiredTexts:
    """The texts of retired modules that `linecache` has for their sake; each is taken out when its module is gone.

    >>> RetiredTexts()
    <0 texts of retired modules>
    """

    def __init__(self) -> None:
        self._texts: dict[str, weakref.ref[RetiredModule]] = {}

    def __repr__(self) -> str:
        return f"<{len(self._texts)} texts of retired modules>"

    def add(self, labelled: Iterable[RetiredModule]) -> None:
        """Look after the texts of modules that were labelled."""
        self._texts |= {retired.label: weakref.ref(retired) for retired in labelled}

    def prune(self) -> None:
        """Take out the texts whose module is gone; nothing that could be traced has that file name any more."""
        for label, reference in list(self._texts.items()):
            if reference() is None:
                linecache.cache.pop(label, None)
                del self._texts[label]


def label_replaced(
    old: Mapping[str, ModuleRecord],
    new: Mapping[str, ModuleRecord],
    living: Iterable[RetiredGeneration],
    journal: Journal,
    *,
    is_free: bool = False,
) -> list[RetiredModule]:
    """Label the living retired modules whose text was replaced; return them.

    Args:
        old: dotted name -> record of a module that retires.
        new: dotted name -> record of each module that is current now.
        living: what lives of earlier generations.
        journal: how it is taken back.
        is_free: whether nothing holds anything of what retires: there is nobody to read a label.
    """
    changed = {name for name, record in old.items() if _version(record) != _version(new.get(name))}
    found = [] if is_free else [retired_of(old[name].module) for name in changed]
    for generation in living if changed else ():
        found += [
            retired_of(module)
            for kind, name, reference in generation.references
            if kind == "module" and name in changed and (module := reference()) is not None
        ]
    labelled = []
    for retired in found:
        if retired is not None and not retired.label:
            record = retired.record
            if _version(record) != _version(new.get(record.name)) and _put_text(retired, journal):
                _label(retired, journal)
                labelled.append(retired)
    return labelled


def _version(record: ModuleRecord | None) -> object:
    return None if record is None else record.snapshot.version


def _put_text(retired: RetiredModule, journal: Journal) -> bool:
    """Put the text that a retired module ran where tracebacks look for it; say whether it is known."""
    snapshot = retired.record.snapshot
    if not snapshot.path or not snapshot.digest:
        return False
    journal.add(functools.partial(setattr, retired, "label", ""))
    retired.label = f"{snapshot.path}{_tag(retired)}"
    # Its entry of one: where the text comes from. Its lines are only made where somebody asks for them.
    journal.set_item(linecache.cache, retired.label, (functools.partial(_Text.of, snapshot.data or b""),))
    return True


class _Text(str):
    """The text of a module, whose lines are those that the compiler counts: it takes no form feed for an end."""

    __slots__ = ()

    @classmethod
    def of(cls, data: bytes) -> _Text:
        """Return the text in the bytes of a source file."""
        return cls(importlib.util.decode_source(data))

    def splitlines(self, keepends: bool = False) -> list[str]:  # noqa: FBT001, FBT002 - as in `str`
        return [line if keepends else line.removesuffix("\n") for line in io.StringIO(self)]


def _tag(retired: RetiredModule) -> str:
    return f" (generation {retired.number})"


def _label(retired: RetiredModule, journal: Journal) -> None:
    space, tag = vars(retired.record.module), _tag(retired)
    path = retired.record.snapshot.path or ""
    classes = list(own_classes(space, retired.record.name))
    for function in _own_functions(space, classes):
        retired.remember(function)
        journal.add(functools.partial(_relabel, function, function.__code__, function.__qualname__))
        qualname = _Tagged(function.__qualname__, tag)
        _relabel(function, _labelled(function.__code__, path, retired.label), qualname)
    for cls in classes:
        retired.remember(cls)
        before = type.__getattribute__(cls, "__qualname__")
        journal.add(functools.partial(set_attribute, cls, "__qualname__", before))
        set_attribute(cls, "__qualname__", _Tagged(before, tag))
        if "__firstlineno__" in vars(cls):
            journal.add(functools.partial(set_attribute, cls, "__firstlineno__", vars(cls)["__firstlineno__"]))
            set_attribute(cls, "__firstlineno__", None)  # `inspect` finds no source then


def _relabel(function: FunctionType, code: CodeType, qualname: str) -> None:
    function.__code__ = code
    function.__qualname__ = qualname


def _labelled(code: CodeType, path: str, label: str) -> CodeType:
    """Return code, and the code of the functions in it, with another file name; generated code keeps its own."""
    if code.co_filename != path:
        return code
    consts = code.co_consts
    if CodeType in map(type, consts):
        consts = tuple(_labelled(const, path, label) if type(const) is CodeType else const for const in consts)
    return code.replace(co_filename=label, co_consts=consts)


def _own_functions(space: Mapping[str, Any], classes: Iterable[type]) -> Iterator[FunctionType]:
    """Yield the functions of a module that its globals and classes lead to, through decorators and containers."""
    seen: set[int] = set()
    waiting: list[Any] = list(space.values())
    for value in list(waiting):
        if id(type(value)) in _CONTAINERS and len(value) <= _FEW:
            waiting += value.values() if type(value) is dict else value
    for cls in classes:
        waiting += vars(cls).values()
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        for function in functions_in(value):
            if id(function) in seen:
                continue
            seen.add(id(function))
            if function.__globals__ is space:
                yield function
            # A method's own class is looked at by itself.
            waiting += [part for part in cell_values(function) if type(part) is not type]
        if id(type(value)) in _WRAPPERS and "__wrapped__" in vars(value):
            seen.add(id(value))
            waiting.append(vars(value)["__wrapped__"])
