"""Values that chance has made: what cells have made of them is of the old ones, which stay therefore.

`RUN = uuid.uuid4().hex`, `SCRATCH = Path(tempfile.mkdtemp())`: a body that runs again makes others of the same
statement, but nothing tells what of the cells' is to follow: names of files, keys in a store. The clock is no chance.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

from exocet_ipython.loading.parsing import parse_text
from exocet_ipython.loading.spaces import globals_of
from exocet_ipython.reloading.holding.contents import ATOM_IDS
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.survivors.carrying.going_on import GoingOn
from exocet_ipython.survivors.storing.readings import ReadStores

__all__ = ["keep_chances"]

_MADE_BY = {
    "posix": ("urandom",),
    "secrets": ("token_bytes", "token_hex", "token_urlsafe"),
    "tempfile": ("mkdtemp", "mktemp"),
    "uuid": ("uuid1", "uuid4"),
}
_NAMES = "|".join(name for names in _MADE_BY.values() for name in names)
_LIKELY = re.compile(rf"^\w[^\n#=]*=.*\b({_NAMES})\(".encode(), re.MULTILINE)
_INNER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def keep_chances(record: ModuleRecord, module: ModuleType, read: ReadStores, journal: Journal) -> None:
    """Have a new module keep such values of the old one that nothing else in the new modules has been made of.

    Args:
        record: of the module that retires.
        module: the new one.
        read: what is known of both, and of all that are made anew.
        journal: how it is taken back.
    """
    before = record.snapshot.data or b""
    if not _LIKELY.search(before):
        return
    spaces, tree = (globals_of(record.module), globals_of(module)), parse_text(read.text_now(record.name))
    known, statements, used = _assignments(parse_text(before)), _assignments(tree), {*_names_used(tree)}
    others = [read.text_now(name) for name, made in read.after.items() if name != record.name and made is not None]
    going_on = GoingOn(read.new.get(record.name), (), journal)
    for name in known.keys() & statements.keys() & spaces[1].keys() - used:
        is_left = record.values.get(name) == id(spaces[0].get(name))
        is_left = is_left and ast.dump(known[name]) == ast.dump(statements[name])
        if is_left and _is_made_by_chance(statements[name], spaces) and not any(name.encode() in one for one in others):
            going_on.keep("", (module, name), spaces[0][name])


def _assignments(tree: ast.Module) -> dict[str, ast.expr]:
    """Return what is assigned to names that a body assigns once, by a statement of their own."""
    found: dict[str, list[ast.expr]] = {}
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            target, value = statement.targets[0], statement.value
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            target, value = statement.target, statement.value
        else:
            continue
        if isinstance(target, ast.Name):
            found.setdefault(target.id, []).append(value)
    return {name: values[0] for name, values in found.items() if len(values) == 1}


def _is_made_by_chance(value: ast.expr, spaces: tuple[dict[str, Any], dict[str, Any]]) -> bool:
    """Say whether an expression asks chance, and all that it names is as it was."""
    names = {node.id for node in ast.walk(value) if isinstance(node, ast.Name)}
    if not all(_is_same(*(space.get(name, vars(builtins).get(name)) for space in spaces)) for name in names):
        return False
    calls = (node.func for node in ast.walk(value) if isinstance(node, ast.Call))
    return any(_is_chance(_found(call, spaces[1])) for call in calls)


def _is_same(before: Any, now: Any) -> bool:
    return before is now or (type(before) is type(now) and id(type(now)) in ATOM_IDS and bool(before == now))


def _found(node: ast.expr, space: Mapping[str, Any]) -> Any:
    """Return what a dotted name leads to, in modules and classes."""
    if isinstance(node, ast.Name):
        return space.get(node.id)
    owner = _found(node.value, space) if isinstance(node, ast.Attribute) else None
    is_open = issubclass(type(owner), (ModuleType, type))
    return getattr(owner, node.attr, None) if is_open and isinstance(node, ast.Attribute) else None


def _is_chance(function: Any) -> bool:
    """Say whether a function answers by chance.

    >>> import os, uuid
    >>> _is_chance(os.urandom), _is_chance(uuid.uuid4), _is_chance(uuid.UUID)
    (True, True, False)
    """
    home = getattr(function, "__module__", None)
    return isinstance(home, str) and getattr(function, "__qualname__", "") in _MADE_BY.get(home, ())


def _names_used(tree: ast.AST) -> Iterator[str]:
    """Yield the names that a body asks for when it runs, as often as it does: not those in its functions."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id
        if not isinstance(node, _INNER):
            yield from _names_used(node)
            continue
        outer = [node.args.defaults, node.args.kw_defaults, getattr(node, "decorator_list", [])]
        for part in (part for parts in outer for part in parts if part is not None):
            yield from _names_used(ast.Expression(part))
