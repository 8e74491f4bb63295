"""What a cell can do to the names of the notebook: values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from exocet_ipython.loading.classes import module_said_by
from exocet_ipython.loading.names import with_packages
from exocet_ipython.reloading.holding.paths import attribute_at

__all__ = ["CellAssignment", "CellEvent", "CellImport", "Perhaps", "without_doubt"]


@dataclass(frozen=True, slots=True)
class CellImport:
    """One name that an import statement binds.

    Attributes:
        name: the notebook name; `*` for a star import.
        module: absolute dotted name of the module.
        attribute: what of it; None for the module itself, `*` for all its public names.
        submodule: dotted name of what it loads below the package that it binds.
    """

    name: str
    module: str
    attribute: str | None = None
    submodule: str = field(default="", repr=False)

    @property
    def modules(self) -> tuple[str, ...]:
        """The dotted names of what it may load, in the order in which it does: `from a import b` may load `a.b`.

        >>> CellImport("a", "a", submodule="a.b").modules, CellImport("c", "b", "c").modules
        (('a', 'a.b'), ('b', 'b.c'))
        """
        last = self.submodule or (f"{self.module}.{self.attribute}" if self.attribute else self.module)
        return with_packages(last)


@dataclass(frozen=True, slots=True)
class CellAssignment:
    """An attribute or an entry that a cell assigns, as a path: `config.LEVEL`, `config.FLAGS["new"]`."""

    name: str

    def target(
        self, namespace: Mapping[str, Any], sources: Callable[[str], Sequence[Any]] = lambda _: ()
    ) -> tuple[str, tuple[str, ...]] | None:
        """Return the module that has it, and its own path there; of an attribute of a class also its name alone.

        Args:
            namespace: the notebook's names.
            sources: gives the modules and attributes that a notebook name was imported from, the latest last.

        >>> import json
        >>> CellAssignment("json.JSONDecoder.strict").target({"json": json})
        ('json.decoder', ('JSONDecoder.strict', 'strict'))
        >>> CellAssignment("json.decoder.BACKSLASH['n']").target({"json": json})
        ('json.decoder', ("BACKSLASH['n']",))
        >>> CellAssignment("json.decoder.WHITESPACE.flags").target({"json": json})
        ('json.decoder', ('WHITESPACE.flags',))
        """
        dotted, bracket, rest = self.name.partition("[")
        first, *path = dotted.split(".")
        owner = namespace.get(first)
        holder: Any = None if bracket else attribute_at(owner, ".".join(path[:-1]))
        if issubclass(type(holder), type):
            home, name = module_said_by(holder), type.__getattribute__(holder, "__qualname__")
            return (home, (f"{name}.{path[-1]}", path[-1])) if type(home) is str else None
        if isinstance(holder, ModuleType):
            return holder.__name__, (path[-1],)
        while path and isinstance(owner, ModuleType) and isinstance(inner := vars(owner).get(path[0]), ModuleType):
            owner, path = inner, path[1:]
        if isinstance(owner, ModuleType):
            return (owner.__name__, (".".join(path) + bracket + rest,)) if path else None
        for source in sources(first)[-1:]:
            if source.attribute is not None:  # else it is a module that something else stands for
                return source.module, (".".join([source.attribute, *path]) + bracket + rest,)
        return None


@dataclass(frozen=True, slots=True)
class Perhaps:
    """What a statement binds that stands in a block, as that of an `if`: the text doesn't tell whether it was reached.

    Attributes:
        event: an import, or the name that is assigned by other means.
    """

    event: CellImport | str


CellEvent = CellImport | CellAssignment | Perhaps | str


def without_doubt(event: CellEvent) -> CellImport | CellAssignment | str:
    """Return what an event binds, whether or not its statement was reached.

    >>> without_doubt(Perhaps("x")), without_doubt("y")
    ('x', 'y')
    """
    return event.event if isinstance(event, Perhaps) else event
