"""Import edges: which module imports which, with the line that says so.

Edges are read from code objects, not from a syntax tree: the code is at hand after compiling, parsing the text again
would double the price of an edit, and every import statement is there, those in functions included.
"""

from __future__ import annotations

import dis
import sys
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from inspect import CO_OPTIMIZED
from types import CodeType
from typing import Any

from exocet_ipython.loading.names import is_dotted, resolve_import, with_packages
from exocet_ipython.reloading.ladder.operations import strings_of

__all__ = ["ImportEdge", "ImportGraph", "ImportStatement", "expand", "guarded_lines", "lines_of", "read_imports"]

_EXTENDED_ARG = dis.opmap["EXTENDED_ARG"]
_IMPORT_NAME = dis.opmap["IMPORT_NAME"]
_LOAD_CONST = dis.opmap["LOAD_CONST"]
_LOAD_SMALL_INT = dis.opmap.get("LOAD_SMALL_INT", -1)  # 3.14
_COMPUTED = "*"  # no module's name: there are computed ones among the names
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


@dataclass(frozen=True, slots=True)
class ImportEdge:
    """One module's need of another, with its evidence: the file, the line and what is written there."""

    importer: str
    imported: str
    path: str = ""
    line: int = 0
    text: str = ""

    def __str__(self) -> str:
        place = f" ({self.path}:{self.line}: {self.text})" if self.line else ""
        return f"{self.importer} imports {self.imported}{place}"


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
    statements = tuple(_walk_imports(code, package, used))
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
        lines[_COMPUTED] = 0
    return lines


def _walk_imports(
    code: CodeType, package: dict[str, str], used: set[str], *, is_late: bool = False
) -> Iterator[ImportStatement]:
    used |= _COMPUTING.intersection(code.co_names)
    is_late |= bool(code.co_flags & CO_OPTIMIZED)
    if _IMPORT_NAME in code.co_code[::2]:
        yield from _import_instructions(code, package, is_late=is_late)
    if not _IMPORT_FUNCTIONS.isdisjoint(code.co_names):
        names = [const for const in strings_of(code) if is_dotted(const.lstrip("."))]
        # The package that a relative name starts from may be a constant as well: `import_module(".b", "a")`.
        starts = [package, *({"__package__": name} for name in names if not name.startswith("."))]
        found = [_absolute(name, start) for name in names for start in (starts if name.startswith(".") else [package])]
        found += _computed_names(code, package)
        yield ImportStatement(tuple(dict.fromkeys(found)), code.co_firstlineno, is_late)
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from _walk_imports(const, package, used, is_late=is_late)


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
    raw = code.co_code
    lines: dict[int, int] | None = None
    level: Any = 0
    wanted: Any = None
    line = extended = 0
    for offset in range(0, len(raw), 2):
        operation, argument = raw[offset], raw[offset + 1] | extended
        extended = argument << 8 if operation == _EXTENDED_ARG else 0
        if operation == _LOAD_CONST:
            level, wanted = wanted, code.co_consts[argument]
        elif operation == _LOAD_SMALL_INT:
            level, wanted = wanted, argument
        elif operation == _IMPORT_NAME:
            if lines is None:
                lines = {start: number for start, number in dis.findlinestarts(code) if number}
            line = next((lines[at] for at in range(offset, -1, -2) if at in lines), line)
            base = _absolute("." * level + code.co_names[argument], package)
            if wanted is None:
                names = [*with_packages(base)]
            else:
                names = [base, *(f"{base}.{item}" for item in wanted if item != "*")]
            yield ImportStatement(tuple(names), line, is_late)


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


