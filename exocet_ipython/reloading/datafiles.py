"""Data files that a module reads: found by the strings in its code that name an existing file beside it or below.

A guess by evidence: `open(os.path.join(here, "conf.json"))`, `Path(__file__).parent / "data" / "words.txt"`. What such
a module made of the file when it ran is what a restart would make anew. Only code that runs at import counts: what a
function reads when it is called is read again at its next call. Files that the module writes don't count. What no
string shows the author names: `depends_on(path)`.
"""

from __future__ import annotations

import contextlib
import glob
import inspect
import itertools
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import CodeType

from exocet_ipython.loading.files import NO_FILE, stamp_file
from exocet_ipython.loading.source import ANOTHER_DIGEST, NO_DATA, Snapshot, digest_file, find_spec_of
from exocet_ipython.reloading.wishes import DataStamp, stamp_data

__all__ = ["find_data_files", "read_declared"]

_NAME = re.compile(r"[^\0\n\r*?<>|\"']*[^\0\n\r*?<>|\"'/\\]\.\w{1,12}")
# How a literal with a name ends, and what needs no ending. Most texts have none, and their code is not gone through. An
# expression that begins with one certain character is searched ten times as fast as one with a choice.
_NAME_ENDS = re.compile(rb"""\.\w{1,12}["']""")
_ENDLESS = (b"VERSION", b"LICENSE", b"README", b"CHANGES", b"MANIFEST")
_LISTING = frozenset(("iterdir", "listdir", "scandir"))
_QUOTED_ENDLESS = re.compile(rb"""["'](?:%s)["']""" % b"|".join(_ENDLESS))
_PATTERN = re.compile(r"(\*\*/)?[\w.-]*\*[\w.*-]*\.\w{1,12}")
_MANY = 200  # files that one pattern may mean
_DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_FOLDER = re.compile(r"[\w.-]+(/[\w.-]+)*")
_STANDARD = sys.stdlib_module_names
_FUNCTION = inspect.CO_OPTIMIZED  # a class body lacks the flag
_UNNAMED = ("<lambda>", "<listcomp>", "<genexpr>", "<dictcomp>", "<setcomp>")
_MISSING = "no file"  # equals no digest
_LONG = 200  # characters: a longer string is a text, not the name of a file
_LARGE = 16_000_000  # bytes: a larger file takes longer to compare than a person wants to wait at a cell


def find_data_files(
    loaded: Snapshot, code: CodeType | None, known: Iterable[Snapshot] | None = None, since: int = 0
) -> tuple[Snapshot, ...]:
    """Return snapshots of the data files that a module's code names; their text is not kept.

    Args:
        loaded: the module's text, as it was read before it ran; paths in it are seen from its folder.
        code: what ran.
        known: what was found when this very code ran before, to be read again; None where it runs for the first time.
        since: what was saved after this moment, in nanoseconds, counts as changed; 0 for now.
    """
    if known is not None and not any((snapshot.path or "").endswith(os.sep) for snapshot in known):
        again = (_read(replace(loaded, read_at=0), snapshot.path or "") for snapshot in known)
        found = {snapshot.path: snapshot for snapshot in again if snapshot is not None}
    else:
        found = _find_named(loaded, code, since)
    if code is not None and b"find_spec" in (loaded.data or b""):
        found |= _find_asked(loaded, code, since)
    return tuple(found.values())


def _find_asked(loaded: Snapshot, code: CodeType, since: int) -> dict[str | None, Snapshot]:
    """Return, by path, the sources of modules that code asks for at import without importing them.

    When such a source goes, another answer is due; so it is when one comes, which `find_moves` notices.
    """
    asked = (part for part in _run_at_import(code) if "find_spec" in part.co_names)
    names = dict.fromkeys(text for part in asked for text in _strings(part) if _DOTTED.fullmatch(text))
    found: dict[str | None, Snapshot] = {}
    for name in names:
        if name in sys.modules or name.partition(".")[0] in _STANDARD:
            continue
        spec = find_spec_of(name)
        snapshot = _read(loaded, spec.origin, since) if spec is not None and spec.origin is not None else None
        if snapshot is not None:
            found[snapshot.path] = snapshot
    return found


