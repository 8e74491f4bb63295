"""Edits of a random project: pure functions from a project to the projects that one edit makes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from tests.differential.classes import Error, Klass, Meta
from tests.differential.definitions import Alias, Constant, Definition, Ref, Table, Use
from tests.differential.functions import Decorator, Factory, Function, Registry
from tests.differential.newcomers import new_definitions, new_module
from tests.differential.project import STYLES, Module, Project

__all__ = ["BREAKS", "EDITS", "Edit"]


@dataclass(frozen=True, slots=True)
class Edit:
    """One possible edit: in words, what comes out, and what it touches, so that what is held can be preferred."""

    words: str
    project: Project
    touched: Ref | None = None


def change_definitions(project: Project) -> Iterator[Edit]:
    """Give a definition another body, signature, decorator, base, value and so on."""
    for module in project.modules:
        for place, definition in enumerate(module.definitions):
            for changed in definition.changes():
                definitions = (*module.definitions[:place], changed, *module.definitions[place + 1 :])
                yield Edit(
                    f"change {module.name}.{definition.name}",
                    project.with_module(replace(module, definitions=definitions)),
                    Ref(module.name, definition.name),
                )


def change_layout(project: Project) -> Iterator[Edit]:
    """Write a line of comment, or take one away."""
    for module in project.modules:
        yield Edit(f"comment in {module.name}", project.with_module(replace(module, notes=module.notes + 1)))
        if module.notes:
            yield Edit(f"no comment in {module.name}", project.with_module(replace(module, notes=0)))


def add_definitions(project: Project) -> Iterator[Edit]:
    """Write a new definition at a module's end."""
    for module in project.modules:
        for definition in new_definitions(project):
            after = replace(module, definitions=(*module.definitions, definition))
            words = f"add {module.name}.{definition.name}"
            yield Edit(words, replace(project.with_module(after), following=project.following + 1))


def delete_definitions(project: Project) -> Iterator[Edit]:
    """Delete a definition, and what can't be without it."""
    for ref in project.refs():
        module = project.named[ref.module]
        kept = tuple(definition for definition in module.definitions if definition.name != ref.name)
        after = project.with_module(replace(module, definitions=kept))
        yield Edit(f"delete {ref.module}.{ref.name}", after.with_refs(lambda found: found), ref)


def rename_definitions(project: Project) -> Iterator[Edit]:
    """Give a definition another name, wherever it is used."""
    for ref in project.refs():
        module, before = project.named[ref.module], project.named[ref.module].defined[ref.name]
        now = replace(before, name=f"{ref.name.rstrip('0123456789')}{project.following}")
        names = {Ref(ref.module, old): Ref(ref.module, new) for old, new in zip(before.names, now.names, strict=True)}
        definitions = tuple(now if had is before else had for had in module.definitions)
        yield Edit(
            f"rename {ref.module}.{ref.name}",
            replace(
                _renamed(project.with_module(replace(module, definitions=definitions)), names),
                following=project.following + 1,
            ),
            ref,
        )


def _renamed(project: Project, names: dict[Ref, Ref]) -> Project:
    """Have all modules refer to what was renamed by its new name."""
    return replace(project, modules=tuple(had.with_refs(lambda ref: names.get(ref, ref)) for had in project.modules))


def move_definitions(project: Project) -> Iterator[Edit]:
    """Move a definition to another module; the first one passes it on, or not."""
    for ref in project.refs():
        source = project.named[ref.module]
        definition = source.defined[ref.name]
        for target in project.modules:
            if target.name == source.name:
                continue
            names = {Ref(source.name, name): Ref(target.name, name) for name in definition.names}
            left = tuple(had for had in source.definitions if had is not definition)
            after = project.with_module(replace(source, definitions=left))
            after = after.with_module(replace(target, definitions=(*target.definitions, definition)))
            after = _renamed(after, names)
            words = f"move {ref.module}.{ref.name} to {target.name}"
            exporting = replace(after.named[source.name], exports=(*after.named[source.name].exports, *names.values()))
            yield Edit(f"{words}, passed on", after.with_module(exporting), ref)
            yield Edit(words, after, ref)


def reorder_definitions(project: Project) -> Iterator[Edit]:
    """Move a definition to the top of its module, or to its end."""
    for module in project.modules:
        for definition in module.definitions:
            others = tuple(had for had in module.definitions if had is not definition)
            for order in ((definition, *others), (*others, definition)):
                if order != module.definitions:
                    after = project.with_module(replace(module, definitions=order))
                    yield Edit(f"move {definition.name} within {module.name}", after, Ref(module.name, definition.name))


def change_bases(project: Project) -> Iterator[Edit]:
    """Give a class another base, a function another decorator or another function to use."""
    for module in project.modules:
        for place, definition in enumerate(module.definitions):
            for changed in _rewired(project, definition):
                definitions = (*module.definitions[:place], changed, *module.definitions[place + 1 :])
                yield Edit(
                    f"rewire {module.name}.{definition.name}",
                    project.with_module(replace(module, definitions=definitions)),
                    Ref(module.name, definition.name),
                )


