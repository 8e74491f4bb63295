"""Sources that are elsewhere now: a module that became a package, an import that failed and could succeed.

A change of a loaded file is the detectors' to find. What appeared beside it is found here, by asking the finders again.
"""

from __future__ import annotations

import contextlib
import os
import pkgutil
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib.machinery import ModuleSpec

from exocet_ipython.loading.names import with_packages
from exocet_ipython.loading.source import find_spec, find_spec_again, find_spec_of, is_package_file
from exocet_ipython.loading.spaces import globals_of
from exocet_ipython.reloading.failed import FailedLoad
from exocet_ipython.reloading.generation import Generation
from exocet_ipython.reloading.imports import ImportStatement, expand, guarded_lines
from exocet_ipython.reloading.noticing.changes import Change
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.reloading.scope import Scope

__all__ = ["Choice", "Wanted", "appeared_imports", "find_moves", "is_gone"]

_COMPUTING = (b"import_module", b"__import__", b"find_spec")
_TICK = 20_000_000  # nanoseconds: a file system's clock is behind `time.time_ns()` by up to a tick of the kernel


@dataclass(frozen=True, slots=True)
class Choice:
    """Modules of which a cell takes the first that can be imported.

    Attributes:
        modules: dotted names, the first choice first.
        moment: when the cell ran, in nanoseconds.
    """

    modules: tuple[str, ...]
    moment: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What cells have imported.

    Attributes:
        modules: their dotted names.
        choices: where a cell took what could be imported.
    """

    modules: Collection[str] = ()
    choices: tuple[Choice, ...] = ()


_NOTHING = Wanted()


def find_moves(
    generation: Generation, scope: Scope, stems: frozenset[str] | None = None, wanted: Wanted = _NOTHING
) -> tuple[Change, ...]:
    """Return the modules whose source is found in another place by now, and those with an import that failed before.

    What was deleted and is there again counts where a cell has imported it: the cell would import it again.

    Args:
        generation: the current one; its modules are looked for again.
        scope: only imports of own code are looked for.
        wanted: what cells have imported; a package stands for its submodules too. Of choices, what a cell would rather
            have by now, or needs since another one is gone, counts as well.
        stems: only modules with one of these in their dotted name, a package's or their own; None for all.
    """
    found: dict[str, Change] = {}
    packages: dict[str, list[str] | None] = {}  # what is elsewhere now -> where its submodules are
    for name, record in generation.records.items():
        if not _is_concerned(name, stems):
            continue
        known = getattr(record.module, "__spec__", None)  # an object in a module's stead may have none
        spec = find_spec_again(name, known)
        if spec is not None and isinstance(known, ModuleSpec) and _place(spec) != _place(known):
            found[name] = Change(name, "moved", spec.origin or record.snapshot.path or "")
            packages[name] = spec.submodule_search_locations
    importers: dict[str, ModuleRecord | FailedLoad] = {**generation.records, **generation.failed}
    for name, importer in importers.items():
        if name not in found:
            appeared = next(appeared_imports(importer, generation, scope, stems), None)
            if appeared is not None:
                found[name] = Change(name, "appeared", appeared)
    found |= _come_back(generation, scope, wanted, packages)
    for choice in wanted.choices:
        if any(_is_concerned(name, stems) for name in choice.modules):
            found = _chosen(choice, generation, scope) | found
    return tuple(found.values())


def _come_back(
    generation: Generation, scope: Scope, wanted: Wanted, packages: dict[str, list[str] | None]
) -> dict[str, Change]:
    """Return what was deleted, is there again, and is wanted; what is a package is added to the `packages`."""
    found: dict[str, Change] = {}
    for name in sorted(generation.gone - sys.modules.keys()):
        if any(name == module or name.startswith(module + ".") for module in wanted.modules):
            package = name.rpartition(".")[0]
            spec = find_spec(name, packages[package]) if packages.get(package) else find_spec_of(name)
            if spec is not None and scope.includes_spec(spec):
                found[name] = Change(name, "appeared", spec.origin or "")
                packages[name] = spec.submodule_search_locations
    return found


def _chosen(choice: Choice, generation: Generation, scope: Scope) -> dict[str, Change]:
    """Return what a cell would import now in place of what it has, with the packages that it is in."""
    is_gone = False
    for name in choice.modules:
        spec = find_spec_of(name)
        if name in sys.modules and (spec is not None or name not in generation.records):
            return {}
        if spec is None:
            is_gone |= name in generation.records
        elif scope.includes_spec(spec):
            unloaded = _unloaded(name)
            if is_gone or _have_appeared(unloaded, choice.moment):
                return {need: Change(need, "appeared", spec.origin or "") for need in unloaded}
    return {}


def _is_concerned(name: str, stems: frozenset[str] | None) -> bool:
    return stems is None or not stems.isdisjoint(name.split("."))


def _may_import(record: ModuleRecord | FailedLoad, stems: frozenset[str] | None) -> bool:
    """Say whether a module's text has one of the stems in it; reading the imports of all modules would take longer.

    An identifier with other letters than ASCII's can be written in several ways.
    """
    text = record.snapshot.data
    if stems is None or not text or any(word in text for word in _COMPUTING):
        return True  # all, or by a name that it computes
    return any(not stem.isascii() or stem.encode() in text for stem in stems)


def _place(spec: ModuleSpec | None) -> tuple[object, ...]:
    """Return what tells one source from another: the file, or the folders of a namespace package."""
    if spec is None:
        return ()
    if spec.has_location:
        return (spec.origin,)
    return tuple(spec.submodule_search_locations or ())


def appeared_imports(
    record: ModuleRecord | FailedLoad, generation: Generation, scope: Scope, stems: frozenset[str] | None = None
) -> Iterator[str]:
    """Yield the files of own modules that a module's imports name, that weren't loaded, and that can be found now."""
    if not _may_import(record, stems):
        return
    failed = generation.failed
    for statement in record.imports:
        for name in (found for written in statement.names for found in expand(written, _submodules(written, record))):
            parent, _, child = name.rpartition(".")
            if name in generation.records or name in sys.modules or not _is_concerned(name, stems):
                continue
            if child in globals_of(sys.modules.get(parent)):  # hasattr() would run a lazy __getattr__
                continue
            spec = find_spec_of(name)
            if spec is None or not scope.includes_spec(spec):
                continue
            unloaded = _unloaded(name)
            if any(need in failed and failed[need].snapshot.path == one.origin for need, one in unloaded.items()):
                continue  # it was there, and an edit of it is found by its content
            if _have_appeared(unloaded, record.snapshot.read_at) or _has_failed(statement, record):
                yield spec.origin or name


def _submodules(name: str, record: ModuleRecord | FailedLoad) -> Iterator[str]:
    """Yield the modules that are in a package now, or beside the importer's own, where a name stands for some."""
    if name.endswith("*"):
        package, dot, _ = name.rpartition(".")
        if not dot:
            yield from (entry.name for entry in pkgutil.iter_modules(_outermost_folder(record)))
            return
        if "__path__" not in globals_of(sys.modules.get(package)):
            return  # nothing is below it: a look at all that is loaded, for each such name, would take longer
        for loaded in [loaded for loaded in list(sys.modules) if loaded == package or loaded.startswith(f"{package}.")]:
            path = getattr(sys.modules.get(loaded), "__path__", ())
            yield from (f"{loaded}.{entry.name}" for entry in pkgutil.iter_modules(path))


