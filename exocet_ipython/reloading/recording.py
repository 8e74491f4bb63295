"""The record of one module of a generation: the object, and all that is needed to plan and to run it again."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import CodeType, MappingProxyType, ModuleType
from typing import Any

from exocet_ipython.loading.running import compile_for_reading
from exocet_ipython.loading.source import Snapshot
from exocet_ipython.loading.spaces import copy_space, globals_of, is_package
from exocet_ipython.reloading.datafiles.recorded import data_files_of
from exocet_ipython.reloading.failed import FailedLoad
from exocet_ipython.reloading.holding.baseline import Baseline, renew_baseline
from exocet_ipython.reloading.holding.constants import constants_by_id
from exocet_ipython.reloading.holding.held import modules_held
from exocet_ipython.reloading.holding.inventory import take_baseline
from exocet_ipython.reloading.imports import ImportStatement, lines_of, read_imports
from exocet_ipython.reloading.ladder.uses import Uses, read_uses
from exocet_ipython.reloading.lasting.effects import NO_EFFECTS, Effects
from exocet_ipython.reloading.lasting.settings import Setting
from exocet_ipython.reloading.lasting.targets import note_settings

__all__ = ["ModuleRecord", "record_module"]

_Data = tuple[Snapshot, ...]


@dataclass(frozen=True, eq=False)
class ModuleRecord:
    """One module of a generation.

    What it imports and holds is only looked at when a reload is planned: most modules are never part of one.

    Attributes:
        name: dotted name.
        module: the module object; the generation and `sys.modules` hold it, nothing else of ours does.
        snapshot: the text that ran.
        code: what ran; None for a module that its own loader runs, or that was loaded by Python before us.
        baseline: what its globals held after its body ran; what differs was put there since.
        order: the place in the order in which the modules of the session began to run.
        seconds: how long its body ran, without the modules it imported.
        generation: the number of the generation in which it was made.
        data: snapshots of the data files that it has named, and of those that its code shows; see `find_data_files`.
        effects: what its body added to lists of the whole process.
        failed: what it could not import and went on without, and what that could not.
        is_nested: whether another module's body has brought it.
        revisions: the digests of the texts that it had before without running again, the oldest first.
        values_then: for each of these the values that its global names had and were given others for; None where that
            can't be taken back, since other modules have made something of the other ones.
        is_adopted: whether Python had imported it before us: what it held then is not known, only what it held later.
        spec: refers to the one that the module had, weakly; it has another one when others have run its body again.
        was_seen: whether we saw them do it, so that the baseline is that of their run.
        body: what its body ran, where its functions run the code of another text by now; see `body_code`.
        is_seated: whether its functions are known to have these very code objects, and not others that are equal.
        given: ids of what other modules have put into its containers when they were made anew, and whether nothing of
            that name had been there: no earlier version of them had put it there.
        settings: what its body has set in objects that outlive it, with marks of what its last run left there; all
            versions of the module share it.
        places: what `picked` has found, and for which values.
    """

    name: str
    module: ModuleType
    snapshot: Snapshot
    code: CodeType | None
    baseline: Baseline
    order: int
    seconds: float
    generation: int
    data: _Data = ()
    effects: Effects = NO_EFFECTS
    failed: tuple[FailedLoad, ...] = ()
    is_nested: bool = False
    revisions: tuple[str, ...] = ()
    values_then: tuple[Mapping[str, Any] | None, ...] = ()
    is_adopted: bool = False
    spec: weakref.ref[Any] | None = None
    was_seen: bool = False
    body: CodeType | None = None
    is_seated: bool = False
    given: dict[int, bool] = field(default_factory=dict)
    settings: dict[Setting, int] = field(default_factory=dict)
    places: dict[Callable[[Any], bool], tuple[int, tuple[int, ...]]] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<record of {self.name}, generation {self.generation}>"

    @property
    def values(self) -> dict[str, int]:
        """Global name -> id of the value after its body ran."""
        return self.baseline.without_gone().values

    @property
    def fingerprints(self) -> Mapping[str, int]:
        """Global name -> a shallow fingerprint of the instance or container it named after its body ran."""
        return self.baseline.without_gone().fingerprints

    @property
    def contents(self) -> Mapping[str, Mapping[Any, int]]:
        """What its containers, classes and instances held after its body ran; see `Baseline`."""
        return self.baseline.without_gone().contents

    @cached_property
    def imports(self) -> tuple[ImportStatement, ...]:
        """The import statements of the source."""
        code = self.readable_code
        return read_imports(code, self.name, is_package=is_package(self.module)) if code is not None else ()

    @cached_property
    def needs(self) -> Mapping[str, int]:
        """The names that its source may import, each with the line where that is said first."""
        return lines_of(self.imports, self.name)

    @cached_property
    def uses(self) -> Uses:
        """What its code names."""
        code = self.readable_code
        return read_uses(self.name, code) if code is not None else Uses()

    @cached_property
    def readable_code(self) -> CodeType | None:
        """What ran, or what its text compiles to; None where there is none."""
        return self.code or compile_for_reading(self.snapshot)

    @cached_property
    def constants(self) -> Mapping[int, Any]:
        """The constants of its body, by id."""
        return constants_by_id(self.body_code) | dict(self.baseline.constants)

    @cached_property
    def held(self) -> frozenset[str]:
        """The names of the modules whose objects its globals hold since its body ran."""
        return modules_held(self.module, self.values, self.contents, self.given)

    @property
    def held_itself(self) -> frozenset[str]:
        """The same without what other modules have put into its containers that no earlier version of them had put."""
        if not any(self.given.values()):
            return self.held
        again = [part for part, is_first in self.given.items() if not is_first]
        return modules_held(self.module, self.values, self.contents, again)

    def look_again(self, given: Mapping[int, bool] = MappingProxyType({})) -> None:
        """Forget what the module holds: others have put something into its containers, or are about to.

        Args:
            given: ids of what modules that were made anew have put there, and whether it is the first of its name.
        """
        self.given.update({part: is_first for part, is_first in given.items() if part not in self.given})
        vars(self).pop("held", None)

    def assigned(self) -> dict[str, Any]:
        """Return the globals that are not what the module's body left: assigned since, by a cell or a function."""
        space = copy_space(globals_of(self.module))
        if list(map(id, space.values())) == list(self.values.values()):
            return {}  # nearly always, and told in C
        return {name: value for name, value in space.items() if self.values.get(name, 0) != id(value)}

    def picked(self, is_sought: Callable[[Any], bool]) -> list[Any]:
        """Return the globals that are of a kind. They are only looked at again when one of them is another.

        Args:
            is_sought: says of a value whether it is of the kind, which it then always is.
        """
        values = list(globals_of(self.module).values())
        those = hash((*map(id, values), *map(id, map(type, values))))  # where one was, another may be by now
        known, places = self.places.get(is_sought, (None, ()))
        if known != those:
            places = tuple(place for place, value in enumerate(values) if is_sought(value))
            self.places[is_sought] = those, places
        return [values[place] for place in places]

    @property
    def has_run_again(self) -> bool:
        """Whether others have run its body in place since this was noted, as `importlib.reload` does."""
        now = getattr(self.module, "__spec__", None)
        return self.spec is not None and now is not None and self.spec() is not now

    def after_running_again(self, now: Baseline, code: CodeType | None = None) -> ModuleRecord:
        """Return the record of the same module after others ran its body again, in place, as `importlib.reload` does.

        What its text names is its own as it is now. The text stays the one that we know: another one is an edit, which
        its importers have to follow.

        Args:
            now: what the module holds since.
            code: what they ran, where that is known.
        """
        again = replace(self, spec=_spec_of(self.module, None), was_seen=False, is_seated=False)
        if self.was_seen:
            return again
        names = {name for text in (self.readable_code, code) if text is not None for name in text.co_names}
        return replace(again, baseline=renew_baseline(self.baseline, now, names), body=code)

    @property
    def body_code(self) -> CodeType | None:
        """What its body ran; None where that isn't known."""
        return self.body or self.code

    def revised(self, snapshot: Snapshot, code: CodeType, before: Mapping[str, Any] | None) -> ModuleRecord:
        """Return the record of the same module with another text, the code of which its functions run now.

        Args:
            snapshot: the text.
            code: what it compiles to.
            before: the values of global names that are given others with it; None where that can't be taken back.
        """
        revised = replace(self, snapshot=snapshot, code=code, revisions=(*self.revisions, self.snapshot.digest))
        return replace(revised, values_then=(*self.values_then, before), body=self.body_code, is_seated=True)


