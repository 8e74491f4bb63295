"""Isolated copies: what is new, what is shared, and what an import means to their code, now and later."""

from __future__ import annotations

import builtins
import gc
import importlib
import importlib.util
import py_compile
import shutil
import sys
import threading
import weakref
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from exocet_ipython.errors import ExtensionPackageError
from exocet_ipython.loading.isolated import load_named, load_package_named
from exocet_ipython.loading.mapper import ExclusiveMapper, pep302_mapper
from tests.workshop import Workshop

GAME = {
    "game/__init__.py": """
        from . import world
        from .text import shout
        NAME = "game"
        """,
    "game/world.py": """
        from game import text
        class Room: ...
        def describe(): return text.shout("hall")
        """,
    "game/text.py": """
        import string
        def shout(words): return words.upper()
        def late():
            from .world import Room
            import game.world
            return Room is game.world.Room, game
        """,
}


def test_each_call_gives_new_objects(workshop: Workshop) -> None:
    """Every call makes new modules, classes and functions, and `sys.modules` has none of them."""
    workshop.write(GAME)
    before = dict(sys.modules)
    first, second = load_named("game"), load_named("game")
    assert first is not second
    assert first.world is not second.world
    assert first.world.Room is not second.world.Room
    assert first.world.describe() == "HALL"
    assert dict(sys.modules) == before


def test_a_copy_is_no_relation_of_the_regular_module(workshop: Workshop) -> None:
    """A package that is imported already keeps its modules and attributes when a copy is loaded beside it."""
    workshop.write(GAME)
    regular = importlib.import_module("game")
    world, attributes = regular.world, dict(vars(regular))
    copy = load_named("game")
    assert copy.world.Room is not world.Room
    assert (sys.modules["game"], sys.modules["game.world"]) == (regular, world)
    assert dict(vars(regular)) == attributes


def test_modules_of_one_copy_belong_together(workshop: Workshop) -> None:
    """The submodules of a copy, imported relatively, absolutely or asked for by name, are the same objects."""
    workshop.write(GAME)
    with load_package_named("game") as copy:
        game = copy.load_named("game")
        assert copy.load_named("game.world") is game.world
        assert game.world.text is game.text
        assert game.text.late() == (True, game)
        assert "2" not in repr(copy).replace("3", "")
        assert repr(copy) == "<isolated copy of game: 3 modules>"


def test_a_module_says_where_it_is_from(workshop: Workshop) -> None:
    """A copy has the name, file, package and spec of the module it was made from, so that it reads as that module."""
    workshop.write(GAME)
    copy, regular = load_named("game.world"), importlib.import_module("game.world")
    for name in ("__name__", "__file__", "__package__", "__doc__"):
        assert getattr(copy, name) == getattr(regular, name)
    assert copy.__spec__ is not None
    assert copy.__spec__.origin == workshop.path("game/world.py")
    assert copy.describe.__code__.co_filename == workshop.path("game/world.py")


def test_a_submodule_shares_its_package(workshop: Workshop) -> None:
    """A copy of a plain submodule is that one module: its package and siblings are the shared ones."""
    workshop.write(GAME)
    copy, regular = load_named("game.world"), importlib.import_module("game")
    assert copy.Room is not regular.world.Room
    assert copy.text is regular.text
    assert regular.world is sys.modules["game.world"] is not copy


def test_imports_in_functions_keep_the_mapper(workshop: Workshop) -> None:
    """An import statement inside a function means what the mapper of the load says, whenever and wherever it runs."""
    workshop.write(
        {
            "shop.py": """
            import prices
            def later():
                import prices
                from prices import list_price
                return prices, list_price
            """,
            "prices.py": "list_price = 1",
        }
    )
    fake = SimpleNamespace(list_price=99)
    copy = load_named("shop", pep302_mapper.with_overrides({"prices": fake}))
    assert copy.prices is fake
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.extend([copy.later(), load_named("shop").later()[1]]))
    thread.start()
    thread.join(30)
    assert copy.later() == (fake, 99)
    assert found == [(fake, 99), 1]


