"""Reports: what a verb did, as frozen values with a text and an HTML form.

A report holds names and numbers, never a module, class or instance: it may stay in `Out` and must keep nothing alive.
"""

from __future__ import annotations

from dataclasses import dataclass

from exocet_ipython.loading.tracebacks import describe_error
from exocet_ipython.notebook.names.bindings import Kept
from exocet_ipython.notebook.wording import (
    format_seconds,
    join_names,
    plural,
    say_gone,
    say_moved,
    to_html,
    without_empty,
)
from exocet_ipython.survivors.finding.records import Survivor
from exocet_ipython.survivors.refusals import Stuck

__all__ = ["Rebound", "ReloadReport", "ReloadedModule"]

_WORTH_SAYING = 0.1  # seconds
_LONG = 1.0  # seconds: of a body, which is named then among those that ran
_MANY_MOVED = 10_000  # instances: moving more takes longer than all the rest
_FROZEN = "frozen, and stale now; %exoreload NAME runs one"
_STUCK = "not moved; %exomigrate tries instances again"
_PROCESSES = "processes that keep what they have imported; make their pools again"
_ALWAYS_SAID = ("gone", _FROZEN, "names kept", _STUCK, "not put back", _PROCESSES)
_NAMED = 3  # old objects that fit a line


@dataclass(frozen=True, slots=True)
class ReloadedModule:
    """One module that was made anew: its dotted name, why, and how many seconds its own body took."""

    name: str
    reason: str
    seconds: float = 0.0

    def __str__(self) -> str:
        took = f"{format_seconds(self.seconds)}, " if self.seconds >= _WORTH_SAYING else ""
        return f"{self.name} ({took}{self.reason})"


