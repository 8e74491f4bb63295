"""A sequence of cells, edits and looks, written as a scenario, and what of it differs from a restarted notebook."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.scenarios.scenarios import Probe, Scenario, read_scenario
from tests.scenarios.sessions import Mode, Sessions

__all__ = ["Difference", "Script", "compare"]

_HEADER = "category: differential\nset: random\nsource: a random sequence of edits\n"


@dataclass
class Script:
    """Files, and what happens to them in order.

    Attributes:
        disk: path -> text of the files as they are.
        words: the edits in words.
        wholes: probes that show what needs all cells to have run.
    """

    disk: dict[str, str]
    words: list[str] = field(default_factory=list)
    wholes: set[str] = field(default_factory=set)
    _sections: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._sections = [f"--- file {path}\n{text}" for path, text in self.disk.items()]

    def run(self, code: str) -> None:
        """Have a cell run."""
        self._sections.append(f"--- cell\n{code}\n")

    def save(self, texts: Mapping[str, str], words: str, *, rejected: bool = False) -> None:
        """Have the files be these; `rejected` where they can't be imported."""
        mark = " !rejected" if rejected else ""
        changed = [path for path, text in texts.items() if self.disk.get(path) != text]
        gone = self.disk.keys() - texts.keys()
        if not changed and not gone:
            return
        self.words.append(words)
        self._sections.append("--- step\n")
        # A folder of which only `__pycache__` is left would still be importable, as a namespace package.
        left = {path.rpartition("/")[0] for path in texts} | {path.removesuffix(".py") for path in texts}
        emptied = {folder for path in gone if (folder := path.rpartition("/")[0]) not in {"", *left}}
        gone = {path for path in gone if path.rpartition("/")[0] not in emptied} | emptied
        self._sections += [f"--- delete {path}{mark}\n" for path in sorted(gone, reverse=True)]  # what is inside first
        self._sections += [f"--- edit {path}{mark}\n{texts[path]}" for path in changed]
        self.disk = dict(texts)

    def ask(self, probes: Iterable[str]) -> None:
        """Look at something, unless nothing has happened since the last look."""
        if not self._sections[-1].startswith("--- probe") and (found := dict.fromkeys(probes)):
            self._sections.append("--- probe\n" + "".join(f"{probe}\n" for probe in found))

    @property
    def text(self) -> str:
        """The scenario."""
        return _HEADER + "\n" + "\n".join(self._sections)

    def scenario(self) -> Scenario:
        """Return the scenario, to be run."""
        return read_scenario(self.text, "random")

    def excerpt(self, difference: Difference) -> str:
        """Return the scenario with the probes that differ and no others, up to where they do: to be kept."""
        wrong = "".join(f"{probe}\n" for probe in dict.fromkeys(probe for probe, _, _ in difference.wrong))
        sections: list[str] = []
        asked = -1
        for section in self._sections:
            if section.startswith("--- probe"):
                asked += 1
                # The probes before are what the session has been looked at with: a look may be what it takes.
                sections.append(f"--- probe\n{wrong}" if asked == difference.checkpoint else section)
                if asked == difference.checkpoint:
                    break
            else:
                sections.append(section)
        return _HEADER + "\n" + "\n".join(sections)


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a session differs first from restarted ones.

    Attributes:
        mode: of the session.
        checkpoint: number of the look, from 0.
        wrong: probe, what a restarted notebook shows, what the session shows.
        log: what the session has printed.
    """

    mode: Mode
    checkpoint: int
    wrong: tuple[tuple[str, str, str], ...]
    log: str = ""

    def __str__(self) -> str:
        lines = [f"{self.mode}, look {self.checkpoint}:"]
        for probe, want, got in self.wrong:
            lines += [f"  {probe}", f"    want {want}", f"    got  {got}"]
        return "\n".join(lines)


def compare(script: Script, sessions: Sessions, modes: Sequence[Mode]) -> Iterator[Difference]:
    """Yield where the sessions of a script differ from restarted ones.

    A cell that fails in a restarted notebook, since its definition is gone, has made nothing there, and the live
    notebook keeps what it made: what can't be shown there is not compared. Nor, while such cells fail, what lists what
    cells have put into modules.
    """
    scenario = script.scenario()
    if not scenario.probes:
        return
    checkpoints = [*scenario.checkpoints()]
    lives = {mode: sessions.submit(scenario, mode) for mode in modes}
    truths = [sessions.ask_fresh(scenario, *checkpoint) for checkpoint in checkpoints]
    for mode, live in lives.items():
        answer = live.result()
        difference = _first_difference(script, mode, [probes for _, _, probes in checkpoints], truths, answer)
        if difference is not None:
            yield difference


def _first_difference(
    script: Script,
    mode: Mode,
    checkpoints: Sequence[Sequence[Probe]],
    truths: Sequence[Mapping[str, Any]],
    live: Mapping[str, Any],
) -> Difference | None:
    shown = iter(live["shown"])
    for number, (probes, truth) in enumerate(zip(checkpoints, truths, strict=True)):
        wrong = []
        for probe, want in zip(probes, truth["shown"], strict=True):
            got = next(shown, "the session ended")
            if want == "raises NameError":
                continue  # its definition is gone: the live notebook keeps the name
            if truth["failed"] and (want.startswith("raises") or probe.code in script.wholes):
                continue
            if got != want:
                wrong.append((probe.code, want, got))
        if wrong:
            return Difference(mode, number, tuple(wrong), "\n".join([*live["failed"], live["log"]]))
    return None
