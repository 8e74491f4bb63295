"""What `%exowhy` tells: what keeps something old alive, as the expressions that reach it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

from exocet_ipython.notebook.old.subjects import Question, Subject, find_subjects
from exocet_ipython.notebook.wording import format_seconds, plural, to_html, without_empty
from exocet_ipython.reloading.generation import Generation
from exocet_ipython.survivors.finding.generations import RetiredGeneration
from exocet_ipython.survivors.finding.held import find_held, namespaces_of
from exocet_ipython.survivors.finding.paths import HoldPath, Holds, find_holds
from exocet_ipython.survivors.finding.records import RetiredNames
from exocet_ipython.survivors.finding.roots import Root, Roots

__all__ = ["HeldObject", "WhyReport", "explain", "progress_line"]

_SHOWN = 10  # paths
_EXPLAINED = 3  # generations of one class
_KINDS = {
    "name": "",
    "output": "kept by IPython as an output",
    "global": "a module global",
    "frame": "a variable of code that runs",
    "task": "a task that is not done",
    "callback": "a callback",
    "context": "a context variable",
    "traceback": "the last error",
    "shell": "kept by IPython",
    "generator": "a generator that waits; what holds that has no name",
    "code": "held from C, or by running code that has no name for it",
}
_BOUNDS = {
    "depth": "deeper paths were not looked for",
    "time": "the search ran out of time",
    "width": "too many objects hold it to look at all of them",
}
_WIDE = 60  # characters: an expression that no other one is aligned with


@dataclass(frozen=True, slots=True)
class HeldObject:
    """One old object, or all of an old generation, and what holds it.

    Attributes:
        label: what it is.
        generation: the number of the generation that it belongs to.
        asked: the expression by which the person asked; empty where they named a class or a generation.
        holds: the paths to it, as text, and how they were found.
    """

    label: str
    generation: int
    asked: str
    holds: Holds

    def __str__(self) -> str:
        others = [path for path in self.holds.paths if path.expression != self.asked]
        if all((path.kind, path.levels) == ("code", 1) for path in others):
            others = []  # it is known only that it is held
        what = self.label if self.label.startswith("generation") else f"{self.label} (generation {self.generation})"
        if not others and self.asked:
            return f"{what} is held by {self.asked} alone{self._uncertain}"
        if not others:
            return f"{what}: {self._nothing}"
        least = "" if self.holds.is_complete else "at least "
        more = f", and {least}{plural(len(others) - 1, 'further path')}" if len(others) > 1 else ""
        return f"{what} is {'also ' if self.asked else ''}held by {others[0].expression}{more}"

    def lines(self) -> list[str]:
        """Return one line for each path, then what is not known."""
        paths = self.holds.paths[:_SHOWN]
        width = max((len(path.expression) for path in paths if len(path.expression) < _WIDE), default=0)
        lines = [_line(path, width, is_asked=path.expression == self.asked) for path in paths]
        if len(self.holds.paths) > _SHOWN:
            lines.append(f"and {len(self.holds.paths) - _SHOWN} more")
        if self.holds.from_c and self.holds.paths:
            references = plural(self.holds.from_c, "reference")
            lines.append(f"held from C{self._hidden}: {references} that no Python object explains")
        if self.holds.from_c is None and self.holds.paths and self.holds.frozen:
            lines.append(f"not complete: gc.freeze hides {self.holds.frozen:,} objects, which may hold it as well")
        if self.holds.bounded:
            lines.append(f"not complete: {_BOUNDS[self.holds.bounded]}")
        return lines

    @property
    def _uncertain(self) -> str:
        return f", as far as was looked: {_BOUNDS[self.holds.bounded]}" if self.holds.bounded else ""

    @property
    def _hidden(self) -> str:
        frozen = self.holds.frozen
        return f", or by one of the {frozen:,} objects that gc.freeze hides" if frozen else ""

    @property
    def _nothing(self) -> str:
        """Say why there is no path."""
        if self.holds.bounded:
            return f"no path was found, but {_BOUNDS[self.holds.bounded]}"
        if self.holds.from_c or self.holds.paths:
            return f"held from C{self._hidden}"
        return "nothing holds it; it goes when the collector runs: %exocollect"


@dataclass(frozen=True, slots=True)
class WhyReport:
    """What keeps something old alive.

    Attributes:
        asked: what the person asked for.
        held: each old object that it stands for; none where nothing old is alive.
        more: how many further old objects of that name there are.
        current: dotted name of what they asked for, or of its class, where that is current; for a class, only where
            nothing old is alive of it.
    """

    asked: str
    held: tuple[HeldObject, ...] = ()
    more: int = 0
    current: str = ""

    def __bool__(self) -> bool:
        return any(found.holds.paths for found in self.held)

    def __repr__(self) -> str:
        lines = []
        for found in self.held:
            lines += [str(found), *(f"  {line}" for line in found.lines())]
        lines[:1] = [f"{self._not_old}{line}" for line in lines[:1]]
        if self.more:
            lines.append(f"and {self.more} older ones of that name; ask for them by their generation")
        return "\n".join(lines) or self.headline

    def _repr_html_(self) -> str:
        details = [(str(found) if len(self.held) > 1 else "paths", found.lines()) for found in self.held]
        return to_html(self.headline, without_empty(details), opened=True)

    @property
    def headline(self) -> str:
        """The one line that sums it up.

        >>> WhyReport("game.world.Room").headline
        'no old game.world.Room is alive'
        """
        if not self.held:
            if self.asked.isdecimal():
                return f"generation {self.asked} is gone: nothing of it is alive"
            return f"{self._not_old}no old {self.current or self.asked} is alive"
        more = f"; {plural(len(self.held) - 1 + self.more, 'older one')}" if len(self.held) > 1 else ""
        return f"{self._not_old}{self.held[0]}{more}"

    @property
    def _not_old(self) -> str:
        return f"{self.asked} is current; " if self.current else ""

    @property
    def paths(self) -> tuple[HoldPath, ...]:
        """All paths, those of the newest old object first."""
        return tuple(path for found in self.held for path in found.holds.paths)

    @property
    def passes(self) -> int:
        """How often the heap was looked through."""
        return sum(found.holds.passes for found in self.held)

    @property
    def seconds(self) -> float:
        """How long it took."""
        return sum(found.holds.seconds for found in self.held)


def explain(  # noqa: PLR0913 - what is asked, what there is, where to look, and whom to tell
    question: Question,
    generations: Sequence[RetiredGeneration],
    namespace: dict[str, Any],
    current: Generation,
    *,
    known: Iterable[Root] = (),
    progress: Callable[[int, float], object] | None = None,
) -> WhyReport:
    """Return the report on what holds something old.

    Args:
        question: what the person asked for; see `find_subjects`.
        generations: what lives of replaced generations, oldest first.
        namespace: the notebook's names.
        current: the current generation.
        known: places of the shell that hold objects.
        progress: told the number of passes and the seconds, once there has been a second.

    Raises:
        NothingOldError: it stands for nothing, or for something that is not old.
    """
    subjects, name = find_subjects(question, generations, current)
    more = max(0, len(subjects) - _EXPLAINED)
    del subjects[_EXPLAINED:]
    held = []
    for subject in subjects:
        options: Mapping[str, Any] = {"asked": subject.asked, "progress": progress}
        if subject.is_generation:
            _leave_what_is_held(subject)
            options = {"progress": progress, "describe": RetiredNames(generations).describe}
        holds = find_holds(subject.targets, Roots(namespace, known), **options)
        if subject.is_generation:
            # Its parts hold each other, so that counts of references don't tell what is missing.
            holds = replace(holds, from_c=None, is_complete=holds.is_complete and not holds.frozen)
        asked = next((path.expression for path in holds.paths if _is_same(path.expression, subject.asked)), "")
        held.append(HeldObject(subject.label, subject.generation, asked or subject.asked, holds))
    return WhyReport(question.text, tuple(held), more, name)


def _leave_what_is_held(subject: Subject) -> None:
    """Leave only what something outside of its generation refers to: what that leads to lives for its sake."""
    spaces = [vars(target) for target in subject.targets if type(target) is ModuleType]
    spaces += namespaces_of(subject.targets)
    subject.targets[:] = find_held(subject.targets, spaces) or subject.targets


def _is_same(expression: str, asked: str) -> bool:
    """Say whether two expressions differ by no more than their quotes and spaces.

    >>> _is_same('rooms["hall"][0]', "rooms['hall'] [0]"), _is_same("<tuple>[0]", "x"), _is_same("x", "")
    (True, False, False)
    """
    if not asked or expression == asked:
        return bool(asked)
    try:
        return ast.unparse(ast.parse(expression)) == ast.unparse(ast.parse(asked))
    except SyntaxError:  # what begins with something that no expression gives
        return False


def _line(path: HoldPath, width: int, *, is_asked: bool) -> str:
    kind = "the name you asked by" if is_asked else path.where or _KINDS[path.kind]
    notes = ", ".join(filter(None, (path.reaches, kind)))
    return f"{path.expression:<{width}}  {notes}".rstrip()


def progress_line(passes: int, seconds: float) -> str:
    """Say how far a search is.

    >>> progress_line(3, 1.25)
    'looking for what holds it: pass 3, 1.2 s'
    """
    return f"looking for what holds it: pass {passes}, {format_seconds(seconds)}"