@dataclass(frozen=True, slots=True)
class Rebound:
    """One notebook name that was given its source's current value: the name, and the dotted name of the source."""

    name: str
    source: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class ReloadReport:
    """What a reload did, or would do.

    Attributes:
        generation: the number of the generation that is current afterwards.
        reloaded: the modules made anew, in the order in which they first ran.
        revised: the modules that go on as they are, and whose functions or names were given new code, new line numbers
            or new values.
        gone: dotted names of modules whose source was deleted, or that nothing imports any more and that could not be
            run; they are no longer in `sys.modules`.
        unneeded: the latter, and why.
        rebound: the notebook names that have a new value.
        kept: the notebook names that keep theirs although its source was replaced, and why; that one's definition is
            gone is said once.
        survivors: what the notebook's names still hold of replaced generations.
        collected: the numbers of generations that were said to live and are gone by now.
        skipped: frozen modules that would have been made anew, and why; they are stale now.
        waiting: what an automatic reload left undone because it would have taken too long; empty when nothing.
        moved: dotted name of a class -> how many instances now belong to it that were of the replaced one.
        stuck: instances that could not move, and why.
        unknown: where nothing has changed, the modules that may have run from another text than their file has.
        refused: what bodies had set of libraries, and could not be put back as it was before they ran again; and why.
        processes: the names of processes that were started before, and run what they have imported; each is told once.
        returned: the modules that are the very objects again that they were in this generation, or in an earlier one
            beside modules that were made anew; none of them ran.
        error: what stopped the reload; then nothing at all has changed.
        broken: the module that the error is from, where that is none whose file changed but one that imports it.
        duration: seconds it took.
        rung: of the ladder of reloads: 0 where only layout changed, 1 for function bodies and values put in place
            (nothing ran in either), 2 for the changed modules and their importers made anew, 3 for the whole scope.
        dry_run: whether this is only the plan.
        full: whether the text form says everything or fits a line.
    """

    generation: int
    reloaded: tuple[ReloadedModule, ...] = ()
    gone: tuple[str, ...] = ()
    rebound: tuple[Rebound, ...] = ()
    kept: tuple[Kept, ...] = ()
    survivors: tuple[Survivor, ...] = ()
    collected: tuple[int, ...] = ()
    skipped: tuple[ReloadedModule, ...] = ()
    waiting: str = ""
    moved: tuple[tuple[str, int], ...] = ()
    stuck: tuple[Stuck, ...] = ()
    returned: tuple[str, ...] = ()
    error: BaseException | None = None
    duration: float = 0.0
    rung: int = 2
    dry_run: bool = False
    full: bool = False
    revised: tuple[ReloadedModule, ...] = ()
    broken: ReloadedModule | None = None
    refused: tuple[str, ...] = ()
    unneeded: tuple[ReloadedModule, ...] = ()
    unknown: tuple[str, ...] = ()
    processes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        done = self.reloaded or self.revised or self.returned or self.gone or self.skipped or self.waiting
        return self.error is None and bool(done)

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def _repr_html_(self) -> str:
        return to_html(self.headline, self.details(), opened=len(self.lines()) > 1)

    @property
    def headline(self) -> str:  # noqa: PLR0911 - one sentence for each outcome
        """The one line that says what happened.

        >>> ReloadReport(3).headline
        'nothing changed (generation 3)'
        """
        if self.error is not None:
            importer = f", in {self.broken.name}: {self.broken.reason}" if self.broken is not None else ""
            return f"not reloaded, nothing has changed: {describe_error(self.error)}{importer}"
        if self.waiting:
            return f"not reloaded: {self.waiting}, more than c.Exocet.rerun_limit; run %exoreload for it"
        if self.revised and not self.returned:
            return self._revised_headline
        if self._only_skipped:
            frozen = [module.name for module in self.skipped]
            what = f"{self.skipped[0]} is" if len(frozen) == 1 else f"{join_names(frozen)} are"
            them = "it" if len(frozen) == 1 else "them"
            return f"nothing reloaded: {what} frozen, and stale now; %exoreload {' '.join(frozen)} runs {them}"
        if not self.reloaded and not self.gone and not self.returned:
            parts = [f"nothing changed (generation {self.generation})", *say_gone(self.collected)]
            if self.unknown:
                parts.append(f"what {join_names(self.unknown)} ran from is unknown: %exoreload NAME --force")
            return "; ".join(parts)
        if self.dry_run:
            return f"would {self._deed}"
        parts = [self._deed, *self._said_long, *self._said_moved, *self._said_rebound]
        parts += [str(survivor) for survivor in self.survivors[:_NAMED]]
        if len(self.survivors) > _NAMED:
            parts.append(f"{len(self.survivors) - _NAMED} more with %exostatus")
        return "; ".join([*parts, *say_gone(self.collected)])

    @property
    def _only_skipped(self) -> bool:
        """Whether all that would have been made anew is frozen."""
        done = self.reloaded or self.revised or self.returned or self.gone
        return bool(self.skipped) and not (done or self.waiting or self.error)

    @property
    def _deed(self) -> str:
        """What is done to the modules, or would be."""
        now = "" if self.dry_run else f" (generation {self.generation})"
        if self.returned and self.gone and not self.reloaded:
            return f"brought back {join_names(self.returned)} as before, took away {join_names(self.gone)}{now}"
        if self.returned and not self.reloaded:
            return f"went back to generation {self.generation}: nothing ran ({join_names(self.returned)})"
        if not self.reloaded:
            whose = "whose file is gone" if len(self.gone) == 1 else "whose files are gone"
            whose = "which nothing imports any more" if self.unneeded else whose
            return f"{'take' if self.dry_run else 'took'} away {join_names(self.gone)}, {whose}{now}"
        names = join_names([module.name for module in self.reloaded])
        if self.dry_run:
            return f"reload {names} (rung {self.rung})"
        beside = f" beside {join_names(self.returned)} as before" if self.returned else ""
        return f"reloaded {names}{beside} in {format_seconds(self.duration)}{now}"

    @property
    def _said_rebound(self) -> list[str]:
        names = join_names([str(name) for name in self.rebound])
        return [f"{plural(len(self.rebound), 'name')} replaced: {names}"] if names else []

    @property
    def _said_long(self) -> list[str]:
        """Which of several modules took most of the time, and why it ran, where that was long."""
        slowest = max(self.reloaded, key=lambda module: module.seconds, default=None)
        return [f"slowest: {slowest}"] if slowest and slowest.seconds >= _LONG and len(self.reloaded) > 1 else []

    @property
    def _said_moved(self) -> list[str]:
        """What took long, where it was the moving of many instances."""
        count = sum(count for _, count in self.moved)
        return [f"{plural(count, 'instance')} moved"] if count >= _MANY_MOVED else []

    @property
    def _revised_headline(self) -> str:
        names = join_names([module.name for module in self.revised])
        if self.dry_run:
            return f"would update {names} in place; nothing would run (rung {self.rung})"
        took = format_seconds(self.duration)
        parts = [f"updated {names} in place in {took}", f"nothing ran (generation {self.generation})"]
        return "; ".join([*parts, *self._said_moved, *self._said_rebound])

    def details(self) -> list[tuple[str, list[str]]]:
        """Return what the headline has no room for, as (title, lines)."""
        unneeded = {module.name: str(module) for module in self.unneeded}
        return without_empty(
            [
                ("updated in place", [str(module) for module in self.revised]),
                ("made anew", [str(module) for module in self.reloaded]),
                ("as they were", list(self.returned)),
                ("gone", [unneeded.get(name, name) for name in self.gone]),
                (_FROZEN, [str(module) for module in self.skipped]),
                ("names replaced", [f"{name.name} = {name.source}" for name in self.rebound]),
                ("names kept", [str(kept) for kept in self.kept]),
                ("instances moved", say_moved(self.moved)),
                (_STUCK, [str(stuck) for stuck in self.stuck]),
                ("not put back", list(self.refused)),
                (_PROCESSES, [join_names(self.processes)] if self.processes else []),
                ("old objects alive", [str(survivor) for survivor in self.survivors]),
            ]
        )

    def lines(self) -> list[str]:
        """Return the text form: the headline, what was kept, and all details where the report is full or a plan.

        >>> print(*ReloadReport(3, skipped=(ReloadedModule("weights", "its file changed"),)).lines())
        nothing reloaded: weights (its file changed) is frozen, and stale now; %exoreload weights runs it
        """
        lines = [self.headline]
        is_said = self._only_skipped and len(self.skipped) == 1  # the headline has it all
        for title, entries in self.details():
            if self.full or self.dry_run or (title in _ALWAYS_SAID and not (is_said and title == _FROZEN)):
                lines += [f"  {title}:", *(f"    {entry}" for entry in entries)]
        return lines
