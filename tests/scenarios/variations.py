"""Variations of scenarios: the same notebook, which comes to the same files in another way.

A rule takes a scenario and returns what its variation does, or None where it says nothing of that scenario. A restart
answers as before, so that each scenario tests each rule without a truth of its own.
"""

from __future__ import annotations

import base64
import dataclasses
import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence

from tests.scenarios.scenarios import Cell, Files, Probe, Scenario, Step, apply_operations

__all__ = ["RULES", "UNSAID", "Action", "vary"]

Action = Cell | Probe | Step
Operation = dict[str, str]
Rule = Callable[[Scenario], Sequence[Action] | None]

# What a rule would say wrongly: the scenario asks for more than what its files and cells determine.
_NEVER_WERE = "asks for the very objects of files that never were"
UNSAID: Mapping[str, str] = {
    f"{scenario}-{rule}": reason
    for scenario, reason in {
        "generic-function-of-a-module-gone-and-back": _NEVER_WERE,
        "memos-of-ones-own": "asks how often a function is called whose answer a store has that ran again",
        "undo-of-a-first-registration": _NEVER_WERE,
        "undo-of-further-registrations": _NEVER_WERE,
        "undone-beside-what-was-loaded-since": _NEVER_WERE,
        "undone-comment-after-a-circle-was-made-anew": _NEVER_WERE,
        "undone-where-an-optional-module-came-and-went": _NEVER_WERE,
    }.items()
    for rule in ("extended", "run-again", "run-in-turn")
}

_HOLD = Cell("_everything = [list(globals().values()), tuple(globals().values())]")
_CELL = Cell("pass")  # before it, what was saved is noticed


def vary(scenario: Scenario, rule: str) -> Scenario | None:
    """Return a scenario as a rule of `RULES` varies it, or None where the rule says nothing of it."""
    if f"{scenario.name}-{rule}" in UNSAID:
        return None
    edited = any(isinstance(action, Step) and not action.rejected for action in scenario.actions)
    linked = any(data.startswith("->") for data in scenario.files.values())
    told = any(probe.truth is not None for probe in scenario.probes)  # by hand, of this way to the files
    if not edited or linked or told:
        return None
    try:
        actions = RULES[rule](scenario)
    except UnicodeDecodeError:
        return None  # a file in an encoding of its own
    if actions is None:
        return None
    return dataclasses.replace(scenario, name=f"{scenario.name}-{rule}", actions=tuple(actions))


def _apart(scenario: Scenario) -> Sequence[Action] | None:
    """What is saved together is saved file by file, with a cell after each."""
    actions: list[Action] = []
    for action in scenario.actions:
        if isinstance(action, Step) and not action.rejected:
            for operation in action.operations[:-1]:
                actions += [Step((operation,)), _CELL]
            actions.append(Step(action.operations[-1:]))
        else:
            actions.append(action)
    return actions if len(actions) > len(scenario.actions) else None


def _back(scenario: Scenario) -> Sequence[Action] | None:
    """All edits are taken back before the last question."""
    return _returning(scenario, lambda back, _: [Step(back)])


def _redone(scenario: Scenario) -> Sequence[Action] | None:
    """All edits are taken back and made again before the last question."""
    return _returning(scenario, lambda back, again: [Step(back), _CELL, Step(again)])


def _bit_by_bit(scenario: Scenario) -> Sequence[Action] | None:
    """Each file that is edited in several places is saved after each of these, whether or not it can be imported."""
    actions: list[Action] = []
    for files, action in _walk(scenario):
        for operation in action.operations if isinstance(action, Step) and not action.rejected else ():
            path = operation["path"]
            if operation["kind"] == "write" and path.endswith(".py") and path in files:
                for text in _half_edited(_decode(files[path]), _decode(operation["data"])):
                    actions += [Step((_write(path, text),), rejected=True), _CELL]
        if action is not None:
            actions.append(action)
    return actions if len(actions) > len(scenario.actions) else None


def _half_edited(before: str, after: str) -> Iterator[str]:
    r"""Yield a text in which the first places are edited by now, and the others not yet.

    >>> list(_half_edited("a\nb\nc\n", "A\nb\nC\n"))
    ['A\nb\nc\n']
    """
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    codes = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    edits = [(first, last, new_first, new_last) for tag, first, last, new_first, new_last in codes if tag != "equal"]
    for _, last, _, new_last in edits[:-1]:
        yield "".join(new[:new_last] + old[last:])


