"""Edits that make something of another kind of a definition, which goes on doing what it did."""

from __future__ import annotations

import ast
import random
import re
import textwrap

from tests.histories.rewrites import Edit, decorate
from tests.histories.sources import Definition, Source

__all__ = ["RESHAPES"]

_CALLABLE = """\
class _Callable:
    def __init__(self, function):
        self.function = function

    def __call__(self, *args, **kwargs):
        return self.function(*args, **kwargs)

    def __get__(self, instance, owner=None):
        return self if instance is None else self.function.__get__(instance, owner)"""
_BINDING = ("property", "classmethod", "staticmethod")  # without one, nothing would work
_LAZY = """

def __getattr__(name):
    if name == {name!r}:
        return _lazy_{name}
    raise AttributeError(name)
"""
_HOOK = """\
def __init_subclass__(cls, **options):
    super().__init_subclass__(**options)
    _KNOWN.append(cls)"""
_DESCRIPTOR = """\
class _Named:
    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, instance, owner=None):
        return self.name


"""


def _make_lazy(source: Source, draw: random.Random) -> str | None:
    """Have the module's `__getattr__` give a definition that nothing in it uses."""
    used = {node.id for node in source.nodes(ast.Name)}
    found = [node for node in source.top if node.name not in used and not node.name.startswith("__")]
    if not found or any(node.name == "__getattr__" for node in source.top):
        return None
    top = draw.choice(found)
    return _headed(source, top.lineno, f" {top.name}", f" _lazy_{top.name}") + _LAZY.format(name=top.name)


def _make_in_function(source: Source, draw: random.Random) -> str | None:
    """Have a function make a class, or another function, of the module."""
    if not source.top:
        return None
    top = draw.choice(source.top)
    place = source.lines_of(top)
    lines = source.text.encode().splitlines(keepends=True)
    made = [b"    " + line if line.strip() else line for line in lines[place]]
    end = f"\n    return {top.name}\n\n\n{top.name} = _made()\n"
    lines[place] = [b"def _made():\n", *made, end.encode()]
    return b"".join(lines).decode()


def _add_metaclass(source: Source, draw: random.Random) -> str | None:
    """Give a class without bases a metaclass."""
    found = [node for node in source.top if isinstance(node, ast.ClassDef) and not (node.bases or node.keywords)]
    if not found:
        return None
    top = draw.choice(found)
    text = _headed(source, top.lineno, rf"class {top.name}\b(\(\))?", f"class {top.name}(metaclass=_Meta)")
    return Source(text).inserted(source.lines_of(top).start, "class _Meta(type):\n    pass\n\n")


def _add_hook(source: Source, draw: random.Random) -> str | None:
    """Have a class note those that are derived from it."""
    edited = _in_class(source, draw, _HOOK)
    return _behind_imports(edited, "_KNOWN = []") if edited else None


def _add_descriptor(source: Source, draw: random.Random) -> str | None:
    """Give a class an attribute that is told its name."""
    edited = _in_class(source, draw, "named = _Named()")
    return _behind_imports(edited, _DESCRIPTOR) if edited else None


def _add_slots(source: Source, draw: random.Random) -> str | None:
    """Give a class slots, beside all that it has."""
    free = [node for node in source.classes if not (node.bases or node.keywords or "__slots__" in source.of(node))]
    derived = [node for node in source.classes if node.bases]
    if free and draw.random() < 0.5:
        cls, slots = draw.choice(free), '("added", "__dict__", "__weakref__")'
    elif derived:
        cls, slots = draw.choice(derived), '("added",)'
    else:
        return None
    return source.inserted(cls.end_lineno or 0, f"{' ' * cls.body[0].col_offset}__slots__ = {slots}")


def _delete_slots(source: Source, draw: random.Random) -> str | None:
    """Take the slots of a class away."""
    found = [
        part
        for cls in source.classes
        for part in cls.body
        if isinstance(part, ast.Assign) and source.of(part.targets[0]) == "__slots__"
    ]
    return source.replaced(draw.choice(found), "pass") if found else None


def _make_property(source: Source, draw: random.Random) -> str | None:
    """Make a property of a class attribute."""
    found = [
        (part, part.targets[0].id)
        for cls in source.classes
        for part in cls.body
        if isinstance(part, ast.Assign)
        and isinstance(part.value, ast.Constant)
        and isinstance(part.targets[0], ast.Name)
        and not part.targets[0].id.startswith("__")
        and source.fills_its_lines(part)
    ]
    if not found:
        return None
    part, name = draw.choice(found)
    indent = " " * part.col_offset
    return source.replaced(part, f"@property\n{indent}def {name}(self):\n{indent}    return {source.of(part.value)}")


def _cache_property(source: Source, draw: random.Random) -> str | None:
    """Keep what a property gives."""
    marks = [mark for node in source.functions for mark in node.decorator_list if source.of(mark) == "property"]
    if not marks:
        return None
    return source.replaced(draw.choice(marks), "__import__('functools').cached_property")


