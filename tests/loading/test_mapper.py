"""The laws of mappers, on random nestings of every mapper, and proxies of modules."""

from __future__ import annotations

import functools
import gc
import importlib
import json
import os.path
import pickle
import sys
import weakref
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exocet_ipython.errors import ExcludedImportError, NotInMapperError
from exocet_ipython.loading.isolated import load_named
from exocet_ipython.loading.mapper import (
    CallableMapper,
    DictMapper,
    ExclusiveMapper,
    Mapper,
    StackedMapper,
    empty_mapper,
    governs,
    pep302_mapper,
    proxy_module,
)

REAL = ("json", "json.decoder", "xml", "xml.dom", "os", "os.path", "email.mime.text", "sys")
MISSING = ("no_such_module", "no_such_module.sub", "json.no_such", "json.decoder.JSONDecoder", "os.path.sub.sub")
INVENTED = ("a", "a.b", "a.b.c", "a.z", "b", "json.extra")
BAD = (
    "",
    ".",
    "..",
    "a..b",
    ".a",
    "a.",
    "json.",
    ".json",
    "json..decoder",
    "1x",
    "a b",
    "a\0b",
    "json.\0",
    "a/b",
    "\ud800",
    "é",
)
LONG = ("x" * 100_000, "json." + "x" * 100_000, ".".join(["a"] * 2_000))

names = st.sampled_from(REAL + MISSING + INVENTED)
# No slashes: pytest's own import hook takes a name for a path, and raises ValueError for one that is a root.
texts = st.text(st.characters(exclude_characters="/"), max_size=8)
any_names = st.sampled_from(REAL + MISSING + INVENTED + BAD + LONG) | texts
things = st.sampled_from(
    [json, os.path, SimpleNamespace(b=SimpleNamespace(c=1)), SimpleNamespace(decoder=2, dom=3), None]
)
mappings = st.dictionaries(names, things, max_size=4)


def function_for(mapping: Mapping[str, Any], error: Callable[[str], ImportError]) -> Callable[[str], Any]:
    """A person's function behind a CallableMapper, raising as tersely or as fully as people do."""

    def find(name: str) -> Any:
        if name in mapping:
            return mapping[name]
        raise error(name)

    return find


errors = st.sampled_from(
    [
        ImportError,
        ModuleNotFoundError,
        lambda _: ImportError(),
        lambda name: ModuleNotFoundError(f"no {name}", name=name),
    ]
)
leaves: st.SearchStrategy[Mapper] = (
    st.sampled_from([empty_mapper, pep302_mapper])
    | st.builds(DictMapper, mappings)
    | st.builds(CallableMapper, st.builds(function_for, mappings, errors))
)
mappers: st.SearchStrategy[Mapper] = st.recursive(
    leaves,
    lambda inner: (
        st.builds(StackedMapper, st.lists(inner, max_size=3))
        | st.builds(ExclusiveMapper, inner, st.sets(names, max_size=3))
        | st.builds(lambda mapper, mapping: mapper.with_overrides(mapping), inner, mappings)
    ),
    max_leaves=6,
)
laws = settings(deadline=None, max_examples=200)  # the first import of a module takes what it takes


def ask(mapper: Mapper, name: str) -> tuple[str, Any]:
    """What a mapper answers, as a value that can be compared."""
    try:
        return ("found", mapper.lookup(name))
    except ImportError as error:
        return ("missing", error.name)


def prefixes(name: str) -> list[str]:
    """A name's packages and the name itself, innermost first."""
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(len(parts), 0, -1)]


@laws
@given(mappers, any_names)
def test_contains_agrees_with_lookup(mapper: Mapper, name: str) -> None:
    """`contains(name)` is true exactly when `lookup(name)` returns."""
    kind, _ = ask(mapper, name)
    assert mapper.contains(name) is (kind == "found")


