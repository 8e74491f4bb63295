"""The verbs on what lives of replaced generations, as plain functions: the part of a session that looks back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from exocet_ipython.errors import NothingOldError
from exocet_ipython.loading.interrupts import deferred_interrupt
from exocet_ipython.loading.spaces import globals_of
from exocet_ipython.loading.standin import PRESENCE
from exocet_ipython.notebook.names.sources import MISSING
from exocet_ipython.notebook.old.moving import MigrationReport, choose_survivors, describe_migration
from exocet_ipython.notebook.published import Names, Published
from exocet_ipython.notebook.publishing import publish
from exocet_ipython.notebook.wording import join_names
from exocet_ipython.reloading.building.build import Built
from exocet_ipython.reloading.collector import paused_collector
from exocet_ipython.reloading.generation import PUBLISHING, Generation
from exocet_ipython.reloading.holding.held import home_of
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.reloading.retired import RetiredModule
from exocet_ipython.survivors.carrying.lost import LostDefinitions
from exocet_ipython.survivors.carrying.reruns import earlier_runs
from exocet_ipython.survivors.finding.generations import RetiredGeneration
from exocet_ipython.survivors.finding.named import find_named
from exocet_ipython.survivors.finding.records import Retirement, Survivor
from exocet_ipython.survivors.labels import RetiredTexts, label_replaced
from exocet_ipython.survivors.matching.left import LeftClasses
from exocet_ipython.survivors.processes import StartedProcesses

if TYPE_CHECKING:
    from exocet_ipython.notebook.old.collecting import CollectReport
    from exocet_ipython.notebook.old.leftovers import Leftover
    from exocet_ipython.notebook.old.status import GenerationStatus
    from exocet_ipython.notebook.old.subjects import Question
    from exocet_ipython.notebook.old.why import WhyReport
    from exocet_ipython.survivors.finding.roots import Root

__all__ = ["OldObjects", "Remains"]


@dataclass(frozen=True, slots=True)
class Remains:
    """What a session leaves to the next one of its shell: weak records of what it had replaced, and how far it came.

    Attributes:
        retirement: the retired generations.
        newest: the highest number that a generation had.
    """

    retirement: Retirement = field(default_factory=Retirement)
    newest: int = 0


class OldObjects:
    """What lives of the replaced generations of one session.

    Attributes:
        lost: what is remembered of definitions that are gone.
        left: the classes of which instances could not move.

    Args:
        names: the notebook's.
        current: gives the current generation.
        retirement: the retired generations of before.
    """

    def __init__(self, names: Names, current: Callable[[], Generation], retirement: Retirement) -> None:
        self._names, self._namespace = names, names.namespace
        self._current = current
        self._retirement = retirement
        self.lost = LostDefinitions()
        self.left = LeftClasses()
        self._texts = RetiredTexts()
        self._processes = StartedProcesses()

    def __repr__(self) -> str:
        return f"<old objects of {len(self.generations())} generations>"

    def remains(self) -> Remains:
        """Return what the next session of the shell goes on from."""
        return Remains(self._retirement, self._current().next_number - 1)

    def generations(self, *, quickly: bool = False) -> tuple[RetiredGeneration, ...]:
        """Return the replaced generations of which something is alive, oldest first.

        Args:
            quickly: whether what seems to be held still counts as held, as a rule without a look at all of it.
        """
        self._texts.prune()
        return self._retirement.living_at_a_glance(self._namespace) if quickly else self._retirement.living()

    def retire(self, done: Published) -> None:
        """Add what a publish replaced, and forget what it made current again."""
        self._note_labelled(done.labelled)
        self._retirement.retire(done.retired, done.again)
        if done.unheld is not None or done.migration.held:
            self._retirement.note_unheld(done.unheld)
        if not done.is_tracked:
            self.lost.tracked.clear()
        self.lost.update(done.lost, done.generation.modules)
        self.left.note(done.migration.left)

    def label(self, before: Mapping[str, ModuleRecord], now: Mapping[str, ModuleRecord], journal: Journal) -> None:
        """Label what lives of modules whose text is replaced while current ones go on with the new one.

        Args:
            before: dotted name -> record of a module that goes on.
            now: the same with the new text.
            journal: how it is taken back.
        """
        self._note_labelled(label_replaced(before, now, self._retirement.referenced(), journal))

    def _note_labelled(self, labelled: Collection[RetiredModule]) -> None:
        self._retirement.doubt({retired.number for retired in labelled})
        self._texts.add(labelled)

    def note_runs(self, records: Iterable[ModuleRecord]) -> None:
        """Add what lives of earlier runs of modules that the person has run again by hand."""
        self._retirement.retire(earlier_runs(records, self._current().number))

    def note_left(self, records: Iterable[ModuleRecord]) -> None:
        """Add what lives of modules that the person has taken out of `sys.modules` and imported anew."""
        left = RetiredGeneration(self._current().number)
        for record in records:
            left.add(record.module, record.name)
        self._retirement.retire(left)

    def named(self) -> tuple[Survivor, ...]:
        """Return what the notebook's names and `Out` hold."""
        self._texts.prune()
        PRESENCE.forget_gone()
        found = self._retirement.survivors(self._namespace)
        self._retirement.tell(found)
        return found

    def describe(self, *, scan: bool = False) -> tuple[tuple[GenerationStatus, ...], tuple[int, ...]]:
        """Return what lives of each replaced generation, as `describe_retired` does, and which ones are newly gone.

        Args:
            scan: count all instances, with one scan of the heap; else those that names lead to.
        """
        from exocet_ipython.notebook.old.status import describe_retired  # noqa: PLC0415 - what only commands need
        from exocet_ipython.survivors.finding.census import take_census  # noqa: PLC0415 - likewise

        self._texts.prune()
        named = find_named(self._retirement.referenced(), self._namespace)
        living = self._retirement.living({survivor.generation for survivor in named.survivors})
        self._retirement.tell(named.survivors)
        censuses = take_census(living, named.instances, scan=scan)
        return describe_retired(living, named, censuses, scanned=scan), self.gone()

    def gone(self) -> tuple[int, ...]:
        """Return the generations that a report has named and `generations` has found gone since; each only once."""
        return self._retirement.take_gone(self._current().number)

    def processes(self) -> tuple[str, ...]:
        """Return the processes that were started before the code became another, as `StartedProcesses.tell` does."""
        return self._processes.tell()

    def classes(self) -> list[str]:
        """Return the dotted names of the replaced classes that are alive."""
        return sorted({name for old in self.generations() for kind, name, _ in old.living() if kind == "class"})

    def without_definition(self) -> frozenset[tuple[str, str]]:
        """Return of the replaced classes and functions that are alive those that nothing has replaced: module, name."""
        modules = self._current().modules
        living = (found for old in self.generations(quickly=True) for found in old.living())
        named = ((home_of(value), name) for kind, name, value in living if kind in ("class", "function"))
        paths = ((home, name.removeprefix(f"{home}.")) for home, name in named)
        outer = ((home, path) for home, path in paths if "." not in path)
        return frozenset((home, path) for home, path in outer if path not in globals_of(modules.get(home)))

    def ids(self) -> frozenset[int]:
        """Return the ids of the replaced modules, classes and functions that are alive."""
        return frozenset(id(value) for old in self.generations() for _, _, value in old.living())

    def why(
        self, text: str, known: Iterable[Root] = (), progress: Callable[[int, float], object] | None = None
    ) -> WhyReport:
        """Say what keeps something old alive; see `explain`.

        Args:
            text: a notebook name, a class, or the number of a generation.
            known: places of the shell that hold objects.
            progress: told the number of passes and the seconds, once there has been a second.

        Raises:
            NothingOldError: the text stands for nothing, or for something that is not old.
        """
        from exocet_ipython.notebook.old.subjects import Question  # noqa: PLC0415 - what only commands need
        from exocet_ipython.notebook.old.why import explain  # noqa: PLC0415 - likewise

        with PUBLISHING:
            generations, current = self.generations(), self._current()
        question = Question(text, self._namespace)
        try:
            return explain(question, generations, self._namespace, current, known=known, progress=progress)
        except NothingOldError as error:
            survivors = self._named_below(question)
            if not survivors:
                raise
            below = [name for survivor in survivors for name in survivor.names]
            further = sum(survivor.more for survivor in survivors)
            what = f"{text!r} is no old object, but leads to {'one' if len(below) == 1 else 'some'}"
            advice = f"ask for it: %exowhy {below[0]}; %exostatus lists all"
            raise NothingOldError(what, where=join_names(below, further=further), advice=advice) from error.__cause__

    def _named_below(self, question: Question) -> tuple[Survivor, ...]:
        """Return the old objects that what an expression gives leads to."""
        from exocet_ipython.notebook.old.subjects import as_operand  # noqa: PLC0415 - what only commands need

        if question.value is MISSING:
            return ()
        return find_named(self._retirement.referenced(), {as_operand(question.text): question.value}).survivors

    def askable(self) -> list[str]:
        """Return what `why` can be asked for: names that hold old objects, old definitions, old generations."""
        names = {name for survivor in self.named() for name in survivor.names}
        numbers = {str(old.number) for old in self.generations()}
        return sorted(names | {name for old in self.generations() for _, name, _ in old.living()} | numbers)

    def migrate(self, names: Sequence[str] = (), *, rebuild: bool = False) -> MigrationReport:
        """Move what lives to the current generation, as a reload that migrates does; on any error all is as it was.

        Args:
            names: classes to move, dotted or by their own name; all survivors by default.
            rebuild: whether an instance whose class can't be exchanged gets a successor, which takes its place.

        Raises:
            NothingOldError: nothing old is alive of one of the names.
        """
        with PUBLISHING, deferred_interrupt(), paused_collector():
            current = self._current()
            living = (*self.generations(), *self.lost.returning(current.modules, current.number))
            chosen = choose_survivors(living, names)
            # What is back is among what was chosen, and what could not move is tried again.
            lost, left = replace(self.lost, values=[], tracked=[]), LeftClasses()
            done = publish(
                Built(), current, self._names, lost=lost, left=left, living=chosen, migrating=True, rebuild=rebuild
            )
            waiting = self.lost.tracked[:] if names else ()
            self.retire(done)
            self.lost.tracked += waiting
            return describe_migration(done, chosen)

    def collect(self, leftovers: Iterable[Leftover] = ()) -> CollectReport:
        """Let go of what the shell keeps, run the collector, and say what went; see `collect_old`."""
        from exocet_ipython.notebook.old.collecting import collect_old  # noqa: PLC0415 - what only commands need

        with PUBLISHING:
            return collect_old(self._retirement, leftovers)
