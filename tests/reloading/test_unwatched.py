"""What inotify can't watch: limits that are reached, and file systems that may not report."""

from __future__ import annotations

import os
import sys
import tempfile
import textwrap
from pathlib import Path

import pytest

from exocet_ipython.reloading.noticing.mounts import read_mounts
from tests.reloading.scripts import namespaces, run_script

if sys.platform != "linux":
    pytest.skip("inotify is Linux's", allow_module_level=True)


def test_no_instances_left(tmp_path: Path) -> None:
    """Where the user's limit of instances is reached, all is swept, and said."""
    run_script(
        """
        Path("/proc/sys/user/max_inotify_instances").write_text("0")
        follow()
        assert "max_user_instances" in watch.limits[0], watch.limits
        assert not watch.suspects()
        project.write(paths[3], "new")
        project.write("p0/new.py", "")
        assert project.detector.suspects().appeared
        assert project.look() == {paths[3]}
        """,
        tmp_path,
        prefix=namespaces(),
    )


def test_no_descriptors_left(tmp_path: Path) -> None:
    """Where the process may open no more files at that moment, all is swept, and said."""
    run_script(
        """
        import inotify_simple
        from tests.reloading.followed_project import take_snapshot
        inotify_simple.INotify().close()  # loads the C library, for which a file is opened
        snapshot = take_snapshot(project.write("a.py", "old"), "a.py", settled=True)
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
        watch.follow([snapshot])
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        assert "Too many open files" in watch.limits[0], watch.limits
        project.write("a.py", "new")
        assert watch.suspects().names == {"a.py"}
        """,
        tmp_path,
    )


@pytest.mark.parametrize("limit", [0, 3, 10, 25])
def test_no_watches_left(tmp_path: Path, limit: int) -> None:
    """Where the user's limit of watches is reached, what is not watched is swept, and said, wherever the limit hits."""
    run_script(
        """
        Path("/proc/sys/user/max_inotify_watches").write_text(sys.argv[2])
        follow()
        assert "max_user_watches" in watch.limits[0], watch.limits
        assert not watch.suspects()
        for path in paths[:20]:
            project.write(path, "new")
            assert path in project.look()
            project.replace(path, "newer")
            assert path in project.look()
        project.write("p0/new.py", "")
        assert watch.suspects().appeared
        watch.follow(())
        assert watch.limits == ()
        """,
        tmp_path,
        limit,
        prefix=namespaces(),
    )


MOUNTS = """
import subprocess

def mount(kind, where, *options):
    where.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", kind, *options, "none", str(where)], check=True)
"""


def test_file_system_that_may_not_report(tmp_path: Path) -> None:
    """On a file system that isn't known to report, files and folders are swept, beside others that are watched."""
    run_script(
        MOUNTS
        + textwrap.dedent("""
        mount("ramfs", project.folder / "share")
        project.write("a.py", "old")
        project.write("share/pkg/b.py", "old")
        (project.folder / "link.py").symlink_to("share/pkg/b.py")
        (project.folder / "linked").symlink_to("share")
        project.follow("a.py", folders=[project.folder])
        assert watch.limits == ()
        project.follow("a.py", "share/pkg/b.py", "link.py", "linked/pkg/b.py")
        assert len(watch.limits) == 1 and "not known to report" in watch.limits[0], watch.limits
        assert not watch.suspects()
        project.write("share/pkg/b.py", "new")
        assert project.look() == {"share/pkg/b.py", "link.py", "linked/pkg/b.py"}
        project.write("a.py", "new")
        assert "a.py" in project.look()
        project.write("share/pkg/c.py", "")
        assert watch.suspects().appeared
        (project.folder / "link.py").unlink()
        project.write("link.py", "on the file system that reports")
        (project.folder / "linked").unlink()
        project.write("linked/pkg/b.py", "here as well")
        assert {"link.py", "linked/pkg/b.py"} <= project.look()
        project.write("link.py", "on the file system that reports, watched by now")
        assert "link.py" in project.look()
        (project.folder / "a.py").unlink()
        (project.folder / "a.py").symlink_to("share/pkg/b.py")
        assert "a.py" in project.look()
        project.write("share/pkg/b.py", "newer")
        assert "a.py" in project.look()
        del project.loaded["share/pkg/b.py"], project.loaded["a.py"]
        project.follow("link.py")
        assert watch.limits == ()
        """),
        tmp_path,
        prefix=namespaces("--mount"),
    )


def test_file_mounted_by_itself(tmp_path: Path) -> None:
    """A single file from a file system that isn't known to report, mounted as containers do it, is swept."""
    run_script(
        MOUNTS
        + textwrap.dedent("""
        mount("ramfs", project.folder / "share")
        source, target = project.write("share/real.py", "old"), project.write("pkg/a.py", "")
        subprocess.run(["mount", "--bind", str(source), str(target)], check=True)
        project.follow("pkg/a.py")
        assert "not known to report" in watch.limits[0]
        source.write_text("new")
        assert project.look() == {"pkg/a.py"}
        """),
        tmp_path,
        prefix=namespaces("--mount"),
    )


def test_mounted_over(tmp_path: Path) -> None:
    """What is mounted over a followed folder is no event: it is found at a cell that follows a second without one."""
    run_script(
        MOUNTS
        + textwrap.dedent("""
        now = 0.0
        watch = InotifyWatch(lambda: now)
        project = FollowedProject(watch, Path(sys.argv[1]))
        project.write("pkg/a.py", "old")
        project.follow("pkg/a.py")
        watch.suspects()
        mount("tmpfs", project.folder / "pkg")
        project.write("pkg/a.py", "mounted")
        now = 2.0
        assert watch.suspects().everything
        project.write("pkg/a.py", "and written")
        assert project.look() == {"pkg/a.py"}
        """),
        tmp_path,
        prefix=namespaces("--mount"),
    )


