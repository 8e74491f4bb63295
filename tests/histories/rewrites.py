"""Edits that give code another form: what people do to it when they tidy up, or make room for something."""

from __future__ import annotations

import ast
import random
import textwrap
from collections.abc import Callable

from tests.histories.sources import Definition, Placed, Source

__all__ = ["REWRITES", "Edit", "decorate"]

Edit = Callable[[Source, random.Random], str | None]

_MIXIN = "class _Mixin:\n    def mixed(self):\n        return 1"
_REGISTRY = "_REGISTRY = {}\n\n\ndef _registered(found):\n    _REGISTRY[found.__name__] = found\n    return found"
_WRAPPER = """\
def _wrapped(function):
    import functools

    @functools.wraps(function)
    def call(*args, **kwargs):
        return function(*args, **kwargs)

    return call"""


def _add_parameter(source: Source, draw: random.Random) -> str | None:
    """Give a function one more parameter, which has a default."""
    found = [node.args for node in source.functions if node.args.args]
    arguments = [one for one in found if not (one.vararg or one.kwonlyargs or one.kwarg)]
    if not arguments:
        return None
    one = draw.choice(arguments)
    last = one.defaults[-1] if one.defaults else one.args[-1]
    return source.followed(last, ", added=None")


def _change_default(source: Source, draw: random.Random) -> str | None:
    """Compute a default in place of writing it."""
    found = [value for node in source.functions for value in node.args.defaults]
    if not found:
        return None
    value = draw.choice(found)
    return source.replaced(value, f"[{source.of(value)}][0]")


def _name_result(source: Source, draw: random.Random) -> str | None:
    """Give a result a name before it is returned."""
    node = _chosen([one for one in source.nodes(ast.Return) if one.value], source, draw)
    if not isinstance(node, ast.Return) or node.value is None:
        return None
    return source.replaced(node, f"_result = {source.of(node.value)}\n{' ' * node.col_offset}return _result")


def _extract_helper(source: Source, draw: random.Random) -> str | None:
    """Have a new function of the module return what one returned."""
    inside = [
        (top, node, node.value)
        for top in source.top
        for node in ast.walk(top)
        if isinstance(node, ast.Return) and node.value and source.fills_its_lines(node)
    ]
    if not inside:
        return None
    top, node, value = draw.choice(inside)
    edited = Source(source.replaced(node, f"return _helped({source.of(value)})"))
    return edited.inserted(source.lines_of(top).start, "def _helped(value):\n    return value\n\n")


def decorate(definition: str, name: str, *kinds: type[Definition]) -> Edit:
    """Define a decorator, and put it on a definition of the module or of a class."""

    def edit(source: Source, draw: random.Random) -> str | None:
        inner = [(top, part) for top in source.top if isinstance(top, ast.ClassDef) for part in top.body]
        outer = [(top, top) for top in source.top]
        found = [(top, part) for top, part in (*outer, *inner) if isinstance(part, kinds)]
        if not found:
            return None
        top, part = draw.choice(found)
        edited = Source(source.inserted(source.lines_of(part).start, f"{' ' * part.col_offset}@{name}"))
        return edited.inserted(source.lines_of(top).start, f"{definition}\n\n")

    return edit


def _add_base(source: Source, draw: random.Random) -> str | None:
    """Give a class one more base."""
    found = [node for node in source.top if isinstance(node, ast.ClassDef) and node.bases]
    if not found:
        return None
    node = draw.choice(found)
    return Source(source.followed(node.bases[-1], ", _Mixin")).inserted(source.lines_of(node).start, f"{_MIXIN}\n\n")


def _add_subclass(source: Source, draw: random.Random) -> str | None:
    """Derive a class from one of the module."""
    found = [node for node in source.top if isinstance(node, ast.ClassDef)]
    if not found:
        return None
    return f"{source.text}\n\nclass _Added({draw.choice(found).name}):\n    pass\n"


def _rename(source: Source, draw: random.Random) -> str | None:
    """Give a definition another name, with the old one as an alias."""
    bound = {node.id for node in source.nodes(ast.Name) if not isinstance(node.ctx, ast.Load)}
    bound |= {node.arg for node in source.nodes(ast.arg)}
    found = [node for node in source.top if node.name not in bound]
    if not found:
        return None
    top = draw.choice(found)
    new = f"{top.name}_renamed"
    places = [(node.lineno, node.col_offset) for node in source.nodes(ast.Name) if node.id == top.name]
    lines = source.text.encode().splitlines(keepends=True)
    for line, column in sorted(places, reverse=True):
        text = lines[line - 1]
        lines[line - 1] = text[:column] + new.encode() + text[column + len(top.name.encode()) :]
    head = lines[top.lineno - 1]
    lines[top.lineno - 1] = head.replace(f" {top.name}".encode(), f" {new}".encode(), 1)
    lines.insert(top.end_lineno or 0, f"\n\n{top.name} = {new}\n".encode())
    return b"".join(lines).decode()


def _delete_method(source: Source, draw: random.Random) -> str | None:
    """Delete a method."""
    found = _methods(source)
    return source.without(draw.choice(found)[0]) if found else None


def _move_method(source: Source, draw: random.Random) -> str | None:
    """Put a method behind the one that follows it."""
    found = [(node, after) for node, after in _methods(source) if after]
    if not found:
        return None
    node, after = draw.choice(found)
    return source.swapped(node, after)


