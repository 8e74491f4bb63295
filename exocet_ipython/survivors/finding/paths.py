"""Why an object is alive: the shortest paths to it from what a person knows, written as Python.

A path of n references takes at most n + 1 passes over the heap. What weak references see holds nothing, and is not
found; neither is anything of this package.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import Any

from exocet_ipython.survivors.finding.frames import FRAMES
from exocet_ipython.survivors.finding.roots import RootKind, Roots
from exocet_ipython.survivors.finding.search import Bounds, Found, Search
from exocet_ipython.survivors.finding.steps import Places, express

__all__ = ["Bounds", "HoldPath", "Holds", "find_holds"]

_NEAREST: tuple[RootKind, ...] = (
    "name",
    "output",
    "global",
    "frame",
    "task",
    "callback",
    "context",
    "traceback",
    "shell",
    "generator",
    "code",
)
_COPY = re.compile(r"\b_{1,3}\b|\b_\d+\b|get_ipython\(\)")
_NOTED = re.compile(r'get_ipython\(\)\.(?:user_ns_hidden\["(_\w*)"\]|displayhook\.(_{1,3}\b))')
_NUMBERED = re.compile(r"\b_(\d+)\b")
_ENDS = 3  # objects held from C that are named where nothing else is known


@dataclass(frozen=True, slots=True)
class HoldPath:
    """One way in which an object is held.

    Attributes:
        expression: the Python that reaches it. Of the kinds `generator` and `code`, and of what `atexit` alone has, the
            first part, in angle brackets, says what there is; no expression gives that.
        kind: what the path begins with: `name`, `output`, `global`, `frame`, `task`, `callback`, `context`,
            `traceback`, `shell`; a `generator` that waits, or `code` that has no name for what it uses: C code.
        levels: how many references it has.
        where: of a running frame, its thread, function, file and line; of a task without a name of its own, what it is.
        reaches: what the expression gives, where that is not what was asked for but holds it.
    """

    expression: str
    kind: RootKind
    levels: int
    where: str = ""
    reaches: str = ""


@dataclass(frozen=True, slots=True)
class Holds:
    """What was found.

    Attributes:
        paths: the shortest first.
        from_c: how many references to the object no Python object explains: those of C code, and of running code
            that has no variable for it; None where that can't be counted.
        passes: how often the heap was looked through.
        seconds: how long it took.
        frozen: how many objects `gc.freeze` has set aside: what they hold is only seen in namespaces.
        bounded: what kept the search from looking into everything: `depth`, `time` or `width`; empty when nothing.
        is_complete: whether there are no further paths.
    """

    paths: tuple[HoldPath, ...] = ()
    from_c: int | None = 0
    passes: int = 0
    seconds: float = 0.0
    frozen: int = 0
    bounded: str = ""
    is_complete: bool = True


def find_holds(  # noqa: PLR0913 - what is asked, where to look, how far, and whom to tell
    targets: list[Any],
    roots: Roots,
    *,
    asked: str = "",
    bounds: Bounds | None = None,
    describe: Callable[[Any], str] | None = None,
    progress: Callable[[int, float], object] | None = None,
) -> Holds:
    """Find the shortest paths to an object.

    Args:
        targets: the objects, any of which counts as found. The list is emptied: it would hold them.
        roots: where a path may begin; emptied at the end.
        asked: the name by which the person asked: it ends no search, since they know it.
        bounds: how far to go.
        describe: says what an old object is; empty for all others. Then a path to each old object is looked for, and
            ends there; without it, one to the targets.
        progress: told the number of passes and the seconds, between two passes once there has been a second.

    Raises:
        KeyboardInterrupt: when it is interrupted; nothing of the search refers to the objects then.

    >>> model = object()
    >>> find_holds([model], Roots({"layers": [model]})).paths[0].expression
    'layers[0]'
    """
    search = Search(targets, roots, bounds or Bounds(), is_old=describe, progress=progress)
    try:
        search.run(asked)
        return _write_down(search, describe)
    except BaseException as error:  # noqa: BLE001 - raised again
        # The frames of the search would hold what they have found.
        raise error.with_traceback(None)  # noqa: B904 - the same error
    finally:
        search.let_go()


def _write_down(search: Search, describe: Callable[[Any], str] | None) -> Holds:
    """Return what was found as text."""
    paths: dict[str, HoldPath] = {}
    places: Places = {}
    for found in search.found:
        for way in search.ways(found.place):
            path = _path_of(found, way, describe, places)
            paths.setdefault(path.expression, path)
    if not paths:
        ways = [way for place in search.ends[:_ENDS] for way in search.ways(place)[:1]]
        paths = {path.expression: path for path in map(_end_of, ways)}
    ordered = sorted(_without_copies(paths), key=_rank)
    seconds = time.perf_counter() - search.began
    return Holds(
        tuple(ordered),
        search.from_c,
        search.passes,
        seconds,
        search.frozen,
        search.bounded,
        search.is_exhausted,
    )


def _without_copies(paths: Mapping[str, HoldPath]) -> list[HoldPath]:
    """Leave out what IPython notes under other names than those that a person knows: `_5` where there is `Out[5]`."""
    return [path for path in paths.values() if path.kind != "output" or _known_name(path.expression, paths) is None]


def _known_name(expression: str, paths: Container[str]) -> str | None:
    """Return the expression by which a person knows an output, if there is another one and it is among the paths.

    >>> _known_name("type(_5).x", {"type(Out[5]).x"}), _known_name("Out[5]", {"Out[5]"})
    ('type(Out[5]).x', None)
    """
    name = _NOTED.sub(lambda found: found[1] or found[2], expression)
    for known in (name, _NUMBERED.sub(r"Out[\1]", name)):
        if known != expression and known in paths:
            return known
    return None


def _rank(path: HoldPath) -> tuple[int, int, bool, int, str]:
    """Order paths: the shorter first, then what a person looks at first, and `Out[5]` before IPython's copies of it.

    Of those that are equal so far the one that is shorter to write: in which order the heap has them is chance.
    """
    text = path.expression
    return path.levels, _NEAREST.index(path.kind), _COPY.search(text) is not None, len(text), text


def _path_of(found: Found, way: list[Any], describe: Callable[[Any], str] | None, places: Places) -> HoldPath:
    start = found.start
    chain = way if start.root is None else [start.root.value, *way]
    reaches = "" if describe is None else describe(way[-1])
    return HoldPath(express(start.expression, chain, places), start.kind, len(way), start.where, reaches)


def _end_of(chain: list[Any]) -> HoldPath:
    """Write down a path that begins with an object which nothing that Python knows of refers to."""
    first = chain[0]
    kind: RootKind = "code"
    name = type(first).__qualname__
    if id(type(first)) in FRAMES:
        kind, name = "generator", f"{name} {first.__qualname__}()"
    return HoldPath(express(f"<{name}>", chain), kind, len(chain), "")
