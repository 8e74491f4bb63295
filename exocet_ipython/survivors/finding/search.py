"""The search behind a hold path: from an object backward, one `gc.get_referrers` call for all objects of a level.

Its lists refer to the objects, so they are left out of what it finds, and emptied at its end, whatever ends it.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import FrameType, FunctionType, GeneratorType
from typing import Any

from exocet_ipython.loading.classes import module_said_by
from exocet_ipython.reloading.collector import count_frozen, counts_are_exact, referents_of, referrers_of
from exocet_ipython.survivors.finding.frames import OWN_PACKAGE
from exocet_ipython.survivors.finding.roots import Roots, Start

__all__ = ["Bounds", "Found", "Search"]

_IMMORTAL = 2**30  # no count of references, but a mark
_COUNTED = 20_000  # referrers of a level; past that the references from C are not counted
_SCAN_COST = 10  # a pass over the heap costs as much as this many objects to look for in it


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far a search goes.

    Attributes:
        depth: passes over the heap.
        seconds: no pass begins later.
        width: objects of one level whose holders are looked for; of more, some of each type are taken.
    """

    depth: int = 30
    seconds: float = 20.0
    width: int = 120


@dataclass(frozen=True, slots=True)
class Found:
    """One way in: where it starts, the place of the first object behind that, and how many references it has."""

    start: Start
    place: int
    levels: int


class Search:
    """One search.

    Attributes:
        found: the ways in.
        ends: places of the objects that something else than a Python object refers to.
        from_c: how many such references the targets have; None where that can't be counted.
        passes: how often the heap was looked through.
        frozen: how many objects `gc.freeze` has set aside; what they refer to is not seen.
        bounded: what kept it from looking into everything: `depth`, `time` or `width`.
    """

    def __init__(
        self,
        targets: list[Any],
        roots: Roots,
        bounds: Bounds,
        *,
        is_old: Callable[[Any], object] | None = None,
        progress: Callable[[int, float], object] | None = None,
    ) -> None:
        self._roots = roots
        self._is_old = is_old
        self._bounds = bounds
        self._progress = progress
        self.began = time.perf_counter()
        self._nodes: list[Any] = list(targets)
        targets.clear()
        self._inner: list[list[int]] = [[] for _ in self._nodes]  # place of a node -> places of what it refers to
        self._old = set(range(len(self._nodes)))  # places at which a path may end
        self._places = {id(node): place for place, node in enumerate(self._nodes)}
        self._level: list[Any] = list(self._nodes)
        own = [self._nodes, self._level, roots, *roots.containers()]
        self._own = {id(part) for part in own} | {id(own)} | roots.own
        self._baseline = _count_references([self._nodes, self._level])
        self.found: list[Found] = []
        self.ends: list[int] = []
        self.from_c: int | None = None
        self.passes = 0
        self.frozen = count_frozen()
        self.bounded = ""
        self._is_passed_over = False  # whether more holds what a path is known to

    def __repr__(self) -> str:
        return f"<search: {self.passes} passes, {len(self._nodes)} objects, {len(self.found)} ways in>"

    def run(self, asked: str) -> None:
        """Look through the heap, level by level, until a path is known and one more pass was made.

        Where there is more than one old object, until a path is known to each that is reached.

        Args:
            asked: the name by which the person asked; that it leads to the object ends nothing.
        """
        self._start_at(self._level, 0)
        while self._level and not self._is_done(asked):
            if self._is_bounded():
                return
            began = time.perf_counter()
            self._look_through()
            self._choose_width(time.perf_counter() - began)
            if self._progress is not None and time.perf_counter() - self.began > 1:
                self._progress(self.passes, time.perf_counter() - self.began)

    def ways(self, place: int) -> list[list[Any]]:
        """Return the shortest ways from the object at a place to each old object that it leads to, as objects."""
        return [[self._nodes[step] for step in way] for way in self._ways(place)]

    def _ways(self, place: int) -> list[list[int]]:
        ways: list[list[int]] = []
        waiting, seen = deque([[place]]), {place}
        while waiting:
            way = waiting.popleft()
            if way[-1] in self._old:
                ways.append(way)
                continue
            for inner in self._inner[way[-1]]:
                if inner not in seen:
                    seen.add(inner)
                    waiting.append([*way, inner])
        return ways

    def let_go(self) -> None:
        """Refer to nothing any more."""
        self._nodes.clear()
        self._level.clear()
        self._roots.let_go()

    @property
    def is_exhausted(self) -> bool:
        """Whether all was looked into."""
        return not (self._level or self._is_passed_over or self.bounded)

    def _is_done(self, asked: str) -> bool:
        levels = [found.levels for found in self.found if found.start.expression != asked]
        return self._is_old is None and bool(levels) and self.passes > min(levels)

    def _is_bounded(self) -> bool:
        if self.passes >= self._bounds.depth:
            self.bounded = "depth"
        elif time.perf_counter() - self.began > self._bounds.seconds:
            self.bounded = "time"
        return self.bounded in {"depth", "time"}

    def _look_through(self) -> None:
        """Make one pass: find what refers to the present level."""
        wanted = {id(node): self._places[id(node)] for node in self._level}
        referrers = referrers_of(tuple(self._level))
        self.passes += 1
        if self.frozen:
            seen = set(map(id, referrers))
            referrers += [space for space in self._roots.spaces() if id(space) not in seen]
        self._count_from_c(referrers)
        outer: dict[int, list[Any]] = defaultdict(list)  # by the ids of their classes
        for referrer in referrers:
            if id(referrer) in self._own:
                continue
            if id(referrer) in self._places:
                if self._is_old is not None:
                    self._inner[self._places[id(referrer)]] += _parts(referrer, wanted)
            elif self._roots.is_root(referrer):
                for start, inner in self._roots.starts_in(referrer, wanted):
                    self.found.append(Found(start, wanted[inner], self.passes))
            elif not _is_ours(referrer):
                outer[id(type(referrer))].append(referrer)
        del referrers
        self._take_level(outer, wanted)

    def _take_level(self, outer: dict[int, list[Any]], wanted: dict[int, int]) -> None:
        """Take the next level: all that refers to the present one, or some of each type where that is too much."""
        self._level.clear()
        explained = {way[-1] for found in self.found for way in self._ways(found.place)} if self._is_old else set()
        for node in _in_turn(outer.values()):
            if len(self._level) >= self._bounds.width:
                self.bounded = "width"
                break
            inner = _parts(node, wanted)
            is_old = self._is_old is not None and bool(self._is_old(node))
            if not is_old and all(way[-1] in explained for part in inner for way in self._ways(part)):
                self._is_passed_over |= bool(inner)  # else another thread has changed it since
                continue
            place = self._places[id(node)] = len(self._nodes)
            self._nodes.append(node)
            self._inner.append(inner if self._is_old is not None else inner[:1])
            self._level.append(node)
            if is_old:
                self._old.add(place)
        self._start_at(self._level, self.passes)

    def _start_at(self, nodes: list[Any], level: int) -> None:
        for node in nodes:
            for start in self._roots.starts_at(node):
                # A local variable, or the list of all tasks, is a reference as well.
                self.found.append(Found(start, self._places[id(node)], level + 1))

    def _choose_width(self, seconds: float) -> None:
        """Look for fewer objects at once where a pass takes long: each costs a comparison for each reference."""
        each = seconds / (_SCAN_COST + max(1, len(self._level)))
        width = int(max(1.0, self._bounds.seconds / 10) / max(each, 1e-9)) - _SCAN_COST
        for _ in range(len(self._level) - max(width, 10)):
            self._level.pop()
            self.bounded = "width"

    def _count_from_c(self, referrers: list[Any]) -> None:
        """Note how many references to the targets, and which objects of the level, no Python object explains."""
        if len(referrers) > _COUNTED or not counts_are_exact():
            return
        counts = {id(node): 0 for node in self._level}
        _count_parts(referrers, self._own, counts)
        total = 0
        for place in range(len(self._level)):
            references = sys.getrefcount(self._level[place]) - self._baseline
            known = counts[id(self._level[place])] + self._roots.count_references(self._level[place])
            if known < references < _IMMORTAL:
                total += references - known
                self.ends.append(self._places[id(self._level[place])])
        if self.passes == 1:
            self.from_c = total


