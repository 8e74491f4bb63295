"""Notebook names whose source has another value now, in a module that goes on as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.notebook.names.bindings import Bindings, Rebinding
from exocet_ipython.notebook.names.sources import MISSING, resolve
from exocet_ipython.reloading.recording import ModuleRecord

__all__ = ["plan_values"]


def plan_values(
    bindings: Bindings,
    namespace: Mapping[str, Any],
    records: Mapping[str, ModuleRecord],
    values: Mapping[str, Mapping[str, Any]],
) -> tuple[Rebinding, ...]:
    """Return which names get a new value: those that an import statement has bound, and that nobody has assigned since.

    Args:
        bindings: where names point.
        namespace: the notebook's names.
        records: the modules of the generation, with the values that they have until now.
        values: the new values, by module and global name.
    """
    modules = {name: record.module for name, record in records.items()}
    found = []
    for name, value in copy_space(namespace).items():
        before = [(source, resolve(source, modules)) for source in bindings.sources(name)]
        if any(held is value for _, held in before):
            source = next(source for source, held in reversed(before) if held is not MISSING)
            now = values.get(source.module, {}).get(source.attribute or "", MISSING)
            if now is not MISSING:
                found.append(Rebinding(name, source, now))
    return tuple(found)
