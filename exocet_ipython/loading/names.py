"""What names in import statements mean: the packages that a dotted one is in, its absolute form, an attribute."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from types import ModuleType
from typing import Any

__all__ = ["is_dotted", "is_dunder", "require_attribute", "resolve_import", "with_packages"]


def is_dotted(text: str) -> bool:
    """Say whether a text is a dotted name.

    >>> is_dotted("app.models"), is_dotted("models/"), is_dotted(".models")
    (True, False, False)
    """
    return all(part.isidentifier() for part in text.split("."))


def is_dunder(name: str) -> bool:
    """Say whether a name is one of Python's own, as `__name__` and `__init__` are.

    >>> is_dunder("__name__"), is_dunder("__cache"), is_dunder("name")
    (True, False, False)
    """
    return name[:2] == "__" == name[-2:]


def with_packages(name: str) -> tuple[str, ...]:
    """Return the packages that a dotted name is in, outermost first, and the name itself.

    >>> with_packages("a.b.c")
    ('a', 'a.b', 'a.b.c')
    """
    parts = name.split(".")
    return tuple(".".join(parts[:end]) for end in range(1, len(parts) + 1))


def resolve_import(name: str, namespace: Mapping[str, Any] | None, level: int) -> str:
    """Return the absolute dotted name that an import statement means (PEP 328, PEP 366).

    Args:
        name: as written, without leading dots.
        namespace: globals of the module the statement is in; None for a call without them.
        level: number of leading dots.

    >>> resolve_import("text", {"__package__": "game.ui"}, 2)
    'game.text'
    """
    if level == 0:
        return name
    space = namespace or {}
    package = space.get("__package__")
    if package is None:
        spec = space.get("__spec__")
        package = spec.parent if spec is not None else space.get("__name__", "")
        if spec is None and "__path__" not in space:
            package = package.rpartition(".")[0]
    if not package:
        message = "attempted relative import with no known parent package"
        raise ImportError(message)
    if level == 1:
        return f"{package}.{name}" if name else str(package)  # nearly all, and at every import statement
    return importlib.util.resolve_name("." * level + name, package)


def require_attribute(module: ModuleType, name: str, attribute: str) -> Any:
    """Return an attribute of the module `name`, or fail as a `from` statement does; raises ImportError."""
    try:
        return getattr(module, attribute)
    except AttributeError:
        pass
    where = getattr(module, "__file__", None) or "unknown location"
    raise ImportError(f"cannot import name {attribute!r} from {name!r} ({where})", name=name, path=where)
