"""Import statements, as a module's code has them: what each may load, and in which line.

They are read from code objects, not from a syntax tree: the code is at hand after compiling, parsing the text again
would double the price of an edit, and every import statement is there, those in functions included.
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from inspect import CO_OPTIMIZED
from types import CodeType
from typing import Any

from exocet_ipython.loading.names import is_dotted, resolve_import, with_packages
from exocet_ipython.reloading.ladder.operations import strings_of

__all__ = ["COMPUTED", "ImportStatement", "expand", "guarded_lines", "lines_of", "read_imports"]

COMPUTED = "*"  # no module's name: there are computed ones among the names
_EXTENDED_ARG = dis.opmap["EXTENDED_ARG"]
_IMPORT_NAME = dis.opmap["IMPORT_NAME"]
_LOAD_SMALL_INT = dis.opmap.get("LOAD_SMALL_INT", -1)  # 3.14
_IMPORT_FUNCTIONS = {"import_module", "__import__", "find_spec"}
_OWN_NAMES = {"__name__", "__package__"}  # `import_module(TABLE[name], __name__)` in a `__getattr__`
_LISTING_FUNCTIONS = {"iter_modules", "walk_packages", "listdir", "scandir", "iterdir", "glob", "iglob"}
_COMPUTING = frozenset(_IMPORT_FUNCTIONS | _LISTING_FUNCTIONS)


@dataclass(frozen=True, slots=True)
class ImportStatement:
    """What one import statement may load, as absolute dotted names, and its line (from 1; 0 where there is none).

    `package.*` stands for all submodules, `package.impl_*` for those that begin so: their names are computed. A late
    statement is in a function.
    """

    names: tuple[str, ...]
    line: int
    is_late: bool = False


def read_imports(code: CodeType, name: str, *, is_package: bool) -> tuple[ImportStatement, ...]:
    r"""Return the imports of a module's code, function bodies included, in the order of the code.

    `from a import b` may load `a` and `a.b`; a call of `import_module` or `__import__` may load, and one of
    `importlib.util.find_spec` ask for, each string constant
    beside it that reads like a dotted name, all below one that ends with a dot, as `"plugins." + name` does, and all
    that begin like one that ends with an underscore.
    A function that calls it with the module's own name and no relative one, as a `__getattr__` with a table does, may
    load all of its package; a module that lists folders as well, all of the packages that it imports.
    Whether such a module exists is for the graph to know.

    >>> code = compile("import a.b\nfrom . import c", "m.py", "exec")
    >>> [statement.names for statement in read_imports(code, "pkg.m", is_package=False)]
    [('a', 'a.b'), ('pkg', 'pkg.c')]
    """
    package = {"__package__": name if is_package else name.rpartition(".")[0]}
    used: set[str] = set()
    found: list[ImportStatement] = []
    _find_imports(code, package, used, found)
    statements = tuple(found)
    if used.isdisjoint(_IMPORT_FUNCTIONS) or used.isdisjoint(_LISTING_FUNCTIONS):
        return statements
    listed = ImportStatement((f"{package['__package__']}.*",), 0)
    return (*(ImportStatement((*each.names, *_listed(each.names)), each.line) for each in statements), listed)


def lines_of(imports: Iterable[ImportStatement], name: str) -> dict[str, int]:
    """Return the names that imports of the module `name` may load, each with the line where that is said first.

    >>> lines_of([ImportStatement(("a", "a.b"), 1), ImportStatement(("a",), 7)], "m")
    {'a': 1, 'a.b': 1}
    """
    lines: dict[str, int] = {}
    for statement in imports:
        for imported in statement.names:
            lines.setdefault(imported, statement.line)
    lines.pop(name, None)
    if any(imported.endswith("*") for imported in lines):
        lines[COMPUTED] = 0
    return lines


def _find_imports(
    code: CodeType, package: dict[str, str], used: set[str], found: list[ImportStatement], *, is_late: bool = False
) -> None:
    """Add the import statements of code, and what it uses of the functions that matter; every edit reads two texts."""
    is_late |= bool(code.co_flags & CO_OPTIMIZED)
    names = code.co_names
    if names and _IMPORT_NAME in code.co_code[::2]:
        found += _import_instructions(code, package, is_late=is_late)
    if not _COMPUTING.isdisjoint(names):
        used |= _COMPUTING.intersection(names)
        found += _computed_imports(code, package, is_late=is_late)
    for const in code.co_consts:
        if type(const) is CodeType:
            _find_imports(const, package, used, found, is_late=is_late)


def _computed_imports(code: CodeType, package: dict[str, str], *, is_late: bool) -> Iterator[ImportStatement]:
    """Yield what calls of `import_module` and the like may import."""
    if not _IMPORT_FUNCTIONS.isdisjoint(code.co_names):
        names = [const for const in strings_of(code) if is_dotted(const.lstrip("."))]
        # The package that a relative name starts from may be a constant as well: `import_module(".b", "a")`.
        starts = [package, *({"__package__": name} for name in names if not name.startswith("."))]
        found = [_absolute(name, start) for name in names for start in (starts if name.startswith(".") else [package])]
        found += _computed_names(code, package)
        yield ImportStatement(tuple(dict.fromkeys(found)), code.co_firstlineno, is_late)


def _computed_names(code: CodeType, package: dict[str, str]) -> Iterator[str]:
    """Yield what names begin with, and a star, that code puts together to import modules by them."""
    for const in strings_of(code):
        if const.endswith(".") and (const == "." or is_dotted(const[:-1].lstrip("."))):
            yield f"{_absolute(const[:-1], package) if const != '.' else package['__package__']}.*"
        elif const.endswith("_") and not const.startswith("__") and is_dotted(const.lstrip(".")):
            yield f"{_absolute(const, package)}*"
    is_relative = any(isinstance(const, str) and const.startswith(".") for const in code.co_consts)
    if code.co_flags & CO_OPTIMIZED and not is_relative and not _OWN_NAMES.isdisjoint(code.co_names):
        yield f"{package['__package__']}.*"


def _listed(names: Iterable[str]) -> Iterator[str]:
    """Yield what stands for the submodules of these, Python's own apart: if it has any."""
    own = (name for name in names if not name.endswith("*") and name.partition(".")[0] not in sys.stdlib_module_names)
    return (f"{name}.*" for name in own)