def record_module(  # noqa: PLR0913 - the fields of a record, by keyword
    module: ModuleType,
    snapshot: Snapshot,
    code: CodeType | None,
    *,
    name: str,
    order: int,
    seconds: float,
    number: int,
    like: ModuleRecord | None = None,
    effects: Effects = NO_EFFECTS,
    failed: Iterable[FailedLoad] = (),
    is_nested: bool = False,
    data: _Data | None = None,
    baseline: Baseline | None = None,
    settings: dict[Setting, int] | None = None,
    is_adopted: bool = False,
    spec: Any = None,
) -> ModuleRecord:
    """Return the record of a module whose body has run.

    Args:
        module: the module object.
        snapshot: the text that ran.
        code: what ran, where that is known.
        name: its dotted name in `sys.modules`.
        order: its place in the order in which modules began to run.
        seconds: how long its body ran.
        number: the generation it was made in.
        like: the record of an earlier module of the name; of the same code, it has read the imports already.
        effects: what its body added to lists of the whole process.
        failed: what it could not import and went on without.
        is_nested: whether another module's body has brought it; that of an earlier module of the name counts.
        data: snapshots of the data files that its code shows; by default they are looked for now.
        baseline: what it held when its body had run; by default what it holds now.
        settings: what its body has set when it had run; by default what it has set as that is now.
        is_adopted: whether it was imported so long ago that what it held then is unknown.
        spec: the one that it had when its body had run; by default the one that it has now.
    """
    same = like if like is not None and code is not None and like.code is code else None
    if settings is None:
        known = None if same is None else same.settings
        settings = note_settings(module, code, lambda: snapshot, effects.originals, known)
    if like is not None and (like.settings or settings):
        like.settings.update(settings)
        settings = like.settings
    record = ModuleRecord(
        name,
        module,
        snapshot,
        code,
        baseline or take_baseline(module),
        order,
        seconds,
        number,
        data_files_of(module, snapshot, code, None if same is None else (same.module, same.data), data),
        effects,
        tuple(failed),
        is_nested if like is None else like.is_nested,
        settings=settings,
        is_adopted=is_adopted,
        spec=_spec_of(module, like, spec),
        was_seen=like is not None and like.module is module,
    )
    if same is not None:
        vars(record).update({"uses": same.uses} if "uses" in vars(same) else {}, imports=same.imports, needs=same.needs)
    return record


def _spec_of(module: ModuleType, like: ModuleRecord | None, spec: Any = None) -> weakref.ref[Any] | None:
    """Return a reference to a module's spec; that of its first record, where there is one of the same object."""
    if like is not None and like.module is module:
        return like.spec
    return weakref.ref(spec) if hasattr(spec := spec or getattr(module, "__spec__", None), "__dict__") else None
