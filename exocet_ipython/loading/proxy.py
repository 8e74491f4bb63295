"""A module seen with some attributes replaced: what a mapper gives in the stead of the module itself."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from exocet_ipython.loading.brief import clip, few

__all__ = ["proxy_module"]

_deleted = object()


class _ModuleProxy(ModuleType):
    """A module seen with some attributes replaced; what is set on it, or deleted, is so on it alone."""

    def __init__(self, original: Any, replacements: dict[str, Any]) -> None:
        object.__setattr__(self, "_exocet_parts", (original, replacements))

    def __getattribute__(self, name: str) -> Any:
        original, replacements = object.__getattribute__(self, "_exocet_parts")
        if name in replacements:
            found = replacements[name]
            if found is _deleted:
                raise AttributeError(f"{self!r} has no attribute {name!r}", name=name, obj=self)
            return found
        if name == "__dict__":
            merged = {**getattr(original, "__dict__", {}), **replacements}
            return {key: value for key, value in merged.items() if value is not _deleted}
        if name == "__class__":
            return _ModuleProxy
        return getattr(original, name)

    def __setattr__(self, name: str, value: Any) -> None:
        object.__getattribute__(self, "_exocet_parts")[1][name] = value

    def __delattr__(self, name: str) -> None:
        getattr(self, name)  # what isn't there can't be deleted: AttributeError, as on any module
        setattr(self, name, _deleted)

    def __dir__(self) -> list[str]:
        original, replacements = object.__getattribute__(self, "_exocet_parts")
        return sorted(name for name in {*dir(original), *replacements} if replacements.get(name) is not _deleted)

    def __repr__(self) -> str:
        original, replacements = object.__getattribute__(self, "_exocet_parts")
        return f"<proxy of {clip(repr(original))} with {few(sorted(replacements))} replaced>"


def proxy_module(module: Any, /, **replacements: Any) -> ModuleType:
    """Return a view of `module` in which the given attributes are replaced; `module` itself is not touched.

    Its `__dict__` is a merged copy made whenever it is asked for: to change the proxy, set its attributes.

    >>> import sys
    >>> quiet = proxy_module(sys, stdout=None)
    >>> quiet.stdout is None, quiet.stdin is sys.stdin
    (True, True)
    """
    return _ModuleProxy(module, replacements)
