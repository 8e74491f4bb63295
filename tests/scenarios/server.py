"""Runs sessions for the scenarios: a process that has IPython loaded forks one child for each.

`python server.py MODE [LIBRARIES]` reads jobs from its standard input, one JSON object a line, and answers each with
a line of JSON: what the probes showed, what failed, and what the session printed. The modes: `fresh` has no extension
of ours, `auto` turns `%exoauto` on, `explicit` loads with `%%exoload` and reloads with `%exoreload --migrate` after
each edit, `tracked` turns `%exoauto` on with `c.Exocet.instances = "track"` and types `%exomigrate --rebuild` after
each edit. `late` is `auto`, loaded after the first cells of imports. With `LIBRARIES` the children share large
libraries as well; without them each heap is small, and looking over it cheap.
Not imported by the tests: it needs nothing but IPython and the project.
"""

from __future__ import annotations

import base64
import contextlib
import importlib
import json
import os
import re
import select
import shutil
import signal
import sys
import sysconfig
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_PRELUDES = {
    "fresh": (),
    "auto": ("%load_ext exocet_ipython", "%exoauto on"),
    "explicit": ("%load_ext exocet_ipython",),
    "late": ("%load_ext exocet_ipython", "%exoauto on"),
    "tracked": ("%load_ext exocet_ipython", "%exoauto on", '%config Exocet.instances = "track"'),
}
# Cells after each step; in `tracked` the first one is what reloads before it runs.
_AFTER_STEP = {"explicit": ("%exoreload --migrate",), "tracked": ("pass", "%exomigrate --rebuild")}
# What the scenarios and the shell import, loaded once in the parent: the children share it.
_ALWAYS = (
    "IPython.core.magics.extension",
    "asyncio",
    "doctest",
    "hashlib",
    "html",
    "inotify_simple",
    "inspect",
    "logging",
    "pickle",
)
_LIBRARIES = (
    "attr",
    "attrs",
    "pydantic",
    "sqlalchemy.orm",
    "numpy",
    "pandas",
)
_AGE = 5000  # seconds: the files are as old as a person's files are when they start to work
_STEP = 10  # seconds between two saves, by the time stamps


