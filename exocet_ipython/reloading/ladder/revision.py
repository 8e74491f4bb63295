"""Revisions: the two lowest rungs of the ladder, on which nothing runs and every module object stays.

Rung 0 is an edit of comments, blank lines and layout: positions are put in place, in either mode. Rung 1 is an edit of
function bodies that nothing can have run at import; it is taken only when migrating, since it changes what old objects
do. A batch of edits takes one rung, the highest that one of them needs: a module that runs again may use any other.
"""

from __future__ import annotations

import linecache
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.machinery import SourceFileLoader
from types import CodeType, ModuleType
from typing import Any

from exocet_ipython.loading.digests import SOURCE_SUFFIXES
from exocet_ipython.loading.loader import compile_module
from exocet_ipython.loading.source import Snapshot, read_snapshot
from exocet_ipython.loading.spaces import is_package
from exocet_ipython.loading.standin import PRESENCE
from exocet_ipython.reloading.generation import Generation
from exocet_ipython.reloading.holding.contents import is_plain
from exocet_ipython.reloading.journal import Journal
from exocet_ipython.reloading.ladder.codes import AT_IMPORT, CodePair, Difference, Match, match_codes
from exocet_ipython.reloading.ladder.exchange import exchange_codes, find_class, set_code, set_facts
from exocet_ipython.reloading.ladder.propagation import note_values, set_values
from exocet_ipython.reloading.ladder.recompiling import recompile
from exocet_ipython.reloading.ladder.routes import Starts, UnfitError
from exocet_ipython.reloading.ladder.runners import Runners, are_run, find_runners, seat_codes
from exocet_ipython.reloading.noticing.changes import Change
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.reloading.texts import ReadText

__all__ = ["Earlier", "Refusal", "Revision", "apply_revisions", "match_earlier", "plan_revisions", "put_back"]


@dataclass(frozen=True, slots=True, eq=False)
class Revision:
    """One module whose living functions are to run the code of a new text.

    Attributes:
        record: of the module as it is.
        snapshot: the new text.
        match: what the code of the two has in common.
        runners: the functions that run the old code.
        values: the new values of its global names.
    """

    record: ModuleRecord
    snapshot: Snapshot
    match: Match
    runners: Runners
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def rung(self) -> int:
        """0 where only positions differ, else 1."""
        return 1 if self.values or self.match.changed else 0

    @property
    def reason(self) -> str:
        """What the edit came to, in words."""
        paths = list(dict.fromkeys(pair.outer for pair in self.match.changed)) if self.match.pairs else ()
        said = [f"new code in place: {', '.join(paths)}"] if paths else []
        said += [f"new values in place: {', '.join(self.values)}"] if self.values else []
        return "; ".join(said) or "only its layout changed"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a set of changes needs a higher rung: the dotted name of a module, and the reason in words."""

    name: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Earlier:
    """A retired module that is to run the code of a text which it ran before it was revised.

    Attributes:
        record: its last one.
        match: what the code of the two texts has in common.
        values: those that its global names had then.
    """

    record: ModuleRecord
    match: Match
    values: Mapping[str, Any]


# Of all modules whose text is the same: no code is exchanged.
_NOTHING, _NOBODY = Match(compile("", "", "exec")), Runners()


class _RefusedError(Exception):
    """One module can't be revised; the argument says why."""


def plan_revisions(
    changes: Iterable[Change],
    current: Generation,
    texts: dict[str, ReadText],
    why_not: Callable[[ModuleRecord, list[CodePair]], str] | None,
    find_values: Callable[[Starts], Mapping[str, Mapping[str, Any]]],
) -> tuple[Revision, ...] | Refusal:
    """Return how the changed modules can go on without running again, or why one of them can't.

    Args:
        changes: the files that differ.
        current: the generation that they belong to.
        texts: is given what was read and compiled.
        why_not: says why new code of some functions must not be put in place, or nothing; None where that is out of
            the question.
        find_values: returns the values that follow from other constants; raises UnfitError.
    """
    found = []
    for change in changes:
        try:
            found.append(_revise(change, current, texts, why_not))
        except _RefusedError as refused:
            return Refusal(change.name, str(refused))
    starts = {one.record.name: (one.match.code, one.match.values) for one in found if one.match.values}
    try:
        values = dict(find_values(starts)) if starts else {}
    except UnfitError as unfit:
        return Refusal(next(iter(starts)), str(unfit))
    found = [replace(one, values=values.pop(one.record.name, {})) for one in found]
    return (*found, *(_with_values(current.records[name], changed) for name, changed in values.items()))


