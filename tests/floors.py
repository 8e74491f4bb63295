"""The floors of the package, and the checks that imports run only downward.

Pure functions from source files to problems; `test_floors.py` runs them on the package and on made-up trees. Each
problem is one line: the file and line, what is wrong there, and what to do.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

PACKAGE = "exocet_ipython"

# From top to bottom: a file may import from its own floor and from those after it.
FLOORS = ("integrations", "notebook", "survivors", "reloading", "loading", "errors")
# The folders of a floor, in the same order; files beside them are the floor's own, and any of its folders may use them.
STOREYS = {
    "survivors": (
        "decorating",
        "moving",
        "rebasing",
        "replacing",
        "matching",
        "carrying",
        "repeating",
        "storing",
        "finding",
    ),
    "reloading": ("joining", "building", "datafiles", "lasting", "ladder", "holding", "noticing"),
    "notebook": ("cells", "old", "names"),
}
# Public names only. The facade may use what is below the notebook, and the notebook lazily: importing it stays light.
FACADE = ("__init__", "compat")
# What a floor may import that is neither ours nor Python's own; integrations are leaves and may import anything.
OUTSIDE = {
    "__init__": {"IPython"},  # annotates load_ipython_extension; test_import_is_light proves that it isn't loaded
    "notebook": {"IPython", "ipykernel", "traitlets"},
    "reloading": {"inotify_simple"},
}
LONGEST = 300  # lines


@dataclass(frozen=True, slots=True)
class Import:
    """One import edge with its evidence: the dotted name, the line and its text, and whether a function holds it."""

    target: str
    line: int
    text: str
    lazy: bool


@dataclass(frozen=True, slots=True)
class File:
    """One source file: its dotted module name, its path for messages, its count of lines, its imports."""

    module: str
    path: str
    lines: int
    imports: tuple[Import, ...]

    @property
    def floor(self) -> str:
        """The floor that the file stands on, as `floor_of` gives it."""
        return floor_of(self.module)

    @property
    def inner_imports(self) -> Iterator[Import]:
        """The imports of the package's own modules."""
        return (edge for edge in self.imports if root_of(edge.target) == PACKAGE)

    def at(self, edge: Import) -> str:
        """Where an import of this file stands, as the start of a problem."""
        return f"{self.path}:{edge.line}: `{edge.text}`"


def floor_of(module: str) -> str:
    """The floor of a module of the package, known or not; for the facade its file name.

    >>> [floor_of(name) for name in ("exocet_ipython.loading.mapper", "exocet_ipython.errors", "exocet_ipython")]
    ['loading', 'errors', '__init__']
    """
    _, *rest = module.split(".")
    return rest[0] if rest else "__init__"


def storey_of(module: str) -> str:
    """The folder of its floor that a module stands in; nothing for a file of the floor itself.

    >>> storey_of("exocet_ipython.survivors.finding.paths"), storey_of("exocet_ipython.survivors.labels")
    ('finding', '')
    """
    parts = module.split(".")
    return parts[2] if len(parts) > len(("package", "floor", "file")) else ""


def root_of(module: str) -> str:
    """The first part of a dotted name."""
    return module.partition(".")[0]


def read_package(folder: Path) -> tuple[File, ...]:
    """Read every source file under the package's own folder, sorted by path."""
    paths = {path: module_name(path.relative_to(folder.parent)) for path in sorted(folder.rglob("*.py"))}
    return tuple(read_file(path, folder.parent, known=frozenset(paths.values())) for path in paths)


def read_file(path: Path, root: Path, *, known: frozenset[str]) -> File:
    """Read one source file; `root` holds the package, `known` are the dotted names of all its files."""
    source = path.read_text(encoding="utf-8")
    relative = path.relative_to(root)
    name = module_name(relative)
    parent = name if path.name == "__init__.py" else name.rpartition(".")[0]
    return File(name, relative.as_posix(), len(source.splitlines()), tuple(read_imports(source, parent, known=known)))


def module_name(path: Path) -> str:
    """The dotted name of a source file, from its path under the folder that holds the package.

    >>> module_name(Path("exocet_ipython/loading/__init__.py"))
    'exocet_ipython.loading'
    """
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def read_imports(source: str, parent: str, *, known: frozenset[str]) -> Iterator[Import]:
    """Yield every import of a source text, those in functions and under `if TYPE_CHECKING:` included.

    Args:
        source: the text of the file.
        parent: the dotted name of the package that relative imports start from.
        known: the dotted names that are modules: `from p import b` means `p.b` where that is one, and `p` otherwise.

    >>> [edge.target for edge in read_imports("from . import b, c", "p", known=frozenset({"p", "p.b"}))]
    ['p.b', 'p']
    """
    for node, lazy in walk(ast.parse(source), lazy=False):
        match node:
            case ast.Import(names=names):
                targets = [alias.name for alias in names]
            case ast.ImportFrom(names=names):
                origin = origin_of(node, parent)
                members = [f"{origin}.{alias.name}" for alias in names]
                targets = [member if member in known else origin for member in members]
            case _:
                continue
        for target in dict.fromkeys(targets):
            yield Import(target, node.lineno, ast.unparse(node), lazy)


