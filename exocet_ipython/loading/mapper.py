"""Mappers: what an import name means to the code that is being loaded.

A mapper is asked for the object behind an absolute dotted name. The idea is Exocet's (Allen Short, 2011): naming a
dependency and creating a module object are two acts, and the mapper stands between them.

Three laws hold for every mapper here, and `tests/loading/test_mapper.py` checks them on random mappers:

1. `contains(name)` is true exactly when `lookup(name)` returns.
2. An override wins, and an override of `a` governs `a.b` too.
3. An excluded name, and each of its submodules, is never found.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, runtime_checkable

from exocet_ipython.errors import ExcludedImportError, NotInMapperError
from exocet_ipython.loading.brief import clip, few
from exocet_ipython.loading.names import with_packages
from exocet_ipython.loading.proxy import proxy_module

__all__ = [
    "CallableMapper",
    "DictMapper",
    "ExclusiveMapper",
    "Mapper",
    "StackedMapper",
    "empty_mapper",
    "governs",
    "pep302_mapper",
    "proxy_module",
]


@runtime_checkable
class Mapper(Protocol):
    """What an import name means: an answer for each absolute dotted name.

    >>> isinstance(pep302_mapper, Mapper)
    True
    """

    def lookup(self, name: str) -> Any:
        """Return the object that `name` means, or raise ImportError with `name` set.

        What else goes wrong while a module is imported (a SyntaxError, an error in its body) is raised as it is.
        """
        ...

    def contains(self, name: str) -> bool:
        """Say whether `lookup(name)` would return; asking may import."""
        ...

    def with_overrides(self, mapping: Mapping[str, Any]) -> Mapper:
        """Return a mapper in which the names of `mapping`, and their submodules, mean what it says."""
        ...


class _Overridable:
    """The two answers that every mapper derives in the same way from `lookup`."""

    def lookup(self, name: str) -> Any:
        raise NotImplementedError

    def contains(self, name: str) -> bool:
        """Say whether `lookup(name)` would return; asking may import."""
        try:
            self.lookup(name)
        except ImportError:
            return False
        return True

    def with_overrides(self, mapping: Mapping[str, Any]) -> Mapper:
        """Return a mapper in which the names of `mapping`, and their submodules, mean what it says."""
        return StackedMapper((DictMapper(mapping), self))


class DictMapper(_Overridable):
    """A mapper that finds names in a mapping, and the submodules of those names as attributes of what it found.

    >>> import json
    >>> mapper = DictMapper({"json": json})
    >>> mapper.lookup("json.decoder") is json.decoder
    True
    >>> mapper.contains("os")
    False
    """

    def __init__(self, mapping: Mapping[str, Any]) -> None:
        self._mapping = mapping

    def __repr__(self) -> str:
        return f"DictMapper({few(sorted(map(str, self._mapping)))})"

    def governs(self, name: str) -> bool:
        """Say whether this mapping decides about `name`: it holds the name itself or a package above it."""
        return any(prefix in self._mapping for prefix in with_packages(name))

    def lookup(self, name: str) -> Any:
        """Return the object that `name` means here.

        Raises:
            NotInMapperError: neither the name nor, by attributes, a name above it is in the mapping.
        """
        for prefix in reversed(with_packages(name)):
            if prefix in self._mapping:
                found = self._mapping[prefix]
                for part in name[len(prefix) + 1 :].split(".") if name != prefix else ():
                    try:
                        found = getattr(found, part)
                    except AttributeError:
                        raise _not_found(name, self) from None
                    except ImportError as error:  # a module-level __getattr__ that imports lazily
                        _named(error, name)
                        raise
                return found
        raise _not_found(name, self)


class CallableMapper(_Overridable):
    """A mapper that asks a function, which returns the object or raises ImportError.

    >>> CallableMapper(lambda name: name.upper()).lookup("json")
    'JSON'
    """

    def __init__(self, function: Callable[[str], Any]) -> None:
        self._function = function

    def __repr__(self) -> str:
        named = self._function if hasattr(self._function, "__qualname__") else type(self._function)
        return f"CallableMapper({clip(named.__qualname__)})"

    def lookup(self, name: str) -> Any:
        """Return what the function says `name` means.

        Raises:
            ImportError: as the function raised it; its `name` is set when the function left it out.
        """
        try:
            return self._function(name)
        except ImportError as error:
            _named(error, name)
            raise


class StackedMapper(_Overridable):
    """A mapper that asks several in turn; the first that has the name answers, and one that governs it ends the search.

    >>> StackedMapper((DictMapper({"a": 1}), DictMapper({"a": 2, "b": 3}))).lookup("a")
    1
    """

    def __init__(self, mappers: Iterable[Mapper]) -> None:
        self.mappers: tuple[Mapper, ...] = tuple(each for mapper in mappers for each in _unrolled(mapper))

    def __repr__(self) -> str:
        return f"StackedMapper({few(self.mappers)})"

    def governs(self, name: str) -> bool:
        """Say whether one of the mappers decides about `name`."""
        return any(governs(mapper, name) for mapper in self.mappers)

    def lookup(self, name: str) -> Any:
        """Return the first mapper's answer.

        Raises:
            ImportError: of the last mapper asked, when none has the name.
        """
        missing: ImportError | None = None
        for mapper in self.mappers:
            try:
                return mapper.lookup(name)
            except ImportError as error:
                missing = error
                if governs(mapper, name):
                    break
        try:
            raise _not_found(name, self) if missing is None else _named(missing, name)
        finally:
            del missing  # an error that a frame of its own traceback holds is a cycle, and keeps the frames' objects


class ExclusiveMapper(_Overridable):
    """A mapper without some of another's names; an excluded name excludes its submodules.

    >>> ExclusiveMapper(pep302_mapper, ["xml"]).contains("xml.dom")
    False
    """

    def __init__(self, mapper: Mapper, excluded: Iterable[str]) -> None:
        self._mapper = mapper
        self._excluded = frozenset([excluded] if isinstance(excluded, str) else excluded)

    def __repr__(self) -> str:
        return f"ExclusiveMapper({clip(repr(self._mapper))}, without {few(sorted(self._excluded))})"

    def governs(self, name: str) -> bool:
        """Say whether the name is excluded here, or decided below."""
        return not self._excluded.isdisjoint(with_packages(name)) or governs(self._mapper, name)

    def lookup(self, name: str) -> Any:
        """Return the inner mapper's answer.

        Raises:
            ExcludedImportError: the name or a package above it is excluded.
        """
        if not self._excluded.isdisjoint(with_packages(name)):
            raise ExcludedImportError(
                f"import of {name!r} is excluded by the mapper",
                where=repr(self),
                advice="load with a mapper that has the name, or override it with with_overrides",
                name=name,
            )
        return self._mapper.lookup(name)


class _EmptyMapper(_Overridable):
    """A mapper that has no name at all."""

    def __repr__(self) -> str:
        return "empty_mapper"

    def lookup(self, name: str) -> Any:
        raise _not_found(name, self)


class _Pep302Mapper(_Overridable):
    """Python's own import: what `sys.modules` has, or what the finders on `sys.meta_path` load into it."""

    def __repr__(self) -> str:
        return "pep302_mapper"

    def lookup(self, name: str) -> Any:
        # importlib raises TypeError and ValueError for these; a mapper promises ImportError for whatever it lacks.
        if not all(name.split(".")):
            raise _not_found(name, self)
        try:
            if name not in sys.modules:
                for package in with_packages(name)[:-1]:  # outermost first: importlib itself recurses, once a dot
                    importlib.import_module(package)
            return importlib.import_module(name)
        except ModuleNotFoundError:
            raise  # Python names what is missing; a body that raised it without a name has its own text for people
        except ImportError as error:
            _named(error, name)
            raise


