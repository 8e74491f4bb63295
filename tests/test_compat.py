"""Exocet's names of 2011: what its own tests promised, and its published examples as they stand."""

from __future__ import annotations

import gc
import http.client
import json
import math
import os.path
import subprocess
import sys
import threading
import urllib.request
import weakref
import xml.dom.minidom
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from textwrap import dedent
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import exocet_ipython
from exocet_ipython import compat as exocet
from exocet_ipython.errors import ExcludedImportError

Write = Callable[[Mapping[str, str]], Path]
NAMES_OF_2011 = {
    "CallableMapper",
    "DictMapper",
    "ExclusiveMapper",
    "IMapper",
    "PackageContext",
    "emptyMapper",
    "getModule",
    "installExocetGlobalHook",
    "load",
    "loadNamed",
    "loadPackage",
    "loadPackageNamed",
    "lookupWithMapper",
    "pep302Mapper",
    "proxyModule",
    "redirectLocalImports",
    "uninstallExocetGlobalHook",
}


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Write files of a project on `sys.path`; in the end none of its modules may be in `sys.modules`."""
    monkeypatch.syspath_prepend(tmp_path)

    def write_files(files: Mapping[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text), encoding="utf-8")
        return tmp_path

    yield write_files
    files = {name: getattr(module, "__file__", None) or "" for name, module in list(sys.modules.items())}
    assert not [name for name, file in files.items() if file.startswith(str(tmp_path))]


@pytest.fixture
def circle(write: Write) -> str:
    """The name of a package, below another, whose modules import one another in a circle, all absolutely."""
    write(
        {
            "outer/__init__.py": "raise SystemExit('the parent must not run')",
            "outer/circle/__init__.py": "from outer.circle.util import word\nimport outer.circle.baz as own_baz",
            "outer/circle/top.py": "from outer.circle import foo, baz",
            "outer/circle/foo.py": "import outer.circle.baz as baz\nfrom outer.circle import util",
            "outer/circle/baz.py": "from outer.circle import foo, util",
            "outer/circle/util.py": "word = 'hooray'",
        }
    )
    return "outer.circle"


def test_every_name_of_2011_is_there() -> None:
    """The public names are those of Exocet 0.5, and a star import takes them."""
    assert set(exocet.__all__) == NAMES_OF_2011
    space: dict[str, Any] = {}
    exec("from exocet_ipython.compat import *", space)
    assert space.keys() - {"__builtins__"} == NAMES_OF_2011


# What Exocet's own tests promised


@pytest.mark.parametrize("how", ["loadNamed", "load"])
def test_modules_load_independently_of_global_state(write: Write, how: str) -> None:
    """Each load of a name, or of what getModule returned, gives another module, in `sys.modules` nowhere."""
    write({"pack/__init__.py": "raise SystemExit('the parent must not run')", "pack/util.py": "word = 'hooray'"})

    def load_one() -> ModuleType:
        if how == "loadNamed":
            return exocet.loadNamed("pack.util", exocet.emptyMapper)
        return exocet.load(exocet.getModule("pack.util"), exocet.emptyMapper)

    first, second = load_one(), load_one()
    first.mark, second.mark = "first", "second"  # type: ignore[attr-defined] # put there at run time
    assert (first.mark, second.mark) == ("first", "second")
    assert (first.word, second.word) == ("hooray", "hooray")
    assert first not in list(sys.modules.values())
    assert second not in list(sys.modules.values())


def test_load_takes_what_the_library_s_own_get_module_returns(write: Write) -> None:
    """Old and new code can be mixed: a ModuleInfo loads through the old name."""
    write({"util.py": "word = 'hooray'"})
    assert exocet.load(exocet_ipython.get_module("util"), exocet.emptyMapper).word == "hooray"


@pytest.mark.parametrize("name", ["sys", "email", "exocet_ipython", "exocet_ipython.loading"])
def test_empty_mapper_rejects_all_lookups(name: str) -> None:
    """The empty mapper has no name at all, and code that imports anything can't be loaded with it."""
    assert isinstance(exocet.emptyMapper, exocet.IMapper)
    assert not exocet.emptyMapper.contains(name)
    with pytest.raises(ImportError) as caught:
        exocet.emptyMapper.lookup(name)
    assert caught.value.name == name