def test_code_made_by_a_copy_keeps_the_mapper(workshop: Workshop) -> None:
    """Code that a copy runs with exec, eval, a lambda, a comprehension or a method imports as the copy does."""
    workshop.write(
        {
            "shop.py": """
            def run(): scope = {}; exec("import prices", globals(), scope); return scope["prices"]
            call = lambda: __import__("prices")
            class Till:
                def open(self):
                    import prices
                    return prices
            def each():
                for _ in range(1):
                    import prices
                    yield prices
            """,
        }
    )
    fake = SimpleNamespace()
    copy = load_named("shop", pep302_mapper.with_overrides({"prices": fake}))
    assert [copy.run(), copy.call(), copy.Till().open(), *copy.each()] == [fake] * 4


def test_circular_imports(workshop: Workshop) -> None:
    """Modules that import each other see each other half-way, as Python has it."""
    workshop.write(
        {
            "ring/__init__.py": "from ring import a",
            "ring/a.py": "SEEN = 1\nimport ring.b\nfrom . import b\nEND = b.SEEN_A",
            "ring/b.py": "import ring.a as a\nSEEN_A = (a.SEEN, hasattr(a, 'END'))",
        }
    )
    copy = load_named("ring")
    assert copy.a.END == (1, False)
    assert copy.b.a is copy.a


def test_star_imports(workshop: Workshop) -> None:
    """A star import takes the public names, or those of `__all__`, submodules named there included."""
    workshop.write(
        {
            "stars/__init__.py": "from .plain import *\nfrom .sub import *",
            "stars/plain.py": "one, _two = 1, 2",
            "stars/sub/__init__.py": "__all__ = ['leaf', '_three']\n_three, four = 3, 4",
            "stars/sub/leaf.py": "green = True",
        }
    )
    copy = load_named("stars")
    assert (copy.one, copy._three, copy.leaf.green) == (1, 3, True)
    assert not hasattr(copy, "_two")
    assert not hasattr(copy, "four")


@pytest.mark.parametrize("statement", ["import fast_path", "from fast_path import go", "from game import missing"])
def test_conditional_imports(workshop: Workshop, statement: str) -> None:
    """A module that can do without another goes on without it when it isn't there."""
    workshop.write(GAME | {"kind.py": f"try:\n    {statement}\nexcept ImportError as error:\n    failed = error.name"})
    assert load_named("kind").failed == ("game" if "game" in statement else "fast_path")


def test_an_override_governs_submodules(workshop: Workshop) -> None:
    """An override of `a` decides what `a.b` means, in every form of import statement."""
    workshop.write(
        {
            "user.py": """
            import tools.hammer
            import tools.hammer as plain
            from tools import hammer
            from tools.hammer import hit
            try:
                import tools.saw
            except ImportError as error:
                missing = error.name
            """,
            "tools/__init__.py": "",
            "tools/hammer.py": "hit = 'real'",
            "tools/saw.py": "",
        }
    )
    hammer = SimpleNamespace(hit="fake")
    copy = load_named("user", pep302_mapper.with_overrides({"tools": SimpleNamespace(hammer=hammer)}))
    assert copy.tools.hammer is copy.plain is copy.hammer is hammer
    assert (copy.hit, copy.missing) == ("fake", "tools.saw")
    assert "tools" not in sys.modules


def test_an_override_inside_the_package(workshop: Workshop) -> None:
    """An override of one submodule stands in for it everywhere in the copy, and the rest is loaded."""
    workshop.write(GAME)
    fake = SimpleNamespace(shout=lambda words: f"{words}!")
    copy = load_named("game", pep302_mapper.with_overrides({"game.text": fake}))
    assert (copy.text, copy.shout, copy.world.text) == (fake, fake.shout, fake)
    assert copy.world.describe() == "hall!"


def test_an_excluded_submodule(workshop: Workshop) -> None:
    """An excluded submodule is not found from inside the package either, though its file is there."""
    workshop.write(
        {
            "pkg/__init__.py": "try:\n    from . import extra\nexcept ImportError as error:\n    extra = error.name",
            "pkg/extra.py": "raise AssertionError('ran')",
        }
    )
    assert load_named("pkg", ExclusiveMapper(pep302_mapper, ["pkg.extra"])).extra == "pkg.extra"


