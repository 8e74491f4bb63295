"""Scope: which modules are the person's own code, to be made anew when it changes; all others are shared."""

from __future__ import annotations

import functools
import os
import site
import sys
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from importlib.machinery import ModuleSpec
from itertools import accumulate
from typing import Any

from exocet_ipython.errors import ExcludedImportError
from exocet_ipython.loading.spaces import spec_of
from exocet_ipython.reloading.noticing.followed import absolute_path

__all__ = ["Scope", "is_own_folder", "matches", "read_patterns"]

# What can't be made anew, with what to do: the machinery that a reload runs on (replacing it while it works would be
# sawing at the branch), and the notebook itself.
_NEVER = {
    "__main__": "put the code into a file and load that",
    "__mp_main__": "put the code into a file and load that",
    "exocet_ipython": "restart the kernel to run another version of it",
}
_ARCHIVE = f"python{sys.version_info.major}{sys.version_info.minor}.zip"  # where the standard library may be


@dataclass(frozen=True, slots=True)
class Scope:
    """The person's own code: what is neither in the standard library nor installed, and what they named.

    An editable install is own code: its files are where the person edits them.

    Attributes:
        roots: top-level names that belong to the scope wherever they are, because they were named.
        include: patterns of what else belongs to it.
        exclude: patterns of what never does.

    Patterns are what `read_patterns` returns.

    >>> import json
    >>> Scope().includes("json", json.__file__), Scope().includes("json", "/home/me/json.py")
    (False, True)
    >>> Scope().with_root("json.decoder").includes("json", json.__file__)
    True
    """

    roots: frozenset[str] = frozenset()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        # Asking for the folders imports modules of sysconfig's own. A finder that asks while it answers for these
        # would find sysconfig half initialised, so they are known before there is a scope to ask.
        _installed_folders()

    def with_root(self, name: str) -> Scope:
        """Return the scope that also holds the package that `name` is in, wherever it is.

        Raises:
            ExcludedImportError: it is what can't be made anew: the notebook itself, or this package.
        """
        root = name.partition(".")[0]
        if root in _NEVER:
            raise ExcludedImportError(f"{root!r} can't be loaded anew while it runs", advice=_NEVER[root], name=root)
        return replace(self, roots=self.roots | {root})

    def includes(self, name: str, path: str | None) -> bool:
        """Say whether the module `name`, loaded from the file or folder `path`, belongs to the scope."""
        root = name.partition(".")[0]
        if root in _NEVER or (self.exclude and matches(self.exclude, name, path)):
            return False
        if root in self.roots or (self.include and matches(self.include, name, path)):
            return True
        return path is not None and _is_own(path)

    def includes_spec(self, spec: ModuleSpec) -> bool:
        """Say whether the module that the spec describes belongs to the scope; a namespace by its first folder."""
        path = spec.origin if spec.has_location else next(iter(spec.submodule_search_locations or ()), None)
        return self.includes(spec.name, path)

    def includes_module(self, name: str, module: Any) -> bool:
        """Say whether a module that was loaded belongs to the scope."""
        spec = spec_of(name, module)
        return spec is not None and self.includes_spec(spec)


def read_patterns(given: Iterable[str]) -> tuple[str, ...]:
    """Return patterns as `matches` takes them.

    One with a slash, or that ends with `.py`, is that of a file, or of a folder with all that is in it. It is matched
    with the end of a path, unless it begins at the root, with `~`, or with `./` or `../`, the present working folder.
    All others are of dotted names, which stand for their submodules too.

    >>> read_patterns(["game.*", "vendored/", "/home/me/old.py"])
    ('game.*', '*/vendored', '/home/me/old.py')
    """
    return tuple(_whole_path(pattern) if "/" in pattern or pattern.endswith(".py") else pattern for pattern in given)


def _whole_path(pattern: str) -> str:
    if pattern.startswith(("./", "../")):
        return os.path.normpath(absolute_path(pattern))
    pattern = os.path.expanduser(pattern).rstrip("/")
    return pattern if pattern.startswith(("/", "*")) or os.path.isabs(pattern) else f"*/{pattern}"


def matches(patterns: Iterable[str], name: str, path: str | None) -> bool:
    """Say whether a module is meant by one of the patterns.

    >>> matches(["game.*"], "game.world.rooms", None), matches(["*/vendored"], "yaml", "/home/me/vendored/yaml.py")
    (True, True)
    """
    return any(
        fnmatchcase(path or "", pattern) or fnmatchcase(path or "", f"{pattern}/*")
        if "/" in pattern
        else fnmatchcase(name, pattern) or fnmatchcase(name, f"{pattern}.*")
        for pattern in patterns
    )


def _is_own(path: str) -> bool:
    if path.endswith((".py", ".pyw", ".so", ".pyd")):
        # `os.path.dirname` would do; this is asked of each module that is imported, and costs a fifth.
        return is_own_folder(path.rpartition(os.sep)[0] or os.path.dirname(path))
    return is_own_folder(path)


@functools.lru_cache(maxsize=4096)
def is_own_folder(folder: str) -> bool:
    """Say whether a folder is outside of all that Python or an installer made; remembered, as modules share folders."""
    parts = folder.split(os.sep)
    if "site-packages" in parts or "dist-packages" in parts:
        return False
    if not os.path.isabs(folder) and not any(map(os.path.isfile, accumulate(parts, os.path.join))):
        return False  # no place at all, unless it is in an archive that `sys.path` has so
    real = os.path.realpath(folder)
    return not any(real == place or real.startswith(place + os.sep) for place in _installed_folders())


@functools.cache
def _installed_folders() -> tuple[str, ...]:
    """Return the folders of the standard library and of installed packages, links resolved."""
    places: Iterable[str | None] = (
        *(sysconfig.get_path(kind) for kind in ("stdlib", "platstdlib", "purelib", "platlib")),
        *(place for place in sys.path if os.path.basename(place) == _ARCHIVE),
        *site.getsitepackages(),
        site.getusersitepackages(),
    )
    return tuple({os.path.realpath(place) for place in places if place})