def test_empty_mapper_denies_every_import(write: Write) -> None:
    """Code that imports anything can't be loaded with the empty mapper."""
    write({"needs.py": "import math"})
    with pytest.raises(ImportError, match="math"):
        exocet.loadNamed("needs", exocet.emptyMapper)


def test_dict_mapper_has_what_its_dict_has() -> None:
    """A DictMapper has the names of its dict, and no others."""
    table = {"sys": object(), "pack.test": object()}
    mapper = exocet.DictMapper(table)
    assert isinstance(mapper, exocet.IMapper)
    for name, thing in table.items():
        assert mapper.lookup(name) is thing
        assert mapper.contains(name)
    for name in ("email", "foobaz", "pack"):
        assert not mapper.contains(name)
        with pytest.raises(ImportError):
            mapper.lookup(name)


def test_callable_mapper_asks_its_function() -> None:
    """A CallableMapper has what its function returns, and lacks what the function raises ImportError for."""

    def find(name: str) -> str:
        if name != "known":
            raise ImportError
        return name

    mapper = exocet.CallableMapper(find)
    assert isinstance(mapper, exocet.IMapper)
    assert (mapper.lookup("known"), mapper.contains("known"), mapper.contains("other")) == ("known", True, False)
    with pytest.raises(ImportError) as caught:
        mapper.lookup("other")
    assert caught.value.name == "other"


def test_exclusive_mapper_excludes() -> None:
    """An ExclusiveMapper lacks the excluded names, and has the rest of the mapper below it."""
    mapper = exocet.ExclusiveMapper(exocet.pep302Mapper, ["sys", "xml.dom"])
    assert isinstance(mapper, exocet.IMapper)
    for name in ("sys", "xml.dom"):
        assert not mapper.contains(name)
        with pytest.raises(ExcludedImportError):
            mapper.lookup(name)
    assert mapper.lookup("json") is json


def test_exclusive_mapper_can_be_overridden() -> None:
    """What is overridden is found, although it is excluded below."""
    fake = object()
    mapper = exocet.ExclusiveMapper(exocet.pep302Mapper, ["sys", "xml"]).withOverrides({"sys": fake})
    assert mapper.lookup("sys") is fake
    assert not mapper.contains("xml")


def test_pep302_mapper_imports_as_python_does() -> None:
    """The pep302Mapper finds the modules that an import statement finds, dotted ones too."""
    assert isinstance(exocet.pep302Mapper, exocet.IMapper)
    for name, module in {"sys": sys, "os.path": os.path, "xml.dom.minidom": xml.dom.minidom}.items():
        assert exocet.pep302Mapper.lookup(name) is module
        assert exocet.pep302Mapper.contains(name)
    assert not exocet.pep302Mapper.contains("json._no_such_module")


@pytest.mark.parametrize("spelling", ["withOverrides", "with_overrides"])
@pytest.mark.parametrize(
    "mapper",
    [
        exocet.pep302Mapper,
        exocet.emptyMapper,
        exocet.DictMapper({"sys": sys}),
        exocet.CallableMapper(exocet.pep302Mapper.lookup),
        exocet.ExclusiveMapper(exocet.pep302Mapper, ["math"]),
        exocet.pep302Mapper.withOverrides({"json": None}),
    ],
    ids=repr,
)
def test_every_mapper_can_be_overridden_in_either_spelling(mapper: Any, spelling: str) -> None:
    """Both spellings give a mapper in which the override wins and the rest is as before, and which has both again."""
    fake = object()
    before = (mapper.contains("math"), mapper.contains("sys"))
    overridden = getattr(mapper, spelling)({"math": fake})
    assert overridden.lookup("math") is fake
    assert overridden.contains("sys") is before[1]
    assert isinstance(overridden, exocet.IMapper)
    assert isinstance(overridden, exocet_ipython.Mapper)
    assert getattr(overridden, spelling)({"math": 2}).withOverrides({"sys": 3}).lookup("math") == 2
    assert (mapper.contains("math"), mapper.contains("sys")) == before


