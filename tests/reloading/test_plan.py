"""Plans: what runs again, in which order, because of what."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exocet_ipython.reloading.building.plan import Plan, Step, plan_reload
from exocet_ipython.reloading.graph import ImportEdge, ImportGraph
from exocet_ipython.reloading.noticing.changes import Change

GRAPH = ImportGraph([ImportEdge("app", "lib", "/app.py", 2, "import lib"), ImportEdge("main", "app")])
ORDER = {"main": 0, "app": 1, "lib": 2, "other": 3}


def test_changes_bring_their_importers() -> None:
    """A changed module and all that import it are made anew, in the order in which they first ran."""
    plan = plan_reload(ORDER, GRAPH, [Change("lib", "modified", "/lib.py")])
    assert [(step.name, step.reason) for step in plan.steps] == [
        ("main", "it holds something of app"),
        ("app", "it imports lib, line 2: import lib"),
        ("lib", "its file changed"),
    ]
    assert plan.names == {"main", "app", "lib"}
    assert plan.changed == {"lib"}


def test_nothing_changed() -> None:
    """Without a change nothing runs."""
    assert plan_reload(ORDER, GRAPH, []) == Plan()


def test_deleted_modules_are_gone() -> None:
    """A deleted module is taken away unless it is found elsewhere."""
    (step,) = plan_reload(ORDER, ImportGraph([]), [Change("lib", "deleted", "/lib.py")]).steps
    assert step.gone
    assert step.reason == "its file was deleted"


def test_asked_modules() -> None:
    """What the person names runs, with its importers; a change of it is the better reason."""
    plan = plan_reload(ORDER, GRAPH, [], ["app", "new"])
    assert [(step.name, step.reason) for step in plan.steps] == [
        ("main", "it holds something of app"),
        ("app", "asked for"),
        ("new", "asked for"),
    ]
    plan = plan_reload(ORDER, GRAPH, [Change("app", "modified", "/app.py")], ["app"])
    assert {step.name: step.reason for step in plan.steps}["app"] == "its file changed"


def test_what_is_looked_for_again() -> None:
    """The source of what changed or was asked for is read again; that of mere importers is not."""
    plan = Plan((Step("a"), Step("b", Change("b", "modified", "b.py")), Step("c", ImportEdge("c", "b"))))
    assert plan.changed == {"a", "b"}


names = st.sampled_from("abcdefgh")


@given(st.lists(st.tuples(names, names)), st.lists(names, max_size=3), st.permutations("abcdefgh"))
def test_plans_are_closed_and_smallest(edges: list[tuple[str, str]], changed: list[str], order: list[str]) -> None:
    """No module outside of a plan imports one inside, each module inside has a reason, the order is kept."""
    graph = ImportGraph(ImportEdge(*edge) for edge in edges)
    places = {name: place for place, name in enumerate(order)}
    plan = plan_reload(places, graph, [Change(name, "modified", name) for name in changed])
    for importer, imported in edges:
        assert imported not in plan.names or importer in plan.names
    for step in plan.steps:
        if isinstance(step.because, ImportEdge):
            assert step.because.importer == step.name
            assert step.because.imported in plan.names
        else:
            assert step.name in changed
    assert [step.name for step in plan.steps] == sorted(plan.names, key=places.__getitem__)
    assert plan == plan_reload(places, graph, [Change(name, "modified", name) for name in changed])
