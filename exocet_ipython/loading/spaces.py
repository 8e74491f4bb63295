"""Namespaces that other threads may change while they are read: a module's, a class's, the notebook's."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from importlib.machinery import ModuleSpec
from types import FunctionType, MappingProxyType, ModuleType
from typing import Any, TypeVar

__all__ = ["attach", "attribute_of", "copy_space", "globals_of", "is_package", "spec_of"]

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


def copy_space(space: Mapping[_Key, _Value]) -> dict[_Key, _Value]:
    """Return a namespace as it is at one moment.

    A loop over it breaks off when an import, or a cell in another thread, gives it a name meanwhile. So does a list of
    its items on Python 3.11, where making these pairs lets the collector run, and so anybody's finalisers. Copying an
    exact dict is one step: it runs no Python code, and free-threaded builds lock the dict for it.

    Args:
        space: the namespace; any mapping will do, but what is not a dict, nor the view that `vars` gives of a class, is
            asked for its items one by one.

    >>> copy_space(vars(type("Point", (), {"x": 1})))["x"]
    1
    """
    # `dict` would take each item of a view by its key; `copy` may give a wrong length on 3.11, when the collector runs.
    return space.copy() if isinstance(space, MappingProxyType) else dict(space)


def globals_of(module: object) -> dict[str, Any]:
    """Return the globals of a module; nothing where there is none, or an object in its stead that has no dict.

    >>> globals_of(None), "copy_space" in globals_of(__import__(__name__, fromlist=["*"]))
    ({}, True)
    """
    return getattr(module, "__dict__", {})


def is_package(module: object) -> bool:
    """Say whether a module is a package, without asking its `__getattr__`, which may raise anything.

    >>> import json
    >>> is_package(json), is_package(json.decoder)
    (True, False)
    """
    return "__path__" in globals_of(module)


def spec_of(name: str, module: object) -> ModuleSpec | None:
    """Return the spec with which a module was loaded; None where that isn't known, or is of another name.

    An object in a module's stead need have none (`sys.modules[__name__] = Settings()`): its class's methods lead to it.

    Args:
        name: its dotted name.
        module: what `sys.modules` has under it.

    >>> import json
    >>> spec_of("json", json).name, spec_of("other", json), spec_of("json.decoder", json.decoder.JSONDecoder()).name
    ('json', None, 'json.decoder')
    """
    spaces = [{"__spec__": attribute_of(module, "__spec__", None)}]
    if not issubclass(type(module), ModuleType):
        parts = copy_space(vars(type(module))).values()
        spaces += [part.__globals__ for part in parts if type(part) is FunctionType and part.__module__ == name]
    specs = (space.get("__spec__") for space in spaces)
    return next((spec for spec in specs if isinstance(spec, ModuleSpec) and spec.name == name), None)


def attribute_of(owner: object, name: str, default: Any) -> Any:
    """Return an attribute of a module or what is in one; the default where there is none, or none to be had.

    The `__getattr__` of a module may raise anything: that of a lazy package, what an import of a lost submodule raises.

    Args:
        owner: a module, or what one has.
        name: of the attribute.
        default: what is returned in place of it.

    >>> import math
    >>> attribute_of(math, "tau", None) == math.tau, attribute_of(math, "upsilon", None)
    (True, None)
    """
    try:
        return getattr(owner, name, default)
    except Exception:  # noqa: BLE001 - a person's code: it has no such attribute then, as for the code that asks for it
        return default


def attach(package: object, child: str, module: object) -> None:
    """Make a submodule an attribute of its package; one whose class refuses that goes without, and a warning says so.

    As a first import does it (CPython `Lib/importlib/_bootstrap.py`, `_find_and_load_unlocked`).

    Args:
        package: the module of the package.
        child: the last part of the submodule's dotted name.
        module: the submodule.

    >>> from types import ModuleType
    >>> package, module = ModuleType("game"), ModuleType("game.world")
    >>> attach(package, "world", module)
    >>> package.world is module
    True
    """
    try:
        setattr(package, child, module)
    except AttributeError:
        text = f"Cannot set an attribute on {getattr(package, '__name__', package)!r} for child module {child!r}"
        warnings.warn(text, ImportWarning, stacklevel=2)