def test_os_path_is_python_s_own(write: Write) -> None:
    """A module that imports `os.path` sees the `os` and `os.path` that everybody sees."""
    write({"example.py": "import os.path"})
    module = exocet.loadNamed("example", exocet.pep302Mapper)
    assert module.os.path is os.path
    assert module.os.getcwd is os.getcwd


@pytest.fixture
def late(write: Write) -> str:
    """The name of a package with a module that imports another when a function of it is called."""
    write(
        {
            "late/__init__.py": "",
            "late/foo.py": """
            words = []
            def do():
                from late import util
                words.append(util.word)
                return util
        """,
            "late/util.py": "word = 'hooray'",
        }
    )
    return "late"


def test_late_imports_find_the_context_of_their_module(late: str) -> None:
    """An import in a function means what it meant to the mapper that the module was loaded with."""

    class FakeUtil:
        word = "booo"

    class FakePackage:
        util = FakeUtil

    foo = exocet.loadNamed(f"{late}.foo", exocet.pep302Mapper.withOverrides({late: FakePackage}))
    assert foo.words == []
    assert foo.do() is FakeUtil
    assert foo.words == ["booo"]


def test_late_imports_find_the_package_s_own_modules(late: str) -> None:
    """An import in a function of a package finds the module of the same copy of the package."""
    context = exocet.loadPackageNamed(late, exocet.emptyMapper)
    foo, util = context.loadNamed(f"{late}.foo"), context.loadNamed(f"{late}.util")
    assert foo.words == []
    assert foo.do() is util
    assert foo.words == ["hooray"]


@pytest.mark.parametrize("how", ["loadPackageNamed", "loadPackage", "PackageContext"])
def test_modules_of_a_package_context_belong_together(circle: str, how: str) -> None:
    """A context gives one copy of a package, whose modules refer to one another in circles; parents do not run."""
    if how == "loadPackageNamed":
        context = exocet.loadPackageNamed(circle, exocet.emptyMapper)
    else:
        context = getattr(exocet, how)(exocet.getModule(circle), exocet.emptyMapper)
    top, foo, baz, util = (context.loadNamed(f"{circle}.{name}") for name in ("top", "foo", "baz", "util"))
    assert (top.foo, top.baz) == (foo, baz)
    assert (foo.baz, baz.foo) == (baz, foo)
    assert foo.util is baz.util is util
    assert context.packageMaker.name == circle
    assert context.lookup(f"{circle}.util") is context.mapper.lookup(f"{circle}.util") is util
    other = exocet.loadPackageNamed(circle, exocet.emptyMapper)
    assert other.loadNamed(f"{circle}.util") is not util


def test_a_package_context_runs_the_package_at_once(write: Write) -> None:
    """An error in the package's `__init__` comes from loadPackageNamed, not from the first loadNamed."""
    write({"broken/__init__.py": "1 / 0"})
    with pytest.raises(ZeroDivisionError):
        exocet.loadPackageNamed("broken", exocet.pep302Mapper)


def test_a_package_context_finds_other_names_in_its_mapper(circle: str) -> None:
    """Names outside the package are the mapper's, overrides inside it win, and its modules can be given to others."""
    mapper = exocet.DictMapper({"math": math}).withOverrides({f"{circle}.util": SimpleNamespace(word="booo")})
    context = exocet.loadPackageNamed(circle, mapper)
    assert context.loadNamed("math") is math
    assert context.loadNamed(circle).word == "booo"
    with pytest.raises(ImportError):
        context.loadNamed("json")
    user = exocet.loadNamed("json", exocet.pep302Mapper.withOverrides({"codecs": context.loadNamed(circle)}))
    assert user.codecs is context.loadNamed(circle)


