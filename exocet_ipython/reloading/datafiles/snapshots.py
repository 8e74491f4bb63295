"""Data files that a module reads: found by the strings in its code that name an existing file beside it or below.

A guess by evidence: `open(os.path.join(here, "conf.json"))`, `Path(__file__).parent / "data" / "words.txt"`. What such
a module made of the file when it ran is what a restart would make anew. Only code that runs at import counts, functions
of other modules included: what a function reads when it is called is read again at its next call. Files that the module
writes don't count. What no string shows the author names: `depends_on(path)`.

A name may be put together, `f"{name}.json"`: then its parts are strings in that code. One that is asked for and isn't
there (`local.json`) counts as well.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from types import CodeType
from typing import Any

from exocet_ipython.loading.digests import ANOTHER_DIGEST, digest_file
from exocet_ipython.loading.files import NO_FILE, stamp_file
from exocet_ipython.loading.names import is_dotted
from exocet_ipython.loading.source import Snapshot, find_spec_of
from exocet_ipython.reloading.datafiles.meant import FilesMeant
from exocet_ipython.reloading.datafiles.readers import readers_at_import, reads_elsewhere
from exocet_ipython.reloading.ladder.operations import strings_of
from exocet_ipython.reloading.wishes import DataStamp, stamp_data

__all__ = ["NOT_INSTALLED", "find_data_files", "has_changed", "read_as_it_is", "read_declared", "read_installed"]

NOT_INSTALLED = "PackageNotFoundError"  # what `importlib.metadata` raises, and `importlib_metadata`

# How a literal with a name ends, and what needs no ending. Most texts have none, and their code is not gone through. An
# expression that begins with one certain character is searched ten times as fast as one with a choice.
_NAME_ENDS = re.compile(rb"""\.\w{1,12}["']""")
_ENDLESS = (b"VERSION", b"LICENSE", b"README", b"CHANGES", b"MANIFEST")
_QUOTED_ENDLESS = re.compile(rb"""["'](?:%s)["']""" % b"|".join(_ENDLESS))
_LISTING = (b"iterdir", b"listdir", b"scandir", b".walk(", b"glob(")
_OF_DISTRIBUTIONS = frozenset(("distribution", "metadata", "version"))
_DISTRIBUTION = re.compile(r"[A-Za-z0-9][\w.-]{0,99}")
_STANDARD = sys.stdlib_module_names
_MISSING = "no file"  # equals no digest
_LARGE = 16_000_000  # bytes: a larger file takes longer to compare than a person wants to wait at a cell


def find_data_files(
    loaded: Snapshot,
    code: CodeType | None,
    space: Mapping[str, Any],
    known: Iterable[Snapshot] | None = None,
    since: int = 0,
) -> tuple[Snapshot, ...]:
    """Return snapshots of the data files that a module's code names; their text is not kept.

    Args:
        loaded: the module's text, as it was read before it ran; paths in it are seen from its folder.
        code: what ran.
        space: the module's globals.
        known: what was found when this very code ran before, to be read again; None where it runs for the first time.
        since: what was saved after this moment, in nanoseconds, counts as changed; 0 for now.
    """
    paths = [] if known is None else [snapshot.path or "" for snapshot in known]
    lists_folders = any(path.endswith(os.sep) for path in paths)
    # The same code may be given other folders by now, by modules that it imports.
    found = _find_named(loaded, code, space, since) if known is None or paths else {}
    if not lists_folders:
        again = (_read(replace(loaded, read_at=0), path) or _absent(loaded, path) for path in paths)
        found |= {snapshot.path: snapshot for snapshot in again}
    text = loaded.data or b""
    if code is not None and (b"find_spec" in text or b"metadata" in text):
        found |= _find_asked(loaded, code, since)
    return tuple(found.values())


def _find_asked(loaded: Snapshot, code: CodeType, since: int) -> dict[str | None, Snapshot]:
    """Return, by path, what code asks the import system for at import, without importing it.

    That is the source of a module, or what is known of a distribution, its version say, or its entry points. When it
    goes, another answer is due; so it is when a module comes, which `find_moves` notices, or a distribution that the
    code can do without.
    """
    codes = readers_at_import(code, os.path.dirname(loaded.path or ""), {}).codes
    asked = {name for part in codes for name in part.co_names}
    texts, paths = dict.fromkeys(text for part in codes for text in strings_of(part)), list[str | None]()
    if "find_spec" in asked:
        paths += map(_find_source, filter(is_dotted, texts))
    if not _OF_DISTRIBUTIONS.isdisjoint(asked):
        known = [*map(_find_metadata, (*filter(_DISTRIBUTION.fullmatch, texts), loaded.name.partition(".")[0]))]
        paths += known if any(known) or NOT_INSTALLED not in asked else _folders_of_distributions()
    if "entry_points" in asked:
        paths += [*_find_entry_points(filter(_DISTRIBUTION.fullmatch, texts)), *_folders_of_distributions()]
    snapshots = (_read(loaded, path, since) for path in paths if path is not None)
    return {snapshot.path: snapshot for snapshot in snapshots if snapshot is not None}


def read_installed(name: str) -> tuple[Snapshot, ...]:
    """Return snapshots of which distributions are installed, for the module `name`, one for each folder of them."""
    return tuple(read_as_it_is(name, path) for path in _folders_of_distributions())


def _folders_of_distributions() -> list[str]:
    """Return the folders on `sys.path`, each with what has its distributions be what counts in it."""
    folders = dict.fromkeys(os.path.abspath(path) for path in sys.path)
    return [path + os.sep * 3 for path in folders if os.path.isdir(path)]


