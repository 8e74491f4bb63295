"""What classes of cells have taken over from their bases when they were made, or have told libraries: again, as now."""

from __future__ import annotations

import abc
import functools
from collections.abc import Collection, Iterable, Mapping

from exocet_ipython.reloading.holding.held import dotted_name
from exocet_ipython.survivors.matching.counterparts import Pairs
from exocet_ipython.survivors.rebasing.collected import collect_again
from exocet_ipython.survivors.rebasing.copies import (
    decorate_again,
    define_again,
    notebook_models,
    own_config,
    rebuild_model,
)
from exocet_ipython.survivors.rebasing.keeping import change_class
from exocet_ipython.survivors.rebasing.mapped import join_registry, relate_again
from exocet_ipython.survivors.replacing.instances import Moving

__all__ = ["join_registries", "renew_copies"]


def join_registries(changed: Iterable[type], pairs: Pairs, moving: Moving) -> None:
    """Have SQLAlchemy's registries know these classes, and what relates to retired classes find the new ones."""

    def note(cls: type, error: Exception) -> None:
        moving.note(dotted_name(cls), error)

    for cls in changed:
        try:
            join_registry(cls, moving.journal)
        except Exception as error:  # noqa: BLE001 - what a library raises that can't have it
            note(cls, error)
    try:
        relate_again((now for _, now in pairs.classes), moving.journal, note)
    except Exception as error:  # noqa: BLE001 - another version of the library
        moving.note("sqlalchemy.orm.relationship", error)


def renew_copies(classes: Collection[type], pairs: Pairs, moving: Moving) -> None:
    """Have dataclasses, attrs classes, abstract classes and what collects look again at what their bases have."""
    for cls in classes:
        if "__dataclass_fields__" in vars(cls):
            change_class(cls, decorate_again, moving)
        if "__attrs_props__" in vars(cls):
            change_class(cls, define_again, moving)
        if isinstance(cls, abc.ABCMeta):
            change_class(cls, abc.update_abstractmethods, moving)
    retired = pairs.predecessors()
    for cls, change in collect_again(classes, retired, pairs.objects):
        change_class(cls, change, moving)
    _rebuild_models(retired, moving)


def _rebuild_models(retired: Mapping[int, type], moving: Moving) -> None:
    """Have pydantic's models look again at what their bases have."""
    models = notebook_models() if retired else []
    config = {id(model): own_config(model, retired) for model in models}
    for model in models:
        change_class(model, functools.partial(rebuild_model, config=config[id(model)]), moving)
