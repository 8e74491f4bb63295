"""References written as Python: the expression that leads from one object to another that it refers to.

Nothing of the person's runs for it: attributes are read where they are stored, past properties and `__getattr__`.
"""

from __future__ import annotations

import functools
import gc
import keyword
import sys
import threading
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from types import (
    AsyncGeneratorType,
    BuiltinFunctionType,
    CellType,
    CoroutineType,
    FrameType,
    FunctionType,
    GeneratorType,
    GenericAlias,
    MappingProxyType,
    MemberDescriptorType,
    MethodType,
    MethodWrapperType,
    TracebackType,
)
from typing import Any
from weakref import ref

from exocet_ipython.loading.classes import defines, first_named, mro_of
from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.reloading.holding.contents import dict_of
from exocet_ipython.survivors.finding.frames import FRAMES, locals_of

__all__ = ["Places", "attribute_of", "express"]

# Where objects of Python's own types keep what they refer to.
_PARTS: tuple[tuple[type, tuple[str, ...]], ...] = (
    (FunctionType, ("__closure__", "__defaults__", "__kwdefaults__", "__globals__", "__code__")),
    (MethodType, ("__self__", "__func__")),
    (functools.partial, ("func", "args", "keywords")),
    (property, ("fget", "fset", "fdel")),
    (staticmethod, ("__func__",)),
    (classmethod, ("__func__",)),
    (BuiltinFunctionType, ("__self__",)),
    (MethodWrapperType, ("__self__",)),
    (CellType, ("cell_contents",)),
    (TracebackType, ("tb_frame", "tb_next")),
    (FrameType, ("f_globals", "f_code", "f_back")),
    (GeneratorType, ("gi_yieldfrom", "gi_code")),
    (CoroutineType, ("cr_await", "cr_code")),
    (AsyncGeneratorType, ("ag_await", "ag_code")),
    (BaseException, ("__traceback__", "__cause__", "__context__", "args")),
    (defaultdict, ("default_factory",)),
    (GenericAlias, ("__origin__", "__args__")),
    (super, ("__self__", "__thisclass__")),
    (ref, ("__callback__",)),
    (slice, ("start", "stop", "step")),
    (type, ("__base__", "__bases__", "__mro__")),
)
_LITERALS = frozenset(map(id, (str, int, bytes, bool, type(None))))

# An expression, and how many references of the chain it follows.
_Step = tuple[str, int]
_NEAR = 100  # items that are looked at before the places of all of them are noted
Places = dict[int, dict[int, int]]  # id of a sequence or set -> id of an item -> its place


def express(start: str, chain: Sequence[Any], places: Places | None = None) -> str:
    """Return the expression that reaches the last object of a chain, each of which refers to the next.

    What no attribute or item gives, such as an entry in the cache of a `functools.lru_cache`, is reached by
    `gc.get_referents`.

    Args:
        start: an expression for the first object.
        chain: the objects; none is changed, and no code of theirs runs.
        places: where the items of large sequences are, for who writes many paths down; it is added to.

    >>> part = functools.partial(print, [1], end="")
    >>> express("part", [part, part.args, part.args[0]])
    'part.args[0]'
    """
    text, rest = start, list(chain)
    while len(rest) > 1:
        text, used = _follow(text, rest, {} if places is None else places)
        rest = rest[used:]
    return text


def _follow(text: str, chain: list[Any], places: Places) -> _Step:
    holder, held = chain[0], chain[1]
    kind = type(holder)
    if held is kind:
        return f"type({text})", 1
    if issubclass(kind, threading.local):
        found = _in_thread_local(text, chain)
    elif issubclass(kind, (dict, list, tuple, deque, set, frozenset)):
        found = _item_of(text, holder, held, places)
    elif issubclass(kind, type):
        found = _in_class(text, chain)
    elif issubclass(kind, MappingProxyType):
        found = _item_of(text, held, chain[2], places) if len(chain) > 2 and type(held) is dict else None  # noqa: PLR2004
        if found is not None:
            return found[0], 2
    else:
        found = _in_frame(text, chain)
    return found or _in_attributes(text, chain) or _in_parts(text, chain) or _by_referents(text, holder, held)


