"""What calls have given constructors, as their instances show it, and what the constructors of now make of that.

`self.x = x` tells what `x` was. Where the new constructor puts it elsewhere (`self._x = x`, a property, a descriptor, a
dict), or computes something of it (`self.area = w * h`), an instance gets that. Only such expressions are evaluated
that read, compute and call Python's own functions; what any other has made goes on under its new name.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import CodeType, FunctionType, MemberDescriptorType
from typing import Any

from exocet_ipython.loading.classes import defines, first_named
from exocet_ipython.loading.parsing import copy_node
from exocet_ipython.loading.spaces import copy_space
from exocet_ipython.reloading.holding.contents import dict_of
from exocet_ipython.reloading.holding.slots import with_slots
from exocet_ipython.survivors.comparison import runs_alike
from exocet_ipython.survivors.storing.constructing.constructions import (
    CONVERSIONS,
    NO_DEFAULT,
    Construction,
    Made,
    read_constructor,
)

__all__ = ["Remade", "find_remade", "is_covered", "set_alike"]


@dataclass(frozen=True, slots=True, eq=False)
class Remade:
    """An attribute that is made of what a call has given.

    Attributes:
        make: gives its value for an instance that has what the old constructor has made; raises where that is not so.
        former: the names of the attributes that show what was given, where nothing sets them any more.
        asks_itself: whether it is made of other attributes, which have to be there.
    """

    make: Callable[[Any], Any]
    former: frozenset[str]
    asks_itself: bool = False

    @classmethod
    def renamed(cls, former: str, before: Sequence[type]) -> Remade:
        """Return one that only has another name by now; `before` is a class of before and its bases.

        >>> class Bus: pass
        >>> bus = Bus()
        >>> bus.line = 7
        >>> Remade.renamed("line", Bus.__mro__)(bus)
        7
        """
        return cls(partial(_look_up, former, before, None), frozenset((former,)))

    def __call__(self, instance: Any) -> Any:
        """Return its value for an instance.

        Raises:
            Exception: it doesn't show what was given, or whatever evaluating the expression raises.
        """
        return self.make(instance)


def find_remade(before: Sequence[type], now: Sequence[type]) -> dict[str, Remade]:
    """Return the attributes that the constructor of a class makes of what the old one was given.

    Args:
        before: a class of before and its bases, in the order in which attributes are looked up in them.
        now: the same now.

    >>> class Old:
    ...     def __init__(self, lr): self.lr = lr
    >>> class New:
    ...     def __init__(self, rate): self.rate = rate
    >>> old = Old(0.5)
    >>> {name: make(old) for name, make in find_remade(Old.__mro__, New.__mro__).items()}
    {'rate': 0.5}
    """
    old, new = read_constructor(before), read_constructor(now)
    if old is None or new is None:
        return {}
    former = _former_names(old.parameters, new.parameters)
    arguments = _Arguments.of(old, new, former, before)
    stored, known = {made.attribute for made in new.made}, {made.attribute for made in old.made}
    gone = {made.attribute: _text_of(made) for made in old.made if made.attribute not in stored}
    setters = _setters_of(before), _setters_of(now)
    found = {}
    for one in new.made:
        if one.attribute in known and _is_set_alike(one.attribute, *setters):
            continue
        made = one._replace(names={name: former.get(parameter, parameter) for name, parameter in one.names.items()})
        text = _text_of(made)
        alike = [name for name, other in gone.items() if other == text]
        used = arguments.shown(made)
        if made.names and len(alike) == 1 and not isinstance(made.value, (ast.Name, type(None))):
            found[made.attribute] = Remade.renamed(alike[0], before)
        elif made.is_plain and (used or (used is not None and _is_known(made))):
            shown = {arguments.sources[name].args[0] for name in used or ()}
            unset = frozenset(name for name in shown if name not in stored or is_covered(name, now))
            code = None if made.value is None else compile(ast.Expression(made.value), "<constructor>", "eval")
            found[made.attribute] = Remade(partial(_evaluate, made, code, arguments), unset, made.asks_itself)
    return found


def _is_known(made: Made) -> bool:
    """Say whether a text says what an attribute is made of that no call was asked for; fields get their defaults."""
    return made.value is not None and bool(made.names or made.fixed or made.asks_itself)


@dataclass(frozen=True, slots=True, eq=False)
class _Arguments:
    """What the calls of a constructor were given.

    Attributes:
        sources: parameter -> what gets out of an instance what was given for it, by the name of an attribute.
        left_out: parameter -> its default of before, and that of now.
        new: parameters that there were not, with their defaults.
    """

    sources: Mapping[str, partial[Any]]
    left_out: Mapping[str, tuple[Any, Any]]
    new: Mapping[str, Any]

    @classmethod
    def of(cls, old: Construction, new: Construction, former: Mapping[str, str], before: Sequence[type]) -> _Arguments:
        """Return those of an old constructor, as a new one takes them; `former` is what parameters were called."""
        called = {former.get(name, name): name for name in (*new.parameters, *new.handed_on)}
        both = called.keys() & old.defaults.keys()
        shown = [one for made in old.made for one in _shown_by(made, before)]
        known = {*old.parameters, *old.handed_on}
        return cls(
            dict(sorted(shown, key=_is_direct)),  # what a container has may be another's by now
            {name: (old.defaults[name], new.defaults.get(called[name], NO_DEFAULT)) for name in both},
            {name: new.defaults[called[name]] for name in called.keys() - known & new.defaults.keys()},
        )

    def shown(self, made: Made) -> set[str] | None:
        """Return the parameters that an attribute is made of and that instances show; None where one is not shown.

        Those that no call has known are their defaults, which nothing has to show.
        """
        used = {name for name in made.names.values() if name not in self.new}
        return used if used <= self.sources.keys() else None

    def given(self, parameter: str, instance: Any) -> Any:
        """Return what the call that made an instance has given; where a parameter was left out, its default of now."""
        if parameter in self.new:
            return self.new[parameter]
        value = self.sources[parameter](instance)
        was, now = self.left_out.get(parameter, (NO_DEFAULT, NO_DEFAULT))
        return now if value is was and now is not NO_DEFAULT else value


def _evaluate(made: Made, code: CodeType | None, arguments: _Arguments, instance: Any) -> Any:
    values = {name: arguments.given(parameter, instance) for name, parameter in made.names.items()}
    if code is None:
        return next(iter(values.values()))
    return eval(code, made.function.__globals__, {made.own: instance, **made.fixed, **values})  # noqa: S307 - a person's own text


def _text_of(made: Made) -> str:
    """Return what an attribute is made of, as text, with the names that mean parameters by what these were called."""
    if made.value is None:
        return next(iter(made.names.values()))
    value = copy_node(made.value)
    for node in ast.walk(value):
        if isinstance(node, ast.Name):
            node.id = made.names.get(node.id, node.id)
    return ast.unparse(value)


def is_covered(name: str, classes: Sequence[type]) -> bool:
    """Say whether a property or a descriptor decides what setting an attribute of this name does.

    >>> class Bus:
    ...     line = property(None, lambda self, value: None)
    >>> is_covered("line", Bus.__mro__), is_covered("name", Bus.__mro__)
    (True, False)
    """
    part = first_named(name, classes)
    return defines(type(part), "__set__") and type(part) is not MemberDescriptorType


def set_alike(before: Sequence[type], now: Sequence[type]) -> bool:
    """Say whether properties and descriptors do with attributes that are set what those of before did.

    >>> class Bus:
    ...     line = property(None, lambda self, value: None)
    >>> set_alike(Bus.__mro__, Bus.__mro__), set_alike(Bus.__mro__, (object,))
    (True, False)
    """
    old, new = _setters_of(before), _setters_of(now)
    return all(_is_set_alike(name, old, new) for name in old.keys() | new.keys())


def _is_set_alike(name: str, old: Mapping[str, CodeType], new: Mapping[str, CodeType]) -> bool:
    """Say whether what runs when an attribute is set does what that of before did."""
    return name in old and name in new and runs_alike(old[name], new[name])


def _setters_of(classes: Sequence[type]) -> dict[str, CodeType]:
    """Return what runs when attributes are set that properties and descriptors cover, by their names."""
    found: dict[str, CodeType] = {}
    for cls in classes[:-1]:
        for name, part in copy_space(vars(cls)).items():
            setter = part.fset if type(part) is property else getattr(type(part), "__set__", None)
            if type(setter) is FunctionType:
                found.setdefault(name, setter.__code__)
    return found


def _former_names(old: Sequence[str], new: Sequence[str]) -> dict[str, str]:
    """Return the parameters that only are called otherwise by now, each with its old name: those in one place."""
    pairs = zip(old, new, strict=True) if len(old) == len(new) else ()
    return {now: before for before, now in pairs if before not in new and now not in old}


def _shown_by(made: Made, classes: Sequence[type]) -> Iterator[tuple[str, partial[Any]]]:
    """Yield the parameters that an attribute shows, each with what gets it out of an instance, by the attribute's name.

    One that stands there alone, is made a number or the like, or is in a dict, tuple or list.
    """
    match made.value:
        case None:
            yield next(iter(made.names.values())), partial(_look_up, made.attribute, classes, None)
        case ast.Name(id=name) | ast.Call(args=[ast.Name(id=name)], keywords=[]) if name in made.names:
            called = getattr(made.value, "func", None)
            if called is None or getattr(called, "id", "") in CONVERSIONS:
                yield made.names[name], partial(_look_up, made.attribute, classes, None)
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(value, ast.Name) and value.id in made.names:
                    yield made.names[value.id], partial(_look_up, made.attribute, classes, key.value)
        case ast.Tuple(elts=items) | ast.List(elts=items) if not any(isinstance(item, ast.Starred) for item in items):
            for place, item in enumerate(items):
                if isinstance(item, ast.Name) and item.id in made.names:
                    yield made.names[item.id], partial(_look_up, made.attribute, classes, place)


def _is_direct(shown: tuple[str, partial[Any]]) -> bool:
    """Say whether it is the attribute itself that shows a parameter."""
    return shown[1].args[2] is None


def _look_up(attribute: str, classes: Sequence[type], key: Any, instance: Any) -> Any:
    """Return what the old class finds under a name in an instance, or by a key in that; raise KeyError for none."""
    part: Any = first_named(attribute, classes)
    if is_covered(attribute, classes):
        value = part.__get__(instance, classes[0])
    else:
        value = (with_slots(instance, dict_of(instance)) or {})[attribute]
    return value if key is None else value[key]