def origin_of(node: ast.ImportFrom, parent: str) -> str:
    """The absolute name after `from`: as many parts of `parent` as the dots leave, then what is written."""
    if not node.level:
        return node.module or ""
    parts = parent.split(".")
    return ".".join([*parts[: len(parts) - node.level + 1], *filter(None, [node.module])])


def walk(node: ast.AST, *, lazy: bool) -> Iterator[tuple[ast.AST, bool]]:
    """Yield every node below `node`, and whether a function holds it."""
    for child in ast.iter_child_nodes(node):
        yield child, lazy
        yield from walk(child, lazy=lazy or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef))


def files_on_no_floor(files: tuple[File, ...]) -> list[str]:
    """Name the files that are neither on a floor nor the facade."""
    return [
        f"{file.path}: is on no floor; move it to {', '.join(FLOORS)}, or add its floor to FLOORS in tests/floors.py"
        for file in files
        if file.floor not in (*FLOORS, *FACADE)
    ]


def upward_imports(files: tuple[File, ...]) -> list[str]:
    """Name the imports that run from a floor to a higher one."""
    height = {floor: -depth for depth, floor in enumerate(FLOORS)}
    return [
        f"{file.at(edge)} runs upward, from {file.floor} to {above}; move what both need down, or hand it in"
        for file in files
        for edge in file.inner_imports
        if file.floor in height and (above := floor_of(edge.target)) in height and height[above] > height[file.floor]
    ]


def upward_imports_on_a_floor(files: tuple[File, ...]) -> list[str]:
    """Name the imports that run from a folder of a floor to a higher one, or from one that has no place there."""
    problems = []
    for file in files:
        storeys = STOREYS.get(file.floor, ())
        storey = storey_of(file.module)
        if storey and storey not in storeys:
            problems.append(f"{file.path}: {storey} is no folder of {file.floor}; add it to STOREYS in tests/floors.py")
            continue
        problems += [
            f"{file.at(edge)} runs upward, from {storey} to {above}; move what both need down, or hand it in"
            for edge in file.inner_imports
            if storey and floor_of(edge.target) == file.floor and (above := storey_of(edge.target)) in storeys
            if storeys.index(above) < storeys.index(storey)
        ]
    return problems


def imports_of_leaves(files: tuple[File, ...]) -> list[str]:
    """Name the imports of the facade, and those of an integration by another floor."""
    return [
        f"{file.at(edge)} imports what nothing may import ({leaf}); import from the floor that defines the name"
        for file in files
        for edge in file.inner_imports
        if (leaf := floor_of(edge.target)) in FACADE or (leaf == "integrations" and file.floor != leaf)
    ]


def heavy_facade_imports(files: tuple[File, ...]) -> list[str]:
    """Name the imports of the notebook floor that run as soon as the facade is imported."""
    return [
        f"{file.at(edge)} makes the facade load the notebook floor; import it inside the function that needs it"
        for file in files
        for edge in file.inner_imports
        if file.floor in FACADE and floor_of(edge.target) == "notebook" and not edge.lazy
    ]


def outside_imports(files: tuple[File, ...]) -> list[str]:
    """Name the imports of packages that are neither ours nor Python's own, on a floor that may not use them."""
    ours = {PACKAGE, *sys.stdlib_module_names}
    return [
        f"{file.at(edge)} is not for {file.floor}; hand the object in from above, or see OUTSIDE in tests/floors.py"
        for file in files
        for edge in file.imports
        if file.floor != "integrations" and root_of(edge.target) not in ours | OUTSIDE.get(file.floor, set())
    ]


def import_cycles(files: tuple[File, ...]) -> list[str]:
    """Name a circle of imports on each floor that has one; lazy imports count, since they hide a circle."""
    problems = []
    for floor in FLOORS:
        graph = {
            file.module: [edge.target for edge in file.inner_imports if floor_of(edge.target) == floor]
            for file in files
            if file.floor == floor
        }
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            circle = error.args[1][::-1]  # graphlib lists the imported before the importer
            problems += [
                f"{file.at(edge)} closes a circle: {' -> '.join(circle)}; move what they share to a file of its own"
                for file in files
                for edge in file.inner_imports
                if (file.module, edge.target) == (circle[-2], circle[-1])
            ]
    return problems


def long_files(files: tuple[File, ...]) -> list[str]:
    """Name the files that are so long that they are two things."""
    return [
        f"{file.path}:{LONGEST + 1}: the file has {file.lines} lines; past {LONGEST} it is two things: part them"
        for file in files
        if file.lines > LONGEST
    ]
