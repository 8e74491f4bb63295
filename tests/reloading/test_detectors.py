"""Noticing changes on disk: the same properties for every detector."""

from __future__ import annotations

import mmap
import os
import random
import zipfile
from pathlib import Path

import pytest

from exocet_ipython.loading.source import Snapshot
from exocet_ipython.reloading.noticing.changes import Detector
from tests.reloading.followed_project import (
    VIM_SAVE,
    Act,
    FollowedProject,
    links,
    makes,
    moves,
    overwrites,
    points,
    removes,
    replaces,
    take_snapshot,
    writes,
)


def append_without_closing(project: FollowedProject) -> None:
    """Write to a file that stays open."""
    stream = project.held.enter_context((project.folder / "pkg/a.py").open("a"))
    stream.write("more")
    stream.flush()


def write_mapping(project: FollowedProject) -> None:
    """Write through a mapping that goes at once."""
    with (project.folder / "pkg/a.py").open("r+b") as stream, mmap.mmap(stream.fileno(), 0) as mapping:
        mapping[:3] = b"new"


def truncate(project: FollowedProject) -> None:
    """Make a file empty."""
    os.truncate(project.folder / "pkg/a.py", 0)


def set_time_back(project: FollowedProject) -> None:
    """Write a text of the same size and set the time stamp back, as an archive's unpacking does."""
    path = project.folder / "pkg/a.py"
    before = path.stat()
    path.write_text("OLD")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


CHANGES: dict[str, tuple[Act, ...]] = {
    "written in place": (writes("pkg/a.py", "in place"),),
    "of the same size": (writes("pkg/a.py", "OLD"),),
    "of the same size and time": (set_time_back,),
    "replaced by a rename": (replaces("pkg/a.py"),),
    "appended by a stream that stays open": (append_without_closing,),
    "truncated": (truncate,),
    "written through a mapping": (write_mapping,),
    "deleted": (removes("pkg/a.py"),),
    "deleted and written again": (removes("pkg/a.py"), writes("pkg/a.py")),
    "renamed": (moves("pkg/a.py", "pkg/b.py"),),
    "saved by vim": VIM_SAVE,
    "its folder deleted": (removes("pkg"),),
    "its folder deleted and made again": (removes("pkg"), writes("pkg/a.py")),
    "its folder renamed": (moves("pkg", "before"),),
    "its folder renamed and made again": (moves("pkg", "before"), writes("pkg/a.py")),
    "its folder exchanged": (
        writes("other/a.py"),
        moves("pkg", "aside"),
        moves("other", "pkg"),
        moves("aside", "other"),
    ),
    "its folder replaced by a link": (writes("else/a.py"), moves("pkg", "before"), points("pkg", "else")),
    "an ancestor renamed and made again": (moves(".", "../before"), writes("pkg/a.py")),
}


@pytest.mark.parametrize("change", CHANGES)
def test_change_is_noticed_at_once(project: FollowedProject, change: str) -> None:
    """Whatever way a file's text changes, the very next question finds it."""
    project.do(writes("pkg/a.py", "old"), writes("pkg/same.py"))
    project.follow("pkg/a.py")
    assert not project.detector.suspects()
    project.do(*CHANGES[change])
    assert project.look() == {"pkg/a.py"}


@pytest.mark.parametrize("change", CHANGES)
def test_change_is_noticed_again(project: FollowedProject, change: str) -> None:
    """After any change the file is followed as before: what is saved next is found, and nothing that isn't there."""
    project.write("pkg/a.py", "old")
    project.follow("pkg/a.py")
    project.do(*CHANGES[change])
    project.look()
    project.write("pkg/a.py", "first")
    assert project.look() == {"pkg/a.py"}
    project.reload("pkg/a.py")
    assert project.look() == set()
    project.write("pkg/a.py", "again")
    assert project.look() == {"pkg/a.py"}


