"""Names that cells have deleted of modules and their classes: after a restart they delete them again."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial
from types import ModuleType
from typing import Any

from exocet_ipython.loading.cells import texts_of_cells
from exocet_ipython.loading.classes import delete_attribute, set_attribute
from exocet_ipython.loading.names import is_dunder
from exocet_ipython.loading.parsing import parse_text
from exocet_ipython.loading.spaces import globals_of
from exocet_ipython.reloading.holding.paths import value_at
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.recording import ModuleRecord

__all__ = ["delete_again"]


def delete_again(record: ModuleRecord, module: ModuleType, journal: Journal) -> None:
    """Delete of a module, and of its classes, what cells have deleted of the one whose place it takes.

    What is gone without the text of a cell that says so, its own functions have deleted.

    Args:
        record: of the module that retires.
        module: the new one, which nobody sees yet.
        journal: how it is taken back.
    """
    gone = [*_gone(record, globals_of(module))]  # hardly ever any
    said = {name for _, lines in texts_of_cells() for name in _deleted_in("".join(lines))} if gone else set()
    for owner, name in gone:
        if name not in said:
            continue
        if owner is None:
            journal.delete_attribute(module, name)
        else:
            journal.add(partial(set_attribute, owner, name, vars(owner)[name]))
            delete_attribute(owner, name)


def _gone(record: ModuleRecord, now: dict[str, Any]) -> Iterator[tuple[type | None, str]]:
    """Yield the names that a module's body had given something, and that only the new one has: of it, or of a class."""
    space = globals_of(record.module)
    if not record.values.keys() <= space.keys():
        for name in record.values.keys() - space.keys() & now.keys():
            if not (is_dunder(name) or issubclass(type(now[name]), ModuleType)):
                yield None, name
    for path, baseline in record.contents.items():
        if issubclass(type(before := space.get(path)), type) and not baseline.keys() <= vars(before).keys():
            after = value_at(now, path)
            names = baseline.keys() - vars(before).keys() if issubclass(type(after), type) else ()
            yield from ((after, name) for name in names if name in vars(after) and not is_dunder(name))


def _deleted_in(text: str) -> Iterator[str]:
    """Yield the names of attributes that a text deletes.

    >>> [*_deleted_in("del shop.TAX, shop.rates['x']; delattr(shop, 'RATE')")]
    ['TAX', 'RATE']
    """
    if "del" not in text:
        return
    for node in ast.walk(parse_text(text)):
        match node:
            case ast.Delete(targets=targets):
                yield from (target.attr for target in targets if isinstance(target, ast.Attribute))
            case ast.Call(func=ast.Name(id="delattr"), args=[_, ast.Constant(value=str(name))]):
                yield name