def test_looking_itself_up_while_loading(workshop: Workshop) -> None:
    """Code that looks itself up by name while it loads finds its own copy, the regular module being loaded or not."""
    workshop.write(
        {
            "mirror.py": """
            from __future__ import annotations
            import dataclasses, pickle, sys, typing, importlib
            this = sys.modules[__name__]
            this.through = "me"
            @dataclasses.dataclass
            class Point:
                x: int
                kind: typing.ClassVar[str] = "point"
                other: Point | None = None
            HINTS = typing.get_type_hints(Point)
            TWIN = pickle.loads(pickle.dumps(Point(3)))
            AGAIN = importlib.import_module(__name__).Point
            FIELDS = [field.name for field in dataclasses.fields(Point)]
            """,
        }
    )
    for _ in range(2):
        copy = load_named("mirror")
        assert copy.through == "me"
        assert copy.HINTS["other"] == copy.Point | None
        assert type(copy.TWIN) is copy.AGAIN is copy.Point
        assert copy.FIELDS == ["x", "other"]
        assert copy.this is copy
        importlib.import_module("mirror")


def test_looking_others_up_while_loading_late(workshop: Workshop) -> None:
    """A module that loads long after its package finds the package of its own copy by name too, as pydantic does."""
    workshop.write(
        {
            "pkg/__init__.py": "mark = []\ndef late():\n    from . import part\n    return part",
            "pkg/part.py": "import sys\nfound = sys.modules['pkg'].mark",
        }
    )
    for _ in range(2):
        copy = load_named("pkg")
        assert copy.late().found is copy.mark
        importlib.import_module("pkg")


def test_a_module_that_replaces_itself(workshop: Workshop) -> None:
    """What a module puts into `sys.modules` in its own stead is what importing it gives, and stays in the copy."""
    workshop.write(
        {
            "pkg/__init__.py": "from . import lazy\nimport pkg.proxied",
            "pkg/lazy.py": """
            import sys
            class Lazy:
                value = 7
            sys.modules[__name__] = Lazy()
            """,
            # twisted's deprecated attributes: the replacement holds the module that it found in sys.modules.
            "pkg/proxied.py": """
            import sys
            value = 8
            class Proxy:
                def __init__(self, module): self.module = module
                def __getattr__(self, name): return getattr(self.module, name)
            sys.modules[__name__] = Proxy(sys.modules[__name__])
            """,
        }
    )
    for _ in range(2):
        copy = load_named("pkg")
        assert (type(copy.lazy).__name__, copy.lazy.value) == ("Lazy", 7)
        assert (type(copy.proxied).__name__, copy.proxied.value) == ("Proxy", 8)
        assert copy.lazy is not importlib.import_module("pkg").lazy


def test_modules_put_into_sys_modules_by_hand(workshop: Workshop) -> None:
    """Aliases and modules that a package's code puts into `sys.modules` are found by the copy, and don't stay there."""
    workshop.write(
        {
            # requests.packages has aliases of other packages, six.moves a module made by hand.
            "pkg/__init__.py": """
            import sys, types
            import colorsys
            from . import real
            sys.modules[__name__ + ".colors"] = colorsys
            sys.modules[__name__ + ".alias"] = sys.modules[__name__ + ".real"]
            moves = sys.modules[__name__ + ".moves"] = types.ModuleType(__name__ + ".moves")
            sys.modules["global_alias"] = sys.modules[__name__]
            import pkg.colors, pkg.moves
            from pkg import alias
            def later():
                import pkg.colors as colors
                return colors
            """,
            "pkg/real.py": "value = []",
        }
    )
    copy = load_named("pkg")
    import colorsys

    assert [name for name in sys.modules if name.split(".")[0] in ("pkg", "global_alias")] == []
    assert copy.later() is colorsys
    assert copy.alias.value is copy.real.value
    regular = importlib.import_module("pkg")
    mine = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "pkg"}
    assert load_named("pkg").moves is not regular.moves
    assert {name: module for name, module in sys.modules.items() if name.split(".")[0] == "pkg"} == mine