def apply_revisions(revisions: Iterable[Revision], journal: Journal) -> Mapping[str, ModuleRecord]:
    """Put the new code and values in place, all or nothing; return the new records of the modules with another text.

    Raises:
        BaseException: something was in the way; all is as it was then.
    """
    made = {}
    revisions = list(revisions)
    is_alone = sum(bool(revision.values) for revision in revisions) == 1
    try:
        for revision in revisions:
            then = set_values(revision.record.module, revision.values, journal) if revision.values else {}
            if revision.snapshot is revision.record.snapshot:
                continue
            exchange_codes(revision.match.pairs, revision.runners, journal)
            set_facts(revision.record.module, revision.match.classes, journal)
            is_own = not then or (is_alone and all(map(is_plain, then.values())))
            made[revision.record.name] = revision.record.revised(
                revision.snapshot, revision.match.code, then if is_own else None
            )
    except BaseException:
        journal.undo()
        raise
    for record in made.values():
        linecache.cache.pop(record.snapshot.path or "", None)  # it trusts size and time stamp
    return made


def match_earlier(record: ModuleRecord, snapshot: Snapshot) -> Earlier | None:
    """Return how a retired module gets back the code of a text that it ran before it was revised, if it can.

    Args:
        record: its last one.
        snapshot: the text on disk.
    """
    spec = getattr(record.module, "__spec__", None)  # an object in a module's stead may have none
    if snapshot.digest not in record.revisions or record.code is None or spec is None:
        return None
    values: dict[str, Any] = {}
    for digest, then in zip(reversed(record.revisions), reversed(record.values_then), strict=True):
        if then is None:
            return None
        values |= then
        if digest == snapshot.digest:
            break
    code = compile_module(spec, snapshot)
    match = match_codes(record.code, code, with_values=bool(values)) if code is not None else None
    if not isinstance(match, Match) or not match.values.keys() <= values.keys():
        return None
    space = vars(record.module)
    own = {name: value for name, value in values.items() if record.values.get(name) == id(space.get(name))}
    return Earlier(record, match, own) if all(pair.fits for pair in match.pairs) else None


def put_back(revised: Iterable[Earlier], journal: Journal) -> None:
    """Have modules that become current again run the code of an earlier text."""
    for earlier in revised:
        record, match = earlier.record, earlier.match
        exchange_codes(match.pairs, find_runners(record.module, match.pairs), journal)
        set_facts(record.module, match.classes, journal)
        if earlier.values:
            set_values(record.module, earlier.values, journal)
            for known in (record.baseline.values, record.baseline.fingerprints):
                journal.add(partial(_refill, known, dict(known)))
            note_values(record, earlier.values)


def _refill(known: dict[str, int], before: dict[str, int]) -> None:
    known.clear()
    known.update(before)


def _with_values(record: ModuleRecord, values: Mapping[str, Any]) -> Revision:
    """Return the revision of a module whose text is the same, and which has computed of what others have."""
    return Revision(record, record.snapshot, _NOTHING, _NOBODY, values)


