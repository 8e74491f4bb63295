"""Context variables: set anew where their value is replaced, in each context, and made anew where their default is."""

from __future__ import annotations

import contextlib
import functools
import gc
from contextvars import Context, ContextVar, copy_context
from typing import Any

from exocet_ipython.loading.classes import module_said_by
from exocet_ipython.reloading.collector import instances_of
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.survivors.rebuilt import MISSING, Replacement, counterpart, or_same

__all__ = ["is_of_context", "remake_variable", "replace_in_contexts"]


def is_of_context(kind: type) -> bool:
    """Say whether instances of a type are what contexts have their values in, which nobody can change.

    >>> [is_of_context(type(part)) for part in gc.get_referents(copy_context())]
    [True]
    """
    return module_said_by(kind) == "builtins" and kind.__name__.startswith("hamt")


def replace_in_contexts(node: Any, replacement: Replacement, journal: Journal) -> None:
    """Set the variables that have values in a node anew where these are replaced, in all contexts.

    Not in one that another thread is in: it goes on as it began.

    Args:
        node: see `is_of_context`.
        replacement: id of what is replaced -> it and its counterpart.
        journal: how each is taken back.
    """
    variables = [part for part in gc.get_referents(node) if type(part) is ContextVar]
    for variable in variables:
        value = copy_context().get(variable, MISSING)
        if (now := counterpart(value, replacement)) is not MISSING:
            variable.set(now)
            journal.add(functools.partial(variable.set, value))
    for context in instances_of(Context):
        for variable in variables:
            value = context.get(variable, MISSING)
            if (now := counterpart(value, replacement)) is not MISSING:
                with contextlib.suppress(RuntimeError):  # another thread is in it
                    context.run(variable.set, now)
                    journal.add(functools.partial(context.run, variable.set, value))


def remake_variable(variable: ContextVar[Any], replacement: Replacement) -> ContextVar[Any] | None:
    """Make a variable whose default is replaced anew, with the values that it has; None where it is not.

    >>> colour = ContextVar("colour", default=max)
    >>> remake_variable(colour, {id(max): (max, min)}).get()
    <built-in function min>
    """
    found = (counterpart(part, replacement) for part in gc.get_referents(variable))
    default = next((now for now in found if now is not MISSING), MISSING)
    if default is MISSING:
        return None
    made = ContextVar(variable.name, default=default)
    here = copy_context()
    if variable in here:
        made.set(or_same(here[variable], replacement))
    for context in instances_of(Context):
        if variable in context and made not in context:
            with contextlib.suppress(RuntimeError):  # it is entered: the present one, or another thread's
                context.run(made.set, or_same(context[variable], replacement))
    return made