@laws
@given(mappers, any_names)
def test_a_missing_name_is_an_import_error_with_its_name(mapper: Mapper, name: str) -> None:
    """Whatever the name, `lookup` returns or raises ImportError, whose `name` is the name or a package above it."""
    kind, found = ask(mapper, name)
    if kind == "missing":
        assert found in {*prefixes(name), name}


@laws
@given(mappers, mappings)
def test_overrides_win(mapper: Mapper, mapping: dict[str, Any]) -> None:
    """An override is what its name means, whatever the mapper said before, exclusions included."""
    overridden = mapper.with_overrides(mapping)
    for name, thing in mapping.items():
        assert overridden.lookup(name) is thing


@laws
@given(mappers, mappings, names)
def test_an_override_governs_its_submodules(mapper: Mapper, mapping: dict[str, Any], name: str) -> None:
    """Below an override a name is the override's attribute or missing, never what it was; other names are as before."""
    overridden = mapper.with_overrides(mapping)
    package = next((prefix for prefix in prefixes(name) if prefix in mapping), None)
    assert governs(overridden, name) is (package is not None or governs(mapper, name))
    if package is None:
        assert ask(overridden, name) == ask(mapper, name)
        return
    path = name[len(package) + 1 :]
    try:
        attribute = functools.reduce(getattr, path.split(".") if path else [], mapping[package])
    except AttributeError:
        assert ask(overridden, name) == ("missing", name)
    else:
        assert overridden.lookup(name) is attribute


@laws
@given(mappers, st.sets(names), names)
def test_excluded_names_are_never_found(mapper: Mapper, excluded: set[str], name: str) -> None:
    """A name that is excluded, or is below one that is, is refused; every other name is what it was."""
    exclusive = ExclusiveMapper(mapper, excluded)
    if excluded.isdisjoint(prefixes(name)):
        assert ask(exclusive, name) == ask(mapper, name)
    else:
        assert not exclusive.contains(name)
        assert governs(exclusive, name)
        with pytest.raises(ExcludedImportError):
            exclusive.lookup(name)


@laws
@given(st.lists(mappers, max_size=4), names)
def test_a_stack_answers_as_its_first_mapper_that_has_the_name(stack: list[Mapper], name: str) -> None:
    """A stack asks in order, and ends at the first mapper that has the name or governs it."""
    asked = next((mapper for mapper in stack if mapper.contains(name) or governs(mapper, name)), None)
    expected = ("missing", name) if asked is None else ask(asked, name)
    kind, found = ask(StackedMapper(stack), name)
    assert kind == expected[0]
    assert kind == "missing" or found is expected[1]


@laws
@given(mappers, mappings, names)
def test_overriding_leaves_the_mapper_alone(mapper: Mapper, mapping: dict[str, Any], name: str) -> None:
    """`with_overrides` changes neither the mapper it is asked of nor the mapping it is given."""
    before = (ask(mapper, name), repr(mapper), dict(mapping))
    mapper.with_overrides(mapping).contains(name)
    assert (ask(mapper, name), repr(mapper), mapping) == before


@laws
@given(mappers)
def test_repr_says_what_it_is_and_is_never_long(mapper: Mapper) -> None:
    """A repr begins with the name of the mapper or of its class, and has a bounded length."""
    known = {"_EmptyMapper": "empty_mapper", "_Pep302Mapper": "pep302_mapper"}
    kind = type(mapper).__name__
    assert repr(mapper).startswith(known.get(kind, f"{kind}("))
    assert len(repr(mapper)) < 400
    assert isinstance(mapper, Mapper)


@laws
@given(mappers, any_names)
def test_errors_survive_a_pickle(mapper: Mapper, name: str) -> None:
    """An error of a lookup is the same after a pickle: its type, its text, its name and its other fields."""
    if not mapper.contains(name):
        with pytest.raises(ImportError) as caught:
            mapper.lookup(name)
        error = caught.value
        copy = pickle.loads(pickle.dumps(error))
        assert (type(copy), str(copy)) == (type(error), str(error))
        if isinstance(error, NotInMapperError | ExcludedImportError):
            assert (copy.name, copy.msg, vars(copy)) == (error.name, error.msg, vars(error))


