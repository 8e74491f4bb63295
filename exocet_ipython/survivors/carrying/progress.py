"""How far counters, iterators and generators of a module have come: the new ones are taken as many steps on.

A restart would run the cells again that have asked for what they give. What a generator does on its way is done again
only where it computes with numbers and strings, and calls no function but Python's own.
"""

from __future__ import annotations

import builtins
import copy
import dis
import gc
import itertools
import re
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from types import FunctionType, GeneratorType
from typing import Any

from exocet_ipython.loading.trees import whole
from exocet_ipython.reloading.holding.contents import is_plain
from exocet_ipython.survivors.generators import has_begun, remake_generator

__all__ = ["PROGRESS"]

_COUNT = re.compile(r"count\((-?\d+)(?:, (-?\d+))?\)")
_FAR, _MANY = 1_000_000, 10_000
_EMPTY: tuple[Any, ...] = ([], (), range(0), "", "\u00e9")  # strings have two kinds of iterators
_ITERATORS = tuple(map(type, map(iter, _EMPTY)))
_SEQUENCES = (list, tuple)
# What a generator may call, and which methods: none of these changes anything.
_COMPUTING = frozenset(
    map(id, (abs, bool, chr, divmod, enumerate, float, int, len, max, min, ord, range, reversed, round, str, sum, zip))
)
_METHODS = frozenset(
    ("format", "get", "items", "join", "keys", "lower", "replace", "strip", "upper", "values", "zfill")
)
_REFUSED = frozenset(map(dis.opmap.__getitem__, ("IMPORT_NAME", "LOAD_BUILD_CLASS", "STORE_GLOBAL")))
_STORE_SUBSCR = dis.opmap["STORE_SUBSCR"]
# What decides where it goes on: with the same of it, an edited one can't take for ever what the old one did not.
_FLOW = re.compile(r"JUMP|YIELD|FOR_ITER|RETURN|RAISE|COMPARE|CONTAINS|IS_OP")


def _carry_place(before: Any, now: Any, _: bool) -> None:  # noqa: FBT001 - one table
    """Have a counter or an iterator give nothing again that the old one has given, where it goes in the same steps."""
    was, new = _place_of(before), _place_of(now)
    if was is not None and new is not None and was[1] == new[1]:
        _take_on(now, was[0] - new[0])


def _take_on(one: Iterator[Any], steps: int) -> None:
    if 0 < steps <= _FAR:
        deque(itertools.islice(one, steps), maxlen=0)


def _place_of(one: Any) -> tuple[int, int] | None:
    """Return how many steps a counter or an iterator is from where any with such steps would begin, and how wide.

    >>> numbers, signs = itertools.count(6, 2), itertools.cycle("ab")
    >>> _ = next(numbers), next(signs), next(signs), next(signs)
    >>> _place_of(numbers), _place_of(signs), _place_of(iter([]))
    ((4, 2), (1, 1), (0, 1))
    """
    if type(one) is itertools.count:
        found = _COUNT.fullmatch(repr(one))
        step = int(found[2] or 1) if found is not None else 0
        return None if found is None or not step else (int(found[1]) // step, step)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of itertools', and nothing else tells of them
        try:
            state = one.__reduce__()
        except TypeError:  # since Python 3.14
            return None
    match state:
        case _, (range() as left,), at:
            return left.start // left.step + (at or 0), left.step
        case _, (_,), int() as at:
            return at, 1
        case _, (inner,), (seen, is_round):
            return _place_of(inner) if is_round else (len(seen), 1)
    return _FAR, 1  # it has come to its end


def _carry_iterators(before: Any, now: Any, returned: bool) -> None:  # noqa: FBT001 - likewise
    """Take on what a `map` or the like goes over; nothing is called for it."""
    for old, new in zip(before.__reduce__()[1], now.__reduce__()[1], strict=False):
        if type(old) is type(new) and (carry := PROGRESS.get(id(type(new)))) is not None:
            carry(old, new, returned)


def _carry_generator(before: Any, now: Any, _: bool) -> None:  # noqa: FBT001 - likewise
    """Take a generator as many steps on as one of the old function needs to be where the old one is."""
    old, new = _function_of(before), _function_of(now)
    if not (_only_computes(old) and _only_computes(new)) or _flow_of(old) != _flow_of(new):
        return
    if not has_begun(before) or has_begun(now) or not all(map(_is_repeatable, now.gi_frame.f_locals.values())):
        return
    again = remake_generator(now, lambda _: old, renew=_at_its_place)
    if again is None:
        return
    try:
        steps = next((step for step, _ in enumerate(again, 1) if step > _MANY or _is_at(again, before)), 0)
        _take_on(now, steps if steps <= _MANY else 0)
    except Exception:  # noqa: BLE001 - a person's code: the new one is at its end then, as it would be for the cells
        return


def _is_at(one: Any, other: Any) -> bool:
    """Say whether two generators of one function are at the same place, with the same variables."""
    frames = one.gi_frame, other.gi_frame
    if frames[1] is None or frames[0].f_lasti != frames[1].f_lasti:
        return False
    places = [[_place_of(part) for part in gc.get_referents(one) if type(part) in _ITERATORS] for one in (one, other)]
    variables = [
        {name: part for name, part in frame.f_locals.items() if type(part) not in _ITERATORS} for frame in frames
    ]
    return variables[0] == variables[1] and places[0] == places[1]


def _is_repeatable(argument: Any) -> bool:
    """Say whether what a generator was made with gives it the same again: plain data, or an iterator over such."""
    if type(argument) not in _ITERATORS:
        return is_plain(argument)
    return all(is_plain(tuple(part)) for part in gc.get_referents(argument) if type(part) in _SEQUENCES)


def _at_its_place(argument: Any) -> Any:
    """Return another iterator at the place of one, which `(x for x in items)` is made with; all else as it is."""
    return copy.copy(argument) if type(argument) in _ITERATORS else argument


def _function_of(generator: Any) -> Any:
    return next((part for part in gc.get_referents(generator) if type(part) is FunctionType), None)


def _only_computes(function: Any) -> bool:
    """Say whether all that a function does is to compute with numbers and strings: once more does no harm.

    >>> def count(n):
    ...     while True:
    ...         yield f"{n:>{min(n, 9)}}"
    >>> _only_computes(count), _only_computes(lambda: print())
    (True, False)
    """
    if type(function) is not FunctionType or function.__closure__:
        return False
    space = function.__globals__
    codes = [*whole(function.__code__)]
    names = {name for code in codes for name in code.co_names if name not in _METHODS}
    known = [space[name] if name in space else getattr(builtins, name, space) for name in names]
    operations = {operation for code in codes for operation in code.co_code[::2]}
    writes = _STORE_SUBSCR in operations and any(type(value) is list for value in known)  # else into what is its own
    return all(map(_is_known, known)) and not writes and _REFUSED.isdisjoint(operations)


def _is_known(value: Any) -> bool:
    if type(value) is list:
        return all(map(is_plain, value))
    return is_plain(value) or id(value) in _COMPUTING


def _flow_of(function: FunctionType) -> list[str]:
    """Return what of a function's code decides where it goes on."""
    return [part.opname for part in dis.get_instructions(function) if _FLOW.search(part.opname)]


PROGRESS: dict[int, Callable[[Any, Any, bool], None]] = {
    id(itertools.count): _carry_place,
    id(itertools.cycle): _carry_place,
    id(GeneratorType): _carry_generator,
    **dict.fromkeys(map(id, _ITERATORS), _carry_place),
    **dict.fromkeys(map(id, (filter, map, zip)), _carry_iterators),
}
