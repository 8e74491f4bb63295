"""A notebook lives through upgrades and downgrades of the packages that it uses as if it had been restarted on them.

Each replay lays the files of a release over those of its neighbour while a notebook has the package loaded, with its
submodules, `from` names, held objects and what its calls have imported lazily; then it compares the package, down to
the code of each function and the identities between its parts, the notebook's names and the answers of its calls with
a fresh interpreter that ran the same cells on the same files.

A fresh interpreter makes the held objects again; a live one can't know what only the constructor of the other release
would have given them. So of held objects the notebooks ask what doesn't depend on that: which class they are of, what
they are found under, and the answers that their old contents determine. What is to be right in full is made by the
calls themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.histories.edited import replay_edits
from tests.histories.releases import HISTORIES, Replay, fetch_releases, replays_of
from tests.histories.replaying import Mode, Outcome, compare, run_session
from tests.shares import SEED, is_of_share

pytestmark = pytest.mark.history

MODES: tuple[Mode, ...] = ("auto", "explicit")
# Those that `make test` replays, each on one of the Pythons: the others take minutes. Small packages, and each
# mechanism at least once.
CORE = {
    ("attrs", "23.2.0"),
    ("blinker", "1.6.2"),
    ("click", "8.3.1"),
    ("h11", "0.14.0"),
    ("itsdangerous", "2.1.2"),
    ("jinja2", "3.0.3"),
    ("loguru", "0.7.2"),
    ("markdown-it-py", "2.2.0"),
    ("marshmallow", "3.26.1"),
    ("parso", "0.8.5"),
    ("pluggy", "1.3.0"),
    ("starlette", "0.37.2"),
    ("tabulate", "0.8.10"),
    ("tenacity", "9.0.0"),
}
# What can't be right, or isn't yet, with the reason, by the name of the replay; a limit of one mode is named with it.
LIMITS: dict[str, str] = {
    "urllib3-2.0.7-2.1.0": "a held pool has named tuples for keys, which get a field that has no default",
    "bidict-0.23.0-0.22.1": "a held named tuple gets a field that has no default but in its constructor",
    "jsonschema-4.19.2-4.23.0": "a held validator lacks an attribute that only the constructor of the new release sets",
    "requests-2.32.3-2.31.0": "what a module's body has put into `sys.modules` under other names stays there",
    "openpyxl-3.1.2-3.1.5": "a class becomes a list: which attribute of its held instances has the items, nobody tells",
    "sqlglot-26.33.0-25.34.1": "a held object of a class that is gone keeps the old registry, and that a cell's class"
    " which a later call has replaced in the new one",
    "injector-0.21.0-0.20.1": "a held object of a class that is gone is one of the new base, which lists that class",
    "reactivex-5.0.0-4.1.0": "what a held subscription calls is made by a function in another one by now",
    "dogpile.cache-1.3.3-1.2.2": "a member of an enumeration becomes an instance of a plain class: they don't match",
}
REPLAYS = [replay for history in HISTORIES for replay in replays_of(history)]


def _cases() -> list[Any]:
    """Return each replay in both modes; those that are not of the core or of this Python's share are marked as long."""
    cases: list[Any] = []
    for replay in REPLAYS:
        for mode in MODES:
            name = f"{replay}-{mode}"
            is_core = (replay.history.package, replay.older) in CORE
            marks = [] if is_core and is_of_share(name) else [pytest.mark.long]
            reason = LIMITS.get(name, LIMITS.get(str(replay)))
            limits = [] if reason is None else [pytest.mark.xfail(reason=reason, strict=True)]
            cases.append(pytest.param(replay, mode, id=name, marks=[*marks, *limits]))
    return cases


@pytest.fixture(scope="session")
def truths(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Replay], Outcome]:
    """What a fresh interpreter says of a release, found once."""
    known: dict[tuple[str, str], Outcome] = {}

    def ask(replay: Replay) -> Outcome:
        key = replay.history.package, replay.after
        if key not in known:
            known[key] = run_session(
                replay, "fresh", tmp_path_factory.mktemp("fresh"), fetch_releases([replay.history])
            )
        return known[key]

    return ask


@pytest.mark.parametrize(("replay", "mode"), _cases())
def test_upgraded_equals_restarted(
    replay: Replay, mode: Mode, truths: Callable[[Replay], Outcome], tmp_path: Path
) -> None:
    """After the files of another release were laid over it, the package is in all that shows as after a restart."""
    truth = truths(replay)
    if truth["failed"]:
        pytest.fail(f"the notebook fails in a fresh interpreter: {truth['failed']}\n{truth['log']}", pytrace=False)
    live = run_session(replay, mode, tmp_path, fetch_releases([replay.history]))
    wrong = compare(truth, live)
    if wrong:
        shown = wrong[:20] + ([f"... and {len(wrong) - 20} more"] if len(wrong) > 20 else [])
        pytest.fail("\n".join([*shown, "what the session printed:", live["log"][-4000:]]), pytrace=False)


@pytest.mark.parametrize("seed", [3 * SEED + number for number in range(3)])
def test_edited_equals_restarted(seed: int) -> None:
    """After random edits of a real package, and after they were undone by hand, it is as after a restart.

    `python -m tests.histories.edited` replays any number of them, on all packages.
    """
    small = [history for history in HISTORIES if history.package in {package for package, _ in CORE}]
    found = replay_edits(seed, small)
    assert found.wrong == (), str(found)


def test_histories_are_long() -> None:
    """There are at least eight packages and thirty pairs of releases, and each is replayed in both directions."""
    assert len(HISTORIES) >= 8
    assert len(REPLAYS) >= 60
    assert {(replay.before, replay.after) for replay in REPLAYS} == {
        (replay.after, replay.before) for replay in REPLAYS
    }


def test_core_is_of_the_table() -> None:
    """What `make test` replays are replays of the table."""
    assert {(replay.history.package, replay.older) for replay in REPLAYS} >= CORE
