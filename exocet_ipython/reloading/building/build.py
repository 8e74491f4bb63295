"""Building a plan aside: all its modules are made and run before anything becomes current."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from traceback import walk_tb
from types import ModuleType

from exocet_ipython.loading.listings import forget_listings
from exocet_ipython.loading.names import require_attribute
from exocet_ipython.loading.source import Snapshot
from exocet_ipython.reloading.building.batch import Batch
from exocet_ipython.reloading.building.cell_settings import kept_settings
from exocet_ipython.reloading.building.circles import changes_imports, is_circular
from exocet_ipython.reloading.building.filters import kept_filters
from exocet_ipython.reloading.building.handlers import hidden_handlers
from exocet_ipython.reloading.building.kept_lists import kept_lists
from exocet_ipython.reloading.building.lazily import Lost, ask_lazily, load_late
from exocet_ipython.reloading.building.libraries import TakenOut, take_out
from exocet_ipython.reloading.building.packages import give_back_covered, share_submodules, uncover_names
from exocet_ipython.reloading.building.plan import Plan
from exocet_ipython.reloading.building.process import without_additions
from exocet_ipython.reloading.building.registries import Registries
from exocet_ipython.reloading.building.steps import Steps
from exocet_ipython.reloading.collector import paused_collector
from exocet_ipython.reloading.detaching import abandon
from exocet_ipython.reloading.generation import Generation
from exocet_ipython.reloading.ladder.revision import Earlier, Revision
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.reloading.scope import Scope
from exocet_ipython.reloading.texts import Texts

__all__ = ["Built", "Surroundings", "build_lowest", "build_modules"]

_LIBRARIES = 10  # that refuse what retires, one after the other


@dataclass(frozen=True, slots=True, eq=False)
class Built:
    """What a plan came to.

    Attributes:
        made: dotted name -> record of a module that was made.
        gone: names whose source is no more, or that nothing needs.
        returned: the names of those modules that are an earlier generation's very ones.
        back_to: the number of that generation, where nothing else is new.
        revised: what is to be put in place again in those of them that had this text before they were revised.
        beside: new code for modules that go on, which needs nothing to run; only beside modules that return.
        rest: what is still to be made, beside modules that return.
        taken: what had to leave registries of libraries for it.
        refused: what could not be put back before the bodies ran, and why.
        sets_others: whether its bodies have set attributes of modules that go on.
        unneeded: of what is gone, why it could not be run: dotted name -> the error in words.
    """

    made: Mapping[str, ModuleRecord] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()
    returned: frozenset[str] = frozenset()
    back_to: int | None = None
    revised: tuple[Earlier, ...] = ()
    beside: tuple[Revision, ...] = ()
    rest: Plan = field(default_factory=Plan)
    taken: tuple[TakenOut, ...] = ()
    refused: tuple[str, ...] = ()
    sets_others: bool = False
    unneeded: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.made or self.gone)

    @property
    def again(self) -> Mapping[str, ModuleRecord]:
        """The records of the modules that return, by dotted name."""
        return {name: self.made[name] for name in self.returned}

    def drop(self) -> None:
        """Have the libraries that had to forget something for it remember that again: it is not to be published."""
        _put_back(self.taken)


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """What a plan is built beside, and what is known of it.

    Attributes:
        current: the generation that stays current meanwhile.
        scope: which modules that were never loaded belong to what is made.
        note_read: called with each text that is read again, before it runs.
        texts: dotted name -> what was read again and compiled a moment ago.
        returned: dotted name -> module that becomes current again with what is made, and that this is to see.
        imported: what cells have imported of modules: a dotted name, and an attribute, `*` or None.
        roots: dotted names of the modules that cells have imported, in their order -> whether one of them needs it,
            come what may.
        lost: what lives of classes and functions whose definition was gone before.
        is_last: whether there is nothing else to try where live state is in the way.
    """

    current: Generation
    scope: Scope
    note_read: Callable[[Snapshot], object] = lambda _: None
    texts: Texts = field(default_factory=dict)
    returned: Mapping[str, ModuleType] = field(default_factory=dict)
    imported: Collection[tuple[str, str | None]] = ()
    roots: Mapping[str, bool] = field(default_factory=dict)
    lost: Collection[Lost] = ()
    is_last: bool = False


def build_modules(plan: Plan, around: Surroundings) -> Built:
    """Make and run the modules of a plan beside the current generation.

    Raises:
        BaseException: whatever a module's body raises; everything that was made is dropped then.
    """
    records = around.current.records
    filters = {key for name in plan.names if name in records for key in records[name].effects.filters}
    with (
        kept_settings(plan.names, records) as kept,
        kept_filters(filters),
        kept_lists(plan.names, records),
        without_additions(plan.names, records),
    ):
        built = _build_modules(plan, around)
        kept.note_untouched(built.made)
    return replace(built, refused=tuple(kept.refused))


def _build_modules(plan: Plan, around: Surroundings) -> Built:
    current = around.current
    forget_listings()
    returned = {name: module for name, module in around.returned.items() if name not in plan.names}
    parts = plan.names, plan.changed, around.scope, around.note_read
    batch = Batch(current, *parts, texts=around.texts, returned=returned)
    steps = Steps(plan, batch, current, around.roots)
    retiring = [current.records[name] for name in plan.names if name in current.records]
    try:
        with batch.building(), hidden_handlers(retiring):
            steps.load()
            for name, attribute in plan.wanted:
                _require_attribute(batch, name, attribute)
            gone = [current.records[name] for name in steps.gone if name in current.records]
            ask_lazily(batch, around.imported, gone, around.lost)
            load_late(batch, gone, around.lost, current)
        made = {name: module for name, module in batch.modules.items() if name not in returned}
        share_submodules(made, current, steps.gone, returned)
        give_back_covered(batch, around.imported, around.roots)
        with paused_collector():
            records = batch.records()
            uncover_names(records, current.records)
        unneeded = steps.say_unneeded(records)
    except BaseException:
        abandon([*batch.runs.failed, *((name, one) for name, one in batch.modules.items() if name not in returned)])
        batch.modules.clear()
        batch.runs.failed.clear()  # the traceback leads here
        raise
    finally:
        batch.covered.clear()
        batch.close()
        steps.unneeded.clear()  # the tracebacks lead here
    return Built(records, frozenset(steps.gone), unneeded=unneeded)


def build_lowest(plan: Plan, around: Surroundings) -> tuple[Plan, Built]:
    """Make a plan's modules, or those of the whole scope where only the state of live modules was in the way.

    Where they fill registries of modules that the plan leaves alone, these and their importers are made with them.
    Returns the plan that was carried out with what it made; raises what `build_modules` raises.
    """
    current = around.current
    if changes_imports(plan, current, around.texts):
        plan = plan.beginning_with(around.roots)
    registries = Registries(plan, current, around.texts)
    try:
        built = build_modules(plan, around)
        filled = registries.filled(built.made.values()) - {step.name for step in plan.skipped}
        if not filled:
            return plan, replace(built, sets_others=registries.look_again(built.made.values()))
        registries.restore()
        abandon((name, record.module) for name, record in built.made.items())
        return build_lowest(plan.together_with(filled, current.order, current.graph()), around)
    except BaseException as error:
        registries.restore()
        # A circle of imports may have to begin where a restart would; edits can have changed where that is.
        again = plan.beginning_with(around.roots) if is_circular(error) else plan
        if again.steps == plan.steps and (around.is_last or not _met_live_state(error, plan, current)):
            raise
        first = error
    try:  # not within the handler: it is not the context of what is raised then
        if again.steps != plan.steps:
            return build_lowest(again, around)
        return _build_without_live_state(plan, around, first)
    finally:
        del first


def _build_without_live_state(plan: Plan, around: Surroundings, error: BaseException) -> tuple[Plan, Built]:
    """Make what has to do with a plan as well, or have libraries forget what retires.

    Raises:
        BaseException: the error; what a module raises that libraries know nothing of is its own, as after a restart.
    """
    current = around.current
    related = current.graph().related(plan.names)
    whole = plan.widened({name: order for name, order in current.order.items() if name in related})
    errors = [error]
    if whole.names != plan.names:
        try:
            return whole, build_modules(whole, around)
        except Exception as second:  # noqa: BLE001 - the person's error is the first one; this is an echo of it
            errors.append(second)
    taken: list[TakenOut] = []
    try:  # once for each library that refuses something
        while len(taken) < _LIBRARIES and (more := take_out(errors, plan.names, current.records)):
            taken.append(more)
            try:
                made, built = build_lowest(replace(plan, rung=3), replace(around, is_last=True))
            except Exception as again:  # noqa: BLE001 - raised below, unless it is another library's
                error, errors = again, [again]
            else:
                return made, replace(built, taken=tuple(taken))
    except BaseException:
        _put_back(taken)
        raise
    _put_back(taken)
    try:
        raise error from None
    finally:
        del error, errors  # their tracebacks have this frame


def _put_back(taken: Sequence[TakenOut]) -> None:
    for one in reversed(taken):
        one.put_back()


def _met_live_state(error: BaseException, plan: Plan, current: Generation) -> bool:
    """Say whether an error can come from running new modules beside old ones that go on, and not from their own text.

    `Table 'users' is already defined` is such an error: it is raised by code that the plan doesn't make anew. A
    SyntaxError, or an error raised in a module of the plan itself, is the person's to repair.
    """
    if isinstance(error, (SyntaxError, ImportError)) or not isinstance(error, Exception):
        return False
    raised_in = [frame.f_code.co_filename for frame, _ in walk_tb(error.__traceback__)]
    files = {record.snapshot.path for name, record in current.records.items() if name in plan.names}
    return bool(raised_in) and raised_in[-1] not in files


def _require_attribute(batch: Batch, name: str, attribute: str) -> None:
    """Find what `from name import attribute` asks for, or fail as that statement does."""
    module = batch.import_(name, fromlist=(attribute,))
    for wanted in getattr(module, "__all__", ()) if attribute == "*" else (attribute,):
        require_attribute(module, name, wanted)
