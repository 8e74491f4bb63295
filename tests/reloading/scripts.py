"""Tests that need a process of their own: for forks, limits and mounts."""

from __future__ import annotations

import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# What each script starts with: `project` in the folder it was given, with 30 files of which 20 are followed.
PRELUDE = """
import os, resource, sys, traceback
from pathlib import Path
from exocet_ipython.reloading.noticing.watch import InotifyWatch
from tests.reloading.followed_project import FollowedProject, inotify_descriptors

watch = InotifyWatch()
project = FollowedProject(watch, Path(sys.argv[1]))
paths = [f"p{count % 3}/m{count}.py" for count in range(30)]

def follow():
    for path in paths:
        project.write(path, "old")
    project.follow(*paths[:20])
"""


def run_script(script: str, *arguments: object, prefix: tuple[str, ...] = ()) -> None:
    """Run a script in a process of its own, after the prelude; its assertions are the test's."""
    command = [*prefix, sys.executable, "-W", "error", "-c", PRELUDE + textwrap.dedent(script), *map(str, arguments)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 0, run.stdout + run.stderr


def namespaces(*kinds: str) -> tuple[str, ...]:
    """Return a command that gives a script limits and mounts of its own, so that the machine's are left alone."""
    prefix = ("unshare", "--user", "--map-root-user", *kinds)
    if (
        shutil.which("unshare") is None
        or subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("this system gives no user namespaces")
    return prefix