def _outermost_folder(record: ModuleRecord | FailedLoad) -> list[str]:
    """Return the folder that a module, or the outermost package above it, is in; nothing where that isn't known."""
    if record.snapshot.path is None:
        return []
    folder = os.path.dirname(record.snapshot.path)
    for _ in range(record.name.count(".") + is_package_file(record.snapshot.path)):
        folder = os.path.dirname(folder)
    return [folder]


def _unloaded(name: str) -> dict[str, ModuleSpec]:
    """Return the specs of a module and the packages above it, as far as they are not loaded and can be found."""
    specs = {need: find_spec_of(need) for need in with_packages(name) if need not in sys.modules}
    return {need: spec for need, spec in specs.items() if spec is not None}


def _have_appeared(specs: Mapping[str, ModuleSpec], moment: int) -> bool:
    """Say whether the source of one of these was put or saved in its place after a moment."""
    return any(_is_younger(spec, moment) for spec in specs.values())


def _is_younger(spec: ModuleSpec, moment: int) -> bool:
    """Say whether a source was put or saved in its place after a moment (nanoseconds), a package's folder included.

    A source that was there when the importer ran did not appear: the import is a function's that was not called yet,
    or it failed, and would again.
    """
    places = [spec.origin] if spec.has_location else []
    for place in (*places, *(spec.submodule_search_locations or ())):
        with contextlib.suppress(OSError, TypeError):
            if os.stat(place or "").st_ctime_ns + _TICK > moment:
                return True
    return False


def _has_failed(statement: ImportStatement, record: ModuleRecord | FailedLoad) -> bool:
    """Say whether an import of a module that Python had run, who knows when, failed then, or was not come to."""
    code = record.readable_code if record.is_adopted else None
    return code is not None and statement.line in guarded_lines(code)


def is_gone(record: ModuleRecord) -> bool:
    """Say whether a module whose text is not known, since its file went before it was adopted, is found no more."""
    snapshot = record.snapshot
    known = snapshot.data is not None or snapshot.path is None or os.path.exists(snapshot.path)
    return not known and find_spec_again(record.name, getattr(record.module, "__spec__", None)) is None