@pytest.mark.parametrize(
    ("mapper", "text"),
    [
        (empty_mapper, "empty_mapper"),
        (pep302_mapper, "pep302_mapper"),
        (DictMapper({}), "DictMapper(nothing)"),
        (DictMapper(dict.fromkeys("dbeac")), "DictMapper(a, b, c and 2 more)"),
        (DictMapper({"x" * 1_000: 1}), f"DictMapper({'x' * 77}...)"),
        (CallableMapper(prefixes), "CallableMapper(prefixes)"),
        (CallableMapper(functools.partial(ask, empty_mapper)), "CallableMapper(partial)"),
        (
            ExclusiveMapper(pep302_mapper, ["os", "gc", "imp", "ssl"]),
            "ExclusiveMapper(pep302_mapper, without gc, imp, os and 1 more)",
        ),
        (pep302_mapper.with_overrides({"json": None}), "StackedMapper(DictMapper(json), pep302_mapper)"),
        (StackedMapper([empty_mapper] * 9), "StackedMapper(empty_mapper, empty_mapper, empty_mapper and 6 more)"),
    ],
)
def test_repr_of_each_mapper(mapper: Mapper, text: str) -> None:
    """A repr names the class and what it holds: a few names, then counts."""
    assert repr(mapper) == text


@pytest.mark.parametrize("name", BAD + LONG, ids=lambda name: ascii(name)[:20])
def test_pep302_mapper_refuses_bad_names_as_import_errors(name: str) -> None:
    """What can't be the name of a module is missing for Python's own import too, not a ValueError or a TypeError."""
    with pytest.raises(ModuleNotFoundError) as caught:
        pep302_mapper.lookup(name)
    assert caught.value.name in {*prefixes(name), name}


def test_pep302_mapper_finds_what_python_imports() -> None:
    """The mapper of Python's own import gives the objects in `sys.modules`, importing what is not there yet."""
    for name in REAL:
        assert pep302_mapper.lookup(name) is importlib.import_module(name)
    assert pep302_mapper.lookup("os.path") is os.path