def test_names_put_into_builtins_later(workshop: Workshop) -> None:
    """A copy sees what is put into `builtins`, replaced there or taken away after it was loaded, at its next import."""
    workshop.write({"words.py": "def greet():\n    import string\n    return _exocet_test_word"})
    copy = load_named("words")
    try:
        builtins._exocet_test_word = "hello"  # type: ignore[attr-defined] # put there at run time
        assert copy.greet() == "hello"
        builtins._exocet_test_word = "bye"  # type: ignore[attr-defined] # put there at run time
        assert copy.greet() == "bye"
    finally:
        del builtins._exocet_test_word  # type: ignore[attr-defined] # put there at run time
    with pytest.raises(NameError):
        copy.greet()


def test_extension_modules_are_shared() -> None:
    """An extension module is the one that the process has, asked for by name or imported by a copy."""
    import _json
    import math

    assert load_named("math") is math
    assert load_named("_json") is _json
    assert load_named("json.scanner").c_make_scanner is _json.make_scanner


def write_extension_package(workshop: Workshop) -> None:
    """Write a package with an extension module of its own that it can do without: a copy of Python's `_json`."""
    spec = importlib.util.find_spec("_json")
    if spec is None or not spec.has_location or spec.origin is None:
        pytest.skip("this Python has _json built in: there is no extension file to put into a package")
    workshop.write({"pkg/__init__.py": "def late():\n    from pkg._json import scanstring\n    return scanstring"})
    shutil.copy(spec.origin, workshop.folder / "pkg")


def test_extensions_of_a_package_are_shared(workshop: Workshop) -> None:
    """Copies and the regular package share the package's extension, whichever asked for it first."""
    write_extension_package(workshop)
    first = load_named("pkg")
    shared = first.late()
    assert [name for name in sys.modules if name.split(".")[0] == "pkg"] == ["pkg._json"]
    assert load_named("pkg").late() is importlib.import_module("pkg").late() is load_named("pkg").late() is shared


@pytest.mark.xfail(strict=True, reason="importlib sets the attribute of the package only when it loads the extension")
def test_a_shared_extension_is_an_attribute_of_its_package(workshop: Workshop) -> None:
    """After a copy brought the extension, `import pkg._json; pkg._json` works in a plain import as well."""
    write_extension_package(workshop)
    load_named("pkg").late()
    import pkg._json  # type: ignore[import-not-found] # written by the test

    assert pkg._json is sys.modules["pkg._json"]


@pytest.mark.proof
@pytest.mark.parametrize("name", ["numpy", "pandas"])
def test_a_package_with_an_extension_core_is_refused(name: str) -> None:
    """A package that can't do without its own extension is refused before anything ran, with advice."""
    pytest.importorskip(name)
    mine = {key: module for key, module in sys.modules.items() if key.partition(".")[0] != name}
    others = {key: module for key, module in sys.modules.items() if key not in mine}
    for key in others:
        del sys.modules[key]
    try:
        with pytest.raises(ExtensionPackageError, match=r"leave '.*' out, so that its one copy is shared") as caught:
            load_named(name)
        assert dict(sys.modules) == mine
    finally:
        sys.modules.update(others)
    assert caught.value.name == name
    assert caught.value.path is not None
    assert caught.value.path.endswith((".so", ".pyd"))