class ImportGraph:
    """Who imports whom among a set of modules.

    >>> graph = ImportGraph([ImportEdge("app", "lib"), ImportEdge("main", "app")])
    >>> {name: edge.imported for name, edge in graph.dependants(["lib"]).items()}
    {'app': 'lib', 'main': 'app'}
    """

    def __init__(
        self,
        edges: Iterable[ImportEdge] = (),
        *,
        locate: Callable[[str, int], tuple[str, str]] | None = None,
        absent: AbstractSet[str] = frozenset(),
    ) -> None:
        self.absent = absent  # modules whose load failed: what imports them depends on what they import
        # Imported name -> importer -> the edge, or its line: most edges are only followed, and never shown.
        self._importers: defaultdict[str, dict[str, ImportEdge | int]] = defaultdict(dict)
        self._imported: defaultdict[str, list[str]] = defaultdict(list)
        self._locate = locate
        for edge in edges:
            self._add(edge.importer, edge.imported, edge)

    @classmethod
    def of(
        cls,
        needs: Mapping[str, Mapping[str, int]],
        held: Mapping[str, Iterable[str]],
        locate: Callable[[str, int], tuple[str, str]],
        absent: AbstractSet[str] = frozenset(),
    ) -> ImportGraph:
        """Build the graph of the modules that are the keys of `needs`.

        Args:
            needs: module name -> the names that its source may import, each with the line; see `lines_of`.
            held: module name -> the modules whose objects its globals hold.
            locate: module name and line -> the path and the text of that line.
            absent: those of the keys that are not there, since their load failed.
        """
        graph = cls(locate=locate, absent=absent)
        for importer, lines in needs.items():
            for imported in (lines.keys() | held.get(importer, ())) & needs.keys():
                graph._add(importer, imported, lines.get(imported, 0))
            for name in [name for name in lines if name[1:].endswith("*")] if _COMPUTED in lines else ():
                for imported in expand(name, needs):
                    if imported != importer:
                        graph._add(importer, imported, lines[name])
        return graph

    def _add(self, importer: str, imported: str, edge: ImportEdge | int) -> None:
        self._importers[imported][importer] = edge
        self._imported[importer].append(imported)

    def _edge(self, importer: str, imported: str) -> ImportEdge:
        edge = self._importers[imported][importer]
        if not isinstance(edge, ImportEdge):
            path, text = self._locate(importer, edge) if edge and self._locate is not None else ("", "")
            edge = self._importers[imported][importer] = ImportEdge(importer, imported, path, edge, text)
        return edge

    def related(self, names: Iterable[str]) -> set[str]:
        """Return the names, and every module that imports or is imported by one of them, directly or through others.

        >>> sorted(ImportGraph([ImportEdge("a", "c"), ImportEdge("b", "c"), ImportEdge("x", "y")]).related(["a"]))
        ['a', 'b', 'c']
        """
        found = set(names)
        waiting = list(found)
        while waiting:
            name = waiting.pop()
            near = {*self._imported.get(name, ()), *self._importers.get(name, ())}
            waiting += near - found
            found |= near
        return found.difference(self.absent)

    def dependants(self, names: Iterable[str], stop: Collection[str] = ()) -> dict[str, ImportEdge]:
        """Return every module that imports one of `names`, directly or through others, with the edge that says so.

        The modules of `names` themselves are left out. The edge is one of a shortest chain. What imports a module of
        `stop`, and nothing else that is found, is not.
        """
        found = self._dependants(names, stop)
        return {name: edge for name, edge in found.items() if name not in self.absent} if self.absent else found

    def importers(self, name: str) -> AbstractSet[str]:
        """Return every module that imports this one directly."""
        return self._importers.get(name, {}).keys()

    def absent_dependants(self, names: Iterable[str]) -> set[str]:
        """Return every module whose load failed and that imports one of `names`, directly or through others."""
        return {*self._dependants(names)}.intersection(self.absent) if self.absent else set()

    def _dependants(self, names: Iterable[str], stop: Collection[str] = ()) -> dict[str, ImportEdge]:
        start = dict.fromkeys(names)
        found: dict[str, ImportEdge] = {}
        waiting = deque(start)
        while waiting:
            imported = waiting.popleft()
            for importer in self._importers.get(imported, ()):
                if importer not in found and importer not in start:
                    found[importer] = self._edge(importer, imported)
                    if importer not in stop:
                        waiting.append(importer)
        return found
