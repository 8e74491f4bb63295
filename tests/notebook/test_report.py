"""Reports as people read them: text, HTML, truth."""

from __future__ import annotations

import pytest

from exocet_ipython.notebook.names.bindings import Kept
from exocet_ipython.notebook.names.sources import Source
from exocet_ipython.notebook.old.status import GenerationStatus, ModuleStatus, StatusReport
from exocet_ipython.notebook.report import Rebound, ReloadedModule, ReloadReport
from exocet_ipython.survivors.finding.records import Survivor
from exocet_ipython.survivors.refusals import Stuck

FULL = ReloadReport(
    4,
    (ReloadedModule("app", "it imports lib", 0.001), ReloadedModule("lib", "its file changed", 41.0)),
    ("old",),
    (Rebound("x", "lib.x"), Rebound("A", "app.A")),
    (Kept("y", Source("lib", "y"), "is no longer defined and keeps its old value"),),
    (Survivor(3, "instance", "lib.Model", ("model", "Out[5]")),),
    duration=41.5,
)


def test_one_line_says_what_happened() -> None:
    """The headline has the modules, the time, the generation, the names and the old objects."""
    assert FULL.headline == (
        "reloaded app, lib in 41.5 s (generation 4); slowest: lib (41.0 s, its file changed); "
        "2 names replaced: x, A; old Model alive: model, Out[5]"
    )


def test_text_has_what_was_kept() -> None:
    """The short text form adds what was kept and what is gone, the full one everything."""
    text = repr(FULL)
    assert text.splitlines()[0] == FULL.headline
    assert "y (lib.y) is no longer defined and keeps its old value" in text
    assert "old" in text
    assert "it imports lib" not in text


def test_slow_modules_show_their_time() -> None:
    """The details name how long a module took where that is worth saying, and why it ran."""
    details = dict(FULL.details())
    assert details["made anew"] == ["app (it imports lib)", "lib (41.0 s, its file changed)"]
    assert details["names replaced"] == ["x = lib.x", "A = app.A"]
    assert "slowest" not in ReloadReport(4, FULL.reloaded[:1], duration=41.5).headline  # no other is quicker
    assert "slowest" not in ReloadReport(4, FULL.reloaded[:1] * 2).headline  # nor is any slow


def test_truth() -> None:
    """A report is true when something was reloaded or went away, and false after an error or without a change."""
    assert FULL
    assert ReloadReport(1, gone=("a",))
    assert not ReloadReport(1)
    assert not ReloadReport(1, (ReloadedModule("a", "asked for"),), error=ValueError("x"))


def test_error_headline() -> None:
    """A failed reload says that nothing has changed, and the error in a line."""
    report = ReloadReport(1, error=ValueError("bad value"))
    assert report.headline == "not reloaded, nothing has changed: ValueError: bad value"
    assert "nothing has changed: SystemExit" in ReloadReport(1, error=SystemExit()).headline


def test_dry_run_says_would() -> None:
    """A dry run says what it would reload, with the reasons."""
    report = ReloadReport(1, (ReloadedModule("a", "its file changed"),), dry_run=True)
    assert report.headline == "would reload a (rung 2)"
    assert "a (its file changed)" in repr(report)


def test_many_names_fit_a_line() -> None:
    """Long lists are cut, and how many more there are is said."""
    report = ReloadReport(
        1,
        tuple(ReloadedModule(f"module_{number}", "x") for number in range(100)),
        rebound=tuple(Rebound(f"name_{number}", "m.n") for number in range(100)),
        survivors=tuple(Survivor(0, "class", f"m.C{number}", (f"c{number}",)) for number in range(50)),
    )
    assert "module_3 and 96 more" in report.headline
    assert "100 names replaced: name_0, name_1, name_2, name_3 and 96 more" in report.headline
    assert "47 more with %exostatus" in report.headline
    assert len(report.headline) < 400


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", '"><img src=x>', "a & b", "{{7*7}}"])
def test_html_is_escaped(text: str) -> None:
    """Whatever stands in names and messages, the HTML form shows it as text."""
    reports: list[ReloadReport | StatusReport] = [
        ReloadReport(1, error=ValueError(text)),
        ReloadReport(
            1,
            (ReloadedModule("m", text),),
            (text,),
            (Rebound(text, text),),
            (Kept(text, Source("m", text), text),),
            (Survivor(0, "class", f"m.{text}", (text,)),),
        ),
        StatusReport(
            1,
            (ModuleStatus(text, text, 1, "current"),),
            (GenerationStatus(0, (Survivor(0, "class", text, (text,)),), 1),),
        ),
    ]
    for report in reports:
        shown = report._repr_html_()
        assert "<script" not in shown
        assert "<img" not in shown
        assert "a & b" not in shown
        assert shown.startswith(("<div", "<details"))
        assert shown.count("<div") == shown.count("</div>")
        assert shown.count("<li") == shown.count("</li>")


def test_status_text() -> None:
    """The status says how many modules there are, which changed, and what lives of older generations."""
    status = StatusReport(
        3,
        (ModuleStatus("a", "/a.py", 3, "modified"), ModuleStatus("long.name", "/b.py", 1, "current")),
        (GenerationStatus(2, (Survivor(2, "class", "a.C", ("C",)),), 2, 1),),
    )
    text = repr(status)
    assert status.headline == "generation 3: 2 modules, 1 file changed on disk, 1 old definition held by names"
    assert "a          modified (made in 3)" in text
    assert "long.name  current (made in 1)" in text
    assert "generation 2, replaced" in text
    assert "old class C alive: C" in text
    assert "2 definitions not held by a name (or not collected yet)" in text
    assert "1 definition that can't be tracked" in text


def test_what_is_stuck_is_counted_as_people_say_it() -> None:
    """One object stays, several stay."""
    one, two = (str(Stuck("zoo.Cat", count, "it runs")) for count in (1, 2))
    assert one == "1 of zoo.Cat stays as it was: it runs"
    assert two == "2 of zoo.Cat stay as they were: it runs"


def test_many_instances_that_moved_are_said() -> None:
    """The line says what took long; a few instances are in the details alone."""
    many, few = (
        ReloadReport(
            2, (ReloadedModule("zoo", "its file changed"),), moved=(("zoo.Cat", count),), duration=9.0
        ).headline
        for count in (10_000, 3)
    )
    assert "; 10000 instances moved" in many
    assert "moved" not in few
