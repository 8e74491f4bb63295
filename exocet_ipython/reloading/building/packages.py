"""What packages made anew have of their submodules, and what they give by `__getattr__` under the names of these."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping
from types import ModuleType

from exocet_ipython.loading.classes import defines
from exocet_ipython.loading.loader import ModuleBuilder
from exocet_ipython.loading.names import with_packages
from exocet_ipython.loading.spaces import attach, globals_of
from exocet_ipython.loading.standin import PRESENCE
from exocet_ipython.reloading.generation import Generation
from exocet_ipython.reloading.recording import ModuleRecord

__all__ = ["give_back_covered", "gives_another", "share_submodules", "uncover_names"]


def share_submodules(
    made: Mapping[str, ModuleType], current: Generation, gone: Container[str], returned: Container[str]
) -> None:
    """Give a package made anew its other submodules as attributes, as importing them once did.

    Args:
        made: dotted name -> new module.
        current: the present generation.
        gone: dotted names of the modules whose source is no more.
        returned: dotted names of those that become current again.
    """
    for name, record in current.records.items():
        parent, _, child = name.rpartition(".")
        if parent in made and name not in made and name not in gone:
            package = made[parent]
            if child in vars(package) or gives_another(package, child, current.records):
                continue
            if name in returned or PRESENCE.current(name) is record.module:
                attach(package, child, record.module)


def gives_another(package: ModuleType, child: str, current: Mapping[str, ModuleRecord]) -> bool:
    """Say whether a package gives something else by `__getattr__` under the name of a submodule, when it is asked.

    Args:
        package: as it is made anew.
        child: the last part of the submodule's dotted name.
        current: the records of the present generation: there it has given it, if it ever did.
    """
    if "__getattr__" not in globals_of(package) and not defines(type(package), "__getattr__"):
        return False
    before, submodule = current.get(package.__name__), current.get(f"{package.__name__}.{child}")
    if before is None or submodule is None:
        return False
    return globals_of(before.module).get(child) is not submodule.module


def give_back_covered(
    builder: ModuleBuilder, imported: Collection[tuple[str, str | None]], roots: Container[str]
) -> None:
    """Give packages again what they define under the names of submodules that nothing imports any more.

    These were made since they are there still, as a folder without code perhaps; a restart would not have them.

    Args:
        builder: what has made them.
        imported: what cells have imported of modules: a dotted name, and an attribute, `*` or None.
        roots: dotted names of what cells may have imported so: `from a import b` may import `a.b`.
    """
    named = {above for module, _ in imported for above in with_packages(module)}
    for name, value in builder.covered.items():
        parent, _, child = name.rpartition(".")
        if name not in named and (name not in roots or (parent, child) in imported):
            vars(builder.modules[parent])[child] = value


def uncover_names(made: Mapping[str, ModuleRecord], current: Mapping[str, ModuleRecord]) -> None:
    """Take submodules off packages made anew that give something else under their names, but do not import them.

    When the packages before were asked for these, they had imported the submodules for it; the new ones have not been.

    Args:
        made: the records of what was made.
        current: those of the present generation.
    """
    for name, record in made.items():
        parent, _, child = name.rpartition(".")
        package = made.get(parent)
        if package is None or globals_of(package.module).get(child) is not record.module or name in package.needs:
            continue
        if gives_another(package.module, child, current):
            del vars(package.module)[child]
            package.baseline.values.pop(child, None)
