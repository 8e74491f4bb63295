"""What methods have put into their instance as answers (`reloading/ladder/remembering.py`), and would not by now."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from typing import Any

from exocet_ipython.loading.cells import texts_of_cells
from exocet_ipython.loading.classes import delete_attribute, set_attribute
from exocet_ipython.reloading.holding.contents import attributes_of, is_plain, refill
from exocet_ipython.reloading.ladder.remembering import Memory, may_remember, remembered_by
from exocet_ipython.reloading.lasting.settings import is_of_own_code
from exocet_ipython.reloading.retired import functions_in
from exocet_ipython.survivors.comparison import Beside, Comparison, class_attributes
from exocet_ipython.survivors.repeating.entries import emptied, entries, is_map
from exocet_ipython.survivors.repeating.kept import is_data
from exocet_ipython.survivors.storing.functions import tree_of

__all__ = ["forget_answers", "stale_memories"]

_missing = object()


def stale_memories(before: type, now: type, beside: Beside | None) -> dict[str, Memory]:
    """Return the attributes from which methods answer again what they would not answer by now.

    Not those that cells write as well, who may have put something of theirs there.

    Args:
        before: a retired class.
        now: the new one.
        beside: what else is another now.
    """
    attributes = class_attributes(before)
    functions = {
        function.__code__: (name, function) for name, part in attributes.items() for function in functions_in(part)
    }
    if not any(may_remember(code) for code, (name, _) in functions.items() if name != "__init__"):
        return {}  # nearly all
    known = class_attributes(now)
    trees = {tree: named for named in functions.values() if (tree := tree_of(named[1])) is not None}
    stale: dict[str, Memory] = {}
    for tree, memories in remembered_by(trees).items():
        name, function = trees[tree]
        is_same = Comparison(before, now, memories, beside).is_same
        if not any(is_same(function, other) for other in functions_in(known.get(name, _missing))):
            stale |= memories
    return {name: kind for name, kind in stale.items() if not _is_written_by_cells(name)}


def _is_written_by_cells(name: str) -> bool:
    """Say whether a cell changes an attribute of this name, as `shop.memo[key] = price`.

    What methods change of `self` is none of it: texts of retired modules are among those of cells, once they were read.

    >>> import linecache
    >>> linecache.cache["<a cell>"] = 9, None, ["self.known[1] = 2; shop.memo[1] = 2"], "<a cell>"
    >>> _is_written_by_cells("memo"), _is_written_by_cells("known")
    (True, False)
    >>> del linecache.cache["<a cell>"]
    """
    change = r"\s*(\[[^\n]*\]\s*)?([-+|&*/]?=(?!=)|\.(update|setdefault|pop|clear|append|add)\b)"
    writes = re.compile(rf"(?<!\bself)\.{name}{change}")
    return any(writes.search("".join(lines)) for _, lines in texts_of_cells())


def forget_answers(instance: Any, memories: Mapping[str, Memory], gone: Container[int] = ()) -> None:
    """Have an instance look for answers again: what is somebody's own object, and moves, stays.

    Args:
        instance: it.
        memories: the attributes with answers.
        gone: ids of classes that are there no more: their instances don't move.

    >>> class Shop:
    ...     def __init__(self): self.known, self.rows, self.shown = {"a": 1, "b": forget_answers}, [1], True
    >>> shop = Shop()
    >>> forget_answers(shop, {"known": "entries", "rows": "none", "shown": "absent"})
    >>> sorted(shop.known), shop.rows, hasattr(shop, "shown")
    (['b'], None, False)
    """
    for name, value in attributes_of(instance) if memories else ():
        kind, is_gone = memories.get(name), id(type(value)) in gone
        if kind == "entries" and is_map(value) and (begun := emptied(value)) is not None:
            kept = {key: part for key, part in entries(value) if _is_somebodys(part) and id(type(part)) not in gone}
            refill(begun, kept)
            set_attribute(instance, name, begun)
        elif kind == "none" and (is_gone or _is_answer(value)):
            set_attribute(instance, name, None)
        elif kind == "absent" and (is_gone or _is_answer(value)):
            delete_attribute(instance, name)


def _is_answer(value: Any) -> bool:
    return is_plain(value) or is_data(value, ())


def _is_somebodys(value: Any) -> bool:
    return is_of_own_code(value) or (callable(value) and not isinstance(value, type))