def _returning(
    scenario: Scenario, steps: Callable[[tuple[Operation, ...], tuple[Operation, ...]], list[Action]]
) -> Sequence[Action] | None:
    *_, (before, _) = _walk(scenario)
    actions = scenario.actions
    first = next(place for place, action in enumerate(actions) if isinstance(action, Step))
    if any(isinstance(action, Cell) for action in actions[first:]):
        return None  # cells that were written for the files that came later
    place = len(actions)
    while isinstance(actions[place - 1], Probe):
        place -= 1
    back, again = _between(before, scenario.files), _between(scenario.files, before)
    return [*actions[:place], *steps(back, again), *actions[place:]] if back else None


def _commented(scenario: Scenario) -> Sequence[Action]:
    """Before each edit all modules are saved with a comment more."""
    return _edited_before(scenario, lambda text, _: f"# a note\n\n{text}")


def _extended(scenario: Scenario) -> Sequence[Action]:
    """Before each edit all modules are saved with a function more."""
    return _edited_before(scenario, lambda text, number: f"{text}\n\ndef _unrelated():\n    return {number}\n")


def _run_again(scenario: Scenario) -> Sequence[Action]:
    """Before each edit all modules are saved with a constant that changes, so that they run again."""
    return _edited_before(scenario, lambda text, number: f"{text}\n_unrelated = {number}\n")


def _run_in_turn(scenario: Scenario) -> Sequence[Action]:
    """Before each edit each module is saved with a constant that changes, one after the other, with cells between."""
    actions: list[Action] = []
    for number, (files, action) in enumerate(_walk(scenario)):
        if isinstance(action, Step) and not action.rejected:
            for path, data in files.items():
                if path.endswith(".py"):
                    actions += [Step((_write(path, f"{_decode(data)}\n_unrelated = {number}\n"),)), _CELL]
        if action is not None:
            actions.append(action)
    return actions


def _edited_before(scenario: Scenario, edit: Callable[[str, int], str]) -> Sequence[Action]:
    actions: list[Action] = []
    for number, (files, action) in enumerate(_walk(scenario)):
        if isinstance(action, Step) and not action.rejected:
            modules = {path: _decode(data) for path, data in files.items() if path.endswith(".py")}
            actions += [Step(tuple(_write(path, edit(text, number)) for path, text in modules.items())), _CELL]
        if action is not None:
            actions.append(action)
    return actions


def _broken(scenario: Scenario) -> Sequence[Action] | None:
    """Before each edit a module that it changes is saved with a syntax error."""
    actions: list[Action] = []
    for files, action in _walk(scenario):
        if isinstance(action, Step) and not action.rejected:
            written = [operation["path"] for operation in action.operations if operation["kind"] == "write"]
            path = next((path for path in written if path.endswith(".py") and path in files), None)
            if path is None:
                return None
            actions += [Step((_write(path, f"{_decode(files[path])}\ndef broken(:\n"),), rejected=True), _CELL]
        if action is not None:
            actions.append(action)
    return actions


def _held(scenario: Scenario) -> Sequence[Action]:
    """Before each edit a cell puts all that the notebook has, and all that its modules have, into lists and tuples."""
    actions: list[Action] = []
    for action in scenario.actions:
        if isinstance(action, Step) and not action.rejected:
            actions.append(_HOLD)
        actions.append(action)
    return actions


def _imported_again(scenario: Scenario) -> Sequence[Action] | None:
    """After each edit the person runs the cells of imports again."""
    actions: list[Action] = []
    cells: list[Cell] = []
    for action in scenario.actions:
        actions.append(action)
        if isinstance(action, Cell) and action.is_imports:
            cells.append(action)
        elif isinstance(action, Step) and not action.rejected:
            actions += cells
    return actions if cells else None


RULES: Mapping[str, Rule] = {
    "apart": _apart,
    "back": _back,
    "bit-by-bit": _bit_by_bit,
    "broken": _broken,
    "commented": _commented,
    "extended": _extended,
    "held": _held,
    "imported-again": _imported_again,
    "redone": _redone,
    "run-again": _run_again,
    "run-in-turn": _run_in_turn,
}


def _walk(scenario: Scenario) -> Iterator[tuple[Files, Action | None]]:
    """Yield each action with the files before it; at the end the last files, with None."""
    files: Files = dict(scenario.files)
    for action in scenario.actions:
        yield files, action
        if isinstance(action, Step) and not action.rejected:
            files = apply_operations(files, action.operations)
    yield files, None


def _between(before: Files, after: Files) -> tuple[Operation, ...]:
    """Return what makes the second files of the first ones."""
    gone = [{"kind": "delete", "path": path, "to": ""} for path in before if path not in after]
    return (*gone, *(_save(path, data) for path, data in after.items() if before.get(path) != data))


def _write(path: str, text: str) -> Operation:
    return _save(path, base64.b64encode(text.encode()).decode())


def _save(path: str, data: str) -> Operation:
    return {"kind": "write", "path": path, "data": data, "mtime": "next"}


def _decode(data: str) -> str:
    return base64.b64decode(data).decode()
