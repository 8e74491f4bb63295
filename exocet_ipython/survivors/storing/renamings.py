"""What an edit of a module has only given another name: globals, attributes, functions and classes.

Read from the texts of before and of now: a name that is nowhere any more, and one that was nowhere, for what is made
likewise and used by the same. Of a function or a class that is its own text; where that has changed, its first line,
if anything uses it.
"""

from __future__ import annotations

import ast
import copy
import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import CodeType, MappingProxyType

from exocet_ipython.loading import trees
from exocet_ipython.loading.names import is_dunder
from exocet_ipython.loading.parsing import parse_text
from exocet_ipython.loading.spaces import copy_space, globals_of
from exocet_ipython.reloading.holding.held import home_of
from exocet_ipython.reloading.recording import ModuleRecord
from exocet_ipython.reloading.retired import retired_of
from exocet_ipython.survivors.definitions import is_definition
from exocet_ipython.survivors.storing.certain import assigned_by
from exocet_ipython.survivors.storing.functions import FUNCTIONS, parts_of
from exocet_ipython.survivors.storing.renamed import Making, pair_alike

__all__ = ["note_renamings", "read_renamings"]

_WORD = re.compile(r"\.?[^\W\d]\w*")
_PART = re.compile(r"(?:^|\.)\w+")
_DEFINITIONS = (*FUNCTIONS, ast.ClassDef)
_NO_HOLDER, _CLASS = "()", "class"  # no names


def note_renamings(
    old: Mapping[str, ModuleRecord], new: Mapping[str, ModuleRecord], assigned: Mapping[str, Collection[str]]
) -> None:
    """Note of modules that retire which names they have for what has others now: there, or where it has moved.

    Args:
        old: dotted name -> record of a module that retires.
        new: dotted name -> record of what is current from then on.
        assigned: dotted name -> names to which cells assign something there: a restart gives them that.
    """
    for home, before in old.items():
        if (retired := retired_of(before.module)) is not None:
            homes, said = [home, *_moved_to(before, old, new)], assigned.get(home, ())
            found = _find_renamings(*([some[name] for name in homes if name in some] for some in (old, new)))
            retired.renamed = {was: name for was, name in found.items() if was not in said and name not in said}


def _moved_to(before: ModuleRecord, old: Mapping[str, ModuleRecord], new: Mapping[str, ModuleRecord]) -> list[str]:
    """Return the modules that define by now what a module defined."""
    gone = _defined_by(before) - _defined_by(new.get(before.name))
    others = (home for home in new if home != before.name) if gone else ()  # hardly ever any
    return [home for home in others if not gone.isdisjoint(_defined_by(new[home]) - _defined_by(old.get(home)))]


def _defined_by(record: ModuleRecord | None) -> set[str]:
    space = {} if record is None else copy_space(globals_of(record.module))
    return {name for name, value in space.items() if is_definition(value) and home_of(value) == space.get("__name__")}


def _find_renamings(before: Sequence[ModuleRecord], now: Sequence[ModuleRecord]) -> Mapping[str, str]:
    if [one.snapshot.digest for one in before] == [one.snapshot.digest for one in now]:
        return {}
    names = [{name for one in some for name in _names_in(one.readable_code)} for some in (before, now)]
    if names[0] <= names[1] or names[1] <= names[0]:
        return {}  # nearly always, and told without reading a text
    try:
        return read_renamings(*(b"\n".join(one.snapshot.data or b"" for one in some) for some in (before, now)))
    except RecursionError:  # a sum of a thousand terms
        return {}


def _names_in(code: CodeType | None) -> set[str]:
    return set() if code is None else {name for part in trees.whole(code) for name in part.co_names}


@lru_cache(20)
def read_renamings(before: bytes, now: bytes) -> Mapping[str, str]:
    r"""Return the names that a text had for what has others in the text of now, each with that one.

    >>> old = b"ITEMS = []\ndef add(x): ITEMS.append(x)\ndef show(): return ITEMS"
    >>> dict(read_renamings(old, old.replace(b"ITEMS", b"ENTRIES").replace(b"add", b"insert")))
    {'ITEMS': 'ENTRIES', 'add': 'insert'}
    >>> dict(read_renamings(old, old.replace(b"ITEMS", b"ENTRIES") + b"\nENTRIES = {}"))
    {}
    """
    old, new = _read(before), _read(now)
    gone, come = old.made.keys() - new.mentioned, new.made.keys() - old.mentioned
    common, found, count = old.users_known() & new.users_known(), dict[str, str](), -1
    while gone and come and count != len(found):
        count = len(found)
        sides = (old, _Writing(gone, {was: f"<{was}>" for was in found}, common))
        others = (new, _Writing(come, {name: f"<{was}>" for was, name in found.items()}, common))
        for making in (_whole, _headed):
            known = [
                {name: how for name in writing.left() if (how := making(name, names, writing)) is not None}
                for names, writing in (sides, others)
            ]
            found |= {was: name for name, was in pair_alike(*known).items() if was not in found}
    plain = old.made.keys() | new.made.keys()
    both = {name for name in plain if f".{name}" in plain}  # code has one list of names
    pairs = {was.lstrip("."): name.lstrip(".") for was, name in found.items()}
    return MappingProxyType({was: name for was, name in pairs.items() if both.isdisjoint((was, name))})