def _rewired(project: Project, definition: Definition) -> Iterator[Definition]:  # noqa: C901 - one case a kind
    for ref in project.refs():
        target = project.find(ref)
        match definition, target:
            case Klass(base=base, flavour=flavour), Klass(flavour=other) if flavour == other and base != ref:
                yield replace(definition, base=ref, meta=None)
            case Klass(base=None, meta=meta), Meta() if meta != ref:
                yield replace(definition, meta=ref)
            case Error(base=base), Error() if base != ref:
                yield replace(definition, base=ref)
            case Function(decorator=decorator), Decorator() if decorator != ref:
                yield replace(definition, decorator=ref)
            case Function(decorator=decorator), Registry() if decorator != Ref(ref.module, f"add_{ref.name}"):
                yield replace(definition, decorator=Ref(ref.module, f"add_{ref.name}"))
            case ((Function(uses=None) | Klass(uses=None) | Factory(uses=None)), Definition()):
                yield replace(definition, uses=Use(ref, target.USE, late=True))
                yield replace(definition, uses=Use(ref, target.USE))
            case Function(default=None), Function() | Klass():
                yield replace(definition, default=ref)
            case Table(items=items), Function() | Klass() if ref not in items:
                yield replace(definition, items=(*items, ref))
            case Alias(of=of), Function() | Klass() if of != ref:
                yield replace(definition, of=ref)


def change_imports(project: Project) -> Iterator[Edit]:
    """Write a module's imports in another way, pass names on or no longer, import everything or no longer."""
    for module in project.modules:
        changes = [replace(module, style=style) for style in STYLES if style != module.style]
        changes += [replace(module, public=not module.public), replace(module, at_end=not module.at_end)]
        for other in project.modules:
            if other.name in module.stars:
                changes.append(replace(module, stars=tuple(star for star in module.stars if star != other.name)))
            elif other is not module:
                changes.append(replace(module, stars=(*module.stars, other.name)))
        for ref in project.refs():
            if ref in module.exports:
                changes.append(replace(module, exports=tuple(had for had in module.exports if had != ref)))
            elif ref.module != module.name:
                changes.append(replace(module, exports=(*module.exports, ref)))
        yield from (Edit(f"imports of {module.name}", project.with_module(changed)) for changed in changes)


def change_module_traits(project: Project) -> Iterator[Edit]:
    """Change what a module's `__getattr__` answers, and which optional module it tries to import."""
    for module in project.modules:
        if not module.lazy:
            now = replace(module, lazy=((f"lazy{project.following}", project.following),))
            yield Edit(
                f"__getattr__ in {module.name}", replace(project.with_module(now), following=project.following + 1)
            )
        else:
            more = tuple((name, value + 1) for name, value in module.lazy)
            yield Edit(f"__getattr__ of {module.name}", project.with_module(replace(module, lazy=more)))
            yield Edit(f"no __getattr__ in {module.name}", project.with_module(replace(module, lazy=())))
        if not module.optional:
            yield Edit(f"optional import in {module.name}", project.with_module(replace(module, optional="extra")))
        else:
            yield Edit(f"no optional import in {module.name}", project.with_module(replace(module, optional="")))


def change_modules(project: Project) -> Iterator[Edit]:
    """Add, delete, rename a module; make a package of it or a module of a package."""
    yield from _optional_module(project)
    name = f"new{project.following}"
    for parent in ("", *project.packages):
        module = new_module(project, f"{parent}.{name}".lstrip("."))
        yield Edit(
            f"add module {module.name}",
            replace(project, modules=(module, *project.modules), following=project.following + 2),
        )
    for module in project.modules:
        if not any(other.package == module.name for other in project.modules):
            yield Edit(
                f"{module.name} as a package", project.with_module(replace(module, in_folder=not module.in_folder))
            )
            gone = {Ref(module.name, found) for found in module.defined}
            kept = tuple(
                replace(other, stars=tuple(star for star in other.stars if star != module.name))
                for other in project.modules
                if other is not module
            )
            after = replace(project, modules=kept).with_refs(lambda ref, gone=gone: None if ref in gone else ref)  # type: ignore[misc]
            yield Edit(f"delete module {module.name}", after)
            yield Edit(
                f"rename module {module.name}", _module_renamed(project, module, f"{module.name}_{project.following}")
            )


def _optional_module(project: Project) -> Iterator[Edit]:
    """Have the optional module appear."""
    if "extra" not in project.named and any(module.optional for module in project.modules):
        module = Module("extra", (Constant(f"K{project.following}", 1),))
        yield Edit(
            "the optional module appears",
            replace(project, modules=(module, *project.modules), following=project.following + 1),
        )


def _module_renamed(project: Project, module: Module, name: str) -> Project:
    modules = tuple(
        replace(
            had,
            name=name if had is module else had.name,
            stars=tuple(name if star == module.name else star for star in had.stars),
        ).with_refs(lambda ref: Ref(name, ref.name) if ref.module == module.name else ref)
        for had in project.modules
    )
    return replace(project, modules=modules, following=project.following + 1)


# What is drawn more often comes more often.
EDITS: tuple[Callable[[Project], Iterator[Edit]], ...] = (
    change_definitions,
    change_definitions,
    change_definitions,
    change_definitions,
    change_layout,
    add_definitions,
    delete_definitions,
    rename_definitions,
    move_definitions,
    reorder_definitions,
    change_bases,
    change_bases,
    change_imports,
    change_module_traits,
    change_modules,
)

# What a broken edit appends to a text, in words for the sequence that is shown.
BREAKS = {
    "a syntax error": "\ndef broken(:\n    pass\n",
    "a name that isn't there": "\nbroken = not_there\n",
    "a module that isn't there": "\nimport not_there_either\n",
    "an exit": "\nraise SystemExit(3)\n",
    "an error in a class body": "\nclass Broken(int, str):\n    pass\n",
}