def test_only_packages_have_contexts() -> None:
    """A package context of a module is a ValueError that names it."""
    for make in (
        lambda: exocet.loadPackageNamed("json.decoder", exocet.emptyMapper),
        lambda: exocet.loadPackage(exocet.getModule("json.decoder"), exocet.emptyMapper),
    ):
        with pytest.raises(ValueError, match=r"json\.decoder"):
            make()


def test_a_package_loads_as_its_init_module(circle: str) -> None:
    """A package loaded by loadNamed runs its `__init__`, with its own modules, and returns it."""
    mapper = exocet.DictMapper({"outer": ModuleType("outer")})
    with pytest.raises(ImportError):  # an override of the parent governs the package's modules
        exocet.loadNamed(circle, mapper)
    package = exocet.loadNamed(circle, exocet.emptyMapper)
    assert (package.__name__, package.word) == (circle, "hooray")


def test_a_top_level_package_loads_as_its_init_module(late: str) -> None:
    """A top-level package loaded by loadNamed is a whole new copy of it."""
    package = exocet.loadNamed(late, exocet.emptyMapper)
    assert (package.__name__, package.__path__ != []) == (late, True)


def test_proxy_module_replaces_some_attributes() -> None:
    """A proxy of a module has the replacements, and passes all other attributes on."""
    fake = object()
    proxy = exocet.proxyModule(sys, stdout=fake)
    assert proxy.stdout is fake
    assert proxy.stdin is sys.stdin
    assert sys.stdout is not fake
    assert exocet.proxyModule is exocet_ipython.proxy_module


def test_get_module_describes_without_running(circle: str, tmp_path: Path) -> None:
    """What getModule returns knows name, file and kind, lists modules, and reads imports and exports."""
    maker = exocet.getModule(circle)
    assert (maker.name, maker.isPackage()) == (circle, True)
    assert [child.name for child in maker.iterModules()] == [
        f"{circle}.{name}" for name in ("baz", "foo", "top", "util")
    ]
    assert next(maker.walkModules()) == maker
    assert len(list(maker.walkModules())) == 5
    util = exocet.getModule(f"{circle}.util")
    assert (util.isPackage(), list(util.iterModules())) == (False, [])
    assert list(util.iterExportNames()) == ["word"]
    assert list(exocet.getModule(f"{circle}.baz").iterImportNames()) == [f"{circle}.foo", f"{circle}.util"]
    path = util.filePath
    assert path is not None
    assert path == tmp_path / "outer/circle/util.py"
    assert isinstance(path, Path)
    assert (path.path, path.basename(), path.splitext()[1]) == (str(path), "util.py", ".py")
    assert path.parent.name == "circle"
    assert exocet.getModule("sys").filePath is None


def test_a_maker_s_load_gives_a_new_module() -> None:
    """`load` of what getModule or iterModules returned gives a new module, made with Python's own import by default."""
    found = next(exocet.getModule("json").iterModules())
    assert found.name == "json.decoder"
    assert found.load() is not found.load()
    assert found.load().JSONDecoder is not json.JSONDecoder


@pytest.mark.parametrize("name", ["no_such_module", "json.no_such"])
def test_a_missing_module_is_an_import_error(name: str) -> None:
    """Looking for or loading what isn't there raises ModuleNotFoundError with the name."""
    for ask in (exocet.getModule, lambda name: exocet.loadNamed(name, exocet.pep302Mapper)):
        with pytest.raises(ModuleNotFoundError) as caught:
            ask(name)
        assert caught.value.name == name


# m=: loading into a module object that is given