def _pull_up(source: Source, draw: random.Random) -> str | None:
    """Move a method of a class of the module into a new base of it."""
    found = [
        (top, part)
        for top in source.top
        if isinstance(top, ast.ClassDef) and not top.keywords and len(top.body) > 1
        for part in top.body
        if isinstance(part, ast.FunctionDef)
    ]
    if not found:
        return None
    top, part = draw.choice(found)
    lines = source.text.encode().splitlines(keepends=True)
    method = b"".join(lines[source.lines_of(part)])
    base = f"class _{top.name}Base:\n".encode() + method + b"\n\n"
    bases = ", ".join([f"_{top.name}Base", *map(source.of, top.bases)])
    text = Source(source.without(part))
    if top.bases:
        text = Source(text.replaced(top.bases[0], f"_{top.name}Base, {source.of(top.bases[0])}"))
    else:
        text = Source(_headed(text, top.lineno, rf"class {top.name}\b(\(\))?", f"class {top.name}({bases})"))
    return text.inserted(source.lines_of(top).start, base.decode())


def _guard_import(source: Source, draw: random.Random) -> str | None:
    """Do without an import of the module where it fails."""
    node = _import(source, draw)
    if node is None:
        return None
    names = " = ".join(one.asname or one.name.partition(".")[0] for one in node.names)
    return source.replaced(node, f"try:\n    {source.of(node)}\nexcept ImportError:\n    {names} = None")


def _delete_decorator(source: Source, draw: random.Random) -> str | None:
    """Delete a decorator that has its lines for itself."""
    owners: list[Definition] = [*source.functions, *source.classes]
    found = [mark for node in owners for mark in node.decorator_list if source.of(mark) not in _BINDING]
    if not found:
        return None
    mark = draw.choice(found)
    lines = source.text.encode().splitlines(keepends=True)
    del lines[mark.lineno - 1 : mark.end_lineno]
    return b"".join(lines).decode()


def _add_member(source: Source, draw: random.Random) -> str | None:
    """Give an enum one more member."""
    found = [node for node in source.classes if any("Enum" in source.of(base) for base in node.bases)]
    if not found:
        return None
    cls = draw.choice(found)
    return source.inserted(cls.end_lineno or 0, f"{' ' * cls.body[0].col_offset}ADDED = 77")


def _name_twice(source: Source, draw: random.Random) -> str | None:
    """Give a definition a second name."""
    return f"{source.text}\n\nAdded = {draw.choice(source.top).name}\n" if source.top else None


def _collect(source: Source, draw: random.Random) -> str | None:
    """List some definitions of the module in it."""
    if not source.top:
        return None
    names = sorted({draw.choice(source.top).name for _ in range(3)})
    kinds = (
        f"[{', '.join(names)}]",
        f"{{{', '.join(f'{name!r}: {name}' for name in names)}}}",
        f"({', '.join(names)},)",
    )
    return f"{source.text}\n\n_ALL_OF_THEM = {draw.choice(kinds)}\n"


def _import(source: Source, draw: random.Random) -> ast.Import | ast.ImportFrom | None:
    body = ast.parse(source.text).body
    found = [node for node in body if isinstance(node, (ast.Import, ast.ImportFrom))]
    found = [node for node in found if source.fills_its_lines(node) and getattr(node, "module", "") != "__future__"]
    found = [node for node in found if node.names[0].name != "*" and node.lineno == node.end_lineno]
    return draw.choice(found) if found else None


def _in_class(source: Source, draw: random.Random, text: str) -> str | None:
    if not source.classes:
        return None
    cls = draw.choice(source.classes)
    return source.inserted(cls.end_lineno or 0, "\n" + textwrap.indent(text, " " * cls.body[0].col_offset))


def _behind_imports(text: str, new: str) -> str:
    """Return a text with something in front of its first definition or statement that is no import."""
    source = Source(text)
    first = 0
    for node in ast.parse(text).body:
        if not isinstance(node, (ast.Import, ast.ImportFrom)) and not (isinstance(node, ast.Expr) and not first):
            break
        first = node.end_lineno or 0
    return source.inserted(first, new)


def _headed(source: Source, line: int, old: str, new: str) -> str:
    """Return the text with something of one line replaced."""
    lines = source.text.splitlines(keepends=True)
    lines[line - 1] = re.sub(old, new, lines[line - 1], count=1)
    return "".join(lines)


RESHAPES: dict[str, Edit] = {
    "a lazy name": _make_lazy,
    "a maker": _make_in_function,
    "a metaclass": _add_metaclass,
    "a hook for subclasses": _add_hook,
    "a descriptor": _add_descriptor,
    "slots": _add_slots,
    "slots deleted": _delete_slots,
    "a property": _make_property,
    "a cached property": _cache_property,
    "a method in a new base": _pull_up,
    "a guarded import": _guard_import,
    "a decorator deleted": _delete_decorator,
    "a member": _add_member,
    "a second name": _name_twice,
    "a collection": _collect,
    "a callable": decorate(_CALLABLE, "_Callable", ast.FunctionDef),
    "a cache": decorate("import functools as _functools", "_functools.lru_cache(maxsize=None)", ast.FunctionDef),
}
