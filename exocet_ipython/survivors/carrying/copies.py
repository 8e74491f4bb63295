"""Whether something else is where the body has put a container or an array, and goes on from that one.

Where functions have put changed copies of a container in its place, what was put into these is carried likewise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from exocet_ipython.reloading.holding.marks import is_marked, mark_of
from exocet_ipython.reloading.holding.parts import has_entries, parts_of
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.survivors.carrying.assigning import assign
from exocet_ipython.survivors.carrying.library_state import fill
from exocet_ipython.survivors.carrying.ownership import Ownership
from exocet_ipython.survivors.repeating.untouched import take_whole

__all__ = ["carry_longer", "is_another", "is_changed_copy", "takes_content", "takes_whole"]


def is_changed_copy(path: str, value: Any, owned: Ownership) -> bool:
    """Say whether functions only ever put changed copies of it in the place of a container.

    Args:
        path: of the container in its module.
        value: what is there by now.
        owned: tells of what they store.
    """
    name, stores = path.rpartition(".")[2], owned.stores
    is_copied = has_entries(value) and name in stores.copied and name not in stores.globals | stores.attributes
    return is_copied and not owned.is_written(path)


def carry_longer(
    place: tuple[Any, str],
    path: str,
    tuples: tuple[Any, Any],
    carry_items: Callable[[str, Any, Any], set[int]],
    journal: Journal,
) -> None:
    """Have a module, a class or an instance have a tuple that is as much longer as the old one has become.

    Args:
        place: what has it, and the name of it there.
        path: of both in their modules.
        tuples: what is in its place, at the end, in the retired module, and the new one; what is no tuple stays.
        carry_items: carries what was put into a list.
        journal: how it is taken back.
    """
    before, now = tuples
    if type(before) is type(now) is tuple:
        items = list(now)
        carry_items(path, list(before), items)
        assign(*place, tuple(items), journal)


def is_another(path: str, value: Any, record: ModuleRecord, owned: Ownership) -> bool:
    """Say whether an array is another where the first was: functions assign it, and Python uses memory again."""
    known = record.contents.get(path, {}).get("") if is_marked(value) else None
    is_other = known is not None and mark_of(value) != known
    return is_other and path.rpartition(".")[2] in (stores := owned.stores).attributes | stores.counted


def takes_content(  # noqa: PLR0913 - both, where they are, and how they come to be there
    path: str, before: Any, now: Any, owned: Ownership, *, returns: bool, goes_on: bool = False
) -> bool:
    """Have an array or the like hold what cells made of the old one, if it begins as that did; say whether it does.

    Args:
        path: of both in their modules.
        before: the array of the retired module.
        now: what has its place.
        owned: whose the state of the retired module is.
        returns: whether the second one has been there before, and has what cells had made of it.
        goes_on: whether the old one is to take its place; then nothing is written.
    """
    known = owned.record.contents.get(path, {}).get("")
    if known is None or type(before) is not type(now) or not (returns or mark_of(now) == known):
        return False
    has_changed = mark_of(before) != known
    if has_changed and not owned.is_persons(path, None, None):
        return False
    return goes_on or (has_changed and fill(before, now, owned.after))


def takes_whole(
    path: str, both: tuple[Any, Any], changed: list[tuple[Any, Any]], owned: Ownership, journal: Journal
) -> bool:
    """Have a container that the edit left as it was take what cells made of the old one; say whether it has.

    Args:
        path: of both in their modules.
        both: the container of the retired module, and that of the new one.
        changed: what entries it has got or lost since its body had run.
        owned: whose the state of the retired module is.
        journal: how it is taken back.
    """
    (before, now), baseline = both, owned.record.contents.get(path, {})
    is_theirs = (changed or [*parts_of(before).items()] != [*baseline.items()]) and owned.leaves_alone(path)
    is_theirs = is_theirs and not any(owned.is_modules(path, *entry) for entry in changed)
    return is_theirs and take_whole(before, now, baseline, owned.record.constants, journal)