def expand(name: str, known: Iterable[str]) -> Iterable[str]:
    """Return the names that a name of an import statement stands for: itself, or all known ones that begin like it.

    >>> list(expand("a.*", ["a", "a.b", "a.b.c", "ab"])), list(expand("a", ["a.b"]))
    (['a.b', 'a.b.c'], ['a'])
    """
    return [found for found in known if found.startswith(name[:-1])] if name.endswith("*") else (name,)


def _import_instructions(code: CodeType, package: dict[str, str], *, is_late: bool) -> Iterator[ImportStatement]:
    """Find IMPORT_NAME, whose two operands are the constants loaded just before: the level and the names wanted."""
    raw, ranges = code.co_code, code.co_lines()
    operations = raw[::2]
    place, line, end = operations.find(_IMPORT_NAME), 0, 0
    while place >= 0:
        index, before = _argument(raw, place)
        argument, first = _argument(raw, before - 1)
        wanted = code.co_consts[argument]
        level, _ = _argument(raw, first - 1)
        if operations[first - 1] != _LOAD_SMALL_INT:
            level = code.co_consts[level]
        while end <= 2 * place:
            _, end, number = next(ranges)
            line = number or line
        base = _absolute("." * level + code.co_names[index], package)
        names = [base, *(f"{base}.{item}" for item in wanted if item != "*")] if wanted else [*with_packages(base)]
        yield ImportStatement(tuple(names), line, is_late)
        place = operations.find(_IMPORT_NAME, place + 1)


def _argument(raw: bytes, place: int) -> tuple[int, int]:
    """Return the argument of an operation, and where it begins with what extends that; in units of two bytes."""
    argument, shift = raw[2 * place + 1], 0
    while place and raw[2 * place - 2] == _EXTENDED_ARG:
        place, shift = place - 1, shift + 8
        argument |= raw[2 * place + 1] << shift
    return argument, place


def guarded_lines(code: CodeType) -> frozenset[int]:
    r"""Return the lines within `try` of a module's body, its functions and classes apart: an import there may fail.

    >>> text = "import a\ntry:\n    import b\nexcept ImportError:\n    import c"
    >>> sorted(guarded_lines(compile(text, "m.py", "exec")))
    [3]
    """
    body: Any = dis.Bytecode(code)  # typeshed lacks the entries of its exception table
    covered = [(entry.start, entry.end) for entry in body.exception_entries if not entry.lasti]  # else it is `except`
    inside = (part for part in body if any(start <= part.offset < end for start, end in covered))
    return frozenset(part.positions.lineno for part in inside if part.positions and part.positions.lineno)


def _absolute(name: str, package: dict[str, str]) -> str:
    """Return the absolute form of a name with leading dots; a relative import without a package names nothing."""
    level = len(name) - len(name.lstrip("."))
    try:
        return resolve_import(name[level:], package, level).rstrip(".")
    except ImportError:
        return name[level:]
