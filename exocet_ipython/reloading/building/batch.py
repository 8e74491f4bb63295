"""A batch: the modules of the next generation, made and run aside.

Published modules are ordinary ones: their functions have the real builtins and find each other through `sys.modules`
for as long as they live. Only while the batch runs do names mean what is being built: the import statements of a
module's body ask the batch (`run_body`), everything else finds a stand-in in `sys.modules`.
"""

from __future__ import annotations

import builtins
import contextlib
import linecache
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.machinery import ModuleSpec
from types import CodeType, MappingProxyType, ModuleType
from typing import Any

from exocet_ipython.loading.interrupts import act_on_interrupt, interruptible
from exocet_ipython.loading.loader import ModuleBuilder, run_body, without_bytecode
from exocet_ipython.loading.mapper import pep302_mapper
from exocet_ipython.loading.names import resolve_import, with_packages
from exocet_ipython.loading.source import Snapshot, find_by_path, find_spec_of, read_snapshot
from exocet_ipython.loading.spaces import attach, is_package
from exocet_ipython.loading.standin import PRESENCE
from exocet_ipython.loading.witness import WITNESS
from exocet_ipython.reloading.building.bodies import BodyBuiltins, Runs, copied, run_by_loader
from exocet_ipython.reloading.building.kept import baseline_of_kept, put_back, put_forward
from exocet_ipython.reloading.generation import Generation
from exocet_ipython.reloading.holding.baseline import Baseline
from exocet_ipython.reloading.lasting.effects import librarys_effects
from exocet_ipython.reloading.recording import ModuleRecord, record_module
from exocet_ipython.reloading.scope import Scope
from exocet_ipython.reloading.texts import Texts

__all__ = ["Batch"]


