"""CPython's own tests, run against isolated copies of the modules that they test."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.proof

RUNNER = Path(__file__).with_name("cpython_suite.py")

# At least so many tests ran on each of Python 3.11 to 3.13: a suite that finds fewer has lost tests on the way.
SUITES = {
    "test.test_json": ("json", 150),
    "test.test_dataclasses": ("dataclasses", 200),
    "test.test_enum": ("enum", 500),
    "test.test_typing": ("typing", 500),
    "test.test_argparse": ("argparse", 1500),
}

# A published limit: a copy sees what was put into `builtins` only at its next import statement. These tests patch
# `builtins.open` and then call a function of the copy that opens a file without importing anything.
BUILTINS_PATCHED = {"test.test_argparse.TestFileTypeOpenArgs.test_open_args"}


@pytest.mark.parametrize("suite", SUITES)
def test_suite_gives_the_same_result_on_a_copy(suite: str) -> None:
    """A suite of CPython runs as many tests on an isolated copy as on the regular module, with the same outcome."""
    if importlib.util.find_spec("test") is None or importlib.util.find_spec(suite) is None:
        pytest.skip(f"this Python ships no {suite}")
    module, least = SUITES[suite]
    plain, copy = run_suite(suite, module, "plain"), run_suite(suite, module, "copy")

    assert copy["run"] == plain["run"] >= least, copy["details"]
    assert copy["failures"] == plain["failures"], copy["details"]
    assert set(copy["errors"]) - BUILTINS_PATCHED == set(plain["errors"]), copy["details"]
    assert BUILTINS_PATCHED & set(copy["errors"]) == {name for name in BUILTINS_PATCHED if name.startswith(suite + ".")}
    assert copy["skipped"] == plain["skipped"]
    assert copy["names of the copy"] > 0, "the suite never got the copy"
    assert copy["names of the regular module"] == 0, "the suite got the regular module"


def run_suite(suite: str, module: str, kind: str) -> dict[str, Any]:
    """Run a suite in a fresh Python and return the outcome that `cpython_suite.py` describes."""
    environment = {**os.environ, "PYTHONPATH": str(RUNNER.parents[2])}
    command = [sys.executable, str(RUNNER), suite, module, kind]
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    outcome: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return outcome
