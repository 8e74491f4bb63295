"""What the functions of a module assign together: what cells have set up by them, and what they keep for themselves.

A function that only cells call sets up what it assigns, and so do those that it calls whatever it finds. What it only
has another one compute where it finds nothing is an answer of the code.
"""

from __future__ import annotations

import builtins
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from exocet_ipython.loading.names import is_dunder
from exocet_ipython.survivors.storing.assigning import Assigning
from exocet_ipython.survivors.storing.containers import HARMLESS

__all__ = ["Assigned", "judge"]


@dataclass(slots=True)
class Assigned:
    """What the functions of a module assign together.

    Attributes:
        globals: global names to which they assign what they have computed.
        attributes: names of attributes to which they do, but for an instance's first ones.
        set_up: what a function assigns, and containers that it fills, without a look at them, and that function's
            path, where no other function of the module names it: it is cells that call it. A function that steps on
            may be called by others that get nothing from elsewhere; their paths are there as well.
        stepped: those of `set_up` at which that function does look: what comes next follows from what is there.
        found_out: names to which, or into which, any other one puts what it has computed.
        onward: names to which they assign what comes next after what is there.
        anew: names to which they assign what they have computed otherwise, and no more than take from elsewhere.
    """

    globals: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)
    set_up: set[tuple[str, str]] = field(default_factory=set)
    stepped: set[str] = field(default_factory=set)
    found_out: set[str] = field(default_factory=set)
    onward: set[str] = field(default_factory=set)
    anew: set[str] = field(default_factory=set)


def judge(functions: Collection[Assigning], found: Assigned) -> None:
    """Note what the functions of a module assign together."""
    handed = {name for one in functions for name in one.handed}
    for one in functions:  # what is only registered is called from elsewhere
        one.plain -= one.registered
    named = Counter(name for one in functions for name in one.names - one.registered)
    plain = Counter(name for one in functions for name in one.plain)
    answering = {one.name for one in functions if one.answers}
    for one in functions:
        is_method = one.name != one.path
        is_called = (
            named[one.name] > (one.name in one.names - one.registered)
            if is_method
            else plain[one.name] > (one.name in one.plain)
        )
        answers = one.computed | (one.given if one.answers or one.name in handed else set())
        if one.answers or is_called or not answering.isdisjoint(one.names):
            answers |= one.fixed
        answers |= one.fixed & one.names
        found.onward |= one.onward
        found.anew |= one.anew
        found.globals |= answers & one.globals
        found.attributes |= answers - one.globals
        set_up = answers | one.filled
        looked_at = (answers & one.asked) | (one.filled & one.looked_at)
        is_sure = looked_at <= one.renewed  # what is there decides nothing of whether it puts it there
        only_steps = (is_sure or set_up <= one.stepped) and not _may_be_called(one, functions)
        callers = _callers(one, functions) if is_called and set_up and (only_steps or not looked_at) else []
        is_asked = is_called and not (callers and _call_for_effect(one, callers, set_up, needs_harmless=not is_sure))
        if is_asked or (looked_at and not only_steps):
            set_up = set()  # what it keeps beside a cache may be how it tells whether it has that
        found.set_up |= {(name, part.path) for name in set_up for part in (one, *callers)}
        found.stepped |= set_up & looked_at
        found.found_out |= ((answers - one.fixed) | one.filled) - set_up


def _call_for_effect(one: Assigning, callers: Sequence[Assigning], names: set[str], *, needs_harmless: bool) -> bool:
    """Say whether a function's callers call it for what it does, and not for what they look up beside.

    Args:
        one: the function.
        callers: of it, and of these.
        names: to which, or into which, it puts something.
        needs_harmless: whether it goes on with what is there: that may come from elsewhere.
    """
    if needs_harmless:
        return all(caller.is_harmless for caller in callers)
    called = {one.name, *(caller.name for caller in callers)}
    return all(
        called & caller.names <= caller.calls or names.isdisjoint(caller.names | caller.looked_at) for caller in callers
    )


def _callers(function: Assigning, functions: Collection[Assigning]) -> list[Assigning]:
    """Return the functions that name one that is no method, and those that name these; not itself."""
    found = [function]
    for one in found:
        found += [
            other for other in functions if one.name in other.names and all(other is not known for known in found)
        ]
    return found[1:]


def _may_be_called(method: Assigning, functions: Collection[Assigning]) -> bool:
    """Say whether functions may call a method that Python calls by other means than its name."""
    if not is_dunder(method.name):
        return False
    known = HARMLESS.union(dir(builtins), (one.name for one in functions))
    return method.name != "__call__" or any(not one.called <= known for one in functions)
