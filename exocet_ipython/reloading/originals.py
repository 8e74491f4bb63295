"""What was there before a body set it, in a library: read when the body is about to run, as far as that is loaded."""

from __future__ import annotations

import ast
import contextlib
import enum
import sys
from collections.abc import Callable, Iterator
from types import CodeType, ModuleType
from typing import Any

from exocet_ipython.loading.references import OwnReference
from exocet_ipython.loading.spaces import globals_of
from exocet_ipython.reloading.contents import is_plain
from exocet_ipython.reloading.settings import MISSING, Setting, is_of_own_code
from exocet_ipython.reloading.targets import read_targets

__all__ = ["Originals", "read_originals"]

Originals = tuple[tuple[Setting, Any], ...]


def read_originals(code: CodeType | None, text: Callable[[], bytes | None]) -> Originals:
    """Return what a body is about to set of libraries, with what that is now.

    Instances, and functions of other modules of the person's, are only referred to weakly.

    Args:
        code: the body; None where it is not known.
        text: gives what it was compiled from; only asked where the code sets something.

    >>> text = b"import json; json.dumps = None; json.is_patched = True"
    >>> [(one.key, was is MISSING) for one, was in read_originals(compile(text, "m.py", "exec"), lambda: text)]
    [('dumps', False), ('is_patched', True)]
    """
    if code is None:
        return ()
    return tuple(_read(code, text))


def _read(code: CodeType, text: Callable[[], bytes | None]) -> Iterator[tuple[Setting, Any]]:
    for setting, space in read_targets(code, text, _imported):
        try:
            owner = setting.find(space)
            value = None if is_of_own_code(owner) else setting.read(owner)
        except Exception:  # noqa: BLE001, S112 - whatever the owner raises that is asked
            continue
        if is_of_own_code(owner):
            continue
        is_librarys = (callable(value) or isinstance(value, enum.Enum)) and not is_of_own_code(value)
        if value is MISSING or is_plain(value) or is_librarys:
            yield setting, value
        else:
            with contextlib.suppress(TypeError):  # a list or a dict may be another one by then
                yield setting, OwnReference(value)


def _imported(text: bytes) -> dict[str, Any]:
    """Return what the import statements of a text will bind, as far as it is loaded."""
    space: dict[str, Any] = {}
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    name = alias.name if alias.asname else alias.name.partition(".")[0]
                    space[alias.asname or name] = sys.modules.get(name)
            case ast.ImportFrom(module=str(name), names=names, level=0):
                home = globals_of(sys.modules.get(name))
                for alias in names:
                    space[alias.asname or alias.name] = home.get(alias.name, sys.modules.get(f"{name}.{alias.name}"))
    return {name: value for name, value in space.items() if isinstance(value, (ModuleType, type))}