def test_modules_that_need_each_other_load_into_given_objects(write: Write) -> None:
    """Two modules that import each other can be loaded one by one, each finding the other's object in its mapper."""
    write(
        {
            "ping.py": "import pong\ndef answer(n):\n    return n if n > 9 else pong.answer(n + 1)",
            "pong.py": "import ping\ndef answer(n):\n    return ping.answer(n + 1)",
        }
    )
    ping, pong = ModuleType("ping"), ModuleType("pong")
    mapper = exocet.DictMapper({"ping": ping, "pong": pong})
    assert exocet.loadNamed("ping", mapper, ping) is ping
    assert exocet.load(exocet.getModule("pong"), mapper, m=pong) is pong
    assert (ping.answer(1), ping.__spec__ is not None) == (11, True)
    assert ping.answer.__globals__ is vars(ping)


def test_a_package_s_init_loads_into_a_given_object(circle: str) -> None:
    """Loaded into a given object, a package is one module: its submodules come from the mapper."""
    util, package = SimpleNamespace(word="mapped"), ModuleType(circle)
    table = {f"{circle}.util": util, f"{circle}.baz": 1, "outer": ModuleType("outer")}
    mapper = exocet.CallableMapper(exocet.DictMapper(table).lookup)  # which governs nothing
    assert exocet.loadNamed(circle, mapper, m=package) is package
    assert (package.word, package.own_baz) == ("mapped", 1)


def test_a_given_object_is_empty_again_after_an_error(write: Write) -> None:
    """When the code fails, the object that was to be filled is as it was, and can be filled once more."""
    root = write({"half.py": "x = 1\n1 / 0"})
    module = ModuleType("half")
    before = dict(vars(module))
    with pytest.raises(ZeroDivisionError):
        exocet.loadNamed("half", exocet.emptyMapper, m=module)
    assert vars(module) == before
    (root / "half.py").write_text("x = 2")
    assert exocet.loadNamed("half", exocet.emptyMapper, m=module).x == 2


def test_a_module_meets_its_given_object_while_it_loads(write: Write) -> None:
    """Code that looks itself up while it runs finds the object that it is loaded into."""
    write({"selfish.py": "import selfish, sys\nselfish.one = 1\nsys.modules[__name__].two = 2"})
    module: Any = ModuleType("selfish")
    exocet.loadNamed("selfish", exocet.pep302Mapper, m=module)
    assert (module.one, module.two, module.selfish) == (1, 2, module)


# Mappers that somebody wrote in 2011


class OldMapper:
    """A mapper of 2011: no with_overrides, ImportErrors without a name, and errors that are no ImportErrors."""

    def lookup(self, name: str) -> Any:
        """Raise what a mapper of ours would not."""
        if name == "typo":
            raise KeyError(name)
        if name != "settings":
            raise ImportError(name)
        return SimpleNamespace(colour="red")

    def contains(self, name: str) -> bool:
        """Say whether it has the name."""
        return name == "settings"

    def withOverrides(self, overrides: Mapping[str, Any]) -> exocet.DictMapper:  # noqa: N802 - 2011
        """Return a mapper without the rest."""
        return exocet.DictMapper(overrides)


def test_a_mapper_with_the_old_names_only_is_accepted(write: Write) -> None:
    """Every loading function, and an ExclusiveMapper, takes a mapper that has no more than the names of 2011."""
    write(
        {
            "reads.py": """
                import settings
                def late():
                    import settings
                    return settings.colour
                colour = settings.colour
            """,
            "pack/__init__.py": "from reads import colour",
            "asks.py": "try:\n    import {}\nexcept ImportError as error:\n    missing = error".replace("{}", "typo"),
        }
    )
    old = OldMapper()
    assert isinstance(old, exocet.IMapper)
    assert not isinstance(old, exocet_ipython.Mapper)
    for module in (exocet.loadNamed("reads", old), exocet.load(exocet.getModule("reads"), old)):
        assert (module.colour, module.late()) == ("red", "red")
    into = ModuleType("reads")
    assert exocet.loadNamed("reads", old, m=into).colour == "red"
    with pytest.raises(ImportError, match="reads"):
        exocet.loadPackageNamed("pack", old)
    exclusive = exocet.ExclusiveMapper(old, ["settings"])
    assert not exclusive.contains("settings")
    assert not exclusive.contains("typo")
    assert exclusive.withOverrides({"settings": 1}).lookup("settings") == 1
    # As in 2011, whatever goes wrong in such a mapper is an ImportError to the code that is loaded.
    missing = exocet.loadNamed("asks", old).missing
    assert (missing.name, type(missing.__cause__)) == ("typo", KeyError)


