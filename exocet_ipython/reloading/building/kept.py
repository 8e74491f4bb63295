"""`__exo_keep__`: the globals of a module whose values outlive a reload.

They are there before the body of the new version runs, so that it can look for them, and are put back when it has run,
whatever it made of them. The old module is not written.
"""

from __future__ import annotations

import ast
from types import ModuleType
from typing import Any

from exocet_ipython.errors import WishTypeError
from exocet_ipython.loading.names import is_dunder
from exocet_ipython.loading.spaces import globals_of
from exocet_ipython.reloading.holding.baseline import Baseline, add_changes, renew_baseline
from exocet_ipython.reloading.holding.inventory import take_baseline
from exocet_ipython.reloading.holding.paths import owner_of
from exocet_ipython.reloading.holding.ties import Ties
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.reloading.wishes import hand_on, wishes_of

__all__ = ["baseline_of_kept", "kept_values", "put_back", "put_forward"]

_NAME = "__exo_keep__"


def put_forward(before: ModuleType, module: ModuleType, text: bytes | None) -> Baseline | None:
    """Give a new module, whose body is about to run, what it keeps of the version before it.

    Args:
        before: the module that is current.
        module: the new one; it is written.
        text: what is about to run; None where its loader alone knows.

    Returns:
        What the version before it holds now; None where nothing of it is kept.
    """
    hand_on(before, module)
    old = globals_of(before)
    names = _listed(old) if text is None else _read_names(text, _listed(old))
    vars(module).update({name: old[name] for name in names if name in old})
    return take_baseline(before) if names or wishes_of(module) is not None else None


def put_back(before: ModuleType, module: ModuleType) -> None:
    """Give a new module, whose body has run, the values that `__exo_keep__` names and the version before it has.

    Raises:
        WishTypeError: `__exo_keep__` is not a collection of names.
    """
    space, old = vars(module), globals_of(before)
    if _NAME in space:
        _check(space[_NAME], str(space.get("__name__")), str(space.get("__file__")))
    space.update({name: old[name] for name in _listed(space) if name in old})


def kept_values(before: ModuleType, module: ModuleType) -> dict[str, Any]:
    """Return what a module that becomes current again keeps of the one that retires, by global name.

    That is what both of them keep: where the other one imported something under the name, it has its own state still.
    """
    old = globals_of(before)
    both = set(_listed(vars(module))).intersection(_listed(old))
    return {name: old[name] for name in both if name in old}


def baseline_of_kept(before: ModuleRecord, at_first: Baseline, module: ModuleType) -> Baseline:
    """Return the baseline of a module whose body has run; what it keeps had its own when an earlier body made it.

    So what cells have put there stays theirs, and what this body puts there is the module's.

    Args:
        before: of the version that it keeps it of.
        at_first: what that held when the body began.
        module: the new one.
    """
    now, space, wishes = take_baseline(module), vars(module), wishes_of(module)
    kept = {id(value) for value in wishes.kept.values()} if wishes is not None else set()
    names = {*_listed(space), *(name for name, value in space.items() if id(value) in kept)}
    names = {name for name in names if name in now.values and now.values[name] == at_first.values.get(name)}
    known = _only(before.baseline, names)
    add_changes(known, _only(at_first, names), _only(now, names))
    return renew_baseline(now, known, names)


def _only(baseline: Baseline, names: set[str]) -> Baseline:
    """Return a copy of what a baseline has of some globals."""
    return Baseline(
        {name: value for name, value in baseline.values.items() if name in names},
        {path: value for path, value in baseline.fingerprints.items() if owner_of(path) in names},
        {path: {**entries} for path, entries in baseline.contents.items() if owner_of(path) in names},
        Ties(baseline.ties),
    )


def _listed(space: dict[str, Any]) -> tuple[str, ...]:
    """Return the names that a module's `__exo_keep__` lists; none where it makes no sense."""
    given = space.get(_NAME, ())
    return tuple(name for name in given if _is_name(name)) if isinstance(given, (tuple, list, set, frozenset)) else ()


def _read_names(text: bytes, otherwise: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names that a text lists; `otherwise` where it computes them.

    >>> _read_names(b"__exo_keep__ = ('CACHE',)", ()), _read_names(b"pass", ("CACHE",))
    (('CACHE',), ())
    """
    if _NAME.encode() not in text:
        return ()
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError):
        return ()
    for statement in body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="__exo_keep__")], value=value):
                try:
                    return _listed({_NAME: ast.literal_eval(value)})
                except ValueError:
                    return otherwise
    return otherwise


def _check(given: object, module: str, path: str) -> None:
    if isinstance(given, (tuple, list, set, frozenset)) and all(map(_is_name, given)):
        return
    raise WishTypeError(
        f"{_NAME} of {module!r} is no collection of names: {given!r}",
        where=path,
        advice=f'list the names of globals, no special ones: {_NAME} = ("CACHE", "MODEL")',
    )


def _is_name(name: object) -> bool:
    return isinstance(name, str) and name.isidentifier() and not is_dunder(name)
