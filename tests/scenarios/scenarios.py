"""Scenarios: a person's notebook, the edits of its files, and what a restart would show.

A file of `corpus/` has header lines (`key: value`) and sections that begin with `--- KIND ARGUMENTS`:

    --- file PATH OPTIONS     a file of the project            --- symlink LINK TARGET
    --- cell                  a notebook cell
    --- edit PATH OPTIONS     a file is written                --- sub PATH OPTIONS    `OLD => NEW`, one a line
    --- delete PATH           a file or folder is deleted      --- move OLD NEW        --- retarget LINK TARGET
    --- probe                 one expression a line            --- probe block         the whole body is one probe
    --- step                  what follows is saved later than what came before

Neighbouring edits are saved together. The truth of a probe is what a fresh interpreter shows that starts with the
files of that moment and runs the cells above it; `EXPRESSION ==> TRUTH ## WHY` says it by hand. After edits marked
`!rejected` (they can't be imported) the truth is that of the files before them.

Options: `atomic` (written beside and renamed), `mtime=same-second|exact|older`, `bom`, `encoding=latin-1`.
Header keys: category, set, source, why, path (the folder on `sys.path`), needs (packages), timeout (seconds), python
(the first version that can read the files).
"""

from __future__ import annotations

import ast
import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["CORPUS", "Cell", "Probe", "Scenario", "Step", "apply_operations", "read_corpus", "read_scenario"]

CORPUS = Path(__file__).with_name("corpus")
Files = Mapping[str, str]  # path -> contents in base64, or `-> TARGET` of a symbolic link


@dataclass(frozen=True, slots=True)
class Cell:
    """A notebook cell."""

    code: str

    @property
    def is_imports(self) -> bool:
        """Whether it consists of import statements, as a cell under `%%exoload` does."""
        try:
            body = ast.parse(self.code).body
        except SyntaxError:
            return False  # a magic, or a top-level await
        return bool(body) and all(isinstance(node, (ast.Import, ast.ImportFrom)) for node in body)


@dataclass(frozen=True, slots=True)
class Probe:
    """What is asked, and the truth where it is said by hand."""

    code: str
    truth: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """Files that are saved together; `rejected` when they can't be imported."""

    operations: tuple[dict[str, str], ...]
    rejected: bool = False


@dataclass(frozen=True, slots=True)
class Scenario:
    """One file of the corpus."""

    name: str
    header: Mapping[str, str]
    files: Files
    actions: tuple[Cell | Probe | Step, ...]

    @property
    def probes(self) -> list[Probe]:
        """All probes, in order."""
        return [action for action in self.actions if isinstance(action, Probe)]

    def checkpoints(self) -> Iterator[tuple[Files, list[Cell], list[Probe]]]:
        """Yield, for each run of probes, the files and cells that a restart at that moment has, and the probes."""
        latest = good = dict(self.files)
        cells: list[Cell] = []
        waiting: list[Probe] = []
        for action in (*self.actions, Cell("")):
            if not isinstance(action, Probe) and waiting:
                yield good, list(cells), waiting
                waiting = []
            match action:
                case Probe():
                    waiting.append(action)
                case Cell():
                    cells.append(action)
                case Step():
                    latest = apply_operations(latest, action.operations)
                    good = good if action.rejected else latest


def read_corpus(folder: Path = CORPUS) -> list[Scenario]:
    """Return all scenarios of a folder, by name."""
    return [read_scenario(path.read_text("utf-8"), path.stem) for path in sorted(folder.glob("*.scn"))]


def read_scenario(text: str, name: str) -> Scenario:
    """Read one scenario.

    Raises:
        ValueError: a header key or a probe is missing, or a substitution finds nothing to replace.
    """
    head, *sections = ("\n" + text).split("\n--- ")
    pairs = [line.partition(":") for line in head.splitlines() if line.strip() and not line.startswith("#")]
    header = {key.strip(): value.strip() for key, _, value in pairs}
    missing = {"category", "set", "source"} - header.keys()
    if missing:
        raise ValueError(f"{name}: the header lacks {', '.join(sorted(missing))}")
    reader = _Reader(name)
    for section in sections:
        title, _, body = section.partition("\n")
        reader.read(title.split(), body.strip("\n"))
    scenario = Scenario(name, header, reader.files, tuple(reader.actions))
    if not scenario.probes:
        raise ValueError(f"{name}: no probes")
    return scenario