empty_mapper: Mapper = _EmptyMapper()
pep302_mapper: Mapper = _Pep302Mapper()


def governs(mapper: Mapper, name: str) -> bool:
    """Say whether `mapper` decides about `name` by an override or an exclusion, so that nobody else is asked.

    >>> governs(pep302_mapper, "json"), governs(pep302_mapper.with_overrides({"json": None}), "json.decoder")
    (False, True)
    """
    decides: Callable[[str], bool] | None = getattr(mapper, "governs", None)
    return decides is not None and decides(name)


def _unrolled(mapper: Mapper) -> tuple[Mapper, ...]:
    """Return the mappers of a stack within a stack: overrides laid over overrides many times stay one flat search."""
    if isinstance(mapper, StackedMapper) and type(mapper).lookup is StackedMapper.lookup:
        return mapper.mappers
    return (mapper,)  # a subclass that answers in its own way is asked as a whole


def _named(error: ImportError, name: str) -> ImportError:
    """Give an ImportError the `name` it is about, where whoever raised it left that out."""
    if error.name is None:
        error.name = name
    return error


def _not_found(name: str, mapper: object) -> NotInMapperError:
    return NotInMapperError(
        f"No module named {clip(name)!r} in the mapper",
        where=repr(mapper),
        advice="check the spelling, or give the mapper the name with with_overrides",
        name=name,
    )
