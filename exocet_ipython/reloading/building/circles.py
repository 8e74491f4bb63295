"""Circles of imports: whether one begins somewhere else than it did, and what finds another half-way then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.machinery import ModuleSpec

from exocet_ipython.loading.names import with_packages
from exocet_ipython.loading.running import compile_for_reading
from exocet_ipython.loading.source import find_spec_of, read_snapshot
from exocet_ipython.loading.spaces import is_package
from exocet_ipython.reloading.building.plan import Plan
from exocet_ipython.reloading.generation import Generation
from exocet_ipython.reloading.imports import ImportStatement, read_imports
from exocet_ipython.reloading.noticing.changes import Change
from exocet_ipython.reloading.scope import Scope
from exocet_ipython.reloading.texts import Texts

__all__ = ["changes_imports", "is_circular", "moved_circles"]

_Imports = Mapping[str, Sequence[ImportStatement]]  # dotted name of a module -> its import statements


def changes_imports(plan: Plan, current: Generation, texts: Texts) -> bool:
    """Say whether edits may have changed which module of a circle a restart begins with.

    Which values the modules of a circle take from each other half-way depends on that. As long as all import statements
    are the same, they began as they will.

    Args:
        plan: what is made anew.
        current: what it is made beside.
        texts: dotted name -> what was read again and compiled a moment ago.
    """
    for step in plan.steps:
        if not isinstance(step.because, Change) or step.because.kind == "data":
            continue
        record = current.records.get(step.name)
        if step.because.kind != "modified" or record is None or step.name not in texts:
            return True
        if _names(texts[step.name].imports) != _names(record.imports):
            return True
    return False


def moved_circles(plan: Plan, current: Generation, texts: Texts, roots: Iterable[str], scope: Scope) -> set[str]:
    """Return the modules beside a plan that a restart would have import another half-way that they did not, or not so.

    It is told from the import statements: those of before and those of now are followed in the same way. Modules beside
    it that a restart would have half-way when the plan's import them are among these.

    Args:
        plan: what is made anew.
        current: what it is made beside.
        texts: dotted name -> what was read again and compiled a moment ago.
        roots: dotted names of what cells have imported, in their order.
        scope: which modules are the person's own.
    """
    roots = [*roots]
    around = _circles_around(plan, current, texts, roots)
    if not changes_imports(plan, current, texts):
        return around
    before: _Imports = {name: record.imports for name, record in current.records.items()}
    now = _imports_now(plan, current, texts)
    now = _with_new(now, texts.keys() & now, scope)
    begun = [*roots, *sorted(before, key=current.order.__getitem__)]
    moved = _met_halfway(before, begun) ^ _met_halfway(now, begun)
    return around | {importer for importer, _ in moved if importer in before} - plan.names


def _circles_around(plan: Plan, current: Generation, texts: Texts, roots: Iterable[str]) -> set[str]:
    """Return the modules beside a plan that a package in it would find whole, and a restart has it find half-way.

    Such a module imports what is in the package, and so has begun it, without having anything of the package itself.
    """
    records, graph, order = current.records, current.graph(), current.order
    possible = set[tuple[str, str]]()
    for package in plan.names & records.keys():
        needed = {name for name in records[package].needs.keys() & order.keys() if order[name] < order[package]}
        if needed - plan.names and is_package(records[package].module):
            inside = [name for name in records if name.startswith(f"{package}.")]
            possible |= {(package, name) for name in graph.dependant_names(inside) & needed - plan.names}
    if not possible:
        return set()
    begun = [*roots, *sorted(records, key=order.__getitem__)]
    return {met for _, met in possible & _met_halfway(_imports_now(plan, current, texts), begun)}


def _imports_now(plan: Plan, current: Generation, texts: Texts) -> _Imports:
    """Return the import statements of all modules, as the texts are by now."""
    before = {name: record.imports for name, record in current.records.items()}
    gone = {step.name: () for step in plan.steps if step.gone}
    return {**before, **gone, **{name: texts[name].imports for name in texts.keys() & before}}


def _with_new(imports: _Imports, edited: Iterable[str], scope: Scope) -> _Imports:
    """Add the import statements of own modules that nothing had imported, and that edited ones import by now."""
    found = dict(imports)
    waiting = [*edited]
    while waiting:
        for statement in found[waiting.pop()]:
            for name in (part for wanted in statement.names for part in with_packages(wanted)):
                spec = None if name in found or statement.is_late else find_spec_of(name)
                if spec is not None and scope.includes_spec(spec):
                    found[name] = _read_imports(spec)
                    waiting.append(name)
    return found


def _read_imports(spec: ModuleSpec) -> Sequence[ImportStatement]:
    try:
        code = compile_for_reading(read_snapshot(spec, 0))
    except OSError:
        code = None  # what runs it will say what is wrong
    return () if code is None else read_imports(code, spec.name, is_package=bool(spec.submodule_search_locations))


def is_circular(error: BaseException) -> bool:
    """Say whether a module was asked for something before its body had come to it.

    >>> is_circular(ImportError("cannot import name 'a' from partially initialized module 'm'"))
    True
    """
    return isinstance(error, (ImportError, AttributeError)) and "partially initialized module" in str(error)


def _names(statements: Iterable[ImportStatement]) -> list[tuple[str, ...]]:
    return [statement.names for statement in statements]


def _met_halfway(imports: _Imports, begun: Iterable[str]) -> set[tuple[str, str]]:
    """Return which module imports which while that one's body has not run to its end, as pairs.

    Args:
        imports: of all modules.
        begun: what is imported from outside of them, in that order.

    >>> circle = {"a": [ImportStatement(("b",), 1)], "b": [ImportStatement(("a",), 1)]}
    >>> _met_halfway(circle, ["b", "a"])
    {('a', 'b')}
    """
    found, known, running = set[tuple[str, str]](), set[str](), set[str]()

    def begin(name: str, importer: str = "") -> None:
        if name in running and name != importer:
            found.add((importer, name))
        for module in with_packages(name):
            if module in imports and module not in known:
                known.add(module)
                running.add(module)
                for statement in imports[module]:
                    for wanted in () if statement.is_late else statement.names:
                        begin(wanted, module)
                running.remove(module)

    for name in begun:
        begin(name)
    return found
