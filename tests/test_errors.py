"""Errors are for people (their text) and for programs (their fields), and keep both when they travel."""

from __future__ import annotations

import copy
import pickle
import sys
from collections.abc import Callable
from typing import Any

import pytest

from exocet_ipython import errors
from exocet_ipython.errors import (
    ExcludedImportError,
    ExocetError,
    ExtensionPackageError,
    ModuleNotLoadedError,
    NotInMapperError,
    NotInModuleBodyError,
    SourceNotFoundError,
    WishTwiceError,
    WishTypeError,
)
from exocet_ipython.loading.isolated import load_named
from exocet_ipython.loading.mapper import ExclusiveMapper, empty_mapper, pep302_mapper
from exocet_ipython.loading.modules import get_module

KINDS = [getattr(errors, name) for name in errors.__all__]
IMPORTS = [kind for kind in KINDS if issubclass(kind, ImportError)]
TRAVELS: dict[str, Callable[[Any], Any]] = {"copy": copy.copy, "deepcopy": copy.deepcopy}


def through_pickle(protocol: int) -> Callable[[Any], Any]:
    """Return what sends an object through a pickle of the given protocol."""
    return lambda thing: pickle.loads(pickle.dumps(thing, protocol))


TRAVELS |= {f"pickle{protocol}": through_pickle(protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)}


@pytest.mark.parametrize(
    ("kind", "standard"),
    [
        (ExocetError, Exception),
        (NotInMapperError, ModuleNotFoundError),
        (ExcludedImportError, ImportError),
        (SourceNotFoundError, ModuleNotFoundError),
        (ExtensionPackageError, ImportError),
        (ModuleNotLoadedError, LookupError),
        (NotInModuleBodyError, RuntimeError),
        (WishTypeError, TypeError),
        (WishTwiceError, ValueError),
    ],
)
def test_each_error_is_one_that_people_catch_already(kind: type[ExocetError], standard: type[Exception]) -> None:
    """Every error has our one base, and is a standard exception of its case."""
    assert issubclass(kind, ExocetError)
    assert issubclass(kind, standard)


def test_every_error_of_the_module_is_public_and_tested_here() -> None:
    """The list of public errors has all of them, so the tests of this file do."""
    defined = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
    assert defined == set(errors.__all__)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "it broke"),
        ({"where": "In[3]"}, "it broke (In[3])"),
        ({"advice": "mend it"}, "it broke; mend it"),
        ({"where": "In[3]", "advice": "mend it"}, "it broke (In[3]); mend it"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_the_text_says_what_where_and_what_next(kind: type[ExocetError], fields: dict[str, str], text: str) -> None:
    """The text has what happened, then where, then what to do next, each only when it is known."""
    error = kind("it broke", **fields)
    assert str(error) == text
    assert (error.what, error.where, error.advice) == ("it broke", fields.get("where", ""), fields.get("advice", ""))
    assert error.args == ("it broke",)


@pytest.mark.parametrize("kind", IMPORTS)
def test_import_errors_have_the_fields_of_import_errors(kind: type[ExocetError]) -> None:
    """An import error of ours says which name and which file it is about, where programs look for that."""
    error: Any = kind("it broke", name="game.world", path="/game/world.so")
    assert (error.name, error.path, error.msg) == ("game.world", "/game/world.so", "it broke")


@pytest.mark.parametrize("travel", TRAVELS.values(), ids=TRAVELS.keys())
@pytest.mark.parametrize("kind", KINDS)
def test_errors_travel_whole(kind: type[ExocetError], travel: Callable[[Any], Any]) -> None:
    """A copy or a pickle has the type, the text, every field, the notes, and what a caller put on the error."""
    standard = {"name": "game.world", "path": "/game"} if kind in IMPORTS else {}
    error: Any = kind("it broke", where="In[3]", advice="mend it", **standard)
    error.add_note("while reloading")
    error.attempt = 2
    arrived = travel(error)
    assert type(arrived) is kind
    assert arrived is not error
    assert (str(arrived), repr(arrived), arrived.args) == (str(error), repr(error), error.args)
    assert vars(arrived) == vars(error)
    for field in ("name", "path", "msg"):
        assert getattr(arrived, field, None) == getattr(error, field, None)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in IMPORTS])
def test_only_import_errors_take_the_fields_of_import_errors(kind: type[ExocetError]) -> None:
    """A field that the standard exception doesn't have is refused, not lost."""
    with pytest.raises(TypeError):
        kind("it broke", name="game.world")


def fail_to_find() -> object:
    """Ask a mapper for what it lacks."""
    return empty_mapper.lookup("game.world")


def ask_for_excluded() -> object:
    """Ask a mapper for what it excludes."""
    return ExclusiveMapper(pep302_mapper, ["game"]).lookup("game.world")


def load_missing() -> object:
    """Load what no finder has."""
    return load_named("no_such_module.world")


def read_builtin() -> object:
    """Read the source of a module that has none."""
    return list(get_module("sys").iter_import_names())


@pytest.mark.parametrize(
    ("act", "kind", "name"),
    [
        (fail_to_find, NotInMapperError, "game.world"),
        (ask_for_excluded, ExcludedImportError, "game.world"),
        (load_missing, SourceNotFoundError, "no_such_module"),
        (read_builtin, SourceNotFoundError, "sys"),
    ],
)
def test_errors_met_in_practice_say_what_to_do(act: Callable[[], object], kind: type[ExocetError], name: str) -> None:
    """An error names what it is about in text and field, and has an advice."""
    with pytest.raises(kind) as caught:
        act()
    error: Any = caught.value
    assert error.name == name
    assert repr(name) in str(error)
    assert error.advice
    assert str(error).endswith(error.advice)


def test_errors_bring_nothing_heavy() -> None:
    """The ground floor imports nothing but the standard library's typing."""
    assert {value.__name__ for value in vars(errors).values() if isinstance(value, type(sys))} <= {"typing"}
