"""What `%exostatus` tells: the state of each module, and what lives of replaced generations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from exocet_ipython.notebook.old.collecting import format_bytes
from exocet_ipython.notebook.wording import plural, say_gone, to_html, without_empty
from exocet_ipython.reloading.generation import Generation
from exocet_ipython.reloading.noticing.changes import Change
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.survivors.finding.census import Census
from exocet_ipython.survivors.finding.generations import RetiredGeneration
from exocet_ipython.survivors.finding.named import Named
from exocet_ipython.survivors.finding.records import Survivor

__all__ = ["GenerationStatus", "ModuleStatus", "StatusReport", "describe_modules", "describe_retired"]

_NOTES = {
    "unknown": "what ran may be older than the file; %exoreload NAME --force makes it anew",
    "frozen": "its file is another by now; %exoreload NAME runs it",
    "stale": "what it imports is another by now; %exoreload NAME runs it",
}
_CURRENT = 40  # modules that are listed although there is nothing to be said of them: a screen
_FROZEN = "instances among the {:,} objects that gc.freeze has set aside, but for those that names lead to"
_UNCOUNTED = "instances that no name leads to; %exostatus --scan counts everything"


@dataclass(frozen=True, slots=True)
class ModuleStatus:
    """One module of the current generation: its dotted name, file, the generation it was made in, and its state.

    The state is `current`, `modified`, `deleted`, `unreadable`, `data modified` where only a data file is another by
    now, `stale` where it was frozen while what it imports was made anew, `frozen` where a file is another and the
    module runs again only when it is named, or `unknown` where the text that ran is not known.
    """

    name: str
    path: str
    generation: int
    state: str


@dataclass(frozen=True, slots=True)
class GenerationStatus:
    """One replaced generation of which something lives.

    Attributes:
        number: of the generation.
        survivors: what the notebook's names hold of it, in containers and attributes too.
        others: how many of its modules, classes and functions live without such a name: held by other objects, or
            garbage that the collector has not seen yet.
        unreferenced: how many of its definitions can't be tracked, because they can't be referenced weakly.
        census: how many instances, subclasses, classes, functions and modules of it live, and their size in bytes.
        scanned: whether all instances are counted, or those that names lead to.
    """

    number: int
    survivors: tuple[Survivor, ...]
    others: int
    unreferenced: int = 0
    census: Census | None = None
    scanned: bool = False

    def lines(self) -> list[str]:
        """Return one line for how much there is, and one for each thing that lives."""
        lines = [self.counts] if self.census is not None else []
        if self.census is not None and self.scanned:
            lines += [f"{plural(count.number, 'instance')} of {name}" for name, count in self.census.instances.items()]
        lines += [str(survivor) for survivor in self.survivors]
        if self.others:
            lines.append(f"{plural(self.others, 'definition')} not held by a name (or not collected yet)")
        if self.unreferenced:
            lines.append(f"{plural(self.unreferenced, 'definition')} that can't be tracked")
        return lines

    @property
    def counts(self) -> str:
        """How much there is, by kind, and about how large.

        >>> from exocet_ipython.survivors.finding.census import Count
        >>> from exocet_ipython.survivors.finding.freed import Freed
        >>> GenerationStatus(1, (), 0, census=Census(1, {"m.A": Count(2, 96)}, classes=Count(1, 1000))).counts
        '2 known instances, 1 class; about 1.1 kB by themselves'
        >>> GenerationStatus(1, (), 0, census=Census(1), scanned=True).counts
        'no instances; about 0 bytes by themselves'
        >>> GenerationStatus(1, (), 0, census=Census(1, freed=Freed(10_000_000, is_all=False)), scanned=True).counts
        'no instances; at least 10.0 MB with what only they hold'
        """
        census = self.census or Census(self.number)
        instances = sum(count.number for count in census.instances.values())
        known = "instance" if self.scanned else "known instance"
        parts = [plural(instances, known) if instances else f"no {known}s"]
        for count, noun, nouns in (
            (census.subclasses, "subclass", "subclasses"),
            (census.classes, "class", "classes"),
            (census.functions, "function", "functions"),
            (census.modules, "module", "modules"),
        ):
            parts += [f"{count.number} {noun if count.number == 1 else nouns}"] if count.number else []
        size = f"about {format_bytes(census.total.size)} by themselves"
        if census.freed is not None:
            least = "about" if census.freed.is_all else "at least"
            size = f"{least} {format_bytes(census.freed.size)} with what only they hold"
        return f"{', '.join(parts)}; {size}"


@dataclass(frozen=True, slots=True)
class StatusReport:
    """The modules of the current generation, and what lives of those before it.

    Attributes:
        generation: the number of the current one.
        modules: those of the current generation.
        retired: the replaced generations of which something lives.
        limits: what of a change is noticed in a slower way than it could be, and why.
        collected: the numbers of generations that were said to live and are gone by now.
    """

    generation: int
    modules: tuple[ModuleStatus, ...] = ()
    retired: tuple[GenerationStatus, ...] = ()
    limits: tuple[str, ...] = ()
    collected: tuple[int, ...] = ()

    def __repr__(self) -> str:
        lines = [self.headline]
        for title, entries in self.details():
            lines += [f"  {title}:", *(f"    {entry}" for entry in entries)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return to_html(self.headline, self.details(), opened=True)

    @property
    def headline(self) -> str:
        """The one line that sums it up.

        >>> StatusReport(0).headline
        'nothing is loaded; load a module with %exoload NAME'
        """
        if not self.modules:
            return "nothing is loaded; load a module with %exoload NAME"
        return f"generation {self.generation}: {plural(len(self.modules), 'module')}, {self._summary}"

    @property
    def _summary(self) -> str:
        alive = sum(len(generation.survivors) for generation in self.retired)
        changed = sum(module.state not in ("current", "unknown", "stale") for module in self.modules)
        old = f"{plural(alive, 'old definition')} held by names" if alive else "no old object held by a name"
        return "; ".join([f"{plural(changed, 'file')} changed on disk, {old}", *say_gone(self.collected)])

    def details(self) -> list[tuple[str, list[str]]]:
        """Return the modules and the living old generations, as (title, lines).

        >>> modules = [ModuleStatus(f"m{number}", "", 1, "current") for number in range(99)]
        >>> ((_, lines),) = StatusReport(1, (*modules, ModuleStatus("last", "", 1, "modified"))).details()
        >>> len(lines), lines[-2:]
        (42, ['last  modified (made in 1)', '59 more are current'])
        """
        more = {module.name for module in [one for one in self.modules if one.state == "current"][_CURRENT:]}
        listed = [module for module in self.modules if module.name not in more]
        width = max((len(module.name) for module in listed), default=0)
        modules = [f"{module.name:<{width}}  {module.state} (made in {module.generation})" for module in listed]
        modules += [f"{len(more)} more are current"] if more else []
        old = [(f"generation {generation.number}, replaced", generation.lines()) for generation in self.retired]
        states = {module.state for module in self.modules}
        notes = [(state, [note]) for state, note in _NOTES.items() if state in states]
        uncounted = [] if all(generation.scanned for generation in self.retired) else [_UNCOUNTED]
        frozen = max((old.census.frozen for old in self.retired if old.census is not None), default=0)
        uncounted += [_FROZEN.format(frozen)] if frozen else []
        rest = [("not counted", uncounted), ("noticing", list(self.limits))]
        return without_empty([("modules", modules), *notes, *old, *rest])


def describe_modules(
    generation: Generation, changes: Iterable[Change], frozen: Iterable[str] = ()
) -> tuple[ModuleStatus, ...]:
    """Return the state of each module of a generation, given the files that differ on disk, and what is frozen."""
    states = {
        change.name: "data modified" if change.kind == "data" else change.kind
        for change in reversed([*changes])  # the text's own before that of its data
    }
    states |= {name: "frozen" for name in frozen if states.get(name, "stale") != "stale"}
    return tuple(_module(record, states) for record in generation.records.values())


def describe_retired(
    living: Iterable[RetiredGeneration], named: Named, censuses: Iterable[Census], *, scanned: bool
) -> tuple[GenerationStatus, ...]:
    """Return what lives of replaced generations.

    Args:
        living: the generations of which something lives.
        named: what the notebook's names lead to.
        censuses: how much lives of each of them.
        scanned: whether that counts everything, or what the names lead to.
    """
    found = []
    for retired, census in zip(living, censuses, strict=True):
        held = tuple(survivor for survivor in named.survivors if survivor.generation == retired.number)
        names = {survivor.name for survivor in held}  # an instance that a name holds says why its class lives
        others = sum(name not in names for _, name, _ in retired.living())
        found.append(GenerationStatus(retired.number, held, others, retired.unreferenced, census, scanned))
    return tuple(found)


def _module(record: ModuleRecord, states: Mapping[str, str]) -> ModuleStatus:
    known = "current" if record.snapshot.is_known() else "unknown"
    return ModuleStatus(record.name, record.snapshot.path or "", record.generation, states.get(record.name, known))
