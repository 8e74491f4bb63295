"""What a forked child does with its parent's watches."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.reloading.scripts import run_script

if sys.platform != "linux":
    pytest.skip("inotify is Linux's", allow_module_level=True)


def test_forked_child(tmp_path: Path) -> None:
    """A forked child takes none of its parent's events, and notices what changes by a descriptor of its own."""
    run_script(
        """
        follow()
        project.write(paths[3], "before the fork")
        ready, go = os.pipe(), os.pipe()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                for end in (ready[0], go[1]):
                    os.close(end)
                assert not inotify_descriptors()
                assert watch.suspects().everything
                assert len(inotify_descriptors()) == 1
                os.write(ready[1], b"x")
                os.read(go[0], 1)
                assert project.look() == {paths[4]}, "in the child"
                assert not watch.suspects()
                status = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(status)
        for end in (ready[1], go[0]):
            os.close(end)
        os.read(ready[0], 1)
        project.write(paths[4], "after the fork")
        os.write(go[1], b"x")
        assert os.waitpid(child, 0)[1] == 0
        assert project.look() == {paths[3], paths[4]}, "in the parent"
        """,
        tmp_path,
    )


def test_forked_while_locked(tmp_path: Path) -> None:
    """A child that was forked while another thread was asking can ask as well."""
    run_script(
        """
        import warnings
        warnings.simplefilter("ignore", DeprecationWarning)  # a fork with threads is what this is about
        follow()
        watch._lock.acquire()
        child = os.fork()
        if child == 0:
            os._exit(0 if watch.suspects().everything else 1)
        assert os.waitpid(child, 0)[1] == 0
        """,
        tmp_path,
    )
