"""Functions of random modules, and what is made for functions: decorators, factories, registries, generic functions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import ClassVar

from tests.differential.definitions import Definition, Ref, Say, Use, say_use

__all__ = ["Decorator", "Dispatch", "Factory", "Function", "Kept", "Registration", "Registry"]


@dataclass(frozen=True, slots=True)
class Function(Definition):
    """A function of one argument and `extra` optional ones.

    Attributes:
        wrap: a decorator of the standard library, as text.
        decorator: one of the project: a `Decorator`, or what adds to a `Registry`.
        uses: what its answer takes from elsewhere.
        default: what an argument has as its default.
    """

    answer: int = 0
    doc: int = 0
    extra: int = 0
    wrap: str = ""
    decorator: Ref | None = None
    uses: Use | None = None
    default: Ref | None = None
    USE: ClassVar[str] = "{}(x)"

    def text(self, say: Say) -> str:
        before, used = say_use(self.uses, say)
        lines = [f"@{say(self.decorator)}\n" if self.decorator else "", f"@{self.wrap}\n" if self.wrap else ""]
        extra = "".join(f", extra{number}={number}" for number in range(self.extra))
        given = f", given={say(self.default)}" if self.default else ""
        held = ", getattr(given, '__name__', 0)" if self.default else ""
        doc = f'    """Text {self.doc}."""\n' if self.doc else ""
        body = f"    {before}return ({self.name!r}, {self.answer}, x, {used}{held})\n"
        return f"{''.join(lines)}def {self.name}(x{extra}{given}):\n{doc}{body}"

    def probes(self, it: str) -> Iterator[str]:
        yield f"({it}(1), {it}.__doc__, {it}.__name__, {it}.__module__)"
        yield f"str(inspect.signature({it}))"

    def changes(self) -> Iterator[Definition]:
        yield replace(self, answer=self.answer + 1)
        yield replace(self, doc=self.doc + 1)
        yield replace(self, extra=(self.extra + 1) % 3)
        yield replace(self, wrap="" if self.wrap else "functools.cache")
        if self.uses:
            yield replace(self, uses=None)
            yield replace(self, uses=replace(self.uses, late=not self.uses.late))
        if self.decorator:
            yield replace(self, decorator=None)


@dataclass(frozen=True, slots=True)
class Decorator(Definition):
    """A decorator that wraps what it is given."""

    answer: int = 0
    USE: ClassVar[str] = "{}(repr)(x)"

    def text(self, say: Say) -> str:  # noqa: ARG002
        return (
            f"def {self.name}(f):\n    @functools.wraps(f)\n    def wrapper(*args):\n"
            f"        return ({self.name!r}, {self.answer}, f(*args))\n    return wrapper\n"
        )

    def probes(self, it: str) -> Iterator[str]:
        yield f"{it}(repr)(1)"

    def changes(self) -> Iterator[Definition]:
        yield replace(self, answer=self.answer + 1)


@dataclass(frozen=True, slots=True)
class Factory(Definition):
    """A function that returns a closure."""

    answer: int = 0
    uses: Use | None = None
    USE: ClassVar[str] = "{}(1)(x)"

    def text(self, say: Say) -> str:
        before, used = say_use(self.uses, say)
        before = before.replace("\n    ", "\n        ")
        # What is imported late is imported in the inner function: no closure can get a further variable of the outer.
        inner = f"def inner(x):\n        {before}return ({self.name!r}, {self.answer}, n, x, {used})\n"
        return f"def {self.name}(n):\n    {inner}    return inner\n"

    def probes(self, it: str) -> Iterator[str]:
        yield f"{it}(1)(2)"

    def changes(self) -> Iterator[Definition]:
        yield replace(self, answer=self.answer + 1)
        if self.uses:
            yield replace(self, uses=None)


@dataclass(frozen=True, slots=True)
class Registry(Definition):
    """A container that a function of its module adds to, as a decorator does."""

    form: str = "dict"
    answer: int = 0
    USE: ClassVar[str] = "len({}) >= 0"

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, f"add_{self.name}")

    def text(self, say: Say) -> str:  # noqa: ARG002
        empty = {"dict": "{}", "list": "[]", "set": "set()"}[self.form]
        adding = {"dict": "[f.__name__] = f", "list": ".append(f)", "set": ".add(f)"}[self.form]
        return f"{self.name} = {empty}\n\ndef add_{self.name}(f):\n    {self.name}{adding}\n    return f\n" + (
            f"\nadd_{self.name}.answer = {self.answer}\n" if self.answer else ""
        )

    def probes(self, it: str) -> Iterator[str]:
        items = f"{it}.values()" if self.form == "dict" else it
        current = "f is getattr(sys.modules[f.__module__], f.__name__)"
        yield f"sorted((f.__module__, f.__qualname__, {current}) for f in {items})"

    def changes(self) -> Iterator[Definition]:
        yield replace(self, answer=self.answer + 1)


@dataclass(frozen=True, slots=True)
class Kept(Definition):
    """A list that outlives reloads, as its module's `__exo_keep__` says."""

    USE: ClassVar[str] = "len({}) >= 0"

    def text(self, say: Say) -> str:  # noqa: ARG002
        return f"if {self.name!r} not in globals():\n    {self.name} = []\n"

    def probes(self, it: str) -> Iterator[str]:
        yield it


@dataclass(frozen=True, slots=True)
class Dispatch(Definition):
    """A generic function."""

    answer: int = 0
    USE: ClassVar[str] = "{}(x)"

    def text(self, say: Say) -> str:  # noqa: ARG002
        return (
            f"@functools.singledispatch\ndef {self.name}(x):\n    return ('any', {self.answer})\n\n"
            f"@{self.name}.register\ndef {self.name}_int(x: int):\n    return ('int', {self.answer})\n"
        )

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, f"{self.name}_int")

    def probes(self, it: str) -> Iterator[str]:
        yield f"[{it}(value) for value in (1, 'a', 1.5, [], {{}}, b'')]"

    def changes(self) -> Iterator[Definition]:
        yield replace(self, answer=self.answer + 1)


@dataclass(frozen=True, slots=True)
class Registration(Definition):
    """What a generic function answers for a type: a built-in one, or a class of the project."""

    dispatch: Ref = field(default_factory=lambda: Ref("", ""))
    kind: str = "str"
    cls: Ref | None = None
    answer: int = 0
    USE: ClassVar[str] = "{}(x)"
    REQUIRED: ClassVar[frozenset[str]] = frozenset({"dispatch"})

    def text(self, say: Say) -> str:
        kind = say(self.cls) if self.cls else self.kind
        return (
            f"@{say(self.dispatch)}.register({kind})\ndef {self.name}(x):\n    return ({self.name!r}, {self.answer})\n"
        )

    def probes(self, it: str) -> Iterator[str]:
        yield f"{it}(1)"

    def changes(self) -> Iterator[Definition]:
        yield replace(self, answer=self.answer + 1)