def _find_source(name: str) -> str | None:
    """Return the path of a module's source; None for one that is loaded or is Python's own."""
    if name in sys.modules or name.partition(".")[0] in _STANDARD:
        return None
    spec = find_spec_of(name)
    return None if spec is None else spec.origin


def _find_metadata(name: str) -> str | None:
    """Return the path of what is known of an installed distribution; None where there is no such one, or no file."""
    metadata: Any = sys.modules.get("importlib.metadata") or sys.modules.get("importlib_metadata")
    try:
        folder = getattr(metadata.distribution(name), "_path", None) if metadata is not None else None
    except metadata.PackageNotFoundError:
        return None
    return _file_of(folder, "METADATA", "PKG-INFO")


def _find_entry_points(groups: Iterable[str]) -> Iterator[str | None]:
    """Yield the paths of what distributions say of their entry points, those that have some of these groups."""
    metadata: Any = sys.modules.get("importlib.metadata") or sys.modules.get("importlib_metadata")
    found = [point.dist for group in groups for point in metadata.entry_points(group=group)] if metadata else []
    yield from (_file_of(getattr(distribution, "_path", None), "entry_points.txt") for distribution in found)


def _file_of(folder: Any, *names: str) -> str | None:
    """Return the path of the first of some files in a distribution's folder; None where there is none, or no folder."""
    paths = [os.path.join(folder, name) for name in names] if isinstance(folder, os.PathLike) else []
    return next(filter(os.path.exists, paths), None)


def _find_named(
    loaded: Snapshot, code: CodeType | None, space: Mapping[str, Any], since: int
) -> dict[str | None, Snapshot]:
    """Return, by path, the files that the strings in code name."""
    if loaded.path is None or code is None:
        return {}
    if not (_may_name_files(loaded.data or b"") or reads_elsewhere(code, space)):
        return {}
    readers = readers_at_import(code, os.path.dirname(os.path.abspath(loaded.path)), space)
    stem = os.path.splitext(os.path.basename(loaded.path))[0]
    found: dict[str | None, Snapshot] = {}
    meant = dict.fromkeys(FilesMeant(readers, stem))
    modules = _names_by_file() if any(path.endswith(".py") for path in meant) else {}
    for path in meant:
        if any(map(partial(_is_imported, path), modules.get(path, ()))):
            continue  # its edits are followed by how they are imported
        snapshot = _read(loaded, path, since) if os.path.lexists(path) else _absent(loaded, path)
        if snapshot is not None:
            found[path] = snapshot
    return found


def _names_by_file() -> Mapping[str, list[str]]:
    """Return, by path, the names of the modules that say to be of a file."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name, module in list(sys.modules.items()):
        if isinstance(path := getattr(module, "__file__", None), str):
            found[path].append(name)
    return found


def _is_imported(path: str, name: str) -> bool:
    """Say whether a module is one which an import statement finds in a file; not one that is run by its path."""
    spec = find_spec_of(name)
    return spec is not None and spec.origin == path


def read_declared(name: str, files: Mapping[str, DataStamp | None]) -> tuple[Snapshot, ...]:
    """Return snapshots of the data files that a module has named with `depends_on`; a missing one has one as well.

    Args:
        name: dotted name of the module.
        files: path -> what `stamp_data` said when the module named it: what changed since may not be what it has read.
    """
    found = []
    for path, named in files.items():
        digest, stamp, clock = _MISSING, NO_FILE, time.time_ns()
        with contextlib.suppress(OSError):
            seen = stamp_file(path)
            digest, stamp = digest_file(path, seen), seen
        if stamp_data(path) != named:
            digest = ANOTHER_DIGEST
        found.append(Snapshot(name, path, b"", digest, stamp, clock))
    return tuple(found)


def has_changed(data: Snapshot) -> bool:
    """Say whether a data file may be another one than when it was read; what its stamp tells is enough for that."""
    try:
        return stamp_file(data.path or "") != data.stamp
    except OSError:
        return data.stamp != NO_FILE


def _may_name_files(text: bytes) -> bool:
    """Say whether a literal of a text may be the name of a file."""
    if _NAME_ENDS.search(text) is not None:
        return True
    for name in _LISTING:  # no generator: this is asked of each module that is imported
        if name in text:
            return True
    for name in _ENDLESS:
        if name in text:
            return _QUOTED_ENDLESS.search(text) is not None
    return False


def read_as_it_is(name: str, path: str) -> Snapshot:
    """Return a snapshot of a data file of the module `name` as it is now, whether or not it is there."""
    loaded = Snapshot(name)
    return _read(loaded, path) or _absent(loaded, path)


def _absent(loaded: Snapshot, path: str) -> Snapshot:
    """Return a snapshot of a data file that is not there."""
    return Snapshot(loaded.name, path, b"", _MISSING, NO_FILE, time.time_ns())


def _read(loaded: Snapshot, path: str, since: int = 0) -> Snapshot | None:
    """Return a snapshot of a data file; None for one that is very large, or was written while the module ran.

    Of a folder, a path with a slash at its end, that is the list of what is in it.
    """
    try:
        stamp, clock = stamp_file(path), time.time_ns()
        is_later = 0 < since < stamp.changed
        if path.endswith(os.sep):  # much else is put there: that something was tells nothing
            digest = digest_file(path, stamp, since)
            return Snapshot(loaded.name, path, b"", digest, stamp, 0 if is_later else clock)
        if stamp.size > _LARGE or (0 < loaded.read_at < stamp.changed and not is_later):
            return None
        another = Snapshot(loaded.name, path, b"", ANOTHER_DIGEST, stamp)
        if is_later:
            return another
        digest = digest_file(path, stamp)
        if since > 0 and stamp_file(path) != stamp:  # the person goes on meanwhile
            return another
    except OSError:
        return None
    return replace(another, digest=digest, read_at=clock)