@pytest.fixture
def broken_modules(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Modules on `sys.path` whose bodies raise."""
    (tmp_path / "broken_body.py").write_text("1 / 0\n")
    (tmp_path / "broken_optional.py").write_text("raise ImportError('needs the frobnicator')\n")
    (tmp_path / "broken_pack").mkdir()
    (tmp_path / "broken_pack/__init__.py").write_text("")
    (tmp_path / "broken_pack/terse.py").write_text("raise ModuleNotFoundError('pip install frobnicator')\n")
    (tmp_path / "asks.py").write_text("from broken_pack import terse\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("broken_pack", None)
    assert not {"broken_body", "broken_optional", "broken_pack.terse", "asks"} & sys.modules.keys()


@pytest.mark.usefixtures("broken_modules")
def test_an_error_in_a_module_is_its_own() -> None:
    """What a module's body raises comes out as it is, but an ImportError without a name is given the module's."""
    with pytest.raises(ZeroDivisionError):
        pep302_mapper.contains("broken_body")
    with pytest.raises(ImportError, match="needs the frobnicator") as caught:
        pep302_mapper.lookup("broken_optional")
    assert caught.value.name == "broken_optional"
    # With a name, it would pass for a submodule that isn't there, and its text would be lost.
    with pytest.raises(ModuleNotFoundError, match="pip install frobnicator"):
        load_named("asks")


def test_a_lazy_attribute_that_fails_to_import_is_missing() -> None:
    """An override whose attribute needs an import that fails says so, with the name that was asked for."""

    class Lazy:
        @property
        def part(self) -> Any:
            raise ImportError("needs the frobnicator")

    mapper = DictMapper({"lazy": Lazy()})
    assert not mapper.contains("lazy.part")
    with pytest.raises(ImportError, match="needs the frobnicator") as caught:
        mapper.lookup("lazy.part")
    assert caught.value.name == "lazy.part"


def test_an_override_outlives_an_exclusion() -> None:
    """What is laid over an exclusive mapper is found, while the rest of the excluded package stays out."""
    mapper = ExclusiveMapper(pep302_mapper, "xml").with_overrides({"xml.dom": json})
    assert mapper.lookup("xml.dom") is json
    assert not mapper.contains("xml")
    assert not mapper.contains("xml.sax")


def test_overrides_laid_over_overrides_stay_one_search() -> None:
    """Overriding thousands of times neither recurses nor hides the first override or the ground."""
    mapper = pep302_mapper
    for number in range(3_000):
        mapper = mapper.with_overrides({f"name{number}": number})
    assert (mapper.lookup("name0"), mapper.lookup("name2999"), mapper.lookup("json")) == (0, 2999, json)
    assert len(repr(mapper)) < 400


def test_a_stack_asks_a_subclass_as_a_whole() -> None:
    """A stack of a person's own, which answers in its own way, is not taken apart inside another stack."""

    class Shouting(StackedMapper):
        def lookup(self, name: str) -> Any:
            return super().lookup(name.lower())

    assert Shouting([pep302_mapper]).with_overrides({"x": 1}).lookup("JSON") is json


def test_a_lookup_that_succeeds_draws_nothing() -> None:
    """A repr is for messages: finding a name never asks for one."""

    class Undrawable:
        def lookup(self, name: str) -> Any:
            raise ImportError(name=name)

        def contains(self, name: str) -> bool:  # noqa: ARG002 - the protocol's
            return False

        def with_overrides(self, mapping: Mapping[str, Any]) -> Mapper:
            return StackedMapper((DictMapper(mapping), self))

        def __repr__(self) -> str:
            raise AssertionError("drawn")

    assert ExclusiveMapper(Undrawable().with_overrides({"a": 1}), ["b"]).lookup("a") == 1
    assert StackedMapper([Undrawable(), DictMapper({"a": 2})]).lookup("a") == 2


def test_a_failed_lookup_keeps_nothing_alive() -> None:
    """Once its error is dropped, a failed lookup has left no cycle that would keep the caller's objects."""

    class Held:
        pass

    def fail() -> weakref.ref[Held]:
        held = Held()
        for mapper in (
            empty_mapper,
            StackedMapper([pep302_mapper, empty_mapper]),
            DictMapper({"a": 1}),
            StackedMapper([]),
        ):
            with pytest.raises(ImportError):
                mapper.lookup("a.no_such_module")
            assert not mapper.contains("a.no_such_module")
        return weakref.ref(held)

    gc.collect()
    gc.disable()
    try:
        assert fail()() is None
    finally:
        gc.enable()


def test_a_dict_mapper_follows_its_mapping() -> None:
    """A DictMapper reads its mapping whenever it is asked, so a table of plug-ins may grow."""
    table: dict[str, Any] = {}
    mapper = DictMapper(table)
    assert not mapper.contains("plugin")
    table["plugin"] = json
    assert mapper.lookup("plugin.decoder") is json.decoder


@pytest.fixture
def original() -> Any:
    """A module to make proxies of."""
    module = ModuleType("original", "What it is for.")
    exec("x = 1\ny = 2\n_hidden = 3\ndef read():\n    return x\n", vars(module))
    return module


def test_a_proxy_replaces_and_delegates(original: Any) -> None:
    """Replaced attributes are the proxy's, all others the original's as they are now; the original is not touched."""
    before = dict(vars(original))
    proxy: Any = proxy_module(original, x=10, new=20)
    assert (proxy.x, proxy.y, proxy.new, proxy.__name__, proxy.__doc__) == (10, 2, 20, "original", "What it is for.")
    assert proxy.read() == 1
    assert vars(original) == before
    original.y = 5
    assert proxy.y == 5
    with pytest.raises(AttributeError, match="no_such"):
        _ = proxy.no_such
    assert isinstance(proxy, ModuleType)


def test_a_proxy_lists_and_shows_what_it_has(original: Any) -> None:
    """`dir` and `vars` have the replacements and the rest; the repr names the original and a few replacements."""
    proxy: Any = proxy_module(original, x=10, new=20)
    assert dir(proxy) == sorted({*dir(original), "new"})
    assert vars(proxy) == {**vars(original), "x": 10, "new": 20}
    assert repr(proxy) == "<proxy of <module 'original'> with new, x replaced>"
    assert len(repr(proxy_module(original, **{f"name{i}" * 50: i for i in range(99)}))) < 500


def test_a_proxy_serves_import_statements(original: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """`import`, `from ... import` and `from ... import *` see a proxy's replacements, `__all__` among them."""
    monkeypatch.setitem(sys.modules, "original", proxy_module(original, x=10))
    space: dict[str, Any] = {}
    exec("import original\nfrom original import x as one\nfrom original import *", space)
    assert (space["original"].x, space["one"], space["x"], space["y"], "_hidden" in space) == (10, 10, 10, 2, False)
    monkeypatch.setitem(sys.modules, "original", proxy_module(original, __all__=["_hidden"]))
    listed: dict[str, Any] = {}
    exec("from original import *", listed)
    assert listed.keys() - {"__builtins__"} == {"_hidden"}
    with pytest.raises(ImportError, match="no_such"):
        exec("from original import no_such", {})


def test_what_is_set_or_deleted_on_a_proxy_stays_on_it(original: Any) -> None:
    """A proxy can be changed like any module, and the original has no part in it."""
    proxy: Any = proxy_module(original, x=10)
    proxy.y = 30
    assert (proxy.y, original.y) == (30, 2)
    del proxy.x
    del proxy._hidden
    for name in ("x", "_hidden"):
        assert not hasattr(proxy, name)
        assert name not in dir(proxy)
        assert name not in vars(proxy)
        assert hasattr(original, name)
        with pytest.raises(AttributeError):
            delattr(proxy, name)
    assert "replaced" in repr(proxy)
    assert "x replaced" not in repr(proxy)
    proxy.x = 11
    assert (proxy.x, original.x) == (11, 1)


def test_a_monkeypatch_of_a_proxy_is_undone(original: Any) -> None:
    """Patching a proxy and taking the patch back leaves it as it was."""
    proxy: Any = proxy_module(original, x=10)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(proxy, "y", "patched")
        patch.setattr(proxy, "added", 1, raising=False)
        patch.delattr(proxy, "x")
        assert (proxy.y, proxy.added, hasattr(proxy, "x")) == ("patched", 1, False)
    assert (proxy.x, proxy.y, hasattr(proxy, "added")) == (10, 2, False)


def test_a_replacement_may_have_any_name(original: Any) -> None:
    """No attribute's name clashes with a parameter of `proxy_module`."""
    proxy: Any = proxy_module(original, module=1, self=2, original=3, replacements=4, name=5)
    assert (proxy.module, proxy.self, proxy.original, proxy.replacements, proxy.name) == (1, 2, 3, 4, 5)


def test_a_proxy_of_no_module_works() -> None:
    """Whatever a mapper holds can be seen through a proxy, objects without a dict too."""
    proxy: Any = proxy_module(7, extra=1)
    assert (proxy.real, proxy.extra, vars(proxy)) == (7, 1, {"extra": 1})
    assert proxy_module(proxy_module(json, loads=1), dumps=2).loads == 1