def _item_of(text: str, holder: Any, held: Any, places: Places) -> _Step | None:
    """Return how an object is reached from the dict, sequence or set that has it; None where it has not."""
    kind = type(holder)
    if issubclass(kind, dict):
        for place, (key, value) in enumerate(list(dict.items(holder))):
            if value is held:
                return (f"{text}[{_literal(key)}]" if _is_literal(key) else f"list({text}.values())[{place}]"), 1
            if key is held:
                return f"list({text})[{place}]", 1
        return None
    at = _place_of(holder, held, places)
    if at is None:
        return None
    return (f"{text}[{at}]" if issubclass(kind, (list, tuple, deque)) else f"list({text})[{at}]"), 1


def _place_of(holder: Any, held: Any, places: Places) -> int | None:
    """Return the first place of an object in a sequence or set."""
    for place, item in enumerate(_items(holder, _NEAR)):
        if item is held:
            return place
    if id(holder) not in places:
        items = _items(holder)
        places[id(holder)] = dict(zip(map(id, reversed(items)), range(len(items) - 1, -1, -1), strict=True))
    return places[id(holder)].get(id(held))


def attribute_of(text: str, name: Any, owner: Any = None) -> str:
    """Return how an attribute is written, past a property of the same name.

    >>> attribute_of("x", "name"), attribute_of("x", "odd name")
    ('x.name', 'vars(x)["odd name"]')
    """
    if type(name) is not str:
        return f"vars({text})[{_literal(name)}]"
    shadow = first_named(name, mro_of(type(owner)))
    if not name.isidentifier() or keyword.iskeyword(name) or defines(type(shadow), "__set__"):
        return f"vars({text})[{_literal(name)}]"
    return f"{text}.{name}"


def _in_attributes(text: str, chain: list[Any]) -> _Step | None:
    """Follow an attribute: in the dict of an instance, which may be inline, or in a slot."""
    holder, held = chain[0], chain[1]
    space = dict_of(holder)
    if space is not None:
        if held is space:
            return _entry(text, chain, holder)
        for name, value in copy_space(space).items():
            if value is held:
                return attribute_of(text, name, holder), 1
    for base in mro_of(type(holder)):
        for name, slot in copy_space(_vars(base)).items():
            if type(slot) is MemberDescriptorType and _read(base, name, holder) is held:
                return f"{text}.{name}", 1
    return None


def _entry(text: str, chain: list[Any], holder: Any) -> _Step:
    """Follow an entry of the dict that holds an instance's attributes, if the chain goes on to one."""
    if len(chain) > 2:  # noqa: PLR2004 - holder, dict, value
        for name, value in list(chain[1].items()):
            if value is chain[2]:
                return attribute_of(text, name, holder), 2
    return f"vars({text})", 1


def _in_class(text: str, chain: list[Any]) -> _Step | None:
    """Follow a class attribute; a descriptor is read from the class's dict, where it doesn't act."""
    if type(chain[1]) is not dict or len(chain) == 2:  # noqa: PLR2004 - holder, dict, value
        return None
    for name, value in list(chain[1].items()):
        if value is chain[2]:
            acts = defines(type(value), "__get__") and type(value) is not FunctionType
            plain = type(name) is str and name.isidentifier() and not keyword.iskeyword(name)
            return (f"{text}.{name}" if plain and not acts else f"vars({text})[{_literal(name)}]"), 2
    return None