class Disk:
    """The folder of one scenario, with time stamps that it chooses itself."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._clock = int(time.time()) - _AGE + 0.25

    def lay_out(self, files: Mapping[str, str]) -> None:
        """Write the first files."""
        for path, data in files.items():
            if data.startswith("-> "):
                self._link(path, data.removeprefix("-> "))
            else:
                self._write(path, data, self._clock)

    def apply(self, operations: Sequence[Mapping[str, str]]) -> None:
        """Do what is saved in one step."""
        self._clock += _STEP
        for operation in operations:
            path = self.root / operation["path"]
            match operation["kind"]:
                case "write":
                    stamp = self._stamp(path, operation["mtime"])
                    self._write(operation["path"], operation["data"], stamp, atomic="atomic" in operation)
                case "delete":
                    if path.is_dir():
                        shutil.rmtree(path)
                    else:
                        path.unlink()
                case "move":
                    target = self.root / operation["to"]
                    target.parent.mkdir(parents=True, exist_ok=True)
                    path.rename(target)
                case _:
                    path.unlink()
                    self._link(operation["path"], operation["to"])

    def _stamp(self, path: Path, kind: str) -> float:
        if kind == "next":
            return self._clock
        return path.stat().st_mtime + {"same-second": 0.4, "exact": 0.0, "older": -3000.0}[kind]

    def _write(self, name: str, data: str, stamp: float, *, atomic: bool = False) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        written = path.with_name(path.name + ".tmp") if atomic else path
        written.write_bytes(base64.b64decode(data))
        os.utime(written, (stamp, stamp))
        if atomic:
            written.replace(path)

    def _link(self, name: str, target: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)


def run_session(shell: Any, job: Mapping[str, Any], mode: str) -> dict[str, Any]:
    """Run one notebook in a shell and return what its probes showed."""
    root = Path(job["root"])
    disk = Disk(root)
    disk.lay_out(job["files"])
    folder = root / job["path"]
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    shown: list[str] = []
    failed: list[str] = []

    def run(code: str) -> Any:
        result = shell.run_cell(code, store_history=True)
        error = result.error_before_exec or result.error_in_exec
        return result, error

    def run_cell(code: str) -> None:
        _, error = run(code)
        if error is not None:
            failed.append(f"{code.splitlines()[0]}: {error!r}")

    sys.dont_write_bytecode &= mode != "late"  # the `.pyc` files say what has run
    for action in _with_prelude(job["actions"], mode):
        match action:
            case {"probe": str(code)}:
                result, error = run(code)
                shown.append(_describe(result.result, error, job["root"]))
            case {"cell": str(code)}:
                run_cell(f"%%exoload\n{code}" if mode == "explicit" and action["imports"] else code)
            case {"step": list(operations)}:
                disk.apply(operations)
                for line in _AFTER_STEP.get(mode, ()):
                    run_cell(line)
    return {"shown": shown, "failed": failed}


def _with_prelude(actions: list[Any], mode: str) -> list[Any]:
    """Return what a notebook does, with the cells of a mode before all else, or after the first cells of imports."""
    place = next(place for place, action in enumerate(actions) if not action.get("imports")) if mode == "late" else 0
    prelude = [{"cell": line, "imports": False} for line in _PRELUDES[mode]]
    return [*actions[:place], *prelude, *actions[place:]]


def _describe(value: Any, error: BaseException | None, root: str) -> str:
    """Return how a probe's outcome looks, without addresses and the name of the temporary folder."""
    if error is not None:
        return f"raises {type(error).__name__}"
    try:
        text = repr(value)
    except Exception as problem:  # noqa: BLE001 - a repr that fails is an outcome as well
        return f"repr raises {type(problem).__name__}"
    return re.sub(r"0x[0-9a-f]{6,}", "0x...", text.replace(root, "<ROOT>"))


def _make_shell() -> Any:
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    config = Config({"HistoryManager": {"enabled": False}, "InteractiveShell": {"colors": "nocolor"}})
    return InteractiveShell.instance(config=config)


def _answer(shell: Any, job: Mapping[str, Any], mode: str) -> dict[str, Any]:
    """Fork a child for one session and return its answer."""
    log = Path(job["root"] + ".log")
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        os.close(reading)
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        sys.stdout = sys.stderr = open(1, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
        try:
            answer = run_session(shell, job, mode)
        except BaseException as error:  # noqa: BLE001 - the session itself failed: the answer says so
            answer = {"shown": [], "failed": [f"the session failed: {error!r}"]}
        with os.fdopen(writing, "w", encoding="utf-8") as pipe:
            json.dump(answer, pipe)
        os._exit(0)  # no exit functions: what the parent registered is the parent's
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        done = bool(select.select([pipe], [], [], float(job["timeout"]))[0])
        if not done:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
        text = pipe.read()
    os.waitpid(child, 0)
    answer = json.loads(text) if text else {"shown": [], "failed": ["the session timed out" if not done else "it died"]}
    return {**answer, "log": log.read_text("utf-8", "replace") if log.exists() else ""}


def main(mode: str, kind: str = "") -> None:
    """Answer jobs until the input ends."""
    for name in (*_ALWAYS, *(_LIBRARIES if kind else ())):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    sysconfig.get_paths()  # it reads a file for the first one that asks
    if mode != "fresh":
        importlib.import_module("exocet_ipython.notebook.shell")
        with contextlib.suppress(ImportError, OSError):
            importlib.import_module("inotify_simple").INotify().close()  # the first one looks for the C library
    here = str(Path(__file__).parent)
    sys.path[:] = [entry for entry in sys.path if entry != here]
    shell = _make_shell()  # once, for all children: a quarter of what a session costs
    for line in sys.stdin:
        print(json.dumps(_answer(shell, json.loads(line), mode)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
