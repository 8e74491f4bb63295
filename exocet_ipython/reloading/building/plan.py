"""The plan of a reload: which modules run again, in which order, each because of what. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from exocet_ipython.reloading.graph import ImportEdge, ImportGraph
from exocet_ipython.reloading.noticing.changes import Change

__all__ = ["Plan", "Step", "in_order", "plan_reload"]

_REASONS = {
    "deleted": "its file was deleted",
    "moved": "its source is elsewhere now",
    "appeared": "an import of it that failed could succeed now",
    "data": "a data file that it reads changed",
    "stale": "it was frozen while what it imports was made anew",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One module that is made anew, and why.

    Attributes:
        name: dotted name of the module.
        because: the change of its file, the edge to a module that is made anew, or None when the person asked.
        gone: whether its source was deleted, so that it is taken away unless something of that name is found.
        widened: whether it is only made anew because all of the scope is.
        refusal: why its new code could not be put into the living functions instead; empty where that was no question.
    """

    name: str
    because: Change | ImportEdge | None = None
    gone: bool = False
    widened: bool = False
    refusal: str = ""

    @property
    def reason(self) -> str:
        """The reason in words.

        >>> Step("app").reason
        'asked for'
        """
        match self.because:
            case None:
                return "it holds state of a module that is made anew" if self.widened else "asked for"
            case Change() as change:
                why = f"; {self.refusal}" if self.refusal else ""
                return _REASONS.get(change.kind, "its file changed") + why
            case ImportEdge() as edge:
                if not edge.line:
                    return f"it holds something of {edge.imported}"
                return f"it imports {edge.imported}, line {edge.line}: {edge.text}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a reload will do.

    Attributes:
        steps: in the order in which their modules first ran.
        rung: 2 where the changed modules and their importers are made anew, 3 for the whole scope.
        wanted: module and attribute of each thing that must be there afterwards, as `from module import attribute`
            asks for it; without it the plan fails. A submodule is loaded for it; `*` stands for all public names.
        skipped: what would be made anew, were it not frozen.
        anew: whether the person asked for new objects, so that those of a living generation won't do.
    """

    steps: tuple[Step, ...] = ()
    rung: int = 2
    wanted: tuple[tuple[str, str], ...] = ()
    skipped: tuple[Step, ...] = ()
    anew: bool = False

    def widened(self, order: Mapping[str, int]) -> Plan:
        """Return the plan that makes the whole scope anew, the next rung.

        >>> [step.reason for step in Plan((Step("a"),)).widened({"a": 0, "b": 1}).steps]
        ['asked for', 'it holds state of a module that is made anew']
        """
        known = {step.name: step for step in self.steps}
        steps = [known.get(name, Step(name, widened=True)) for name in {**order, **known}]
        return Plan(in_order(steps, order), rung=3, wanted=self.wanted, skipped=self.skipped)

    def together_with(self, names: Collection[str], order: Mapping[str, int], graph: ImportGraph) -> Plan:
        """Return the plan that makes these and all that imports them anew as well, but for what it skips.

        Args:
            names: dotted names of modules.
            order: dotted name -> its place in the order in which the modules began to run.
            graph: who imports whom.
        """
        more = graph.with_dependants(names) - {step.name for step in self.skipped}
        wider = self.widened({name: place for name, place in order.items() if name in more})
        return replace(wider, rung=self.rung)

    def beginning_with(self, names: Iterable[str]) -> Plan:
        """Return the plan that makes these first, in this order, as far as it makes them at all.

        >>> [step.name for step in Plan((Step("a"), Step("b"), Step("c"))).beginning_with(["c", "x", "b"]).steps]
        ['c', 'b', 'a']
        """
        return replace(self, steps=in_order(self.steps, {name: place for place, name in enumerate(names)}))

    @property
    def names(self) -> frozenset[str]:
        """The dotted names of all modules that are made anew."""
        return frozenset(step.name for step in self.steps)

    @property
    def changed(self) -> frozenset[str]:
        """The names whose source is looked for and read again: its text differs, or the person asked."""
        return frozenset(step.name for step in self.steps if not isinstance(step.because, ImportEdge))


def plan_reload(
    order: Mapping[str, int],
    graph: ImportGraph,
    changes: Iterable[Change],
    asked: Iterable[str] = (),
    frozen: Collection[str] = (),
) -> Plan:
    """Return the smallest set of modules to make anew, so that no module keeps what a changed one defined.

    Args:
        order: dotted name -> its place in the order in which the modules began to run. A restart has them run in that
            order again: what is imported first runs first, and brings what it imports.
        graph: who imports whom; what is absent is made where its importers come to it, and by no step of its own.
        changes: the files that differ.
        asked: names that the person wants made anew, changed or not.
        frozen: names that are never made anew unless asked for by name; what imports only them is not either.

    >>> graph = ImportGraph([ImportEdge("app", "lib", "app.py", 3, "import lib")])
    >>> plan = plan_reload({"app": 0, "lib": 1, "other": 2}, graph, [Change("lib", "modified", "lib.py")])
    >>> [(step.name, step.reason) for step in plan.steps]
    [('app', 'it imports lib, line 3: import lib'), ('lib', 'its file changed')]
    """
    steps: dict[str, Step] = {change.name: Step(change.name, change, change.kind == "deleted") for change in changes}
    wanted = {name: Step(name) for name in asked}
    kept = frozenset(frozen) - wanted.keys()
    skipped = [step for step in steps.values() if step.name in kept]
    steps = wanted | {name: step for name, step in steps.items() if name not in kept}
    dependants = graph.dependants(steps, stop=kept)
    for name in steps.keys() & graph.absent - wanted.keys():
        del steps[name]
    for name, edge in dependants.items():
        if name in kept:
            skipped.append(Step(name, edge))
        else:
            steps[name] = Step(name, edge)
    return Plan(in_order(steps.values(), order), skipped=tuple(skipped), anew=bool(wanted))


def in_order(steps: Iterable[Step], order: Mapping[str, int]) -> tuple[Step, ...]:
    """Return steps in the order of their modules; those without a place there come last.

    >>> [step.name for step in in_order([Step("c"), Step("b"), Step("a")], {"a": 0, "b": 1})]
    ['a', 'b', 'c']
    """
    return tuple(sorted(steps, key=lambda step: order.get(step.name, len(order))))