def test_what_is_no_mapper_is_refused() -> None:
    """A dict given for a mapper is a TypeError that says what to do."""
    with pytest.raises(TypeError, match=r"dict is not a mapper.*DictMapper"):
        exocet.loadNamed("json", {"codecs": None})


def test_lookup_with_mapper_turns_errors_into_import_errors() -> None:
    """What the mapper has is returned, an ImportError passed on, any other error made the cause of one."""
    assert exocet.lookupWithMapper(exocet.pep302Mapper, "math") is math
    with pytest.raises(ImportError) as passed:
        exocet.lookupWithMapper(exocet.emptyMapper, "math")
    assert passed.value.__cause__ is None
    with pytest.raises(ImportError, match=r"OldMapper\.lookup\('typo'\) failed: KeyError") as turned:
        exocet.lookupWithMapper(OldMapper(), "typo")
    assert (turned.value.name, type(turned.value.__cause__)) == ("typo", KeyError)


# The global hook that is no more


def test_the_global_hooks_change_nothing() -> None:
    """Installing and uninstalling the hook of 2011 leaves `__import__` and `sys.meta_path` as they are."""
    before = (__import__, list(sys.meta_path), list(sys.path_hooks))
    exocet.installExocetGlobalHook()
    assert (__import__, sys.meta_path, sys.path_hooks) == before
    exocet.uninstallExocetGlobalHook()
    assert (__import__, sys.meta_path, sys.path_hooks) == before


def test_redirect_local_imports_imports_as_the_module_would(late: str) -> None:
    """Given a module's globals it imports in that module's context; without any, as Python does."""
    fake = SimpleNamespace(word="booo")
    foo = exocet.loadNamed(f"{late}.foo", exocet.DictMapper({"math": fake}))
    assert exocet.redirectLocalImports("math", vars(foo)) is fake
    assert exocet.redirectLocalImports("math", vars(foo), None, ["word"], 0) is fake
    assert exocet.redirectLocalImports("math") is math
    assert exocet.redirectLocalImports("math", globals()) is math


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("MakerFinder", "give loadNamed a mapper"),
        ("iterModules", "getModule"),
        ("walkModules", "getModule"),
        ("iterImportNames", "getModule"),
        ("iterExportNames", "getModule"),
        ("analyzePackage", "graphlib"),
        ("topological_sort", "graphlib"),
        ("robust_topological_sort", "graphlib"),
        ("strongly_connected_components", "graphlib"),
        ("no_such_name", "has no attribute 'no_such_name'$"),
    ],
)
def test_a_name_that_is_gone_says_what_to_use(name: str, advice: str) -> None:
    """A helper of 2011 that makes no sense today is an AttributeError that says what does."""
    with pytest.raises(AttributeError, match=advice) as caught:
        getattr(exocet, name)
    assert caught.value.name == name


# The published examples


class Hello(BaseHTTPRequestHandler):
    """A web server that says hello."""

    def do_GET(self) -> None:
        """Say hello."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<!DOCTYPE html>")

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    """The address of a web server on this machine."""
    with HTTPServer(("127.0.0.1", 0), Hello) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def hand_made_proxy(replacement: object) -> object:
    """Make the proxy of http.client that Exocet's introduction wrote out by hand: no module, only its attributes."""

    class ModuleProxy:
        def __getattribute__(self, name: str) -> Any:
            return replacement if name == "HTTPConnection" else getattr(http.client, name)

    return ModuleProxy()


