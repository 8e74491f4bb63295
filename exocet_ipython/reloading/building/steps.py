"""The steps of a plan, carried out: each module is loaded, unless another has loaded it, or none needs it any more."""

from __future__ import annotations

from collections.abc import Mapping

from exocet_ipython.loading.names import with_packages
from exocet_ipython.loading.tracebacks import describe_error
from exocet_ipython.reloading.building.batch import Batch
from exocet_ipython.reloading.building.plan import Plan, Step
from exocet_ipython.reloading.generation import Generation
from exocet_ipython.reloading.graph import ImportEdge
from exocet_ipython.reloading.recording import ModuleRecord

__all__ = ["Steps"]


class Steps:
    """The modules that a plan makes anew, and which of them are not to be had any more.

    Args:
        plan: what to make, and why.
        batch: where it is made.
        current: the generation beside which that is done.
        roots: what cells have imported: dotted name -> whether one of them needs it, come what may.

    Attributes:
        gone: the dotted names of what a restart would not have.
        unneeded: dotted name -> the error of what could not be loaded when its step was taken, and may be needed by
            nobody.
    """

    def __init__(self, plan: Plan, batch: Batch, current: Generation, roots: Mapping[str, bool]) -> None:
        self.gone: set[str] = set()
        self._plan, self._batch, self._current, self._roots = plan, batch, current, roots
        self.unneeded: dict[str, Exception] = {}

    def load(self) -> None:
        """Load all of them.

        Raises:
            BaseException: whatever a body raises, unless a restart would go on without it, or not load it at all.
        """
        failed = set()
        for step in self._plan.steps:
            if step.gone and step.name not in self._batch.modules and not _has_source(step.name, self._batch):
                self.gone.add(step.name)
                continue
            try:
                if not self._load(step):
                    failed.add(step.name)
            except Exception as error:
                if not self._may_be_unneeded(step):
                    raise
                self.unneeded[step.name] = error
        self.gone |= (failed | self.unneeded.keys()) - self._batch.modules.keys()

    def say_unneeded(self, made: Mapping[str, ModuleRecord]) -> dict[str, str]:
        """Return what could not be loaded, by dotted name, and why, having made sure that nothing needs it.

        Args:
            made: dotted name -> record of what was made.

        Raises:
            Exception: the error of one that something imports.
        """
        names = self.unneeded.keys() & self.gone
        if not names:
            return {}
        kept = {name: one for name, one in self._current.records.items() if name not in self.gone}
        for name in names:
            if _is_needed(name, {**kept, **made}):
                raise self.unneeded[name]
        return {name: describe_error(self.unneeded[name]) for name in names}

    def _load(self, step: Step) -> bool:
        """Load the module of a step, and say whether it is to be had.

        Where its importer has caught the error of its body it is tried once more, if cells have imported it: they do
        so after a restart, and a circle of imports that could not begin there may begin here.

        Raises:
            BaseException: whatever its body raises, unless its importer goes on without it, and no cell needs it.
        """
        is_optional = _is_done_without(step, self._batch.error_of(step.name))
        if is_optional and step.name not in self._roots:
            return False
        try:
            self._batch.load(step.name)
        except Exception:
            if not is_optional or self._roots.get(step.name):
                raise
            return False  # as its importer does, which has caught it
        return True

    def _may_be_unneeded(self, step: Step) -> bool:
        """Say whether it is possible that nobody needs a module whose body raised when its step was taken.

        Another module had brought it, and none has this time. Whether one would is for the end; but where one that has
        imported it has the same text, it does, and all that comes later need not run.
        """
        record = self._current.records.get(step.name)
        if record is None or not record.is_nested or step.because is None:
            return False
        if any(step.name in with_packages(root) for root in self._roots):
            return False
        importers = self._current.graph().importers(step.name)
        return importers <= self._plan.changed | self.unneeded.keys() | self.gone


def _is_needed(name: str, records: Mapping[str, ModuleRecord]) -> bool:
    """Say whether a module is imported, or one that is in it is there; in functions counts as well."""
    return any(
        other.startswith(f"{name}.") or any(name == need or _stands_for(need, name) for need in record.needs)
        for other, record in records.items()
    )


def _stands_for(need: str, name: str) -> bool:
    return need[1:].endswith("*") and name.startswith(need[:-1])


def _is_done_without(step: Step, error: type[BaseException] | None) -> bool:
    """Say whether a module's importer caught the error of its body and goes on without it, as after a restart.

    What the person has edited is run once more to show them the error, unless it says itself that it is not to be had;
    so is what they asked for.
    """
    if error is None:
        return False
    return isinstance(step.because, ImportEdge) or (step.because is not None and issubclass(error, ImportError))


def _has_source(name: str, batch: Batch) -> bool:
    """Say whether a module whose file was deleted is found elsewhere by now: as a package, say."""
    try:
        batch.find_spec(name)
    except ModuleNotFoundError:
        return False
    return True