def _methods(source: Source) -> list[tuple[ast.FunctionDef, ast.FunctionDef | None]]:
    """Return the methods of all classes, each with the one after it."""
    found: list[tuple[ast.FunctionDef, ast.FunctionDef | None]] = []
    for cls in source.classes:
        methods = [part for part in cls.body if isinstance(part, ast.FunctionDef)]
        if methods and len(cls.body) > 1:
            found += zip(methods, [*methods[1:], None], strict=True)
    return found


def _change_entries(source: Source, draw: random.Random) -> str | None:
    """Repeat the last entry of a list, tuple or set of the module or a class, or leave it out."""
    kinds = (ast.List, ast.Tuple, ast.Set)
    outside = [*ast.parse(source.text).body, *(part for cls in source.classes for part in cls.body)]
    values = [part.value for part in outside if isinstance(part, (ast.Assign, ast.AnnAssign))]
    found = [value for value in values if isinstance(value, kinds) and len(value.elts) > 1]
    if not found:
        return None
    *kept, last = draw.choice(found).elts
    if draw.random() < 0.5:
        return source.followed(last, f", {source.of(last)}")
    return source.replaced(last, source.of(kept[-1]))


def _widen_comparison(source: Source, draw: random.Random) -> str | None:
    """Let a comparison hold where both sides are equal."""
    wider = {ast.Lt: "<=", ast.Gt: ">="}
    found = [node for node in source.nodes(ast.Compare) if len(node.ops) == 1 and type(node.ops[0]) in wider]
    if not found:
        return None
    node = draw.choice(found)
    sides = source.of(node.left), source.of(node.comparators[0])
    return source.replaced(node, f" {wider[type(node.ops[0])]} ".join(sides))


def _annotate(source: Source, draw: random.Random) -> str | None:
    """Annotate a parameter."""
    found = [one for node in source.functions for one in node.args.args if not one.annotation]
    return source.followed(draw.choice(found), ': "object"') if found else None


def _declare(source: Source, draw: random.Random) -> str | None:
    """Annotate what a class, or the module, assigns."""
    outside = [*ast.parse(source.text).body, *(part for cls in source.classes for part in cls.body)]
    found = [part.targets[0] for part in outside if isinstance(part, ast.Assign) and len(part.targets) == 1]
    names = [target for target in found if isinstance(target, ast.Name)]
    return source.followed(draw.choice(names), ": object") if names else None


def _guard(source: Source, draw: random.Random) -> str | None:
    """Put a statement of a function under `try`."""
    node = _chosen([part for one in source.functions for part in one.body[1:]], source, draw)
    if node is None:
        return None
    indent = " " * node.col_offset
    body = textwrap.indent(indent + source.of(node), "    ")[node.col_offset :]
    return source.replaced(node, f"try:\n{indent}{body}\n{indent}except ZeroDivisionError:\n{indent}    raise")


def _put_under_condition(source: Source, draw: random.Random) -> str | None:
    """Put a definition of the module under a condition."""
    if not source.top:
        return None
    top = draw.choice(source.top)
    lines = source.text.encode().splitlines(keepends=True)
    place = source.lines_of(top)
    lines[place] = [b"if True:\n", *(b"    " + line if line.strip() else line for line in lines[place])]
    return b"".join(lines).decode()


def _close_over(source: Source, draw: random.Random) -> str | None:
    """Have a function inside of one use its first parameter."""
    found = [node for node in source.functions if node.args.args]
    if not found:
        return None
    node = draw.choice(found)
    first = node.body[0]
    line = f"_inner = lambda: {node.args.args[0].arg}"
    return source.inserted(
        (first.end_lineno or 0) if isinstance(first, ast.Expr) else first.lineno - 1, " " * first.col_offset + line
    )


def _import(source: Source, draw: random.Random) -> str | None:
    """Import one more module of the standard library."""
    return f"{source.text}\nimport {draw.choice(('colorsys', 'fractions', 'string'))} as _added\n"


def _delete_statement(source: Source, draw: random.Random) -> str | None:
    """Delete a statement of a function."""
    bodies = [node.body for node in source.functions if len(node.body) > 1]
    node = _chosen([part for body in bodies for part in body], source, draw)
    return source.replaced(node, "pass") if node else None


def _chosen(found: list[ast.stmt] | list[ast.Return], source: Source, draw: random.Random) -> ast.stmt | None:
    """Draw one of the statements that have their lines for themselves."""
    whole: list[Placed] = [node for node in found if source.fills_its_lines(node)]
    node = draw.choice(whole) if whole else None
    return node if isinstance(node, ast.stmt) else None


REWRITES: dict[str, Edit] = {
    "a parameter": _add_parameter,
    "another default": _change_default,
    "a name for a result": _name_result,
    "a helper": _extract_helper,
    "a decorator": decorate(_WRAPPER, "_wrapped", ast.FunctionDef),
    "a registration": decorate(_REGISTRY, "_registered", ast.FunctionDef, ast.ClassDef),
    "a base": _add_base,
    "a subclass": _add_subclass,
    "another name": _rename,
    "a method deleted": _delete_method,
    "a method moved": _move_method,
    "other entries": _change_entries,
    "a wider comparison": _widen_comparison,
    "an annotation": _annotate,
    "a declaration": _declare,
    "a guard": _guard,
    "a condition": _put_under_condition,
    "a closure": _close_over,
    "an import": _import,
    "a statement deleted": _delete_statement,
}
