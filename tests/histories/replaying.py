"""Replaying release upgrades: each session in a process of its own, and the comparison of what two of them say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import exocet_ipython
from tests.histories.releases import Replay

__all__ = ["Mode", "Outcome", "compare", "differences", "run_session"]

Mode = Literal["fresh", "auto", "explicit"]
Outcome = dict[str, Any]
_SESSION = Path(__file__).with_name("session.py")
_PROJECT = Path(exocet_ipython.__file__).parents[1]
_SECONDS = 180


def run_session(replay: Replay, mode: Mode, folder: Path, releases: Path) -> Outcome:
    """Run one session in a process of its own; return what it came to, with its output as `log`.

    Args:
        replay: which releases of which package.
        mode: whether it lives through the change, and by which way of reloading, or begins after it.
        folder: an empty folder to work in.
        releases: where the releases are unpacked.

    Raises:
        subprocess.TimeoutExpired: it took too long.
    """
    history = replay.history
    beside = [str(releases / requirement) for requirement in history.beside]
    laid = [str(releases / f"{history.package}=={one}") for one in (replay.before, *replay.between, replay.after)]
    project = folder / "project"
    project.mkdir()
    job = {
        "mode": mode,
        "folder": str(project.resolve()),
        "roots": history.roots,
        "numbered": history.numbered,
        "counters": history.counters,
        "cells": history.notebook.split("# %%\n"),
        "laid": [[release, *beside] for release in laid],
    }
    question, answer = folder / "job.json", folder / "answer.json"
    question.write_text(json.dumps(job), "utf-8")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV_"))},
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": str(_PROJECT),
        "PYTHONWARNINGS": "ignore",
        "PYTHONDONTWRITEBYTECODE": "",  # as people have it: a `.pyc` proves what a module ran from
        "IPYTHONDIR": str(folder / "ipython"),
        "COLUMNS": "80",
    }
    done = subprocess.run(
        [sys.executable, str(_SESSION), str(question), str(answer)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        cwd=folder,
        text=True,
        errors="replace",
        timeout=_SECONDS,
        check=False,
    )
    outcome: Outcome = {"failed": [f"the session died: {done.returncode}"]}
    if answer.exists():
        outcome = json.loads(answer.read_text("utf-8"))
    return {**outcome, "log": done.stdout}


def compare(truth: Outcome, live: Outcome) -> list[str]:
    """Return what is not in the live session as it is in the fresh one, one difference a line."""
    if live["failed"]:
        return [f"a cell failed: {text}" for text in live["failed"]]
    lost = sorted(set(truth["loaded"]) - set(live["loaded"]))
    return [*(f"{name} is not loaded any more" for name in lost), *differences(truth["compared"], live["compared"])]


def differences(want: Any, got: Any, path: str = "") -> Iterator[str]:
    """Yield the differences of plain data, each with its path.

    >>> list(differences({"a": [1, 2], "b": 3}, {"a": [1, 5], "c": 4}))
    [' / a / 1: want 2, got 5', ' / b: want 3, got nothing', ' / c: want nothing, got 4']
    """
    if isinstance(want, dict) and isinstance(got, dict):
        for key in sorted(want.keys() | got.keys()):
            if key not in got:
                yield f"{path} / {key}: want {_short(want[key])}, got nothing"
            elif key not in want:
                yield f"{path} / {key}: want nothing, got {_short(got[key])}"
            else:
                yield from differences(want[key], got[key], f"{path} / {key}")
    elif isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        for place, (first, second) in enumerate(zip(want, got, strict=True)):
            yield from differences(first, second, f"{path} / {place}")
    elif want != got:
        yield f"{path}: want {_short(want)}, got {_short(got)}"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 300 else f"{text[:300]} ... ({len(text)} characters)"
