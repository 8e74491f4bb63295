"""Where the value of a notebook name came from: a module and an attribute of it, and what that means by now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType, NoneType
from typing import Any

from exocet_ipython.loading.spaces import attribute_of, globals_of
from exocet_ipython.loading.standin import PRESENCE
from exocet_ipython.reloading.holding.wiring import is_as_made
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.survivors.former import renamed_by

__all__ = [
    "MISSING",
    "Source",
    "given_by",
    "is_bound",
    "latest_meant",
    "loaded",
    "may_have_given",
    "resolve",
    "resolved",
    "star_names",
    "was_changed",
]

MISSING = object()


@dataclass(frozen=True, slots=True)
class Source:
    """Where a notebook name's value came from: a module, and an attribute of it (None: the module itself)."""

    module: str
    attribute: str | None = None

    def __str__(self) -> str:
        return self.module if self.attribute is None else f"{self.module}.{self.attribute}"


def resolve(source: Source, modules: Mapping[str, ModuleType]) -> Any:
    """Return what a source means among the given modules, dotted name -> module; or `MISSING`."""
    found: Any = modules.get(source.module, MISSING)
    for part in source.attribute.split(".") if source.attribute is not None and found is not MISSING else ():
        found = attribute_of(found, part, MISSING)
    return found


def latest_meant(
    sources: Sequence[Source], modules: Mapping[str, ModuleType], old: Mapping[str, ModuleRecord]
) -> tuple[Source, Any]:
    """Return the first of some sources that means something, or that only has another name by now, with what it means.

    Args:
        sources: these, the latest first; of none of which anything is left, that is the one, and means `MISSING`.
        modules: dotted name -> module that is current.
        old: dotted name -> record of a module that retires.
    """
    found = next(resolved(sources, modules), None) or next(resolved(_renamed(sources, old), modules), None)
    return found or (sources[0], MISSING)


def _renamed(sources: Iterable[Source], old: Mapping[str, ModuleRecord]) -> Iterator[Source]:
    for source in sources:
        record, names = old.get(source.module), (source.attribute or "").split(".")
        renamed = {} if record is None else renamed_by(record.module)
        if not renamed.keys().isdisjoint(names):
            yield Source(source.module, ".".join(renamed.get(name, name) for name in names))


def resolved(sources: Iterable[Source], modules: Mapping[str, ModuleType]) -> Iterator[tuple[Source, Any]]:
    """Yield the sources that mean something among the given modules, with what they mean."""
    return ((source, found) for source in sources if (found := resolve(source, modules)) is not MISSING)


def given_by(sources: Sequence[Source], value: Any, modules: Mapping[str, ModuleType]) -> Source:
    """Return the latest of the sources that gives a value, as far as the modules tell; else the latest one."""
    return next((source for source, found in resolved(reversed(sources), modules) if found is value), sources[-1])


def is_bound(namespace: Mapping[str, Any], name: str, source: Source) -> bool:
    """Say whether a name has the value that its source has now."""
    module = PRESENCE.current(source.module)
    return module is not None and resolve(source, {source.module: module}) is namespace.get(name, module)


def may_have_given(value: Any, source: Source, before: Mapping[str, ModuleType]) -> bool:
    """Say whether a source may have given a value that it doesn't name: an older module, or what it computes.

    Args:
        value: what a notebook name has.
        source: where an import statement got it.
        before: dotted name -> module, as they were.
    """
    if issubclass(type(value), ModuleType) and source == Source(value.__name__):
        return source.module in before
    module = before.get(source.module)
    space = globals_of(module)
    computes = "__getattr__" in space or type(module) not in (ModuleType, NoneType)  # its class may give attributes
    return computes and (source.attribute or "").partition(".")[0] not in {"", *space}


def was_changed(source: Source, value: Any, old: Mapping[str, ModuleRecord]) -> bool:
    """Say whether a module-level instance or container is no longer what its module's body left."""
    record = old.get(source.module)
    if record is None or source.attribute is None or source.attribute not in record.fingerprints:
        return False
    return not is_as_made(record, source.attribute, value)


def loaded(names: Iterable[str]) -> dict[str, ModuleType]:
    """Return those of some modules that are loaded, also of libraries: dotted name -> module.

    >>> [*loaded(["sys", "unheard_of"])]
    ['sys']
    """
    found = ((name, PRESENCE.current(name)) for name in names)
    return {name: module for name, module in found if module is not None}


def star_names(module: ModuleType) -> tuple[str, ...]:
    """Return the names that `from module import *` binds: those of `__all__`, else all without a leading underscore.

    >>> import colorsys
    >>> "rgb_to_hsv" in star_names(colorsys)
    True
    """
    exported = getattr(module, "__all__", None)
    if exported is not None:
        return tuple(name for name in exported if attribute_of(module, name, MISSING) is not MISSING)
    return tuple(name for name in list(vars(module)) if not name.startswith("_"))
