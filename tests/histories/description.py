"""Describes packages as plain data: all that a person, or code, could tell of their state.

Run in the long-lived session and in a fresh interpreter alike, by `session.py`; not imported by the tests. The state
of the interpreter is only read: no attribute of an instance is asked for, no `__getattr__` runs.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import gc
import hashlib
import inspect
import re
import sys
import typing
from collections.abc import Iterable, Iterator, Mapping
from types import CellType, CodeType, FunctionType, MethodType, ModuleType, UnionType
from typing import Any

__all__ = ["Description", "mask"]

_ATOMS = (str, bytes, int, float, complex, bool, type(None), type(...), type(NotImplemented))
_MANY = 400  # entries of a container that are shown
_DEEP = 6  # how far containers in containers are shown
# What Python or a loader writes on a module, and what differs from run to run.
_MODULE_FURNITURE = {"__builtins__", "__cached__", "__loader__", "__spec__", "__warningregistry__"}
_CLASS_FURNITURE = {"__dict__", "__weakref__", "__doc__", "__module__", "__abstractmethods__", "_abc_impl"}
_CLASS_FURNITURE |= {"__static_attributes__", "__firstlineno__", "__annotations_cache__", "__annotate_func__"}


class Description:
    """Describes what some top-level packages have loaded.

    Args:
        roots: their names.
        folder: where they lie; it is left out of what is described.
        counted: a pattern of names that count what happened since; they are left out as well.

    Attributes:
        found: path of a module, class, function -> what is said of it: aspect -> plain data.
    """

    def __init__(self, roots: Iterable[str], folder: str, counted: str = "") -> None:
        self._counted = re.compile(counted or r"(?!)")
        self._roots = frozenset(roots)
        self._folder = folder
        self._paths: dict[int, str] = {}
        self._kept: list[Any] = []  # what was seen, so that no id is used twice
        self.found: dict[str, dict[str, Any]] = {}

    def describe_modules(self) -> None:
        """Describe all modules of the packages that are loaded."""
        modules = {name: module for name, module in sys.modules.items() if self._is_ours(name)}
        for name in sorted(modules):
            self._name(modules[name], f"module {name}")
        for name in sorted(modules):
            self._describe_module(name, modules[name])

    def show(self, value: Any, depth: int = 0) -> Any:
        """Return a value as plain data: atoms as they read, classes and functions by name, instances by class."""
        kind = type(value)
        if kind in _ATOMS:
            return self._mask(repr(value))
        if issubclass(kind, enum.Enum):
            return f"{self._class_name(kind)} member {value._name_}"
        if issubclass(kind, type):
            return f"class {self._class_name(value)}"
        if kind is FunctionType:
            return f"function {self._function_name(value)}"
        if issubclass(kind, ModuleType):
            name = object.__getattribute__(value, "__name__")
            return f"module {name}" + ("" if sys.modules.get(name) is value else _STALE)
        shown = self._show_container(value, depth + 1) if depth < _DEEP else None
        return f"instance of {self._class_name(kind)}" if shown is None else shown

    def _show_container(self, value: Any, depth: int) -> Any:  # noqa: PLR0911 - one case a kind of container
        kind = type(value)
        if kind is dict:
            name = str(value.get("__name__"))
            if value is getattr(sys.modules.get(name), "__dict__", None):
                return f"namespace of module {name}"
            items = list(value.items())[:_MANY]
            return {"dict": [[self.show(key, depth), self.show(part, depth)] for key, part in items]}
        if kind in (list, tuple):
            return {kind.__name__: [self.show(part, depth) for part in value[:_MANY]]}
        if kind in (set, frozenset):
            return {kind.__name__: sorted(repr(self.show(part, depth)) for part in value)}
        if kind is functools.partial:
            return {"partial": self.show(value.func, depth), "args": self.show(value.args, depth)}
        if kind is MethodType:
            return {"method": self.show(value.__func__, depth), "of": self.show(value.__self__, depth)}
        return None

    def stale(self, values: Iterable[Any]) -> list[str]:
        """Return what can be reached from some values and is not, or has not the class, that its module has now.

        What the release has no more has nothing to become: a held object goes on holding it.
        """
        found: set[str] = set()
        waiting, seen = list(values), {id(vars(module)) for module in list(sys.modules.values())}
        while waiting:
            value = waiting.pop()
            if id(value) in seen or type(value) in _ATOMS or issubclass(type(value), ModuleType):
                continue
            seen.add(id(value))
            self._kept.append(value)
            shown = self.show(value, _DEEP)
            if isinstance(shown, str) and _STALE in shown and self._has_counterpart(value):
                found.add(shown)
            if not issubclass(type(value), type) and type(value) not in (FunctionType, CodeType):
                waiting += gc.get_referents(value)
        return sorted(found)

    # -- modules, classes, functions -----------------------------------------------------------------------------

    def _describe_module(self, name: str, module: Any) -> None:
        space: Mapping[str, Any] = getattr(module, "__dict__", {})
        entry = self._enter(f"module {name}")
        entry["kind"] = self._class_name(type(module))
        names = sorted(key for key in space if key not in _MODULE_FURNITURE and not self._counted.search(key))
        entry["names"] = names
        entry["doc"] = self.show(space.get("__doc__"))
        entry["file"] = self._mask(str(space.get("__file__")))
        for key in names:
            entry[f"name {key}"] = self._describe(space[key], f"{name}:{key}")

    def _describe(self, value: Any, path: str) -> Any:
        """Describe a class or function where it is met first; return how the value is shown."""
        kind = type(value)
        if issubclass(kind, type):
            if self._is_ours(type.__getattribute__(value, "__module__")) and self._name(value, path):
                self._describe_class(value, path)
        elif kind is FunctionType:
            if self._is_ours(value.__globals__.get("__name__")) and self._name(value, path):
                self._describe_function(value, path)
        else:
            for step, part in self._parts(value):
                self._describe(part, f"{path}{step}")
        return self._paths.get(id(value)) or self.show(value)

    def _parts(self, value: Any) -> Iterator[tuple[str, Any]]:
        """Yield the functions and classes behind a value that is neither."""
        kind = type(value)
        if kind in (staticmethod, classmethod):
            yield "", value.__func__
        elif issubclass(kind, property):
            yield from ((f".{step}", part) for step in ("fget", "fset", "fdel") if (part := getattr(value, step)))
        elif issubclass(kind, functools.cached_property):
            yield "", value.func
        elif kind is functools._lru_cache_wrapper:
            yield "", value.__wrapped__
        elif kind is functools.partial:
            yield "", value.func
        elif kind is MethodType:
            yield "", value.__func__
        elif self._is_ours(kind.__module__) and self._name(value, ""):
            for name in sorted(_attributes(value)):
                part = _attributes(value)[name]
                if type(part) in (FunctionType, type):
                    yield f".{name}", part

    def _describe_class(self, cls: Any, path: str) -> None:
        entry = self._enter(path)
        space = dict(type.__getattribute__(cls, "__dict__"))
        entry["class"] = self._class_name(cls)
        entry["metaclass"] = self._class_name(type(cls))
        entry["bases"] = [self._class_name(base) for base in cls.__bases__]
        entry["mro"] = [self._class_name(base) for base in type.__dict__["__mro__"].__get__(cls)]
        entry["subclasses"] = sorted(
            self._class_name(sub) for sub in type.__subclasses__(cls) if self._is_ours(sub.__module__)
        )
        entry["doc"] = self.show(space.get("__doc__"))
        entry["signature"] = self._signature(cls)
        entry["names"] = sorted(key for key in space.keys() - _CLASS_FURNITURE if not self._counted.search(key))
        entry["layout"] = [cls.__basicsize__, cls.__dictoffset__ != 0, cls.__flags__ & ~_CACHED_FLAGS]
        entry["abstract"] = sorted(space.get("__abstractmethods__", ()))
        if "__dataclass_fields__" in space:
            fields = space["__dataclass_fields__"].values()
            entry["fields"] = [
                [f.name, self.show(f.type), self.show(_default(f)), f.init, f.repr, f.kw_only] for f in fields
            ]
        if issubclass(cls, enum.Enum):
            members = list(cls.__members__.items())
            entry["members"] = [[name, self.show(member._value_), type(member) is cls] for name, member in members]
        if type(space.get("__attrs_attrs__")).__name__.endswith("Attributes"):
            entry["fields"] = [
                [a.name, self.show(a.type), self.show(a.default), a.init] for a in space["__attrs_attrs__"]
            ]
        for key in entry["names"]:
            entry[f"name {key}"] = self._describe(space[key], f"{path}.{key}")

    def _describe_function(self, function: FunctionType, path: str) -> None:
        entry = self._enter(path)
        entry["function"] = self._function_name(function)
        entry["doc"] = self.show(function.__doc__)
        entry["signature"] = self._signature(function)
        entry["defaults"] = [self.show(function.__defaults__), self.show(function.__kwdefaults__)]
        entry["annotations"] = {key: self._annotation(part) for key, part in inspect.get_annotations(function).items()}
        entry["code"] = self._code(function.__code__)
        entry["attributes"] = sorted(vars(function))
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            entry[f"variable {name}"] = self._describe(_contents(cell), f"{path}<{name}>")
        if "__wrapped__" in vars(function):
            entry["wraps"] = self._describe(vars(function)["__wrapped__"], f"{path}<wrapped>")

    def _code(self, code: CodeType) -> str:
        """Return a digest of code, with the code in it, its names and its lines."""
        parts: list[Any] = [code.co_qualname, code.co_code, code.co_names, code.co_varnames, code.co_freevars]
        parts += [code.co_cellvars, code.co_flags, code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount]
        # attrs counts the texts of one name that it has made: `<attrs generated init x.Y-2>`.
        file = re.sub(r"-\d+>$", ">", self._mask(code.co_filename))
        parts += [code.co_firstlineno, code.co_exceptiontable, file]
        if not file.startswith("<") or file.startswith("<FOLDER>"):
            parts.append(code.co_linetable)  # in generated code it tells how long the counted names are
        for const in code.co_consts:
            if isinstance(const, frozenset):
                parts.append(sorted(map(repr, const)))
            else:
                parts.append(self._code(const) if isinstance(const, CodeType) else const)
        return hashlib.sha256(self._counted.sub("#", repr(parts)).encode()).hexdigest()[:16]

    def _signature(self, value: Any) -> Any:
        try:
            signature = inspect.signature(value)
        except Exception as error:  # noqa: BLE001 - no signature is an answer as well
            return f"{type(error).__name__}: {self._mask(str(error))}"
        found = [
            [str(part.replace(annotation=inspect.Signature.empty)), part.annotation]
            for part in signature.parameters.values()
        ]
        return [
            [self._mask(text), self._annotation(value)] for text, value in [*found, ["->", signature.return_annotation]]
        ]

    def _annotation(self, value: Any) -> str:
        """Return an annotation as text; `typing` gives a union of the same parts in the order it first met them."""
        origin, args = typing.get_origin(value), typing.get_args(value)
        if isinstance(value, list):
            return f"[{', '.join(map(self._annotation, value))}]"
        if not args:
            shown = self.show(value)
            return shown if isinstance(shown, str) and not shown.startswith("instance") else self._mask(repr(value))
        parts = [self._annotation(part) for part in args]
        if origin in (typing.Union, UnionType):
            return f"Union[{', '.join(sorted(parts))}]"
        return f"{self.show(origin)}[{', '.join(parts)}]"

    # -- names ---------------------------------------------------------------------------------------------------

    def _class_name(self, cls: Any) -> str:
        module, path = type.__getattribute__(cls, "__module__"), type.__getattribute__(cls, "__qualname__")
        name = f"{module}.{path}"
        return name + ("" if not self._is_ours(module) or self._is_current(cls, module, path) else _STALE)

    def _function_name(self, function: FunctionType) -> str:
        home = function.__globals__.get("__name__")
        name = self._counted.sub("#", f"{function.__module__}.{function.__qualname__}")
        if (
            not isinstance(home, str)
            or not self._is_ours(home)
            or function.__globals__ is vars(sys.modules.get(home, _NOWHERE))
        ):
            return name
        return name + _STALE

    def _is_current(self, cls: Any, module: Any, path: str) -> bool:
        """Say whether a class is what is found under its name; one made in a function only has to know its module."""
        if sys.modules.get(module) is None:
            return False
        if "<locals>" in path:
            return all(
                part.__globals__ is vars(sys.modules.get(part.__globals__.get("__name__", ""), _NOWHERE))
                for part in type.__getattribute__(cls, "__dict__").values()
                if type(part) is FunctionType and self._is_ours(part.__globals__.get("__name__"))
            )
        value: Any = sys.modules[module]
        for part in path.split("."):
            value = getattr(value, "__dict__", {}).get(part, _NOWHERE)
        return value is cls

    def _has_counterpart(self, value: Any) -> bool:
        kind = type(value)
        defined = value if issubclass(kind, type) or kind is FunctionType else kind
        now: Any = sys.modules.get(defined.__module__)
        for part in defined.__qualname__.partition(".<locals>")[0].split("."):
            now = getattr(now, "__dict__", {}).get(part)
        return now is not None

    def _is_ours(self, name: Any) -> bool:
        return isinstance(name, str) and name.partition(".")[0] in self._roots

    def _name(self, value: Any, path: str) -> bool:
        """Name an object by the path where it is met first; say whether that is here."""
        if id(value) in self._paths:
            return False
        self._paths[id(value)] = path
        self._kept.append(value)
        return True

    def _enter(self, path: str) -> dict[str, Any]:
        entry: dict[str, Any] = {}
        self.found[path] = entry
        return entry

    def _mask(self, text: str) -> str:
        return mask(text, self._folder)


def mask(text: str, folder: str) -> str:
    """Return a text without a folder's name, and without addresses, which some write as decimal numbers."""
    return re.sub(r"0x[0-9a-f]{6,}|-?\d{14,}", "0x...", text.replace(folder, "<FOLDER>"))


_STALE = " (not the current one)"
_NOWHERE = ModuleType("nowhere")
_CACHED_FLAGS = 1 << 19 | 1 << 12 | 1 << 20  # version tag given and so on: what differs as a class is used


def _attributes(value: Any) -> dict[str, Any]:
    try:
        found: dict[str, Any] = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return found


def _default(field: Any) -> Any:
    return field.default if field.default is not dataclasses.MISSING else field.default_factory


def _contents(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return "<empty>"
