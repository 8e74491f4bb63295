"""Mapped classes of SQLAlchemy that cells have defined: they know those of modules, which are others now.

SQLAlchemy is not imported for it: what isn't loaded has mapped nothing.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from exocet_ipython.reloading.journal import Journal

__all__ = ["join_registry", "relate_again"]

_MANAGER = "_sa_class_manager"


def join_registry(cls: Any, journal: Journal) -> None:
    """Have the registry and the tables of SQLAlchemy that a class has from its new bases know it.

    Args:
        cls: any class of a cell; one that is not mapped stays out, and so does that of a body that failed.
        journal: how it is taken back.
    """
    manager, table = (vars(cls).get(name) for name in (_MANAGER, "__table__"))
    registry: Any = getattr(cls, "registry", None)
    if manager is None or not manager.is_mapped or not hasattr(registry, "_class_registry"):
        return
    classes, managers = registry._class_registry, registry._managers  # noqa: SLF001 - nothing public adds a mapped class
    if manager not in managers:
        managers[manager] = True
        journal.add(partial(managers.pop, manager, None))
        journal.set_item(vars(manager), "registry", registry)
    if cls.__name__ not in classes:
        sys.modules["sqlalchemy.orm.clsregistry"]._add_class(cls.__name__, cls, classes)  # noqa: SLF001 - as above
        journal.add(partial(classes.pop, cls.__name__, None))
    if table is not None and hasattr(cls, "__tablename__") and table.key not in (metadata := cls.metadata).tables:
        journal.add(partial(setattr, table, "metadata", table.metadata))
        table.metadata = metadata
        metadata._add_table(table.name, table.schema, table)  # noqa: SLF001 - as above
        journal.add(partial(metadata.remove, table))


def relate_again(classes: Iterable[Any], journal: Journal, note: Callable[[Any, Exception], object]) -> None:
    """Have what relates to mapped classes that were replaced, or refers to their tables, look for these again.

    Args:
        classes: what took their place.
        journal: how it is taken back.
        note: told of a class of which the library refuses that, with the error.
    """
    managers = [vars(cls)[_MANAGER] for cls in classes if _MANAGER in vars(cls)]
    mappers = {mapper: None for manager in managers if manager.is_mapped for mapper in manager.registry.mappers}
    for table in {id(mapper.local_table): mapper.local_table for mapper in mappers}.values():
        for key in getattr(table, "foreign_keys", ()):
            found = vars(key).get("column") if type(key._colspec) is str else None  # noqa: SLF001 - no public way tells
            if found is not None and table.metadata.tables.get(found.table.key) is not found.table:
                del vars(key)["column"]  # it is found by its name when it is asked for
                journal.add(partial(vars(key).__setitem__, "column", found))
    found = [(mapper, prop, _made_again(prop)) for mapper in mappers for prop in list(_stale_relations(mapper))]
    for mapper, prop, again in found:  # all of them first: each asks the ones that lead back
        mapper._configure_property(prop.key, again, init=False)  # noqa: SLF001 - `add_property` warns
        journal.add(partial(_put_back, mapper, prop))
    for mapper, prop, again in found:
        try:
            if mapper.configured:  # else it is, with all that it has, when it is used for the first time
                again.init()
                again.post_instrument_class(mapper)
        except Exception as error:  # noqa: BLE001 - what it relates to may be gone
            _put_back(mapper, prop)
            note(mapper.class_, error)


def _put_back(mapper: Any, prop: Any) -> None:
    """Give a mapper a relation that it had, and that has found out already what it leads to."""
    mapper._configure_property(prop.key, prop, init=False)  # noqa: SLF001 - as above
    prop.post_instrument_class(mapper)


def _stale_relations(mapper: Any) -> Iterator[Any]:
    """Yield the relations that have found out already that they lead to a class, which has another mapper now."""
    for prop in vars(mapper).get("_props", {}).values():
        found = vars(prop).get("mapper") if getattr(prop, "_is_relationship", False) else None
        if found is not None and vars(found.class_).get("__mapper__", found) is not found:
            yield prop


def _made_again(prop: Any) -> Any:
    """Make a relation as its statement did: what it has found out since is not taken over."""
    kind, known, said = type(prop), vars(prop), prop._init_args  # noqa: SLF001 - what its statement gave
    given: dict[str, Any] = {}
    for name in list(inspect.signature(kind.__init__).parameters)[1:]:
        if hasattr(said, name):
            given[name] = getattr(said, name).argument
        elif name in known:
            given[name] = known[name]
    given["cascade"] = prop.cascade
    if given.get("backref") is not None:
        given["back_populates"] = None  # it has made that of the other
    if overlaps := known.get("_overlaps"):
        given["overlaps"] = ",".join(overlaps)
    return kind(**given)
