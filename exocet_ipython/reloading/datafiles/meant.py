"""Which files the strings in code mean: whole names, patterns, parts that a name is put together of, and folders."""

from __future__ import annotations

import contextlib
import glob
import itertools
import os
import re
import sys
from collections.abc import Collection, Iterator

from exocet_ipython.loading.digests import NO_DATA
from exocet_ipython.loading.names import is_dotted
from exocet_ipython.reloading.datafiles.readers import READING, Readers
from exocet_ipython.reloading.ladder.operations import strings_of, words

__all__ = ["FilesMeant"]

_NAME = re.compile(r"[^\0\n\r*?<>|\"']*[^\0\n\r*?<>|\"'/\\]\.\w{1,12}")
_PATTERN = re.compile(r"[\w.*-][\w.*/-]*\.\w{1,12}")
_ENDLESS = re.compile(r"[\w*-][\w*/-]*")  # part-*
_BELOW = re.compile(r"/?((?:[\w.-]+/)+)([^/]*\*.*)")  # data/*.csv
_HIDDEN = re.compile(r"\.\w[\w.-]*")  # .env
_FOLDER = re.compile(r"[\w.-]+(/[\w.-]+)*")
_WORD = re.compile(r"[\w-]{1,60}")
_ENDING = re.compile(r"[\w-]*\.\w{1,12}")
_PLACE = re.compile(r"%\w|\{\w*\}")  # what `%` and `format` fill
_LISTING = frozenset(("iterdir", "listdir", "scandir", "walk"))
_GLOBBING = frozenset(("glob", "iglob", "rglob"))
_READING = READING.union(_GLOBBING, _LISTING, words("ConfigParser exists is_file isfile load"))
_ABOVE = frozenset(("dirname", "pardir", "parent", "parents"))
_OWN_STEM = frozenset(("splitext", "stem", "with_suffix"))
_ASKING = frozenset(
    words("exists lexists is_file isfile FileNotFoundError OSError IOError ConfigParser RawConfigParser")
)
_RUNNING = frozenset(("exec", "run_path", "SourceFileLoader", "spec_from_file_location"))
_STANDARD = sys.stdlib_module_names
_MANY = 200  # files that one pattern may mean, and entries of a folder that are gone through
_FEW = 100  # names that may be put together of parts, of files that need not be there
_LONG = 200  # characters: a longer string is a text, not the name of a file


