"""A random project: modules with definitions, whether they fit together, and their source texts. All of it values.

Modules have an order: what a module's body needs is in modules before it. What functions need may be anywhere, so that
modules import each other in a circle; such imports are in the functions, or at the module's end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from tests.differential.classes import Error, Instance, Klass, Meta
from tests.differential.definitions import Alias, Constant, Definition, Ref, Table
from tests.differential.functions import Kept

__all__ = ["Module", "Project"]

STYLES = ("from", "module", "alias", "relative")
_LIBRARIES = ("dataclasses", "enum", "functools", "typing")


@dataclass(frozen=True)
class Module:
    """One module.

    Attributes:
        name: dotted; a module with submodules is a package.
        definitions: in the order of the text.
        style: how it imports what it needs, one of `STYLES`.
        exports: what it imports only to pass it on.
        stars: modules of which it imports everything.
        lazy: names and values that its `__getattr__` answers.
        optional: a module that it tries to import, and goes on without.
        public: whether it has `__all__`.
        notes: how many lines of comment are above the first definition.
        in_folder: whether it is a package for no reason.
        at_end: whether what only functions need is imported at its end, and not in the functions.
    """

    name: str
    definitions: tuple[Definition, ...] = ()
    style: str = "from"
    exports: tuple[Ref, ...] = ()
    stars: tuple[str, ...] = ()
    lazy: tuple[tuple[str, int], ...] = ()
    optional: str = ""
    public: bool = False
    notes: int = 0
    in_folder: bool = False
    at_end: bool = False

    @property
    def package(self) -> str:
        """The package that it is in, or an empty string."""
        return self.name.rpartition(".")[0]

    @cached_property
    def defined(self) -> Mapping[str, Definition]:
        """Name -> definition."""
        return {name: definition for definition in self.definitions for name in definition.names}

    def refs(self, *, late: bool) -> set[Ref]:
        """Return what it needs when its body runs, or (late) when its functions run."""
        found = {ref for definition in self.definitions for ref in definition.refs(late=late)}
        return found | (set() if late else set(self.exports))

    @property
    def has_code(self) -> bool:
        """Whether it has classes or functions, without which no module is kept for a return."""
        return bool(self.lazy) or any(
            not isinstance(made, (Constant, Table, Alias, Instance, Kept)) for made in self.definitions
        )

    def with_refs(self, change: Callable[[Ref], Ref | None]) -> Module:
        """Return it with other references; what can't be without one that is gone goes as well.

        What it passed on and defines itself by now is not passed on any more.
        """
        exports = dict.fromkeys(map(change, self.exports))
        kept = [definition.with_refs(change) for definition in self.definitions]
        return replace(
            self,
            definitions=tuple(definition for definition in kept if definition is not None),
            exports=tuple(ref for ref in exports if ref is not None and ref.module != self.name),
        )


@dataclass(frozen=True)
class Project:
    """Modules in their order, and the number of the next new name."""

    modules: tuple[Module, ...] = ()
    following: int = 0
    removed: frozenset[str] = field(default=frozenset())

    @cached_property
    def named(self) -> Mapping[str, Module]:
        """Dotted name -> module."""
        return {module.name: module for module in self.modules}

    @cached_property
    def packages(self) -> frozenset[str]:
        """The modules that others are in, and those that are packages for no reason."""
        return frozenset(
            {module.package for module in self.modules if module.package}
            | {module.name for module in self.modules if module.in_folder}
        )

    def find(self, ref: Ref) -> Definition | None:
        """Return a definition."""
        module = self.named.get(ref.module)
        return module.defined.get(ref.name) if module is not None else None

    def provides(self, ref: Ref) -> bool:
        """Say whether a module has something under a name, be it defined there or passed on."""
        module = self.named.get(ref.module)
        return module is not None and (ref.name in module.defined or ref.name in {had.name for had in module.exports})

    def refs(self) -> Iterator[Ref]:
        """Yield all definitions, each by its first name."""
        for module in self.modules:
            for definition in module.definitions:
                yield Ref(module.name, definition.name)

    def hands_on(self, ref: Ref) -> bool:
        """Say whether another module takes the value of a definition when its body runs."""
        others = (module for module in self.modules if module.name != ref.module)
        return any(ref in module.refs(late=False) or ref.module in module.stars for module in others)

    def with_module(self, module: Module) -> Project:
        """Return it with one module replaced by another of the same name."""
        return replace(self, modules=tuple(module if had.name == module.name else had for had in self.modules))

    def with_refs(self, change: Callable[[Ref], Ref | None]) -> Project:
        """Return it with other references, and without what can't be without one that is gone, again and again."""
        found = replace(self, modules=tuple(module.with_refs(change) for module in self.modules))
        while lost := {ref for module in found.modules for ref in _all_refs(module) if found.find(ref) is None}:
            found = replace(
                found,
                modules=tuple(module.with_refs(lambda ref: None if ref in lost else ref) for module in found.modules),
            )
        return found

    def is_sound(self) -> bool:
        """Say whether all modules can be imported, in whatever order a notebook does it."""
        place = {module.name: number for number, module in enumerate(self.modules)}
        if not place or len(place) != len(self.modules):
            return False
        # A package may need its submodules, and they don't need it.
        if any(place.get(module.package, -1) < place[module.name] for module in self.modules if module.package):
            return False
        return all(self._is_importable(module, place) for module in self.modules) and self._ends()

    def _is_importable(self, module: Module, place: Mapping[str, int]) -> bool:
        """Say whether a module finds all that it needs."""
        needed = [*module.exports]
        known: set[Ref] = set()
        for definition in module.definitions:
            own = {ref for ref in definition.refs(late=False) if ref.module == module.name}
            if not own <= known or not self._fits(definition):
                return False
            needed += definition.refs(late=False)
            known |= {Ref(module.name, name) for name in definition.names}
        before = {name for name, number in place.items() if number < place[module.name]}
        return (
            all(ref in known or (ref.module in before and self.find(ref) is not None) for ref in needed)
            and before.issuperset(module.stars)
            and not any(self._is_halfway(module, ref.module) for ref in needed)
            and all(self.find(ref) is not None for ref in module.refs(late=True))
            and (not module.at_end or self._may_end_with_imports(module))
        )

    def _is_halfway(self, module: Module, needed: str) -> bool:
        """Say whether a module's body would name another through a subpackage that is not its package's attribute yet.

        `import lib.sub.deep` and then `lib.sub.deep.f`, in `lib.sub` or in what that imports, finds no `lib.sub`.
        """
        parts = needed.split(".")
        above = {".".join(parts[:end]) for end in range(2, len(parts))}
        return module.style == "module" and any(
            name == module.name or module.name.startswith(f"{name}.") for name in above
        )

    def _may_end_with_imports(self, module: Module) -> bool:
        """Say whether what a module imports at its end never finds a module half-way that has begun to import this."""
        for ref in module.refs(late=True):
            others = self._needed[ref.module] - {module.name, ref.module}
            if any(module.name in self._needed.get(name, ()) for name in others):
                return False
        return True

    @cached_property
    def _needed(self) -> Mapping[str, set[str]]:
        """Module -> all that its import brings, itself included."""
        near = {
            module.name: {ref.module for ref in module.refs(late=False)}
            | ({ref.module for ref in module.refs(late=True)} if module.at_end else set())
            | {*module.stars, module.package, module.optional} - {""}
            for module in self.modules
        }
        found: dict[str, set[str]] = {}
        for name in near:
            waiting, seen = [name], {name}
            while waiting:
                more = near.get(waiting.pop(), set()) - seen
                seen |= more
                waiting += more
            found[name] = seen
        return found

    def _fits(self, definition: Definition) -> bool:
        """Say whether a class fits its base."""
        match definition:
            case Klass(base=Ref() as ref, flavour=flavour, meta=meta):
                base = self.find(ref)
                return isinstance(base, Klass) and base.flavour == flavour and meta is None
            case Klass(meta=Ref() as ref):
                return isinstance(self.find(ref), Meta)
            case Error(base=Ref() as ref):
                return isinstance(self.find(ref), Error)
        return True

    def _ends(self) -> bool:
        """Say whether no definition uses itself, directly or through others: its functions would never return."""
        done: set[Ref] = set()
        open_: set[Ref] = set()

        def visit(ref: Ref) -> bool:
            definition = self.find(ref)
            if definition is None:
                return True
            ref = Ref(ref.module, definition.name)
            if ref in done:
                return True
            if ref in open_:
                return False
            open_.add(ref)
            if not all(visit(needed) for late in (False, True) for needed in definition.refs(late=late)):
                return False
            done.add(ref)
            return True

        return all(visit(ref) for ref in self.refs())

    # -- texts ---------------------------------------------------------------------------------------------------

    def texts(self) -> dict[str, str]:
        """Return path -> source text."""
        return {self.path(module.name): self._text(module) for module in self.modules}

    def path(self, name: str) -> str:
        """Return the path of a module's file."""
        path = name.replace(".", "/")
        return f"{path}/__init__.py" if name in self.packages else f"{path}.py"

    def _text(self, module: Module) -> str:
        imports: dict[str, None] = {}
        ends: dict[str, None] = {}
        late, needed = module.refs(late=True), module.refs(late=False)

        def say(ref: Ref) -> str:
            if ref.module == module.name:
                return ref.name
            if ref in late and ref not in needed and ref.module not in module.stars:
                if not module.at_end:
                    return ""
                ends[f"import {ref.module}"] = None
                return f"{ref.module}.{ref.name}"
            line, said = self._import(module, ref)
            imports[line] = None
            return said

        bodies = [definition.text(say) for definition in module.definitions]
        imports |= {
            f"from {ref.module} import {ref.name}": None for ref in module.exports if ref.module not in module.stars
        }
        imports |= {f"from {star} import *": None for star in module.stars}
        text = "\n".join((*_optional(module), *bodies, *_traits(module)))
        libraries = [f"import {library}" for library in _LIBRARIES if re.search(rf"\b{library}\.", text)]
        head = [*libraries, *imports, *(f"# note {number}" for number in range(module.notes))]
        return "\n".join(
            part
            for part in ("".join(f"{line}\n" for line in head), text, "".join(f"{line}\n" for line in ends))
            if part
        )

    def _import(self, module: Module, ref: Ref) -> tuple[str, str]:
        """Return the import statement for what a module's body needs, and the expression that it is then."""
        package = module.name if module.name in self.packages else module.package
        if ref.module in module.stars:
            return f"from {ref.module} import *", ref.name
        match module.style:
            case "module":
                return f"import {ref.module}", f"{ref.module}.{ref.name}"
            case "alias":
                alias = ref.module.replace(".", "_") + "_"
                return f"import {ref.module} as {alias}", f"{alias}.{ref.name}"
            case "relative" if (
                package and ref.module.startswith(f"{package}.") and "." not in ref.module[len(package) + 1 :]
            ):
                return f"from .{ref.module[len(package) + 1 :]} import {ref.name}", ref.name
        return f"from {ref.module} import {ref.name}", ref.name


def _all_refs(module: Module) -> set[Ref]:
    return module.refs(late=False) | module.refs(late=True)


def _optional(module: Module) -> Iterator[str]:
    """Yield the import that may fail."""
    if name := module.optional:
        yield f"try:\n    import {name}\n    has_{name} = {name}.__name__\nexcept ImportError:\n    has_{name} = None\n"


def _traits(module: Module) -> Iterator[str]:
    """Yield what is at a module's end."""
    if module.lazy:
        known = ", ".join(f"{name!r}: {value}" for name, value in module.lazy)
        yield (
            f"def __getattr__(name):\n    known = {{{known}}}\n    if name in known:\n        return known[name]\n"
            "    raise AttributeError(name)\n"
        )
    if kept := tuple(definition.name for definition in module.definitions if isinstance(definition, Kept)):
        yield f"__exo_keep__ = {kept!r}\n"
    if module.public:
        exported = [name for definition in module.definitions for name in definition.names]
        yield f"__all__ = {[*exported, *(ref.name for ref in module.exports)]!r}\n"