class Batch(ModuleBuilder):
    """Makes the modules of the next generation beside the current one.

    Args:
        generation: the current one; its unaffected modules are shared.
        affected: dotted names to make anew.
        changed: those whose text is to be read again; the others run from the code kept in memory.
        scope: which modules that were never loaded belong to the batch when its code imports them.
        note_read: called with each text that is read again, before it runs.
        texts: dotted name -> what was read again and compiled a moment ago.
        returned: dotted name -> module that is current again when the batch is: its code sees these.

    The build goes on where a body raises, if whoever imported it does.
    """

    def __init__(  # noqa: PLR0913 - what a batch is made from, all of it the planner's
        self,
        generation: Generation,
        affected: Iterable[str],
        changed: Iterable[str],
        scope: Scope,
        note_read: Callable[[Snapshot], object] = lambda _: None,
        *,
        texts: Texts = MappingProxyType({}),
        returned: Mapping[str, ModuleType] = MappingProxyType({}),
    ) -> None:
        super().__init__(pep302_mapper)
        self._returned = frozenset(returned)
        self.modules.update(returned)
        self._generation = generation
        self._affected = frozenset(affected)
        self._changed = frozenset(changed)
        self._scope = scope
        self._note_read = note_read
        self._texts = texts
        self._ancestors = frozenset[str]().union(*map(with_packages, self._affected)) - self._affected
        self._roots = frozenset(name.partition(".")[0] for name in self._affected | self._returned)
        self._claimed: dict[str, bool] = {}
        self.runs = Runs()
        self._kept: dict[str, Baseline | None] = {}
        self._builtins = BodyBuiltins(__import__=self.import_)

    def __repr__(self) -> str:
        return f"<batch of {len(self._affected)} modules beside {self._generation!r}>"

    def claims(self, name: str) -> bool:
        """Say whether the batch makes `name`: it is to be made anew, or own code that nobody has loaded yet."""
        if name in self._affected or name in self.modules:
            return True
        if name not in self._claimed:
            parent = name.rpartition(".")[0]
            if parent and self.is_open and self.claims(parent):
                self.load(parent)  # it is asked for its path; and its body may import this one
        if name not in self._claimed:
            self._claimed[name] = False  # while its spec is looked for: a finder may ask again
            self._claimed[name] = self._is_new(name)
        return self._claimed[name]

    def answers(self, name: str) -> bool:
        """Say whether code of the batch sees `name` through it: also a package above a module that is made anew."""
        return name in self._ancestors or self.claims(name)

    def load(self, name: str) -> ModuleType:
        """Return the batch's module, or the current one of a package that is only above such a module."""
        if not self.claims(name):
            current = PRESENCE.current(name)
            if current is not None:
                return current
        elif name not in self.modules and name not in self._affected:
            self._answer_above(name)
        module = super().load(name)
        parent, _, child = name.rpartition(".")
        if name in self._returned and parent in self.modules and parent not in self._returned:
            attach(self.modules[parent], child, module)  # its package is a new one
        return module

    def child(self, package: str, name: str) -> Any:
        """Return what attribute `name` of `package` is in this batch; raises AttributeError."""
        full = f"{package}.{name}"
        is_made = full in self._affected or full in self.modules
        if self.claims(package):
            return self._child_of_new(package, name)
        if not (is_made or full in self._ancestors):
            return super().child(package, name)
        found = getattr(self.load(package), name, None)
        if found is not None and found is not PRESENCE.current(full):
            return found  # the package has something else of that name
        return self.load(full) if is_made else sys.modules[full]

    def _child_of_new(self, package: str, name: str) -> Any:
        """Return what a package of the batch has, or a submodule that its attributes still lack.

        Who asks for `app.fmt`, imports it where there is no such attribute, and asks again, as `logging.config` does,
        finds it in `sys.modules`, and nothing makes it an attribute.
        """
        try:
            return super().child(package, name)
        except AttributeError:
            full = f"{package}.{name}"
            if full in self.modules or PRESENCE.current(full) is None:
                raise
            with contextlib.suppress(ModuleNotFoundError):
                return self.find(full)
            raise

    def _answer_above(self, name: str) -> None:
        """Stand in for the packages above a module that nobody has loaded yet: theirs is no attribute of that name."""
        packages = [
            above for above in with_packages(name)[:-1] if above not in self._ancestors and not self.claims(above)
        ]
        self._ancestors |= frozenset(packages)
        for package in packages if self.is_open else ():
            PRESENCE.enter(self, package)

    def present_names(self) -> Sequence[str]:
        """Return the names in `sys.modules` that must be stood in for while this batch works."""
        return [
            name for name in self._affected | self._ancestors | self._returned if PRESENCE.current(name) is not None
        ]

    @interruptible
    def import_(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,  # noqa: A002 - the signature of builtins.__import__
        locals: Any = None,  # noqa: A002 - likewise
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        """Do what `__import__` does, for the import statements of the bodies that the batch runs."""
        absolute = resolve_import(name, globals, level)
        made = self.modules.get(absolute)
        if made is not None and fromlist and self.is_open and not is_package(made):
            self.covered.pop(absolute, None)
            return made  # what the whole way would come to: nearly all imports of a large batch
        if absolute.partition(".")[0] in self._roots or self.claims(absolute):
            found = super().import_(name, globals, locals, fromlist, level)
            return self._public_of(found, absolute) if fromlist and "*" in fromlist else found
        if absolute in sys.modules:
            return builtins.__import__(name, globals, locals, fromlist or (), level)
        with librarys_effects():
            return builtins.__import__(name, globals, locals, fromlist or (), level)

    def _public_of(self, package: Any, name: str) -> Any:
        """Return what a star import sees: of a package that goes on not the submodules that are still to be made."""
        below = [full.rpartition(".") for full in self._affected - self.modules.keys()]
        unmade = {child for parent, _, child in below if parent == name}
        if name not in self._ancestors or not unmade:
            return package
        view = ModuleType(name)
        vars(view).update((key, getattr(package, key)) for key in [*vars(package)] if key not in unmade)
        return view

    def find_spec(self, name: str) -> ModuleSpec:
        """Return the spec of a name the batch makes; a module whose text stands keeps what its finder said."""
        record = self._generation.records.get(name)
        known = None if record is None else getattr(record.module, "__spec__", None)  # an object in its stead has none
        if known is not None and name not in self._changed:
            return copied(known)
        if "." not in name:
            return self._generation.require_spec(name)
        try:
            return super().find_spec(name)
        except ModuleNotFoundError:
            spec = find_by_path(known)
            if spec is None:
                raise
            return spec

    def run(self, module: ModuleType, spec: ModuleSpec) -> None:
        """Run a module's body, with the code in memory where its text stands."""
        snapshot, code = self._read(spec)
        act_on_interrupt()
        before = self._generation.records.get(spec.name)
        with self.runs.noting(spec.name, module, snapshot, code):
            if before is not None:
                self._kept[spec.name] = put_forward(before.module, module, snapshot.data)
            WITNESS.begin_load()
            try:
                if code is not None:
                    WITNESS.watch(code, None if before is None else before.body_code)
                    run_body(code, module, self._builtins)
                elif spec.loader is not None:
                    with without_bytecode(spec.loader):
                        run_by_loader(spec.loader, module)
            finally:
                WITNESS.end_load()
            if before is not None:
                put_back(before.module, module)

    def error_of(self, name: str) -> type[BaseException] | None:
        """Return the type of what the body of a module raised, if none has run to its end since."""
        run = self.runs.of.get(name)
        return None if run is None or name in self.modules else run.error

    def codes(self) -> list[tuple[str, CodeType | None, bool]]:
        """Return what has run to its end: dotted name, code, and whether it is a package."""
        ended = [(name, run.code) for name, run in self.runs.of.items() if name in self.modules]
        return [(name, code, is_package(self.modules[name])) for name, code in ended]

    def close(self) -> None:
        """Let go of the generation: a debugger may keep the frame of a body that failed, and with it its builtins."""
        self._builtins["__import__"] = builtins.__import__

    def records(self) -> dict[str, ModuleRecord]:
        """Return the records of the modules made, for the generation that comes next."""
        made: dict[str, ModuleRecord] = {}
        known = self._generation.order
        places = sorted(known[name] for name in self.runs.of.keys() & self.modules.keys() & known.keys())
        for name, run in self.runs.of.items():  # as they began
            if name not in self.modules:
                continue  # its import failed, and whoever imported it went on without
            before = self._generation.records.get(name)
            module, at_first = self.modules[name], self._kept.get(name)
            made[name] = record_module(
                module,
                run.snapshot,
                run.code,
                name=name,
                order=places[len(made)] if len(made) < len(places) else self._generation.next_order + len(made),
                number=self._generation.next_number,
                seconds=run.seconds,
                effects=run.effects,
                failed=run.failed,
                is_nested=run.is_nested,
                like=before,
                baseline=baseline_of_kept(before, at_first, module) if before is not None and at_first else None,
            )
            text = self._texts.get(name)
            if text is not None and text.code is run.code:
                vars(made[name]).setdefault("imports", text.imports)  # which have been read already
        return made

    def _read(self, spec: ModuleSpec) -> tuple[Snapshot, CodeType | None]:
        record = self._generation.records.get(spec.name)
        if record is not None and spec.name not in self._changed and record.code is not None:
            return record.snapshot, record.code
        text = self._texts.get(spec.name)
        read = None if text is None or text.snapshot.path != spec.origin else text
        snapshot = read_snapshot(spec, time.time_ns()) if read is None else read.snapshot
        self._note_read(snapshot)
        # A traceback must show the text that runs now, and linecache trusts size and time stamp.
        linecache.cache.pop(snapshot.path or "", None)
        if spec.loader is None:
            return snapshot, None
        if (
            record is not None
            and record.code is not None
            and snapshot.digest
            and record.snapshot.version == snapshot.version
        ):
            return snapshot, record.code
        return snapshot, self.runs.compile(spec, snapshot) if read is None else read.code

    def _is_new(self, name: str) -> bool:
        if name in self._generation.records or PRESENCE.current(name) is not None:
            return False
        if not all(name.split(".")):
            return False
        spec = find_spec_of(name)
        return spec is not None and self._scope.includes_spec(spec)