@dataclass(slots=True)
class _Names:
    """What a text gives names to, and where it uses them; those of attributes are behind a dot.

    Attributes:
        made: name -> what it is given: a definition, or a value, for each statement that does, with the path of what
            has that in its text.
        users: name -> paths of the functions and classes, and names of globals, in whose text it is.
        mentioned: all names.
    """

    made: defaultdict[str, list[tuple[str, ast.AST]]] = field(default_factory=lambda: defaultdict(list))
    users: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    mentioned: set[str] = field(default_factory=set)

    def users_known(self) -> set[str]:
        """Return all that uses a name."""
        return set().union(*self.users.values())


@dataclass(slots=True)
class _Writing:
    """How what a text says is written so that both texts say it alike.

    Attributes:
        candidates: the names that only one of them has.
        signs: those for which the other one's is known, with what stands for both.
        common: paths of what uses names in both.
    """

    candidates: Collection[str]
    signs: Mapping[str, str]
    common: Collection[str]

    def left(self) -> list[str]:
        """Return the names for which nothing is known yet."""
        return sorted(name for name in self.candidates if name not in self.signs)

    def text(self, texts: Collection[str]) -> str:
        """Return texts without the names that only this side has."""
        return "\n".join(sorted(_WORD.sub(self._word, text) for text in texts))

    def users(self, paths: Collection[str]) -> frozenset[str]:
        """Return what of these paths is there on both sides."""
        found = {path: _PART.sub(self._word, path) for path in paths}
        return frozenset(now for path, now in found.items() if path in self.common or (now != path and "?" not in now))

    def uses(self, texts: Collection[str], made: Collection[str]) -> bool:
        """Say whether texts name something that their own text makes."""
        return any(word in made for text in texts for word in _WORD.findall(text))

    def _word(self, found: re.Match[str]) -> str:
        word = found[0]
        return self.signs.get(word, "?" if word in self.candidates else word)


def _whole(name: str, names: _Names, writing: _Writing) -> Making | None:
    """Return all that a name is given, if something uses it; of a function or class also where that uses others."""
    users, made = writing.users(names.users[name]), names.made[name]
    texts = [f"{place}: {_text_of(node, whole=True)}" for place, node in made]
    is_known = users or (_are_definitions(made) and writing.uses(texts, names.made))
    return Making(writing.text(texts), users) if is_known else None


def _headed(name: str, names: _Names, writing: _Writing) -> Making | None:
    """Return the first line of a function or class that something uses."""
    users, made = writing.users(names.users[name]), names.made[name]
    if not (users and _are_definitions(made)):
        return None
    return Making(writing.text([f"{place}: {_text_of(node, whole=False)}" for place, node in made]), users)


def _are_definitions(made: Collection[tuple[str, ast.AST]]) -> bool:
    return all(isinstance(node, _DEFINITIONS) for _, node in made)


def _read(text: bytes) -> _Names:
    found = _Names()
    _note(parse_text(text), "", found, holder="")
    for name in [name for name in found.made if is_dunder(name.lstrip("."))]:
        del found.made[name]
    return found


def _note(node: ast.AST, user: str, found: _Names, *, holder: str) -> None:
    """Note what is in a node of a text.

    Args:
        node: it.
        user: path of the function or class, or name of the global, in whose text it is; empty for none.
        found: what is known of the text.
        holder: what a method calls its instance; `_NO_HOLDER` in another function, `_CLASS` in a class, else empty.
    """
    parts, dot = parts_of(node), "." if holder == _CLASS else ""
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            found.mentioned.add(f"{dot}{name}")
            if holder in ("", _CLASS):
                found.made[f"{dot}{name}"].append((user, node))
                user = f"{user}{dot}{name}"
            if isinstance(node, ast.ClassDef):
                holder = _CLASS
            else:
                arguments = [part.arg for part in [*node.args.posonlyargs, *node.args.args]]
                holder = arguments[0] if arguments and holder == _CLASS else _NO_HOLDER
        case ast.Assign() | ast.AnnAssign():
            made = {id(target): (_made_at(target, holder), value) for target, value in assigned_by(node)}
            for name, value in made.values():
                found.made[name].append((user, value))
            user = user or next((name for name, _ in made.values()), "")
            found.mentioned.update(name for name, _ in made.values())
            parts = [part for part in parts if id(part) not in made or not made[id(part)][0]]
            found.made.pop("", None)
        case ast.Lambda():
            holder = holder or _NO_HOLDER
    for name in _named_by(node):
        found.mentioned.add(name)
        if user:
            found.users[name].add(user)
    for part in parts:
        _note(part, user, found, holder=holder)


def _made_at(target: ast.expr, holder: str) -> str:
    """Return the name of the global or attribute to which a target gives something; empty for a function's own."""
    match target:
        case ast.Name(id=name) if holder in ("", _CLASS):
            return f".{name}" if holder else name
        case ast.Attribute(value=ast.Name(id=owner), attr=name) if holder in ("", owner):
            return f".{name}"
    return ""


def _named_by(node: ast.AST) -> list[str]:
    """Return the names that are written in a node itself."""
    match node:
        case ast.Name(id=name):
            return [name]
        case ast.Attribute(attr=name):
            return [f".{name}"]
        case ast.Global(names=names):
            return names
        case ast.alias(name=name, asname=other):
            return [other or name]
    return []


def _text_of(node: ast.AST, *, whole: bool) -> str:
    """Return the text of a value, or that of a definition without its name, or only its first line."""
    if not isinstance(node, _DEFINITIONS):
        return ast.unparse(node)
    named = copy.copy(node)
    vars(named).update({"name": "_"} if whole else {"name": "_", "body": [ast.Pass()]})
    return ast.unparse(named)
