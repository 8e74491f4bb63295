"""What a module of a random project defines: each kind of definition is written, asked about, and changed.

A definition is a value. What it needs of others are `Ref`s: those of its own fields are needed when the module's body
runs, those of a `Use` that is `late` only when a function runs. Names are unique in a project, so that a definition
can move, and a star import can bring it, without a clash.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

__all__ = ["Alias", "Constant", "Definition", "Ref", "Say", "Table", "Use", "say_use"]


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """A definition by its module and name."""

    module: str
    name: str


@dataclass(frozen=True, slots=True)
class Use:
    """What a function's answer takes from another definition: an expression of it, `{}`, and of `x`."""

    ref: Ref
    form: str
    late: bool = False


Say = Callable[[Ref], str]


@dataclass(frozen=True, slots=True)
class Definition:
    """One definition of a module.

    Attributes:
        USE: how another definition uses it.
        REQUIRED: the fields without which it can't be.
    """

    name: str

    USE: ClassVar[str] = "{}.__name__"
    REQUIRED: ClassVar[frozenset[str]] = frozenset()

    @property
    def names(self) -> tuple[str, ...]:
        """The global names that it binds."""
        return (self.name,)

    def refs(self, *, late: bool) -> Iterator[Ref]:
        """Yield what it needs when the module's body runs, or (late) when its functions run."""
        for part in dataclasses.fields(self):
            value = getattr(self, part.name)
            for item in value if isinstance(value, tuple) else (value,):
                if isinstance(item, Ref) and not late:
                    yield item
                if isinstance(item, Use) and item.late is late:
                    yield item.ref

    def with_refs(self, change: Callable[[Ref], Ref | None]) -> Definition | None:
        """Return it with other references; None where one that it can't be without is gone."""
        changed: dict[str, Any] = {}
        for part in dataclasses.fields(self):
            value = getattr(self, part.name)
            if isinstance(value, tuple):
                items = [_changed(item, change) for item in value]
                now: Any = tuple(item for item in items if item is not None)
            else:
                now = _changed(value, change)
            if now is None and part.name in self.REQUIRED:
                return None
            if now != value:
                changed[part.name] = now
        return replace(self, **changed) if changed else self

    def text(self, say: Say) -> str:
        """Return the source text; `say` gives the expression that a reference is in this module."""
        raise NotImplementedError

    def probes(self, it: str) -> Iterator[str]:
        """Yield the expressions that show it; `it` is the expression that names it."""
        raise NotImplementedError

    def changes(self) -> Iterator[Definition]:
        """Yield it with other bodies, signatures, decorators and so on, but with the same name."""
        return iter(())


def _changed(value: Any, change: Callable[[Ref], Ref | None]) -> Any:
    if isinstance(value, Ref):
        return change(value)
    if isinstance(value, Use):
        now = change(value.ref)
        return None if now is None else replace(value, ref=now)
    return value


def say_use(use: Use | None, say: Say) -> tuple[str, str]:
    """Return the statements and the expression for what a function uses."""
    if use is None:
        return "", "None"
    if use.late:
        module, name = use.ref.module, use.ref.name
        spoken = say(use.ref)
        if spoken:
            return "", use.form.format(spoken)
        return f"from {module} import {name}\n    ", use.form.format(name)
    return "", use.form.format(say(use.ref))


@dataclass(frozen=True, slots=True)
class Constant(Definition):
    """A number, a string or a tuple of them."""

    value: Any = 1
    USE: ClassVar[str] = "{}"

    def text(self, say: Say) -> str:  # noqa: ARG002
        return f"{self.name} = {self.value!r}\n"

    def probes(self, it: str) -> Iterator[str]:
        yield it

    def changes(self) -> Iterator[Definition]:
        yield replace(self, value=self.value + 1 if isinstance(self.value, int) else 1)
        yield replace(self, value=f"text {self.value}"[:9] if not isinstance(self.value, str) else (1, 2))


@dataclass(frozen=True, slots=True)
class Alias(Definition):
    """A second name."""

    of: Ref = field(default_factory=lambda: Ref("", ""))
    USE: ClassVar[str] = "{}.__name__"
    REQUIRED: ClassVar[frozenset[str]] = frozenset({"of"})

    def text(self, say: Say) -> str:
        return f"{self.name} = {say(self.of)}\n"

    def probes(self, it: str) -> Iterator[str]:
        yield f"({it}.__module__, {it}.__name__)"
        yield f"{it} is getattr(sys.modules[{it}.__module__], {it}.__name__)"


@dataclass(frozen=True, slots=True)
class Table(Definition):
    """A container of functions and classes."""

    items: tuple[Ref, ...] = ()
    form: str = "list"
    USE: ClassVar[str] = "len({})"

    def text(self, say: Say) -> str:
        items = [say(item) for item in self.items]
        match self.form:
            case "dict":
                inner = (
                    "{"
                    + ", ".join(f"{item.name!r}: {said}" for item, said in zip(self.items, items, strict=True))
                    + "}"
                )
            case "tuple" if items:  # an empty one is everybody's
                inner = f"({''.join(item + ', ' for item in items)})"
            case _:
                inner = f"[{', '.join(items)}]"
        return f"{self.name} = {inner}\n"

    def probes(self, it: str) -> Iterator[str]:
        items = f"{it}.values()" if self.form == "dict" else it
        yield f"[(item.__name__, item is getattr(sys.modules[item.__module__], item.__name__)) for item in {items}]"

    def changes(self) -> Iterator[Definition]:
        if self.items:
            yield replace(self, items=self.items[1:])
            yield replace(self, items=self.items[::-1])
        for form in ("list", "dict", "tuple"):
            if form != self.form:
                yield replace(self, form=form)