def _in_frame(text: str, chain: list[Any]) -> _Step | None:
    """Follow a local variable of a frame, or of what has one: a generator or coroutine that waits."""
    holder, held = chain[0], chain[1]
    frame = holder if type(holder) is FrameType else None
    if (attribute := FRAMES.get(id(type(holder)))) is not None:
        frame = getattr(holder, attribute)
        text += f".{attribute}"
    if frame is None:
        return None
    # A variable that an inner function shares is in a cell, which the frame shows as what is in it.
    used = 2 if type(held) is CellType and len(chain) > 2 else 1  # noqa: PLR2004 - frame, cell, value
    for name, value in locals_of(frame).items():
        if value is chain[used]:
            return f"{text}.f_locals[{_literal(name)}]", used
    # What a frame refers to is the function that it runs, whose globals are its own.
    leads = type(held) is FunctionType and any(part is frame.f_globals for part in chain[2:3])
    return (f"{text}.f_globals", 2) if leads else None


def _in_thread_local(text: str, chain: list[Any]) -> _Step | None:
    """Follow an attribute of a `threading.local`: it keeps a dict for each thread, in a dict of its own."""
    holder = chain[0]
    own = threading.local.__getattribute__(holder, "__dict__")  # of this thread
    for place in (1, 2):
        if len(chain) > place + 1 and chain[place] is own:
            name = next((name for name, value in own.items() if value is chain[place + 1]), None)
            if name is not None:
                return attribute_of(text, name), place + 1
    return _by_referents(text, holder, chain[1])


def _in_parts(text: str, chain: list[Any]) -> _Step | None:
    """Follow an attribute of a function, a method, a traceback and so on."""
    holder, held = chain[0], chain[1]
    for kind, names in (*_PARTS, *_task_parts()):
        if issubclass(type(holder), kind):
            for name in names:
                if _read(kind, name, holder) is held:
                    return f"{text}.{name}", 1
    if type(holder) is FunctionType and type(held) is tuple and len(chain) > 2:  # noqa: PLR2004
        # Annotations that nobody has asked for yet are kept as name, value, name, value.
        for name, value in zip(held[::2], held[1::2], strict=False):
            if value is chain[2] and type(name) is str:
                return f"{text}.__annotations__[{_literal(name)}]", 2
    if type(holder) is FunctionType and type(held) is dict and holder.__annotations__ is held:
        return f"{text}.__annotations__", 1
    return None


def _task_parts() -> Iterable[tuple[type, tuple[str, ...]]]:
    """Return what tasks and futures refer to, where asyncio is loaded."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return ()
    return (asyncio.Task, ("_coro", "_fut_waiter")), (asyncio.Future, ("_result", "_exception"))


def _by_referents(text: str, holder: Any, held: Any) -> _Step:
    """Follow a reference that has no other spelling."""
    places = (place for place, part in enumerate(gc.get_referents(holder)) if part is held)
    return f"gc.get_referents({text})[{next(places, 0)}]", 1


def _vars(kind: type) -> Mapping[str, Any]:
    found: Mapping[str, Any] = type.__dict__["__dict__"].__get__(kind)
    return found


def _read(kind: type, name: str, holder: Any) -> Any:
    """Return what an object has under one of the attributes that Python itself defined; None where it has nothing."""
    try:
        return _vars(kind)[name].__get__(holder, type(holder))
    except (AttributeError, KeyError, ValueError):  # an empty slot; another version of Python; an empty cell
        return None


def _items(holder: Any, most: int | None = None) -> list[Any]:
    """Return the items of a sequence or set, or the first of them, past what a subclass makes of iteration."""
    base: Any = next(base for base in (list, tuple, deque, set, frozenset) if issubclass(type(holder), base))
    return list(islice(base.__iter__(holder), most))


def _is_literal(key: Any) -> bool:
    return id(type(key)) in _LITERALS or (type(key) is tuple and all(map(_is_literal, key)))


def _literal(key: Any) -> str:
    """Return a key as people write it: strings in double quotes.

    >>> print(_literal("click"), _literal(5), _literal('say "x"'))
    "click" 5 'say "x"'
    """
    shown = repr(key)
    return f'"{shown[1:-1]}"' if type(key) is str and shown.startswith("'") and '"' not in shown else shown
