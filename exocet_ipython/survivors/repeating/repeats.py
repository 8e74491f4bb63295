"""Whether functions that cells have called would do the same again: from the same beginning, in the same way."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import FunctionType
from typing import Any

from exocet_ipython.loading.classes import class_for
from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.loading.trees import whole
from exocet_ipython.reloading.datafiles.snapshots import has_changed
from exocet_ipython.reloading.holding.contents import attributes_of, is_registry
from exocet_ipython.reloading.holding.marks import is_marked, mark_of
from exocet_ipython.reloading.holding.paths import last_name_of, maker_at, value_at
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.survivors.comparison import Comparison
from exocet_ipython.survivors.former import under_old_names
from exocet_ipython.survivors.origins import is_instance_of
from exocet_ipython.survivors.repeating.beginnings import begins_alike
from exocet_ipython.survivors.repeating.filled import names_asked_alike
from exocet_ipython.survivors.repeating.untouched import begins_filled_alike, is_as_it_was
from exocet_ipython.survivors.storing.readings import ReadStores
from exocet_ipython.survivors.storing.slicing import sliced
from exocet_ipython.survivors.storing.stores import Stores

__all__ = ["Repeats"]


class Repeats:
    """Tells it of the functions of one module.

    Args:
        record: of the module.
        read: what the functions of the session's modules store.
        owner: the class or instance whose attributes are asked about, its successor, and its path; by default globals.
    """

    def __init__(
        self,
        record: ModuleRecord,
        read: ReadStores,
        owner: tuple[Any, Any, str] = (None, None, ""),
    ) -> None:
        self._record = record
        self._read = read
        self._owner = owner
        self._alike: dict[str, bool] = {}

    def does_alike(self, name: str, stores: Stores) -> bool:
        """Say whether the functions by which cells set up what has a name, or fill it, do the same now."""
        if name not in self._alike:
            spaces = self._record.module, self._read.after.get(self._record.name)
            old, new = (object if one is None else class_for(one) for one in self._owner[:2])
            but = self._record.assigned().keys() | stores.changing | self._begun_alike()
            compared = Comparison(old, new, but)
            paths = stores.setters(name)
            names = self._read.with_new_names({name, *map(last_name_of, paths)})
            makers = [(maker_at(spaces[0], path), maker_at(spaces[1], path)) for path in paths]
            pairs = [sliced(*pair, names, answers=len(paths) > 1) for pair in makers]
            is_same = all(before is not None and compared.is_same(before, now) for before, now in pairs)
            is_same = is_same and self._finds_alike(self._looked_at(name, stores), compared)
            self._alike[name] = is_same and not any(map(has_changed, self._record.data))
        return self._alike[name]

    def steps_alike(self, name: str, stores: Stores, baseline: Mapping[Any, int], known: Mapping[str, Any]) -> bool:
        """Say whether functions go on with what has a name as before, from what they look at in the same beginning.

        Args:
            name: of a global or an attribute.
            stores: what the functions store.
            baseline: what had that name when the body had run, by id, and others.
            known: what has it in the new module, or in what takes the place of an instance, and others.
        """
        stepped = {name} | (self._looked_at(name, stores) & stores.stepped)
        asked = [other for other in stepped if other in baseline or other in known]
        return self.does_alike(name, stores) and all(
            other in baseline and self._is_as_it_was(other, baseline[other], known.get(other)) for other in asked
        )

    def fills_alike(self, names: Collection[str]) -> bool:
        """Say whether functions would put again into containers what they have computed and put there, asked the same.

        Args:
            names: of the containers.
        """
        key = "".join(f"{name} " for name in sorted(names))
        if key not in self._alike:
            is_same = not self._read.beside.reread
            asked = names_asked_alike(names, self._begun_alike(), self._read) if is_same else None
            self._alike[key] = asked is not None and self._finds_alike(asked, Comparison(but=names))
        return self._alike[key]

    def begins_alike(self, name: str, baseline: Mapping[Any, int], known: Mapping[str, Any]) -> bool:
        """Say whether a name stands for what it stood for when the old body had run; see `begins_alike`."""
        if begins_alike(name, baseline, known, self._record, self._read.after):
            return True
        return name in baseline and self._is_begun(f"{self._owner[2]}{name}", known.get(name))

    def _is_as_it_was(self, name: str, was: int, now: Any) -> bool:
        """Say whether what has a name is what had it when the old body had run, or filled as that was."""
        is_constant = is_as_it_was(now, was, self._record.constants)
        return is_constant or self._is_begun(f"{self._owner[2]}{name}", now)

    def _looked_at(self, name: str, stores: Stores) -> set[str]:
        """Return the names of what functions look at that set something up, but for what they set up without a look."""
        paths = stores.setters(name)
        makers = [maker_at(self._record.module, path) for path in paths]
        codes = [code for maker in makers if type(maker) is FunctionType for code in whole(maker.__code__)]
        set_up = {other for other, path in stores.set_up if path in paths}
        return {other for code in codes for other in code.co_names} - (set_up - stores.stepped)

    def _finds_alike(self, names: set[str], compared: Comparison) -> bool:
        """Say whether the attributes of an instance that functions look at began as they do now, or are the same."""
        before, now, place = self._owner
        if before is None or issubclass(type(before), type):
            return True  # all that a function finds otherwise is compared with it
        old, new = dict(attributes_of(before)), under_old_names(dict(attributes_of(now)), self._read.renamed)
        baseline = self._record.contents.get(place[:-1], {})
        return all(
            (name in baseline and self._is_as_it_was(name, baseline[name], new.get(name)))
            or compared.is_same(old.get(name), new.get(name))
            for name in names & (old.keys() | new.keys())
        )

    def _is_begun(self, path: str, now: Any) -> bool:
        """Say whether a container is filled, or an array or an instance, as that on a path was."""
        first = self._record.contents.get(path, {})
        if is_marked(now):
            old = value_at(globals_of(self._record.module), path)  # what has taken its state has its mark by now
            return mark_of(now) in (first.get(""), mark_of(old) if is_marked(old) else None)
        if is_registry(now):
            return begins_filled_alike(path, now, self._record.contents, self._record.constants)
        renamed, parts = {now: was for was, now in self._read.renamed.items()}, dict[str, Any]()
        if is_instance_of(now, self._read.session):
            parts = {renamed.get(name, name): part for name, part in attributes_of(now)}
        return (
            bool(parts)
            and parts.keys() == first.keys()
            and all(
                is_as_it_was(part, first[name], self._record.constants) or self._is_begun(f"{path}.{name}", part)
                for name, part in parts.items()
            )
        )

    def _begun_alike(self) -> set[str]:
        """Return the global names of containers that began as they do now: calls have made of them what they are."""
        space = copy_space(globals_of(self._read.after.get(self._record.name)))
        return {name for name, now in space.items() if self._is_begun(name, now)}
