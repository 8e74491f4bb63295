"""Names outside the notebook's own namespace: those of managed modules, and IPython's output cache."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from exocet_ipython.loading.names import is_dunder
from exocet_ipython.notebook.names.identities import find_lent_ids, identities
from exocet_ipython.notebook.names.sources import MISSING, resolve, was_changed
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.survivors.finding.records import HIDDEN_NAMES
from exocet_ipython.survivors.matching.succession import Succession

__all__ = ["replace_in_modules", "replace_outputs"]


def replace_in_modules(journal: Journal, records: Mapping[str, ModuleRecord], succession: Succession) -> None:
    """Replace what was assigned to names of managed modules, by a cell as a rule: `helpers.model_cls = Model`.

    What a module's own body left there is not touched: it runs anew, or it is frozen.

    Args:
        journal: how each write is taken back.
        records: dotted name -> record of each module that is current now.
        succession: which modules retire, and which are current now.
    """
    assigned = [(record, record.assigned()) for record in records.values()]
    sought = {id(value) for _, values in assigned for value in values.values()}
    known = {id(value): (source, value) for source, value in identities(succession, sought)} if sought else {}
    lent = find_lent_ids((value for _, values in assigned for value in values.values()), known, succession)
    for record, values in assigned if known else ():
        for name, value in values.items():
            source, _ = known.get(id(value), (None, None))
            if source is None or is_dunder(name):
                continue
            now = resolve(source, succession.new)
            if now is MISSING or now is value or id(now) in lent or was_changed(source, value, succession.old):
                continue
            journal.set_attribute(record.module, name, now)


def replace_outputs(
    journal: Journal,
    namespace: dict[str, Any],
    mirrors: Iterable[dict[str, Any]],
    succession: Succession,
) -> None:
    """Replace retired modules in IPython's output cache (`Out`, `_`, `_5`), where `%exoload` itself has put them.

    IPython compares `_` with its own notes, the mirrors, and stops updating it where they differ.
    """
    known = {id(record.module): name for name, record in succession.old.items()}
    outputs = namespace.get("Out")
    caches = [(space, name) for space in (namespace, *mirrors) for name in list(space) if HIDDEN_NAMES.fullmatch(name)]
    caches += [(outputs, number) for number in list(outputs)] if isinstance(outputs, dict) else []
    for cache, key in caches:
        name = known.get(id(cache[key]), "")
        if name in succession.new:
            journal.set_item(cache, key, succession.new[name])