class FilesMeant:
    """What the strings in code mean.

    Args:
        readers: the code that may run.
        stem: the name of the module's file, without its ending.
    """

    def __init__(self, readers: Readers, stem: str) -> None:
        codes, self._folders = readers.codes, readers.folders
        self._places = readers.places
        used = {name for code in codes for name in code.co_names}
        # Files with code are data to what runs them by their path.
        self._no_data = NO_DATA if _RUNNING.isdisjoint(used) else tuple(set(NO_DATA) - {".py"})
        strings = dict.fromkeys(text for code in codes for text in strings_of(code) if len(text) < _LONG)
        literals = list(dict.fromkeys(part for text in strings for part in _parts_of(text)))
        pieces = dict.fromkeys(piece for text in literals for piece in _PLACE.split(text))
        self._names = [text for text in literals if _NAME.fullmatch(text) and self._may_be_data(text)]
        self._hidden = [text for text in literals if _HIDDEN.fullmatch(text)]
        wild = [text for text in literals if "*" in text]
        self._patterns = [text for text in wild if _PATTERN.fullmatch(text)]
        self._endless = [] if _GLOBBING.isdisjoint(used) else [text for text in wild if _ENDLESS.fullmatch(text)]
        is_deep = "rglob" in used
        self._deep = [text if text.startswith("**") or not is_deep else f"**/{text}" for text in self._patterns]
        self._words = {text for text in pieces if _WORD.fullmatch(text)}
        self._words |= {stem} if not _OWN_STEM.isdisjoint(used) else set()
        self._endings = tuple(text for text in pieces if _ENDING.fullmatch(text) and self._may_be_data(text))
        self._lists_all = [] if _LISTING.isdisjoint(used) else ["**/*" if "walk" in used else "*"]
        asks = not _ASKING.isdisjoint(used)
        asked = (*self._names, *self._hidden) if asks else ()
        self._asked = [text for text in asked if os.sep not in text]
        put_together = [word + ending for ending in self._endings for word in self._words] if asks else []
        self._asked += put_together if len(put_together) <= _FEW else []
        around = () if _READING.isdisjoint(used) else _folders_around(self._folders, used)
        self._around = [folder for folder in dict.fromkeys(around) if folder not in (*self._folders, os.sep)]
        self._below = list(self._find_below(literals))
        self._packages = list(_package_folders(literals))

    def __iter__(self) -> Iterator[str]:
        """Yield their paths; of a folder in which all files are meant, with a slash at its end, or with two.

        Those that code asks for and that are not there are among them.
        """
        inside = tuple(folder + os.sep for folder in self._folders)
        yield from (
            path
            for path in self._places
            if path.startswith(inside) and self._may_be_data(path) and os.path.isfile(path)
        )
        named = {*self._below, *self._packages}
        for folder in dict.fromkeys((*self._folders, *self._around, *self._below, *self._packages, *self._places)):
            if not os.path.isdir(folder):
                continue
            patterns = self._deep if folder in named or not named else self._patterns  # a walk may take long
            if folder in self._around:
                patterns = []
            elif folder in named:
                patterns = self._lists_all or [*patterns, *self._endless]
            patterns = patterns if folder not in self._places or f"{folder}{os.sep}".startswith(inside) else []
            listed = [path for path in _listed(folder, patterns) if self._may_be_data(path)]
            for text in (*self._names, *self._plain_in(folder, is_named=folder in named), *listed):
                path = os.path.normpath(os.path.join(folder, text))
                if path.startswith((folder + os.sep, *inside)) and os.path.isfile(path):
                    yield path
            if folder not in self._packages:
                yield from (path for text in self._asked if not os.path.lexists(path := os.path.join(folder, text)))
            if listed or (patterns and folder in named):
                slashes = os.sep * (2 if self._may_be_data(".py") else 1)
                below = dict.fromkeys(os.path.dirname(path) for path in listed)
                for place in dict.fromkeys(("", *below)):  # what is new in it is meant as well
                    yield os.path.join(folder, place).rstrip(os.sep) + slashes

    def _find_below(self, literals: list[str]) -> Iterator[str]:
        """Yield the folders below those of the code that are named, in one step or in two."""
        parts = [text for text in literals if _FOLDER.fullmatch(text)]
        for folder in (*self._folders, *self._around, *filter(os.path.isdir, self._places)):
            beside = _entries(folder)
            for text in parts:
                if text.partition("/")[0] in beside and os.path.isdir(path := os.path.join(folder, text)):
                    yield path
                    deeper = _entries(path)
                    yield from (found for part in parts if part in deeper and os.path.isdir(found := f"{path}/{part}"))

    def _plain_in(self, folder: str, *, is_named: bool) -> Iterator[str]:
        """Yield the files of a folder whose name has no ending, or is put together.

        In a folder that is named an ending alone tells: the rest of a name may come from another file, by an include.
        """
        entries = _entries(folder)
        if folder in self._folders:
            yield from (text for text in self._words if text in entries)
        yield from (text for text in self._hidden if text in entries)
        if self._endings and len(entries) <= _MANY:
            for entry in entries:
                if entry.endswith(self._endings) and (self._is_put_together(entry) or (is_named and self._ends(entry))):
                    yield entry

    def _may_be_data(self, text: str) -> bool:
        return not text.endswith(self._no_data)

    def _ends(self, entry: str) -> bool:
        return any(entry.endswith(ending) for ending in self._endings if ending[0] == ".")

    def _is_put_together(self, entry: str) -> bool:
        for ending in self._endings:
            rest = entry.removesuffix(ending)
            if rest in self._words and rest != entry:
                return True
            if len(self._words) <= _MANY and any(
                rest[:end] in self._words and rest[end:] in self._words for end in range(1, len(rest))
            ):
                return rest != entry
        return False


def _folders_around(folders: list[str], used: Collection[str]) -> Iterator[str]:
    """Yield the folder where the person works, as relative paths mean it, and those above code that asks for them."""
    with contextlib.suppress(OSError):  # it may be gone
        yield os.getcwd()
    for folder in () if _ABOVE.isdisjoint(used) else folders:
        yield from (os.path.dirname(folder), os.path.dirname(os.path.dirname(folder)))


def _parts_of(text: str) -> tuple[str, ...]:
    """Return a string, or the folder and the pattern that it is put together of; without slashes at its ends.

    >>> _parts_of("data/*.csv"), _parts_of("/conf/base.ini")
    (('data', '*.csv'), ('conf/base.ini',))
    """
    found = _BELOW.fullmatch(text)
    return (text.strip("/") or text,) if found is None else (found[1].rstrip("/"), found[2])


def _package_folders(literals: list[str]) -> Iterator[str]:
    """Yield the folders of packages that are named: `importlib.resources.files("app.templates")`."""
    named = (text for text in literals if is_dotted(text) and text.partition(".")[0] not in _STANDARD)
    return (os.path.abspath(path) for text in named for path in getattr(sys.modules.get(text), "__path__", ()))


def _entries(folder: str) -> set[str]:
    return set(os.listdir(folder)) if os.path.isdir(folder) else set()


def _listed(folder: str, patterns: list[str]) -> list[str]:
    """Return the files of a folder that the patterns mean, which `glob` is given, as paths seen from the folder."""
    found: list[str] = []
    for pattern in patterns:
        found += itertools.islice(glob.iglob(pattern, root_dir=folder, recursive=True), _MANY)
    return found
