"""Whether two bodies of a module set the same in what outlives them, so that one may come back without running."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import CodeType
from typing import Any

from exocet_ipython.loading.spaces import globals_of
from exocet_ipython.loading.trees import nested
from exocet_ipython.reloading.holding.contents import is_registry
from exocet_ipython.reloading.lasting.settings import Setting, is_of_own_code
from exocet_ipython.reloading.lasting.watched import may_change
from exocet_ipython.reloading.recording import ModuleRecord

__all__ = ["set_alike"]


def set_alike(before: ModuleRecord, now: ModuleRecord) -> bool:
    """Say whether two versions of a module set the same outside of the person's code, as far as their notes tell.

    A finder is another one for each of them; all else is the same where their bodies say the same, whatever is in the
    functions and classes that they define.
    """
    both = before, now
    if any(one.effects.finders for one in both):
        return False
    if not any(one.effects.variables or one.effects.paths or any(_set_outside(one)) for one in both):
        return True  # nearly all
    first, second = (_said_by(one.body_code) for one in (before, now))
    return first == second


def _set_outside(record: ModuleRecord) -> Iterator[Setting]:
    """Yield what a body sets but in containers and objects of the person's: with these it comes back."""
    for setting in (*record.settings, *(setting for setting, _ in record.effects.originals)):
        root = globals_of(record.module).get(re.split(r"\W", setting.owner)[0])
        if setting.home or not (is_registry(root) or is_of_own_code(root)):
            yield setting


def _said_by(body: CodeType | None) -> tuple[Any, ...]:
    """Return what tells a body from others: its own operations, and those of functions that it may call for that."""
    if body is None:
        return ()
    called = [part for part in nested(body) if part.co_name in body.co_names and may_change(part)]
    return tuple((code.co_code, code.co_names, *_constants_of(code)) for code in (body, *called))


def _constants_of(body: CodeType) -> Iterator[tuple[type, Any]]:
    return ((type(constant), constant) for constant in body.co_consts if type(constant) is not CodeType)
