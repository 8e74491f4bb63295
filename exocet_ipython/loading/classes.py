"""Attributes of classes and instances, read and written as Python itself does, whatever somebody's code makes of it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import WrapperDescriptorType
from typing import Any

__all__ = [
    "class_for",
    "defines",
    "delete_attribute",
    "delete_attributes",
    "first_named",
    "is_immutable",
    "is_of_python",
    "is_static",
    "library_of",
    "module_said_by",
    "mro_of",
    "set_attribute",
    "shows_its_state",
]

# Parts of the standard library whose instances are told things by who has them: options, headers, what to draw.
_CHANGING = frozenset(("argparse", "calendar", "cmd", "code", "difflib", "email", "gettext", "graphlib", "html"))
_CHANGING |= {"http.cookiejar", "http.cookies", "mailbox", "optparse", "pprint", "sched", "shlex", "string", "textwrap"}
_CHANGING |= {"timeit", "trace", "urllib.request", "zipfile"}
_MODULE = type.__dict__["__module__"]
_IMMUTABLE, _ON_THE_HEAP = 1 << 8, 1 << 9  # of a type's flags: `Py_TPFLAGS_IMMUTABLETYPE`, `Py_TPFLAGS_HEAPTYPE`


def set_attribute(owner: Any, name: str, value: Any) -> None:
    """Give a class or an instance an attribute.

    Its metaclass or class is not asked where that is written in Python. One that is written in C is, as those of
    `ctypes` are, and `threading.local`: it may keep attributes in its own way, and Python's own refuses to go past it.

    >>> import ctypes
    >>> class Point(ctypes.Structure): pass
    >>> set_attribute(Point, "origin", (0, 0))
    >>> Point.origin
    (0, 0)

    Raises:
        AttributeError, TypeError: it can't be given that.
    """
    _own_method(owner, "__setattr__")(owner, name, value)


def delete_attribute(owner: Any, name: str) -> None:
    """Take an attribute from a class or an instance, in the same way.

    Raises:
        AttributeError: it has none of this name.
    """
    delete_attributes(owner, (name,))


def delete_attributes(owner: Any, names: Iterable[str]) -> None:
    """Take attributes from a class or an instance, in the same way; raises what `delete_attribute` does."""
    delete = _own_method(owner, "__delattr__")
    for name in names:
        delete(owner, name)


def class_for(value: Any) -> type:
    """Return the class that says what one finds in a value: a class itself, and the class of anything else.

    >>> class_for(bool), class_for(True)
    (<class 'bool'>, <class 'bool'>)
    """
    return value if issubclass(type(value), type) else type(value)


def mro_of(cls: type) -> tuple[type, ...]:
    """Return a class and its bases, in the order in which attributes are looked up in them."""
    found: tuple[type, ...] = type.__getattribute__(cls, "__mro__")
    return found


def first_named(name: str, classes: Iterable[type]) -> Any:
    """Return what the first of these classes has that itself has something of a name; None where none has.

    >>> first_named("real", mro_of(bool)) is vars(int)["real"], first_named("real", mro_of(str))
    (True, None)
    """
    for cls in classes:  # no generator: this is asked hundreds of times in a reload
        space = type.__getattribute__(cls, "__dict__")
        if name in space:
            return space[name]
    return None


def defines(cls: type, name: str) -> bool:
    """Say whether a class or a base of it has something of a name; its metaclass may answer for it, and is not asked.

    >>> class Meta(type):
    ...     def __getattr__(cls, name): return getattr(cls.inner, name)
    >>> class Actor(metaclass=Meta): pass
    >>> defines(Actor, "__next__"), defines(Actor, "__hash__")
    (False, True)
    """
    return any(name in type.__getattribute__(base, "__dict__") for base in mro_of(cls))


def is_static(cls: type) -> bool:
    """Say whether a class is a part of a program in C, which no statement and no call has made.

    >>> is_static(list), is_static(type("Shape", (), {}))
    (True, False)
    """
    flags: int = type.__getattribute__(cls, "__flags__")
    return not flags & _ON_THE_HEAP


def is_immutable(cls: type) -> bool:
    """Say whether a class takes no attributes, as those of programs in C do.

    >>> is_immutable(list), is_immutable(type("Shape", (), {}))
    (True, False)
    """
    flags: int = type.__getattribute__(cls, "__flags__")
    return bool(flags & _IMMUTABLE)


def module_said_by(cls: type) -> Any:
    """Return the name of the module that a class says it is of, or what else it has under that name.

    Its metaclass is not asked, which may have another answer, or none. What a class has need not be a text: it may be
    what tells that of its instances, as in `zope.interface`; None where it has nothing, as `type()` makes it in a
    namespace without a name.

    >>> module_said_by(list), type(module_said_by(type("Interface", (), {"__module__": property(repr)})))
    ('builtins', <class 'property'>)
    """
    try:
        return _MODULE.__get__(cls)
    except AttributeError:
        return None


def library_of(cls: type) -> str:
    """Return the library that a class says it is of, the first part of its module's name; nothing of what says none.

    >>> from collections import abc
    >>> library_of(abc.Sized)
    'collections'
    """
    home = module_said_by(cls)
    return home.partition(".")[0] if isinstance(home, str) else ""


def is_of_python(cls: type) -> bool:
    """Say whether a class is of the standard library.

    >>> is_of_python(list), is_of_python(type("Shape", (), {"__module__": "shapes"}))
    (True, False)
    """
    return library_of(cls) in sys.stdlib_module_names


def shows_its_state(cls: type) -> bool:
    """Say whether the attributes of instances tell what was done with them, as those of a library's classes do.

    Of the standard library's classes few are meant to be changed by who has an instance.

    >>> import argparse, logging
    >>> shows_its_state(argparse.ArgumentParser), shows_its_state(logging.Logger)
    (True, False)
    """
    return not is_of_python(cls) or library_of(cls) in _CHANGING or module_said_by(cls) in _CHANGING


def _own_method(owner: Any, name: str) -> Any:
    """Return the nearest method of this name in the class of an object that is written in C; `object` has one."""
    spaces = (type.__getattribute__(base, "__dict__") for base in mro_of(type(owner)))
    return next(found for space in spaces if type(found := space.get(name)) is WrapperDescriptorType)