def _count_parts(holders: list[Any], own: set[int], counts: dict[int, int]) -> None:
    """Add to the counts, by id, how often each object is referred to; apart, since its variables are references too."""
    for holder in holders:
        if id(holder) in counts:
            counts[id(holder)] += 1  # the list of holders refers to it
        if id(holder) not in own:
            for part in referents_of(holder):
                if id(part) in counts:
                    counts[id(part)] += 1


def _parts(holder: Any, wanted: Mapping[int, int]) -> list[int]:
    """Return the places of the objects, given by id, that an object refers to; of a sequence, the first item first."""
    parts = referents_of(holder)
    if issubclass(type(holder), (list, tuple)):
        parts.reverse()  # the collector goes through these from their ends
    return list(dict.fromkeys(wanted[id(part)] for part in parts if id(part) in wanted))


def _in_turn(groups: Iterable[list[Any]]) -> Iterator[Any]:
    """Yield one of each group, then another one of each."""
    waiting = list(groups)
    while waiting:
        for group in waiting:
            yield group.pop()
        waiting = [group for group in waiting if group]


def _count_references(holders: list[list[Any]]) -> int:
    """Return how many references `sys.getrefcount` counts of an object that only these lists have, each once."""
    probe = object()
    for holder in holders:
        holder.append(probe)
    del probe
    count = sys.getrefcount(holders[0][-1])
    for holder in holders:
        holder.pop()
    return count


def _is_ours(value: Any) -> bool:
    """Say whether an object is one of this package's own: a record, a callback, a frame."""
    kind = type(value)
    module: Any = module_said_by(kind)
    if kind is FrameType:
        module = value.f_globals.get("__name__")
    elif kind is FunctionType:
        module = value.__module__
    elif kind is GeneratorType and value.gi_code.co_filename == __file__:
        return True
    return type(module) is str and module.partition(".")[0] == OWN_PACKAGE