@pytest.mark.parametrize(
    "make", [hand_made_proxy, lambda replacement: exocet.proxyModule(http.client, HTTPConnection=replacement)]
)
def test_example_urllib_with_another_http_client(url: str, monkeypatch: pytest.MonkeyPatch, make: Any) -> None:
    """A copy of urllib is given its own http.client, while plain copies and Python's own go on as ever."""
    monkeypatch.setenv("no_proxy", "*")
    seen: list[str] = []

    class Connection(http.client.HTTPConnection):
        def __init__(self, host: str, **options: Any) -> None:
            seen.append(host)
            super().__init__(host, **options)

    plain = exocet.loadNamed("urllib.request", exocet.pep302Mapper)
    overridden = exocet.pep302Mapper.withOverrides({"http.client": make(Connection)})
    plus = exocet.loadNamed("urllib.request", overridden)
    for library in (plain, urllib.request):
        with library.urlopen(url) as answer:
            assert answer.read(15) == b"<!DOCTYPE html>"
    assert seen == []
    with plus.urlopen(url) as answer:
        assert answer.read(15) == b"<!DOCTYPE html>"
    assert seen == [url.removeprefix("http://").rstrip("/")]


def test_example_optional_and_alternative_dependencies(write: Write) -> None:
    """A module's dependencies are its parameters: absent, present, or one provider instead of another."""
    write(
        {
            "client.py": """
            try:
                from OpenSSL import SSL
            except ImportError:
                SSL = None
            try:
                from lxml import etree
            except ImportError:
                import xml.etree.ElementTree as etree
        """,
        }
    )
    without = exocet.loadNamed("client", exocet.ExclusiveMapper(exocet.pep302Mapper, ["OpenSSL", "lxml"]))
    assert without.SSL is None
    assert without.etree is ET
    fakes = {"OpenSSL": SimpleNamespace(SSL="ssl"), "lxml.etree": "etree"}
    given = exocet.loadNamed(
        "client", exocet.emptyMapper.withOverrides({**fakes, "lxml": SimpleNamespace(etree="etree")})
    )
    assert (given.SSL, given.etree) == ("ssl", "etree")


def test_example_parameters_as_a_module(write: Write) -> None:
    """A plug-in system hands parameters in as a module that does not exist; both forms of import find them."""
    write(
        {
            "server/__init__.py": "",
            "server/plugins/__init__.py": "",
            "server/plugins/beta.py": "from server import parameters as given\nname = given.factory",
            "server/plugins/inner/__init__.py": "from server.parameters import factory, plugin_name\nname = factory",
            "server/plugins/inner/delta.py": "import threading",
            "server/plugins/wrong.py": "def f(:",
        }
    )
    parameters = ModuleType("parameters")
    vars(parameters).update(factory="the factory", plugin_name="unused")
    mapper = exocet.ExclusiveMapper(exocet.pep302Mapper, {"gc", "threading"})
    mapper_with_parameters = mapper.withOverrides({"server.parameters": parameters})
    names, errors = [], []
    stack = [exocet.getModule("server.plugins")]
    while stack:
        for maker in stack.pop().iterModules():
            if maker.isPackage():
                stack.append(maker)
            try:
                names.append(vars(exocet.load(maker, mapper_with_parameters))["name"])
            except (ImportError, SyntaxError) as error:
                errors.append(type(error))
    assert names == ["the factory", "the factory"]
    assert errors == [SyntaxError, ExcludedImportError]
    del sys.modules["server"]  # `from server import ...` imported it, as Python does