def _find_named(loaded: Snapshot, code: CodeType | None, since: int) -> dict[str | None, Snapshot]:
    """Return, by path, the files that the strings in code name."""
    if loaded.path is None or code is None:
        return {}
    if loaded.data is not None and not _may_name_files(loaded.data):
        return {}
    reached = _run_at_import(code)
    literals = list(dict.fromkeys(text for part in reached for text in _strings(part)))
    names = [text for text in literals if _NAME.fullmatch(text) and not text.endswith(NO_DATA)]
    here = os.path.dirname(os.path.abspath(loaded.path))
    beside = set(os.listdir(here)) if os.path.isdir(here) else set()
    names += [text for text in literals if text in beside and "." not in text]  # VERSION
    patterns = [text for text in literals if _PATTERN.fullmatch(text)]
    lists_all = any(not _LISTING.isdisjoint(part.co_names) for part in reached)
    if not (names or patterns or lists_all):
        return {}
    folders = [text for text in literals if text.partition("/")[0] in beside and _FOLDER.fullmatch(text)]
    below = [path for path in (os.path.join(here, text) for text in folders) if os.path.isdir(path)]
    found: dict[str | None, Snapshot] = {}
    for folder in (here, *below, *_package_folders(literals)):
        meant = ["*"] if lists_all and folder in below else patterns
        listed = _listed(folder, meant) if meant else ()
        files = [os.path.normpath(os.path.join(folder, text)) for text in (*names, *listed)]
        files = [file for file in files if file.startswith((here + os.sep, folder + os.sep)) and os.path.isfile(file)]
        if listed or (meant and folder in below):
            files.append(folder + os.sep)  # what is new in it is meant as well
        for file in files:
            if file not in found and (snapshot := _read(loaded, file, since)) is not None:
                found[file] = snapshot
    return found


def _package_folders(literals: list[str]) -> list[str]:
    """Return the folders of packages that are named: `importlib.resources.files("app.templates")`."""
    named = (text for text in literals if _DOTTED.fullmatch(text) and text.partition(".")[0] not in _STANDARD)
    return [os.path.abspath(path) for text in named for path in getattr(sys.modules.get(text), "__path__", ())]


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


def _may_name_files(text: bytes) -> bool:
    """Say whether a literal of a text may be the name of a file."""
    if _NAME_ENDS.search(text) is not None or b"iterdir" in text or b"listdir" in text or b"scandir" in text:
        return True
    for name in _ENDLESS:  # no generator: this is asked of each module that is imported
        if name in text:
            return _QUOTED_ENDLESS.search(text) is not None
    return False


def _listed(folder: str, patterns: list[str]) -> list[str]:
    """Return the files of a folder that the patterns mean, which `glob` is given, as paths seen from the folder."""
    found = []
    for pattern in patterns:
        paths = itertools.islice(glob.iglob(pattern, root_dir=folder, recursive=True), _MANY)
        found += [path for path in paths if not path.endswith(NO_DATA)]
    return found


def _read(loaded: Snapshot, path: str, since: int = 0) -> Snapshot | None:
    """Return a snapshot of a data file; None for one that is very large, or was written while the module ran.

    Of a folder, a path with a slash at its end, that is the list of what is in it.
    """
    try:
        stamp, clock = stamp_file(path), time.time_ns()
        if stamp.size > _LARGE:
            return None
        is_folder = path.endswith(os.sep)  # much else is put there
        if 0 < since < stamp.changed and not is_folder:
            return Snapshot(loaded.name, path, b"", ANOTHER_DIGEST, stamp)
        if 0 < loaded.read_at < stamp.changed and not is_folder:
            return None
        return Snapshot(loaded.name, path, b"", digest_file(path, stamp), stamp, clock)
    except OSError:
        return None


def _run_at_import(code: CodeType) -> list[CodeType]:
    """Return the code of a module's body, its classes' bodies, and the functions that these name, and those they do."""
    functions: dict[str, list[CodeType]] = {}
    for inner in _codes(code):
        if inner.co_flags & _FUNCTION:
            functions.setdefault(inner.co_name, []).append(inner)
    reached = [code, *(inner for inner in _codes(code) if not inner.co_flags & _FUNCTION)]
    for part in reached:
        for name in (*part.co_names, *_UNNAMED):
            reached += functions.pop(name, ())
    return reached


def _codes(code: CodeType) -> Iterator[CodeType]:
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield const
            yield from _codes(const)


def _strings(code: CodeType) -> Iterator[str]:
    for const in code.co_consts:
        parts = const if type(const) is tuple else (const,)
        yield from (part for part in parts if type(part) is str and len(part) < _LONG)
