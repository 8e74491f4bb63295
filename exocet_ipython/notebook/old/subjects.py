"""What a person means when they ask about something old: by a notebook name, a class, the number of a generation."""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from exocet_ipython.errors import NothingOldError
from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.notebook.names.sources import MISSING
from exocet_ipython.reloading.generation import Generation
from exocet_ipython.reloading.holding.held import dotted_name
from exocet_ipython.survivors.definitions import is_definition
from exocet_ipython.survivors.finding.generations import RetiredGeneration
from exocet_ipython.survivors.finding.records import RetiredNames, describe

__all__ = ["Question", "Subject", "as_operand", "find_subjects"]

_ADVICE = "give a notebook name, a class as in game.world.Room, or the number of a generation; %exostatus lists them"
_AROUND = ("asyncio", "contextvars", "gc", "signal", "sys")  # what the expressions of hold paths name


@dataclass(slots=True, eq=False)
class Subject:
    """One old thing to look into.

    Attributes:
        label: what it is, as people read it.
        generation: the number of the generation that it belongs to.
        asked: the expression by which the person has it; empty where they named a class or a generation.
        is_generation: whether it stands for all that lives of a generation.
        targets: the objects; who looks into them empties the list.
    """

    label: str
    generation: int
    asked: str = ""
    is_generation: bool = False
    targets: list[Any] = field(default_factory=list)


class Question:
    """What a person asks for, evaluated once: an expression of theirs may do something, or take its time.

    Attributes:
        text: a name of the namespace, or an expression such as `app.model` or `Out[5]`; the dotted name of a class,
            function or module, or the end of one; the number of a generation.
        value: what it gives in the namespace; `MISSING` where it gives nothing, and once it was forgotten.

    >>> Question("list(rooms)[0]", {"rooms": {"hall"}}).value, Question("rooms", {}).value is MISSING
    ('hall', True)
    """

    def __init__(self, text: str, namespace: Mapping[str, Any]) -> None:
        self.text = text
        self.value = MISSING if text.isdecimal() else _value_of(text, namespace)

    def forget(self) -> None:
        """Let go of the value: what is asked for is not to be held by the question."""
        self.value = MISSING


def find_subjects(
    question: Question, generations: Sequence[RetiredGeneration], current: Generation
) -> tuple[list[Subject], str]:
    """Return what a text stands for; nothing where it is a class or a generation of which nothing old is alive.

    And then, where that is current, the dotted name of what it stands for among the notebook's names; of its class for
    an instance. Of a definition only where nothing old is alive: else they ask for the old ones.

    Args:
        question: what is asked for; it is forgotten, unless it is no old object.
        generations: what lives of replaced generations, oldest first.
        current: the current generation.

    Raises:
        NothingOldError: it stands for nothing, or for something that is not old.
    """
    text = question.text
    if text.isdecimal():
        return _generation(int(text), generations, current), ""
    found = question.value
    what = RetiredNames(generations).of(found)
    if what is not None:
        question.forget()
        number, kind, name = what
        return [Subject(describe(kind, name), number, text, targets=_with_globals(found))], ""
    names = [text] if found is MISSING else [text, _dotted_name(found)]
    subjects = _definitions(names, generations)
    if not subjects and not any(_is_current(name, current) for name in names):
        if found is MISSING:
            raise NothingOldError(f"nothing old is named {text!r}", advice=_ADVICE)
        raise NothingOldError(f"{text!r} is no old object", advice=_ADVICE)
    question.forget()
    is_instance = not (found is MISSING or is_definition(found) or issubclass(type(found), ModuleType))
    says_so = _is_current(names[-1], current) if subjects and is_instance else not subjects and found is not MISSING
    return subjects, names[-1] if says_so else ""


def _generation(number: int, generations: Sequence[RetiredGeneration], current: Generation) -> list[Subject]:
    found = [
        Subject(
            f"generation {number}",
            number,
            is_generation=True,
            targets=[value for _, _, value in generation.living()],
        )
        for generation in generations
        if generation.number == number
    ]
    if not found and number == current.number:
        raise NothingOldError(f"generation {number} is the current one: nothing of it is old", advice=_ADVICE)
    if not found and number > max(current.number, current.newest):
        raise NothingOldError(
            f"there is no generation {number}", where=f"the current one is {current.number}", advice=_ADVICE
        )
    return found


def _definitions(names: Sequence[str], generations: Sequence[RetiredGeneration]) -> list[Subject]:
    """Return the living definitions of some names, the newest first; with their modules where they have several."""
    found = [
        (generation.number, *definition)
        for generation in reversed(generations)
        for definition in list(generation.living())
        if any(f".{definition[1]}".endswith(f".{name}") for name in names)
    ]
    is_one = len({entry for _, _, entry, _ in found}) == 1
    return [
        Subject(describe(kind, entry) if is_one else f"old {kind} {entry}", number, targets=_with_globals(value))
        for number, kind, entry, value in found
    ]


def _with_globals(value: Any) -> list[Any]:
    """Return an object; of a module its globals too: who holds these, as each of its functions does, holds it."""
    return [value, vars(value)] if type(value) is ModuleType else [value]


def _is_current(name: str, current: Generation) -> bool:
    """Say whether a dotted name, or the end of one, stands for something that the current generation defines."""
    module, _, attribute = name.rpartition(".")
    if name in current.records or any(known.endswith(f".{name}") for known in current.records):
        return True
    owners = [
        record for known, record in current.records.items() if f".{known}".endswith(f".{module}" if module else "")
    ]
    return any(attribute in globals_of(record.module) for record in owners)


def _dotted_name(value: Any) -> str:
    """Return the dotted name of a class, function or module; that of its class for everything else."""
    if issubclass(type(value), ModuleType):
        return str(getattr(value, "__name__", ""))
    return dotted_name(value if is_definition(value) else type(value))


def as_operand(text: str) -> str:
    """Return an expression as one that an attribute or an item of what it gives can be written behind.

    >>> as_operand("rooms"), as_operand("room, hall")
    ('rooms', '(room, hall)')
    """
    is_primary = isinstance(ast.parse(text, mode="eval").body, (ast.Name, ast.Attribute, ast.Subscript, ast.Call))
    return text if is_primary else f"({text})"


def _value_of(text: str, namespace: Mapping[str, Any]) -> Any:
    """Return what an expression gives in a namespace, or `MISSING` where it gives nothing.

    What hold paths begin with is there without an import. Nothing of the namespace is changed.
    """
    try:
        code = compile(text, "<exowhy>", "eval", dont_inherit=True)
        around = {name: sys.modules[name] for name in _AROUND if name in sys.modules}
        return eval(code, around | copy_space(namespace))  # noqa: S307 - the person's own expression
    except Exception:  # noqa: BLE001 - it may raise anything; then it names nothing
        return MISSING
