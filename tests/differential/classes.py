"""Classes of random modules: plain ones, dataclasses, named tuples, enumerations, exceptions, metaclasses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import ClassVar

from tests.differential.definitions import Definition, Ref, Say, Use, say_use

__all__ = ["Enumeration", "Error", "Instance", "Klass", "Meta", "Record"]

PARTS = ("property", "static", "maker", "limit", "nested", "hash", "call", "cached", "known")
FLAVOURS = ("plain", "dataclass", "frozen", "slots")


@dataclass(frozen=True, slots=True)
class Klass(Definition):
    """A class whose instances are made with one number.

    Attributes:
        base: a class of the project, of the same flavour.
        meta: a `Meta`; only where there is no base.
        flavour: one of `FLAVOURS`.
        parts: what it has beside its method; of `PARTS`.
        fields: how many optional fields a dataclass has.
    """

    answer: int = 0
    base: Ref | None = None
    meta: Ref | None = None
    flavour: str = "plain"
    parts: tuple[str, ...] = ()
    fields: int = 0
    uses: Use | None = None
    doc: int = 0
    USE: ClassVar[str] = "{}(1).ask(x)"

    @property
    def is_dataclass(self) -> bool:
        """Whether it is one."""
        return self.flavour in ("dataclass", "frozen")

    def text(self, say: Say) -> str:
        heads = [say(self.base)] if self.base else []
        heads += [f"metaclass={say(self.meta)}"] if self.meta else []
        head = f"({', '.join(heads)})" if heads else ""
        options = {"dataclass": "", "frozen": "(frozen=True)"}
        lines = [f"@dataclasses.dataclass{options[self.flavour]}"] if self.is_dataclass else []
        lines.append(f"class {self.name}{head}:")
        if self.doc:
            lines.append(f'    """Text {self.doc}."""')
        if self.flavour == "slots":
            lines.append(f"    __slots__ = {('n',) if not self.base else ()!r}")
        if self.is_dataclass:
            lines += ["    n: int = 0"] if not self.base else []
            lines += [f"    {self.name.lower()}{number}: int = {number + 7}" for number in range(self.fields)]
        elif not self.base:
            lines += ["    def __init__(self, n=0):", "        self.n = n"]
        for part in self.parts:
            lines += self._part(part)
        before, used = say_use(self.uses, say)
        before = before.replace("\n    ", "\n        ")
        above = ", super().ask(x)" if self.base else ""
        lines.append("    def ask(self, x):")
        lines.append(f"        {before}return ({self.name!r}, {self.answer}, self.n, x, {used}{above})")
        return "\n".join(lines) + "\n"

    def _part(self, part: str) -> list[str]:
        texts = {
            "property": ["    @property", "    def size(self):", f"        return ({self.answer}, self.n)"],
            "static": ["    @staticmethod", "    def plain(x):", f"        return ({self.answer}, x)"],
            "maker": ["    @classmethod", "    def make(cls, n):", "        return cls(n)"],
            "limit": [f"    limit = {self.answer}"],
            "nested": ["    class Inner:", "        def ask(self, x):", f"            return ({self.answer}, x)"],
            "hash": [
                "    def __eq__(self, other):",
                "        return type(other) is type(self) and other.n == self.n",
                "    def __hash__(self):",
                f"        return hash(({self.answer}, self.n))",
            ],
            "call": ["    def __call__(self, x):", f"        return ({self.answer}, self.n, x)"],
            "cached": [
                "    @functools.cached_property",
                "    def slow(self):",
                f"        return ({self.answer}, self.n)",
            ],
            "known": [
                "    known = []",
                "    def __init_subclass__(cls, **options):",
                "        super().__init_subclass__(**options)",
                f"        {self.name}.known.append(cls)",
            ],
        }
        return texts[part]

    def probes(self, it: str) -> Iterator[str]:
        yield f"({it}(1).ask(2), {it}.__doc__ if {bool(self.doc)} else 0, {it}.__name__, {it}.__module__)"
        yield f"([base.__qualname__ for base in {it}.__mro__], {it}.__bases__, type({it}))"
        yield f"sorted(name for name in vars({it}) if name[0] != '_')"
        if self.is_dataclass:
            yield f"({it}(1), [part.name for part in dataclasses.fields({it})])"
        current = "cls is getattr(sys.modules[cls.__module__], cls.__name__)"
        shown = {
            "property": f"{it}(1).size",
            "static": f"{it}.plain(1)",
            "maker": f"{it}.make(1).ask(2)",
            "limit": f"{it}.limit",
            "nested": f"{it}.Inner().ask(1)",
            "hash": f"({it}(1) == {it}(1), hash({it}(1)) == hash({it}(1)))",
            "call": f"{it}(1)(2)",
            "cached": f"{it}(1).slow",
            "known": f"sorted((cls.__name__, {current}) for cls in {it}.known)",
        }
        yield from (shown[part] for part in self.parts)

    def changes(self) -> Iterator[Definition]:
        yield replace(self, answer=self.answer + 1)
        yield replace(self, doc=self.doc + 1)
        for part in PARTS:
            if part not in self.parts and (part, self.flavour) != ("cached", "slots"):
                yield replace(self, parts=(*self.parts, part))
        yield from (replace(self, parts=tuple(had for had in self.parts if had != part)) for part in self.parts)
        if self.is_dataclass:
            yield replace(self, fields=self.fields + 1)
            if self.fields:
                yield replace(self, fields=self.fields - 1)
        if not self.base:
            flavours = FLAVOURS if "cached" not in self.parts else FLAVOURS[:-1]  # it needs a dict of the instance
            yield from (replace(self, flavour=flavour) for flavour in flavours if flavour != self.flavour)
            if self.meta:
                yield replace(self, meta=None)
        else:
            yield replace(self, base=None)
        if self.uses:
            yield replace(self, uses=None)


@dataclass(frozen=True, slots=True)
class Record(Definition):
    """A named tuple."""

    answer: int = 0
    fields: int = 0
    USE: ClassVar[str] = "{}(1).ask(x)"

    def text(self, say: Say) -> str:  # noqa: ARG002
        extra = "".join(f"    {self.name.lower()}{number}: int = {number + 7}\n" for number in range(self.fields))
        return (
            f"class {self.name}(typing.NamedTuple):\n    n: int\n{extra}"
            f"    def ask(self, x):\n        return ({self.name!r}, {self.answer}, self.n, x)\n"
        )

    def probes(self, it: str) -> Iterator[str]:
        yield f"({it}(1), {it}(1).ask(2), {it}._fields)"

    def changes(self) -> Iterator[Definition]:
        yield replace(self, answer=self.answer + 1)
        yield replace(self, fields=(self.fields + 1) % 3)


@dataclass(frozen=True, slots=True)
class Error(Definition):
    """An exception class."""

    answer: int = 0
    base: Ref | None = None

    def text(self, say: Say) -> str:
        base = say(self.base) if self.base else "Exception"
        body = f"    def ask(self, x):\n        return ({self.name!r}, {self.answer}, self.args, x)\n"
        return f"class {self.name}({base}):\n{body}"

    def probes(self, it: str) -> Iterator[str]:
        yield f"({it}(1).ask(2), {it}.__mro__)"

    def changes(self) -> Iterator[Definition]:
        yield replace(self, answer=self.answer + 1)
        if self.base:
            yield replace(self, base=None)


@dataclass(frozen=True, slots=True)
class Enumeration(Definition):
    """An enumeration; its members are named A, B and so on in the order of `values`."""

    answer: int = 0
    values: tuple[int, ...] = (1, 2)
    form: str = "Enum"
    flipped: bool = False
    USE: ClassVar[str] = "[(member.name, member.value) for member in {}]"

    def text(self, say: Say) -> str:  # noqa: ARG002
        members = [f"    {'ABCDEF'[place]} = {value}\n" for place, value in enumerate(self.values)]
        ordered = members[::-1] if self.flipped else members
        return (
            f"class {self.name}(enum.{self.form}):\n{''.join(ordered)}"
            f"    def ask(self, x):\n        return ({self.name!r}, {self.answer}, self.name, x)\n"
        )

    def probes(self, it: str) -> Iterator[str]:
        yield f"[(member, member.value, member.ask(1)) for member in {it}]"

    def changes(self) -> Iterator[Definition]:
        yield replace(self, answer=self.answer + 1)
        yield replace(self, values=tuple(value * 2 for value in self.values))
        yield replace(self, flipped=not self.flipped)
        if len(self.values) < len("ABCDEF"):
            yield replace(self, values=(*self.values, 2 * max(self.values)))
        yield replace(self, form="IntEnum" if self.form == "Enum" else "Enum")


@dataclass(frozen=True, slots=True)
class Meta(Definition):
    """A metaclass that lists its classes."""

    answer: int = 0

    def text(self, say: Say) -> str:  # noqa: ARG002
        return (
            f"class {self.name}(type):\n    known = []\n"
            "    def __new__(mcls, name, bases, space):\n        cls = super().__new__(mcls, name, bases, space)\n"
            "        mcls.known.append(cls)\n        return cls\n"
            f"    def kind(cls):\n        return ({self.name!r}, {self.answer}, cls.__name__)\n"
        )

    def probes(self, it: str) -> Iterator[str]:
        current = "cls is getattr(sys.modules[cls.__module__], cls.__name__)"
        yield f"sorted((cls.__name__, {current}, cls.kind()) for cls in {it}.known)"

    def changes(self) -> Iterator[Definition]:
        yield replace(self, answer=self.answer + 1)


@dataclass(frozen=True, slots=True)
class Instance(Definition):
    """A module-level instance of a class."""

    cls: Ref = field(default_factory=lambda: Ref("", ""))
    number: int = 1
    USE: ClassVar[str] = "{}.ask(x)"
    REQUIRED: ClassVar[frozenset[str]] = frozenset({"cls"})

    def text(self, say: Say) -> str:
        return f"{self.name} = {say(self.cls)}({self.number})\n"

    def probes(self, it: str) -> Iterator[str]:
        yield f"({it}.ask(1), type({it}))"
        yield f"type({it}) is getattr(sys.modules[type({it}).__module__], type({it}).__name__)"

    def changes(self) -> Iterator[Definition]:
        yield replace(self, number=self.number + 1)