@pytest.mark.parametrize("change", CHANGES)
def test_change_before_the_first_question(project: FollowedProject, change: str) -> None:
    """What changes between following and the first question is found by it, as well as an entry that appears."""
    project.do(writes("pkg/a.py", "old"), writes("pkg/same.py"), makes("far"))
    project.follow("pkg/a.py", "pkg/same.py", folders=[project.folder / "far"])
    project.do(*CHANGES[change], writes("far/new.py"))
    suspicion = project.detector.suspects()
    assert "pkg/a.py" in suspicion.names or suspicion.everything
    assert suspicion.appeared


def test_entry_appears_before_the_first_question(project: FollowedProject) -> None:
    """A module that appears beside one that was followed a moment ago is noticed."""
    project.write("pkg/a.py", "old")
    project.follow("pkg/a.py")
    project.write("pkg/new.py", "new")
    suspicion = project.detector.suspects()
    assert suspicion.appeared
    assert suspicion.stems == frozenset({"new"})


LINKED = (writes("store/a.txt", "old"), writes("store/b.txt"), makes("pkg"), points("pkg/a.py", "../store/a.txt"))
VERSIONS = (writes("v1/pkg/a.py", "old"), writes("v2/pkg/a.py"), points("current", "v1"))

# How files are arranged, and what then happens to a link or its target.
LINKS: dict[str, tuple[tuple[Act, ...], tuple[Act, ...]]] = {
    "another hard link is written": (
        (writes("pkg/a.py", "old"), links("hard.txt", "pkg/a.py")),
        (overwrites("hard.txt", "other"),),
    ),
    "the target of a link is written": (LINKED, (writes("store/a.txt"),)),
    "the target of a link is replaced": (LINKED, (replaces("store/a.txt"),)),
    "a link is pointed elsewhere": (LINKED, (points("pkg/a.py", "../store/b.txt"),)),
    "a link in between is pointed elsewhere": (
        (*LINKED, points("x/middle", "../store/a.txt"), points("pkg/a.py", "../x/middle")),
        (points("x/middle", "../store/b.txt"),),
    ),
    "the folder of a link's target is renamed": (LINKED, (moves("store", "before"),)),
    "an ancestor link is pointed elsewhere": (VERSIONS, (points("current", "v2"),)),
    "an ancestor link is deleted and made": (VERSIONS, (removes("current"), points("current", "v2"))),
    "the target of an ancestor link is exchanged": (VERSIONS, (moves("v1", "v0"), moves("v2", "v1"))),
    "a link of a link is pointed elsewhere": (
        (*VERSIONS, points("stable", "v1"), makes("sub"), points("current", "sub/../stable")),
        (points("stable", "v2"),),
    ),
}


@pytest.mark.parametrize("case", LINKS)
def test_links_are_followed(project: FollowedProject, case: str) -> None:
    """A file is what its path leads to: what happens to any link on the way, or to its target, is noticed at once."""
    arrange, change = LINKS[case]
    project.do(*arrange)
    path = "current/pkg/a.py" if arrange[: len(VERSIONS)] == VERSIONS else "pkg/a.py"
    project.follow(path)
    assert not project.detector.suspects()
    project.do(*change)
    assert project.look() == {path}


def test_later_hard_link(project: FollowedProject) -> None:
    """A hard link that is made after the file was followed hides no write."""
    project.do(writes("a.py", "old"), writes("../far/b.txt"))
    project.follow("a.py")
    project.do(links("../far/a.txt", "a.py"))
    project.look()
    project.do(overwrites("../far/a.txt", "new"))
    assert project.look() == {"a.py"}


def test_dangling_link_gets_a_target(project: FollowedProject) -> None:
    """A file that was followed and lost comes back by way of a folder that was only linked to."""
    project.do(writes("v1/a.py", "old"), points("current", "v1"))
    project.follow("current/a.py")
    project.point("current", "v2")
    assert project.look() == {"current/a.py"}
    assert not project.detector.suspects()
    project.write("v2/a.py", "new")
    assert project.look() == {"current/a.py"}


