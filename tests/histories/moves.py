"""Edits that move code between files: what people do when a module has grown."""

from __future__ import annotations

import ast
import builtins
import random
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.histories.sources import Source

__all__ = ["MOVES"]

Texts = dict[Path, str | None]  # of the files that a move changes; None of one that goes
Move = Callable[[Path, random.Random], Texts | None]
_BUILTINS = frozenset(dir(builtins))


def _move_definition(path: Path, draw: random.Random) -> Texts | None:
    """Move a definition into a new module, which has the imports of the old one, and import it from there."""
    source = Source(path.read_text("utf-8"))
    body = ast.parse(source.text).body
    imports = [node for node in body if isinstance(node, (ast.Import, ast.ImportFrom))]
    known = _BUILTINS | {name for node in imports for name in _bound(node)}
    found = [top for top in source.top if _free(top) <= known | {top.name} and not top.name.startswith("__")]
    if not found or not _is_in_package(path):
        return None
    top = draw.choice(found)
    target = path.with_name(f"_moved_{draw.randint(0, 99)}.py")
    lines = source.text.encode().splitlines(keepends=True)
    place = source.lines_of(top)
    head = "".join(f"{source.of(node)}\n" for node in imports)
    moved = f"{head}\n\n{b''.join(lines[place]).decode()}"
    lines[place] = [f"from .{target.stem} import {top.name}\n".encode()]
    return {path: b"".join(lines).decode(), target: moved}


def _make_package(path: Path, _: random.Random) -> Texts | None:
    """Make a package of a module."""
    if path.name == "__init__.py":
        return None
    source = Source(path.read_text("utf-8"))
    text = source.text.encode().splitlines(keepends=True)
    for node in source.nodes(ast.ImportFrom):
        if node.level:
            line = text[node.lineno - 1]
            text[node.lineno - 1] = line[: node.col_offset] + line[node.col_offset :].replace(b"from .", b"from ..", 1)
    return {path: None, path.with_suffix("") / "__init__.py": b"".join(text).decode()}


def _rename_module(path: Path, _: random.Random) -> Texts | None:
    """Give a module another name, and leave one that has all of its names under the old one."""
    if path.name == "__init__.py" or not _is_in_package(path):
        return None
    source = Source(path.read_text("utf-8"))
    body = ast.parse(source.text).body
    names = sorted({name for node in body for name in _bound(node)} - {"__all__", "annotations", "*"})
    if not names or path.stem.startswith("_renamed"):
        return None
    target = path.with_name(f"_renamed_{path.name}")
    return {path: f"from .{target.stem} import {', '.join(names)}\n", target: source.text}


def _stand_in(path: Path, _: random.Random) -> Texts | None:
    """Give a module another name, and put it into `sys.modules` under the old one as well."""
    if path.name == "__init__.py" or not _is_in_package(path) or path.stem.startswith("_behind"):
        return None
    target = path.with_name(f"_behind_{path.name}")
    text = f"import sys\n\nfrom . import {target.stem}\n\nsys.modules[__name__] = {target.stem}\n"
    return {path: text, target: path.read_text("utf-8")}


def _share_constant(path: Path, draw: random.Random) -> Texts | None:
    """Move what the module assigns, where it needs nothing else, into a new module."""
    source = Source(path.read_text("utf-8"))
    found = [
        node
        for node in ast.parse(source.text).body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and len(node.targets) == 1
        and not node.targets[0].id.startswith("__")
        and not any(isinstance(part, (ast.Name, ast.Lambda)) for part in ast.walk(node.value))
        and source.fills_its_lines(node)
    ]
    if not found or not _is_in_package(path):
        return None
    node = draw.choice(found)
    target = path.with_name(f"_values_{draw.randint(0, 99)}.py")
    new = f"from .{target.stem} import {source.of(node.targets[0])}"
    return {path: source.replaced(node, new), target: f"{source.of(node)}\n"}


def _is_in_package(path: Path) -> bool:
    return (path.parent / "__init__.py").exists()


def _bound(node: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement of a module binds."""
    match node:
        case ast.Import() | ast.ImportFrom():
            yield from (one.asname or one.name.partition(".")[0] for one in node.names)
        case ast.FunctionDef() | ast.ClassDef() | ast.AsyncFunctionDef():
            yield node.name
        case ast.Assign():
            targets = [part for target in node.targets for part in ast.walk(target)]
            yield from (part.id for part in targets if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store))
        case ast.AnnAssign(target=ast.Name(name), value=ast.expr()):
            yield name


def _free(top: ast.stmt) -> set[str]:
    """Return the names that a definition uses and doesn't bind anywhere in it."""
    names = [part for part in ast.walk(top) if isinstance(part, ast.Name)]
    bound = {part.id for part in names if isinstance(part.ctx, ast.Store)}
    bound |= {part.arg for part in ast.walk(top) if isinstance(part, ast.arg)}
    return {part.id for part in names} - bound


MOVES: dict[str, Move] = {
    "a definition in a new module": _move_definition,
    "a package of a module": _make_package,
    "a module under another name": _rename_module,
    "a module that stands in": _stand_in,
    "a constant in a new module": _share_constant,
}