def test_example_a_registry_of_plugins(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each registry gives the plug-ins its own base class through a proxy of the module that they import it from."""
    write({"bot_plugins/__init__.py": "", "bot_plugins/echo.py": "from bot_api import Plugin\nclass Echo(Plugin): ..."})
    api: Any = ModuleType("bot_api")
    api.Plugin = type("Plugin", (), {})
    monkeypatch.setitem(sys.modules, "bot_api", api)

    class Registry:
        def __init__(self) -> None:
            self.base: Any = type("LocalPlugin", (), {})
            proxy = exocet.proxyModule(sys.modules["bot_api"], Plugin=self.base)
            self.mapper = exocet.pep302Mapper.withOverrides({"bot_api": proxy})
            self.loaded: list[ModuleType] = []

        def scan(self) -> list[str]:
            for maker in exocet.getModule("bot_plugins").iterModules():
                if maker.name not in [module.__name__ for module in self.loaded]:
                    self.loaded.append(exocet.load(maker, self.mapper))
            return [kind.__name__ for kind in type.__subclasses__(self.base)]

    one, other = Registry(), Registry()
    assert (one.scan(), one.scan(), other.scan()) == (["Echo"], ["Echo"], ["Echo"])
    assert one.base.__subclasses__() != other.base.__subclasses__()
    assert api.Plugin.__subclasses__() == []


def test_example_a_manager_that_scans_for_exported_classes(write: Write) -> None:
    """A manager takes the classes that each plug-in module exports, and only what is new since its last look."""
    root = write({"enabled/__init__.py": "", "enabled/one.py": "from collections import deque\nclass One: ..."})
    makers = set(exocet.getModule("enabled").iterModules())
    (root / "enabled/two.py").write_text("__all__ = ['Two']\nclass Two: ...\nclass Base: ...")
    (fresh,) = set(exocet.getModule("enabled").iterModules()) - makers
    exported = [
        getattr(exocet.load(maker, exocet.pep302Mapper), name).__name__
        for maker in [*makers, fresh]
        for name in maker.iterExportNames()
    ]
    assert exported == ["One", "Two"]


def test_example_the_command_table_of_a_mud(write: Write) -> None:
    """A game loads its commands again after an edit: the new command answers, and the old module is collected."""
    root = write(
        {
            "game/__init__.py": "",
            "game/world.py": "room = 'a dark cellar'",
            "game/commands/__init__.py": "",
            "game/commands/general.py": """
                from game import world

                class CmdLook:
                    name = "look"

                    def func(self):
                        return f"You see {world.room}."
            """,
            "game/commands/cmdtable.py": """
                class CommandTable:
                    def __init__(self):
                        self.commands = {}

                    def add_command(self, command):
                        self.commands[command.name] = command
            """,
        }
    )
    before = set(sys.modules)
    table = exocet.loadNamed("game.commands.cmdtable", exocet.pep302Mapper).CommandTable()

    general_cmds = exocet.loadNamed("game.commands.general", exocet.pep302Mapper)
    table.add_command(general_cmds.CmdLook())
    assert table.commands["look"].func() == "You see a dark cellar."
    old = [weakref.ref(general_cmds), weakref.ref(general_cmds.CmdLook), weakref.ref(table.commands["look"])]

    file = root / "game/commands/general.py"
    file.write_text(file.read_text().replace("You see", "You spy"))  # as long as before, within the same second
    general_cmds = exocet.loadNamed("game.commands.general", exocet.pep302Mapper)
    assert table.commands["look"].func() == "You see a dark cellar."

    table.add_command(general_cmds.CmdLook())
    gc.collect()
    assert [reference() for reference in old] == [None, None, None]
    assert table.commands["look"].func() == "You spy a dark cellar."

    brought = set(sys.modules) - before
    assert brought == {"game", "game.world"}  # Python's own import, the mapper, keeps what it loads
    for name in brought:
        del sys.modules[name]


def test_the_old_names_bring_nothing_heavy() -> None:
    """Importing the old names loads neither IPython nor traitlets."""
    check = "import sys, exocet_ipython.compat; sys.exit(bool({'IPython', 'traitlets'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