def test_two_edits_within_one_second(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """An edit that keeps the size and the time stamp of the file is seen, though a `.pyc` says it is up to date."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    workshop.write({"model.py": "SIZE = 1", "pkg/__init__.py": "from . import part", "pkg/part.py": "SIZE = 1"})
    for number in range(2, 6):
        for path in ("model.py", "pkg/part.py"):
            py_compile.compile(workshop.path(path), doraise=True)
            workshop.edit(path, f"SIZE = {number}", same_time=True)
        assert number == load_named("model").SIZE
        assert number == load_named("pkg").part.SIZE


def test_nothing_holds_a_copy(workshop: Workshop) -> None:
    """Once the names are gone and the collector ran, the modules, classes and functions of a copy are gone."""
    workshop.write(GAME)
    copy = load_named("game")
    copy.text.late()
    parts = [copy, copy.world, copy.world.Room, copy.world.describe, copy.text.late, copy.world.Room()]
    alive = [weakref.ref(part) for part in parts]
    del copy, parts
    gc.collect()
    assert [reference() for reference in alive] == [None] * len(alive)


def test_a_failed_load_holds_nothing(workshop: Workshop) -> None:
    """What a load had made before it failed is gone with its error."""
    workshop.write({"bad.py": "import registry\nclass Room: ...\nregistry.add(Room)\n1 / 0"})
    alive: list[weakref.ref[Any]] = []
    registry = SimpleNamespace(add=lambda kind: alive.append(weakref.ref(kind)))
    with pytest.raises(ZeroDivisionError):
        load_named("bad", pep302_mapper.with_overrides({"registry": registry}))
    gc.collect()
    assert [reference() for reference in alive] == [None]


def test_a_function_keeps_its_copy(workshop: Workshop) -> None:
    """A function that is all that is left of a copy goes on importing the modules of that copy."""
    workshop.write(GAME)
    late = load_named("game").text.late
    gc.collect()
    same, game = late()
    assert same
    assert game.text.late is late


@pytest.mark.parametrize("error", ["KeyboardInterrupt", "SystemExit", "MemoryError"])
def test_a_load_that_is_cut_off_changes_nothing(workshop: Workshop, error: str) -> None:
    """Any exception in the body of any module leaves `sys.modules` and the regular modules as they were."""
    workshop.write(GAME)
    regular = importlib.import_module("game")
    workshop.edit("game/text.py", f"raise {error}")
    before, attributes = dict(sys.modules), dict(vars(regular))
    with pytest.raises(vars(builtins)[error]):
        load_named("game")
    assert dict(sys.modules) == before
    assert dict(vars(regular)) == attributes


def test_a_submodule_that_failed_can_be_loaded_again(workshop: Workshop) -> None:
    """A lazy import that failed is tried again at the next call, as in Python."""
    workshop.write({"pkg/__init__.py": "def get():\n    from . import part\n    return part", "pkg/part.py": "1 / 0"})
    copy = load_named("pkg")
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            copy.get()
    workshop.edit("pkg/part.py", "fine = True")
    assert copy.get().fine


def test_a_file_saved_a_moment_ago_is_found(workshop: Workshop) -> None:
    """A module whose file appeared after Python listed its folder is found, whatever the folder's time stamp says."""
    workshop.write({"old.py": ""})
    importlib.import_module("old")
    folder = workshop.folder.stat()
    (workshop.folder / "fresh.py").write_text("here = True", encoding="utf-8")
    import os

    os.utime(workshop.folder, ns=(folder.st_atime_ns, folder.st_mtime_ns))
    assert load_named("fresh").here


def test_load_package_named_wants_a_package(workshop: Workshop) -> None:
    """A plain module is no package to load modules from, and a copy has no modules of others."""
    workshop.write(GAME)
    with pytest.raises(ValueError, match=r"load it with load_named\('game.text'\)"):
        load_package_named("game.text")
    with load_package_named("game") as copy, pytest.raises(ModuleNotFoundError) as caught:
        copy.load_named("json")
    assert caught.value.name == "json"


def test_dunder_import_in_a_copy(workshop: Workshop) -> None:
    """`__import__` called by hand gives the top package, the leaf with a list of names, and takes a level."""
    workshop.write(
        GAME
        | {
            "game/calls.py": """
        top = __import__("game.world")
        leaf = __import__("game.world", fromlist=["Room"])
        near = __import__("world", globals(), None, ["Room"], 1)
        """
        }
    )
    with load_package_named("game") as copy:
        calls = copy.load_named("game.calls")
        assert isinstance(calls.top, ModuleType)
        assert (calls.top, calls.leaf, calls.near) == (copy.load_named("game"), *[copy.load_named("game.world")] * 2)


def test_one_pass_finds_what_holds_stand_ins(workshop: Workshop, heap_looks: list[int]) -> None:
    """However many modules of a copy have kept what stood in for them, the heap is looked through once."""
    keeping = "import sys\nthis = sys.modules[__name__]\nKNOWN = [this]\nTABLE = {'me': this}\n"
    workshop.write({"kept/__init__.py": f"{keeping}from . import a, b, c\n"} | {f"kept/{n}.py": keeping for n in "abc"})
    copy = load_named("kept")
    assert heap_looks == [4]
    for module in (copy, copy.a, copy.b, copy.c):
        assert (module.this, module.KNOWN, module.TABLE) == (module, [module], {"me": module})