def test_unmounted(tmp_path: Path) -> None:
    """When a file system goes, its files are suspected, and those that its folder held before are followed."""
    run_script(
        MOUNTS
        + textwrap.dedent("""
        project.write("pkg/a.py", "below")
        mount("tmpfs", project.folder / "pkg")
        project.write("pkg/a.py", "above")
        project.follow("pkg/a.py", folders=[project.folder])
        subprocess.run(["umount", str(project.folder / "pkg")], check=True)
        assert project.look() == {"pkg/a.py"}
        project.write("pkg/a.py", "below, written")
        assert watch.suspects().names == {"pkg/a.py"}
        """),
        tmp_path,
        prefix=namespaces("--mount"),
    )


def test_overlay(tmp_path: Path) -> None:
    """A container's root reports what happens in it, the first write to a file of a lower layer included."""
    run_script(
        MOUNTS
        + textwrap.dedent("""
        mount("tmpfs", project.folder)
        for path in ("a.py", "b.py", "c.py", "deep/d.py"):
            project.write("lower/pkg/" + path, "old")
        os.link(project.folder / "lower/pkg/c.py", project.folder / "lower/pkg/c2.py")
        for folder in ("upper", "work"):
            (project.folder / folder).mkdir()
        layers = ",".join(f"{kind}dir={project.folder / kind}" for kind in ("lower", "upper", "work"))
        mount("overlay", project.folder / "root", "-o", layers)
        files = ["root/pkg/" + name for name in ("a.py", "b.py", "c.py", "deep/d.py")]
        project.follow(*files)
        assert watch.limits == ()
        project.write(files[0], "NEW")
        assert project.look() == {files[0]}
        project.write(files[0], "newer")
        assert files[0] in project.look()
        project.replace(files[1], "new")
        assert files[1] in project.look()
        project.write(files[2], "new")
        assert files[2] in project.look()
        (project.folder / "root/pkg/deep/d.py").rename(project.folder / "root/pkg/deep/e.py")
        assert files[3] in project.look()
        """),
        tmp_path,
        prefix=namespaces("--mount"),
    )


def test_unreadable_folder_above() -> None:
    """A folder above that may be passed and not read, such as /home on shared machines, costs no watch below it."""
    if os.geteuid() != 0:
        pytest.skip("root alone can become somebody who may not read a folder")
    script = """
        import subprocess
        import inotify_simple

        home = Path(sys.argv[1], "home")
        home.parent.chmod(0o755)
        path = project.write("home/me/a.py", "old")
        project.write("elsewhere/a.py", "elsewhere")
        (home / "link").symlink_to("me")
        for owned in (path.parent, path):
            os.chown(owned, 65534, 65534)
        home.chmod(0o711)
        # One who goes on being root, and does what is read from a pipe.
        shell = ["sh", "-c", "while read -r line; do eval $line; echo done; done"]
        root = subprocess.Popen(shell, cwd=home, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

        def do_as_root(command):
            root.stdin.write(command + chr(10))
            root.stdin.flush()
            assert root.stdout.readline() == "done" + chr(10)

        import hashlib
        inotify_simple.INotify().close()  # what this imports, and hashlib, may be out of reach soon
        os.setgid(65534)
        os.setuid(65534)
        project.follow("home/me/a.py")
        assert watch.limits == (), watch.limits
        project.write("home/me/a.py", "new")
        assert project.look() == {"home/me/a.py"}
        path.chmod(0)
        assert watch.suspects().names
        assert [change.kind for change in watch.changed(project.loaded.values())] == ["unreadable"]
        path.chmod(0o644)
        assert project.look() == {"home/me/a.py"}
        project.reload("home/me/a.py")
        project.look()
        do_as_root("mv me before; cp -r ../elsewhere me")
        assert project.look() == {"home/me/a.py"}, "its folder renamed where that can't be watched"
        project.reload("home/me/a.py")
        project.look()
        project.follow("home/link/a.py")
        assert "can't be read" in watch.limits[0]
        do_as_root("ln -sfn before link")
        assert project.look() == {"home/link/a.py"}, "a link pointed elsewhere where that can't be watched"
        root.stdin.close()
        root.wait()
        root.stdout.close()
        """
    with tempfile.TemporaryDirectory() as folder:  # pytest's own is out of everybody's reach
        run_script(script, folder)


def test_mount_table(tmp_path: Path) -> None:
    """The table of mounts is read with its escapes; without one, nothing is known to report."""
    table = tmp_path / "mountinfo"
    table.write_text(
        "27 1 254:0 / / rw,relatime shared:1 master:2 - ext4 /dev/vda rw\n"
        "30 27 0:27 / /mnt/my\\040share rw - cifs //host/share rw\n"
    )
    mounts = read_mounts(str(table))
    assert mounts.system_of("/home/me") == "ext4"
    assert mounts.system_of("/mnt/my share/a.py") == "cifs"
    assert mounts.system_of("/mnt/my share", os.makedev(254, 0)) == "ext4"
    assert mounts.foreign_file("/mnt", "my share")
    assert read_mounts(str(tmp_path / "none")).system_of("/") == ""
