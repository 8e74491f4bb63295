"""Looking at modules before they are loaded, as a plug-in system does."""

from __future__ import annotations

import importlib
import importlib.machinery
import os
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from exocet_ipython.errors import SourceNotFoundError
from exocet_ipython.loading.mapper import DictMapper
from exocet_ipython.loading.modules import ModuleInfo, get_module, load

Write = Callable[[dict[str, str]], Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Write files of a project on `sys.path`; in the end none of its modules may be in `sys.modules`."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)

    def write_files(files: dict[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text), encoding="utf-8")
        return tmp_path

    yield write_files
    brought = {name: vars(sys.modules[name]).get("__file__") or "" for name in set(sys.modules) - before}
    assert not [name for name, file in brought.items() if file.startswith(str(tmp_path))]


@pytest.fixture
def plugins(write: Write) -> Path:
    """A package of plug-ins, each of which would fail if it ran."""
    return write(
        {
            "plugins/__init__.py": "raise SystemExit('ran')",
            "plugins/beta.py": "raise SystemExit('ran')",
            "plugins/alpha.py": "raise SystemExit('ran')",
            "plugins/gamma/__init__.py": "raise SystemExit('ran')",
            "plugins/gamma/deep.py": "raise SystemExit('ran')",
            "plugins/data/readme.txt": "not a module",
            "plugins/notes.txt": "not a module",
        }
    )


@pytest.mark.usefixtures("plugins")
def test_modules_of_a_package_are_listed_without_running() -> None:
    """`iter_modules` gives what is directly below, by name; `walk_modules` all of it, parents first."""
    package = get_module("plugins")
    assert [module.name for module in package.iter_modules()] == ["plugins.alpha", "plugins.beta", "plugins.gamma"]
    assert [module.name for module in package.walk_modules()] == [
        "plugins",
        "plugins.alpha",
        "plugins.beta",
        "plugins.gamma",
        "plugins.gamma.deep",
    ]
    assert list(get_module("plugins.alpha").iter_modules()) == []
    assert [module.name for module in get_module("plugins.alpha").walk_modules()] == ["plugins.alpha"]


def test_a_module_says_where_it_is(plugins: Path) -> None:
    """Name, path and kind are known without running the module or its parents."""
    package, module = get_module("plugins.gamma"), get_module("plugins.gamma.deep")
    assert (package.name, package.path, package.is_package) == (
        "plugins.gamma",
        str(plugins / "plugins/gamma/__init__.py"),
        True,
    )
    assert (module.name, module.path, module.is_package) == (
        "plugins.gamma.deep",
        str(plugins / "plugins/gamma/deep.py"),
        False,
    )
    assert repr(package) == f"<package plugins.gamma at {package.path}>"
    assert repr(module) == f"<module plugins.gamma.deep at {module.path}>"


@pytest.mark.usefixtures("plugins")
def test_modules_can_be_kept_in_sets() -> None:
    """Two looks at one module are equal, so a plug-in system can subtract what it knows already."""
    known = {get_module("plugins.alpha")}
    assert [
        module.name for module in sorted({*get_module("plugins").iter_modules()} - known, key=lambda m: m.name)
    ] == [
        "plugins.beta",
        "plugins.gamma",
    ]
    assert get_module("plugins.alpha") != get_module("plugins.beta")
    assert get_module("plugins.alpha") != "plugins.alpha"


def test_a_plugin_saved_a_moment_ago_is_found(plugins: Path) -> None:
    """A file that appears between two looks is listed and loads, even where the folder's time stamp didn't change."""
    package = get_module("plugins")
    list(package.iter_modules())
    folder = plugins / "plugins"
    before = folder.stat()
    (folder / "delta.py").write_text("answer = 42\n")
    os.utime(folder, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert "plugins.delta" in [module.name for module in package.iter_modules()]
    os.utime(folder, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert get_module("plugins.delta").load().answer == 42
    (folder / "epsilon.py").write_text("answer = 43\n")
    os.utime(folder, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert get_module("plugins.epsilon").load().answer == 43


def test_each_load_gives_another_module(write: Write) -> None:
    """`load` makes a new module object from what was found, with the imports that its mapper gives it."""
    write({"pack/__init__.py": "", "pack/plugin.py": "import settings\ncolour = settings.colour\n"})
    mapper = DictMapper({"settings": type("settings", (), {"colour": "red"})})
    (found,) = get_module("pack").iter_modules()
    first, second = load(found, mapper), found.load(mapper)
    assert first is not second
    assert (first.colour, second.colour, first.__name__) == ("red", "red", "pack.plugin")
    assert not {"pack", "pack.plugin"} & sys.modules.keys()
    with pytest.raises(ModuleNotFoundError, match="settings"):
        found.load()


def test_namespace_packages_are_packages_without_a_file(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A namespace package has the modules of all its portions, no path and no names of its own."""
    write({"first/spread/one.py": "", "second/spread/two.py": ""})
    monkeypatch.syspath_prepend(tmp_path / "first")
    monkeypatch.syspath_prepend(tmp_path / "second")
    package = get_module("spread")
    assert (package.path, package.is_package, repr(package)) == (None, True, "<package spread at no file>")
    assert [module.name for module in package.iter_modules()] == ["spread.one", "spread.two"]
    assert list(package.iter_import_names()) == list(package.iter_export_names()) == []


@pytest.mark.xfail(raises=KeyError, strict=True, reason="loading/source.py: find_spec asks for a parent in sys.modules")
def test_a_namespace_package_in_another_is_found(write: Write) -> None:
    """A folder without `__init__.py` inside another is not listed, but it is found by its name, and loads."""
    write({"spread/inner/three.py": "answer = 42"})
    assert list(get_module("spread").iter_modules()) == []
    (three,) = get_module("spread.inner").iter_modules()
    assert (three.name, three.load().answer) == ("spread.inner.three", 42)


def test_modules_in_a_zip_file_are_like_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package in a zip file can be listed, read and loaded."""
    archive = tmp_path / "zipped.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("packed/__init__.py", "from packed import inner\n")
        file.writestr("packed/inner.py", "import json\n\ndef answer():\n    return 42\n")
    monkeypatch.syspath_prepend(archive)
    assert [module.name for module in get_module("packed").walk_modules()] == ["packed", "packed.inner"]
    inner = get_module("packed.inner")
    assert (list(inner.iter_import_names()), list(inner.iter_export_names())) == (["json"], ["answer"])
    assert inner.path == str(archive / "packed/inner.py")
    assert inner.load().answer() == 42


def test_a_link_to_a_folder_above_is_walked_once(plugins: Path) -> None:
    """A package that contains itself by a symbolic link does not make the walk endless."""
    (plugins / "plugins/gamma/again").symlink_to(plugins / "plugins", target_is_directory=True)
    assert [module.name for module in get_module("plugins").walk_modules()][-3:] == [
        "plugins.gamma",
        "plugins.gamma.again",
        "plugins.gamma.deep",
    ]


def test_import_names_are_absolute_and_in_the_order_of_the_source(write: Write) -> None:
    """Plain, aliased, relative, star, late and conditional imports all count, relative ones resolved."""
    write(
        {
            "game/__init__.py": """
            from . import world
            from .world import Room as Place
        """,
            "game/ui/__init__.py": "",
            "game/ui/text.py": """
            from __future__ import annotations
            import os.path, json as j
            if True:
                import conditional
            def late():
                import within
                from ..world import Room
            from game.world import *
            from . import colours
            from .. import world
            try:
                import tried
            except ImportError:
                import instead
        """,
            "game/world.py": "class Room: ...",
        }
    )
    assert list(get_module("game").iter_import_names()) == ["game.world", "game.world.Room"]
    assert list(get_module("game.ui.text").iter_import_names()) == [
        "__future__.annotations",
        "os.path",
        "json",
        "conditional",
        "within",
        "game.world.Room",
        "game.world",
        "game.ui.colours",
        "game.world",
        "tried",
        "instead",
    ]


def test_a_relative_import_that_leads_nowhere_is_an_import_error(write: Write) -> None:
    """What Python would refuse when it runs is refused when it is read, in the same words."""
    write({"game/__init__.py": "from ..outside import x", "script.py": "from . import x"})
    with pytest.raises(ImportError, match="beyond top-level package"):
        list(get_module("game").iter_import_names())
    with pytest.raises(ImportError, match="no known parent package"):
        list(get_module("script").iter_import_names())


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("", []),
        (
            "import os\nfrom json import loads\nx = y = 1\ndef f(): z = 1\nclass C:\n    inner = 1\nasync def g(): ...",
            ["x", "y", "f", "C", "g"],
        ),
        ("_private = 1\n__version__ = '1'\npublic = 1", ["public"]),
        ("a, (b, *c) = 1, (2, 3)\nd: int = 4\ne: int\nf.attribute = 1\ng[h] = 2", ["a", "b", "c", "d"]),
        (
            "if True:\n    x = 1\nelse:\n    def y(): ...\ntry:\n    class Z: ...\nexcept OSError as e:\n    Z = None",
            ["x", "y", "Z"],
        ),
        (
            "for i in range(3):\n    with open(i) as file:\n        pass\nlast = [n for n in (m := range(3))]",
            ["i", "file", "last"],
        ),
        ("x = 1\ndel x\nx = 2\nfunction = lambda argument: (inner := argument)", ["x", "function"]),
        ("__all__ = ['b', 'a']\na = b = c = 1", ["b", "a"]),
        ("__all__ = ('_hidden',)\n_hidden = 1", ["_hidden"]),
        ("__all__: list[str] = ['a', 'a']\na = b = 1", ["a"]),
        ("__all__ = ['a']\n__all__ += ['b']\n__all__ += ('c',)\nd = 1", ["a", "b", "c"]),
        ("__all__ = ['a']\n__all__ = []\na = 1", []),
        ("__all__ = [name for name in dir()]\na = 1", ["a"]),
        ("__all__ = ['a', 2]\na = b = 1", ["a", "b"]),
        ("__all__ = ['a']\n__all__.append('b')\na = b = c = 1", ["a", "b", "c"]),
        ("__all__ = ['a']\n__all__ += other.__all__\na = b = 1", ["a", "b"]),
        ("__all__ = ['a']\na = b = 1\ndef f():\n    return __all__", ["a"]),
        ("a = b = 1\ndef f():\n    global __all__\n    __all__ = ['a']", ["a", "b", "f"]),
    ],
)
def test_export_names(write: Write, source: str, names: list[str]) -> None:
    """A literal `__all__` decides; without one, the public names that the module's own statements define."""
    write({"offers.py": source})
    assert list(get_module("offers").iter_export_names()) == names


@pytest.mark.parametrize("name", ["iter_import_names", "iter_export_names"])
def test_a_syntax_error_is_python_s_own(write: Write, name: str) -> None:
    """Reading a module that doesn't parse raises SyntaxError with its file and line; listing it still works."""
    root = write({"pack/__init__.py": "", "pack/wrong.py": "x = 1\ndef f(:\n"})
    (module,) = get_module("pack").iter_modules()
    with pytest.raises(SyntaxError) as caught:
        list(getattr(module, name)())
    assert (caught.value.filename, caught.value.lineno) == (str(root / "pack/wrong.py"), 2)


def test_the_encoding_of_a_source_is_honoured(tmp_path: Path, write: Write) -> None:
    """A coding cookie and a byte order mark are read as Python reads them, and a wrong one is its SyntaxError."""
    write({})
    (tmp_path / "latin.py").write_bytes(b"# coding: latin-1\nna\xefve = 1\n")
    (tmp_path / "marked.py").write_bytes(b"\xef\xbb\xbfx = 1\n")
    (tmp_path / "garbled.py").write_bytes(b"x = 1\n" * 9 + b"y = '\xff'\n")
    assert list(get_module("latin").iter_export_names()) == ["naïve"]
    assert list(get_module("marked").iter_export_names()) == ["x"]
    with pytest.raises(SyntaxError):
        list(get_module("garbled").iter_export_names())


@pytest.mark.parametrize("name", ["sys", "_thread", "builtins"])
def test_a_built_in_module_has_no_source(name: str) -> None:
    """A built-in module can be found and loaded, where it is shared; asking what is in its source is a clear error."""
    module = get_module(name)
    assert (module.path, module.is_package, list(module.iter_modules())) == (None, False, [])
    assert module.load() is sys.modules[name]
    for ask in (module.iter_import_names, module.iter_export_names):
        with pytest.raises(SourceNotFoundError, match="no Python source") as caught:
            list(ask())
        assert caught.value.name == name


def test_an_extension_module_has_no_source(tmp_path: Path, write: Write) -> None:
    """An extension module is listed by name and path, and has nothing to read."""
    write({"pack/__init__.py": ""})
    suffix = importlib.machinery.EXTENSION_SUFFIXES[0]
    (tmp_path / f"pack/fast{suffix}").write_bytes(b"not really")
    (module,) = get_module("pack").iter_modules()
    assert (module.name, module.path) == ("pack.fast", str(tmp_path / f"pack/fast{suffix}"))
    with pytest.raises(SourceNotFoundError, match="no Python source"):
        list(module.iter_export_names())


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("no_such_module", "no_such_module"),
        ("no_such_module.sub", "no_such_module"),
        ("json.no_such", "json.no_such"),
        ("json.decoder.JSONDecoder", "json.decoder.JSONDecoder"),
        ("", ""),
        (".", ""),
        ("json.", "json."),
        (".json", ""),
        ("a b", "a b"),
        ("a\0b", "a\0b"),
        ("x" * 100_000, "x" * 100_000),
    ],
    ids=lambda name: ascii(name)[:20],
)
def test_a_missing_module_is_not_found(name: str, missing: str) -> None:
    """A name that nothing answers to is a ModuleNotFoundError that names the outermost part that is missing."""
    with pytest.raises(SourceNotFoundError) as caught:
        get_module(name)
    assert caught.value.name == missing


def test_a_subclass_finds_its_own_kind() -> None:
    """A person's kind of ModuleInfo finds, lists and walks modules of that kind."""

    class Plugin(ModuleInfo):
        __slots__ = ()

    found = Plugin.find("json")
    assert {type(module) for module in [found, *found.iter_modules(), *found.walk_modules()]} == {Plugin}


def test_the_standard_library_can_be_walked_and_read() -> None:
    """Every module of a few real packages can be read: its imports and its exports, without importing one of them."""
    before = set(sys.modules)
    for name in ("email", "json", "concurrent", "xml", "importlib", "asyncio"):
        for module in get_module(name).walk_modules():
            assert all(map(str.strip, module.iter_import_names()))
            assert all(export.isidentifier() for export in module.iter_export_names())
    assert set(sys.modules) == before


def test_exports_agree_with_star_imports() -> None:
    """Where `__all__` is literal, the names are those that a star import takes."""
    for name in ("json", "textwrap", "dataclasses", "contextlib", "argparse", "functools"):
        assert list(get_module(name).iter_export_names()) == importlib.import_module(name).__all__