@dataclass(slots=True)
class _Reader:
    """Reads the sections of one scenario, one after the other."""

    name: str
    files: dict[str, str] = field(default_factory=dict)
    actions: list[Any] = field(default_factory=list)
    _texts: dict[str, str] = field(default_factory=dict)
    _is_open: bool = False  # whether the next edit belongs to the step before it

    def read(self, title: list[str], body: str) -> None:
        """Read one section: its title in words, and its text."""
        match title:
            case ["file", path, *options]:
                self._texts[path] = body
                self.files[path] = _encode(body, _options(options))
            case ["symlink", link, target]:
                self.files[link] = f"-> {target}"
            case ["cell"]:
                self._add(Cell(body))
            case ["probe"]:
                for line in body.splitlines():
                    self._read_probe(line)
            case ["probe", "block"]:
                self._add(Probe(body))
            case ["step"]:
                self._is_open = False
            case [kind, path, *words]:
                self._edit(self._operation(kind, path, words, body), rejected="!rejected" in words)
            case _:
                raise ValueError(f"{self.name}: what is --- {' '.join(title)}?")

    def _read_probe(self, line: str) -> None:
        code, by_hand, rest = line.partition(" ==> ")
        if code.strip():
            self._add(Probe(code.strip(), rest.partition(" ## ")[0].strip() if by_hand else None))

    def _add(self, action: Cell | Probe) -> None:
        self.actions.append(action)
        self._is_open = False

    def _edit(self, operation: dict[str, str], *, rejected: bool) -> None:
        if self._is_open:
            step = self.actions.pop()
            self.actions.append(Step((*step.operations, operation), step.rejected or rejected))
        else:
            self.actions.append(Step((operation,), rejected))
            self._is_open = True

    def _operation(self, kind: str, path: str, words: list[str], body: str) -> dict[str, str]:
        if kind in ("delete", "move", "retarget"):
            if kind == "move":
                moved = [known for known in self._texts if known == path or known.startswith(path + "/")]
                self._texts |= {words[0] + known[len(path) :]: self._texts[known] for known in moved}
            return {"kind": kind, "path": path, "to": words[0] if words else ""}
        options = _options(words)
        text = self._substituted(path, body) if kind == "sub" else body
        if "!rejected" not in options:
            self._texts[path] = text
        data = _encode(text, options)
        return {"kind": "write", "path": path, "data": data, "mtime": options.get("mtime", "next")} | (
            {"atomic": "yes"} if "atomic" in options else {}
        )

    def _substituted(self, path: str, body: str) -> str:
        text = self._texts[path]
        for line in body.splitlines():
            old, _, new = line.partition(" => ")
            if old not in text:
                raise ValueError(f"{self.name}: {old!r} is not in {path}")
            text = text.replace(old, new)
        return text


def _options(words: list[str]) -> dict[str, str]:
    return {key: value for key, _, value in (word.partition("=") for word in words)}


def _encode(text: str, options: Mapping[str, str]) -> str:
    data = (text + "\n" if text else "").encode(options.get("encoding", "utf-8"))
    return base64.b64encode((b"\xef\xbb\xbf" if "bom" in options else b"") + data).decode()


def apply_operations(files: Files, operations: tuple[dict[str, str], ...]) -> dict[str, str]:
    """Return the files after a step."""
    after = dict(files)
    for operation in operations:
        path = operation["path"]
        inside = [known for known in after if known == path or known.startswith(path + "/")]
        match operation["kind"]:
            case "write":
                after[path] = operation["data"]
            case "delete":
                for known in inside:
                    del after[known]
            case "move":
                for known in inside:
                    after[operation["to"] + known[len(path) :]] = after.pop(known)
            case _:
                after[path] = f"-> {operation['to']}"
    return after