def _revise(
    change: Change,
    current: Generation,
    texts: dict[str, ReadText],
    why_not: Callable[[ModuleRecord, list[CodePair]], str] | None,
) -> Revision:
    record = current.records.get(change.name)
    if change.kind != "modified" or record is None or record.code is None:
        raise _RefusedError
    text = texts[change.name] = _read(record)
    match = match_codes(record.code, text.code, with_values=why_not is not None, only_layout=why_not is None)
    if isinstance(match, Difference):
        raise _RefusedError(_describe(match, text.snapshot) if why_not is not None else "")
    if why_not is not None and (reason := why_not(record, match.changed)):
        raise _RefusedError(reason)
    _seat(record)
    runners = find_runners(record.module, match.pairs)
    _require_takers(match, runners, record.module)
    return Revision(record, text.snapshot, match, runners)


def _read(record: ModuleRecord) -> ReadText:
    """Read and compile the text of a module that an ordinary loader loads, and that is there as itself."""
    module: object = record.module  # whatever a module has put in its place
    spec = getattr(module, "__spec__", None)
    loader = type(getattr(spec, "loader", None))
    if spec is None or not isinstance(module, ModuleType) or PRESENCE.current(record.name) is not module:
        raise _RefusedError
    if not issubclass(loader, SourceFileLoader) or loader.get_code is not SourceFileLoader.get_code:
        raise _RefusedError
    try:
        snapshot = read_snapshot(spec, time.time_ns())
        code = _compile(record, snapshot, loader) or compile_module(spec, snapshot)
    except Exception:  # noqa: BLE001 - a text that is broken or gone: the next rung reports it
        raise _RefusedError from None
    if code is None or snapshot.path != record.snapshot.path:
        raise _RefusedError
    return ReadText(snapshot, code, is_package(module))


def _compile(record: ModuleRecord, snapshot: Snapshot, loader: type[SourceFileLoader]) -> CodeType | None:
    """Compile what differs in a new text of a module; None where all of it has to be."""
    before, after = record.snapshot.text, snapshot.data
    if record.code is None or before is None or after is None or not record.code.co_filename.endswith(SOURCE_SUFFIXES):
        return None  # what is no text of Python has a compiler of its own
    if loader.source_to_code is not SourceFileLoader.source_to_code or record.code.co_filename != snapshot.path:
        return None
    return recompile(record.code, before, after)


def _seat(record: ModuleRecord) -> None:
    """Give the functions of a module that Python had loaded the code objects of our record, which equal their own."""
    known = record.code if not record.is_seated else None
    for function, code in seat_codes(record.module, known) if known is not None else ():
        set_code(function, code, Journal())


def _require_takers(match: Match, runners: Runners, module: ModuleType) -> None:
    """Refuse where a function that exists can't take its new code, or where functions can't all be found."""
    if runners.unknown:
        raise _RefusedError("functions of it may be hidden by gc.freeze()")
    if match.gone and are_run(match.gone):
        raise _RefusedError(f"`{match.gone[0].co_qualname}` lives on, which nothing makes any more")
    for pair in match.pairs:
        if not pair.fits and runners.of(pair.old):
            raise _RefusedError(f"a `{pair.path}` that exists can't take its new code")
        if pair.path == pair.outer and not runners.of(pair.old) and _is_replaced(module, pair):
            raise _RefusedError(f"`{pair.path}` was made into something else")


def _is_replaced(module: ModuleType, pair: CodePair) -> bool:
    """Say whether a module has something under the name of a function that runs nowhere any more.

    A decorator may have compiled it anew, or somebody else has given it other code.
    """
    owner, _, name = pair.path.rpartition(".")
    cls = find_class(module, owner) if owner else None
    space = vars(module) if not owner else vars(cls) if cls is not None else {}
    code = getattr(space.get(name), "__code__", None)
    return type(code) is CodeType and code.co_filename == pair.old.co_filename and code.co_qualname == pair.path


def _describe(difference: Difference, snapshot: Snapshot) -> str:
    """Return a difference in words, with the line that shows it."""
    text = snapshot.line(difference.line)
    if difference.what == AT_IMPORT:
        return f"line {difference.line} runs at import: {text}"
    return f"`{difference.path}` differs in {difference.what}, line {difference.line}: {text}"