def test_many_files(project: FollowedProject) -> None:
    """Of 300 files in 30 folders, those are suspected that were saved, however they were saved."""
    chance = random.Random(3)  # noqa: S311 - not for secrets
    paths = [f"p{count % 30}/m{count}.py" for count in range(300)]
    for path in paths:
        project.write(path, "old")
    project.follow(*paths)
    for round_ in range(20):
        saved = chance.sample(paths, 17)
        for path in saved:
            (project.replace if chance.random() < 0.5 else project.write)(path, f"new {round_} {path}")
        assert project.look() == set(saved)
        project.follow(*saved)


def test_following_less_and_more(project: FollowedProject) -> None:
    """What isn't followed any more is never suspected, and what is followed anew is from then on."""
    for name in ("a.py", "b.py", "sub/c.py"):
        project.write(name, "old")
    project.follow("a.py", "sub/c.py")
    del project.loaded["sub/c.py"]
    project.follow("b.py")
    for name in ("a.py", "b.py", "sub/c.py"):
        project.write(name, "new")
    assert project.detector.suspects().names == {"a.py", "b.py"}
    project.detector.follow(())
    project.write("a.py", "newer")
    assert not project.detector.suspects()


def test_exchanged_texts(project: FollowedProject) -> None:
    """A file that was read again is followed as it was read then, and all others as before; the very same one too."""
    for name in ("a.py", "b.py", "c.py"):
        project.write(name, "old")
    project.follow("a.py", "b.py", "c.py")
    path = project.write("a.py", "new")
    assert project.look() == {"a.py"}
    before, same = project.loaded["a.py"], project.loaded["b.py"]
    project.loaded["a.py"] = take_snapshot(path, "a.py", settled=True)
    project.detector.exchange([before, same], [project.loaded["a.py"], same])
    assert project.look() == set()
    for name in ("a.py", "b.py", "c.py"):
        project.write(name, "newest")
        assert project.detector.suspects().names >= {name}
        assert project.detector.changed(project.loaded.values())
    project.write("other/d.py", "old")
    project.follow("other/d.py")
    project.detector.exchange([project.loaded.pop("other/d.py")], [])
    project.detector.suspects()
    project.write("other/d.py", "new")
    assert "other/d.py" not in project.detector.suspects().names


def test_two_modules_of_one_file(project: FollowedProject) -> None:
    """A file that two modules were read from is suspected under both names, and under the one that is left."""
    path = project.write("a.py", "old")
    first, second = (take_snapshot(path, name, settled=True) for name in ("first", "second"))
    project.detector.follow([first, second])
    path.write_text("new")
    assert project.detector.suspects().names == {"first", "second"}
    project.detector.follow([second])
    path.write_text("newer")
    assert project.detector.suspects().names == {"second"}


def test_module_without_a_file(project: FollowedProject) -> None:
    """A module without a file is never suspected and does no harm."""
    project.detector.follow([Snapshot("sys"), Snapshot("odd", "no\0such/odd.py")])
    assert not project.detector.suspects()


def test_module_in_an_archive(project: FollowedProject) -> None:
    """A module in an archive is suspected when the archive is written."""
    archive = project.folder / "lib.zip"
    with zipfile.ZipFile(archive, "w") as stream:
        stream.writestr("pkg/mod.py", "x = 1")
    project.detector.follow([Snapshot("pkg.mod", str(archive / "pkg/mod.py"))], [str(archive)])
    project.detector.suspects()
    archive.write_bytes(b"")
    assert "pkg.mod" in project.detector.suspects().names


def test_close(detector: Detector, tmp_path: Path) -> None:
    """A closed detector suspects nothing and follows nothing, and closing it twice is harmless."""
    project = FollowedProject(detector, tmp_path)
    path = project.write("a.py", "old")
    project.follow("a.py")
    path.write_text("new")
    for _ in range(2):
        detector.close()
        assert not detector.suspects()
        detector.follow([take_snapshot(path)])
